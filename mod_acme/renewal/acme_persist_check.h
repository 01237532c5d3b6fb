/*
 * acme_persist_check.h - the record of dns-persist-01: is it there?
 */
#ifndef ACME_PERSIST_CHECK_H
#define ACME_PERSIST_CHECK_H

#include "acme_task.h"

/*
 * Does the DNS have a record that authorises our account for this name? A
 * warning is logged when its end comes near. When there is none, *pwhy is a
 * sentence with the record to set.
 */
int acme_persist_check_is_there(const char **pwhy,
                                const acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const acme_authorization_t *authz,
                                const acme_challenge_t *challenge);

/*
 * Report to the keeper what such a record looks like at this CA, so that
 * acmectl can print it: as an authorization has it, or the directory, where
 * it says so before any order (draft 2). False when it has none.
 */
int acme_persist_check_report(const acme_task_t *task,
                              const acme_authorization_t *authz);
int acme_persist_check_report_directory(const acme_task_t *task,
                                        const acme_directory_t *dir);

#endif
