/*
 * acme_pair.c - a trial of what mod_ssl would load at the next restart.
 *
 * It follows SSL_CTX_use_certificate_chain_file(), which mod_ssl calls: other
 * PEM objects in the file are passed over.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "acme_openssl.h"
#include "acme_pair.h"

/* The leaf at path, after all that follow it were read as well. */
static apr_status_t read_certs(X509 **pleaf, const char *path,
                               acme_result_t *res)
{
    X509 *leaf = NULL, *next;
    BIO *bio;
    apr_status_t rv;

    *pleaf = NULL;

    rv = acme_openssl_file(&bio, path, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    leaf = PEM_read_bio_X509_AUX(bio, NULL, acme_openssl_no_passphrase, NULL);
    if (!leaf) {
        rv = acme_fail_never(res, APR_EINVAL, "%s: no PEM certificate: %s",
                             path, acme_openssl_reason());
        goto out;
    }
    do {
        next = PEM_read_bio_X509(bio, NULL, acme_openssl_no_passphrase, NULL);
        X509_free(next);
    } while (next);
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        rv =
            acme_fail_never(res, APR_EINVAL,
                            "%s: a certificate after the first is damaged: %s",
                            path, acme_openssl_reason());
        goto out;
    }

    *pleaf = leaf;
    leaf = NULL;
out:
    X509_free(leaf);
    BIO_free(bio);
    return rv;
}

apr_status_t acme_pair_check(const char *cert_path, const char *key_path,
                             acme_result_t *res, apr_pool_t *p)
{
    EVP_PKEY *evp = NULL;
    X509 *leaf = NULL;
    BIO *bio = NULL;
    apr_status_t rv;
    int encrypted;

    (void)p;                /* all that is read here goes at once */

    rv = read_certs(&leaf, cert_path, res);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    rv = acme_openssl_file(&bio, key_path, res);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    evp = acme_openssl_key(bio, &encrypted);
    if (encrypted) {
        goto out;           /* mod_ssl has its pass phrase, we don't */
    }
    if (!evp) {
        rv = acme_fail_never(res, APR_EINVAL, "%s: no PEM private key",
                             key_path);
        goto out;
    }
    if (!X509_check_private_key(leaf, evp)) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "%s: not the key of the certificate in %s",
                             key_path, cert_path);
    }
out:
    ERR_clear_error();
    EVP_PKEY_free(evp);
    BIO_free(bio);
    X509_free(leaf);
    return rv;
}
