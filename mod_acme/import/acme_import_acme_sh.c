/*
 * acme_import_acme_sh.c - acme.sh's folder, ~/.acme.sh.
 *
 * A certificate has a folder, NAME or NAME_ecc, with a file of settings; an
 * account is below ca/, by the host and the path of its CA.
 */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "acme_import_acme_sh.h"
#include "acme_import_hook.h"
#include "acme_import_pair.h"
#include "acme_import_words.h"
#include "acme_text.h"
#include "acme_url.h"

#define ACCOUNT_DEPTH 6         /* folders: the parts of the directory's URL */
#define TEXT_MAX 1000

#define BASE64_START "__ACME_BASE64__START_"
#define BASE64_END "__ACME_BASE64__END_"

/* Commands are in base64, between two words. */
static const char *decode(const char *value, apr_pool_t *p)
{
    const char *end = value ? strstr(value, BASE64_END) : NULL;
    char *coded, *text;
    int len;

    if (!end || strncmp(value, BASE64_START, strlen(BASE64_START))
        || value + strlen(BASE64_START) > end) {
        return value;
    }
    coded = apr_pstrmemdup(p, value + strlen(BASE64_START),
                           (apr_size_t)(end - value) - strlen(BASE64_START));
    text = apr_palloc(p, (apr_size_t)apr_base64_decode_len(coded) + 1);
    len = apr_base64_decode(text, coded);
    text[len] = '\0';
    return text;
}

static void add_hook(acme_import_cert_t *cert,
                     const acme_import_file_tree_t *tree, const char *conf,
                     const char *name, const char *event)
{
    acme_import_hook_add(cert->lines, cert->notes, tree, event,
                         decode(acme_import_file_setting(conf, name, tree->p),
                                tree->p), name);
}

/* The command runs these as root. */
static void note_owners(const acme_import_file_tree_t *tree, const char *api)
{
    (void)acme_import_file_is_folder(tree, "acme.sh");
    (void)acme_import_file_is_folder(tree, "account.conf");
    (void)acme_import_file_is_folder(
        tree, apr_pstrcat(tree->p, "dnsapi/", api, ".sh", NULL));
}

/* "dns_cf", a folder, "no" (standalone), "apache", ...: one, or a list. */
static void add_challenge(acme_import_cert_t *cert,
                          const acme_import_found_t *found,
                          const acme_import_file_tree_t *tree,
                          const char *conf)
{
    const char *how = acme_import_file_setting(conf, "Le_Webroot", tree->p);
    const char *first = how ? apr_pstrndup(tree->p, how, strcspn(how, ","))
                            : NULL;
    const char *words = first ? acme_import_words_quote(first, tree->p)
                              : NULL;
    const char *home = acme_import_words_quote(tree->root, tree->p);
    const char *hook;

    if (!words || !home) {
        return;
    }
    if (first[0] == '/' && acme_import_words_folder(first, tree->p)) {
        acme_import_found_add(cert->lines, "AcmeHttp webroot %s", words);
    }
    else if (!strncmp(first, "dns_", 4)) {
        note_owners(tree, first);
        hook = acme_import_words_program(
            apr_pstrcat(tree->p, found->hooks, "/dns-acmesh", NULL), tree->p);
        if (hook) {
            acme_import_found_add(cert->lines,
                                  "AcmeDns exec %s --home %s --dnsapi %s",
                                  hook, home, words);
        }
        else {
            acme_import_found_add(cert->notes,
                                  "its names are validated by %s: set AcmeDns exec %s/dns-acmesh --home %s --dnsapi %s",
                                  first, found->hooks, tree->root, first);
        }
    }
}

static void add_settings(acme_import_cert_t *cert,
                         const acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const char *conf)
{
    const char *chain = acme_import_file_setting(conf, "Le_Preferred_Chain",
                                                 tree->p);
    const char *words = chain ? acme_import_words_quote(decode(chain, tree->p),
                                                        tree->p) : NULL;

    add_challenge(cert, found, tree, conf);
    if (words) {
        acme_import_found_add(cert->lines, "AcmePreferredChain %s", words);
    }
    add_hook(cert, tree, conf, "Le_PreHook", "pre");
    add_hook(cert, tree, conf, "Le_PostHook", "post");
    add_hook(cert, tree, conf, "Le_RenewHook", "deploy");
    add_hook(cert, tree, conf, "Le_ReloadCmd", "deploy");
}

/* NULL: the folder is not of a certificate. */
static const char *domain_of(const acme_import_file_tree_t *tree,
                             const char *folder, const char **pconf)
{
    const apr_size_t len = strlen(folder);
    const char *domain = len > 4 && !strcmp(folder + len - 4, "_ecc")
        ? apr_pstrmemdup(tree->p, folder, len - 4) : folder;
    acme_result_t ignored;

    return acme_import_file_text(pconf, tree,
                                 apr_pstrcat(tree->p, folder, "/", domain,
                                             ".conf", NULL), &ignored)
        ? NULL : domain;
}

static void read_cert(acme_import_found_t *found,
                      const acme_import_file_tree_t *tree,
                      const char *folder)
{
    const char *conf;
    const char *domain = domain_of(tree, folder, &conf);
    acme_import_pair_files_t files;
    acme_import_cert_t *cert;

    if (!domain) {
        return;
    }
    files = (acme_import_pair_files_t) {
        .full = acme_import_file_join(tree, folder, "fullchain.cer"),
        .key = apr_pstrcat(tree->p, folder, "/", domain, ".key", NULL)
    };
    cert = acme_import_found_cert(
        found, acme_import_file_join(tree, tree->root, folder), domain);
    cert->ca = acme_import_file_setting(conf, "Le_API", tree->p);
    acme_import_pair_add(cert, found, tree, &files);
    if (!cert->fault) {
        add_settings(cert, found, tree, conf);
    }
}

/* The port of a CA is not in the path: a certificate's settings have it. */
static const char *find_ca(const acme_import_found_t *found, const char *path,
                           apr_pool_t *p)
{
    acme_result_t ignored;
    int i;

    for (i = 0; i < found->certs->nelts; i++) {
        const char *ca = APR_ARRAY_IDX(found->certs, i,
                                       acme_import_cert_t).ca;
        const char *host, *rest;

        if (!ca || acme_url_check(ca, &ignored, p)) {
            continue;
        }
        host = ca + strlen("https://");
        rest = strchr(host, '/');
        if (rest && !strcmp(path, apr_pstrcat(
                p, apr_pstrmemdup(p, host, strcspn(host, ":/")), rest, NULL))) {
            return ca;
        }
    }
    return apr_pstrcat(p, "https://", path, NULL);
}

static void read_account(acme_import_found_t *found,
                         const acme_import_file_tree_t *tree,
                         const char *folder)
{
    acme_import_account_t *account = acme_import_found_account(
        found, acme_import_file_join(tree, tree->root, folder));
    const char *key_path = acme_import_file_join(tree, folder, "account.key");
    const char *conf, *pem;
    acme_result_t res;

    account->ca = find_ca(found, folder + strlen("ca/"), tree->p);
    if (acme_import_file_text(&pem, tree, key_path, &res)
        || acme_key_parse(&account->key, pem, key_path, &res, tree->p)) {
        account->fault = apr_pstrdup(tree->p, res.detail);
    }
    if (!acme_import_file_text(&conf, tree,
                               acme_import_file_join(tree, folder, "ca.conf"),
                               &res)) {
        account->url = acme_import_file_setting(conf, "ACCOUNT_URL", tree->p);
    }
}

static void read_accounts(acme_import_found_t *found,
                          const acme_import_file_tree_t *tree,
                          const char *folder, int depth)
{
    const apr_array_header_t *names = acme_import_file_names(tree, folder);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!strcmp(name, "account.key") && strchr(folder, '/')) {
            read_account(found, tree, folder);
        }
        else if (depth > 1
                 && acme_import_file_is_real_folder(
                     tree, acme_import_file_join(tree, folder, name))) {
            read_accounts(found, tree,
                          acme_import_file_join(tree, folder, name),
                          depth - 1);
        }
    }
}

void acme_import_acme_sh_read(acme_import_found_t *found,
                              const acme_import_file_tree_t *tree)
{
    const apr_array_header_t *names = acme_import_file_names(tree, "");
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (strcmp(name, "ca") && acme_import_file_is_folder(tree, name)) {
            read_cert(found, tree, name);
        }
    }
    read_accounts(found, tree, "ca", ACCOUNT_DEPTH);
}
