/*
 * acme_alpn_cert.c - the certificate that answers tls-alpn-01.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "acme_alpn_cert.h"
#include "acme_name.h"
#include "acme_openssl.h"
#include "acme_text.h"

#define ACME_IDENTIFIER_OID "1.3.6.1.5.5.7.1.31"        /* 8737, 3 */

#define X509_V3 2

/* Issuer and subject. */
#define SUBJECT_CN "challenge of mod_acme"
#define LEAD apr_time_from_sec(60 * 60)                 /* clocks differ */
#define VALID apr_time_from_sec(24 * 60 * 60)

#define V4_OCTETS 4
#define V6_OCTETS 16
#define V6_TAIL "ip6.arpa"
#define V6_LEN (V6_OCTETS * 4 + sizeof(V6_TAIL) - 1)    /* "f.0." an octet */

const char *acme_alpn_cert_sni(const char *name, apr_pool_t *p)
{
    const char *arpa = acme_name_arpa(name, p);

    return arpa ? arpa : acme_text_lower(name, strlen(name), p);
}

/*
 * The octets of the address behind an arpa name, and their number; 0 when sni
 * is not one. They are read leniently: sni is one if their arpa name is sni.
 */
static int arpa_octets(unsigned char *octets, const char *sni, apr_pool_t *p)
{
    const int len = strlen(sni) == V6_LEN ? V6_OCTETS : V4_OCTETS;
    const int family = len == V6_OCTETS ? AF_INET6 : AF_INET;
    char address[INET6_ADDRSTRLEN];
    unsigned n[V4_OCTETS], low, high;
    const char *arpa = NULL;
    int i;

    if (len == V4_OCTETS
        && sscanf(sni, "%3u.%3u.%3u.%3u.", &n[3], &n[2], &n[1], &n[0])
           != V4_OCTETS) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        if (len == V4_OCTETS) {
            octets[i] = (unsigned char)n[i];
        }
        else if (sscanf(sni + 4 * i, "%1x.%1x.", &low, &high) == 2) {
            octets[V6_OCTETS - 1 - i] = (unsigned char)(high << 4 | low);
        }
        else {
            return 0;
        }
    }
    if (inet_ntop(family, octets, address, sizeof(address))) {
        arpa = acme_name_arpa(address, p);
    }
    return arpa && !strcmp(arpa, sni) ? len : 0;
}

apr_status_t acme_alpn_cert_digest(unsigned char *digest,
                                   const char *key_authorization,
                                   acme_result_t *res)
{
    if (!EVP_Digest(key_authorization, strlen(key_authorization), digest,
                    NULL, EVP_sha256(), NULL)) {
        return acme_fail(res, APR_EGENERAL,
                         "SHA-256 of a key authorization: %s",
                         acme_openssl_reason());
    }
    return APR_SUCCESS;
}

static int add_san(X509 *x509, const char *sni, apr_pool_t *p)
{
    unsigned char octets[V6_OCTETS];
    const int len = arpa_octets(octets, sni, p);
    ASN1_STRING *value = ASN1_STRING_type_new(len ? V_ASN1_OCTET_STRING
                                                  : V_ASN1_IA5STRING);
    GENERAL_NAMES *sans = GENERAL_NAMES_new();
    GENERAL_NAME *san = GENERAL_NAME_new();
    int done;

    done = value && sans && san
        && ASN1_STRING_set(value, len ? (const void *)octets : sni,
                           len ? len : -1)
        && sk_GENERAL_NAME_push(sans, san);
    if (done) {
        GENERAL_NAME_set0_value(san, len ? GEN_IPADD : GEN_DNS, value);
        value = NULL;           /* san's now */
        san = NULL;             /* that of sans */
        done = X509_add1_ext_i2d(x509, NID_subject_alt_name, sans, 0, 0) > 0;
    }
    ASN1_STRING_free(value);
    GENERAL_NAME_free(san);
    GENERAL_NAMES_free(sans);
    return done;
}

/* An octet string within the octet string of every extension. (8737, 3) */
static int add_identifier(X509 *x509, const unsigned char *digest)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(ACME_IDENTIFIER_OID, 1);
    ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    unsigned char *der = NULL;
    int len, done;

    done = oid && inner && value
        && ASN1_OCTET_STRING_set(inner, digest, ACME_ALPN_DIGEST_OCTETS)
        && (len = i2d_ASN1_OCTET_STRING(inner, &der)) > 0
        && ASN1_OCTET_STRING_set(value, der, len)
        && (ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value)) != NULL
        && X509_add_ext(x509, ext, -1);
    X509_EXTENSION_free(ext);
    OPENSSL_free(der);
    ASN1_OCTET_STRING_free(value);
    ASN1_OCTET_STRING_free(inner);
    ASN1_OBJECT_free(oid);
    return done;
}

apr_status_t acme_alpn_cert_make(const char **ppem,
                                 const acme_alpn_cert_t *from,
                                 acme_result_t *res, apr_pool_t *p)
{
    X509_NAME *name = acme_openssl_name(SUBJECT_CN);
    EVP_PKEY *evp = acme_key_evp(from->key);
    X509 *x509 = X509_new();
    apr_status_t rv = APR_SUCCESS;

    *ppem = NULL;

    if (!name || !x509
        || !X509_set_version(x509, X509_V3)
        || !ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509),
                                    (uint64_t)from->now)
        || !X509_set_issuer_name(x509, name)
        || !X509_set_subject_name(x509, name)
        || !acme_openssl_set_times(x509, from->now - LEAD,
                                   from->now + VALID)
        || !add_san(x509, from->sni, p)
        || !add_identifier(x509, from->digest)
        || !X509_set_pubkey(x509, evp)
        || !X509_sign(x509, evp, EVP_sha256())
        || !(*ppem = acme_openssl_pem(x509, p))) {
        rv = acme_fail(res, APR_EGENERAL,
                       "%s: certificate for tls-alpn-01: %s", from->sni,
                       acme_openssl_reason());
    }
    X509_free(x509);
    X509_NAME_free(name);
    return rv;
}
