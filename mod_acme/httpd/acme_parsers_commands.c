/*
 * acme_parsers_commands.c - directives that name commands, folders and servers
 * of others: AcmeHook, AcmeDns, AcmeHttp, AcmeExport.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_core.h>

#include "acme_exports.h"
#include "acme_hook_event.h"
#include "acme_parsers_commands.h"

#define ZONE_CHARACTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* A command's path as it is run; NULL: wrong says why not. */
static const char *command_path(const char **pwrong, const char *text,
                                apr_pool_t *p)
{
    const char *path = ap_server_root_relative(p, text);
    struct stat st;

    if (!path || stat(path, &st) || access(path, X_OK)) {
        *pwrong = apr_psprintf(p, "'%s': %s", text, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        *pwrong = apr_psprintf(p, "'%s' is not a program", text);
        return NULL;
    }
    return path;
}

#define HOOK_WORD(name, word) word,
static const char *const hook_words[ACME_HOOKS] = { ACME_HOOK_KINDS(
    HOOK_WORD) };

/* What was said before of this kind, in the same server, counts no more; the
   row tells the merge that what is inherited does not either. */
static void reset_hooks(apr_array_header_t **hooks, acme_hook_e kind,
                        apr_pool_t *p)
{
    const acme_hook_conf_t reset = { .kind = kind, .command = NULL };
    apr_array_header_t *kept = apr_array_make(p, 2, sizeof(acme_hook_conf_t));

    if (*hooks) {
        acme_server_conf_add_hooks(kept, *hooks, &reset);
    }
    APR_ARRAY_PUSH(kept, acme_hook_conf_t) = reset;
    *hooks = kept;
}

const char *acme_parsers_commands_hook(void *field, cmd_parms *cmd, int argc,
                                       char *const argv[])
{
    apr_array_header_t **hooks = field;
    acme_hook_conf_t hook = { .kind = ACME_HOOK_PRE };
    const char *wrong, *path;
    int i;

    if (argc < 2) {
        return "takes an event and a command";
    }
    while (hook.kind < ACME_HOOKS
           && !acme_parsers_is_word(argv[0], hook_words[hook.kind])) {
        hook.kind++;
    }
    if (hook.kind == ACME_HOOKS) {
        return apr_psprintf(
            cmd->pool,
            "'%s' is not an event; allowed: pre, post, deploy, notify",
            argv[0]);
    }
    if (argc == 2 && acme_parsers_is_word(argv[1], "none")) {
        reset_hooks(hooks, hook.kind, cmd->pool);
        return NULL;
    }
    path = command_path(&wrong, argv[1], cmd->pool);
    if (!path) {
        return wrong;
    }
    hook.command = apr_array_make(cmd->pool, argc, sizeof(const char *));
    APR_ARRAY_PUSH(hook.command, const char *) = path;
    for (i = 2; i < argc; i++) {
        APR_ARRAY_PUSH(hook.command, const char *) = apr_pstrdup(cmd->pool,
                                                                 argv[i]);
    }
    if (!*hooks) {
        *hooks = apr_array_make(cmd->pool, 2, sizeof(acme_hook_conf_t));
    }
    APR_ARRAY_PUSH(*hooks, acme_hook_conf_t) = hook;
    return NULL;
}

const char *acme_parsers_commands_exports(void *field, cmd_parms *cmd, int argc,
                                          char *const argv[])
{
    apr_array_header_t **exports = field;
    acme_export_conf_t export;
    const char *place = cmd->directive
        ? apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename,
                       cmd->directive->line_num) : "";
    const char *wrong = acme_exports_parse(&export, argc, argv, place,
                                           cmd->pool);

    if (!wrong) {
        if (!*exports) {
            *exports = apr_array_make(cmd->pool, 2, sizeof(export));
        }
        APR_ARRAY_PUSH(*exports, acme_export_conf_t) = export;
    }
    return wrong;
}

static const char *add_command(apr_array_header_t **pwords, const char *text,
                               apr_pool_t *p)
{
    const char *wrong;
    const char *path = command_path(&wrong, text, p);

    if (!path) {
        return wrong;
    }
    *pwords = apr_array_make(p, 1, sizeof(const char *));
    APR_ARRAY_PUSH(*pwords, const char *) = path;
    return NULL;
}

/* A command's options, which begin with -, or a second command. */
static const char *parse_exec(apr_array_header_t **ppresent,
                              apr_array_header_t **pcleanup, apr_pool_t *p,
                              int argc, char *const argv[])
{
    const int has_options = argc > 2 && argv[2][0] == '-';
    const char *wrong;
    int i;

    if (argc < 2 || (argc > 3 && !has_options)) {
        return "exec takes a command and, optionally, its options, which begin with -, or one for the cleanup";
    }
    wrong = add_command(ppresent, argv[1], p);
    if (!wrong && argc == 3 && !has_options) {
        wrong = add_command(pcleanup, argv[2], p);
    }
    for (i = 2; !wrong && has_options && i < argc; i++) {
        APR_ARRAY_PUSH(*ppresent, const char *) = apr_pstrdup(p, argv[i]);
    }
    return wrong;
}

static const char *parse_server(acme_dns_conf_t *dns, const char *text,
                                apr_pool_t *p)
{
    char *host, *scope;
    apr_port_t port;

    if (apr_parse_addr_port(&host, &scope, &port, text, p) || !host
        || scope) {
        return apr_psprintf(p, "'%s' is not a host[:port]", text);
    }
    dns->server = host;
    dns->port = apr_itoa(p, port ? port : 53);
    return NULL;
}

/* A zone may well be _acme-challenge.example.org: no name of a host. */
static const char *parse_zone(acme_dns_conf_t *dns, const char *text,
                              apr_pool_t *p)
{
    const apr_size_t len = strspn(text, ZONE_CHARACTERS);

    if (!len || text[len] || *text == '-' || *text == '.') {
        return apr_psprintf(p,
                            "'%s' is not a zone; zone=auto detects it", text);
    }
    dns->zone = acme_parsers_is_word(text, "auto") ? NULL
                                                   : apr_pstrdup(p, text);
    return NULL;
}

static const char *parse_rfc2136(acme_dns_conf_t *dns, cmd_parms *cmd,
                                 int argc, char *const argv[])
{
    const char *wrong = NULL;
    int i;

    dns->how = ACME_DNS_RFC2136;
    for (i = 1; !wrong && i < argc; i++) {
        const char *value;

        if ((value = acme_parsers_behind(argv[i], "server=")) != NULL) {
            wrong = parse_server(dns, value, cmd->pool);
        }
        else if ((value = acme_parsers_behind(argv[i], "key=")) != NULL) {
            dns->key_file = ap_server_root_relative(cmd->pool, value);
            if (!dns->key_file || access(dns->key_file, R_OK)) {
                wrong = apr_psprintf(cmd->pool, "'%s': %s", value,
                                     strerror(errno));
            }
        }
        else if ((value = acme_parsers_behind(argv[i], "zone=")) != NULL) {
            wrong = parse_zone(dns, value, cmd->pool);
        }
        else {
            wrong = acme_parsers_one_of(
                argv[i], "server=host[:port], key=file, zone=auto, zone=name",
                cmd->pool);
        }
    }
    if (!wrong && (!dns->server || !dns->key_file)) {
        wrong = "rfc2136 takes server=host[:port] and key=file";
    }
    return wrong;
}

const char *acme_parsers_commands_dns(void *field, cmd_parms *cmd, int argc,
                                      char *const argv[])
{
    static const struct {
        const char *word;
        acme_dns_call_e call;
    } calls[] = {
        { "exec", ACME_DNS_CALL_PLAIN },
        { "exec:mod_md", ACME_DNS_CALL_MOD_MD },
        { "exec:dehydrated", ACME_DNS_CALL_DEHYDRATED }
    };
    acme_dns_conf_t *dns = apr_pcalloc(cmd->pool, sizeof(*dns));
    apr_size_t i;

    *(acme_dns_conf_t **)field = dns;
    if (argc > 1 && !strncasecmp(argv[argc - 1], "follow=", 7)) {
        const char *word = argv[--argc] + 7;

        dns->stay = !strcasecmp(word, "off");
        if (!dns->stay && strcasecmp(word, "on")) {
            return acme_parsers_one_of(argv[argc], "follow=on, follow=off",
                                       cmd->pool);
        }
    }
    for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        if (acme_parsers_is_word(argv[0], calls[i].word)) {
            dns->call = calls[i].call;
            dns->how = ACME_DNS_EXEC;
            return parse_exec(&dns->present, &dns->cleanup, cmd->pool, argc,
                              argv);
        }
    }
    if (acme_parsers_is_word(argv[0], "rfc2136")) {
        return parse_rfc2136(dns, cmd, argc, argv);
    }
    return acme_parsers_one_of(
        argv[0], "exec, exec:mod_md, exec:dehydrated, rfc2136", cmd->pool);
}

static const char *parse_webroot(acme_token_conf_t *http, cmd_parms *cmd,
                                 int argc, char *const argv[])
{
    struct stat st;

    if (argc != 2) {
        return "webroot takes a folder";
    }
    http->root = ap_server_root_relative(cmd->pool, argv[1]);
    if (!http->root || stat(http->root, &st)) {
        return apr_psprintf(cmd->pool, "'%s': %s", argv[1], strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        return apr_psprintf(cmd->pool, "'%s' is not a folder", argv[1]);
    }
    return NULL;
}

const char *acme_parsers_commands_http(void *field, cmd_parms *cmd, int argc,
                                       char *const argv[])
{
    acme_token_conf_t *http = apr_pcalloc(cmd->pool, sizeof(*http));

    *(acme_token_conf_t **)field = http;
    if (acme_parsers_is_word(argv[0], "exec")) {
        http->how = ACME_TOKEN_EXEC;
        return parse_exec(&http->present, &http->cleanup, cmd->pool, argc,
                          argv);
    }
    if (acme_parsers_is_word(argv[0], "webroot")) {
        http->how = ACME_TOKEN_WEBROOT;
        return parse_webroot(http, cmd, argc, argv);
    }
    return acme_parsers_one_of(argv[0], "exec, webroot", cmd->pool);
}
