/*
 * acme_publish_check.h - a record or token, before it is published.
 *
 * A worker chose the token, and a DNS server perhaps the record: every text
 * is checked again before it becomes an argument or a line for nsupdate.
 */
#ifndef ACME_PUBLISH_CHECK_H
#define ACME_PUBLISH_CHECK_H

#include "acme_publish_job.h"
#include "acme_result.h"

#define ACME_RECORD_VALUE_LEN 43 /* base64url of SHA-256 (8555, 8.4) */
#define ACME_PUBLISH_TOKEN_MAX 256
#define ACME_PUBLISH_VALUE_MAX \
    (ACME_PUBLISH_TOKEN_MAX + 1 + ACME_RECORD_VALUE_LEN)

/*
 * *precord is what it is known by: the name of the TXT record, in p, or the
 * token. On failure it may be NULL, and trying again does not help:
 * APR_EINVAL, ACME_RETRY_NEVER.
 */
apr_status_t acme_publish_check(const char **precord,
                                const acme_publish_job_t *what,
                                acme_result_t *res, apr_pool_t *p);

#endif
