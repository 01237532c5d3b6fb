/*
 * acme_self_check_task.h - httpd is visited, as by a browser on this machine.
 */
#ifndef ACME_SELF_CHECK_TASK_H
#define ACME_SELF_CHECK_TASK_H

#include "acme_task.h"

/*
 * Make a TLS handshake with httpd at each place and for each name of the
 * certificate, compare what it shows with the live one, and tell the keeper.
 * No request is made. What is not as it should be is looked at again within
 * seconds: after a reload a process of before may answer. About a minute at
 * most; when stopped nothing is told.
 */
void acme_self_check_task_run(const acme_task_env_t *env,
                              acme_task_request_t *request, apr_pool_t *p);

#endif
