/*
 * acme_persist_zone.h - the TXT records of dns-persist-01 that an administrator sets.
 */
#ifndef ACME_PERSIST_ZONE_H
#define ACME_PERSIST_ZONE_H

#include "acme_accounts.h"

/*
 * The records of a certificate's names, a line each, as a zone file has them:
 * one for each domain, with policy=wildcard when its wildcard is among the
 * names. until: when they end; 0: never.
 *
 * APR_ENOENT: the CA has not told yet what such a record looks like, or there
 * is no account; APR_EINVAL: none of the names can have one.
 */
apr_status_t acme_persist_zone_lines(const char **ptext,
                                     const acme_cert_conf_t *cert,
                                     const acme_ca_account_t *account,
                                     apr_time_t until, acme_result_t *res,
                                     apr_pool_t *p);

#endif
