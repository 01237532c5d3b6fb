/*
 * acme_ctl_keeper.h - requests to the keeper, through its control socket.
 */
#ifndef ACME_CTL_KEEPER_H
#define ACME_CTL_KEEPER_H

#include "acme_message.h"

typedef struct {
    int fd;                         /* -1: not connected */
    apr_interval_time_t timeout;    /* for the connection, for each reply */
    apr_pool_t *p;                  /* all replies are in it */
} acme_ctl_keeper_t;

/* A certificate, as the keeper describes it, or as it is in the store. */
typedef struct {
    acme_state_t state;
    int is_reload_held;         /* the next reload is postponed */
    apr_uint32_t challenges;    /* that can work here: bits of
                                   acme_challenge_e; 0: not known */
    int is_from_store;          /* see acme_ctl_store.h */
    const char *store_problem;  /* its journal cannot be read; NULL: it can */
    const char *id;
    apr_array_header_t *cas;        /* const char *: URLs of directories */
    apr_array_header_t *names;      /* const char * */
    const char *lacks;              /* configured names that the live one does
                                       not have: "a.org, b.org"; NULL: none is
                                       known. acme_ctl_store_lacks() */
} acme_ctl_cert_t;

/*
 * Connect to the keeper of the server with this AcmeStateDir; keeper->timeout
 * is set. A reload of httpd replaces the keeper: a refused connection is
 * retried for 2 seconds. Fails with the errno of connect(2), ENAMETOOLONG or
 * APR_TIMEUP; res names the socket, and it is not connected then.
 */
apr_status_t acme_ctl_keeper_connect(acme_ctl_keeper_t *keeper,
                                     const char *state_dir,
                                     acme_result_t *res, apr_pool_t *p);

/* Close the connection, if there is one. */
void acme_ctl_keeper_close(acme_ctl_keeper_t *keeper);

/*
 * Send one request and receive the reply, which belongs to keeper->p. body is
 * the struct of this kind. If the keeper refuses the request, its status is
 * returned and res is its result. APR_TIMEUP: there was no reply in time.
 */
apr_status_t acme_ctl_keeper_request(acme_message_t *reply,
                                     const acme_ctl_keeper_t *keeper,
                                     acme_message_e kind, const void *body,
                                     acme_result_t *res);

/* List all certificates. *pcerts (acme_ctl_cert_t) belongs to keeper->p. */
apr_status_t acme_ctl_keeper_list(apr_array_header_t **pcerts,
                                  const acme_ctl_keeper_t *keeper,
                                  acme_result_t *res);

#endif
