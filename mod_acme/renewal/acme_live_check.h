/*
 * acme_live_check.h - what the CA says of a certificate that is live: when to
 * renew it (9773), whether it was revoked.
 */
#ifndef ACME_LIVE_CHECK_H
#define ACME_LIVE_CHECK_H

#include "acme_task.h"

/*
 * Ask the CA that issued it, and report the answer to the keeper. A failure
 * is no failure of the certificate.
 */
void acme_live_check_run(const acme_task_env_t *env,
                         acme_task_request_t *request, apr_pool_t *p);

#endif
