/*
 * acme_validation.h - from a new order to one that the CA has validated: the
 * challenges answered, the CA's validators waited for. (8555, 7.5)
 */
#ifndef ACME_VALIDATION_H
#define ACME_VALIDATION_H

#include "acme_task.h"

/*
 * Answer a challenge of each authorization of a pending order that is not
 * valid yet, and let the CA look at it. An order that is past that is left as
 * it is. On failure, here and below, why is what the CA says about the name
 * that failed.
 */
apr_status_t acme_validation_begin(acme_task_attempt_t *attempt,
                                   const acme_task_t *task,
                                   acme_task_failure_t *why);

/* Fetch the order until it got as far as READY or VALID (8555, 7.4), and tell
   the keeper how long the CA took. */
apr_status_t acme_validation_wait(acme_task_attempt_t *attempt,
                                  const acme_task_t *task, acme_order_e until,
                                  acme_task_failure_t *why);

/*
 * Send the CSR where the order is ready for it. A reply that was late or lost,
 * or an error of the CA's own, is no failure if the order went on.
 */
apr_status_t acme_validation_finalize(acme_task_attempt_t *attempt,
                                      const acme_task_t *task,
                                      acme_task_failure_t *why);

/* Report to the keeper that all names are validated. */
apr_status_t acme_validation_note(const acme_task_attempt_t *attempt,
                                  const acme_task_t *task,
                                  acme_result_t *res);

/* What was presented is answered no more, and its records are removed. */
void acme_validation_withdraw(acme_task_attempt_t *attempt,
                              const acme_task_t *task);

#endif
