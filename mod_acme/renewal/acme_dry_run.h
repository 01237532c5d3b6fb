/*
 * acme_dry_run.h - what an order would do, up to valid authorizations.
 */
#ifndef ACME_DRY_RUN_H
#define ACME_DRY_RUN_H

#include "acme_task.h"

/*
 * Register the account, make an order for all names, answer the challenges with
 * the commands of AcmeHook pre and post, and report the result to the keeper.
 * The order is not finalized, and nothing is stored of it. request->ca is a
 * position of a dry run (acme_conf_dry_run_ca()). One that was stopped is made
 * again by who comes after us; half an hour after the request it has failed.
 *
 * The order stays at the CA until it expires there: an order has no end of its
 * own (8555, 7.1.6). Its authorizations are not deactivated (8555, 7.5.2). An
 * order that is under way may share them, and would come to nothing; and the
 * request has the payload that deactivates an account, while the keeper does
 * not know which URLs are authorizations.
 */
void acme_dry_run_run(const acme_task_env_t *env, acme_task_request_t *request,
                      apr_pool_t *p);

#endif
