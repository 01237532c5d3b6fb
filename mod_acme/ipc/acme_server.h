/*
 * acme_server.h - the httpd that the keeper belongs to: how it was started,
 * what it read, how it is asked to read it again.
 */
#ifndef ACME_SERVER_H
#define ACME_SERVER_H

#include <sys/types.h>

#include <apr_tables.h>

#include "acme_conf_snapshot.h"

/* What a line begins with in which our module complains in httpd -t. */
#define ACME_SERVER_TRIAL_MARK "acme: trial: "

/* A certificate and its key that mod_ssl loads, managed by somebody else. */
typedef struct {
    const char *cert;           /* paths */
    const char *key;
    const char *place;          /* "file:line" of the directive */
    const apr_array_header_t *ciphers;  /* for acme_pair_check() */
} acme_server_pair_t;

typedef struct {
    pid_t pid;                  /* the parent */
    int reload_signal;          /* 0: it can't be asked (-X) */
    const char *const *test;    /* argv of a configuration test */
    const char *const *list;    /* argv that lists the files read; such a run
                                   tests less: mod_ssl skips its paths */
    const char *cwd;            /* where it was started */
    const acme_conf_snapshot_t *baseline; /* of the files that it read */
    const apr_array_header_t *pairs;      /* acme_server_pair_t */
} acme_server_t;

#endif
