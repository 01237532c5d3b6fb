/*
 * acme_directory.h - the directory of a CA: its resources and their URLs.
 * (8555, 7.1.1)
 */
#ifndef ACME_DIRECTORY_H
#define ACME_DIRECTORY_H

#include <apr_tables.h>

#include "acme_json.h"

#define ACME_PROFILES_MAX 64    /* of a directory; the rest is dropped */
#define ACME_PROFILE_MAX 64     /* octets of a profile's name */
#define ACME_HASH_PREFIX_MAX 200        /* octets of accountHashPrefix */

/* A profile that a CA offers (draft-ietf-acme-profiles); clean for people. */
typedef struct {
    const char *name;
    const char *description;    /* "": the CA gives none */
} acme_profile_t;

/* All URLs are checked; NULL: the CA does not have this resource. */
typedef struct {
    const char *new_nonce;
    const char *new_account;
    const char *new_order;
    const char *revoke_cert;
    const char *key_change;
    const char *renewal_info;
    const char *terms_of_service;       /* clean for people, may be NULL */
    int external_account_required;
    apr_array_header_t *profiles;       /* acme_profile_t; never NULL */
    /* Of draft-ietf-acme-dns-persist-02. */
    apr_array_header_t *issuer_domain_names;    /* const char *, normalised;
                                                   never NULL */
    const char *account_hash_prefix;    /* NULL: none, or a bad one */
    apr_array_header_t *caa_identities; /* const char *, normalised: what CAA
                                           records call it; never NULL */
} acme_directory_t;

/*
 * Read a directory (8555, 7.1.1). *pdir and all in it are in p; what names the
 * directory in res. A meta that is missing or not an object counts as empty.
 *
 * APR_EGENERAL, *pdir is NULL: newNonce, newAccount or newOrder is missing, or
 * is not a URL that acme_url_check() allows.
 */
apr_status_t acme_directory_parse(acme_directory_t **pdir, const json_t *json,
                                  const char *what, acme_result_t *res,
                                  apr_pool_t *p);

/*
 * The hosts, with their ports, of the URLs of the resources, and of the
 * directory's own: acme_url_host(), one a line, each once. In p. The other
 * URLs of a CA, which no directory has, are expected at these.
 */
const char *acme_directory_hosts(const acme_directory_t *dir, const char *url,
                                 apr_pool_t *p);

/* A copy with all its strings and arrays in p. */
acme_directory_t *acme_directory_copy(const acme_directory_t *from,
                                      apr_pool_t *p);

#endif
