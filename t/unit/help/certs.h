/*
 * certs.h - a small CA for the tests of what reads certificates.
 */
#ifndef CERTS_H
#define CERTS_H

#include <openssl/x509v3.h>

#include "keys.h"

#include "acme_chain.h"

#define NOW apr_time_from_sec(1700000000)
#define DAYS(n) apr_time_from_sec((n) * 86400LL)

/* A certificate to be made; what is NULL or 0 is as a CA would have it. */
typedef struct {
    const char *cn;             /* "": an empty subject */
    X509 *issuer;               /* NULL: signed by itself */
    EVP_PKEY *key;
    EVP_PKEY *signer;           /* the issuer's key; NULL: its own */
    const char *serial;         /* decimal */
    int is_ca;
    int is_sha1;                /* signed with SHA-1, not with SHA-256 */
    int san_type;
    const char *san;            /* octets of the one name */
    int san_len;                /* -1: strlen() */
    struct {
        int nid;
        const char *value;      /* in OpenSSL's configuration syntax */
    } exts[4];
} spec_t;

X509 *make_cert(const spec_t *spec);

const char *pem_of(X509 *x509);

/* A leaf for example.org, an intermediate, a root; made anew for each test. */
extern struct certs_t {
    EVP_PKEY *root_key, *middle_key;
    X509 *root, *middle, *leaf;
    acme_key_t *key;
    const char *root_pem, *middle_pem, *leaf_pem;
} ca;

X509 *make_leaf(spec_t spec);

int x509_setup(void **state);

#define X509_TEST(test) \
    cmocka_unit_test_setup_teardown(test, x509_setup, crypto_teardown)

acme_chain_t *parse(const char *pem);

#endif
