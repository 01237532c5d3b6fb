/*
 * acme_directory.c - the directory of a CA, read with care. (8555, 7.1.1)
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_directory.h"
#include "acme_dns_persist.h"
#include "acme_name.h"
#include "acme_text.h"
#include "acme_url.h"

#define DESCRIPTION_MAX 300     /* octets of a profile's description */

/* A URL of the directory; NULL: it is missing or not valid. */
static const char *read_url(const json_t *json, const char *key,
                            apr_pool_t *p)
{
    const char *url = acme_json_string(json, key, ACME_URL_MAX, p);
    acme_result_t ignored;

    return url && acme_url_check(url, &ignored, p) == APR_SUCCESS ? url : NULL;
}

/* A profile with an empty or long name cannot be ordered: it is dropped. */
static apr_array_header_t *read_profiles(const json_t *meta, apr_pool_t *p)
{
    json_t *list = json_object_get(meta, "profiles");
    apr_array_header_t *profiles = apr_array_make(p, 4,
                                                  sizeof(acme_profile_t));
    acme_profile_t *profile;
    const char *name;
    json_t *value;

    json_object_foreach(list, name, value) {
        if (profiles->nelts == ACME_PROFILES_MAX) {
            break;
        }
        if (*name && strlen(name) <= ACME_PROFILE_MAX) {
            profile = apr_array_push(profiles);
            profile->name = acme_text_clean(name, ACME_PROFILE_MAX, p);
            profile->description = acme_text_clean(json_string_value(value),
                                                   DESCRIPTION_MAX, p);
        }
    }
    return profiles;
}

apr_status_t acme_directory_parse(acme_directory_t **pdir, const json_t *json,
                                  const char *what, acme_result_t *res,
                                  apr_pool_t *p)
{
    const json_t *meta = json_object_get(json, "meta");
    acme_directory_t *dir = apr_pcalloc(p, sizeof(*dir));
    const char *terms = acme_json_string(meta, "termsOfService",
                                         ACME_URL_MAX, p);
    const char *lacks, *prefix;

    *pdir = NULL;

    dir->new_nonce = read_url(json, "newNonce", p);
    dir->new_account = read_url(json, "newAccount", p);
    dir->new_order = read_url(json, "newOrder", p);
    dir->revoke_cert = read_url(json, "revokeCert", p);
    dir->key_change = read_url(json, "keyChange", p);
    dir->renewal_info = read_url(json, "renewalInfo", p);
    dir->terms_of_service = terms ? acme_text_clean(terms, ACME_URL_MAX, p)
                                  : NULL;
    dir->external_account_required =
        acme_json_true(meta, "externalAccountRequired");
    dir->profiles = read_profiles(meta, p);
    dir->issuer_domain_names =
        acme_dns_persist_issuers(meta, "issuerDomainNames", p);
    dir->caa_identities = acme_dns_persist_issuers(meta, "caaIdentities", p);
    /* The prefix of the hashes that name an account. (dns-persist-02) */
    prefix = acme_json_string(meta, "accountHashPrefix",
                              ACME_HASH_PREFIX_MAX, p);
    if (prefix && acme_dns_persist_is_prefix(prefix)) {
        dir->account_hash_prefix = prefix;
    }

    lacks = !dir->new_nonce ? "newNonce"
          : !dir->new_account ? "newAccount"
          : !dir->new_order ? "newOrder"
          : NULL;
    if (lacks) {
        return acme_fail(
            res, APR_EGENERAL,
            "%s: contains no https URL for %s; is it the directory of an ACME CA?",
            what, lacks);
    }
    *pdir = dir;
    return APR_SUCCESS;
}

static apr_array_header_t *copy_profiles(const apr_array_header_t *from,
                                         apr_pool_t *p)
{
    apr_array_header_t *profiles = apr_array_copy(p, from);
    int i;

    for (i = 0; i < profiles->nelts; i++) {
        acme_profile_t *profile = &APR_ARRAY_IDX(profiles, i, acme_profile_t);

        profile->name = apr_pstrdup(p, profile->name);
        profile->description = apr_pstrdup(p, profile->description);
    }
    return profiles;
}

static apr_array_header_t *copy_strings(const apr_array_header_t *from,
                                        apr_pool_t *p)
{
    apr_array_header_t *strings = apr_array_copy(p, from);
    int i;

    for (i = 0; i < strings->nelts; i++) {
        APR_ARRAY_IDX(strings, i, const char *) =
            apr_pstrdup(p, APR_ARRAY_IDX(strings, i, const char *));
    }
    return strings;
}

acme_directory_t *acme_directory_copy(const acme_directory_t *from,
                                      apr_pool_t *p)
{
    acme_directory_t *dir = apr_pmemdup(p, from, sizeof(*from));

    dir->new_nonce = apr_pstrdup(p, from->new_nonce);
    dir->new_account = apr_pstrdup(p, from->new_account);
    dir->new_order = apr_pstrdup(p, from->new_order);
    dir->revoke_cert = apr_pstrdup(p, from->revoke_cert);
    dir->key_change = apr_pstrdup(p, from->key_change);
    dir->renewal_info = apr_pstrdup(p, from->renewal_info);
    dir->terms_of_service = apr_pstrdup(p, from->terms_of_service);
    dir->profiles = copy_profiles(from->profiles, p);
    dir->issuer_domain_names = copy_strings(from->issuer_domain_names, p);
    dir->caa_identities = copy_strings(from->caa_identities, p);
    dir->account_hash_prefix = apr_pstrdup(p, from->account_hash_prefix);
    return dir;
}

const char *acme_directory_hosts(const acme_directory_t *dir, const char *url,
                                 apr_pool_t *p)
{
    const char *const urls[] = { url, dir->new_nonce, dir->new_account,
                                 dir->new_order, dir->revoke_cert,
                                 dir->key_change, dir->renewal_info };
    apr_array_header_t *hosts = apr_array_make(p, 4, sizeof(const char *));
    apr_size_t i;

    for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        const char *host = urls[i] ? acme_url_host(urls[i], p) : NULL;

        if (host && !acme_name_in(hosts, host)) {
            APR_ARRAY_PUSH(hosts, const char *) = host;
        }
    }
    return apr_array_pstrcat(p, hosts, '\n');
}
