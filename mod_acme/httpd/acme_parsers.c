/*
 * acme_parsers.c - what the directives' arguments may be.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include <httpd.h>
#include <http_core.h>
#include <http_log.h>

#include "acme_cleanse.h"
#include "acme_exports.h"
#include "acme_file.h"
#include "acme_hmac_wipe.h"
#include "acme_directory.h"
#include "acme_hook_event.h"
#include "acme_json.h"
#include "acme_jws.h"
#include "acme_known_ca.h"
#include "acme_name.h"
#include "acme_parsers.h"
#include "acme_store.h"
#include "acme_url.h"

APLOG_USE_MODULE(acme);

#define PARALLEL_MAX 64
#define HMAC_FILE_MAX 4096      /* octets */
#define ZONE_CHARACTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static const char *one_of(const char *value, const char *allowed,
                          apr_pool_t *p)
{
    return apr_psprintf(p, "'%s' is unknown; allowed: %s", value, allowed);
}

static const char *single(int argc)
{
    return argc == 1 ? NULL : "takes one argument";
}

/* Keywords are the same in letters of any case. */
static int is_word(const char *text, const char *word)
{
    return !apr_cstr_casecmp(text, word);
}

/* What follows the prefix of "file:path" or "zone=name"; NULL: another one. */
static char *behind(char *text, const char *prefix)
{
    const apr_size_t len = strlen(prefix);

    return apr_cstr_casecmpn(text, prefix, len) ? NULL : text + len;
}

const char *acme_parsers_flag(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    int *flag = field;

    if (argc == 1 && is_word(argv[0], "on")) {
        *flag = 1;
        return NULL;
    }
    if (argc == 1 && is_word(argv[0], "off")) {
        *flag = 0;
        return NULL;
    }
    return argc == 1 ? one_of(argv[0], "on, off", cmd->pool) : single(argc);
}

const char *acme_parsers_agree(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    if (argc != 1 || !is_word(argv[0], "agree")) {
        return one_of(argv[0], "agree", cmd->pool);
    }
    *(int *)field = 1;
    return NULL;
}

static const char *find_ca_url(const char **purl, const char *text,
                               apr_pool_t *p)
{
    const acme_known_ca_t *ca = acme_known_ca_find(text);
    acme_result_t res;

    if (!ca && acme_url_check(text, &res, p)) {
        return apr_psprintf(p, "'%s' is neither " ACME_KNOWN_CA_SHORTHANDS
                            " nor the https URL of a directory (%s)", text,
                            res.detail);
    }
    *purl = ca ? ca->directory : apr_pstrdup(p, text);
    return NULL;
}

const char *acme_parsers_cas(void *field, cmd_parms *cmd, int argc,
                             char *const argv[])
{
    apr_array_header_t *cas = apr_array_make(cmd->pool, argc,
                                             sizeof(const char *));
    int i;

    for (i = 0; i < argc; i++) {
        const char *url;
        const char *wrong = find_ca_url(&url, argv[i], cmd->pool);

        if (wrong) {
            return wrong;
        }
        if (!acme_name_in(cas, url)) {
            APR_ARRAY_PUSH(cas, const char *) = url;
        }
    }
    *(apr_array_header_t **)field = cas;
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

const char *acme_parsers_contacts(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    apr_array_header_t *contacts = apr_array_make(cmd->pool, argc,
                                                  sizeof(const char *));
    int i;

    for (i = 0; i < argc; i++) {
        const char *address = behind(argv[i], "mailto:");

        if (!address) {
            address = argv[i];
        }
        if (!is_address(address)) {
            return apr_psprintf(cmd->pool, "'%s' is not an e-mail address",
                                argv[i]);
        }
        APR_ARRAY_PUSH(contacts, const char *) =
            apr_pstrcat(cmd->pool, "mailto:", address, NULL);
    }
    *(apr_array_header_t **)field = contacts;
    return NULL;
}

/* The secret's file: nobody else may read it, and there is a secret in it. */
static const char *check_hmac_file(const char *path, apr_pool_t *p)
{
    acme_result_t res;
    const char *text;
    apr_size_t len;
    const char *fault = NULL;
    apr_pool_t *scratch;
    struct stat st;
    char *hmac;

    if (stat(path, &st)) {
        return apr_psprintf(p, "%s: %s", path, strerror(errno));
    }
    if (st.st_mode & 077) {
        return apr_psprintf(p,
                            "%s: other users can read it (mode %04o); set its mode to 0600",
                            path, (unsigned)st.st_mode & 07777);
    }
    /* Overwritten now: processes are forked before p ends. */
    apr_pool_create(&scratch, p);
    if (acme_file_read_secret(&text, &len, path, HMAC_FILE_MAX, &res,
                              scratch)) {
        fault = apr_pstrdup(p, res.detail);
    }
    else {
        hmac = apr_pstrdup(scratch, text);
        apr_collapse_spaces(hmac, hmac);
        if (acme_jws_hmac_check(hmac, &res)) {
            fault = apr_psprintf(p, "%s: %s", path, res.detail);
        }
        acme_cleanse(hmac, strlen(hmac));
    }
    apr_pool_destroy(scratch);
    return fault;
}

/* It is the CA's, and travels in JSON. */
static int is_cas_word(const char *text)
{
    int some = 0, i;

    for (i = 0; text[i]; i++) {
        if (apr_iscntrl(text[i])) {
            return 0;
        }
        some |= !apr_isspace(text[i]);
    }
    return some && acme_json_is_text(text);
}

static const char *parse_hmac(acme_external_account_t *account,
                              cmd_parms *cmd, char *text)
{
    const char *path = behind(text, "file:");
    acme_result_t res;

    if (path) {
        account->hmac_file = ap_server_root_relative(cmd->pool, path);
        return account->hmac_file
            ? check_hmac_file(account->hmac_file, cmd->temp_pool)
            : apr_psprintf(cmd->pool, "'%s' is not a valid path", path);
    }
    if (acme_jws_hmac_check(text, &res)) {
        return apr_pstrdup(cmd->pool, res.detail);
    }
    account->hmac = acme_hmac_wipe_add(text, cmd->pool);
    acme_cleanse(text, strlen(text));
    return NULL;
}

/* The place of the one for this CA (NULL: for all), or a new one. */
static acme_external_account_t *account_for(apr_array_header_t **paccounts,
                                            const char *ca, apr_pool_t *p)
{
    int i;

    if (!*paccounts) {
        *paccounts = apr_array_make(p, 2, sizeof(acme_external_account_t));
    }
    for (i = 0; i < (*paccounts)->nelts; i++) {
        acme_external_account_t *account = &APR_ARRAY_IDX(
            *paccounts, i, acme_external_account_t);

        if (ca && account->ca ? !strcmp(ca, account->ca)
                              : ca == account->ca) {
            return account;
        }
    }
    return apr_array_push(*paccounts);
}

const char *acme_parsers_external_accounts(void *field, cmd_parms *cmd,
                                           int argc, char *const argv[])
{
    acme_external_account_t account = { .kid = NULL };
    const char *ca = argc == 3 ? behind(argv[2], "ca=") : NULL;
    const char *wrong;

    if (argc < 2 || argc > 3 || (argc == 3 && !ca)) {
        return "takes the key identifier, the HMAC key or file:path with the file that contains it, and, optionally, ca= with a CA as in AcmeCA";
    }
    if (!is_cas_word(argv[0])) {
        return "the key identifier is empty, has control characters or is not UTF-8";
    }
    account.kid = apr_pstrdup(cmd->pool, argv[0]);
    wrong = ca ? find_ca_url(&account.ca, ca, cmd->pool) : NULL;
    if (!wrong) {
        wrong = parse_hmac(&account, cmd, argv[1]);
    }
    if (!wrong) {
        *account_for(field, account.ca, cmd->pool) = account;
    }
    return wrong;
}

const char *acme_parsers_id(void *field, cmd_parms *cmd, int argc,
                            char *const argv[])
{
    const char *id = argc == 1 ? acme_store_id(argv[0], cmd->pool) : NULL;

    if (!id) {
        return "takes one id of letters, digits, '.', '-' and '_', which must not begin with '.'";
    }
    *(const char **)field = id;
    return NULL;
}

const char *acme_parsers_names(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    apr_array_header_t *names = apr_array_make(cmd->pool, argc,
                                               sizeof(const char *));
    acme_result_t res;
    int i;

    for (i = 0; i < argc; i++) {
        const char *name = "auto";

        if (!is_word(argv[i], "auto")
            && acme_name_normalise(&name, argv[i], &res, cmd->pool)) {
            return apr_pstrdup(cmd->pool, res.detail);
        }
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    *(apr_array_header_t **)field = names;
    return NULL;
}

/* What a CA sends is compared octet by octet; this is an administrator's. */
static int find_challenge(acme_challenge_e *ptype, const char *text)
{
    int i;

    for (i = 0; i < ACME_CHALLENGES; i++) {
        if (is_word(text, acme_challenge_name((acme_challenge_e)i))) {
            *ptype = (acme_challenge_e)i;
            return 1;
        }
    }
    return 0;
}

const char *acme_parsers_challenges(void *field, cmd_parms *cmd, int argc,
                                    char *const argv[])
{
    acme_challenges_t found = { { 0 }, 0 };
    int i, k;

    for (i = 0; i < argc; i++) {
        acme_challenge_e type;

        if (!find_challenge(&type, argv[i])) {
            return one_of(argv[i],
                          "http-01, tls-alpn-01, dns-01, dns-persist-01",
                          cmd->pool);
        }
        for (k = 0; k < found.n && found.types[k] != (int)type; k++) {
            continue;
        }
        if (k == found.n) {
            found.types[found.n++] = (int)type;
        }
    }
    *(acme_challenges_t *)field = found;
    return NULL;
}

const char *acme_parsers_ports(void *field, cmd_parms *cmd, int argc,
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
            return apr_psprintf(cmd->pool,
                                "'%s' is not a port; allowed: 1 to 65535, or - if none is reachable",
                                colon + 1);
        }
        if (behind(argv[i], "http:")) {
            ports.http = (int)port;
        }
        else if (behind(argv[i], "https:")) {
            ports.https = (int)port;
        }
        else {
            return one_of(argv[i], "http:port, https:port", cmd->pool);
        }
    }
    *(acme_ports_t *)field = ports;
    return NULL;
}

const char *acme_parsers_key_types(void *field, cmd_parms *cmd, int argc,
                                   char *const argv[])
{
    apr_array_header_t *types = apr_array_make(cmd->pool, argc,
                                               sizeof(acme_key_type_e));
    int i, k;

    for (i = 0; i < argc; i++) {
        acme_key_type_e type;
        acme_result_t res;

        if (acme_key_type_parse(&type, argv[i], &res)) {
            return apr_pstrdup(cmd->pool, res.detail);
        }
        for (k = 0; k < types->nelts; k++) {
            acme_key_type_e other = APR_ARRAY_IDX(types, k, acme_key_type_e);

            if (type == other || (type >= ACME_KEY_RSA2048
                                  && other >= ACME_KEY_RSA2048)) {
                return apr_psprintf(cmd->pool,
                                    "'%s' cannot be combined with '%s': each type may be listed once, and one RSA size",
                                    argv[i], argv[k]);
            }
        }
        APR_ARRAY_PUSH(types, acme_key_type_e) = type;
    }
    *(apr_array_header_t **)field = types;
    return NULL;
}

const char *acme_parsers_profile(void *field, cmd_parms *cmd, int argc,
                                 char *const argv[])
{
    acme_profile_conf_t *profile = field;

    if (argc > 2 || (argc == 2 && !is_word(argv[1], "required"))) {
        return "takes the name of a profile and, optionally, required";
    }
    if (!is_cas_word(argv[0]) || strlen(argv[0]) > ACME_PROFILE_MAX) {
        return "the name of the profile is empty or too long, has control characters or is not UTF-8";
    }
    profile->name = apr_pstrdup(cmd->pool, argv[0]);
    profile->required = argc == 2;
    return NULL;
}

const char *acme_parsers_text(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    if (argc != 1 || !*argv[0]) {
        return "takes one argument; put quotes around one with spaces";
    }
    if (!is_cas_word(argv[0])) {
        return "the text is empty, has control characters or is not UTF-8";
    }
    *(const char **)field = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}

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

const char *acme_parsers_hook(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    apr_array_header_t **hooks = field;
    acme_hook_conf_t hook = { .kind = ACME_HOOK_PRE };
    const char *wrong, *path;
    int i;

    if (argc < 2) {
        return "takes an event and a command";
    }
    while (hook.kind < ACME_HOOKS && !is_word(argv[0], hook_words[hook.kind])) {
        hook.kind++;
    }
    if (hook.kind == ACME_HOOKS) {
        return apr_psprintf(
            cmd->pool,
            "'%s' is not an event; allowed: pre, post, deploy, notify",
            argv[0]);
    }
    if (argc == 2 && is_word(argv[1], "none")) {
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

const char *acme_parsers_exports(void *field, cmd_parms *cmd, int argc,
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

/* A command's options, or a second command: they begin with - or they do not. */
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
    dns->zone = is_word(text, "auto") ? NULL : apr_pstrdup(p, text);
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

        if ((value = behind(argv[i], "server=")) != NULL) {
            wrong = parse_server(dns, value, cmd->pool);
        }
        else if ((value = behind(argv[i], "key=")) != NULL) {
            dns->key_file = ap_server_root_relative(cmd->pool, value);
            if (!dns->key_file || access(dns->key_file, R_OK)) {
                wrong = apr_psprintf(cmd->pool, "'%s': %s", value,
                                     strerror(errno));
            }
        }
        else if ((value = behind(argv[i], "zone=")) != NULL) {
            wrong = parse_zone(dns, value, cmd->pool);
        }
        else {
            wrong = one_of(argv[i],
                           "server=host[:port], key=file, zone=auto, zone=name",
                           cmd->pool);
        }
    }
    if (!wrong && (!dns->server || !dns->key_file)) {
        wrong = "rfc2136 takes server=host[:port] and key=file";
    }
    return wrong;
}

const char *acme_parsers_dns(void *field, cmd_parms *cmd, int argc,
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
            return one_of(argv[argc], "follow=on, follow=off", cmd->pool);
        }
    }
    for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        if (is_word(argv[0], calls[i].word)) {
            dns->call = calls[i].call;
            dns->how = ACME_DNS_EXEC;
            return parse_exec(&dns->present, &dns->cleanup, cmd->pool, argc,
                              argv);
        }
    }
    if (is_word(argv[0], "rfc2136")) {
        return parse_rfc2136(dns, cmd, argc, argv);
    }
    return one_of(argv[0], "exec, exec:mod_md, exec:dehydrated, rfc2136",
                  cmd->pool);
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

const char *acme_parsers_http(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    acme_token_conf_t *http = apr_pcalloc(cmd->pool, sizeof(*http));

    *(acme_token_conf_t **)field = http;
    if (is_word(argv[0], "exec")) {
        http->how = ACME_TOKEN_EXEC;
        return parse_exec(&http->present, &http->cleanup, cmd->pool, argc,
                          argv);
    }
    if (is_word(argv[0], "webroot")) {
        http->how = ACME_TOKEN_WEBROOT;
        return parse_webroot(http, cmd, argc, argv);
    }
    return one_of(argv[0], "exec, webroot", cmd->pool);
}

const char *acme_parsers_window(void *field, cmd_parms *cmd, int argc,
                                char *const argv[])
{
    acme_result_t res;

    if (argc == 1 && acme_time_window_parse(field, argv[0], &res)) {
        return apr_pstrdup(cmd->pool, res.detail);
    }
    return single(argc);
}

const char *acme_parsers_duration(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    acme_result_t res;

    if (argc == 1 && acme_time_duration_parse(field, argv[0], &res)) {
        return apr_pstrdup(cmd->pool, res.detail);
    }
    return single(argc);
}

const char *acme_parsers_parallel(void *field, cmd_parms *cmd, int argc,
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

const char *acme_parsers_activate(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    acme_activate_e *activate = field;

    if (argc != 1) {
        return single(argc);
    }
    if (is_word(argv[0], "none")) {
        *activate = ACME_ACTIVATE_NONE;
    }
    else if (is_word(argv[0], "graceful")) {
        *activate = ACME_ACTIVATE_GRACEFUL;
    }
    else if (is_word(argv[0], "live")) {
        *activate = ACME_ACTIVATE_GRACEFUL;
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, cmd->server,
                     "acme: AcmeActivate live: not supported by this version; new certificates are activated by a graceful reload");
    }
    else {
        return one_of(argv[0], "graceful, live, none", cmd->pool);
    }
    return NULL;
}

const char *acme_parsers_require_https(void *field, cmd_parms *cmd, int argc,
                                       char *const argv[])
{
    static const char *const words[] = { "off", "temporary", "permanent" };
    int i;

    for (i = 0; argc == 1 && i < 3; i++) {
        if (is_word(argv[0], words[i])) {
            *(acme_require_https_e *)field = (acme_require_https_e)i;
            return NULL;
        }
    }
    return argc == 1 ? one_of(argv[0], "off, temporary, permanent", cmd->pool)
                     : single(argc);
}

/* Kept as written: the ServerRoot may come after the directive. */
const char *acme_parsers_path(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    if (argc != 1) {
        return single(argc);
    }
    if (!ap_server_root_relative(cmd->temp_pool ? cmd->temp_pool : cmd->pool,
                                 argv[0])) {
        return apr_psprintf(cmd->pool, "'%s' is not a valid path", argv[0]);
    }
    *(const char **)field = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}

/* "host:port" behind the scheme: what libcurl can connect to. */
static int is_proxy(const char *text, apr_pool_t *p)
{
    apr_int64_t port;
    apr_uri_t uri;
    char *end;

    if (apr_uri_parse(p, text, &uri) || !uri.hostname || !*uri.hostname
        || (uri.path && strcmp(uri.path, "/")) || uri.query || uri.fragment) {
        return 0;
    }
    if (!uri.port_str || !*uri.port_str) {
        return 1;
    }
    port = apr_strtoi64(uri.port_str, &end, 10);
    return !*end && port > 0 && port < 65536;
}

const char *acme_parsers_proxy(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    if (argc != 1) {
        return single(argc);
    }
    if ((!behind(argv[0], "http://") && !behind(argv[0], "https://")
         && !behind(argv[0], "socks5h://")) || !is_proxy(argv[0], cmd->pool)) {
        return one_of(argv[0],
                      "http://host:port, https://host:port, socks5h://host:port",
                      cmd->pool);
    }
    *(const char **)field = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}
