/*
 * acme_install_check.c - what an issued chain must be before it is installed.
 */
#include <apr_strings.h>

#include "acme_install_check.h"
#include "acme_name.h"

/* CAs date back by minutes or an hour; our own clock may be late as well. */
#define CLOCK_SLACK apr_time_from_sec(5 * 60)

static apr_status_t check_names(const acme_cert_info_t *leaf,
                                const acme_install_check_t *asked,
                                acme_result_t *res, apr_pool_t *p)
{
    if (!acme_name_all_in(asked->names, leaf->names)) {
        return acme_fail(res, APR_EINVAL,
                         "%s: the CA issued a certificate "
                         "without all of the names asked for; it is for %s",
                         asked->id, acme_name_list_text(leaf->names, p));
    }
    if (!acme_name_all_in(leaf->names, asked->names)) {
        return acme_fail(res, APR_EINVAL,
                         "%s: the CA issued a certificate "
                         "with names that were not asked for; it is for %s",
                         asked->id, acme_name_list_text(leaf->names, p));
    }
    return APR_SUCCESS;
}

static apr_status_t check_times(const acme_cert_info_t *leaf,
                                const acme_install_check_t *asked,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *id = asked->id;

    if (leaf->not_before > asked->now + CLOCK_SLACK) {
        return acme_fail(res, APR_EINVAL, "%s: the certificate is not valid "
                         "before %s, and this server's clock says %s: check "
                         "the clock", id, acme_time_text(leaf->not_before, p),
                         acme_time_text(asked->now, p));
    }
    if (leaf->not_after <= asked->now) {
        return acme_fail(res, APR_EINVAL, "%s: the certificate expired at %s, "
                         "and this server's clock says %s: check the clock",
                         id, acme_time_text(leaf->not_after, p),
                         acme_time_text(asked->now, p));
    }
    if (leaf->not_after - leaf->not_before > asked->life_max) {
        return acme_fail(res, APR_EINVAL,
                         "%s: the certificate is valid for "
                         "longer than %s, until %s",
                         id, acme_time_interval_text(asked->life_max, p),
                         acme_time_text(leaf->not_after, p));
    }
    if (leaf->not_after < asked->replaced_until) {
        return acme_fail(res, APR_EINVAL, "%s: the new certificate ends at "
                         "%s, before the one that it replaces lets expect "
                         "(%s)", id,
                         acme_time_text(leaf->not_after, p),
                         acme_time_text(asked->replaced_until, p));
    }
    return APR_SUCCESS;
}

apr_status_t acme_install_check_chain(const acme_chain_t *chain,
                                      const acme_install_check_t *asked,
                                      acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_info_t *leaf = acme_chain_leaf(chain);
    apr_status_t rv;

    if (!acme_chain_has_key(chain, asked->key)) {
        acme_fail(res, APR_EINVAL, "%s: the certificate is for another "
                  "key than the one in our request", asked->id);
        return acme_result_reason(res, ACME_REASON_CHAIN_REFUSED);
    }
    rv = check_names(leaf, asked, res, p);
    if (rv == APR_SUCCESS) {
        rv = check_times(leaf, asked, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_chain_linked(chain, res, p);
    }
    if (rv != APR_SUCCESS) {
        res->reason = ACME_REASON_CHAIN_REFUSED;
    }
    return rv;
}
