/*
 * acme_persist_check.h - the record of dns-persist-01: is it there?
 */
#ifndef ACME_PERSIST_CHECK_H
#define ACME_PERSIST_CHECK_H

#include "acme_task.h"

/*
 * Does the DNS have a record that authorises our account for this name? Its
 * end is told when it comes near. When there is none, *pwhy is a sentence with
 * the record that is to be set.
 */
int acme_persist_check_is_there(const char **pwhy, acme_task_t *work,
                                const acme_authorization_t *authz,
                                const acme_challenge_t *challenge);

/*
 * Tell the keeper what such a record looks like at this CA, so that acmectl
 * can print it: as an authorization has it, or the directory, where it says
 * so before any order (draft 2). What has neither is passed over.
 */
void acme_persist_check_report(acme_task_t *work,
                               const acme_authorization_t *authz);
void acme_persist_check_report_directory(acme_task_t *work,
                                         const acme_directory_t *dir);

#endif
