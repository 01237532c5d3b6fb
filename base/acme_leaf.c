/*
 * acme_leaf.c - what a certificate says of itself.
 *
 * Nothing is passed over in silence that a client would take for a name: one
 * with a NUL inside is refused, it is not cut short.
 */
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <apr_cstr.h>
#include <apr_escape.h>
#include <apr_strings.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "acme_leaf.h"
#include "acme_name.h"
#include "acme_openssl.h"
#include "acme_text.h"

#define SERIAL_OCTETS_MAX 20    /* 5280, 4.1.2.2 */
#define NAME_SHOWN 128          /* characters of an issuer or a bad name */
#define SECONDS_A_DAY 86400

static apr_status_t push_dns_name(apr_array_header_t *names,
                                  const ASN1_STRING *value,
                                  acme_result_t *res, apr_pool_t *p)
{
    int len = ASN1_STRING_length(value);
    const char *text = apr_pstrmemdup(p, (const char *)
                                         ASN1_STRING_get0_data(value),
                                      (apr_size_t)len);
    acme_result_t why;
    const char *name;

    if ((int)strlen(text) != len) {
        return acme_fail(res, APR_EINVAL, "certificate: a DNS name with a "
                         "NUL inside: \"%s\"",
                         acme_text_clean(text, NAME_SHOWN, p));
    }
    /* A client compares as it stands: an address or U-labels match nothing. */
    if (acme_name_normalise(&name, text, &why, p) != APR_SUCCESS
        || acme_name_is_ip(name) || apr_cstr_casecmp(name, text)) {
        return acme_fail(res, APR_EINVAL, "certificate: \"%s\" is no DNS name",
                         acme_text_clean(text, NAME_SHOWN, p));
    }
    APR_ARRAY_PUSH(names, const char *) = name;
    return APR_SUCCESS;
}

static apr_status_t push_address(apr_array_header_t *names,
                                 const ASN1_STRING *value,
                                 acme_result_t *res, apr_pool_t *p)
{
    const unsigned char *octets = ASN1_STRING_get0_data(value);
    int len = ASN1_STRING_length(value);
    char text[INET6_ADDRSTRLEN];

    if ((len != 4 && len != 16)
        || !inet_ntop(len == 4 ? AF_INET : AF_INET6, octets, text,
                      sizeof(text))) {
        return acme_fail(res, APR_EINVAL, "certificate: an IP address of %d "
                         "octets", len);
    }
    APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(p, text);
    return APR_SUCCESS;
}

static apr_status_t read_names(apr_array_header_t **pnames, const X509 *x509,
                               acme_result_t *res, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    apr_status_t rv = APR_SUCCESS;
    const GENERAL_NAME *san;
    GENERAL_NAMES *sans;
    int found, i;

    *pnames = names;

    sans = X509_get_ext_d2i(x509, NID_subject_alt_name, &found, NULL);
    if (!sans && found != -1) {
        rv = acme_fail(res, APR_EINVAL, "certificate: its subjectAltName is "
                       "damaged: %s", acme_openssl_reason());
    }
    for (i = 0; rv == APR_SUCCESS && i < sk_GENERAL_NAME_num(sans); i++) {
        san = sk_GENERAL_NAME_value(sans, i);
        if (san->type == GEN_DNS) {
            rv = push_dns_name(names, san->d.dNSName, res, p);
        }
        else if (san->type == GEN_IPADD) {
            rv = push_address(names, san->d.iPAddress, res, p);
        }
    }
    GENERAL_NAMES_free(sans);
    return rv;
}

static apr_status_t read_serial(const char **pserial, const X509 *x509,
                                acme_result_t *res, apr_pool_t *p)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    unsigned char octets[SERIAL_OCTETS_MAX];
    int len = bn && !BN_is_zero(bn) ? BN_num_bytes(bn) : 1;
    apr_status_t rv;

    *pserial = NULL;

    if (!bn || BN_bn2binpad(bn, octets, SERIAL_OCTETS_MAX) < 0) {
        ERR_clear_error();
        rv = acme_fail(res, APR_EINVAL, "certificate: a serial number of more "
                       "than %d octets", SERIAL_OCTETS_MAX);
        goto out;
    }

    *pserial = apr_pstrcat(p, BN_is_negative(bn) ? "-" : "",
                           apr_pescape_hex(p, octets + sizeof(octets) - len,
                                           (apr_size_t)len, 0), NULL);
    rv = APR_SUCCESS;
out:
    BN_free(bn);
    return rv;
}

static apr_status_t read_time(apr_time_t *pt, const ASN1_TIME *time,
                              acme_result_t *res)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days, seconds;
    apr_status_t rv = APR_SUCCESS;

    *pt = 0;

    if (epoch && ASN1_TIME_diff(&days, &seconds, epoch, time)) {
        *pt = apr_time_from_sec((apr_int64_t)days * SECONDS_A_DAY + seconds);
    }
    else {
        rv = acme_fail(res, APR_EINVAL, "certificate: a time in it is none: "
                       "%s", acme_openssl_reason());
    }
    ASN1_TIME_free(epoch);
    return rv;
}

const char *acme_leaf_name_text(const X509_NAME *name, apr_pool_t *p)
{
    /* 1.1.1 wants it without const, and later ones don't. */
    int at = X509_NAME_get_index_by_NID((X509_NAME *)name, NID_commonName, -1);
    unsigned char *utf8 = NULL;
    char *line = NULL;
    const char *text;

    if (at < 0
        || ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(
                                   X509_NAME_get_entry(name, at))) < 0) {
        line = X509_NAME_oneline(name, NULL, 0);
    }
    text = utf8 ? (const char *)utf8 : line ? line : "";
    text = acme_text_clean(text, NAME_SHOWN, p);
    OPENSSL_free(utf8);
    OPENSSL_free(line);
    return text;
}

apr_status_t acme_leaf_read(acme_leaf_t *leaf, const X509 *x509,
                            acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;

    rv = read_names(&leaf->names, x509, res, p);
    if (rv == APR_SUCCESS) {
        rv = read_time(&leaf->not_before, X509_get0_notBefore(x509), res);
    }
    if (rv == APR_SUCCESS) {
        rv = read_time(&leaf->not_after, X509_get0_notAfter(x509), res);
    }
    if (rv == APR_SUCCESS) {
        rv = read_serial(&leaf->serial, x509, res, p);
    }
    leaf->issuer = acme_leaf_name_text(X509_get_issuer_name(x509), p);
    return rv;
}
