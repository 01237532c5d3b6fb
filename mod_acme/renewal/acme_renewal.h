/*
 * acme_renewal.h - one certificate, from the order to the installation.
 *
 * Plain code that is read downwards; it may wait, for the CA or the keeper,
 * and leaves at once when stopped. What it got so far is resumed from.
 */
#ifndef ACME_RENEWAL_H
#define ACME_RENEWAL_H

#include <stdatomic.h>

#include "acme_ca_pool.h"
#include "acme_challenge.h"
#include "acme_state.h"
#include "acme_stop.h"

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

/* What all renewals of a child share. */
typedef struct {
    const acme_conf_t *conf;
    acme_ca_pool_t *cas;
    const acme_solver_t *solver;
    int keeper;                 /* the workers' end of the inherited pair */
    acme_stop_t *stop;
} acme_workshop_t;

/* A certificate's turn. */
typedef struct {
    acme_state_t state;         /* as it stood when the turn began */
    apr_uint32_t ca;            /* a position among its CAs */
    atomic_int away;            /* it waits for a DNS, which can last: its
                                   place among AcmeParallel is another's */
} acme_turn_t;

/*
 * Get the certificate from this CA, or do there what is wanted. Success and
 * failure are told to the keeper; nothing is returned.
 */
void acme_renewal_run(const acme_workshop_t *shop, acme_turn_t *turn,
                      apr_pool_t *p);

#endif
