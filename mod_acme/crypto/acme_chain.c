/*
 * acme_chain.c - the certificates that came from a CA, taken apart.
 *
 * Text between two certificates is never shown: it might be a key.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "acme_chain.h"
#include "acme_no_x509.h"
#include "acme_openssl.h"
#include "acme_pem.h"

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----";

struct acme_chain_t {
    apr_array_header_t *certs;  /* X509 *, the pool's: the leaf first */
    acme_cert_info_t leaf;
};

static apr_status_t free_x509(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

/* Does a certificate begin here? The line must hold nothing else. */
static int at_begin(const char *text, const char *end)
{
    apr_size_t len = sizeof(BEGIN) - 1;

    if ((apr_size_t)(end - text) < len || memcmp(text, BEGIN, len)) {
        return 0;
    }
    text += len;
    if (text < end && *text == '\r') {
        text++;
    }
    return text < end && *text == '\n';
}

/* The certificate that begins at *ptext, which is moved behind it, or NULL. */
static X509 *read_x509(const char **ptext, const char *end)
{
    BIO *bio = BIO_new_mem_buf(*ptext, (int)(end - *ptext));
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    const unsigned char *rest;
    X509 *x509 = NULL;
    long len;

    if (bio && PEM_read_bio(bio, &name, &header, &der, &len)
        && !strcmp(name, PEM_STRING_X509) && !*header) {
        rest = der;
        x509 = d2i_X509(NULL, &rest, len);
        if (x509 && rest != der + len) {
            X509_free(x509);
            x509 = NULL;
        }
        *ptext = end - BIO_pending(bio);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    return x509;
}

static apr_status_t read_certs(acme_chain_t *chain, const char *text,
                               const char *end, acme_result_t *res,
                               apr_pool_t *p)
{
    int n = 0;
    X509 *x509;

    for (text = acme_pem_next(text, end); text < end;
         text = acme_pem_next(text, end)) {
        if (n == ACME_CHAIN_CERTS_MAX) {
            return acme_fail(res, APR_EINVAL,
                             "certificate chain: more than %d certificates",
                             ACME_CHAIN_CERTS_MAX);
        }
        if (!at_begin(text, end)) {
            return acme_fail(
                res, APR_EINVAL,
                "certificate chain: expected certificate %d, found something else",
                n + 1);
        }
        n++;
        x509 = read_x509(&text, end);
        if (!x509) {
            return acme_fail(
                res, APR_EINVAL,
                "certificate chain: certificate %d is damaged: %s", n,
                acme_openssl_reason());
        }
        apr_pool_cleanup_register(p, x509, free_x509, apr_pool_cleanup_null);
        APR_ARRAY_PUSH(chain->certs, X509 *) = x509;
    }
    return n ? APR_SUCCESS
             : acme_fail(res, APR_EINVAL,
                         "certificate chain: it has no certificate in PEM");
}

static X509 *nth_cert(const acme_chain_t *chain, int i)
{
    return APR_ARRAY_IDX(chain->certs, i, X509 *);
}

apr_status_t acme_chain_parse(acme_chain_t **pchain, const char *pem,
                              apr_size_t len, acme_result_t *res,
                              apr_pool_t *p)
{
    acme_chain_t *chain = apr_pcalloc(p, sizeof(*chain));
    apr_status_t rv;

    *pchain = NULL;

    rv = acme_no_x509_check(res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (len > ACME_CHAIN_SIZE_MAX) {
        return acme_fail(res, APR_EINVAL,
                         "certificate chain: larger than %d octets",
                         ACME_CHAIN_SIZE_MAX);
    }
    if (len && memchr(pem, 0, len)) {
        return acme_fail(res, APR_EINVAL,
                         "certificate chain: it contains a NUL octet");
    }
    chain->certs = apr_array_make(p, ACME_CHAIN_CERTS_MAX, sizeof(X509 *));
    rv = read_certs(chain, pem, pem + len, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_cert_info_read(&chain->leaf, nth_cert(chain, 0), res,
                                 p);
    }
    if (rv == APR_SUCCESS) {
        *pchain = chain;
    }
    return rv;
}

apr_status_t acme_chain_load(acme_chain_t **pchain, const char *path,
                             acme_result_t *res, apr_pool_t *p)
{
    char *data;
    BIO *bio;
    apr_status_t rv;
    long len;

    *pchain = NULL;

    rv = acme_openssl_file(&bio, path, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    len = BIO_get_mem_data(bio, &data);
    rv = acme_chain_parse(pchain, data, (apr_size_t)len, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, path);
    }
    BIO_free(bio);
    return rv;
}

const acme_cert_info_t *acme_chain_leaf(const acme_chain_t *chain)
{
    return &chain->leaf;
}

X509 *acme_chain_x509(const acme_chain_t *chain, int i)
{
    return i < chain->certs->nelts ? nth_cert(chain, i) : NULL;
}

const char *acme_chain_topmost(const acme_chain_t *chain, apr_pool_t *p)
{
    X509 *last = nth_cert(chain, chain->certs->nelts - 1);

    return acme_cert_info_name_text(X509_get_issuer_name(last), p);
}

apr_status_t acme_chain_linked(const acme_chain_t *chain, acme_result_t *res,
                               apr_pool_t *p)
{
    int n = chain->certs->nelts;
    const char *name, *next_name;
    X509 *x509, *next;
    int i, linked;

    for (i = 0; i + 1 < n; i++) {
        x509 = nth_cert(chain, i);
        next = nth_cert(chain, i + 1);
        linked = X509_check_issued(next, x509) == X509_V_OK
                 && X509_verify(x509, X509_get0_pubkey(next)) == 1;
        ERR_clear_error();
        if (!linked) {
            name = acme_cert_info_name_text(X509_get_subject_name(x509), p);
            next_name =
                acme_cert_info_name_text(X509_get_subject_name(next), p);
            return acme_fail(
                res, APR_EINVAL,
                "certificate chain: certificate %d of %d, \"%s\", is not signed by the next, \"%s\"",
                i + 1, n, name, next_name);
        }
    }
    return APR_SUCCESS;
}
