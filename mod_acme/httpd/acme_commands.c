/*
 * acme_commands.c - httpd's table of the directives, and their defaults. Both
 * go through the same parsers.
 */
#include <stddef.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_core.h>

#include "acme_commands.h"
#include "acme_parsers_commands.h"
#include "acme_server_conf.h"

typedef struct {
    const char *name;
    const char *dflt;           /* NULL: none */
    int where;
    acme_parser_t *parse;
    apr_size_t offset;          /* of its field in acme_server_conf_t */
    apr_size_t size;
} directive_row_t;

static const directive_row_t rows[ACME_DIR_COUNT] = {
#define ROW(name, syntax, dflt, where, parser, field, text, example) \
    { #name, dflt, where, acme_parsers_##parser, \
      offsetof(acme_server_conf_t, field), \
      sizeof(((acme_server_conf_t *)0)->field) },
    ACME_DIRECTIVES(ROW)
};

static void *field_of(void *conf, const directive_row_t *row)
{
    return (char *)conf + row->offset;
}

/* A directive without a default has no other value that takes it back. */
static int is_none(const directive_row_t *row, int argc, char *const argv[])
{
    return !row->dflt && argc == 1 && !apr_cstr_casecmp(argv[0], "none");
}

/* The values of the directives that may be repeated, one a line. */
static const char *add_written(const char *before, const directive_row_t *row,
                               cmd_parms *cmd, int argc, char *const argv[])
{
    const int index = (int)(row - rows);
    const char *text = (index == ACME_DIR_AcmeHook
                        || index == ACME_DIR_AcmeExport
                        || index == ACME_DIR_AcmeExternalAccount) && before
        ? apr_pstrcat(cmd->pool, before, "\n", NULL) : "";
    int i;

    for (i = 0; i < argc; i++) {
        text = apr_pstrcat(cmd->pool, text, i ? " " : "", argv[i], NULL);
    }
    return text;
}

/* All words of a line: of httpd's own forms one with many ends after 64. */
static char **split_words(int *pargc, const char *line, cmd_parms *cmd)
{
    apr_array_header_t *words = apr_array_make(cmd->temp_pool, 8,
                                               sizeof(char *));

    while (*line) {
        APR_ARRAY_PUSH(words, char *) = ap_getword_conf(cmd->temp_pool, &line);
    }
    *pargc = words->nelts;
    APR_ARRAY_PUSH(words, char *) = NULL;
    return (char **)words->elts;
}

static const char *set_directive(cmd_parms *cmd, void *dir, const char *line)
{
    const directive_row_t *row = cmd->info;
    acme_server_conf_t *conf = acme_server_conf(cmd->server);
    const char *wrong;
    char **argv;
    int argc;

    (void)dir;
    wrong = ap_check_cmd_context(cmd, row->where == ACME_SERVER
        ? GLOBAL_ONLY : NOT_IN_DIR_CONTEXT);
    if (wrong) {
        return wrong;
    }
    argv = split_words(&argc, line, cmd);
    if (argc < 1) {
        return apr_psprintf(cmd->pool, "%s: takes at least one argument",
                            row->name);
    }
    if (is_none(row, argc, argv)) {
        memset(field_of(conf, row), 0, row->size);
        conf->written[row - rows] = NULL;
        conf->is_hooks_reset |= row - rows == ACME_DIR_AcmeHook;
        conf->is_exports_reset |= row - rows == ACME_DIR_AcmeExport;
    }
    else {
        wrong = row->parse(field_of(conf, row), cmd, argc, argv);
        if (wrong) {
            return apr_psprintf(cmd->pool, "%s: %s", row->name, wrong);
        }
        /* Afterwards: the parser has overwritten a secret. */
        conf->written[row - rows] = add_written(conf->written[row - rows], row,
                                                cmd, argc, argv);
    }
    conf->set[row - rows] = 1;
    conf->engine_own = conf->set[ACME_DIR_AcmeEngine] && conf->engine;
    return NULL;
}

#define COMMAND(name, syntax, dflt, where, parser, field, text, example) \
    AP_INIT_RAW_ARGS(#name, set_directive, \
                     (void *)&rows[ACME_DIR_##name], RSRC_CONF, \
                     syntax " - " text),
const command_rec acme_commands[] = {
    ACME_DIRECTIVES(COMMAND)
    { NULL }
};

static acme_server_conf_t *make_conf(apr_pool_t *p, server_rec *s)
{
    acme_server_conf_t *conf = apr_pcalloc(p, sizeof(*conf));
    cmd_parms cmd = { .pool = p, .server = s };
    char **argv;
    int i, argc;

    conf->set = apr_pcalloc(p, ACME_DIR_COUNT);
    conf->written = apr_pcalloc(p, ACME_DIR_COUNT * sizeof(*conf->written));
    if (s->is_virtual) {
        return conf;
    }
    for (i = 0; i < ACME_DIR_COUNT; i++) {
        if (!rows[i].dflt || apr_tokenize_to_argv(rows[i].dflt, &argv, p)) {
            continue;
        }
        for (argc = 0; argv[argc]; argc++) {
            continue;
        }
        rows[i].parse(field_of(conf, &rows[i]), &cmd, argc, argv);
    }
    return conf;
}

void *acme_commands_conf_create(apr_pool_t *p, server_rec *s)
{
    acme_server_found_t *server = apr_pcalloc(p, sizeof(*server));

    server->conf = make_conf(p, s);
    return server;
}
