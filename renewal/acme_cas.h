/*
 * acme_cas.h - the CAs of the configuration, with connections to them that
 * are lent to one order at a time.
 */
#ifndef ACME_CAS_H
#define ACME_CAS_H

#include "acme_ca.h"
#include "acme_conf.h"

typedef struct acme_cas_t acme_cas_t;

/* For all threads. stop leaves every transfer. Lives as long as p. */
apr_status_t acme_cas_create(acme_cas_t **pcas, const acme_conf_t *conf,
                             const char *user_agent, acme_stop_t *stop,
                             apr_pool_t *p);

acme_ca_t *acme_cas_ca(acme_cas_t *cas, apr_uint32_t index);

/* A handle whose connections may be open already; give it back afterwards. */
apr_status_t acme_cas_borrow(acme_http_t **phttp, acme_cas_t *cas,
                             apr_uint32_t index, acme_result_t *res);
void acme_cas_return(acme_cas_t *cas, apr_uint32_t index, acme_http_t *http);

/* One order registers the account; the others wait and find it. */
void acme_cas_lock_account(acme_cas_t *cas, apr_uint32_t index);
void acme_cas_unlock_account(acme_cas_t *cas, apr_uint32_t index);

#endif
