/*
 * test_alpn_cert.c - the certificate that answers tls-alpn-01, octet by octet.
 */
#include "keys.h"

#include <openssl/x509v3.h>

#include "acme_alpn_cert.h"

#define NOW apr_time_from_sec(1795000000)

/* 8737, 3: 06 08 2b 06 01 05 05 07 01 1f, critical, 04 22 04 20 digest */
static const unsigned char extension_head[] = {
    0x30, 0x31, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f,
    0x01, 0x01, 0xff, 0x04, 0x22, 0x04, 0x20
};

static void names_as_sni(void **state)
{
    static const struct {
        const char *name;
        const char *sni;
    } rows[] = {
        { "example.org", "example.org" },
        { "WWW.Example.ORG", "www.example.org" },
        { "xn--bcher-kva.example", "xn--bcher-kva.example" },
        { "192.0.2.1", "1.2.0.192.in-addr.arpa" },
        { "255.255.255.255", "255.255.255.255.in-addr.arpa" },
        /* 8738, 6 */
        { "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
          "8.b.d.0.1.0.0.2.ip6.arpa" },
        { "::", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
          "0.0.0.0.ip6.arpa" },
        { "", "" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_alpn_cert_sni(rows[i].name, pool),
                            rows[i].sni);
    }
}

/* The token of 8555, 8.1 with the thumbprint of 7638, 3.1. */
static void the_digest_of_a_key_authorization(void **state)
{
    static const char text[] = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA."
                               "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    static const unsigned char expected[ACME_ALPN_DIGEST_OCTETS] = {
        0x65, 0x34, 0x71, 0xd4, 0x29, 0x25, 0xd7, 0xeb,
        0x4c, 0xd3, 0x9a, 0x39, 0xcd, 0xa8, 0xb3, 0x4d,
        0x30, 0x34, 0xc9, 0x4c, 0xb9, 0x00, 0x67, 0xab,
        0x78, 0xc8, 0x12, 0x35, 0x60, 0xba, 0x2e, 0x5f
    };
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];

    (void)state;
    assert_int_equal(acme_alpn_cert_digest(digest, text, &res), APR_SUCCESS);
    assert_memory_equal(digest, expected, sizeof(digest));
}

static apr_status_t free_x509(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

static X509 *make(acme_key_t *key, const char *sni, unsigned char *digest)
{
    const acme_alpn_cert_t from = { .key = key, .sni = sni,
                                    .digest = digest, .now = NOW };
    const char *pem;
    X509 *x509;
    BIO *bio;
    int i;

    for (i = 0; i < ACME_ALPN_DIGEST_OCTETS; i++) {
        digest[i] = (unsigned char)(i * 9);
    }
    if (acme_alpn_cert_make(&pem, &from, &res, pool)) {
        fail_msg("%s: %s", sni, res.detail);
    }
    bio = BIO_new_mem_buf(pem, -1);
    x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(x509);
    apr_pool_cleanup_register(pool, x509, free_x509, apr_pool_cleanup_null);
    return x509;
}

static void the_extension_octet_by_octet(void **state)
{
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];
    X509 *x509 = make(new_key(ACME_KEY_P256), "example.org", digest);
    unsigned char *der = NULL;
    int i, found = 0;

    (void)state;
    assert_int_equal(X509_get_ext_count(x509), 2);
    for (i = 0; i < 2; i++) {
        const X509_EXTENSION *ext = X509_get_ext(x509, i);
        const int len = i2d_X509_EXTENSION(ext, &der);

        if (X509_EXTENSION_get_critical(ext)) {
            assert_int_equal(len, sizeof(extension_head) + sizeof(digest));
            assert_memory_equal(der, extension_head, sizeof(extension_head));
            assert_memory_equal(der + sizeof(extension_head), digest,
                                sizeof(digest));
            found++;
        }
        OPENSSL_free(der);
        der = NULL;
    }
    assert_int_equal(found, 1);
}

/* The one name or address that it is for. */
static const char *san_of(const X509 *x509)
{
    GENERAL_NAMES *sans = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL,
                                           NULL);
    const GENERAL_NAME *san;
    const unsigned char *data;
    const char *text;
    int i, type, len;

    assert_non_null(sans);
    assert_int_equal(sk_GENERAL_NAME_num(sans), 1);
    san = sk_GENERAL_NAME_value(sans, 0);
    data = ASN1_STRING_get0_data(GENERAL_NAME_get0_value(san, &type));
    len = ASN1_STRING_length(GENERAL_NAME_get0_value(san, NULL));
    if (type == GEN_DNS) {
        text = apr_psprintf(pool, "DNS:%.*s", len, (const char *)data);
    }
    else {
        assert_int_equal(type, GEN_IPADD);
        text = "IP:";
        for (i = 0; i < len; i++) {
            text = apr_psprintf(pool, "%s%02x", text, data[i]);
        }
    }
    GENERAL_NAMES_free(sans);
    return text;
}

static void the_name_or_address(void **state)
{
    static const char v6[] = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
                             "0.8.b.d.0.1.0.0.2.ip6.arpa";
    static const struct {
        const char *sni;
        const char *san;
    } rows[] = {
        { "example.org", "DNS:example.org" },
        { "1.2.0.192.in-addr.arpa", "IP:c0000201" },
        { v6, "IP:20010db8000000000000000000000001" },
        /* Names that are no address's. */
        { "in-addr.arpa", "DNS:in-addr.arpa" },
        { "2.0.192.in-addr.arpa", "DNS:2.0.192.in-addr.arpa" },
        { "0.1.2.0.192.in-addr.arpa", "DNS:0.1.2.0.192.in-addr.arpa" },
        { "256.2.0.192.in-addr.arpa", "DNS:256.2.0.192.in-addr.arpa" },
        { "01.2.0.192.in-addr.arpa", "DNS:01.2.0.192.in-addr.arpa" },
        { "+1.2.0.192.in-addr.arpa", "DNS:+1.2.0.192.in-addr.arpa" },
        { "1.2.0.192.in-addr.arpa.example",
          "DNS:1.2.0.192.in-addr.arpa.example" },
        { v6 + 2, NULL },
        { "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
          "ip6.arpa", NULL },
        { "1-0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
          "ip6.arpa", NULL },
        { "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
          "ip7.arpa", NULL }
    };
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];
    acme_key_t *key = new_key(ACME_KEY_P256);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *san = rows[i].san;

        if (!san) {
            san = apr_pstrcat(pool, "DNS:", rows[i].sni, NULL);
        }
        assert_string_equal(san_of(make(key, rows[i].sni, digest)), san);
    }
}

static void signed_by_itself_and_valid_now(void **state)
{
    static const acme_key_type_e types[] = { ACME_KEY_P256,
                                             ACME_KEY_RSA2048 };
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];
    time_t now = (time_t)apr_time_sec(NOW);
    acme_key_t *key;
    X509 *x509;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(types); i++) {
        key = new_key(types[i]);
        x509 = make(key, "example.org", digest);
        assert_int_equal(X509_verify(x509, acme_key_evp(key)), 1);
        assert_int_equal(X509_check_private_key(x509, acme_key_evp(key)), 1);
        assert_int_equal(X509_NAME_cmp(X509_get_subject_name(x509),
                                       X509_get_issuer_name(x509)), 0);
        assert_int_equal(X509_get_version(x509), 2);
        assert_true(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x509), now) < 0);
        assert_true(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x509), now) > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CRYPTO_TEST(names_as_sni),
        CRYPTO_TEST(the_digest_of_a_key_authorization),
        CRYPTO_TEST(the_extension_octet_by_octet),
        CRYPTO_TEST(the_name_or_address),
        CRYPTO_TEST(signed_by_itself_and_valid_now)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
