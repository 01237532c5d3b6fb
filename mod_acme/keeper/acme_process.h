/*
 * acme_process.h - a program that runs beside the keeper: without a shell, in a
 * process group of its own, with a bound for its output and a deadline.
 *
 * The launcher executes it (acme_launcher.h). After its deadline its process
 * group gets SIGTERM, and SIGKILL two seconds later.
 */
#ifndef ACME_PROCESS_H
#define ACME_PROCESS_H

#include <poll.h>

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "acme_launcher_rules.h"
#include "acme_result.h"

#define ACME_PROCESS_OUTPUT_MAX (1024 * 1024)
/* Octets of a line for acme_process_line_cb. */
#define ACME_PROCESS_LINE_MAX 500
#define ACME_PROCESS_FDS        2

typedef struct acme_process_t acme_process_t;

/* A line of output, as soon as it is complete: no control characters, at most
   ACME_PROCESS_LINE_MAX octets, never empty. line is gone after the call. */
typedef void acme_process_line_cb(void *baton, const char *line);

typedef struct {
    const char *const *argv;    /* NULL at its end; [0] is found on PATH */
    const char *cwd;            /* NULL: "/" */
    const apr_array_header_t *env;  /* const char *: "NAME=value", beside
                                   PATH, LANG, LC_ALL; NULL: all of ours */
    const char *input;          /* its standard input; NULL: empty */
    apr_time_t deadline;
    apr_size_t output_max;      /* octets collected */
    acme_process_line_cb *line;     /* NULL: none */
    void *baton;
    const acme_launcher_export_t *export;       /* not a program: write this
                                   copy. argv is for messages; NULL: none */
    int outlives;               /* the job goes on when p ends: then SIGPIPE
                                   does not end it, but an alarm does, 5 s
                                   after its deadline */
} acme_process_conf_t;

/*
 * Start a job, standard output and standard error collected. input and baton
 * live as long as p; everything else in conf may go after the call. When p
 * ends, the process group is killed, unless the job outlives p. A caller that
 * gives an input ignores SIGPIPE.
 *
 * On failure *pjob is NULL, as of acme_launcher_run(). A program that
 * cannot be executed is not a failure here: the job ends with 126 or 127, and
 * its output has the reason.
 */
apr_status_t acme_process_launch(acme_process_t **pjob,
                                 const acme_process_conf_t *conf,
                                 acme_result_t *res, apr_pool_t *p);

/* The same with our environment, without an input and callbacks, and with at
   most ACME_PROCESS_OUTPUT_MAX octets of output. cwd NULL: "/", also where
   that folder is gone or may not be entered. */
apr_status_t acme_process_start(acme_process_t **pjob, const char *const *argv,
                                const char *cwd, apr_time_t deadline,
                                acme_result_t *res, apr_pool_t *p);

/* Call acme_process_step() when this is readable; -1: it has ended. */
int acme_process_fd(const acme_process_t *job);

/* As acme_process_fd(), of a job with an input: fills fds, returns how many. */
int acme_process_poll(const acme_process_t *job,
                      struct pollfd fds[ACME_PROCESS_FDS]);

/* Call acme_process_step() at this time at the latest. */
apr_time_t acme_process_wake(const acme_process_t *job);

/* Read, write, end the job if it is late. True when the job has ended. */
int acme_process_step(acme_process_t *job, apr_time_t now);

/* After the end: its exit status, -1 when a signal or the deadline did it. */
int acme_process_exit(const acme_process_t *job);

/* Did the job reach its deadline? */
int acme_process_late(const acme_process_t *job);

/* The output of the job, NUL-terminated, in p; never NULL. What is beyond
   output_max is dropped. */
const char *acme_process_output(const acme_process_t *job);

#endif
