/*
 * fake_keeper.h - a keeper that holds no key and keeps nothing on disk: what
 * tasks of a worker ask of it, and what they report.
 *
 * It is a thread that answers at an address of its own. It remembers the URLs
 * that it is told, as the real one does, and signs nothing: a signed body is
 * "order fresh", the kind and the nonce.
 */
#ifndef FAKE_KEEPER_H
#define FAKE_KEEPER_H

#include "acme_message.h"

#define FAKE_KEEPER_CERTS 8
#define FAKE_KEEPER_PARTS 3

typedef struct fake_keeper_t fake_keeper_t;

fake_keeper_t *fake_keeper_start(void);
void fake_keeper_stop(fake_keeper_t *keeper);

/* Lives as long as keeper. */
const acme_keeper_address_t *fake_keeper_address(const fake_keeper_t *keeper);

/* What PREPARE brings; changed between tasks only. */
acme_msg_prepared_t *fake_keeper_prepared(fake_keeper_t *keeper,
                                          unsigned cert, unsigned part);
void fake_keeper_set_flags(fake_keeper_t *keeper, const char *flags);

/* What LIVE brings: PEM, which lives as long; "" at first. */
void fake_keeper_set_live(fake_keeper_t *keeper, const char *pem);

/* A state changed: CHANGES brings it. Returns its number. */
apr_uint64_t fake_keeper_change(fake_keeper_t *keeper,
                                const acme_state_t *state);

/* Answers of this kind wait until that is taken back. */
void fake_keeper_hold(fake_keeper_t *keeper, acme_message_e kind);
void fake_keeper_release(fake_keeper_t *keeper, acme_message_e kind);

/* This kind fails with APR_EINVAL from now on; or never does (NULL). */
void fake_keeper_refuse(fake_keeper_t *keeper, acme_message_e kind,
                        const char *detail);

/*
 * What came, a line each: "PREPARE 0.1", "ORDER 0.0 URL", "NOTE 0.0 failed
 * name 0 by 1: DETAIL", "NOTE 0.0 limit ca-paused: DETAIL", "SERVED 0.0 is
 * 3 at PLACES, others SERIALS: DETAIL" (acme_check_e), "PACE 0.0 unseen"
 * (what was measured); but for SIGN, CHANGES and HELLO. Until the next call.
 */
const char *fake_keeper_log(fake_keeper_t *keeper);

/* Wait until text came so often; the test fails when it does not in 20 s. */
void fake_keeper_await(fake_keeper_t *keeper, const char *text, int times);

/* The last note that a task failed. */
acme_msg_note_t fake_keeper_failure(fake_keeper_t *keeper);

#endif
