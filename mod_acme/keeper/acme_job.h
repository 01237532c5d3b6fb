/*
 * acme_job.h - a program that runs beside the keeper: no shell, a process
 * group of its own, its output read within a bound, ended after a time.
 *
 * It begins with descriptors 0, 1 and 2 alone, every signal at its default,
 * umask 077. Late, its process group gets SIGTERM, and SIGKILL two seconds
 * after.
 */
#ifndef ACME_JOB_H
#define ACME_JOB_H

#include <poll.h>

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "acme_result.h"

#define ACME_JOB_OUTPUT_MAX (1024 * 1024)
#define ACME_JOB_LINE_MAX   500         /* octets of a line that is told */
#define ACME_JOB_FDS        2

typedef struct acme_job_t acme_job_t;

/* A line of output as it comes, cleaned and bounded; never an empty one. */
typedef void acme_job_line_cb(void *baton, const char *line);

typedef struct {
    const char *const *argv;    /* NULL at its end; [0] is found on PATH */
    const char *cwd;            /* NULL: "/" */
    const apr_array_header_t *env;  /* const char *: "NAME=value", beside
                                   PATH, LANG, LC_ALL; NULL: all of ours */
    const char *input;          /* its standard input; NULL: empty */
    apr_time_t deadline;
    apr_size_t output_max;      /* octets collected */
    acme_job_line_cb *line;     /* NULL: none */
    void *baton;
    int outlives;               /* it goes on when p ends: then no SIGPIPE
                                   ends it, but an alarm does some seconds
                                   after its deadline */
} acme_job_conf_t;

/*
 * Start it, both outputs collected. What conf points at is used up, but for
 * input and baton, which live as long as p. With p the process group is
 * ended, unless it outlives p. SIGPIPE is ignored by whoever gives an input.
 * What can't be executed ends with 126 or 127 and says why in its output.
 */
apr_status_t acme_job_launch(acme_job_t **pjob, const acme_job_conf_t *conf,
                             acme_result_t *res, apr_pool_t *p);

/* The same with our environment, no input and no lines told. */
apr_status_t acme_job_start(acme_job_t **pjob, const char *const *argv,
                            const char *cwd, apr_time_t deadline,
                            acme_result_t *res, apr_pool_t *p);

/* Readable when there is something to do; -1 when only time can help. */
int acme_job_fd(const acme_job_t *job);

/* As acme_job_fd(), of a job with an input: fills fds, returns how many. */
int acme_job_poll(const acme_job_t *job, struct pollfd fds[ACME_JOB_FDS]);

/* When acme_job_step() is to be called at the latest. */
apr_time_t acme_job_wake(const acme_job_t *job, apr_time_t now);

/* Read and write on, end it if it is late. True when it has ended. */
int acme_job_step(acme_job_t *job, apr_time_t now);

/* After the end: its exit status, -1 when a signal or the deadline did it. */
int acme_job_exit(const acme_job_t *job);

/* Was it ended because of its deadline? */
int acme_job_late(const acme_job_t *job);

/* What it wrote, NUL-terminated; output beyond the bound is dropped. */
const char *acme_job_output(const acme_job_t *job);

#endif
