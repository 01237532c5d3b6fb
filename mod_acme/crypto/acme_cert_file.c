/*
 * acme_cert_file.c - what is in a file of certificates that an administrator
 * made.
 */
#include <apr_strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "acme_cert_file.h"
#include "acme_no_x509.h"
#include "acme_openssl.h"
#include "acme_text.h"
#include "acme_time.h"

/* Returns how many certificates there are, at most max. */
static int read_certs(X509 **certs, int max, BIO *bio)
{
    int n = 0;

    while (n < max
           && (certs[n] = PEM_read_bio_X509_AUX(
                   bio, NULL, acme_openssl_no_passphrase, NULL))) {
        n++;
    }
    return n;
}

static const char *subject_of(const X509 *x509, apr_pool_t *p)
{
    return acme_cert_info_name_text(X509_get_subject_name(x509), p);
}

/* By names and key identifiers. A signature would cost as much as all the rest
   of the file, and a server may have ten thousand of them. */
static int is_issued_by(X509 *x509, X509 *issuer)
{
    return X509_check_issued(issuer, x509) == X509_V_OK;
}

/* "": the certificates follow each other, and none behind the leaf is over. */
static const char *problem_of_chain(apr_time_t *puntil, X509 **certs, int n,
                                    apr_time_t now, apr_pool_t *p)
{
    apr_time_t until;
    int i;

    for (i = 1; i < n; i++) {
        if (!is_issued_by(certs[i - 1], certs[i])) {
            return apr_psprintf(p, "The certificate of %s was not issued by the next one in the file, %s: the chain is incomplete or in the wrong order.",
                                subject_of(certs[i - 1], p),
                                subject_of(certs[i], p));
        }
        if (!acme_openssl_time(&until, X509_get0_notAfter(certs[i]))) {
            continue;
        }
        if (until <= now) {
            return apr_psprintf(p, "The intermediate certificate %s expired at %s.",
                                subject_of(certs[i], p),
                                acme_time_text(until, p));
        }
        if (!*puntil || until < *puntil) {
            *puntil = until;
        }
    }
    return "";
}

static void read_all(acme_cert_file_t *file, X509 **certs, int n, int alone,
                     apr_time_t now, apr_pool_t *p)
{
    const char *issuer;
    acme_result_t res;
    int i;

    for (i = 0; i < n; i++) {
        APR_ARRAY_PUSH(file->subjects, const char *) = subject_of(certs[i], p);
    }
    file->topmost = acme_cert_info_name_text(
        X509_get_issuer_name(certs[n - 1]), p);
    file->is_self_signed = is_issued_by(certs[0], certs[0]);
    if (acme_cert_info_read(&file->leaf, certs[0], &res, p)) {
        issuer = file->leaf.issuer;
        file->leaf = (acme_cert_info_t) {
            .names = apr_array_make(p, 1, sizeof(const char *)),
            .issuer = issuer ? issuer : "", .serial = ""
        };
        acme_openssl_time(&file->leaf.not_before,
                          X509_get0_notBefore(certs[0]));
        acme_openssl_time(&file->leaf.not_after,
                          X509_get0_notAfter(certs[0]));
        file->problem = apr_pstrcat(p, "It cannot be read completely: ",
                                    res.detail, NULL);
        return;
    }
    file->problem = problem_of_chain(&file->until, certs, n, now, p);
    if (!file->problem[0] && n == 1 && !alone && !file->is_self_signed) {
        file->problem = apr_psprintf(p, "The file has no intermediate certificate: visitors who do not have that of %s cannot verify it.",
                                     file->leaf.issuer);
    }
}

void acme_cert_file_read(const acme_cert_file_t **pfile, const char *path,
                         int alone, apr_time_t now, apr_pool_t *p)
{
    acme_cert_file_t *file = apr_pcalloc(p, sizeof(*file));
    X509 *certs[ACME_CERT_FILE_CERTS];
    acme_result_t res;
    BIO *bio = NULL;
    int n = 0;

    *pfile = file;
    file->leaf.names = apr_array_make(p, 1, sizeof(const char *));
    file->leaf.issuer = "";
    file->leaf.serial = "";
    file->subjects = apr_array_make(p, 2, sizeof(const char *));
    file->topmost = "";
    file->problem = "";

    if (acme_no_x509_check(&res) || acme_openssl_file(&bio, path, &res)) {
        file->problem = acme_text_clean(res.detail, ACME_DETAIL_SIZE, p);
        return;
    }
    n = read_certs(certs, alone ? 1 : ACME_CERT_FILE_CERTS, bio);
    if (n) {
        read_all(file, certs, n, alone, now, p);
    }
    else {
        file->problem = "The file has no certificate in PEM.";
    }
    while (n) {
        X509_free(certs[--n]);
    }
    BIO_free(bio);
    ERR_clear_error();
}
