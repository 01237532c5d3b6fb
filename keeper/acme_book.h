/*
 * acme_book.h - the keeper's book: the states of all certificates, and the
 * journal, log and board that hear of every change.
 */
#ifndef ACME_BOOK_H
#define ACME_BOOK_H

#include "acme_log.h"
#include "acme_message.h"
#include "acme_state.h"
#include "acme_store.h"

/* The board: shown to people, believed by nobody. */
typedef void acme_publish_cb(void *baton, const acme_state_t *state);

typedef struct {
    const acme_conf_t *conf;
    acme_store_t *store;
    const acme_log_t *log;
    acme_publish_cb *publish;
    void *publish_baton;
    acme_state_t *states;       /* one for each certificate, by its index */
    apr_uint64_t change;        /* the latest */
} acme_book_t;

/* Read all states; what is damaged is told to the log and survived. */
void acme_book_open(acme_book_t *book, apr_pool_t *p);

/* Read one state from the store again, after an installation. */
void acme_book_reload(acme_book_t *book, apr_uint32_t cert, apr_pool_t *p);

/* The state that changed first after change, or NULL. */
const acme_state_t *acme_book_next(const acme_book_t *book,
                                   apr_uint64_t change);

/* How many orders are under way. */
int acme_book_ordering(const acme_book_t *book);

/* What a worker reports of an order: ordered, validated, failed. */
void acme_book_note(acme_book_t *book, const acme_msg_note_t *note,
                    apr_time_t now, apr_pool_t *p);

/* A certificate is live: failures are forgotten. */
void acme_book_installed(acme_book_t *book, apr_uint32_t cert, apr_time_t now,
                         apr_pool_t *p);

/* The administrator wants a renewal now, whatever failed before. */
void acme_book_wanted(acme_book_t *book, apr_uint32_t cert, apr_time_t now,
                      apr_pool_t *p);

/* An order is (no longer) under way. */
void acme_book_order(acme_book_t *book, apr_uint32_t cert, int ordering,
                     apr_time_t now);

#endif
