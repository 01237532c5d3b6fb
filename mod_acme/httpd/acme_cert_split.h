/*
 * acme_cert_split.h - more names than a certificate may hold: which certificate
 * has which.
 *
 * Pure: what the store has is an argument. A name that a live certificate has
 * stays there, whatever is added before it.
 */
#ifndef ACME_CERT_SPLIT_H
#define ACME_CERT_SPLIT_H

#include <apr_hash.h>
#include <apr_tables.h>

/* What the virtual hosts of one id want, and what there is. */
typedef struct {
    const char *id;
    int limit;                          /* names of one certificate */
    const apr_array_header_t *vhosts;   /* const apr_array_header_t *: names
                                           (const char *) of each, in the
                                           order of the configuration; a name
                                           may be in several */
    const apr_array_header_t *live;     /* const apr_array_header_t *: names
                                           of the live certificate of part
                                           1, 2, ...; NULL where is none */
    apr_hash_t *taken;                  /* its keys: ids of others, which no
                                           part gets */
} acme_cert_split_t;

/* A certificate that comes of it. */
typedef struct {
    int number;                         /* 1, 2, ...; some may be missing */
    const char *id;                     /* "shop", "shop-2", ... */
    apr_array_header_t *names;          /* const char *, at least one */
} acme_cert_split_part_t;

/* "shop" is part 1 of shop, "shop-2" is part 2. */
const char *acme_cert_split_id(const char *id, int number, apr_pool_t *p);

/*
 * The other way round: the number at the end of a part's id from 2 on, and
 * *plen is the length of the whole's; 0 when it can be no such part.
 */
int acme_cert_split_number(const char *part, apr_size_t *plen);

/*
 * Divide the names: acme_cert_split_part_t, in the order of their numbers.
 * Names that are live stay. Those of a virtual host that one certificate can
 * hold go into one together, where it has names already or else the first with
 * room; those of a larger one fill the gaps, a wildcard and its base name
 * still together.
 */
apr_array_header_t *acme_cert_split(const acme_cert_split_t *ask,
                                    apr_pool_t *p);

#endif
