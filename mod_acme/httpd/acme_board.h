/*
 * acme_board.h - what all processes see: challenges to answer, states to
 * show.
 *
 * Anonymous shared memory. Workers can write to it, so the keeper believes
 * nothing in it. Readers take no lock.
 */
#ifndef ACME_BOARD_H
#define ACME_BOARD_H

#include <httpd.h>

#include "acme_state.h"

/* Of a key authorization: a token, a dot, a thumbprint. (8555, 8.1) */
#define ACME_KEY_AUTHORIZATION_SIZE 192

typedef struct acme_board_t acme_board_t;

/*
 * The board of this generation, made before the forks. The answers live on
 * from the last one: a validation in flight during a reload is answered by
 * either. States are of this configuration, so they are new.
 */
apr_status_t acme_board_create(acme_board_t **pboard, server_rec *s, int certs,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Answer a token with its key authorization from now on. ENOSPC: the table is
 * full, and nothing in it was replaced.
 */
apr_status_t acme_board_present(acme_board_t *board, const char *token,
                                const char *key_authorization,
                                acme_result_t *res);
void acme_board_withdraw(acme_board_t *board, const char *token);

/*
 * The key authorization for a token, into buf (of the size above). False when
 * it is none of ours.
 */
int acme_board_find(acme_board_t *board, const char *token, char *buf);

/* A validator was answered; and how often it was. */
void acme_board_count(acme_board_t *board, const char *token);
apr_uint32_t acme_board_seen(acme_board_t *board, const char *token);

/*
 * The same for tls-alpn-01: the SNI that a validator sends (as
 * acme_alpn_cert_sni() has it) is answered with ACME_ALPN_DIGEST_OCTETS
 * octets. A name has one digest: the last one that was presented.
 */
apr_status_t acme_board_present_alpn(acme_board_t *board, const char *sni,
                                     const unsigned char *digest,
                                     acme_result_t *res);
void acme_board_withdraw_alpn(acme_board_t *board, const char *sni);
int acme_board_find_alpn(acme_board_t *board, const char *sni,
                         unsigned char *digest);
void acme_board_count_alpn(acme_board_t *board, const char *sni);
apr_uint32_t acme_board_seen_alpn(acme_board_t *board, const char *sni);

/* One writer: the keeper. */
void acme_board_publish(acme_board_t *board, const acme_state_t *state);
void acme_board_hold(acme_board_t *board, const char *reason);

/*
 * A copy of a state; false when it can't be had (yet). A row that somebody
 * writes to is read again, which takes one of *ptries a time: a worker that
 * keeps writing to all rows costs one page no more than these, and whoever
 * reads one row alone begins with ACME_BOARD_TRIES as well.
 */
#define ACME_BOARD_TRIES 10000
int acme_board_state(const acme_board_t *board, int cert,
                     acme_state_t *state, int *ptries);
/* Why a reload is held back, into buf; "" when none is. */
void acme_board_held(const acme_board_t *board, char *buf, apr_size_t size);

/* Another number than before when a state was published since. */
apr_uint32_t acme_board_changes(const void *board);

/* The processes, for people: 0 when not known. */
void acme_board_set_keeper_pid(acme_board_t *board, pid_t pid);
void acme_board_set_renewal_pid(acme_board_t *board, pid_t pid);
void acme_board_pids(const acme_board_t *board, pid_t *keeper,
                     pid_t *renewal);

#endif
