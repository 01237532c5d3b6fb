/*
 * acme_ctl_keeper.h - talking to the keeper, through its control socket.
 */
#ifndef ACME_CTL_KEEPER_H
#define ACME_CTL_KEEPER_H

#include "acme_message.h"

typedef struct {
    int fd;
    apr_pool_t *p;
} acme_ctl_keeper_t;

/* One certificate as the keeper described it. */
typedef struct {
    acme_state_t state;
    const char *id;
    apr_array_header_t *cas;        /* const char *: URLs of directories */
    apr_array_header_t *names;      /* const char * */
} acme_ctl_cert_t;

/*
 * Connect to the keeper whose AcmeStateDir this is. Each load of httpd has a
 * keeper of its own: while there is none, it is waited for, 2 seconds.
 */
apr_status_t acme_ctl_keeper_connect(acme_ctl_keeper_t *keeper,
                                     const char *state_dir,
                                     acme_result_t *res, apr_pool_t *p);

/*
 * Send one message and wait for its reply, in the pool of keeper. body is of
 * the type that acme_message.h has for kind. A refusal of the keeper is a
 * failure, with its reason in res.
 */
apr_status_t acme_ctl_keeper_request(acme_message_t *reply,
                                     const acme_ctl_keeper_t *keeper,
                                     acme_message_e kind, const void *body,
                                     acme_result_t *res);

/* All certificates (acme_ctl_cert_t), or with an id, the one that has it. */
apr_status_t acme_ctl_keeper_list(apr_array_header_t **pcerts,
                                  const acme_ctl_keeper_t *keeper,
                                  const char *id, acme_result_t *res);

#endif
