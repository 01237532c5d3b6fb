/*
 * acme_account_settle.h - the account at a CA, as an order needs it.
 * (8555, 7.3)
 */
#ifndef ACME_ACCOUNT_SETTLE_H
#define ACME_ACCOUNT_SETTLE_H

#include "acme_task.h"

/*
 * Registered or found: its URL is known, and the attempt has what the keeper
 * prepared with it. One thread at a time does it. This is all that an order
 * needs, and all that a worker does.
 */
apr_status_t acme_account_settle_url(acme_task_attempt_t *attempt,
                                     const acme_task_t *task,
                                     acme_result_t *res);

/*
 * The same, and the CA has our contacts, and its key is the one that the
 * keeper has. Only the witness is believed how that ended.
 */
apr_status_t acme_account_settle(acme_task_attempt_t *attempt,
                                 const acme_task_t *task, acme_result_t *res);

/*
 * After a failure, which res has: an account that the CA lost is registered
 * again, and where the CA may mean the account, it is asked which one our key
 * has (8555, 7.3.1). True when the task can be begun again with what came of
 * it.
 */
int acme_account_settle_again(acme_task_attempt_t *attempt,
                              const acme_task_t *task, acme_result_t *res);

/*
 * Report the URL of the CA's terms to the keeper, once in the life of this
 * child as long as it stays the same. The directory is fetched if need be.
 */
apr_status_t acme_account_settle_terms(const acme_task_t *task,
                                       acme_result_t *res);

/* Send our contacts to the CA, and report to the keeper that it has them. */
apr_status_t acme_account_settle_contacts(const acme_task_t *task,
                                          const char *account_url,
                                          acme_result_t *res);

#endif
