/*
 * acme_cert_known.c - what the process that parses certificates said last.
 */
#include <string.h>

#include <apr_pools.h>
#include <apr_strings.h>

#include "acme_cert_known.h"
#include "acme_digest.h"

/* More than orders that are installed together, each with some key types. */
#define ROWS 256

/* In all. Those of honest certificates have some hundred octets. */
#define OCTETS_MAX (ACME_CERT_KNOWN_MIN * ACME_CERT_FACTS_OCTETS_MAX)

typedef struct {
    unsigned char digest[ACME_DIGEST_OCTETS];
    acme_cert_facts_wire_t wire;
    char *text;
    apr_pool_t *p;
    int is_dropped;             /* found no more, and freed in its turn */
} row_t;

/* A ring: the oldest is first. */
static struct {
    row_t rows[ROWS];
    int first, count;
    apr_size_t octets;          /* of their texts */
} known;

static void drop_oldest(void)
{
    row_t *row = &known.rows[known.first];

    known.octets -= acme_cert_facts_octets(&row->wire);
    apr_pool_destroy(row->p);
    known.first = (known.first + 1) % ROWS;
    known.count--;
}

static row_t *find_row(const unsigned char *digest)
{
    int i;

    for (i = known.count; i-- > 0; ) {
        row_t *row = &known.rows[(known.first + i) % ROWS];

        if (!row->is_dropped
            && !memcmp(row->digest, digest, sizeof(row->digest))) {
            return row;
        }
    }
    return NULL;
}

int acme_cert_known_find(acme_cert_facts_wire_t *wire, const char **ptext,
                         const unsigned char *digest)
{
    const row_t *row = find_row(digest);

    if (row) {
        *wire = row->wire;
        *ptext = row->text;
    }
    return row != NULL;
}

void acme_cert_known_add(const unsigned char *digest,
                         const acme_cert_facts_wire_t *wire, const char *text)
{
    const apr_size_t len = acme_cert_facts_octets(wire);
    row_t *row;

    while (known.count == ROWS
           || (known.count && known.octets + len > OCTETS_MAX)) {
        drop_oldest();
    }
    row = &known.rows[(known.first + known.count++) % ROWS];
    memcpy(row->digest, digest, sizeof(row->digest));
    row->wire = *wire;
    row->is_dropped = 0;
    apr_pool_create(&row->p, NULL);
    row->text = apr_pmemdup(row->p, text, len);
    known.octets += len;
}

void acme_cert_known_drop(const unsigned char *digest)
{
    row_t *row = find_row(digest);

    if (row) {
        row->is_dropped = 1;
    }
}

void acme_cert_known_forget(void)
{
    while (known.count) {
        drop_oldest();
    }
}
