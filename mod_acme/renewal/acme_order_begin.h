/*
 * acme_order_begin.h - the order of a certificate: the unfinished one, or a
 * new one. (8555, 7.4)
 */
#ifndef ACME_ORDER_BEGIN_H
#define ACME_ORDER_BEGIN_H

#include "acme_task.h"

/*
 * The order of the attempt. On failure why->name is the name that the CA
 * refuses, if it says which.
 */
apr_status_t acme_order_begin(acme_task_attempt_t *attempt,
                              const acme_task_t *task,
                              acme_task_failure_t *why);

#endif
