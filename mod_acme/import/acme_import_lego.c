/*
 * acme_import_lego.c - lego's folder, its option --path.
 *
 * It does not say which CA's directory it used, only hosts: that of a known
 * CA follows from these.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_import_lego.h"
#include "acme_import_pair.h"
#include "acme_known_ca.h"
#include "acme_url.h"

#define TEXT_MAX 1000

/* The directory of a known CA with the host of url; NULL: not known. */
static const char *directory_of(const char *url, apr_pool_t *p)
{
    acme_result_t ignored;
    const acme_known_ca_t *ca = url && !acme_url_check(url, &ignored, p)
        ? acme_known_ca_of_url(url, p) : NULL;

    return ca ? ca->directory : NULL;
}

/* accounts/HOST/EMAIL/account.json and keys/EMAIL.key */
static void read_account(acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const char *folder, const char *email)
{
    const char *path = acme_import_file_join(tree, folder, email);
    const char *key_path = apr_pstrcat(tree->p, path, "/keys/", email, ".key",
                                       NULL);
    acme_import_account_t *account = acme_import_found_account(
        found, acme_import_file_join(tree, tree->root, path));
    const json_t *registration;
    const char *pem, *status;
    acme_result_t res;
    json_t *json;

    if (acme_import_file_json(&json, tree,
                              acme_import_file_join(tree, path,
                                                    "account.json"), &res)
        || acme_import_file_text(&pem, tree, key_path, &res)
        || acme_key_parse(&account->key, pem, key_path, &res, tree->p)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
        return;
    }
    registration = json_object_get(json, "registration");
    account->url = acme_json_string(registration, "uri", ACME_URL_MAX,
                                    tree->p);
    account->ca = directory_of(account->url, tree->p);
    account->contacts = acme_json_strings(json_object_get(registration,
                                                          "body"),
                                          "contact", 300, tree->p);
    status = acme_json_string(json_object_get(registration, "body"), "status",
                              40, tree->p);
    if (status && strcmp(status, "valid") != 0) {
        account->fault = "it was deactivated or revoked";
    }
}

static void read_accounts(acme_import_found_t *found,
                          const acme_import_file_tree_t *tree)
{
    const apr_array_header_t *hosts = acme_import_file_names(tree, "accounts");
    int i, k;

    for (i = 0; i < hosts->nelts; i++) {
        const char *folder = acme_import_file_join(
            tree, "accounts", APR_ARRAY_IDX(hosts, i, const char *));
        const apr_array_header_t *emails = acme_import_file_names(tree,
                                                                  folder);

        for (k = 0; k < emails->nelts; k++) {
            read_account(found, tree, folder,
                         APR_ARRAY_IDX(emails, k, const char *));
        }
    }
}

/* certificates/NAME.json, .crt with the chain, .key */
static void read_cert(acme_import_found_t *found,
                      const acme_import_file_tree_t *tree, const char *base,
                      const char *name)
{
    const acme_import_pair_files_t files = {
        .full = apr_pstrcat(tree->p, base, ".crt", NULL),
        .key = apr_pstrcat(tree->p, base, ".key", NULL)
    };
    acme_import_cert_t *cert = acme_import_found_cert(
        found, acme_import_file_join(tree, tree->root, files.full), name);
    acme_result_t res;
    json_t *json;

    if (acme_import_file_json(&json, tree, apr_pstrcat(tree->p, base, ".json",
                                                       NULL), &res)) {
        cert->fault = apr_pstrdup(tree->p, res.detail);
        return;
    }
    cert->ca = directory_of(acme_json_string(json, "certUrl", ACME_URL_MAX,
                                             tree->p), tree->p);
    acme_import_pair_add(cert, found, tree, &files);
}

static void read_certs(acme_import_found_t *found,
                       const acme_import_file_tree_t *tree)
{
    const apr_array_header_t *names = acme_import_file_names(tree,
                                                             "certificates");
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const apr_size_t len = strlen(name);

        if (len > 5 && !strcmp(name + len - 5, ".json")) {
            name = apr_pstrmemdup(tree->p, name, len - 5);
            read_cert(found, tree,
                      acme_import_file_join(tree, "certificates", name),
                      name);
        }
    }
}

void acme_import_lego_read(acme_import_found_t *found,
                           const acme_import_file_tree_t *tree)
{
    read_accounts(found, tree);
    read_certs(found, tree);
    if (found->certs->nelts) {
        acme_import_found_add(found->notes,
                              "lego keeps no settings: for names that were validated by dns-01, set AcmeDns; for its hooks, AcmeHook");
    }
}
