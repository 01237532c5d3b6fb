/*
 * threads_live_slot.c - one thread writes, others read, all on one mapping:
 * ThreadSanitizer knows memory by its address, and would not see a race between
 * two mappings, as processes have them.
 *
 * Each writing is one number over and over, so a copy that is of two is seen.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "acme_live_slot.h"

#define READERS 4
#define WRITINGS 20000
#define WORDS 512
#define OCTETS_MAX (WORDS * sizeof(apr_uint32_t))

static acme_live_slot_row_t row;
static acme_live_slot_word_t memory[WORDS];

static void fail(const char *what)
{
    fprintf(stderr, "threads_live_slot: %s\n", what);
    exit(1);
}

/* Longer and shorter ones, and now and then nothing. */
static apr_size_t octets_of(apr_uint32_t n)
{
    return n % 7 == 3 ? 0 : 8 + n * 40 % (OCTETS_MAX - 8);
}

static void *write_all(void *unused)
{
    const acme_live_slot_t slot = { &row, memory, OCTETS_MAX };
    apr_uint32_t data[WORDS];
    apr_uint32_t n;
    int i;

    for (n = 1; n <= WRITINGS; n++) {
        for (i = 0; i < WORDS; i++) {
            data[i] = n;
        }
        acme_live_slot_write(&slot, n, data, octets_of(n));
    }
    return unused;
}

static void check(const acme_live_slot_read_t *read, apr_uint32_t last)
{
    apr_size_t i;

    if (read->number < last) {
        fail("an older one was read after a newer one");
    }
    if (read->octets != octets_of(read->number)) {
        fail("the length is of another writing");
    }
    for (i = 0; i < read->octets / sizeof(apr_uint32_t); i++) {
        if (read->copy[i] != read->number) {
            fail("a word is of another writing");
        }
    }
}

static void *read_all(void *counted)
{
    apr_uint32_t copy[WORDS];
    acme_live_slot_read_t read = { .row = &row, .words = memory,
                                   .max = OCTETS_MAX, .copy = copy };
    apr_uint32_t last = 0;

    while (last < WRITINGS) {
        const apr_status_t rv = acme_live_slot_read(&read);

        if (rv == APR_EINVAL) {
            fail("a writing was taken for none of ours");
        }
        if (rv == APR_SUCCESS) {
            check(&read, last);
            last = read.number;
            ++*(long *)counted;
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t writer, readers[READERS];
    long counted[READERS] = { 0 };
    int i;

    for (i = 0; i < READERS; i++) {
        if (pthread_create(&readers[i], NULL, read_all, &counted[i])) {
            fail("no thread");
        }
    }
    if (pthread_create(&writer, NULL, write_all, NULL)) {
        fail("no thread");
    }
    pthread_join(writer, NULL);
    for (i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        if (!counted[i]) {
            fail("a reader has read nothing");
        }
    }
    printf("threads_live_slot: %d writings, %d readers: no race\n", WRITINGS,
           READERS);
    return 0;
}
