/*
 * acme_directives.c - the directives: httpd's table, defaults and merge, all
 * from the one table.
 */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_core.h>

#include "acme_parsers.h"

typedef struct {
    const char *name;
    const char *dflt;           /* NULL: none */
    int where;
    acme_parser_t *parse;
    apr_size_t offset;
    apr_size_t size;
} row_t;

#define ROW(name, syntax, dflt, where, parse, field, text, example) \
    { #name, dflt, where, acme_parse_##parse, \
      offsetof(acme_server_conf_t, field), \
      sizeof(((acme_server_conf_t *)0)->field) },
static const row_t rows[ACME_DIR_COUNT] = { ACME_DIRECTIVES(ROW) };

static void *field_of(void *conf, const row_t *row)
{
    return (char *)conf + row->offset;
}

static const char *set_directive(cmd_parms *cmd, void *dir, int argc,
                                 char *const argv[])
{
    const row_t *row = cmd->info;
    acme_server_conf_t *conf = acme_server_conf(cmd->server);
    const char *wrong;

    (void)dir;
    wrong = ap_check_cmd_context(cmd, row->where == ACME_SERVER
        ? GLOBAL_ONLY : NOT_IN_DIR_CONTEXT);
    if (wrong) {
        return wrong;
    }
    if (argc < 1) {
        return apr_psprintf(cmd->pool, "%s: takes an argument", row->name);
    }
    wrong = row->parse(field_of(conf, row), cmd, argc, argv);
    if (wrong) {
        return apr_psprintf(cmd->pool, "%s: %s", row->name, wrong);
    }
    conf->set[row - rows] = 1;
    conf->engine_own = conf->set[ACME_DIR_AcmeEngine] && conf->engine;
    return NULL;
}

#define COMMAND(name, syntax, dflt, where, parse, field, text, example) \
    AP_INIT_TAKE_ARGV(#name, set_directive, \
                      (void *)&rows[ACME_DIR_##name], RSRC_CONF, \
                      syntax " - " text),
const command_rec acme_commands[] = {
    ACME_DIRECTIVES(COMMAND)
    { NULL }
};

/* The defaults go through the same parsers as what is configured. */
static void set_defaults(acme_server_conf_t *conf, server_rec *s,
                         apr_pool_t *p)
{
    cmd_parms cmd;
    int i;

    memset(&cmd, 0, sizeof(cmd));
    cmd.pool = p;
    cmd.server = s;
    for (i = 0; i < ACME_DIR_COUNT; i++) {
        char **argv;
        int argc = 0;

        if (rows[i].dflt
            && !apr_tokenize_to_argv(rows[i].dflt, &argv, p)) {
            while (argv[argc]) {
                argc++;
            }
            rows[i].parse(field_of(conf, &rows[i]), &cmd, argc, argv);
        }
    }
}

void *acme_server_conf_create(apr_pool_t *p, server_rec *s)
{
    acme_server_conf_t *conf = apr_pcalloc(p, sizeof(*conf));

    if (!s->is_virtual) {
        set_defaults(conf, s, p);
    }
    return conf;
}

void *acme_server_conf_merge(apr_pool_t *p, void *base, void *add)
{
    const acme_server_conf_t *over = add;
    acme_server_conf_t *conf = apr_pmemdup(p, base, sizeof(*conf));
    int i;

    for (i = 0; i < ACME_DIR_COUNT; i++) {
        if (over->set[i]) {
            memcpy(field_of(conf, &rows[i]),
                   (const char *)over + rows[i].offset, rows[i].size);
            conf->set[i] = 1;
        }
    }
    conf->engine_own = over->engine_own;
    /* An id in the server config would merge all virtual hosts into one. */
    conf->id = over->id;
    conf->certs = NULL;
    conf->given = 0;
    return conf;
}

acme_server_conf_t *acme_server_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &acme_module);
}
