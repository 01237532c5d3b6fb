/*
 * acme_cert_info.c - the contents of a certificate.
 *
 * No name that a client would compare is passed over in silence: one with a
 * NUL inside is refused, it is not cut short.
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
#include <openssl/tls1.h>
#include <openssl/x509v3.h>

#include "acme_cert_info.h"
#include "acme_name.h"
#include "acme_openssl.h"
#include "acme_text.h"
#include "acme_url.h"

#define SERIAL_OCTETS_MAX 20    /* 5280, 4.1.2.2 */
#define NAME_SHOWN 128          /* characters of an issuer or a bad name */
#define SCHEME_PLAIN "http://"

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
        return acme_fail(res, APR_EINVAL,
                         "certificate: a DNS name with a NUL inside: \"%s\"",
                         acme_text_clean(text, NAME_SHOWN, p));
    }
    /* A client compares as it stands: an address or U-labels match nothing. */
    if (acme_name_normalise(&name, text, &why, p) != APR_SUCCESS
        || acme_name_is_ip(name) || apr_cstr_casecmp(name, text)) {
        return acme_fail(res, APR_EINVAL,
                         "certificate: \"%s\" is not a DNS name",
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
        return acme_fail(res, APR_EINVAL,
                         "certificate: an IP address of %d octets", len);
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
        rv = acme_fail(res, APR_EINVAL,
                       "certificate: its subjectAltName is damaged: %s",
                       acme_openssl_reason());
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
        rv = acme_fail(res, APR_EINVAL,
                       "certificate: a serial number of more than %d octets",
                       SERIAL_OCTETS_MAX);
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
    if (!acme_openssl_time(pt, time)) {
        return acme_fail(res, APR_EINVAL,
                         "certificate: a time in it is not valid: %s",
                         acme_openssl_reason());
    }
    return APR_SUCCESS;
}

/* The certificate's identifier in requests for renewal info. (9773, 4.1) */
static const char *read_cert_id(const X509 *x509, apr_pool_t *p)
{
    AUTHORITY_KEYID *aki = X509_get_ext_d2i(x509, NID_authority_key_identifier,
                                            NULL, NULL);
    unsigned char *der = NULL;
    int der_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &der);
    const unsigned char *octets = der;
    const char *key_id, *serial, *id = NULL;
    int tag, class;
    long len;

    /* The serial's content octets, with the leading 00 that DER wants. */
    if (aki && aki->keyid && ASN1_STRING_length(aki->keyid) > 0 && der_len > 0
        && !(ASN1_get_object(&octets, &len, &tag, &class, der_len) & 0x80)) {
        key_id = acme_text_base64url(
            ASN1_STRING_get0_data(aki->keyid),
            (apr_size_t)ASN1_STRING_length(aki->keyid), p);
        serial = acme_text_base64url(octets, (apr_size_t)len, p);
        id = apr_pstrcat(p, key_id, ".", serial, NULL);
    }
    OPENSSL_free(der);
    AUTHORITY_KEYID_free(aki);
    return id && strlen(id) <= ACME_CERT_ID_MAX ? id : NULL;
}

static int read_must_staple(const X509 *x509)
{
    TLS_FEATURE *features = X509_get_ext_d2i(x509, NID_tlsfeature, NULL, NULL);
    int found = 0, i;

    for (i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        found |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i))
                 == TLSEXT_TYPE_status_request;
    }
    TLS_FEATURE_free(features);
    return found;
}

/* A URL that we can fetch, or NULL: others are ldap, or for people. */
static const char *plain_url(const GENERAL_NAME *name, apr_pool_t *p)
{
    acme_result_t why;
    const char *url;
    int len;

    if (name->type != GEN_URI) {
        return NULL;
    }
    len = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    url = apr_pstrmemdup(p, (const char *)ASN1_STRING_get0_data(
                                name->d.uniformResourceIdentifier),
                         (apr_size_t)len);
    if ((int)strlen(url) != len
        || apr_cstr_casecmpn(url, SCHEME_PLAIN, strlen(SCHEME_PLAIN))
        || acme_url_check_plain(url, &why, p) != APR_SUCCESS) {
        return NULL;
    }
    return url;
}

static const char *read_ocsp_url(const X509 *x509, apr_pool_t *p)
{
    AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(x509, NID_info_access, NULL,
                                                  NULL);
    const ACCESS_DESCRIPTION *access;
    const char *url = NULL;
    int i;

    for (i = 0; !url && i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
        access = sk_ACCESS_DESCRIPTION_value(aia, i);
        if (OBJ_obj2nid(access->method) == NID_ad_OCSP) {
            url = plain_url(access->location, p);
        }
    }
    AUTHORITY_INFO_ACCESS_free(aia);
    return url;
}

/* The URL of a list with all reasons, signed by the issuer itself. */
static const char *read_crl_url(const X509 *x509, apr_pool_t *p)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x509,
                                               NID_crl_distribution_points,
                                               NULL, NULL);
    const GENERAL_NAMES *names;
    const DIST_POINT *point;
    const char *url = NULL;
    int i, k;

    for (i = 0; !url && i < sk_DIST_POINT_num(points); i++) {
        point = sk_DIST_POINT_value(points, i);
        if (point->reasons || point->CRLissuer || !point->distpoint
            || point->distpoint->type != 0) {
            continue;
        }
        names = point->distpoint->name.fullname;
        for (k = 0; !url && k < sk_GENERAL_NAME_num(names); k++) {
            url = plain_url(sk_GENERAL_NAME_value(names, k), p);
        }
    }
    CRL_DIST_POINTS_free(points);
    return url;
}

const char *acme_cert_info_name_text(const X509_NAME *name, apr_pool_t *p)
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

apr_status_t acme_cert_info_read(acme_cert_info_t *leaf, const X509 *x509,
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
    leaf->issuer = acme_cert_info_name_text(X509_get_issuer_name(x509), p);
    if (rv == APR_SUCCESS) {
        leaf->cert_id = read_cert_id(x509, p);
        leaf->must_staple = read_must_staple(x509);
        leaf->ocsp_url = read_ocsp_url(x509, p);
        leaf->crl_url = read_crl_url(x509, p);
        ERR_clear_error();      /* of damaged extensions */
    }
    return rv;
}
