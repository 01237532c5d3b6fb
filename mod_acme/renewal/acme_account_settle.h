/*
 * acme_account_settle.h - the account at a CA, as an order needs it.
 * (8555, 7.3)
 */
#ifndef ACME_ACCOUNT_SETTLE_H
#define ACME_ACCOUNT_SETTLE_H

#include "acme_task.h"

/*
 * Registered or found, with our contacts, its key the one that the CA has;
 * the attempt has what the keeper prepared with it. One thread at a time does
 * it.
 */
apr_status_t acme_account_settle(acme_task_attempt_t *attempt,
                                 const acme_task_t *task, acme_result_t *res);

/* The CA lost the account: the next one that settles it registers its key. */
apr_status_t acme_account_settle_forget(acme_task_attempt_t *attempt,
                                        const acme_task_t *task,
                                        acme_result_t *res);

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
