/*
 * acme_directives.c - the directives: parsers, defaults, merge, all from the
 * one table.
 */
#include <stddef.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <http_core.h>
#include <httpd.h>
#include <http_log.h>

#include "acme_directives.h"
#include "acme_name.h"
#include "acme_store.h"

#define PARALLEL_MAX 64

/*
 * A parser fills its field from one or more arguments and returns NULL, or a
 * sentence about what is wrong and what is allowed.
 */
typedef const char *parse_t(void *field, cmd_parms *cmd, int argc,
                            char *const argv[]);

static const char *one_of(const char *value, const char *allowed,
                          apr_pool_t *p)
{
    return apr_psprintf(p, "'%s' is unknown; allowed: %s", value, allowed);
}

static const char *single(int argc)
{
    return argc == 1 ? NULL : "takes one argument";
}

static const char *parse_flag(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    int *flag = field;

    if (argc == 1 && !apr_cstr_casecmp(argv[0], "on")) {
        *flag = 1;
        return NULL;
    }
    if (argc == 1 && !apr_cstr_casecmp(argv[0], "off")) {
        *flag = 0;
        return NULL;
    }
    return argc == 1 ? one_of(argv[0], "on, off", cmd->pool) : single(argc);
}

static const char *parse_agree(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    if (argc != 1 || apr_cstr_casecmp(argv[0], "agree") != 0) {
        return one_of(argv[0], "agree", cmd->pool);
    }
    *(int *)field = 1;
    return NULL;
}

static const struct {
    const char *name;
    const char *url;
} known_cas[] = {
    { "letsencrypt", "https://acme-v02.api.letsencrypt.org/directory" },
    { "letsencrypt-staging",
      "https://acme-staging-v02.api.letsencrypt.org/directory" },
    { "zerossl", "https://acme.zerossl.com/v2/DV90" },
    { "google", "https://dv.acme-v02.api.pki.goog/directory" },
    { "sslcom", "https://acme.ssl.com/sslcom-dv-rsa" },
    { "actalis", "https://acme-api.actalis.com/acme/directory" }
};

static const char *parse_ca(void *field, cmd_parms *cmd, int argc,
                            char *const argv[])
{
    const char **ca = field;
    acme_result_t res;
    apr_size_t i;

    if (argc != 1) {
        return "takes one CA; changing over to another one when the first "
               "fails is not in this version";
    }
    for (i = 0; i < sizeof(known_cas) / sizeof(*known_cas); i++) {
        if (!apr_cstr_casecmp(argv[0], known_cas[i].name)) {
            *ca = known_cas[i].url;
            return NULL;
        }
    }
    if (acme_url_check(argv[0], &res, cmd->pool)) {
        return apr_psprintf(cmd->pool, "'%s' is neither letsencrypt, "
                            "letsencrypt-staging, zerossl, google, sslcom, "
                            "actalis nor the https URL of a directory (%s)",
                            argv[0], res.detail);
    }
    *ca = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}

static int is_address(const char *text)
{
    const char *at = strchr(text, '@');

    if (!at || at == text || !at[1] || strchr(at + 1, '@')) {
        return 0;
    }
    for (; *text; text++) {
        if (!apr_isgraph(*text) || strchr(",?<>\"", *text)) {
            return 0;
        }
    }
    return 1;
}

static const char *parse_contacts(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    apr_array_header_t *contacts = apr_array_make(cmd->pool, argc,
                                                  sizeof(const char *));
    int i;

    for (i = 0; i < argc; i++) {
        const char *address = argv[i];

        if (!strncmp(address, "mailto:", 7)) {
            address += 7;
        }
        if (!is_address(address)) {
            return apr_psprintf(cmd->pool, "'%s' is no e-mail address",
                                argv[i]);
        }
        APR_ARRAY_PUSH(contacts, const char *) =
            apr_pstrcat(cmd->pool, "mailto:", address, NULL);
    }
    *(apr_array_header_t **)field = contacts;
    return NULL;
}

static const char *parse_id(void *field, cmd_parms *cmd, int argc,
                            char *const argv[])
{
    const char *id = argc == 1 ? acme_store_id(argv[0], cmd->pool) : NULL;

    if (!id) {
        return "takes an id of letters, digits, '.', '-' and '_', which "
               "begins with no '.'";
    }
    *(const char **)field = id;
    return NULL;
}

static const char *parse_names(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    apr_array_header_t *names = apr_array_make(cmd->pool, argc,
                                               sizeof(const char *));
    acme_result_t res;
    int i;

    for (i = 0; i < argc; i++) {
        const char *name = "auto";

        if (apr_cstr_casecmp(argv[i], "auto") != 0
            && acme_name_normalise(&name, argv[i], &res, cmd->pool)) {
            return apr_pstrdup(cmd->pool, res.detail);
        }
        if (acme_name_is_wildcard(name)) {
            return apr_psprintf(cmd->pool, "'%s': a wildcard needs dns-01, "
                                "which is not in this version", argv[i]);
        }
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    *(apr_array_header_t **)field = names;
    return NULL;
}

static const char *parse_challenges(void *field, cmd_parms *cmd, int argc,
                                    char *const argv[])
{
    static const char *const known[] = {
        "http-01", "tls-alpn-01", "dns-01", "dns-persist-01"
    };
    int i, http = 0;
    apr_size_t k;

    for (i = 0; i < argc; i++) {
        for (k = 0; k < 4 && strcmp(argv[i], known[k]) != 0; k++) {
            continue;
        }
        if (k == 4) {
            return one_of(argv[i], "http-01, tls-alpn-01, dns-01, "
                          "dns-persist-01", cmd->pool);
        }
        http |= k == 0;
    }
    *(int *)field = http;
    return NULL;
}

static const char *parse_ports(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    acme_ports_t ports = { 80, 443 };
    int i;

    for (i = 0; i < argc; i++) {
        const char *colon = strchr(argv[i], ':');
        apr_int64_t port;
        char *end;

        if (!colon || !colon[1]) {
            return "takes http:port and https:port";
        }
        port = strcmp(colon + 1, "-") ? apr_strtoi64(colon + 1, &end, 10) : 0;
        if (strcmp(colon + 1, "-") && (*end || port < 1 || port > 65535)) {
            return apr_psprintf(cmd->pool, "'%s' is no port; allowed: 1 to "
                                "65535, or - for none", colon + 1);
        }
        if (!strncmp(argv[i], "http:", 5)) {
            ports.http = (int)port;
        }
        else if (!strncmp(argv[i], "https:", 6)) {
            ports.https = (int)port;
        }
        else {
            return one_of(argv[i], "http:port, https:port", cmd->pool);
        }
    }
    *(acme_ports_t *)field = ports;
    return NULL;
}

static const char *parse_key_type(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    acme_result_t res;

    if (argc != 1) {
        return "takes one type; several at once are not in this version";
    }
    if (acme_key_type_parse(field, argv[0], &res)) {
        return apr_pstrdup(cmd->pool, res.detail);
    }
    return NULL;
}

static const char *parse_window(void *field, cmd_parms *cmd, int argc,
                                char *const argv[])
{
    acme_result_t res;

    if (argc == 1 && acme_window_parse(field, argv[0], &res)) {
        return apr_pstrdup(cmd->pool, res.detail);
    }
    return single(argc);
}

static const char *parse_duration(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    acme_result_t res;

    if (argc == 1 && acme_duration_parse(field, argv[0], &res)) {
        return apr_pstrdup(cmd->pool, res.detail);
    }
    return single(argc);
}

static const char *parse_parallel(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    apr_int64_t n = 0;
    char *end = "?";

    if (argc == 1) {
        n = apr_strtoi64(argv[0], &end, 10);
    }
    if (*end || n < 1 || n > PARALLEL_MAX) {
        return apr_psprintf(cmd->pool, "takes a number from 1 to %d",
                            PARALLEL_MAX);
    }
    *(int *)field = (int)n;
    return NULL;
}

static const char *parse_activate(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    acme_activate_e *activate = field;

    if (argc != 1) {
        return single(argc);
    }
    if (!apr_cstr_casecmp(argv[0], "none")) {
        *activate = ACME_ACTIVATE_NONE;
    }
    else if (!apr_cstr_casecmp(argv[0], "graceful")) {
        *activate = ACME_ACTIVATE_GRACEFUL;
    }
    else if (!apr_cstr_casecmp(argv[0], "live")) {
        *activate = ACME_ACTIVATE_GRACEFUL;
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, cmd->server,
                     "acme: AcmeActivate live: not in this version; new "
                     "certificates go live by a graceful reload");
    }
    else {
        return one_of(argv[0], "graceful, live, none", cmd->pool);
    }
    return NULL;
}

static const char *parse_require_https(void *field, cmd_parms *cmd, int argc,
                                       char *const argv[])
{
    static const char *const words[] = { "off", "temporary", "permanent" };
    int i;

    for (i = 0; argc == 1 && i < 3; i++) {
        if (!apr_cstr_casecmp(argv[0], words[i])) {
            *(acme_require_https_e *)field = (acme_require_https_e)i;
            return NULL;
        }
    }
    return argc == 1 ? one_of(argv[0], "off, temporary, permanent", cmd->pool)
                     : single(argc);
}

/* Kept as written: the ServerRoot may come after the directive. */
static const char *parse_path(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    if (argc != 1) {
        return single(argc);
    }
    if (!ap_server_root_relative(cmd->temp_pool ? cmd->temp_pool : cmd->pool,
                                 argv[0])) {
        return apr_psprintf(cmd->pool, "'%s' is no path", argv[0]);
    }
    *(const char **)field = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}

static const char *parse_proxy(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    if (argc != 1) {
        return single(argc);
    }
    if (strncmp(argv[0], "http://", 7) && strncmp(argv[0], "https://", 8)
        && strncmp(argv[0], "socks5h://", 10)) {
        return one_of(argv[0], "http://host:port, https://host:port, "
                      "socks5h://host:port", cmd->pool);
    }
    *(const char **)field = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}

typedef struct {
    const char *name;
    const char *dflt;           /* NULL: none */
    int where;
    parse_t *parse;
    apr_size_t offset;
    apr_size_t size;
} row_t;

#define ROW(name, syntax, dflt, where, parse, field, text, example) \
    { #name, dflt, where, parse_##parse, \
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

    conf->cert = -1;
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
    conf->cert = -1;
    return conf;
}

acme_server_conf_t *acme_server_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &acme_module);
}
