/*
 * acme_validation.h - from a new order to one that the CA has validated: the
 * challenges answered, the CA's validators waited for.
 */
#ifndef ACME_VALIDATION_H
#define ACME_VALIDATION_H

#include "acme_task.h"

/*
 * Until the order of work is ready. On failure res of the work is the CA's
 * sentence about the name that failed, and work->dead when no more can come
 * of the order.
 */
apr_status_t acme_validation_run(acme_task_t *work);

/* Ask for the order until it got as far as READY or VALID. */
apr_status_t acme_validation_await(acme_task_t *work, acme_order_e until);

/* What was presented is answered no more, and its records go. */
void acme_validation_withdraw(acme_task_t *work);

#endif
