/*
 * acme_launcher.h - the process that executes what the keeper may not: the
 * administrator's commands, nsupdate, and httpd for a test; that writes the
 * copies of AcmeExport, in forks; and that signals httpd for a reload.
 *
 * The keeper forks it before it reads a key, and gives up its own rights
 * afterwards; the launcher keeps them, for what it executes. It trusts no
 * request: acme_launcher_rules.h says which commands there are. It ends with
 * the keeper, and kills what runs then, but for what outlives the keeper. What
 * a dead file system keeps from ending although it was killed delays nobody;
 * when there is much of it, less is started (APR_EAGAIN).
 *
 * A job begins with descriptors 0, 1 and 2 only, all signals at their default,
 * umask 077 (022 for AcmeHttp), in a process group of its own.
 */
#ifndef ACME_LAUNCHER_H
#define ACME_LAUNCHER_H

#include <apr_pools.h>

#include "acme_launcher_request.h"
#include "acme_launcher_rules.h"
#include "acme_result.h"

/* Descriptors of a job, the caller's, close-on-exec and non-blocking. */
typedef struct {
    int output;                 /* its standard output and standard error */
    int input;                  /* its standard input; -1: it is empty */
    int control;                /* gives the wait status, an int, once its
                                   first process has ended. When it is closed
                                   without DONE or KILL the group is killed,
                                   or outlives the keeper */
} acme_launcher_job_t;

/*
 * Fork the launcher, which stays until p ends or this process does. There is
 * one for a process: an earlier one ends. SIGCHLD tells that it ended. It has
 * this process's memory, rules in it, and no descriptor above standard error.
 */
apr_status_t acme_launcher_start(const acme_launcher_rules_t *rules,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Have a command executed, or a copy written. On failure there are no
 * descriptors: EPERM when the rules do not know it. A program that cannot be
 * executed is not a failure here: the job ends with 126 or 127, and its output
 * has the reason.
 */
apr_status_t acme_launcher_run(acme_launcher_job_t *job,
                               const acme_launcher_command_t *command,
                               acme_result_t *res, apr_pool_t *p);

/* Have httpd signalled for a reload: 0, or the errno of kill(2). */
apr_status_t acme_launcher_reload(acme_result_t *res);

/*
 * Have the process started that parses certificates (acme_cert_reader.h); an
 * earlier one is killed. *pfd is a stream socket to it, the caller's,
 * close-on-exec and non-blocking; -1 after a failure.
 */
apr_status_t acme_launcher_cert_reader(int *pfd, acme_result_t *res);

/* The same of the process that makes keys (acme_key_maker.h). */
apr_status_t acme_launcher_key_maker(int *pfd, acme_result_t *res);

/* Is there none, or did it end or stop to answer? Then nothing can be executed
   any more: the keeper ends as well, and its parent starts both again. */
int acme_launcher_is_gone(void);

#endif
