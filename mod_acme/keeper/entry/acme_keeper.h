/*
 * acme_keeper.h - the process that holds the keys and the store.
 *
 * The keeper is forked from httpd's parent and has the parent's user and one
 * thread. It serves one message after the other and never waits for the
 * network.
 */
#ifndef ACME_KEEPER_H
#define ACME_KEEPER_H

#include "acme_conf.h"
#include "acme_keeper_address.h"
#include "acme_live_pairs.h"
#include "acme_log.h"
#include "acme_server.h"
#include "acme_state.h"

/* A role, and the token that its processes show. */
typedef struct {
    int who;                    /* ACME_BY_...; 0: nobody's */
    const unsigned char *token; /* ACME_KEEPER_TOKEN_OCTETS */
} acme_keeper_role_t;

#define ACME_KEEPER_ROLES 2

typedef struct {
    const acme_conf_t *conf;
    const acme_server_t *server;
    const acme_log_t *log;
    int listener;               /* of acme_keeper_address_listen() */
    uid_t user;                 /* of the workers */
    acme_keeper_role_t roles[ACME_KEEPER_ROLES];
    int pulse;                  /* an octet a second is written to it; -1 */
    acme_live_pairs_t *live;    /* NULL: httpd reloads for a certificate */
    acme_publish_cb *publish;   /* both with baton */
    acme_held_cb *held;
    void *baton;

    /* Overwrite, in the process that parses certificates, the secrets in the
       memory that it has from httpd; with baton. NULL: there are none. */
    void (*forget)(void *baton);

    /* Between two looks. 0: 2 s and 1 s; only tests set less. */
    apr_interval_time_t store_wait;     /* at a store that is locked */
    apr_interval_time_t parked_wait;    /* at what can't be answered yet */

    /* How long a request waits for its answer. 0: 30 s; only tests set less. */
    apr_interval_time_t parked_max;

    /* See acme_channels_create(). 0: 20 s; only measuring sets more. */
    apr_interval_time_t credit;
} acme_keeper_t;

/*
 * Run the keeper in this process, whose signals, umask and limits are changed.
 * Returns after SIGTERM, when the parent has ended, or the listener was shut
 * down; the caller then exits the process. All that keeper points at lives as
 * long as the call. publish is called for each change of a state, held when a
 * reload is postponed or is no longer.
 */
void acme_keeper_run(const acme_keeper_t *keeper, apr_pool_t *p);

#endif
