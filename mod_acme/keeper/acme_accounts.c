/*
 * acme_accounts.c - the accounts at the CAs.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account_file.h"
#include "acme_accounts.h"
#include "acme_dns_persist.h"
#include "acme_file.h"
#include "acme_jws.h"
#include "acme_name.h"
#include "acme_url.h"

#define HMAC_FILE_MAX 4096      /* octets */

typedef struct {
    acme_ca_account_t known;       /* key is NULL until it is loaded */
    acme_account_file_t file;
    apr_pool_t *p;              /* of all of it */
} account_entry_t;

struct acme_accounts_t {
    acme_registry_t *registry;
    account_entry_t *entries;           /* one for each CA, by its index */
};

static const acme_ca_conf_t *conf_of(const acme_accounts_t *accounts,
                                     apr_uint32_t ca)
{
    return &APR_ARRAY_IDX(acme_registry_conf(accounts->registry)->cas, ca,
                          acme_ca_conf_t);
}

acme_accounts_t *acme_accounts_create(acme_registry_t *registry, apr_pool_t *p)
{
    acme_accounts_t *accounts = apr_pcalloc(p, sizeof(*accounts));
    int i, n = acme_registry_conf(registry)->cas->nelts;

    accounts->registry = registry;
    accounts->entries = apr_pcalloc(p, (apr_size_t)(n + 1)
                                    * sizeof(*accounts->entries));
    for (i = 0; i < n; i++) {
        apr_pool_create(&accounts->entries[i].p, p);
    }
    return accounts;
}

static int is_same_set(const apr_array_header_t *a,
                       const apr_array_header_t *b)
{
    return acme_name_all_in(a, b) && acme_name_all_in(b, a);
}

static int has_changed(const acme_account_file_t *file,
                       const acme_ca_conf_t *ca)
{
    return file->contacts && !is_same_set(file->contacts, ca->contacts);
}

static apr_status_t make_account(account_entry_t *entry, acme_store_t *store,
                                 const acme_ca_conf_t *ca, acme_result_t *res)
{
    acme_key_t *key;
    apr_status_t rv;

    rv = acme_key_generate(&key, ACME_KEY_P256, res, entry->p);
    if (rv == APR_SUCCESS) {
        rv = acme_account_file_key_save(store, ca->folder, key, res, entry->p);
    }
    if (rv == APR_SUCCESS) {
        memset(&entry->file, 0, sizeof(entry->file));
        entry->known.key = key;
    }
    return rv;
}

static apr_status_t load_account(account_entry_t *entry,
                                 acme_accounts_t *accounts,
                                 const acme_ca_conf_t *ca, acme_result_t *res)
{
    acme_store_t *store = acme_registry_store(accounts->registry);
    acme_result_t ignored;
    acme_key_t *next;
    apr_status_t rv;

    apr_pool_clear(entry->p);           /* of what a failure left */
    memset(&entry->known, 0, sizeof(entry->known));
    rv = acme_account_file_load(&entry->known.key, &entry->file, store,
                                ca->folder, res, entry->p);
    if (rv == APR_SUCCESS && res->detail[0]) {
        acme_log(acme_registry_log(accounts->registry), ACME_LOG_WARNING,
                 "account", "%s", res->detail);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        rv = make_account(entry, store, ca, res);
    }
    if (rv == APR_SUCCESS) {
        entry->known.url = entry->file.url;
        entry->known.directory = ca->url;
        entry->known.folder = ca->folder;
        entry->known.deactivated = entry->file.deactivated;
        entry->known.hosts = entry->file.hosts;
        entry->known.persist_issuer = entry->file.persist_issuer;
        entry->known.persist_draft = entry->file.persist_draft;
        entry->known.persist_prefix = entry->file.persist_prefix;
        entry->known.contacts_changed = has_changed(&entry->file, ca);
        entry->known.has_next_key = !acme_account_file_next_load(
            &next, store, ca->folder, &ignored, entry->p);
    }
    return rv;
}

static apr_status_t find_entry(account_entry_t **pentry,
                               acme_accounts_t *accounts, apr_uint32_t ca,
                               acme_result_t *res)
{
    account_entry_t *entry = &accounts->entries[ca];

    *pentry = entry;
    if (entry->known.key) {
        return APR_SUCCESS;
    }
    return load_account(entry, accounts, conf_of(accounts, ca), res);
}

apr_status_t acme_accounts_find(const acme_ca_account_t **paccount,
                                acme_accounts_t *accounts, apr_uint32_t ca,
                                acme_result_t *res)
{
    account_entry_t *entry;
    apr_status_t rv = find_entry(&entry, accounts, ca, res);

    *paccount = &entry->known;
    return rv;
}

apr_status_t acme_accounts_check(const acme_accounts_t *accounts,
                                 const acme_ca_account_t *account,
                                 acme_result_t *res, apr_pool_t *p)
{
    if (!account->deactivated) {
        return APR_SUCCESS;
    }
    acme_fail_never(
        res, APR_EACCES,
        "account at %s: the account was deactivated, and no certificate can be ordered with it; for a new account, remove %s and reload httpd, or set another key identifier with AcmeExternalAccount",
        account->directory,
        acme_store_path(acme_registry_store(accounts->registry), "accounts",
                        account->folder, p));
    return acme_result_reason(res, ACME_REASON_ACCOUNT_DEACTIVATED);
}

int acme_accounts_contacts_changed(acme_accounts_t *accounts,
                                   apr_uint32_t ca, apr_pool_t *p)
{
    const acme_ca_conf_t *conf = conf_of(accounts, ca);
    acme_account_file_t file;
    acme_result_t res;
    acme_key_t *key;

    return !acme_account_file_load(&key, &file,
                                   acme_registry_store(accounts->registry),
                                   conf->folder, &res, p)
           && file.url && !file.deactivated && has_changed(&file, conf)
           && !(file.refused && is_same_set(file.refused, conf->contacts));
}

static apr_status_t save(acme_accounts_t *accounts, apr_uint32_t ca,
                         const acme_account_file_t *file, acme_result_t *res,
                         apr_pool_t *p)
{
    return acme_account_file_save(acme_registry_store(accounts->registry),
                                  conf_of(accounts, ca)->folder, file, res, p);
}

void acme_accounts_contacts_refused(acme_accounts_t *accounts, apr_uint32_t ca,
                                    apr_pool_t *p)
{
    const acme_ca_conf_t *conf = conf_of(accounts, ca);
    acme_account_file_t file;
    account_entry_t *entry;
    acme_result_t res;

    if (find_entry(&entry, accounts, ca, &res)) {
        return;
    }
    file = entry->file;
    file.refused = conf->contacts;
    if (save(accounts, ca, &file, &res, p)
        || load_account(entry, accounts, conf, &res)) {
        acme_log(acme_registry_log(accounts->registry), ACME_LOG_WARNING,
                 "account", "%s", res.detail);
    }
}

apr_status_t acme_accounts_set_url(acme_accounts_t *accounts, apr_uint32_t ca,
                                   const char *url, acme_result_t *res,
                                   apr_pool_t *p)
{
    const acme_ca_conf_t *conf = conf_of(accounts, ca);
    acme_account_file_t file;
    account_entry_t *entry;
    apr_status_t rv;

    rv = find_entry(&entry, accounts, ca, res);
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_check(accounts, &entry->known, res, p);
    }
    if (rv != APR_SUCCESS
        || (url && entry->file.url && !strcmp(url, entry->file.url)
            && !entry->known.contacts_changed)) {
        return rv;
    }
    file = entry->file;
    file.url = url;
    file.directory = conf->url;
    file.contacts = conf->contacts;
    file.refused = NULL;
    rv = save(accounts, ca, &file, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    acme_log(acme_registry_log(accounts->registry),
             url ? ACME_LOG_NOTICE : ACME_LOG_WARNING, "account",
             url ? "%s: the account is %s"
                 : "%s: the CA no longer knows the account%s",
             acme_url_host(conf->url, p),
             url ? acme_text_clean(url, ACME_URL_MAX, p) : "");
    return load_account(entry, accounts, conf, res);
}

apr_status_t acme_accounts_next_key(acme_key_t **pkey,
                                    acme_accounts_t *accounts,
                                    apr_uint32_t ca, acme_next_key_e missing,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *folder = conf_of(accounts, ca)->folder;
    acme_store_t *store = acme_registry_store(accounts->registry);
    account_entry_t *entry;
    apr_status_t rv;

    rv = acme_account_file_next_load(pkey, store, folder, res, p);
    if (!APR_STATUS_IS_ENOENT(rv) || missing == ACME_NEXT_KEY_FIND) {
        return rv;
    }
    rv = acme_key_generate(pkey, ACME_KEY_P256, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_account_file_next_save(store, folder, *pkey, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = find_entry(&entry, accounts, ca, res);
        entry->known.has_next_key = 1;
    }
    return rv;
}

apr_status_t acme_accounts_end_key(acme_accounts_t *accounts, apr_uint32_t ca,
                                   acme_key_end_e end, acme_result_t *res,
                                   apr_pool_t *p)
{
    const acme_ca_conf_t *conf = conf_of(accounts, ca);
    acme_store_t *store = acme_registry_store(accounts->registry);
    apr_status_t rv;

    rv = end == ACME_KEY_PROMOTE
             ? acme_account_file_next_promote(store, conf->folder, res, p)
             : acme_account_file_next_drop(store, conf->folder, res, p);
    if (rv == APR_SUCCESS) {
        acme_log(acme_registry_log(accounts->registry), ACME_LOG_NOTICE,
                 "account", "%s: %s", acme_url_host(conf->url, p),
                 end == ACME_KEY_PROMOTE ? "the account has its new key"
                                         : "the account keeps its key");
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        return rv;
    }
    /* Also when the key was promoted before, and only the sync failed then. */
    return load_account(&accounts->entries[ca], accounts, conf, res);
}

apr_status_t acme_accounts_deactivated(acme_accounts_t *accounts,
                                       apr_uint32_t ca, acme_result_t *res,
                                       apr_pool_t *p)
{
    acme_account_file_t file;
    account_entry_t *entry;
    apr_status_t rv;

    rv = find_entry(&entry, accounts, ca, res);
    if (rv == APR_SUCCESS) {
        file = entry->file;
        file.deactivated = 1;
        rv = save(accounts, ca, &file, res, p);
    }
    return rv == APR_SUCCESS ? load_account(entry, accounts,
                                            conf_of(accounts, ca), res) : rv;
}

apr_status_t acme_accounts_set_hosts(acme_accounts_t *accounts,
                                     apr_uint32_t ca,
                                     const apr_array_header_t *hosts,
                                     acme_result_t *res, apr_pool_t *p)
{
    acme_account_file_t file;
    account_entry_t *entry;
    apr_status_t rv;

    rv = find_entry(&entry, accounts, ca, res);
    if (rv != APR_SUCCESS
        || (entry->file.hosts && is_same_set(hosts, entry->file.hosts))) {
        return rv;
    }
    file = entry->file;
    file.directory = conf_of(accounts, ca)->url;
    file.hosts = hosts;
    rv = save(accounts, ca, &file, res, p);
    return rv == APR_SUCCESS ? load_account(entry, accounts,
                                            conf_of(accounts, ca), res) : rv;
}

int acme_accounts_note_terms(acme_accounts_t *accounts, apr_uint32_t ca,
                             const char *url, apr_pool_t *p)
{
    acme_account_file_t file;
    acme_result_t res;
    account_entry_t *entry;
    int others;

    if (find_entry(&entry, accounts, ca, &res)
        || (entry->file.terms && !strcmp(url, entry->file.terms))) {
        return 0;
    }
    others = entry->file.terms != NULL;
    file = entry->file;
    file.directory = conf_of(accounts, ca)->url;
    file.terms = url;
    if (save(accounts, ca, &file, &res, p)
        || load_account(entry, accounts, conf_of(accounts, ca), &res)) {
        acme_log(acme_registry_log(accounts->registry), ACME_LOG_WARNING,
                 "account", "%s", res.detail);
        return 0;
    }
    return others;
}

static int is_same_text(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

apr_status_t acme_accounts_set_persist(acme_accounts_t *accounts,
                                       apr_uint32_t ca,
                                       const acme_msg_persist_t *persist,
                                       acme_result_t *res, apr_pool_t *p)
{
    const char *prefix = persist->prefix[0] ? persist->prefix : NULL;
    const char *issuer;
    acme_account_file_t file;
    account_entry_t *entry;
    apr_status_t rv;

    rv = acme_name_normalise(&issuer, persist->issuer, res, p);
    if (rv == APR_SUCCESS
        && ((persist->draft != 1 && persist->draft != 2)
            || (prefix && !acme_dns_persist_is_prefix(prefix)))) {
        rv = acme_fail(
            res, APR_EINVAL,
            "keeper: the witness described a record of dns-persist-01 that cannot exist");
    }
    if (rv == APR_SUCCESS) {
        rv = find_entry(&entry, accounts, ca, res);
    }
    if (rv != APR_SUCCESS
        || (is_same_text(issuer, entry->file.persist_issuer)
            && is_same_text(prefix, entry->file.persist_prefix)
            && (int)persist->draft == entry->file.persist_draft)) {
        return rv;
    }
    file = entry->file;
    file.persist_issuer = issuer;
    file.persist_draft = (int)persist->draft;
    file.persist_prefix = prefix;
    rv = save(accounts, ca, &file, res, p);
    return rv == APR_SUCCESS ? load_account(entry, accounts,
                                            conf_of(accounts, ca), res) : rv;
}

const char *acme_accounts_text(acme_accounts_t *accounts, apr_pool_t *p)
{
    const apr_array_header_t *cas =
        acme_registry_conf(accounts->registry)->cas;
    const char *text = "";
    int i;

    for (i = 0; i < cas->nelts; i++) {
        const acme_ca_conf_t *ca = conf_of(accounts, (apr_uint32_t)i);
        acme_account_file_t file = { NULL };
        acme_result_t res;
        acme_key_t *key;

        acme_account_file_load(&key, &file,
                               acme_registry_store(accounts->registry),
                               ca->folder, &res, p);
        if (ca->is_for_dry_runs && !file.url) {
            continue;           /* no dry run was made there */
        }
        text = apr_psprintf(
            p, "%s%s: %s%s%s%s%s\n", text, ca->url,
            file.deactivated ? "deactivated"
            : file.url       ? acme_text_clean(file.url, ACME_URL_MAX, p)
                             : "not registered yet",
            ca->contacts->nelts ? ", contacts " : "",
            apr_array_pstrcat(p, ca->contacts, ' '),
            ca->kid ? ", external account " : "",
            ca->kid ? acme_text_clean(ca->kid, 200, p) : "");
    }
    return text;
}

/* The file is read each time: an administrator may have corrected it. */
static apr_status_t read_hmac(const char **phmac, const acme_ca_conf_t *ca,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *text;
    apr_size_t len;
    apr_status_t rv;

    if (ca->hmac) {
        *phmac = ca->hmac;
        return APR_SUCCESS;
    }
    rv = acme_file_read_secret(&text, &len, ca->hmac_file, HMAC_FILE_MAX, res,
                               p);
    if (rv == APR_SUCCESS) {
        char *hmac = (char *)text;

        apr_collapse_spaces(hmac, hmac);
        *phmac = hmac;
    }
    return rv;
}

apr_status_t acme_accounts_binding(const char **pjson,
                                   acme_accounts_t *accounts, apr_uint32_t ca,
                                   const char *url, acme_result_t *res,
                                   apr_pool_t *p)
{
    const acme_ca_conf_t *conf = conf_of(accounts, ca);
    acme_jws_binding_t binding;
    account_entry_t *entry;
    apr_status_t rv;

    *pjson = NULL;
    if (!conf->kid) {
        return APR_SUCCESS;
    }
    rv = find_entry(&entry, accounts, ca, res);
    if (rv == APR_SUCCESS) {
        rv = read_hmac(&binding.hmac, conf, res, p);
    }
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, "AcmeExternalAccount");
        return rv;
    }
    binding.kid = conf->kid;
    binding.url = url;
    return acme_jws_bind(pjson, &binding, entry->known.key, res, p);
}
