/*
 * acme_import_dehydrated.c - dehydrated's folder, its BASEDIR.
 *
 * An account's folder is named by its CA, in base64. Which of several CAs a
 * certificate is of is in no file; with one account it is that one's.
 */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "acme_import_dehydrated.h"
#include "acme_import_pair.h"
#include "acme_import_words.h"
#include "acme_text.h"
#include "acme_url.h"

/* The URL that a folder is named by, in base64url with its newline. */
static const char *decode_ca(const char *name, apr_pool_t *p)
{
    char *coded = apr_pstrdup(p, name), *url, *c;

    if (!acme_text_is_base64url(name, 2 * ACME_URL_MAX)) {
        return NULL;
    }
    for (c = coded; *c; c++) {
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    }
    url = apr_palloc(p, (apr_size_t)apr_base64_decode_len(coded) + 1);
    url[apr_base64_decode(url, coded)] = '\0';
    url[strcspn(url, "\r\n")] = '\0';
    return url;
}

static void read_account(acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const char *name)
{
    const char *path = acme_import_file_join(tree, "accounts", name);
    const char *key_path = acme_import_file_join(tree, path,
                                                 "account_key.pem");
    acme_import_account_t *account = acme_import_found_account(
        found, acme_import_file_join(tree, tree->root, path));
    const char *pem, *status;
    acme_result_t res;
    json_t *json;

    account->ca = decode_ca(name, tree->p);
    if (acme_import_file_text(&pem, tree, key_path, &res)
        || acme_key_parse(&account->key, pem, key_path, &res, tree->p)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
    }
    if (!acme_import_file_json(&json, tree,
                               acme_import_file_join(tree, path,
                                                     "registration_info.json"),
                               &res)) {
        account->contacts = acme_json_strings(json, "contact", 300, tree->p);
        status = acme_json_string(json, "status", 40, tree->p);
        if (status && strcmp(status, "valid") != 0) {
            account->fault = "it was deactivated or revoked";
        }
    }
    if (!acme_import_file_json(&json, tree,
                               acme_import_file_join(tree, path,
                                                     "account_id.json"),
                               &res)) {
        account->url = acme_json_string(json, "url", ACME_URL_MAX, tree->p);
    }
}

/* The CA of all accounts that can be used, if there is only one. */
static const char *only_ca(const acme_import_found_t *found)
{
    const char *ca = NULL;
    int i;

    for (i = 0; i < found->accounts->nelts; i++) {
        const acme_import_account_t *account =
            &APR_ARRAY_IDX(found->accounts, i, acme_import_account_t);

        if (!account->ca
            || acme_import_found_is_test_ca(account->ca, found->p)) {
            continue;
        }
        if (ca) {
            return NULL;
        }
        ca = account->ca;
    }
    return ca;
}

static void add_settings(acme_import_cert_t *cert, const char *conf,
                         apr_pool_t *p)
{
    const char *type = acme_import_file_setting(conf, "CHALLENGETYPE", p);
    const char *hook = acme_import_file_setting(conf, "HOOK", p);
    const char *webroot = acme_import_file_setting(conf, "WELLKNOWN", p);
    const char *program = hook ? acme_import_words_program(hook, p) : NULL;

    if (type && !strcmp(type, "dns-01") && program) {
        acme_import_found_add(cert->lines, "AcmeDns exec:dehydrated %s",
                              program);
    }
    else if (hook) {
        acme_import_found_add(cert->notes,
                              "HOOK %s: mod_acme calls commands in another way (AcmeHook deploy); for dns-01 it runs unchanged with AcmeDns exec:dehydrated",
                              hook);
    }
    if (webroot) {
        acme_import_found_add(cert->notes,
                              "WELLKNOWN %s: not needed if this httpd answers on port 80; the Alias for it can be removed",
                              webroot);
    }
}

/* Its record may be in the DNS already. (PRIVATE_KEY_ROLLOVER) */
static void add_next_key(acme_import_cert_t *cert,
                         const acme_import_file_tree_t *tree,
                         const char *folder)
{
    const char *path = acme_import_file_join(tree, folder, "privkey.roll.pem");
    const acme_import_part_t *part = &APR_ARRAY_IDX(cert->parts, 0,
                                                    acme_import_part_t);
    acme_key_type_e type;
    const char *pem;
    acme_result_t res;
    acme_key_t *key;

    if (acme_import_file_text(&pem, tree, path, &res)
        || acme_key_parse(&key, pem, path, &res, tree->p)) {
        acme_import_found_add(cert->notes, "the rollover key is not taken: %s",
                              res.detail);
        return;
    }
    if (acme_key_type(&type, key, &res) || !part->key_type
        || type != part->type) {
        acme_import_found_add(cert->notes,
                              "%s: not taken, because it has another type than the key of the certificate",
                              path);
        return;
    }
    cert->next_key = key;
}

/* A new key for each renewal is the default of both. */
static void add_key_reuse(acme_import_cert_t *cert,
                          const acme_import_file_tree_t *tree,
                          const char *folder, const char *conf)
{
    const char *renew = acme_import_file_setting(conf, "PRIVATE_KEY_RENEW",
                                                 tree->p);
    const char *ahead = acme_import_file_setting(conf, "PRIVATE_KEY_ROLLOVER",
                                                 tree->p);

    if (renew && !strcmp(renew, "no")) {
        acme_import_found_add(cert->lines, "AcmeKeyReuse on");
    }
    else if (ahead && !strcmp(ahead, "yes")) {
        acme_import_found_add(cert->lines, "AcmeKeyReuse next");
        add_next_key(cert, tree, folder);
    }
}

static void read_cert(acme_import_found_t *found,
                      const acme_import_file_tree_t *tree, const char *name,
                      const char *conf)
{
    const char *folder = acme_import_file_join(tree, "certs", name);
    const acme_import_pair_files_t files = {
        .full = acme_import_file_join(tree, folder, "fullchain.pem"),
        .key = acme_import_file_join(tree, folder, "privkey.pem")
    };
    acme_import_cert_t *cert = acme_import_found_cert(
        found, acme_import_file_join(tree, tree->root, folder), name);

    cert->ca = only_ca(found);
    acme_import_pair_add(cert, found, tree, &files);
    if (!cert->fault && conf) {
        add_settings(cert, conf, tree->p);
        add_key_reuse(cert, tree, folder, conf);
    }
}

void acme_import_dehydrated_read(acme_import_found_t *found,
                                 const acme_import_file_tree_t *tree)
{
    const apr_array_header_t *names = acme_import_file_names(tree, "accounts");
    const char *conf;
    acme_result_t ignored;
    int i;

    for (i = 0; i < names->nelts; i++) {
        read_account(found, tree, APR_ARRAY_IDX(names, i, const char *));
    }
    if (acme_import_file_text(&conf, tree, "config", &ignored)) {
        (void)acme_import_file_text(&conf, tree, "/etc/dehydrated/config",
                                    &ignored);
    }
    names = acme_import_file_names(tree, "certs");
    for (i = 0; i < names->nelts; i++) {
        read_cert(found, tree, APR_ARRAY_IDX(names, i, const char *), conf);
    }
}
