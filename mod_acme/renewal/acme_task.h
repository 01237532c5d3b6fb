/*
 * acme_task.h - one certificate's work while it runs, and what it says to the
 * keeper.
 *
 * For the files of this floor that do such work alone.
 */
#ifndef ACME_TASK_H
#define ACME_TASK_H

#include "acme_authorization.h"
#include "acme_session.h"
#include "acme_client.h"
#include "acme_order.h"
#include "acme_renewal.h"

typedef struct {
    const acme_workshop_t *shop;
    acme_turn_t *turn;
    const acme_state_t *state;          /* the turn's */
    const acme_cert_conf_t *cert;
    acme_target_t about;                /* with the CA and the part of now */
    acme_client_t *client;
    acme_session_t session;
    const acme_msg_prepared_t *prepared;
    unsigned char *flags;               /* one for each configured name */
    apr_uint32_t with;                  /* ACME_WITH_...: asked of SIGN */
    acme_order_t *order;
    apr_array_header_t
        *answers; /* acme_challenge_response_t: presented by us */
    apr_array_header_t *records;        /* acme_dns01.c: TXT records */
    int persist_told; /* acme_persist_check_report() was called */
    const char *types;                  /* of challenges: "http-01, dns-01" */
    int valid_before;                   /* authorizations that were valid */
    int dead;                           /* nothing can come of the order */
    int ours;                           /* what failed is not the CA's */
    apr_uint32_t blamed;                /* name that failed, ACME_NO_NAME */
    apr_uint32_t blamed_challenge;      /* by this one, or ACME_CHALLENGES */
    apr_time_t begun;
    acme_result_t res;
    apr_pool_t *p;
} acme_task_t;

/*
 * Begin to work: a client of the keeper and a connection to the CA. NULL:
 * there is no keeper to tell. What borrowed the connection gives it back with
 * acme_task_end().
 */
acme_task_t *acme_task_begin(const acme_workshop_t *shop, acme_turn_t *turn,
                             apr_pool_t *p);
void acme_task_end(acme_task_t *work);

/* A random number from 0 to 999. */
int acme_task_chance(void);

/*
 * Each talks to the keeper; res of the work says what failed. prepare fills
 * prepared and, the first time, flags; an URL is the account's, the terms' or
 * the order's, "" when it is gone.
 */
apr_status_t acme_task_prepare(acme_task_t *work);
apr_status_t acme_task_tell_url(acme_task_t *work, acme_message_e kind,
                                const char *url);
apr_status_t acme_task_note(acme_task_t *work, acme_note_e what,
                            const char *detail);

/*
 * The part of the live certificate that the work is about: its chain, and the
 * URL where the CA has it, NULL when that is not known.
 */
apr_status_t acme_task_live(const char **purl, const char **ppem,
                            apr_size_t *plen, acme_task_t *work);

/* How a change of the account's key ended. */
apr_status_t acme_task_key(acme_task_t *work, acme_key_end_e end);

/* What the administrator wanted is done. */
apr_status_t acme_task_done(acme_task_t *work, acme_want_e want);

/* Hand in a chain; len 0: complete what waits on disk. url may be NULL. */
apr_status_t acme_task_install(acme_task_t *work, const char *pem,
                               apr_size_t len, const char *url);

#endif
