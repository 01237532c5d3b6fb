/*
 * acme_renewal_info.h - when the CA wants a certificate renewed. (9773)
 *
 * Advice, not a command: its failure never fails a renewal.
 */
#ifndef ACME_RENEWAL_INFO_H
#define ACME_RENEWAL_INFO_H

#include "acme_session.h"

typedef struct {
    apr_time_t start;           /* the suggested window: [start, end) */
    apr_time_t end;             /* later than start; either may be past */
    const char *explanation;    /* http or https URL for people; NULL: none */
    apr_time_t ask_at;          /* when to ask again: 1 min to 24 h from now */
} acme_renewal_info_t;

/*
 * Read a reply with status 200, received at now; what names it in res. A
 * missing or bad Retry-After means 6 h. The text in *info is in p. APR_EGENERAL
 * (no valid window) and APR_EINVAL (not JSON) are ACME_RETRY_NEVER and leave
 * *info unchanged. (9773, 4.2, 4.3)
 */
apr_status_t acme_renewal_info_parse(acme_renewal_info_t *info,
                                     const acme_http_reply_t *reply,
                                     apr_time_t now, const char *what,
                                     acme_result_t *res, apr_pool_t *p);

/*
 * Fetch the renewal info of the certificate with this certID (9773, 4.1),
 * without a signature. now is the time of the clock. *info is set on success
 * only; its text is in p.
 *
 * res->retry of a failure: SOON (no connection, a timeout, 5xx) and LATER
 * (429, 503 with Retry-After) are for a back-off; after NEVER (4xx, a bad
 * object) wait 6 h before the next request (9773, 4.3.3). APR_ENOTIMPL: the CA
 * has no renewalInfo. APR_EINVAL: cert_id is not a certID.
 */
apr_status_t acme_renewal_info_fetch(acme_renewal_info_t *info,
                                     acme_session_t *session,
                                     const char *cert_id, apr_time_t now,
                                     acme_result_t *res, apr_pool_t *p);

#endif
