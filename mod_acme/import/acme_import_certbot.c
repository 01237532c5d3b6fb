/*
 * acme_import_certbot.c - certbot's folder, /etc/letsencrypt.
 *
 * A certificate has a file in renewal/, which says how it is renewed, and its
 * links in live/. Paths in that file are those of the machine that wrote it,
 * so they are made from the folder and the name instead.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_import_certbot.h"
#include "acme_import_hook.h"
#include "acme_import_pair.h"
#include "acme_import_words.h"
#include "acme_jwk_key.h"
#include "acme_url.h"

#define ACCOUNT_DEPTH 6         /* folders: the parts of the directory's URL */
#define NAME_MAX_OCTETS 1000
#define DAYS_MAX 3650

/* A file of renewal/: "name = value" lines in sections. */
typedef struct {
    const char *text;
    apr_pool_t *p;
} renewal_t;

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && strchr(" \t\r", end[-1])) {
        *--end = '\0';
    }
    return text + strspn(text, " \t");
}

static const char *unquote(char *value)
{
    const apr_size_t len = strlen(value);

    if (len > 1 && (*value == '"' || *value == '\'')
        && value[len - 1] == *value) {
        value[len - 1] = '\0';
        return value + 1;
    }
    return value;
}

static const char *find_setting(const renewal_t *renewal, const char *section,
                                const char *name, apr_pool_t *scratch)
{
    char *line, *last, *equals;
    int is_there = !*section;

    for (line = apr_strtok(apr_pstrdup(scratch, renewal->text), "\n", &last);
         line; line = apr_strtok(NULL, "\n", &last)) {
        line = trim(line);
        if (*line == '[') {
            is_there = !strcmp(line, section);
            continue;
        }
        equals = *line == '#' ? NULL : strchr(line, '=');
        if (!is_there || !equals) {
            continue;
        }
        *equals = '\0';
        if (!strcmp(trim(line), name)) {
            const char *value = unquote(trim(equals + 1));

            return *value && strcmp(value, "None") != 0 ? value : NULL;
        }
    }
    return NULL;
}

/* The value in a section, "" before the first; NULL: it is not there, or says
   nothing. */
static const char *setting_in(const renewal_t *renewal, const char *section,
                              const char *name)
{
    const char *value;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, renewal->p);
    value = apr_pstrdup(renewal->p, find_setting(renewal, section, name,
                                                 scratch));
    apr_pool_destroy(scratch);
    return value;
}

static const char *setting(const renewal_t *renewal, const char *name)
{
    return setting_in(renewal, "[renewalparams]", name);
}

static int is_true(const renewal_t *renewal, const char *name)
{
    const char *value = setting(renewal, name);

    return value && !strcmp(value, "True");
}

/* "30 days" */
static void add_window(acme_import_cert_t *cert, const renewal_t *renewal)
{
    const char *text = setting_in(renewal, "", "renew_before_expiry");
    char *end;
    const long days = text ? strtol(text, &end, 10) : 0;

    if (days > 0 && days <= DAYS_MAX && !strncmp(end, " day", 4)) {
        acme_import_found_add(cert->lines, "AcmeRenewWindow %ldd", days);
    }
}

static void add_hook(acme_import_cert_t *cert,
                     const acme_import_file_tree_t *tree, const char *event,
                     const renewal_t *renewal, const char *name)
{
    acme_import_hook_add(cert->lines, cert->notes, tree, event,
                         setting(renewal, name), name);
}

/* The folders of [[webroot_map]] and webroot_path. */
static void add_webroot(acme_import_cert_t *cert, const renewal_t *renewal)
{
    const char *paths = setting(renewal, "webroot_path");
    const char *words = NULL, *quoted;
    char *path, *last;
    int n = 0;

    for (path = apr_strtok(apr_pstrdup(renewal->p, paths ? paths : ""), ",",
                           &last); path; path = apr_strtok(NULL, ",", &last)) {
        path = trim(path);
        if (*path) {
            words = path;
            n++;
        }
    }
    quoted = n == 1 ? acme_import_words_folder(words, renewal->p) : NULL;
    if (quoted) {
        acme_import_found_add(cert->lines, "AcmeHttp webroot %s", quoted);
    }
    else if (n == 1) {
        acme_import_found_add(cert->notes,
                              "authenticator webroot: %s is not there; if another server answers on port 80, set AcmeHttp webroot",
                              words);
    }
    else {
        acme_import_found_add(cert->notes,
                              "authenticator webroot with several folders: if this httpd answers on port 80, nothing is needed; else set AcmeHttp webroot in each virtual host");
    }
}

static void add_manual(acme_import_cert_t *cert, const renewal_t *renewal)
{
    const char *auth = setting(renewal, "manual_auth_hook");
    const char *cleanup = setting(renewal, "manual_cleanup_hook");
    const char *challenges = setting(renewal, "pref_challs");
    const char *directive = challenges && strstr(challenges, "dns")
        ? "AcmeDns" : "AcmeHttp";
    const char *program = auth ? acme_import_words_program(auth, renewal->p)
                               : NULL;
    const char *second = cleanup ? acme_import_words_program(cleanup,
                                                             renewal->p)
                                 : NULL;

    if (!auth) {
        acme_import_found_add(cert->notes,
                              "authenticator manual without hooks: somebody has answered by hand; mod_acme answers http-01 and tls-alpn-01 itself, dns-01 needs AcmeDns");
    }
    else if (!program || (cleanup && !second)) {
        acme_import_found_add(cert->notes,
                              "manual_auth_hook \"%s\" is not a single program: put it into a script, and set %s exec",
                              auth, directive);
    }
    else {
        acme_import_found_add(cert->lines, "%s exec %s%s%s", directive,
                              program, second ? " " : "",
                              second ? second : "");
    }
}

static void add_dns(acme_import_cert_t *cert, const acme_import_found_t *found,
                    const char *plugin)
{
    if (!strcmp(plugin, "route53")) {
        const char *hook = acme_import_words_program(
            apr_pstrcat(found->p, found->hooks, "/dns-route53", NULL),
            found->p);

        if (hook) {
            acme_import_found_add(cert->lines, "AcmeDns exec %s", hook);
            return;
        }
    }
    if (!strcmp(plugin, "rfc2136")) {
        acme_import_found_add(cert->notes,
                              "authenticator dns-rfc2136: set AcmeDns rfc2136 server=HOST key=FILE; FILE has the TSIG key as named writes it (key \"NAME\" { algorithm ...; secret \"...\"; };)");
        return;
    }
    acme_import_found_add(cert->notes,
                          "authenticator dns-%s: its names are validated through the DNS; set AcmeDns exec %s/dns-lexicon --provider NAME --credentials FILE, or another command (mod_acme-hooks(8))",
                          plugin, found->hooks);
}

static void add_authenticator(acme_import_cert_t *cert,
                              const acme_import_found_t *found,
                              const renewal_t *renewal)
{
    const char *name = setting(renewal, "authenticator");

    if (!name) {
        return;
    }
    if (!strcmp(name, "webroot")) {
        add_webroot(cert, renewal);
    }
    else if (!strcmp(name, "manual")) {
        add_manual(cert, renewal);
    }
    else if (!strncmp(name, "dns-", 4)) {
        add_dns(cert, found, name + 4);
    }
    else if (!strcmp(name, "nginx")) {
        acme_import_found_add(cert->notes,
                              "authenticator nginx: if nginx keeps port 80, let it serve a folder for /.well-known/acme-challenge/ and set AcmeHttp webroot FOLDER");
    }
    else if (strcmp(name, "apache") && strcmp(name, "standalone")) {
        acme_import_found_add(cert->notes,
                              "authenticator %s is not known: mod_acme answers http-01 and tls-alpn-01 itself, dns-01 needs AcmeDns",
                              name);
    }
}

static void add_profile(acme_import_cert_t *cert, const renewal_t *renewal)
{
    const char *required = setting(renewal, "required_profile");
    const char *name = required ? required : setting(renewal,
                                                     "preferred_profile");
    const char *words = name ? acme_import_words_quote(name, renewal->p)
                             : NULL;

    if (words) {
        cert->profile = name;
        acme_import_found_add(cert->lines, "AcmeProfile %s%s", words,
                              required ? " required" : "");
    }
}

static void add_settings(acme_import_cert_t *cert,
                         const acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const renewal_t *renewal)
{
    const char *chain = setting(renewal, "preferred_chain");
    const char *words = chain ? acme_import_words_quote(chain, renewal->p)
                              : NULL;

    add_authenticator(cert, found, renewal);
    add_window(cert, renewal);
    add_profile(cert, renewal);
    if (is_true(renewal, "reuse_key")) {
        acme_import_found_add(cert->lines, "AcmeKeyReuse on");
    }
    cert->must_staple = is_true(renewal, "must_staple");
    if (words) {
        acme_import_found_add(cert->lines, "AcmePreferredChain %s", words);
    }
    add_hook(cert, tree, "pre", renewal, "pre_hook");
    add_hook(cert, tree, "post", renewal, "post_hook");
    add_hook(cert, tree, "deploy", renewal, "renew_hook");
    add_hook(cert, tree, "deploy", renewal, "deploy_hook");
}

static void read_cert(acme_import_found_t *found,
                      const acme_import_file_tree_t *tree, const char *name)
{
    const char *live = acme_import_file_join(tree, "live", name);
    const acme_import_pair_files_t files = {
        .key = acme_import_file_join(tree, live, "privkey.pem"),
        .full = acme_import_file_join(tree, live, "fullchain.pem")
    };
    acme_import_cert_t *cert = acme_import_found_cert(
        found, acme_import_file_join(tree, tree->root, live), name);
    renewal_t renewal = { .p = tree->p };
    acme_result_t res;

    if (acme_import_file_text(&renewal.text, tree,
                              apr_pstrcat(tree->p, "renewal/", name, ".conf",
                                          NULL), &res)) {
        cert->fault = apr_pstrdup(tree->p, res.detail);
        return;
    }
    cert->ca = setting(&renewal, "server");
    cert->account = setting(&renewal, "account");
    acme_import_pair_add(cert, found, tree, &files);
    if (!cert->fault) {
        add_settings(cert, found, tree, &renewal);
    }
}

static void read_certs(acme_import_found_t *found,
                       const acme_import_file_tree_t *tree)
{
    const apr_array_header_t *names = acme_import_file_names(tree, "renewal");
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const apr_size_t len = strlen(name);

        if (len > 5 && len < NAME_MAX_OCTETS
            && !strcmp(name + len - 5, ".conf")) {
            read_cert(found, tree, apr_pstrmemdup(tree->p, name, len - 5));
        }
    }
}

/* accounts/HOST/PATH/ID: the directory's URL is in the path. */
static void read_account(acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const char *folder, const char *id)
{
    const char *path = acme_import_file_join(tree, folder, id);
    acme_import_account_t *account = acme_import_found_account(
        found, acme_import_file_join(tree, tree->root, path));
    acme_result_t res;
    json_t *json;

    account->name = id;
    account->ca = apr_pstrcat(tree->p, "https://",
                              folder + strlen("accounts/"), NULL);
    if (acme_import_file_json(&json, tree,
                              acme_import_file_join(tree, path,
                                                    "private_key.json"), &res)
        || acme_jwk_key_parse(&account->key, json,
                              acme_import_file_join(tree, path,
                                                    "private_key.json"), &res,
                              tree->p)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
    }
    else if (acme_import_file_json(&json, tree,
                                   acme_import_file_join(tree, path,
                                                         "regr.json"), &res)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
    }
    else {
        const json_t *body = json_object_get(json, "body");

        account->url = acme_json_string(json, "uri", ACME_URL_MAX, tree->p);
        account->contacts = acme_json_strings(body, "contact", 300, tree->p);
        if (json_is_string(json_object_get(body, "status"))
            && strcmp(json_string_value(json_object_get(body, "status")),
                      "valid") != 0) {
            account->fault = "the CA has deactivated or revoked it";
        }
    }
}

/* A folder with a folder that has a key is that of a CA. */
static void read_accounts(acme_import_found_t *found,
                          const acme_import_file_tree_t *tree,
                          const char *folder, int depth)
{
    const apr_array_header_t *names = acme_import_file_names(tree, folder);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const char *path = acme_import_file_join(tree, folder, name);
        const char *text;
        acme_result_t res;

        if (!acme_import_file_is_folder(tree, path)) {
            continue;
        }
        if (strchr(folder, '/')
            && !acme_import_file_text(&text, tree,
                                      acme_import_file_join(
                                          tree, path, "private_key.json"),
                                      &res)) {
            read_account(found, tree, folder, name);
        }
        else if (depth > 1) {
            /* certbot links the folder of a former URL of a CA: no deeper. */
            read_accounts(found, tree, path,
                          acme_import_file_is_real_folder(tree, path)
                          ? depth - 1 : 1);
        }
    }
}

/* Scripts for all certificates, in the order in which certbot runs them. */
static void read_hooks(acme_import_found_t *found,
                       const acme_import_file_tree_t *tree)
{
    static const char *const events[] = { "pre", "post", "deploy" };
    int i, k;

    for (i = 0; i < 3; i++) {
        const char *folder = acme_import_file_join(tree, "renewal-hooks",
                                                   events[i]);
        const apr_array_header_t *names = acme_import_file_names(tree, folder);

        for (k = 0; k < names->nelts; k++) {
            const char *path = acme_import_file_join(
                tree, acme_import_file_join(tree, tree->root, folder),
                APR_ARRAY_IDX(names, k, const char *));
            const char *program = acme_import_words_program(path, tree->p);

            if (path[strlen(path) - 1] == '~') {
                continue;
            }
            if (program && !strpbrk(path, " \t\"'\\$`")) {
                acme_import_hook_add(found->lines, found->notes, tree,
                                     events[i], path, folder);
            }
            else {
                acme_import_found_add(found->notes,
                                      "%s cannot be executed, and is left out",
                                      path);
            }
        }
    }
}

void acme_import_certbot_read(acme_import_found_t *found,
                              const acme_import_file_tree_t *tree)
{
    read_accounts(found, tree, "accounts", ACCOUNT_DEPTH);
    read_certs(found, tree);
    read_hooks(found, tree);
}
