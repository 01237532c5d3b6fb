/*
 * acme_caa_records.h - the CAA records that allow our accounts, and nobody
 * else, to have certificates issued for the names of a certificate. (8659,
 * 8657)
 */
#ifndef ACME_CAA_RECORDS_H
#define ACME_CAA_RECORDS_H

#include <apr_tables.h>

#include "acme_challenge.h"

/* An account at a CA. */
typedef struct {
    const char *issuer;         /* the CA's issuer domain */
    const char *account_url;    /* NULL: not known, any account will do */
} acme_caa_account_t;

typedef struct {
    const char *name;           /* DNS name, without a final dot */
    const char *tag;            /* "issue", "issuewild" */
    const char *value;          /* "ca.example; accounturi=..."; no quote and
                                   no backslash is in it */
} acme_caa_record_t;

/*
 * The issuer domain of the CA with this directory URL, which acme_url_check()
 * allows: a constant. NULL: it is not a known CA. p is for scratch.
 */
const char *acme_caa_records_issuer(const char *directory, apr_pool_t *p);

/*
 * The records (acme_caa_record_t), in p, for names (const char *) and accounts
 * (acme_caa_account_t).
 *
 * A name below another one of names needs none: the CA climbs to that one's.
 * Wildcards get issuewild, with the methods that a CA accepts for them.
 * Addresses get none. challenges has a bit 1 << type for each acme_challenge_e
 * that is used; 0: not known, and every method is allowed. An account URL with
 * a character that a value cannot have is left out.
 */
apr_array_header_t *acme_caa_records_make(const apr_array_header_t *names,
                                          const apr_array_header_t *accounts,
                                          apr_uint32_t challenges,
                                          apr_pool_t *p);

#endif
