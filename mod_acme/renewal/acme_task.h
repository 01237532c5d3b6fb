/*
 * acme_task.h - one certificate's task: what it is done with, what has come
 * of it, and what it says to the keeper.
 *
 * For the files of this floor that do such a task. It does not change while
 * it is done; what does is the attempt.
 */
#ifndef ACME_TASK_H
#define ACME_TASK_H

#include <stdatomic.h>

#include "acme_authorization.h"
#include "acme_ca_pool.h"
#include "acme_keeper_client.h"
#include "acme_dns_lookup.h"
#include "acme_order.h"
#include "acme_timing.h"

/*
 * Where challenges of http-01 and tls-alpn-01 are answered. The functions are
 * called from any thread. present: from its return on it is answered; ENOSPC
 * when there is no room. seen counts how often it was asked for.
 */
typedef struct {
    void *baton;
    apr_status_t (*present)(void *baton,
                            const acme_challenge_response_t *answer,
                            acme_result_t *res);
    void (*withdraw)(void *baton, const acme_challenge_response_t *answer);
    apr_uint32_t (*seen)(void *baton, const acme_challenge_response_t *answer);
} acme_solver_t;

/* Failures in a row after which an order that the CA refuses is dropped,
   whatever it says. */
#define ACME_ORDER_TRIES_MAX 3

/* How long an order is waited for, and when it is fetched meanwhile. */
typedef struct {
    apr_interval_time_t seen_every;     /* look whether validators came */
    acme_look_bounds_t looks;           /* at the order */
    apr_interval_time_t failing;        /* between two of them while a
                                           challenge has an error */
    apr_interval_time_t authorizations; /* they are fetched, too, after this */
    apr_interval_time_t total;          /* then it is given up */
    apr_interval_time_t error_lasts;    /* a pending challenge with an error has
                                           failed after this; ten times as long
                                           where the CA itself retries */
} acme_task_waits_t;

/* Those that suit the CAs of this world. */
extern const acme_task_waits_t acme_task_waits;

/* What all tasks of a child process share. */
typedef struct {
    const acme_conf_t *conf;
    acme_ca_pool_t *cas;
    const acme_solver_t *solver;
    const acme_task_waits_t *waits;
    acme_dns_lookup_conf_t dns;
    acme_stop_t *stop;
    const acme_keeper_address_t *keeper;        /* lives as long */
} acme_task_env_t;

/* Which certificate, at which CA. */
typedef struct {
    acme_state_t state;         /* as it was when the task began */
    apr_uint32_t ca;            /* a position among its CAs */
    atomic_int waits_for_dns;   /* or for a command, which can last: set by the
                                   task, whose place among AcmeParallel is
                                   another's */
} acme_task_request_t;

/* What the keeper signs next, and what messages are about. */
typedef struct {
    acme_keeper_client_t *keeper;
    acme_target_t about;
    apr_uint32_t with;          /* ACME_WITH_... */
    const char *id;             /* of the certificate */
    apr_time_t end;             /* nothing is signed any more */
} acme_task_signing_t;

typedef struct {
    const acme_task_env_t *env;
    acme_task_request_t *request;
    const acme_state_t *state;          /* the request's */
    const acme_cert_conf_t *cert;
    acme_keeper_client_t *keeper;
    acme_session_t *session;            /* a connection for each request */
    acme_task_signing_t *signing;       /* the session's */
    apr_time_t begun;
    apr_pool_t *p;                      /* cleared after each order */
    apr_pool_t *lasting;                /* as long as the task */
} acme_task_t;

/* One order on its way, for one part of the certificate. */
typedef struct {
    const acme_msg_prepared_t *prepared;
    unsigned char *flags;               /* one for each configured name; kept
                                           from one order to the next */
    acme_order_t *order;
    apr_pool_t *order_pool;             /* of an order that was fetched while
                                           it is waited for; NULL: none */
    acme_order_scope_t scope;           /* of the order */
    const char *types;                  /* of challenges that were chosen:
                                           "http-01, dns-01"; NULL: none */
    int is_handed_back;                 /* a new order that was finalized
                                           before, and not by us */
    int is_validating;                  /* acme_batch_member.h; and when the
                                           keeper was told last */
    apr_time_t joined_at;
    int valid_before;                   /* authorizations that were valid */
    apr_array_header_t *answered;       /* acme_validation.c: authorizations
                                           and their challenges */
    apr_array_header_t *answers;        /* acme_challenge_response_t: those
                                           that are presented */
    apr_array_header_t *published;      /* acme_publish_row_t: TXT records and
                                           tokens; NULL: none */
} acme_task_attempt_t;

/* Why it failed. */
typedef struct {
    acme_result_t res;
    apr_uint32_t name;          /* position of the one that failed;
                                   ACME_NO_NAME: none did */
    apr_uint32_t challenge;     /* acme_challenge_e that failed on it, or
                                   ACME_CHALLENGES */
    int order_is_lost;          /* nothing can come of it any more */
    int is_local;               /* it says nothing about the CA */
    int is_postponed;           /* by the CA until res.retry_at: no failure */
} acme_task_failure_t;

/* Nothing has failed yet. */
void acme_task_failure_clear(acme_task_failure_t *why);

/*
 * May the CA be asked now? It may in any case when the administrator wants
 * it. After a failure its directory is fetched anew.
 */
int acme_task_may_begin(const acme_task_env_t *env,
                        const acme_task_request_t *request);

/*
 * Begin: with a client of the keeper. *ptask is NULL when there is no keeper, to
 * whom a failure could be reported.
 */
apr_status_t acme_task_begin(const acme_task_t **ptask,
                             const acme_task_env_t *env,
                             acme_task_request_t *request,
                             acme_task_failure_t *why, apr_pool_t *p);

/*
 * After the keeper refused what the CA issued: another order would bring the
 * same, so it is not made before a day has passed since the one before; and
 * why, where it is an older order's.
 */
void acme_task_explain_refused(acme_task_failure_t *why,
                               const acme_task_attempt_t *attempt,
                               const acme_task_t *task);

/*
 * Report how it ended: to the pool of CAs, and a failure to the keeper, with
 * the time of the next try. Nothing is reported of one that was stopped.
 */
void acme_task_end(const acme_task_t *task, apr_status_t rv,
                   const acme_task_failure_t *why);

/* A connection to the CA, for what is not a request of the session's. */
apr_status_t acme_task_borrow(acme_http_t **phttp, const acme_task_t *task,
                              acme_result_t *res);
void acme_task_give_back(const acme_task_t *task, acme_http_t *http);

/* What the pool of CAs learns from the replies of this task. */
void acme_task_report_ca(const acme_task_t *task, const acme_result_t *why);

/* Is it a dry run: is the request at a position of one? Then nothing is stored
   of its orders, and notes are steps of the dry run. */
int acme_task_is_dry_run(const acme_task_t *task);

/* A random number from 0 to 999. */
int acme_task_chance(void);

/* Key, CSR and account as the keeper has them; the first time also flags. */
apr_status_t acme_task_prepare(acme_task_attempt_t *attempt,
                               const acme_task_t *task, acme_result_t *res);

/* The URL of the account, the terms or the order; "": it is gone. */
apr_status_t acme_task_send_url(const acme_task_t *task, acme_message_e kind,
                                const char *url, acme_result_t *res);

/* For the log and the journal; of a dry run for the log. */
apr_status_t acme_task_note(const acme_task_t *task, acme_note_e what,
                            const char *detail, acme_result_t *res);

/* A name failed with no other challenge left, as the one in the failure that
   acme_task_end() reports of the same order. */
apr_status_t acme_task_note_name(const acme_task_t *task,
                                 const acme_task_failure_t *why,
                                 acme_result_t *res);

/* A challenge failed on a name, and another one is tried. */
apr_status_t acme_task_note_challenge(const acme_task_t *task,
                                      const acme_task_failure_t *why,
                                      acme_result_t *res);

/* A chain in PEM. */
typedef struct {
    const char *pem;
    apr_size_t len;
    const char *url;            /* where the CA has it; NULL: not known */
} acme_task_chain_t;

/* The part of the live certificate that the task is about. */
apr_status_t acme_task_fetch_live(acme_task_chain_t *chain,
                                  const acme_task_t *task, acme_result_t *res);

/* How a change of the account's key ended. */
apr_status_t acme_task_send_key(const acme_task_t *task, acme_key_end_e end,
                                acme_result_t *res);

/* What the administrator asked for is done. */
apr_status_t acme_task_send_done(const acme_task_t *task, acme_want_e want,
                                 acme_result_t *res);

/* How long the CA took. It is worth no failure. */
void acme_task_send_pace(const acme_task_t *task, acme_msg_pace_t *measured);

/* Hand in a chain and where it came from. */
apr_status_t acme_task_install(const acme_task_t *task, const char *pem,
                               apr_size_t len, const char *url,
                               acme_result_t *res);

/* This part was handed in before: complete what waits for the others. */
apr_status_t acme_task_install_waiting(const acme_task_t *task,
                                       acme_result_t *res);

#endif
