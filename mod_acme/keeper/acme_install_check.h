/*
 * acme_install_check.h - what an issued chain must be before it is installed.
 *
 * The chain came from a CA through a worker: both may be hostile, and so may be
 * who read it.
 */
#ifndef ACME_INSTALL_CHECK_H
#define ACME_INSTALL_CHECK_H

#include "acme_cert_facts.h"
#include "acme_key.h"
#include "acme_state.h"

typedef struct {
    const char *id;
    const apr_array_header_t *names;    /* const char *: those ordered */
    acme_key_t *key;                    /* of the request that was finalized */
    apr_interval_time_t life_max;       /* the longest lifetime allowed */
    apr_time_t replaced_until;          /* the earliest expiry allowed; 0:
                                           any */
    apr_time_t now;
} acme_install_check_t;

/*
 * The leaf of the chain has the expected key and exactly the expected names,
 * is valid now (five minutes of tolerance before its notBefore), lives no
 * longer and expires no earlier than expected, and each certificate is signed
 * by the next. Else APR_EINVAL with ACME_REASON_CHAIN_REFUSED, or the status of
 * facts->linked when that is not known; res says which check failed.
 */
apr_status_t acme_install_check_chain(const acme_cert_facts_t *facts,
                                      const acme_install_check_t *expected,
                                      acme_result_t *res, apr_pool_t *p);

#endif
