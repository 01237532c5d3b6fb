/*
 * acme_deploy.h - AcmeHook deploy: commands for each certificate that is
 * installed and active, until they have succeeded. (docs/design.md, Commands)
 *
 * Active is what the running httpd has loaded; with AcmeActivate none, and
 * without AcmeExport, what is installed. A certificate that was there before
 * the first command of deploy was configured is none: it was not installed for
 * it.
 */
#ifndef ACME_DEPLOY_H
#define ACME_DEPLOY_H

#include "acme_export_queue.h"
#include "acme_hook_run.h"
#include "acme_registry.h"

typedef struct acme_deploy_t acme_deploy_t;

/*
 * All arguments live at least as long as p. The commands of a certificate wait
 * for its copies in exports, for a while, and run once more when these are
 * there later. NULL: there are none.
 */
acme_deploy_t *acme_deploy_create(acme_registry_t *registry,
                                  acme_hook_runner_t *hooks,
                                  const acme_export_queue_t *exports,
                                  apr_pool_t *p);

/*
 * Have the commands of a certificate succeeded that were all started at this
 * time or later? What is on disk counts: a keeper that began just now does not
 * know better. True if none is configured.
 */
int acme_deploy_is_done_since(const acme_registry_t *registry,
                              apr_uint32_t cert, apr_time_t then,
                              apr_pool_t *p);

/*
 * Start the commands whose time has come: those of one certificate one after
 * the other, of several side by side. To be called after each change, and at
 * the time that it returns; 0: nothing waits for a time.
 */
apr_time_t acme_deploy_step(acme_deploy_t *deploy, apr_time_t now,
                            apr_pool_t *p);

#endif
