/*
 * acme_persist_zone.h - the TXT records of dns-persist-01 that an
 * administrator sets.
 */
#ifndef ACME_PERSIST_ZONE_H
#define ACME_PERSIST_ZONE_H

#include "acme_accounts.h"

/*
 * The records for the names of a certificate, in the syntax of a zone file
 * (1035, 5.1), a line each: one for each domain, with policy=wildcard when its
 * wildcard is among the names. until: when the CA stops to accept them; 0:
 * never. *ptext is in p, and "" after a failure at the first name.
 *
 * APR_ENOENT: there is no registered account, or the format of the CA's
 * records is not known yet. APR_EINVAL: the names are IP addresses only.
 */
apr_status_t acme_persist_zone_lines(const char **ptext,
                                     const acme_cert_conf_t *cert,
                                     const acme_ca_account_t *account,
                                     apr_time_t until, acme_result_t *res,
                                     apr_pool_t *p);

#endif
