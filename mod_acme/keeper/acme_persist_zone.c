/*
 * acme_persist_zone.c - the TXT records of dns-persist-01 that an administrator sets.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns_persist.h"
#include "acme_name.h"
#include "acme_persist_zone.h"
#include "acme_url.h"

#define STRING_MAX 255          /* octets of one string of a record (1035) */

/* A longer value is several strings, which are joined again. */
static const char *quote(const char *value, apr_pool_t *p)
{
    const char *text = "";

    for (; strlen(value) > STRING_MAX; value += STRING_MAX) {
        text = apr_psprintf(p, "%s\"%.*s\" ", text, STRING_MAX, value);
    }
    return apr_psprintf(p, "%s\"%s\"", text, value);
}

/* Is it the first name of its domain, in the order of the configuration? */
static int is_first(const acme_cert_conf_t *cert, int at)
{
    const char *base = acme_name_base(APR_ARRAY_IDX(cert->names, at,
                                                    const char *));
    int i;

    for (i = 0; i < at; i++) {
        if (!strcmp(base, acme_name_base(APR_ARRAY_IDX(cert->names, i,
                                                       const char *)))) {
            return 0;
        }
    }
    return 1;
}

static apr_status_t line_of(const char **pline, acme_dns_persist_t *persist,
                            const acme_cert_conf_t *cert, const char *name,
                            apr_time_t until, acme_result_t *res,
                            apr_pool_t *p)
{
    const char *wildcard = apr_pstrcat(p, "*.", acme_name_base(name), NULL);
    const char *value;
    apr_status_t rv;

    persist->name = acme_name_in(cert->names, wildcard) ? wildcard : name;
    rv = acme_dns_persist_value(&value, persist, until, res, p);
    if (rv == APR_SUCCESS) {
        *pline =
            apr_psprintf(p, "%s. IN TXT %s\n",
                         acme_dns_persist_record(name, p), quote(value, p));
    }
    return rv;
}

static apr_status_t describe(acme_dns_persist_t *persist,
                             const acme_cert_conf_t *cert,
                             const acme_ca_account_t *account,
                             acme_result_t *res, apr_pool_t *p)
{
    apr_array_header_t *issuers = apr_array_make(p, 1, sizeof(const char *));

    if (!account->url || !account->persist_issuer) {
        return acme_fail(res, APR_ENOENT, "%s: %s has not told yet what a "
                         "record of dns-persist-01 looks like there, if it "
                         "has that; it tells so with an order: try acmectl "
                         "renew %s", cert->id,
                         acme_url_host(account->directory, p), cert->id);
    }
    APR_ARRAY_PUSH(issuers, const char *) = account->persist_issuer;
    persist->draft = account->persist_draft;
    persist->issuers = issuers;
    persist->account_url = account->url;
    persist->hash_prefix = account->persist_prefix;
    return acme_key_thumbprint(&persist->thumbprint, account->key, res, p);
}

apr_status_t acme_persist_zone_lines(const char **ptext,
                                     const acme_cert_conf_t *cert,
                                     const acme_ca_account_t *account,
                                     apr_time_t until, acme_result_t *res,
                                     apr_pool_t *p)
{
    acme_dns_persist_t persist = { 0 };
    const char *line;
    apr_status_t rv;
    int i;

    *ptext = "";
    rv = describe(&persist, cert, account, res, p);
    for (i = 0; rv == APR_SUCCESS && i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

        if (!acme_name_is_ip(name) && is_first(cert, i)) {
            rv = line_of(&line, &persist, cert, name, until, res, p);
            if (rv == APR_SUCCESS) {
                *ptext = apr_pstrcat(p, *ptext, line, NULL);
            }
        }
    }
    if (rv == APR_SUCCESS && !**ptext) {
        rv = acme_fail(res, APR_EINVAL, "%s: it has addresses only, which "
                       "have no records", cert->id);
    }
    return rv;
}
