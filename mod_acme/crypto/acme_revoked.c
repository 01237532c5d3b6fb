/*
 * acme_revoked.c - the common part of OCSP answers and CRLs.
 *
 * The clock is passed in; OpenSSL's own checks would read the system's.
 */
#include "acme_revoked.h"
#include "acme_openssl.h"
#include "acme_time.h"

#define LEEWAY apr_time_from_sec(5 * 60)        /* clocks differ */
#define LIFETIME_DEFAULT apr_time_from_sec(24 * 60 * 60)

apr_status_t acme_revoked_issuer(X509 **pissuer, const acme_chain_t *chain,
                                 acme_result_t *res, apr_pool_t *p)
{
    X509 *issuer = acme_chain_x509(chain, 1);
    apr_status_t rv;

    *pissuer = NULL;

    if (!issuer) {
        return acme_fail_never(
            res, APR_ENOENT,
            "certificate: cannot ask whether it is revoked without the certificate of its issuer");
    }
    rv = acme_chain_linked(chain, res, p);
    if (rv == APR_SUCCESS) {
        *pissuer = issuer;
    }
    return rv;
}

apr_status_t acme_revoked_is_fresh(apr_time_t *pnext, const ASN1_TIME *from,
                                   const ASN1_TIME *until, apr_time_t now,
                                   acme_result_t *res, apr_pool_t *p)
{
    apr_time_t made, next;

    *pnext = 0;

    if (!acme_openssl_time(&made, from)
        || (!acme_openssl_time(&next, until) && until)) {
        return acme_fail(res, APR_EINVAL, "a time in it is not valid: %s",
                         acme_openssl_reason());
    }
    if (made > now + LEEWAY) {
        return acme_fail(res, APR_EINVAL,
                         "dated %s, in the future; check this machine's clock",
                         acme_time_text(made, p));
    }
    if ((until ? next : made + LIFETIME_DEFAULT) < now - LEEWAY) {
        return acme_fail(res, APR_EINVAL, "outdated, dated %s",
                         acme_time_text(made, p));
    }
    *pnext = next;
    return APR_SUCCESS;
}

int acme_revoked_is_within(const ASN1_TIME *from, const ASN1_TIME *until,
                           apr_time_t now)
{
    apr_time_t first, last;

    return acme_openssl_time(&first, from) && acme_openssl_time(&last, until)
           && first <= now + LEEWAY && last >= now - LEEWAY;
}
