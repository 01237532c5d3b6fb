/*
 * acme_live_cache.h - what was published of certificates, ready for the
 * handshakes of this process.
 *
 * Each is parsed once, by the thread that needs it first; others that need it
 * meanwhile wait for that. Nothing of httpd or mod_ssl is known here.
 */
#ifndef ACME_LIVE_CACHE_H
#define ACME_LIVE_CACHE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "acme_live_pairs.h"

struct x509_st;                 /* OpenSSL's X509, */
struct stack_st_X509;           /*   STACK_OF(X509) */
struct evp_pkey_st;             /*   and EVP_PKEY */

typedef struct acme_live_cache_t acme_live_cache_t;

/* One kind of key. */
typedef struct {
    struct x509_st *leaf;
    struct stack_st_X509 *rest; /* behind it; never NULL */
    struct evp_pkey_st *key;    /* the leaf's */
} acme_live_credentials_t;

/* What is published of a certificate. Nobody changes it. */
typedef struct {
    apr_uint32_t generation;
    int archive;
    int kinds;
    acme_live_credentials_t pairs[ACME_LIVE_PAIRS_KINDS];
    const apr_array_header_t *names;    /* const char *: of the first leaf */
    apr_time_t not_after;
} acme_live_cert_t;

/*
 * What is published of this certificate cannot be used, and why, for people:
 * once for each generation of it. Called by any thread, without a lock.
 */
typedef void acme_live_cache_fault_cb(void *baton, int cert,
                                      const char *detail);

/*
 * A cache of what is published in pairs of the certificates 0 to certs - 1,
 * which goes with p. It is made before the forks, and each fills its own.
 */
apr_status_t acme_live_cache_create(acme_live_cache_t **pcache,
                                    const acme_live_pairs_t *pairs, int certs,
                                    acme_live_cache_fault_cb *fault,
                                    void *baton, acme_result_t *res,
                                    apr_pool_t *p);

/*
 * What is published of it, which stays until it is released. Of what cannot be
 * used, the last that could be, until it is withdrawn. NULL: nothing is, or was
 * ever any use. When nothing is published this takes no lock and no memory.
 */
const acme_live_cert_t *acme_live_cache_take(acme_live_cache_t *cache,
                                             int cert);

/* The same once more, to be released as well: who shares it has taken it. */
const acme_live_cert_t *acme_live_cache_share(const acme_live_cert_t *taken);

/* NULL is allowed. */
void acme_live_cache_release(const acme_live_cert_t *taken);

/* Some virtual host cannot use it: is that known of it in this process? */
void acme_live_cache_refuse(const acme_live_cert_t *taken);
int acme_live_cache_is_refused(const acme_live_cert_t *taken);

#endif
