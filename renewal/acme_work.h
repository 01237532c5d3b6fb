/*
 * acme_work.h - one renewal while it runs, and what it says to the keeper.
 *
 * For acme_renewal.c and acme_validation.c alone.
 */
#ifndef ACME_WORK_H
#define ACME_WORK_H

#include "acme_ca.h"
#include "acme_client.h"
#include "acme_order.h"
#include "acme_renewal.h"

typedef struct {
    const acme_workshop_t *shop;
    const acme_state_t *state;          /* how it stood when we began */
    const acme_cert_conf_t *cert;
    acme_client_t *client;
    acme_session_t session;
    const acme_msg_prepared_t *prepared;
    acme_order_t *order;
    apr_array_header_t *tokens;         /* const char *: presented by us */
    int valid_before;                   /* authorizations that were valid */
    int dead;                           /* nothing can come of the order */
    apr_time_t begun;
    acme_result_t res;
    apr_pool_t *p;
} acme_work_t;

/* The session's way to a signature. (acme_sign_cb) */
apr_status_t acme_work_sign(const char **pbody, void *baton, acme_sign_e kind,
                            const char *url, const char *nonce,
                            acme_result_t *res, apr_pool_t *p);

/*
 * Each talks to the keeper; res of the work says what failed. prepare fills
 * prepared; an URL is the account's or the order's, "" when it is gone.
 */
apr_status_t acme_work_prepare(acme_work_t *work);
apr_status_t acme_work_tell_url(acme_work_t *work, acme_message_e kind,
                                const char *url);
apr_status_t acme_work_note(acme_work_t *work, acme_note_e what,
                            const char *detail);

#endif
