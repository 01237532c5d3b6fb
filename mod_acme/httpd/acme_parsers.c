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
#include "acme_file.h"
#include "acme_hmac_wipe.h"
#include "acme_directory.h"
#include "acme_json.h"
#include "acme_jws.h"
#include "acme_known_ca.h"
#include "acme_name.h"
#include "acme_parsers.h"
#include "acme_store.h"
#include "acme_url.h"

APLOG_USE_MODULE(acme);

/* Twice a day, the longest time to live that TLSA records usually have: so long
   a resolver may answer without the record of a new key. (7671, 8.1) */
#define NEXT_KEY_AGE apr_time_from_sec(2 * 24 * 3600)
#define HMAC_FILE_MAX 4096      /* octets */

const char *acme_parsers_one_of(const char *value, const char *allowed,
                                apr_pool_t *p)
{
    return apr_psprintf(p, "'%s' is unknown; allowed: %s", value, allowed);
}

static const char *single(int argc)
{
    return argc == 1 ? NULL : "takes one argument";
}

int acme_parsers_is_word(const char *text, const char *word)
{
    return !apr_cstr_casecmp(text, word);
}

char *acme_parsers_behind(char *text, const char *prefix)
{
    const apr_size_t len = strlen(prefix);

    return apr_cstr_casecmpn(text, prefix, len) ? NULL : text + len;
}

const char *acme_parsers_flag(void *field, cmd_parms *cmd, int argc,
                              char *const argv[])
{
    int *flag = field;

    if (argc == 1 && acme_parsers_is_word(argv[0], "on")) {
        *flag = 1;
        return NULL;
    }
    if (argc == 1 && acme_parsers_is_word(argv[0], "off")) {
        *flag = 0;
        return NULL;
    }
    return argc == 1 ? acme_parsers_one_of(argv[0], "on, off", cmd->pool)
                     : single(argc);
}

const char *acme_parsers_agree(void *field, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    if (argc != 1 || !acme_parsers_is_word(argv[0], "agree")) {
        return acme_parsers_one_of(argv[0], "agree", cmd->pool);
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
        acme_name_add(cas, url);
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
        const char *address = acme_parsers_behind(argv[i], "mailto:");

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
    const char *path = acme_parsers_behind(text, "file:");
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
    const char *ca = argc == 3 ? acme_parsers_behind(argv[2], "ca=") : NULL;
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

        if (!acme_parsers_is_word(argv[i], "auto")
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
        if (acme_parsers_is_word(text,
                                 acme_challenge_name((acme_challenge_e)i))) {
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
            return acme_parsers_one_of(
                argv[i], "http-01, tls-alpn-01, dns-01, dns-persist-01",
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
        if (acme_parsers_behind(argv[i], "http:")) {
            ports.http = (int)port;
        }
        else if (acme_parsers_behind(argv[i], "https:")) {
            ports.https = (int)port;
        }
        else {
            return acme_parsers_one_of(argv[i], "http:port, https:port",
                                       cmd->pool);
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

const char *acme_parsers_key_reuse(void *field, cmd_parms *cmd, int argc,
                                   char *const argv[])
{
    acme_key_reuse_t reuse = { .how = ACME_KEY_REUSE_OFF };
    acme_result_t res;

    if (acme_parsers_is_word(argv[0], "next")) {
        reuse = (acme_key_reuse_t) { ACME_KEY_REUSE_NEXT, NEXT_KEY_AGE };
        if (argc == 2 && acme_time_duration_parse(&reuse.age, argv[1], &res)) {
            return apr_pstrdup(cmd->pool, res.detail);
        }
    }
    else if (acme_parsers_is_word(argv[0], "on")) {
        reuse.how = ACME_KEY_REUSE_ON;
    }
    else if (!acme_parsers_is_word(argv[0], "off")) {
        return acme_parsers_one_of(argv[0], "on, off, next", cmd->pool);
    }
    if (argc > 2 || (argc == 2 && reuse.how != ACME_KEY_REUSE_NEXT)) {
        return "takes on, off, or next and, optionally, a duration";
    }
    *(acme_key_reuse_t *)field = reuse;
    return NULL;
}

const char *acme_parsers_profile(void *field, cmd_parms *cmd, int argc,
                                 char *const argv[])
{
    acme_profile_conf_t *profile = field;

    if (argc > 2
        || (argc == 2 && !acme_parsers_is_word(argv[1], "required"))) {
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
    if (*end || n < 1 || n > ACME_PARALLEL_MAX) {
        return apr_psprintf(cmd->pool, "takes a number from 1 to %d",
                            ACME_PARALLEL_MAX);
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
    if (acme_parsers_is_word(argv[0], "none")) {
        *activate = ACME_ACTIVATE_NONE;
    }
    else if (acme_parsers_is_word(argv[0], "graceful")) {
        *activate = ACME_ACTIVATE_GRACEFUL;
    }
    else if (acme_parsers_is_word(argv[0], "live")) {
        *activate = ACME_ACTIVATE_LIVE;
    }
    else {
        return acme_parsers_one_of(argv[0], "graceful, live, none", cmd->pool);
    }
    return NULL;
}

const char *acme_parsers_require_https(void *field, cmd_parms *cmd, int argc,
                                       char *const argv[])
{
    static const char *const words[] = { "off", "temporary", "permanent" };
    int i;

    for (i = 0; argc == 1 && i < 3; i++) {
        if (acme_parsers_is_word(argv[0], words[i])) {
            *(acme_require_https_e *)field = (acme_require_https_e)i;
            return NULL;
        }
    }
    return argc == 1 ? acme_parsers_one_of(
               argv[0], "off, temporary, permanent", cmd->pool)
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
    if ((!acme_parsers_behind(argv[0], "http://")
         && !acme_parsers_behind(argv[0], "https://")
         && !acme_parsers_behind(argv[0], "socks5h://"))
        || !is_proxy(argv[0], cmd->pool)) {
        return acme_parsers_one_of(
            argv[0],
            "http://host:port, https://host:port, socks5h://host:port",
            cmd->pool);
    }
    *(const char **)field = apr_pstrdup(cmd->pool, argv[0]);
    return NULL;
}
