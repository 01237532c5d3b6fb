/*
 * acme_persist_zone.c - the TXT records of dns-persist-01 that an
 * administrator sets.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns_persist.h"
#include "acme_name.h"
#include "acme_persist_zone.h"
#include "acme_url.h"

#define STRING_MAX 255          /* octets of one string of a record (1035) */

/* A long value is several strings, which a resolver joins. */
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

apr_status_t acme_persist_zone_lines(const char **ptext,
                                     const acme_cert_conf_t *cert,
                                     const acme_ca_account_t *account,
                                     apr_time_t until, acme_result_t *res,
                                     apr_pool_t *p)
{
    apr_array_header_t *issuers = apr_array_make(p, 1, sizeof(const char *));
    acme_dns_persist_t persist = { .draft = account->persist_draft,
                                   .issuers = issuers,
                                   .account_url = account->url,
                                   .hash_prefix = account->persist_prefix };
    apr_status_t rv;
    int i;

    *ptext = "";
    if (!account->url || !account->persist_issuer) {
        return acme_fail(
            res, APR_ENOENT,
            "%s: the records of dns-persist-01 at %s are not known yet; a CA that supports them describes them in an order: try acmectl renew %s",
            cert->id, acme_url_host(account->directory, p), cert->id);
    }
    APR_ARRAY_PUSH(issuers, const char *) = account->persist_issuer;
    rv = acme_key_thumbprint(&persist.thumbprint, account->key, res, p);

    for (i = 0; rv == APR_SUCCESS && i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);
        const char *wildcard =
            apr_pstrcat(p, "*.", acme_name_base(name), NULL);
        const char *value;

        if (acme_name_is_ip(name) || !is_first(cert, i)) {
            continue;
        }
        persist.name = acme_name_in(cert->names, wildcard) ? wildcard : name;
        rv = acme_dns_persist_value(&value, &persist, until, res, p);
        if (rv == APR_SUCCESS) {
            *ptext = apr_psprintf(p, "%s%s. IN TXT %s\n", *ptext,
                                  acme_dns_persist_record(name, p),
                                  quote(value, p));
        }
    }
    if (rv == APR_SUCCESS && !**ptext) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the certificate has only IP addresses, which have no DNS records",
            cert->id);
    }
    return rv;
}
