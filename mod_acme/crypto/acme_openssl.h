/*
 * acme_openssl.h - the calls that every user of OpenSSL here shares: PEM read
 * within bounds, OpenSSL's reasons, the differences between 1.1.1 and 3.0.
 *
 * The error queue is a thread's, and libcurl and mod_ssl look into it as well:
 * a function that meets a failure empties the queue: acme_openssl_reason().
 */
#ifndef ACME_OPENSSL_H
#define ACME_OPENSSL_H

#include <apr_tables.h>
#include <apr_time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "acme_result.h"

#define ACME_PEM_FILE_MAX (1024 * 1024)         /* octets */

/*
 * The last reason in the error queue, in OpenSSL's words; empties the queue.
 * Constant, never NULL.
 */
const char *acme_openssl_reason(void);

/*
 * The regular file at path, of at most ACME_PEM_FILE_MAX octets, in memory
 * that BIO_free(), which the caller owes, overwrites. On failure *pbio is NULL:
 * the errno of open(2) or read(2), such as ENOENT; APR_EGENERAL, for good,
 * when it is not a regular file or is larger.
 */
apr_status_t acme_openssl_file(BIO **pbio, const char *path,
                               acme_result_t *res);

/*
 * A pem_password_cb that knows no pass phrase (OpenSSL's own would ask at the
 * terminal). asked is an int * that becomes 1, or NULL. Returns -1.
 */
int acme_openssl_no_passphrase(char *buf, int size, int rwflag, void *asked);

/*
 * The first private key in bio, which is in memory; the caller frees it. NULL
 * when there is none that can be read. *pencrypted is 1 when it has a pass
 * phrase, else 0. bio may be at its end then or not, and the error queue is left
 * as OpenSSL leaves it.
 */
EVP_PKEY *acme_openssl_key(BIO *bio, int *pencrypted);

/* The curve of evp, an EC key, as a NID; NID_undef when it has no name. */
int acme_openssl_curve(EVP_PKEY *evp);

/*
 * The public numbers of a key: x and y of an EC, n and e of an RSA key. 1, or
 * 0 when OpenSSL fails. The caller frees both, after a failure as well.
 */
int acme_openssl_public(BIGNUM **pa, BIGNUM **pb, EVP_PKEY *evp);

/*
 * Have the private key take the place of the public one that OpenSSL 3 keeps in
 * each X509: a quarter of the memory of both. x509 must be no other thread's
 * yet; its encoding stays as it is. Returns the key to use, with a reference for
 * the caller, key itself where OpenSSL cannot do it. NULL: it is not that of
 * the certificate, which is to be freed.
 */
EVP_PKEY *acme_openssl_unite(X509 *x509, EVP_PKEY *key);

/* The PEM of a certificate, in p; NULL when OpenSSL fails. */
const char *acme_openssl_pem(X509 *x509, apr_pool_t *p);

/*
 * A subjectAltName for names (const char *, as acme_name.h has them), which
 * the caller frees; NULL when OpenSSL fails. Built from objects, never from
 * OpenSSL's configuration strings: in those a name could hold syntax.
 */
GENERAL_NAMES *acme_openssl_sans(const apr_array_header_t *names);

/*
 * An X.509 name of this CN (ASCII, at most 64 octets) alone, or an empty one
 * when cn is NULL; the caller frees it. NULL when OpenSSL fails.
 */
X509_NAME *acme_openssl_name(const char *cn);

/* Set notBefore and notAfter, in whole seconds; 0 when OpenSSL fails. */
int acme_openssl_set_times(X509 *x509, apr_time_t from, apr_time_t until);

/*
 * A UTCTime or GeneralizedTime in microseconds since 1970. 1, or 0 (and *pt 0)
 * when time is NULL or damaged.
 */
int acme_openssl_time(apr_time_t *pt, const ASN1_TIME *time);

#endif
