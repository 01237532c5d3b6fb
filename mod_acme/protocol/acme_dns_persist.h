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

/*
 * The account that a record authorises, and for which name. The strings are
 * the caller's.
 */
typedef struct {
    int draft;                  /* 1 or 2: which the CA speaks */
    const char *name;           /* DNS name; "*.example.org" is a wildcard */
    const apr_array_header_t *issuers;  /* const char *, normalised */
    const char *account_url;
    const char *thumbprint;     /* of the account's key (8555, 8.1); draft 2 */
    const char *hash_prefix;    /* of the directory; draft 2; NULL: none */
} acme_dns_persist_t;

/*
 * The DNS names in the array key of json: const char * in p, normalised, at
 * most ACME_ISSUERS_MAX. Other elements are skipped. Never NULL: empty if there
 * is no such array.
 */
apr_array_header_t *acme_dns_persist_issuers(const json_t *json,
                                             const char *key, apr_pool_t *p);

/*
 * Is text fit for a directory's accountHashPrefix? It becomes a part of a
 * record that people copy, so an empty text and any character that could end
 * or quote a value there is refused.
 */
int acme_dns_persist_is_prefix(const char *text);

/*
 * The DNS name, in p, that has the TXT record of a name and of its wildcard:
 * "_validation-persist.example.org".
 */
const char *acme_dns_persist_record(const char *name, apr_pool_t *p);

/*
 * The value of the TXT record that the administrator sets: for the first
 * issuer, valid until the time until (0: for ever), with policy=wildcard if
 * the name is a wildcard; such a record also serves the name without "*.".
 *
 * *pvalue is in p and may be longer than the 255 octets of one string of a TXT
 * record; NULL after a failure. APR_EINVAL with ACME_RETRY_NEVER: the name is
 * an address, or the CA published too little for this draft. APR_EGENERAL:
 * OpenSSL failed.
 */
apr_status_t acme_dns_persist_value(const char **pvalue,
                                    const acme_dns_persist_t *persist,
                                    apr_time_t until, acme_result_t *res,
                                    apr_pool_t *p);

/*
 * Does a TXT record's value, its strings joined, authorise the account?
 *
 * The order of parameters, white space around them, the case of their tags and
 * unknown ones do not matter. With draft 2 the hash may be bound to the domain
 * or to all ("*"). On success *puntil is when the record expires, later than
 * now; 0: never. Else *puntil is 0, res says why, and the status is
 *
 *   APR_ENOENT  the record is for another CA or another account
 *   APR_EINVAL  the record is malformed and the CA will refuse it, or
 *               acme_dns_persist_value() could make none
 *   APR_EACCES  the record is for this account, but expired, or not for
 *               wildcards
 *
 * or APR_EGENERAL when OpenSSL fails. A CA may accept a parent domain's record
 * that is good for the parent's wildcard: to test that, pass that wildcard as
 * the name.
 */
apr_status_t acme_dns_persist_match(apr_time_t *puntil,
                                    const acme_dns_persist_t *persist,
                                    const char *value, apr_time_t now,
                                    acme_result_t *res, apr_pool_t *p);

#endif
