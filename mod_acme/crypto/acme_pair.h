/*
 * acme_pair.h - a trial of what mod_ssl would load at the next restart.
 *
 * The pair may be an administrator's own: any kind of key that OpenSSL reads.
 */
#ifndef ACME_PAIR_H
#define ACME_PAIR_H

#include <apr_pools.h>

#include "acme_result.h"

/*
 * Would mod_ssl load this pair? Reads both PEM files, the chain in cert_path
 * as well, and compares the keys. An encrypted key is only seen to be one.
 * Both may be the same file.
 */
apr_status_t acme_pair_check(const char *cert_path, const char *key_path,
                             acme_result_t *res, apr_pool_t *p);

#endif
