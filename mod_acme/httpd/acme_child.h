/*
 * acme_child.h - a process beside the workers that httpd's parent forks, and
 * forks again when it died.
 */
#ifndef ACME_CHILD_H
#define ACME_CHILD_H

#include <httpd.h>

typedef struct acme_child_t acme_child_t;

/* All functions get baton; NULL: nothing is to be done. */
typedef struct {
    const char *what;           /* in messages: "witness" */
    void *baton;

    /* The process, which keeps all that the parent has, also what other forks
       forget; it exits when this returns. parent: whose end is its own. */
    void (*run)(void *baton, pid_t parent);

    /* In the parent: before each fork, and when it is over, also in vain. */
    void (*before_fork)(void *baton);
    void (*after_fork)(void *baton);

    /* In the parent, now and then: does it work? It runs as pid. */
    void (*check)(void *baton, pid_t pid);
} acme_child_conf_t;

/*
 * Fork it; conf is copied. It is stopped with p, the generation's: SIGTERM, and
 * after a second SIGKILL; *pchild is NULL from then on. Never fails the start:
 * what cannot be forked now is when acme_child_monitor() is called.
 */
void acme_child_start(acme_child_t **pchild, const acme_child_conf_t *conf,
                      server_rec *s, apr_pool_t *p);

/* Now and then, in the parent: check it, or fork it if it is not there. */
void acme_child_monitor(acme_child_t *child);

/* Its process; 0: none runs. */
pid_t acme_child_pid(const acme_child_t *child);

/* It was killed, and httpd was not told of its end: fork the next one. */
void acme_child_replace(acme_child_t *child);

/*
 * In the process, as soon as it has its user: it ends with its parent, nobody
 * traces it or reads its memory, it executes nothing with more rights, and it
 * leaves no core file.
 */
void acme_child_confine(pid_t parent);

#endif
