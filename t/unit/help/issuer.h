/*
 * issuer.h - small CAs, honest and hostile, that issue whatever a test wants.
 */
#ifndef ISSUER_H
#define ISSUER_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "acme_key.h"

#define DAY (24 * 3600L)

typedef struct {
    const char *cn;
    EVP_PKEY *key;
    X509 *x509;
} issuer_t;

/* What is issued; 0 and NULL are as an honest CA would have it. */
typedef struct {
    const issuer_t *issuer;     /* NULL: signed by itself */
    const char *names;          /* words */
    EVP_PKEY *key;              /* the leaf's */
    long serial;
    long from, until;           /* seconds from now; 0: an hour before, and
                                   90 days after */
    const issuer_t *next;       /* after the leaf, instead of issuer */
    const char *ocsp;           /* URL of a responder; NULL: none */
    int nnext;                  /* so often; 0: once, -1: not at all */
} issue_t;

acme_key_t *make_key(void);

const issuer_t *make_issuer(const char *cn);

const char *pem_text(X509 *x509);

/* A certificate, which goes with the pool. */
X509 *make_x509(const issue_t *issue, const char *cn, int is_ca);

/* The chain as PEM: the leaf, and what is to follow it. */
const char *issue(const issue_t *what);

/* The public key of a request (DER), as a CA takes it from there. */
EVP_PKEY *csr_key(const unsigned char *der, apr_size_t len);

#endif
