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

/* OpenSSL had no memory, or the like. */
#define FAILED_TIME apr_time_from_sec(60)

typedef struct {
    unsigned char digest[ACME_DIGEST_OCTETS];
    acme_cert_facts_wire_t wire;
    char *text;
    apr_pool_t *p;              /* NULL: it is over, and has no text */
    apr_time_t failed;          /* then; 0: it lasts */
} row_t;

/* A ring: the oldest is first. */
static struct {
    row_t rows[ROWS];
    int first, count;
    apr_size_t octets;          /* of their texts */
} known;

static void free_row(row_t *row)
{
    if (row->p) {
        known.octets -= acme_cert_facts_octets(&row->wire);
        apr_pool_destroy(row->p);
        row->p = NULL;
    }
}

static void drop_oldest(void)
{
    free_row(&known.rows[known.first]);
    known.first = (known.first + 1) % ROWS;
    known.count--;
}

/* A clock that was set back ends it too. */
static int is_over(const row_t *row, apr_time_t now)
{
    return row->failed
        && (now < row->failed || now - row->failed >= FAILED_TIME);
}

static row_t *find_row(const unsigned char *digest, apr_time_t now)
{
    int i;

    for (i = known.count; i-- > 0; ) {
        row_t *row = &known.rows[(known.first + i) % ROWS];

        if (row->p && is_over(row, now)) {
            free_row(row);
        }
        if (row->p && !memcmp(row->digest, digest, sizeof(row->digest))) {
            return row;
        }
    }
    return NULL;
}

int acme_cert_known_find(acme_cert_facts_wire_t *wire, const char **ptext,
                         const unsigned char *digest, apr_time_t now)
{
    const row_t *row = find_row(digest, now);

    if (row) {
        *wire = row->wire;
        *ptext = row->text;
    }
    return row != NULL;
}

static int has_failed(const acme_cert_facts_wire_t *wire)
{
    int i;

    for (i = 0; i < 3; i++) {
        if (wire->verdicts[i] == ACME_CERT_FACTS_FAILED) {
            return 1;
        }
    }
    return 0;
}

void acme_cert_known_add(const unsigned char *digest,
                         const acme_cert_facts_wire_t *wire, const char *text,
                         apr_time_t now)
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
    row->failed = has_failed(wire) ? now : 0;
    apr_pool_create(&row->p, NULL);
    row->text = apr_pmemdup(row->p, text, len);
    known.octets += len;
}

void acme_cert_known_forget(void)
{
    while (known.count) {
        drop_oldest();
    }
}
