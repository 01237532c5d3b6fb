/*
 * acme_import_mod_md.c - mod_md's store, MDStoreDir.
 *
 * Keys of accounts have a pass phrase, 48 octets in md_store.json; those of
 * certificates have none, as mod_ssl reads them.
 */
#include <string.h>

#include <apr_base64.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_import_mod_md.h"
#include "acme_import_pair.h"
#include "acme_import_words.h"
#include "acme_jwk_key.h"
#include "acme_text.h"
#include "acme_time.h"
#include "acme_url.h"

#define NAME_MAX_OCTETS 255
#define SECRET_MAX 100          /* characters: 48 octets have 64 */
#define TEXT_MAX 1000

/* The pass phrase; none: there is no md_store.json that has it. */
static acme_octets_t read_secret(const acme_import_file_tree_t *tree)
{
    acme_octets_t secret = { NULL, 0 };
    unsigned char *data;
    acme_result_t ignored;
    const char *text;
    json_t *json;
    char *copy, *c;

    if (acme_import_file_json(&json, tree, "md_store.json", &ignored)) {
        return secret;
    }
    text = acme_json_string(json, "key", SECRET_MAX, tree->p);
    if (!acme_text_is_base64url(text, SECRET_MAX)) {
        return secret;
    }
    copy = apr_pstrdup(tree->p, text);
    for (c = copy; *c; c++) {
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    }
    data = acme_cleanse_alloc((apr_size_t)apr_base64_decode_len(copy) + 1,
                              tree->p);
    secret.len = (apr_size_t)apr_base64_decode_binary(data, copy);
    secret.data = data;
    return secret;
}

static void read_account(acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const char *name, acme_octets_t secret)
{
    const char *path = acme_import_file_join(tree, "accounts", name);
    const char *key_path = acme_import_file_join(tree, path, "account.pem");
    acme_import_account_t *account = acme_import_found_account(
        found, acme_import_file_join(tree, tree->root, path));
    const char *pem, *status;
    acme_result_t res;
    json_t *json;

    account->name = name;
    if (acme_import_file_json(&json, tree,
                              acme_import_file_join(tree, path,
                                                    "account.json"), &res)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
        return;
    }
    account->ca = acme_json_string(json, "ca-url", ACME_URL_MAX, tree->p);
    account->url = acme_json_string(json, "url", ACME_URL_MAX, tree->p);
    account->contacts = acme_json_strings(json, "contact", 300, tree->p);
    status = acme_json_string(json, "status", 40, tree->p);
    if (status && strcmp(status, "valid") != 0) {
        account->fault = "it was deactivated or revoked";
    }
    else if (acme_import_file_text(&pem, tree, key_path, &res)
             || acme_jwk_key_decrypt(&account->key, pem, secret, key_path,
                                     &res, tree->p)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
    }
}

static void add_text(acme_import_cert_t *cert, const char *directive,
                     const json_t *json, const char *key, apr_pool_t *p)
{
    const char *text = acme_json_string(json, key, TEXT_MAX, p);
    const char *words = text ? acme_import_words_quote(text, p) : NULL;

    if (words) {
        acme_import_found_add(cert->lines, "%s %s", directive, words);
    }
}

/* Those that both modules have by default are not written. */
static void add_window(acme_import_cert_t *cert, const char *directive,
                       const json_t *json, const char *key,
                       const char *standard, apr_pool_t *p)
{
    const char *text = acme_json_string(json, key, 20, p);
    acme_result_t ignored;
    acme_window_t window;

    if (text && strcmp(text, standard)
        && !acme_time_window_parse(&window, text, &ignored)) {
        acme_import_found_add(cert->lines, "%s %s", directive, text);
    }
}

static void add_challenges(acme_import_cert_t *cert, const json_t *ca,
                           apr_pool_t *p)
{
    const apr_array_header_t *types = acme_json_strings(ca, "challenges", 40,
                                                        p);
    apr_array_header_t *known = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; types && i < types->nelts; i++) {
        const char *type = APR_ARRAY_IDX(types, i, const char *);

        if (!strcmp(type, "http-01") || !strcmp(type, "tls-alpn-01")
            || !strcmp(type, "dns-01")) {
            APR_ARRAY_PUSH(known, const char *) = type;
        }
    }
    if (known->nelts) {
        acme_import_found_add(cert->lines, "AcmeChallenges %s",
                              apr_array_pstrcat(p, known, ' '));
    }
}

static void add_contacts(acme_import_cert_t *cert, const json_t *json,
                         apr_pool_t *p)
{
    const apr_array_header_t *contacts = acme_json_strings(json, "contacts",
                                                           300, p);
    const char *line = "AcmeContact";
    int i;

    for (i = 0; contacts && i < contacts->nelts; i++) {
        const char *contact = APR_ARRAY_IDX(contacts, i, const char *);
        const char *words = acme_import_words_quote(
            strncmp(contact, "mailto:", 7) ? contact : contact + 7, p);

        if (words) {
            line = apr_pstrcat(p, line, " ", words, NULL);
        }
    }
    if (strchr(line, ' ')) {
        acme_import_found_add(cert->lines, "%s", line);
    }
}

static void add_settings(acme_import_cert_t *cert, const json_t *json,
                         const acme_import_file_tree_t *tree)
{
    apr_pool_t *p = tree->p;
    const char *https = acme_json_string(json, "require-https", 20, p);
    const char *dns = acme_json_string(json, "cmd-dns-01", TEXT_MAX, p);
    const char *program = dns ? acme_import_words_program(dns, p) : NULL;

    add_contacts(cert, json, p);
    add_challenges(cert, json_object_get(json, "ca"), p);
    add_window(cert, "AcmeRenewWindow", json, "renew-window", "33%", p);
    add_window(cert, "AcmeWarnWindow", json, "warn-window", "10%", p);
    add_text(cert, "AcmeCACertificateFile", json, "ca-certs", p);
    add_text(cert, "AcmeProxy", json, "proxy-url", p);
    if (cert->profile) {
        acme_import_found_add(cert->lines, "AcmeProfile %s%s",
                              acme_import_words_quote(cert->profile, p),
                              acme_json_true(json, "profile-mandatory")
                              ? " required" : "");
    }
    if (https && (!strcmp(https, "temporary")
                  || !strcmp(https, "permanent"))) {
        acme_import_found_add(cert->lines, "AcmeRequireHttps %s", https);
    }
    cert->must_staple = acme_json_true(json, "must-staple");
    if (json_is_false(json_object_get(json, "ari-renewals"))) {
        acme_import_found_add(cert->lines, "AcmeRenewalInfo off");
    }
    if (program) {
        acme_import_found_add(cert->lines, "AcmeDns exec:mod_md %s", program);
    }
    else if (dns) {
        acme_import_found_add(cert->notes,
                              "MDChallengeDns01 \"%s\" is not a single program: put it into a script, and set AcmeDns exec:mod_md",
                              dns);
    }
    if (acme_json_true(json, "stapling")) {
        acme_import_found_add(cert->notes,
                              "MDStapling: set SSLUseStapling on, if the CA has OCSP");
    }
    if (json_object_get(json, "eab")) {
        acme_import_found_add(cert->notes,
                              "MDExternalAccountBinding: the account is registered already, so AcmeExternalAccount is not needed");
    }
    if (json_is_integer(json_object_get(json, "renew-mode"))
        && acme_json_int(json, "renew-mode") == 0) {
        acme_import_found_add(cert->notes,
                              "MDRenewMode manual: mod_acme renews each certificate that it manages");
    }
}

/* pubcert.pem and privkey.pem; with an infix those of another kind of key. */
static void read_pairs(acme_import_cert_t *cert,
                       const acme_import_found_t *found,
                       const acme_import_file_tree_t *tree,
                       const char *folder)
{
    const apr_array_header_t *names = acme_import_file_names(tree, folder);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const apr_size_t len = strlen(name);
        acme_import_pair_files_t files = { NULL };

        if (strncmp(name, "pubcert", 7) || len < 11
            || strcmp(name + len - 4, ".pem") != 0) {
            continue;
        }
        files.full = acme_import_file_join(tree, folder, name);
        files.key = acme_import_file_join(
            tree, folder, apr_pstrcat(tree->p, "privkey", name + 7, NULL));
        acme_import_pair_add(cert, found, tree, &files);
    }
}

/* staging/ is always the workers': nothing but a note follows from it. */
static int is_staged(const acme_import_file_tree_t *tree, const char *name)
{
    const acme_import_file_tree_t staging = { .root = tree->root,
                                              .p = tree->p };

    return acme_import_file_names(&staging, acme_import_file_join(
        tree, "staging", name))->nelts > 0;
}

static void read_cert(acme_import_found_t *found,
                      const acme_import_file_tree_t *tree, const char *name)
{
    const char *folder = acme_import_file_join(tree, "domains", name);
    acme_import_cert_t *cert = acme_import_found_cert(
        found, acme_import_file_join(tree, tree->root, folder), name);
    const apr_array_header_t *urls;
    acme_result_t res;
    const json_t *ca;
    json_t *json;

    if (acme_import_file_json(&json, tree,
                              acme_import_file_join(tree, folder, "md.json"),
                              &res)) {
        cert->fault = apr_pstrdup(tree->p, res.detail);
        return;
    }
    ca = json_object_get(json, "ca");
    cert->ca = acme_json_string(ca, "url", ACME_URL_MAX, tree->p);
    urls = acme_json_strings(ca, "urls", ACME_URL_MAX, tree->p);
    if (!cert->ca && urls && urls->nelts) {
        cert->ca = APR_ARRAY_IDX(urls, 0, const char *);
    }
    cert->account = acme_json_string(ca, "account", NAME_MAX_OCTETS, tree->p);
    cert->profile = acme_json_string(json, "profile", 100, tree->p);
    if (cert->profile && !acme_import_words_quote(cert->profile, tree->p)) {
        cert->profile = NULL;
    }
    read_pairs(cert, found, tree, folder);
    if (!cert->fault) {
        add_settings(cert, json, tree);
        if (is_staged(tree, name)) {
            acme_import_found_add(cert->notes,
                                  "mod_md is renewing it, or has renewed it and waits for a reload: reload httpd first, and import then");
        }
    }
}

void acme_import_mod_md_read(acme_import_found_t *found,
                             const acme_import_file_tree_t *tree)
{
    const acme_octets_t secret = read_secret(tree);
    const apr_array_header_t *names = acme_import_file_names(tree, "accounts");
    int i;

    for (i = 0; i < names->nelts; i++) {
        read_account(found, tree, APR_ARRAY_IDX(names, i, const char *),
                     secret);
    }
    names = acme_import_file_names(tree, "domains");
    for (i = 0; i < names->nelts; i++) {
        read_cert(found, tree, APR_ARRAY_IDX(names, i, const char *));
    }
}

/* "http:8080", "80:8080" or "80:-". */
static void add_port(const char **pports, const char *word, apr_pool_t *p)
{
    const char *local = strchr(word, ':');
    const char *kind = !strncmp(word, "http:", 5) || !strncmp(word, "80:", 3)
        ? "http" : "https";

    if (local && (!strcmp(local, ":-")
                  || strspn(local + 1, "0123456789") == strlen(local + 1))) {
        *pports = apr_pstrcat(p, *pports, " ", kind, local, NULL);
    }
}

void acme_import_mod_md_translate(apr_array_header_t *lines,
                                  apr_array_header_t *notes, const char *line,
                                  apr_pool_t *p)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } same[] = {
        { "MDHttpProxy", "AcmeProxy" },
        { "MDCACertificateFile", "AcmeCACertificateFile" }
    };
    const char *ports = "AcmePorts", *words;
    char *word, *last, *copy = apr_pstrdup(p, line);
    const char *directive = apr_strtok(copy, " \t", &last);
    size_t i;

    if (!directive) {
        return;
    }
    if (!apr_cstr_casecmp(directive, "MDPortMap")) {
        while ((word = apr_strtok(NULL, " \t", &last)) != NULL) {
            add_port(&ports, word, p);
        }
        if (strchr(ports, ' ')) {
            acme_import_found_add(lines, "%s", ports);
        }
    }
    else if (!apr_cstr_casecmp(directive, "MDMessageCmd")
             || !apr_cstr_casecmp(directive, "MDNotifyCmd")) {
        acme_import_found_add(notes,
                              "%s: AcmeHook notify and AcmeHook deploy run commands, with other arguments and with the data in the environment",
                              line);
    }
    for (i = 0; i < sizeof(same) / sizeof(*same); i++) {
        if (!apr_cstr_casecmp(directive, same[i].theirs)
            && (word = apr_strtok(NULL, " \t\"", &last)) != NULL
            && (words = acme_import_words_quote(word, p)) != NULL) {
            acme_import_found_add(lines, "%s %s", same[i].ours, words);
        }
    }
}
