/*
 * acme_openssl.h - what each user of OpenSSL here needs: PEM read within
 * bounds, its errors as text, the differences between 1.1.1 and 3.0.
 *
 * The error queue is a thread's, and libcurl and mod_ssl look into it as well:
 * whoever meets a failure leaves the queue empty, with acme_openssl_reason().
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

#define ACME_PEM_FILE_MAX (1024 * 1024)

/* OpenSSL's text for its last error, never NULL; clears its error queue. */
const char *acme_openssl_reason(void);

/*
 * The regular file at path, of at most ACME_PEM_FILE_MAX octets, in memory
 * that BIO_free() clears. ENOENT when there is none.
 */
apr_status_t acme_openssl_file(BIO **pbio, const char *path,
                               acme_result_t *res);

/*
 * A pem_password_cb that knows no pass phrase (OpenSSL's own would ask at the
 * terminal). Its argument is an int * that becomes 1, or NULL.
 */
int acme_openssl_no_passphrase(char *buf, int size, int rwflag, void *asked);

/* The first private key in bio, or NULL; *pencrypted: it has a pass phrase. */
EVP_PKEY *acme_openssl_key(BIO *bio, int *pencrypted);

/* The curve of an EC key as a NID; NID_undef when it has no name. */
int acme_openssl_curve(EVP_PKEY *evp);

/*
 * The public numbers of a key: x and y of an EC, n and e of an RSA key. The
 * caller frees both, also when it failed (0).
 */
int acme_openssl_public(BIGNUM **pa, BIGNUM **pb, EVP_PKEY *evp);

/* PEM of a certificate, NULL when OpenSSL fails. */
const char *acme_openssl_pem(X509 *x509, apr_pool_t *p);

/*
 * A subjectAltName for names (const char *, as acme_name.h has them), and an
 * X.509 name of this CN alone, or an empty one when cn is NULL. The caller
 * frees both; NULL when OpenSSL fails. Built from objects, never from
 * OpenSSL's configuration strings: in those a name could hold syntax.
 */
GENERAL_NAMES *acme_openssl_sans(const apr_array_header_t *names);
X509_NAME *acme_openssl_name(const char *cn);

/* notBefore and notAfter; false when OpenSSL fails. */
int acme_openssl_set_times(X509 *x509, apr_time_t from, apr_time_t until);

/* A UTCTime or GeneralizedTime; 0 (and *pt 0) when it is NULL or none. */
int acme_openssl_time(apr_time_t *pt, const ASN1_TIME *time);

#endif
