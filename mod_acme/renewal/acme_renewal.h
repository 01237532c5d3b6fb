/*
 * acme_renewal.h - one certificate, from the order to the installation.
 *
 * It may wait, for the CA or the keeper, and leaves at once when stopped.
 * What it got so far is resumed from.
 */
#ifndef ACME_RENEWAL_H
#define ACME_RENEWAL_H

#include "acme_task.h"

/*
 * Obtain the certificate from this CA. Success and failure are reported to
 * the keeper; nothing is returned.
 */
void acme_renewal_run(const acme_task_env_t *env, acme_task_request_t *request,
                      apr_pool_t *p);

#endif
