/*
 * acme_keeper.h - the process that keeps keys and store.
 *
 * Forked from httpd's parent, with its user. It has one thread and serves one
 * message after the other; nothing in it waits for the network.
 */
#ifndef ACME_KEEPER_H
#define ACME_KEEPER_H

#include "acme_conf.h"
#include "acme_log.h"
#include "acme_server.h"
#include "acme_state.h"

typedef struct {
    const acme_conf_t *conf;
    const acme_server_t *server;
    const acme_log_t *log;
    int fd;                     /* the keeper's end of the inherited pair */
    acme_publish_cb *publish;   /* both with baton */
    acme_held_cb *held;
    void *baton;

    /* Between two looks. 0: 2 s and 1 s; only tests set less. */
    apr_interval_time_t store_wait;     /* at a store that is locked */
    apr_interval_time_t parked_wait;    /* at what can't be answered yet */
} acme_keeper_t;

/*
 * Be the keeper: returns when it was told to end (SIGTERM), or when its
 * parent or all who could ask it are gone. The caller then exits the process.
 */
void acme_keeper_run(const acme_keeper_t *keeper, apr_pool_t *p);

#endif
