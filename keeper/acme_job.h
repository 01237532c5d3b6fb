/*
 * acme_job.h - a program that runs beside the keeper: no shell, a process
 * group of its own, its output read within a bound, ended after a time.
 */
#ifndef ACME_JOB_H
#define ACME_JOB_H

#include <apr_pools.h>
#include <apr_time.h>

#include "acme_result.h"

#define ACME_JOB_OUTPUT_MAX (1024 * 1024)

typedef struct acme_job_t acme_job_t;

/*
 * Start argv[0] with argv (NULL at its end) in the folder cwd, standard input
 * empty, both outputs collected. With p its process group is ended.
 */
apr_status_t acme_job_start(acme_job_t **pjob, const char *const *argv,
                            const char *cwd, apr_time_t deadline,
                            acme_result_t *res, apr_pool_t *p);

/* Readable when there is something to do; -1 when only time can help. */
int acme_job_fd(const acme_job_t *job);

/* When acme_job_step() is to be called at the latest. */
apr_time_t acme_job_wake(const acme_job_t *job, apr_time_t now);

/* Read on, end it if it is late. True when it has ended. */
int acme_job_step(acme_job_t *job, apr_time_t now);

/* After the end: its exit status, -1 when a signal or the deadline did it. */
int acme_job_exit(const acme_job_t *job);

/* What it wrote, NUL-terminated; output beyond the bound is dropped. */
const char *acme_job_output(const acme_job_t *job);

#endif
