/*
 * acme_server.h - the httpd that the keeper belongs to: how it was started,
 * which files it read, how it is reloaded.
 */
#ifndef ACME_SERVER_H
#define ACME_SERVER_H

#include <sys/types.h>

#include "acme_conf_snapshot.h"

/* The beginning of a line in which our own module complains in httpd -t. */
#define ACME_SERVER_TRIAL_MARK "acme: trial: "

typedef struct {
    pid_t pid;                  /* the parent */
    int reload_signal;          /* 0: it cannot be reloaded (-X) */
    const char *const *test;    /* argv of a configuration test */
    const char *const *list;    /* argv that lists the files read; this run
                                   tests less: mod_ssl skips its paths */
    apr_interval_time_t test_limit;     /* each of them is ended after this */
    const char *cwd;            /* where it was started; may be gone */
    char *title;                /* memory that ps shows of a fork of it; NULL:
                                   not known */
    apr_size_t title_size;
    const acme_conf_snapshot_t *baseline; /* of the files that it read */
} acme_server_t;

#endif
