/*
 * acme_live_slot.c - texts in shared memory, with one writer.
 *
 * Words are written with release and read with acquire, not with fences, which
 * ThreadSanitizer does not know (t/threads): who has read a word of a writer
 * sees the odd counter that was written before it.
 */
#include <sched.h>

#include "acme_live_slot.h"

/* A writer takes microseconds, if it is not interrupted. */
#define TRIES 100

#define WORD sizeof(apr_uint32_t)

static apr_size_t words_of(apr_size_t octets)
{
    return (octets + WORD - 1) / WORD;
}

static void put(_Atomic apr_uint32_t *place, apr_uint32_t value)
{
    atomic_store_explicit(place, value, memory_order_release);
}

static apr_uint32_t get(const _Atomic apr_uint32_t *place)
{
    return atomic_load_explicit(place, memory_order_acquire);
}

void acme_live_slot_write(const acme_live_slot_t *slot, apr_uint32_t number,
                          const apr_uint32_t *data, apr_size_t octets)
{
    acme_live_slot_row_t *row = slot->row;
    const apr_uint32_t before = get(&row->sequence);
    const apr_uint32_t odd = before | 1;
    const apr_size_t used = words_of(octets);
    /* One that was killed may have written more than it says. */
    apr_size_t i, end = before & 1 ? slot->max : get(&row->octets);
    apr_uint32_t generation = odd / 2 + 1;

    put(&row->sequence, odd);
    for (i = 0; i < used; i++) {
        atomic_store_explicit(&slot->words[i], data[i], memory_order_release);
    }
    end = words_of(end < slot->max ? end : slot->max);
    for (; i < end; i++) {
        atomic_store_explicit(&slot->words[i], 0, memory_order_release);
    }
    if (!generation) {
        generation = 1;
    }
    put(&row->number, number);
    put(&row->octets, (apr_uint32_t)octets);
    put(&row->generation, octets ? generation : 0);
    put(&row->sequence, odd + 1);
}

/* What is there at this moment, which may be of two writings. */
static void copy_once(acme_live_slot_read_t *read)
{
    apr_size_t i, n;

    read->generation = get(&read->row->generation);
    read->number = get(&read->row->number);
    read->octets = get(&read->row->octets);
    n = read->octets <= read->max ? words_of(read->octets) : 0;
    for (i = 0; i < n; i++) {
        read->copy[i] = atomic_load_explicit(&read->words[i],
                                             memory_order_acquire);
    }
}

apr_status_t acme_live_slot_read(acme_live_slot_read_t *read)
{
    int i;

    for (i = 0; i < TRIES; i++) {
        const apr_uint32_t sequence = get(&read->row->sequence);

        if (!(sequence & 1)) {
            copy_once(read);
            if (get(&read->row->sequence) == sequence) {
                return !read->generation           ? APR_ENOENT
                       : read->octets <= read->max ? APR_SUCCESS
                                                   : APR_EINVAL;
            }
        }
        sched_yield();
    }
    return APR_EAGAIN;
}
