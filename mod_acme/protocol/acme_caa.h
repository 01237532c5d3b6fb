/*
 * acme_caa.h - may a CA issue for a name, by its CAA records? (8659, 8657)
 *
 * A function of its arguments: who looks the records up climbs the tree, and
 * passes those of the first name that has some.
 */
#ifndef ACME_CAA_H
#define ACME_CAA_H

#include <apr_tables.h>

/* The CA, and what it would issue by. */
typedef struct {
    const apr_array_header_t *identities;       /* const char *: its names in
                                           CAA records; empty: not known */
    const char *account_url;    /* NULL: not known */
    const char *challenge;      /* "http-01"; NULL: not known */
    int is_wildcard;            /* for a wildcard name */
} acme_caa_issuer_t;

typedef enum {
    ACME_CAA_ALLOWED,
    ACME_CAA_UNKNOWN,           /* it depends on what issuer does not say */
    ACME_CAA_FORBIDDEN
} acme_caa_e;

/*
 * Do records (const char *, as acme_dns_rr_t has those of CAA) allow issuer?
 * No records allow everybody. *pwhy is a part of a sentence in p, such as
 * "they name other CAs only: example.net"; "" when it is ALLOWED. A stranger's
 * octets in it are printable.
 */
acme_caa_e acme_caa_decide(const char **pwhy,
                           const apr_array_header_t *records,
                           const acme_caa_issuer_t *issuer, apr_pool_t *p);

#endif
