/*
 * acme_dns_persist.h - the TXT record of dns-persist-01, made once by a person
 * and found ever after. (draft-ietf-acme-dns-persist)
 *
 * Two drafts are in use that do not understand each other: 01 names the
 * account by its URL, 02 by a hash that is bound to the domain. Which of them
 * a CA speaks shows in its challenges (acme_challenge_t, persist_draft).
 */
#ifndef ACME_DNS_PERSIST_H
#define ACME_DNS_PERSIST_H

#include <apr_tables.h>

#include "acme_json.h"

#define ACME_ISSUERS_MAX 10     /* names of a CA; the rest is dropped */

/* Whom a record is to authorise, for what. Strings are the caller's. */
typedef struct {
    int draft;                  /* 1 or 2 */
    const char *name;           /* DNS name; "*.example.org" is a wildcard */
    const apr_array_header_t *issuers;  /* const char *, normalised */
    const char *account_url;
    const char *thumbprint;     /* of the account's key (8555, 8.1); draft 2 */
    const char *hash_prefix;    /* of the directory; draft 2; NULL: none */
} acme_dns_persist_t;

/*
 * The DNS names in an array of json: const char *, normalised, at most
 * ACME_ISSUERS_MAX. Anything else is passed over. Never NULL.
 */
apr_array_header_t *acme_dns_persist_issuers(const json_t *json,
                                             const char *key, apr_pool_t *p);

/*
 * May this be a directory's accountHashPrefix? It becomes a part of a record
 * that people copy, so whatever could end or quote a value there is refused.
 */
int acme_dns_persist_is_prefix(const char *text);

/* Where the record of a name or of its wildcard is. */
const char *acme_dns_persist_record(const char *name, apr_pool_t *p);

/*
 * The value that a person is to set: of the first issuer, until then (0: for
 * ever), with policy=wildcard when the name is one; such a record is good for
 * the name without "*." as well. It may be longer than the 255 octets of one
 * string of a TXT record.
 *
 * APR_EINVAL: no record can be made, for an address, or when the CA did not
 * say what the draft needs.
 */
apr_status_t acme_dns_persist_value(const char **pvalue,
                                    const acme_dns_persist_t *persist,
                                    apr_time_t until, acme_result_t *res,
                                    apr_pool_t *p);

/*
 * Does a value that was found in the DNS, its strings joined, authorise?
 *
 * The order of parameters, white space around them, the case of their tags and
 * unknown ones do not matter. With draft 2 the hash may be bound to the domain
 * or to all ("*"). On success *puntil is when it ends, later than now; 0:
 * never. Else *puntil is 0, res says why, and the status is
 *
 *   APR_ENOENT  it is another CA's or another account's: none of ours
 *   APR_EINVAL  it is malformed, and the CA will refuse it
 *   APR_EACCES  it is ours, but expired, or not for wildcards
 *
 * A CA may take the record of a parent domain for a name when it is good for
 * that parent's wildcard: give that as the name to ask for it.
 */
apr_status_t acme_dns_persist_match(apr_time_t *puntil,
                                    const acme_dns_persist_t *persist,
                                    const char *value, apr_time_t now,
                                    acme_result_t *res, apr_pool_t *p);

#endif
