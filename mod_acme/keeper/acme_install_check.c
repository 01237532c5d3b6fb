/*
 * acme_install_check.c - what an issued chain must be before it is installed.
 */
#include <apr_strings.h>

#include "acme_install_check.h"
#include "acme_name.h"
#include "acme_public_key.h"

/* CAs backdate by minutes or an hour; our own clock may be slow as well. */
#define CLOCK_SLACK apr_time_from_sec(5 * 60)

apr_status_t acme_install_check_chain(const acme_cert_facts_t *facts,
                                      const acme_install_check_t *expected,
                                      acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_info_t *leaf = &facts->leaf;
    const acme_octets_t key = acme_public_key_of(expected->key, p);
    const char *id = expected->id;
    apr_status_t rv;

    if (!acme_public_key_is_same(facts->key, key)) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the certificate is for another key than the one in our request",
            id);
    }
    else if (!acme_name_all_in(expected->names, leaf->names)) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the CA issued a certificate without all requested names; the certificate is for %s",
            id, acme_name_list_text(leaf->names, p));
    }
    else if (!acme_name_all_in(leaf->names, expected->names)) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the CA issued a certificate with names that were not requested; the certificate is for %s",
            id, acme_name_list_text(leaf->names, p));
    }
    else if (leaf->not_before > expected->now + CLOCK_SLACK) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the certificate is not valid before %s, and this server's clock says %s: check the clock",
            id, acme_time_text(leaf->not_before, p),
            acme_time_text(expected->now, p));
    }
    else if (leaf->not_after <= expected->now) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the certificate expired at %s, and this server's clock says %s: check the clock",
            id, acme_time_text(leaf->not_after, p),
            acme_time_text(expected->now, p));
    }
    else if (leaf->not_after - leaf->not_before > expected->life_max) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the certificate is valid for longer than %s, until %s", id,
            acme_time_interval_text(expected->life_max, p),
            acme_time_text(leaf->not_after, p));
    }
    else if (leaf->not_after < expected->replaced_until) {
        rv = acme_fail(
            res, APR_EINVAL,
            "%s: the new certificate expires at %s, earlier than required (%s)",
            id, acme_time_text(leaf->not_after, p),
            acme_time_text(expected->replaced_until, p));
    }
    else {
        rv = facts->linked.status;
        if (rv != APR_SUCCESS) {
            *res = facts->linked;
        }
    }
    if (rv == APR_EINVAL) {
        res->reason = ACME_REASON_CHAIN_REFUSED;
    }
    return rv;
}
