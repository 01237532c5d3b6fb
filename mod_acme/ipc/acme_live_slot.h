/*
 * acme_live_slot.h - texts in shared memory, with one writer and readers that
 * take no lock.
 *
 * A sequence counter is odd while something is written. All accesses are
 * atomic, word by word, so that a reader that meets the writer reads what is of
 * no use, and no more; it sees that by the counter, and reads again.
 */
#ifndef ACME_LIVE_SLOT_H
#define ACME_LIVE_SLOT_H

#include <stdatomic.h>

#include <apr.h>
#include <apr_errno.h>

/* Readers cannot write there: a load that is done with a lock, or with a write
   as of 64 bits on some processors of 32, would end them. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && sizeof(apr_uint32_t) == sizeof(int),
               "atomic words of 32 bits are read without a lock");

typedef _Atomic apr_uint32_t acme_live_slot_word_t;

/* Apart from the texts: a row of nothing costs no page of its own. */
typedef struct {
    _Atomic apr_uint32_t sequence;
    _Atomic apr_uint32_t generation;    /* 0: there is nothing */
    _Atomic apr_uint32_t number;        /* what the writer says of it */
    _Atomic apr_uint32_t octets;        /* that the texts take */
} acme_live_slot_row_t;

typedef struct {
    acme_live_slot_row_t *row;
    acme_live_slot_word_t *words;
    apr_size_t max;             /* octets that words have room for */
} acme_live_slot_t;

/* The same for a reader, and the copy that it makes: of max octets. */
typedef struct {
    const acme_live_slot_row_t *row;
    const acme_live_slot_word_t *words;
    apr_size_t max;
    apr_uint32_t *copy;
    apr_uint32_t generation;    /* these are read */
    apr_uint32_t number;
    apr_size_t octets;
} acme_live_slot_read_t;

/*
 * The only writer: these octets are there, of at most max; the last word of
 * data, which begins at a word, is read whole. 0 octets: nothing is. What was
 * there is overwritten, also what a writer left that was killed.
 */
void acme_live_slot_write(const acme_live_slot_t *slot, apr_uint32_t number,
                          const apr_uint32_t *data, apr_size_t octets);

/* APR_ENOENT: there is nothing. APR_EAGAIN: the writer does not come to an end.
   APR_EINVAL: more than max octets are said to be there. */
apr_status_t acme_live_slot_read(acme_live_slot_read_t *read);

#endif
