/*
 * test_x509.c - chains as a CA may send them, requests, placeholders, pairs.
 */
#include <openssl/ssl.h>

#include "certs.h"

#include "acme_csr.h"
#include "acme_self_signed.h"
#include "acme_name.h"
#include "acme_openssl.h"
#include "acme_pair.h"
#include "acme_pem.h"
#include "acme_public_key.h"

static const char *pem_block(const char *name, const char *header,
                             const unsigned char *data, int len)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio(bio, name, header, data, len);
    return bio_text(bio);
}

static const char *leaf_middle_root(const char *between)
{
    return apr_pstrcat(pool, ca.leaf_pem, between, ca.middle_pem, between,
                       ca.root_pem, NULL);
}

static const char *with_crlf(const char *text)
{
    char *crlf = apr_palloc(pool, 2 * strlen(text) + 1), *to = crlf;

    for (; *text; text++) {
        if (*text == '\n') {
            *to++ = '\r';
        }
        *to++ = *text;
    }
    *to = '\0';
    return crlf;
}

static void a_chain_is_taken_apart_and_normalised(void **state)
{
    const char *full = leaf_middle_root("");
    const struct {
        const char *name;
        const char *pem;
    } rows[] = {
        { "as it should be", full },
        { "blank lines between", leaf_middle_root("\n \t\r\n\n") },
        { "white space around",
          apr_pstrcat(pool, "\n\n  ", full, "\n ", NULL) },
        { "CR LF", with_crlf(full) },
        { "words between", leaf_middle_root("subject=x\nissuer = y\n") },
        { "words before", apr_pstrcat(pool, "Here it is:\r\n", full, NULL) },
        { "words behind", apr_pstrcat(pool, full, "\nBye", NULL) },
        { "no end of line", apr_pstrmemdup(pool, full, strlen(full) - 1) }
    };
    apr_array_header_t *ders;
    acme_chain_t *chain;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_chain_parse(&chain, rows[i].pem, strlen(rows[i].pem), &res,
                             pool)
            || acme_pem_read(&ders, rows[i].pem, strlen(rows[i].pem), &res,
                             pool)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_non_null(acme_chain_x509(chain, 2));
        assert_null(acme_chain_x509(chain, 3));
        assert_int_equal(ders->nelts, 3);
        assert_string_equal(acme_pem_text(ders, 0, pool), full);
        assert_string_equal(acme_pem_text(ders, 1, pool),
                            apr_pstrcat(pool, ca.middle_pem, ca.root_pem,
                                        NULL));
        assert_string_equal(acme_pem_text(ders, 3, pool), "");
    }
}

static const char *times(const char *text, int n)
{
    const size_t len = strlen(text);
    char *all = apr_palloc(pool, len * (size_t)n + 1), *end = all;

    while (n--) {
        memcpy(end, text, len);
        end += len;
    }
    *end = '\0';
    return all;
}

static const char *one_octet_more(void)
{
    unsigned char *der = NULL, *longer;
    int len = i2d_X509(ca.leaf, &der);

    longer = apr_pcalloc(pool, (apr_size_t)len + 1);
    memcpy(longer, der, (size_t)len);
    OPENSSL_free(der);
    return pem_block("CERTIFICATE", "", longer, len + 1);
}

static const char *other_block(const char *name, const char *header)
{
    unsigned char *der = NULL;
    int len = i2d_X509(ca.leaf, &der);
    const char *pem = pem_block(name, header, der, len);

    OPENSSL_free(der);
    return pem;
}

static const char *changed(const char *pem, const char *from, char to)
{
    char *copy = apr_pstrdup(pool, pem);
    char *at = strstr(copy, from);

    assert_non_null(at);
    *at = to;
    return copy;
}

static void hostile_chains_are_refused(void **state)
{
    const char *leaf = ca.leaf_pem;
    const char *key = pkcs8(acme_key_evp(ca.key), 0);
    apr_size_t half = strlen(leaf) / 2;
    const char *end = "\n-----END CERTIFICATE-----\n";
    const struct {
        const char *name;
        const char *pem;
        const char *told;
    } rows[] = {
        { "empty", "", "no certificate" },
        { "white space", " \r\n\t\n", "no certificate" },
        { "garbage", "hello", "no certificate" },
        { "a line of dashes", "----\nhello", "expected certificate 1" },
        { "text after begin", changed(leaf, "-----\n", '_'),
          "expected certificate 1" },
        { "text in the line of begin",
          apr_pstrcat(pool, "-----BEGIN CERTIFICATE-----x\n", leaf, NULL),
          "expected certificate 1" },
        { "begin, CR, text",
          apr_pstrcat(pool, "-----BEGIN CERTIFICATE-----\rx\n", leaf, NULL),
          "expected certificate 1" },
        { "begin alone", "-----BEGIN CERTIFICATE-----",
          "expected certificate 1" },
        { "begin and end", apr_pstrcat(pool, "-----BEGIN CERTIFICATE-----",
                                       end, NULL), "1 is damaged" },
        { "cut short", apr_pstrmemdup(pool, leaf, half), "1 is damaged" },
        { "cut short, then whole",
          apr_pstrcat(pool, apr_pstrmemdup(pool, leaf, half), "\n", leaf,
                      NULL), "1 is damaged" },
        { "cut short, and an end",
          apr_pstrcat(pool, apr_pstrmemdup(pool, leaf, half), end, NULL),
          "1 is damaged" },
        { "no end", apr_pstrmemdup(pool, leaf, strlen(leaf) - strlen(end) + 1),
          "1 is damaged" },
        { "text in the line of end",
          apr_pstrcat(pool, apr_pstrmemdup(pool, leaf, strlen(leaf) - 1),
                      "x\n", NULL), "1 is damaged" },
        { "not base64", changed(leaf, "MI", '!'), "1 is damaged" },
        { "not DER", changed(leaf, "MI", 'A'), "1 is damaged" },
        { "an octet more", one_octet_more(), "1 is damaged" },
        { "the second damaged",
          apr_pstrcat(pool, leaf, changed(leaf, "MI", 'A'), NULL),
          "2 is damaged" },
        { "headers", other_block("CERTIFICATE", "Proc-Type: 4,ENCRYPTED\n"
                                 "DEK-Info: AES-128-CBC,00\n"),
          "1 is damaged" },
        { "trusted certificate", other_block("TRUSTED CERTIFICATE", ""),
          "expected certificate 1" },
        { "old name", other_block("X509 CERTIFICATE", ""),
          "expected certificate 1" },
        { "a key first", apr_pstrcat(pool, key, leaf, NULL),
          "expected certificate 1" },
        { "a key behind", apr_pstrcat(pool, leaf, key, leaf, NULL),
          "expected certificate 2" },
        { "11 certificates", times(leaf, 11), "more than 10" },
        { "too large", apr_pstrcat(pool, leaf, times("    ", 16 * 1024), NULL),
          "larger than" }
    };
    acme_chain_t *chain;
    size_t i;

    (void)state;
    parse(times(leaf, 10));
    for (i = 0; i < COUNT(rows); i++) {
        chain = (acme_chain_t *)&res;
        if (!acme_chain_parse(&chain, rows[i].pem, strlen(rows[i].pem), &res,
                              pool) || chain
            || !strstr(res.detail, rows[i].told)
            || strstr(res.detail, "PRIVATE")) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void a_nul_refuses_a_chain_wherever_it_is(void **state)
{
    apr_size_t len = strlen(ca.leaf_pem), i;
    acme_chain_t *chain;
    char *pem;

    (void)state;
    for (i = 0; i <= len; i++) {
        /* The last one stands behind the certificate. */
        pem = apr_pstrmemdup(pool, ca.leaf_pem, len);
        pem[i] = '\0';
        assert_int_equal(acme_chain_parse(&chain, pem, len + 1, &res, pool),
                         APR_EINVAL);
        assert_non_null(strstr(res.detail, "NUL"));
    }
}

static void a_file_is_named_in_a_failure(void **state)
{
    const char *path = file_of("bad.pem", "x");
    acme_chain_t *chain;

    (void)state;
    assert_true(APR_STATUS_IS_ENOENT(acme_chain_load(&chain, path_of("none"),
                                                     &res, pool)));
    assert_null(chain);
    assert_int_equal(acme_chain_load(&chain, path, &res, pool), APR_EINVAL);
    assert_null(chain);
    assert_int_equal(strncmp(res.detail, path, strlen(path)), 0);

    path = file_of("good.pem", leaf_middle_root(""));
    assert_int_equal(acme_chain_load(&chain, path, &res, pool), APR_SUCCESS);
    assert_int_equal(X509_cmp(acme_chain_x509(chain, 0), ca.leaf), 0);
}

static void names_of_the_leaf(void **state)
{
    static const struct {
        const char *name;
        int type;
        const char *octets;
        int len;
        const char *is;         /* the name; NULL: none and no failure */
        const char *told;       /* how it is refused */
    } rows[] = {
        { "plain", GEN_DNS, "www.example.org", -1, "www.example.org", NULL },
        { "upper case", GEN_DNS, "WWW.Example.ORG", -1, "www.example.org",
          NULL },
        { "wildcard", GEN_DNS, "*.example.org", -1, "*.example.org", NULL },
        { "A-label", GEN_DNS, "xn--bcher-kva.example", -1,
          "xn--bcher-kva.example", NULL },
        { "IPv4", GEN_IPADD, "\xc0\0\2\1", 4, "192.0.2.1", NULL },
        { "IPv6", GEN_IPADD, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16,
          "2001:db8::1", NULL },
        { "mail", GEN_EMAIL, "a@example.org", -1, NULL, NULL },
        { "URI", GEN_URI, "spiffe://example.org/x", -1, NULL, NULL },

        { "NUL inside", GEN_DNS, "example.org\0.evil.test", 22, NULL, "NUL" },
        { "NUL at the end", GEN_DNS, "example.org", 12, NULL, "NUL" },
        { "NUL first", GEN_DNS, "\0example.org", 12, NULL, "NUL" },
        { "empty", GEN_DNS, "", 0, NULL,
          "not a DNS name" },
        { "line feed", GEN_DNS, "a\n.example.org", -1, NULL, "a\\x0a.exam" },
        { "escape", GEN_DNS, "\x1b[2J.example.org", -1, NULL, "\\x1b[2J" },
        { "white space", GEN_DNS, "a b.example.org", -1, NULL,
          "not a DNS name" },
        { "U-label", GEN_DNS, "b\xc3\xbc" "cher.example", -1, NULL,
          "b\\xc3\\xbccher" },
        { "final dot", GEN_DNS, "example.org.", -1, NULL,
          "not a DNS name" },
        { "star inside", GEN_DNS, "w*.example.org", -1, NULL,
          "not a DNS name" },
        { "address in text", GEN_DNS, "192.0.2.1", -1, NULL,
          "not a DNS name" },
        { "IPv6 in text", GEN_DNS, "2001:db8::1", -1, NULL,
          "not a DNS name" },
        { "3 octets", GEN_IPADD, "\1\2\3", 3, NULL, "3 octets" },
        { "address and mask", GEN_IPADD, "\1\2\3\4\xff\xff\xff\0", 8, NULL,
          "8 octets" }
    };
    const acme_cert_info_t *leaf;
    acme_chain_t *chain;
    const char *pem;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        pem = pem_of(make_leaf((spec_t){ .san_type = rows[i].type,
                                         .san = rows[i].octets,
                                         .san_len = rows[i].len }));
        rv = acme_chain_parse(&chain, pem, strlen(pem), &res, pool);
        if (rows[i].told) {
            if (!rv || chain || !strstr(res.detail, rows[i].told)) {
                fail_msg("%s: %s", rows[i].name, res.detail);
            }
            continue;
        }
        if (rv) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        leaf = acme_chain_leaf(chain);
        assert_int_equal(leaf->names->nelts, rows[i].is ? 1 : 0);
        if (rows[i].is) {
            assert_string_equal(APR_ARRAY_IDX(leaf->names, 0, const char *),
                                rows[i].is);
        }
    }
}

/* subjectAltName twice, and one that is no sequence of names. */
static void a_damaged_extension_is_refused(void **state)
{
    static const unsigned char no_names[] = { 0x04, 0x01, 0x00 };
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    acme_chain_t *chain;
    X509_EXTENSION *ext;
    X509 *x509;
    int twice;

    (void)state;
    ASN1_OCTET_STRING_set(value, no_names, sizeof(no_names));
    for (twice = 0; twice < 2; twice++) {
        x509 = twice ? X509_dup(ca.leaf) : X509_dup(ca.root);
        ext = twice ? X509_EXTENSION_dup(X509_get_ext(x509, 1))
                    : X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name,
                                                   0, value);
        X509_add_ext(x509, ext, -1);
        X509_EXTENSION_free(ext);
        X509_sign(x509, ca.root_key, EVP_sha256());
        assert_int_equal(acme_chain_parse(&chain, pem_of(x509),
                                          strlen(pem_of(x509)), &res, pool),
                         APR_EINVAL);
        assert_non_null(strstr(res.detail, "subjectAltName"));
        X509_free(x509);
    }
    ASN1_OCTET_STRING_free(value);
}

static void serials_are_hex(void **state)
{
    static const struct {
        const char *decimal;
        const char *hex;        /* NULL: refused */
    } rows[] = {
        { "1", "01" },
        { "255", "ff" },
        { "43981", "abcd" },
        { "0", "00" },
        { "-171", "-ab" },
        { "1461501637330902918203684832716283019655932542975",
          "ffffffffffffffffffffffffffffffffffffffff" },
        { "1461501637330902918203684832716283019655932542976", NULL }
    };
    acme_chain_t *chain;
    const char *pem;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        pem = pem_of(make_leaf((spec_t){ .serial = rows[i].decimal }));
        rv = acme_chain_parse(&chain, pem, strlen(pem), &res, pool);
        assert_int_equal(rv, rows[i].hex ? APR_SUCCESS : APR_EINVAL);
        if (rows[i].hex) {
            assert_string_equal(acme_chain_leaf(chain)->serial, rows[i].hex);
        }
    }
}

static void issuer_and_times(void **state)
{
    static const struct {
        const char *cn;
        const char *shown;
    } rows[] = {
        { "Test CA 1", "Test CA 1" },
        { "R\xc3\xa9" "al", "R\\xc3\\xa9al" },
        { "two\nlines", "two\\x0alines" },
        { "", "" }
    };
    const acme_cert_info_t *leaf;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        spec_t issuer = { .cn = rows[i].cn, .key = ca.middle_key,
                          .is_ca = 1 };
        X509 *x509 = make_leaf((spec_t){ .issuer = make_cert(&issuer) });

        leaf = acme_chain_leaf(parse(pem_of(x509)));
        assert_string_equal(leaf->issuer, rows[i].shown);
        assert_int_equal(leaf->not_before, NOW);
        assert_int_equal(leaf->not_after, NOW + DAYS(90));
    }
}

/* Without a CN the whole name is shown, cut to what a line can hold. */
static void an_issuer_without_cn(void **state)
{
    const char *long_text = times("0123456789", 6);
    spec_t spec = { .cn = "", .key = ca.middle_key, .is_ca = 1 };
    X509_NAME *name = X509_NAME_new();
    X509 *x509 = make_cert(&spec);
    const char *issuer;
    int i;

    (void)state;
    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC,
                               (const unsigned char *)"XX", -1, -1, 0);
    for (i = 0; i < 3; i++) {
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
                                   (const unsigned char *)long_text, -1, -1,
                                   0);
    }
    X509_set_subject_name(x509, name);
    X509_NAME_free(name);
    x509 = make_leaf((spec_t){ .issuer = x509 });
    issuer = acme_chain_leaf(parse(pem_of(x509)))->issuer;
    assert_int_equal(strncmp(issuer, "/C=XX/O=0123", 12), 0);
    assert_int_equal(strlen(issuer), 128);
    assert_string_equal(issuer + 125, "...");
}

/* The keyIdentifier of 9773's example, and others, as whole extensions. */
#define AKI_9773 "DER:3016801469885b6b87464041e1b37b847ba0ae2cde01c8d4"
#define AKI_NO_KEY "DER:3003820101"
#define AKI_EMPTY_KEY "DER:30028000"
#define AKI_DAMAGED "DER:3016800469885b6b"

#define OCTETS_35 "0102030405060708090a0b0c0d0e0f10111213141516171819" \
                  "1a1b1c1d1e1f20212223"
#define AKI_73 "DER:304b8049" OCTETS_35 OCTETS_35 "242526"
#define AKI_74 "DER:304c804a" OCTETS_35 OCTETS_35 "24252627"

/* The longest serial number, and its content octets. */
#define SERIAL_MAX "1461501637330902918203684832716283019655932542975"
#define SERIAL_MAX64 "AP__________________________"

static void certificates_have_an_id(void **state)
{
    static const struct {
        const char *name;
        const char *aki;
        const char *serial;
        const char *id;
    } rows[] = {
        { "9773, 4.1", AKI_9773, "2271560481",
          "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" },
        { "no 00 needed", AKI_9773, "127", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.fw" },
        { "a 00 needed", AKI_9773, "128", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIA" },
        { "serial 0", AKI_9773, "0", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA" },
        { "20 octets and a 00", AKI_9773, SERIAL_MAX,
          "aYhba4dGQEHhs3uEe6CuLN4ByNQ." SERIAL_MAX64 },
        { "127 characters", AKI_73, SERIAL_MAX,
          "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMBAgMEBQYHCAkKCwwND"
          "g8QERITFBUWFxgZGhscHR4fICEiIyQlJg." SERIAL_MAX64 },
        { "no AKI", NULL, "1", NULL },
        { "AKI without a key", AKI_NO_KEY, "1", NULL },
        { "AKI with an empty key", AKI_EMPTY_KEY, "1", NULL },
        { "AKI damaged", AKI_DAMAGED, "1", NULL },
        { "128 characters", AKI_74, SERIAL_MAX, NULL }
    };
    const char *id;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        spec_t spec = { .serial = rows[i].serial };

        if (rows[i].aki) {
            spec.exts[0].nid = NID_authority_key_identifier;
            spec.exts[0].value = rows[i].aki;
        }
        id = acme_chain_leaf(parse(pem_of(make_leaf(spec))))->cert_id;
        if (!id != !rows[i].id || (id && strcmp(id, rows[i].id))) {
            fail_msg("%s: %s", rows[i].name, id ? id : "none");
        }
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void stapling_is_read(void **state)
{
    static const struct {
        const char *value;
        int is;
    } rows[] = {
        { NULL, 0 }, { "status_request", 1 }, { "status_request_v2", 0 },
        { "status_request_v2,status_request", 1 }, { "DER:3000", 0 },
        { "DER:04", 0 },
        { "DER:300b0209010000000000000005", 0 }         /* 2^64 + 5 */
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        spec_t spec = { 0 };

        if (rows[i].value) {
            spec.exts[0].nid = NID_tlsfeature;
            spec.exts[0].value = rows[i].value;
        }
        assert_int_equal(acme_chain_leaf(parse(pem_of(make_leaf(spec))))
                         ->must_staple, rows[i].is);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void assert_url(const char *name, const char *url, const char *is)
{
    if (!url != !is || (url && strcmp(url, is))) {
        fail_msg("%s: %s", name, url ? url : "none");
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void responders_are_read(void **state)
{
    const struct {
        const char *name;
        const char *value;
        const char *url;
    } rows[] = {
        { "one", "OCSP;URI:http://o.test", "http://o.test" },
        { "scheme in upper case", "OCSP;URI:HTTP://o.test/a",
          "HTTP://o.test/a" },
        { "the first", "OCSP;URI:http://o.test,OCSP;URI:http://p.test",
          "http://o.test" },
        { "the first http", "OCSP;URI:ldap://o.test,OCSP;URI:https://o.test,"
          "OCSP;URI:http://p.test", "http://p.test" },
        { "issuers only", "caIssuers;URI:http://c.test", NULL },
        { "no URI", "OCSP;DNS:o.test", NULL },
        { "a file", "OCSP;URI:file:///etc/passwd", NULL },
        { "white space", "OCSP;URI:http://o.test/a b", NULL },
        { "user name", "OCSP;URI:http://me@o.test/", NULL },
        { "no host", "OCSP;URI:http:///x", NULL },
        { "too long", apr_psprintf(pool, "OCSP;URI:http://o.test/%s",
                                   times("0123456789", 200)), NULL },
        { "NUL inside", "DER:3018301606082b06010505073001860a687474703a2f2f6f"
          "002e", NULL },
        { "damaged", "DER:30183016", NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        spec_t spec = { .exts = { { NID_info_access, rows[i].value } } };
        const acme_cert_info_t *leaf =
            acme_chain_leaf(parse(pem_of(make_leaf(spec))));

        assert_url(rows[i].name, leaf->ocsp_url, rows[i].url);
        assert_null(leaf->crl_url);
    }
    assert_null(acme_chain_leaf(parse(ca.leaf_pem))->ocsp_url);
}

/* A DistributionPoint for http://c, and what may stand behind it. */
#define POINT_URI "a00c" "a00a" "8608687474703a2f2f63"

static void lists_are_read(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *url;
    } rows[] = {
        { "one", "URI:http://c.test/1.crl", "http://c.test/1.crl" },
        { "in DER", "DER:3010" "300e" POINT_URI, "http://c" },
        { "the first http", "URI:ldap://c.test,URI:http://c.test,"
          "URI:http://d.test", "http://c.test" },
        { "https", "URI:https://c.test", NULL },
        { "of some reasons", "DER:3014" "3012" POINT_URI "81020640", NULL },
        { "of another issuer",
          "DER:3015" "3013" POINT_URI "a203" "820178", NULL },
        { "relative name", "DER:3014" "3012" "a010" "a10e300c0603550403"
          "0c0563726c2d31", NULL },
        { "nothing in it", "DER:30023000", NULL },
        { "damaged", "DER:3016", NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        spec_t spec = { .exts = { { NID_crl_distribution_points,
                                    rows[i].value } } };
        const acme_cert_info_t *leaf =
            acme_chain_leaf(parse(pem_of(make_leaf(spec))));

        assert_url(rows[i].name, leaf->crl_url, rows[i].url);
        assert_null(leaf->ocsp_url);
    }
}

static void times_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *text;
        apr_time_t is;          /* 0: refused */
    } rows[] = {
        { "19700102000000Z", DAYS(1) },
        { "99991231235959Z", 253402300799LL * 1000000 },
        { "20231314000000Z", 0 },
        { "20230230000000Z", 0 },
        { "yesterday", 0 }
    };
    acme_chain_t *chain;
    ASN1_STRING *time;
    apr_status_t rv;
    const char *pem;
    X509 *x509;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        time = ASN1_STRING_type_new(V_ASN1_GENERALIZEDTIME);
        ASN1_STRING_set(time, rows[i].text, -1);
        x509 = X509_dup(ca.leaf);
        X509_set1_notAfter(x509, time);
        X509_sign(x509, ca.middle_key, EVP_sha256());
        pem = pem_of(x509);
        X509_free(x509);
        ASN1_STRING_free(time);

        rv = acme_chain_parse(&chain, pem, strlen(pem), &res, pool);
        if (rows[i].is) {
            assert_int_equal(rv, APR_SUCCESS);
            assert_int_equal(acme_chain_leaf(chain)->not_after, rows[i].is);
            continue;
        }
        if (rv != APR_EINVAL || chain) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void the_topmost_issuer_is_told(void **state)
{
    spec_t spec = { .cn = "two\nlines", .key = ca.root_key, .is_ca = 1 };
    X509 *odd = make_cert(&spec);
    const struct {
        const char *pems[2];
        const char *topmost;
    } rows[] = {
        { { ca.leaf_pem, "" }, "Test CA 1" },
        { { ca.leaf_pem, ca.middle_pem }, "Test Root" },
        { { leaf_middle_root(""), "" }, "Test Root" },
        { { pem_of(make_leaf((spec_t){ .issuer = odd })), "" },
          "two\\x0alines" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_chain_topmost(
            parse(apr_pstrcat(pool, rows[i].pems[0], rows[i].pems[1], NULL)),
            pool), rows[i].topmost);
    }
}

static void the_leaf_is_der(void **state)
{
    const char *full = leaf_middle_root("");
    acme_chain_t *chain = parse(full);
    apr_array_header_t *ders;
    const acme_octets_t *der;
    const unsigned char *end;
    X509 *x509;

    (void)state;
    assert_int_equal(acme_pem_read(&ders, full, strlen(full), &res, pool), 0);
    der = &APR_ARRAY_IDX(ders, 0, acme_octets_t);
    end = der->data;
    x509 = d2i_X509(NULL, &end, (long)der->len);
    assert_ptr_equal(end, der->data + der->len);
    assert_int_equal(X509_cmp(x509, ca.leaf), 0);
    X509_free(x509);

    assert_int_equal(X509_cmp(acme_chain_x509(chain, 0), ca.leaf), 0);
    assert_int_equal(X509_cmp(acme_chain_x509(chain, 2), ca.root), 0);
    assert_null(acme_chain_x509(chain, 3));
}

static acme_octets_t octets(const char *text)
{
    return (acme_octets_t) { (const unsigned char *)text, strlen(text) };
}

static int has_key(const char *pem, acme_key_t *key)
{
    acme_octets_t public;

    assert_int_equal(acme_pair_check_certs(&public, octets(pem), NULL, &res,
                                           pool), 0);
    return acme_public_key_is_same(public, acme_public_key_of(key, pool));
}

static void the_key_is_told_from_others(void **state)
{
    const char *full = leaf_middle_root("");

    (void)state;
    assert_true(has_key(full, ca.key));
    assert_false(has_key(full, new_key(ACME_KEY_P256)));
    assert_false(has_key(full, new_key(ACME_KEY_P384)));
    assert_false(has_key(full, new_key(ACME_KEY_RSA2048)));
}

/* A CA may write the point of an EC key in another form. */
static void a_key_is_the_same_in_another_form(void **state)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    EVP_PKEY *short_form = EVP_PKEY_dup(acme_key_evp(ca.key));
    const char *pem;

    assert_int_equal(EVP_PKEY_set_utf8_string_param(
        short_form, "point-format", "compressed"), 1);
    pem = pem_of(make_leaf((spec_t){ .key = short_form }));
    assert_int_not_equal(strlen(pem),
                         strlen(pem_of(make_leaf((spec_t){ 0 }))));
    assert_true(has_key(pem, ca.key));
    EVP_PKEY_free(short_form);
#endif
    (void)state;
}

static void texts_that_are_no_pem_are_refused(void **state)
{
    const char *const rows[] = {
        "", " \n", "x", "-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nA===\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAA=A\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-x",
        pkcs8(acme_key_evp(ca.key), 0)
    };
    apr_array_header_t *ders;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_pem_read(&ders, rows[i], strlen(rows[i]), &res, pool)
            != APR_EINVAL || ders) {
            fail_msg("%s", rows[i]);
        }
    }
    assert_int_equal(acme_pem_read(&ders, "AA\0A", 4, &res, pool),
                     APR_EINVAL);
}

static void each_is_signed_by_the_next(void **state)
{
    /* Same name, another key: only the signature tells. */
    spec_t twin_spec = { .cn = "Test CA 1", .is_ca = 1, .key = ca.root_key };
    const char *twin = pem_of(make_cert(&twin_spec));
    /* Signed with the right key, but in another's name. */
    spec_t other_spec = { .cn = "Other", .is_ca = 1, .key = ca.middle_key };
    const char *other = pem_of(make_cert(&other_spec));
    /* A leaf of the same CA is no CA. */
    const char *leaf = ca.leaf_pem;
    const struct {
        const char *name;
        const char *pems[3];
        const char *told;       /* NULL: linked */
    } rows[] = {
        { "leaf alone", { leaf, "", "" }, NULL },
        { "without the root", { leaf, ca.middle_pem, "" }, NULL },
        { "with the root", { leaf, ca.middle_pem, ca.root_pem }, NULL },
        { "root twice", { ca.root_pem, ca.root_pem, "" }, NULL },
        { "wrong order", { leaf, ca.root_pem, ca.middle_pem }, "1 of 3" },
        { "root first", { ca.root_pem, ca.middle_pem, leaf }, "1 of 3" },
        { "one missing", { leaf, ca.root_pem, "" }, "1 of 2" },
        { "leaf twice", { leaf, leaf, ca.middle_pem }, "1 of 3" },
        { "another key", { leaf, twin, "" }, "1 of 2, \"example.org\", is not "
          "signed by the next, \"Test CA 1\"" },
        { "another name", { leaf, other, "" }, "\"Other\"" },
        { "the second", { leaf, ca.middle_pem, twin }, "2 of 3" }
    };
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        rv = acme_chain_linked(parse(apr_pstrcat(pool, rows[i].pems[0],
                                                 rows[i].pems[1],
                                                 rows[i].pems[2], NULL)),
                               &res, pool);
        if (!rv != !rows[i].told
            || (rv && !strstr(res.detail, rows[i].told))) {
            fail_msg("%s: %s", rows[i].name, rv ? res.detail : "linked");
        }
    }
}

static apr_array_header_t *list(const char *const *names)
{
    apr_array_header_t *array = apr_array_make(pool, 4, sizeof(char *));

    for (; *names; names++) {
        APR_ARRAY_PUSH(array, const char *) = *names;
    }
    return array;
}

/* In OpenSSL's words, as acme_cert_info.c is not its own judge. */
static const char *sans_text(const GENERAL_NAMES *sans)
{
    const char *text = "";
    int i;

    for (i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);
        BIO *bio = BIO_new(BIO_s_mem());

        GENERAL_NAME_print(bio, san);
        text = apr_pstrcat(pool, text, *text ? " " : "", bio_text(bio), NULL);
    }
    return text;
}

#define LABEL_50 "a2345678901234567890123456789012345678901234567890"
#define OCTETS_64 LABEL_50 ".89.example.or"

static void a_request_has_all_names(void **state)
{
    static const struct {
        const char *names[4];
        const char *cn;         /* NULL: the subject is empty */
        const char *sans;
    } rows[] = {
        { { "example.org", "www.example.org" }, "example.org",
          "DNS:example.org DNS:www.example.org" },
        { { "*.example.org" }, "*.example.org", "DNS:*.example.org" },
        { { "*.example.org", "example.org", "192.0.2.1" }, "*.example.org",
          "DNS:*.example.org DNS:example.org IP Address:192.0.2.1" },
        { { OCTETS_64 }, OCTETS_64, "DNS:" OCTETS_64 },
        { { OCTETS_64 "g", "b.org" }, "b.org",
          "DNS:" OCTETS_64 "g DNS:b.org" },
        { { OCTETS_64 "g" }, NULL, "DNS:" OCTETS_64 "g" },
        { { "192.0.2.1", "b.org" }, "b.org",
          "IP Address:192.0.2.1 DNS:b.org" },
        { { "192.0.2.1", "2001:db8::1" }, NULL,
          "IP Address:192.0.2.1 IP Address:2001:DB8:0:0:0:0:0:1" },
        /* Syntax in OpenSSL's configuration strings, were they used */
        { { "a.org,DNS:evil.test" }, "a.org,DNS:evil.test",
          "DNS:a.org,DNS:evil.test" }
    };
    static const acme_key_type_e types[] = {
        ACME_KEY_P256, ACME_KEY_P384, ACME_KEY_RSA2048
    };
    const unsigned char *end;
    STACK_OF(X509_EXTENSION) *exts;
    GENERAL_NAMES *sans;
    acme_octets_t csr;
    acme_key_t *key;
    X509_REQ *req;
    apr_size_t i;
    char cn[128];

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        key = new_key(types[i % COUNT(types)]);
        if (acme_csr_make(&csr, key, list(rows[i].names), ACME_CSR_PLAIN, &res,
                          pool)) {
            fail_msg("%s", res.detail);
        }
        end = csr.data;
        req = d2i_X509_REQ(NULL, &end, (long)csr.len);
        assert_non_null(req);
        assert_ptr_equal(end, csr.data + csr.len);
        assert_int_equal(X509_REQ_verify(req, acme_key_evp(key)), 1);
        assert_int_equal(X509_REQ_check_private_key(req, acme_key_evp(key)),
                         1);

        assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(req)),
                         rows[i].cn ? 1 : 0);
        if (rows[i].cn) {
            X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(req),
                                      NID_commonName, cn, sizeof(cn));
            assert_string_equal(cn, rows[i].cn);
        }
        exts = X509_REQ_get_extensions(req);
        assert_int_equal(sk_X509_EXTENSION_num(exts), 1);
        sans = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
        assert_string_equal(sans_text(sans), rows[i].sans);
        GENERAL_NAMES_free(sans);
        sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
        X509_REQ_free(req);
    }
}

/* 7633: TLSFEATURE { status_request }, and not critical. */
static void a_request_asks_for_stapling_when_told(void **state)
{
    static const char *const names[] = { "example.org", NULL };
    static const unsigned char feature[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
    STACK_OF(X509_EXTENSION) *exts;
    const ASN1_OCTET_STRING *value;
    const unsigned char *der;
    X509_EXTENSION *ext;
    acme_octets_t csr;
    ASN1_OBJECT *oid;
    X509_REQ *req;
    int must, at;

    (void)state;
    oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.24", 1);
    for (must = 0; must < 2; must++) {
        assert_int_equal(acme_csr_make(&csr, ca.key, list(names),
                                       must ? ACME_CSR_MUST_STAPLE
                                            : ACME_CSR_PLAIN,
                                       &res, pool), 0);
        der = csr.data;
        req = d2i_X509_REQ(NULL, &der, (long)csr.len);
        exts = X509_REQ_get_extensions(req);
        assert_int_equal(sk_X509_EXTENSION_num(exts), 1 + must);
        at = X509v3_get_ext_by_OBJ(exts, oid, -1);
        assert_int_equal(at >= 0, must);
        if (must) {
            ext = sk_X509_EXTENSION_value(exts, at);
            value = X509_EXTENSION_get_data(ext);
            assert_int_equal(X509_EXTENSION_get_critical(ext), 0);
            assert_int_equal(ASN1_STRING_length(value), sizeof(feature));
            assert_memory_equal(ASN1_STRING_get0_data(value), feature,
                                sizeof(feature));
        }
        sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
        X509_REQ_free(req);
    }
    ASN1_OBJECT_free(oid);
}

static apr_status_t self_signed(const char **ppem,
                                const apr_array_header_t *names,
                                apr_interval_time_t valid)
{
    acme_self_signed_t from = { .names = names, .now = NOW, .valid = valid };

    assert_int_equal(acme_key_pem(&from.key_pem, ca.key, &res, pool), 0);
    return acme_self_signed_make(ppem, &from, &res, pool);
}

static void no_names_no_request(void **state)
{
    static const char *const none[] = { NULL };
    acme_octets_t csr = { (const unsigned char *)"", 1 };
    const char *pem = "";

    (void)state;
    assert_int_equal(acme_csr_make(&csr, ca.key, list(none), ACME_CSR_PLAIN,
                                   &res, pool),
                     APR_EINVAL);
    assert_null(csr.data);
    assert_int_equal(csr.len, 0);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);

    assert_int_equal(self_signed(&pem, list(none), DAYS(1)), APR_EINVAL);
    assert_null(pem);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
}

static void a_placeholder_is_what_it_says(void **state)
{
    static const char *const names[] = {
        "example.org", "*.example.org", "192.0.2.1", "2001:db8::1", NULL
    };
    const acme_cert_info_t *leaf;
    const char *pem, *serial;
    acme_chain_t *chain;
    X509 *x509;
    BIO *bio;

    (void)state;
    assert_int_equal(self_signed(&pem, list(names), DAYS(30)), 0);
    chain = parse(pem);
    leaf = acme_chain_leaf(chain);
    assert_true(has_key(pem, ca.key));
    assert_int_equal(leaf->names->nelts, 4);
    assert_true(acme_name_all_in(list(names), leaf->names));
    assert_int_equal(leaf->not_before, NOW - apr_time_from_sec(3600));
    assert_int_equal(leaf->not_after, leaf->not_before + DAYS(30));
    assert_string_equal(leaf->issuer, "placeholder of mod_acme");
    assert_int_equal(strlen(leaf->serial), 32);
    serial = leaf->serial;

    bio = BIO_new_mem_buf(pem, -1);
    x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_int_equal(X509_get_version(x509), 2);
    assert_int_equal(X509_verify(x509, acme_key_evp(ca.key)), 1);
    assert_int_equal(X509_check_ca(x509), 0);
    assert_int_equal(X509_get_extended_key_usage(x509), XKU_SSL_SERVER);
    assert_int_equal(X509_check_host(x509, "a.example.org", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x509, "2001:db8::1", 0), 1);
    X509_free(x509);

    assert_int_equal(self_signed(&pem, list(names), DAYS(30)), 0);
    assert_string_not_equal(acme_chain_leaf(parse(pem))->serial, serial);
}

/* The certificates without the key, and the key without them, say the same. */
static void assert_apart(const char *name, const char *certs,
                         const char *key_path, const char *told)
{
    acme_octets_t public, private;
    apr_status_t rv = acme_pair_check_certs(&public, octets(certs), NULL, &res,
                                            pool);

    if (!rv != !(told && strstr(told, "/cert.pem"))) {
        fail_msg("%s: certificates: %s", name, rv ? res.detail : "load");
    }
    if (rv) {
        return;
    }
    rv = acme_public_key_of_file(&private, key_path, &res, pool);
    if (!rv && private.data) {
        rv = acme_public_key_is_same(public, private) ? 0 : APR_EINVAL;
    }
    if (!rv != !told) {
        fail_msg("%s: key: %d", name, rv);
    }
}

/* Nor does it matter that the chain was parsed before. */
static void assert_chain(const char *name, const char *cert_path,
                         const char *key_path,
                         const apr_array_header_t *ciphers, const char *told)
{
    acme_chain_t *chain;
    apr_status_t rv;

    if (acme_chain_load(&chain, cert_path, &res, pool)) {
        return;
    }
    rv = acme_pair_check_chain(chain, cert_path, key_path,
                               acme_pair_servers(ciphers, pool), &res);
    if (!rv != !told || (rv && !strstr(res.detail, told))) {
        fail_msg("%s: chain: %s", name, rv ? res.detail : "it loads");
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void pairs_as_mod_ssl_loads_them(void **state)
{
    EVP_PKEY *ec = acme_key_evp(ca.key);
    EVP_PKEY *rsa = odd_key(EVP_PKEY_RSA, 2048, 0);
    EVP_PKEY *ed = odd_key(EVP_PKEY_ED25519, 0, 0);
    const char *full = leaf_middle_root("");
    const char *key = pkcs8(ec, 0);
    const char *rsa_leaf = pem_of(make_leaf((spec_t){ .key = rsa }));
    const char *ed_leaf = pem_of(make_leaf((spec_t){ .key = ed }));
    const char *damaged = changed(ca.middle_pem, "MI", 'A');
    const struct {
        const char *name;
        const char *cert;       /* NULL: no such file */
        const char *key;
        const char *told;       /* NULL: it loads */
    } rows[] = {
        { "chain", full, key, NULL },
        { "leaf alone", ca.leaf_pem, key, NULL },
        { "traditional EC", full, traditional(ec, 0), NULL },
        { "EC PARAMETERS first", full,
          apr_pstrcat(pool, EC_PARAMETERS, traditional(ec, 0), NULL), NULL },
        { "traditional RSA", rsa_leaf, traditional(rsa, 0), NULL },
        { "RSA in PKCS#8", rsa_leaf, pkcs8(rsa, 0), NULL },
        { "Ed25519", ed_leaf, pkcs8(ed, 0), NULL },
        { "encrypted", full, pkcs8(ec, 1), NULL },
        { "encrypted, traditional", full, traditional(ec, 1), NULL },
        { "text between", leaf_middle_root("# and now\n"), key, NULL },
        { "the key with them", apr_pstrcat(pool, key, full, NULL),
          apr_pstrcat(pool, key, full, NULL), NULL },
        { "the key behind", apr_pstrcat(pool, full, key, NULL),
          apr_pstrcat(pool, full, key, NULL), NULL },
        { "another key behind it", full,
          apr_pstrcat(pool, key, pkcs8(ca.middle_key, 0), NULL), NULL },
        { "another key behind it, traditional", full,
          apr_pstrcat(pool, traditional(ec, 0), pkcs8(ca.middle_key, 0), NULL),
          NULL },

        { "no certificate there", NULL, key, "/cert.pem: cannot open" },
        { "no key there", full, NULL, "/key.pem: cannot open" },
        { "empty certificate", "", key, "/cert.pem: no PEM certificate" },
        { "empty key", full, "", "/key.pem: no private key" },
        { "swapped", key, full, "/cert.pem: no PEM certificate" },
        { "damaged leaf", changed(full, "MI", 'A'), key, "/cert.pem: no PEM" },
        { "damaged behind", apr_pstrcat(pool, ca.leaf_pem, damaged, NULL), key,
          "/cert.pem: a certificate after the first" },
        { "cut short behind",
          apr_pstrcat(pool, ca.leaf_pem, apr_pstrmemdup(pool, ca.middle_pem,
                                                        100), NULL), key,
          "/cert.pem: a certificate after the first" },
        { "damaged key", full, changed(key, "MI", 'A'), "/key.pem: no private" },
        { "another key", full, pkcs8(ca.middle_key, 0), "/key.pem: not the" },
        { "another key first", full,
          apr_pstrcat(pool, pkcs8(ca.middle_key, 0), key, NULL),
          "/key.pem: not the key" },
        { "another key first, traditional", full,
          apr_pstrcat(pool, traditional(ca.middle_key, 0), key, NULL),
          "/key.pem: not the key" },
        { "another kind", full, pkcs8(rsa, 0), "/key.pem: not the key" },
        { "wrong order", apr_pstrcat(pool, ca.middle_pem, ca.leaf_pem, NULL),
          key, "/key.pem: not the key" }
    };
    const char *cert_path, *key_path;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        cert_path = path_of("cert.pem");
        key_path = path_of("key.pem");
        unlink(cert_path);
        unlink(key_path);
        if (rows[i].cert) {
            file_of("cert.pem", rows[i].cert);
        }
        if (rows[i].key) {
            file_of("key.pem", rows[i].key);
        }
        ERR_clear_error();
        rv = acme_pair_check(cert_path, key_path, NULL, &res);
        if (!rv != !rows[i].told
            || (rv && !strstr(res.detail, rows[i].told))) {
            fail_msg("%s: %s", rows[i].name, rv ? res.detail : "it loads");
        }
        assert_int_equal(ERR_peek_error(), 0);
        assert_chain(rows[i].name, cert_path, key_path, NULL, rows[i].told);
        if (rows[i].cert && rows[i].key) {
            assert_apart(rows[i].name, rows[i].cert, key_path,
                         rows[i].told);
            assert_int_equal(ERR_peek_error(), 0);
        }
    }
}

/* The n octets of a PEM text, or of what is between its lines. */
static apr_size_t der_of(unsigned char **pder, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    char *name, *header;
    unsigned char *data;
    long len;

    assert_int_equal(PEM_read_bio(bio, &name, &header, &data, &len), 1);
    *pder = apr_pmemdup(pool, data, (apr_size_t)len);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    return (apr_size_t)len;
}

static const char *base64_of(const char *pem)
{
    const char *begin = strchr(pem, '\n') + 1;

    return apr_pstrndup(pool, begin, (apr_size_t)(strstr(begin, "-----END")
                                                  - begin));
}

static void put_octets(const char *path, const void *data, apr_size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
}

/* As mod_ssl reads a key, but not a certificate. */
static void a_key_may_be_der_or_base64(void **state)
{
    EVP_PKEY *ec = acme_key_evp(ca.key);
    const char *const keys[] = { pkcs8(ec, 0), traditional(ec, 0) };
    const char *const another = pkcs8(ca.middle_key, 0);
    const char *cert_path = path_of("cert.pem");
    const char *key_path = path_of("key.der");
    unsigned char *der;
    apr_size_t len, i;

    (void)state;
    file_of("cert.pem", ca.leaf_pem);
    for (i = 0; i < COUNT(keys); i++) {
        len = der_of(&der, keys[i]);
        put_octets(key_path, der, len);
        assert_int_equal(acme_pair_check(cert_path, key_path, NULL, &res), 0);
        file_of("key.der", base64_of(keys[i]));
        assert_int_equal(acme_pair_check(cert_path, key_path, NULL, &res), 0);
        assert_int_equal(ERR_peek_error(), 0);
    }
    len = der_of(&der, another);
    put_octets(key_path, der, len);
    assert_int_equal(acme_pair_check(cert_path, key_path, NULL, &res),
                     APR_EINVAL);
    assert_non_null(strstr(res.detail, "not the key"));

    file_of("key.der", keys[0]);
    len = der_of(&der, ca.leaf_pem);
    put_octets(cert_path, der, len);
    assert_int_equal(acme_pair_check(cert_path, key_path, NULL, &res),
                     APR_EINVAL);
    assert_non_null(strstr(res.detail, "no PEM certificate"));
}

/* Where SSLCertificateChainFile has the rest. */
static void what_is_behind_a_leaf_may_not_count(void **state)
{
    const char *cert_path = path_of("cert.pem");
    const char *key_path = path_of("key.pem");

    (void)state;
    file_of("key.pem", pkcs8(acme_key_evp(ca.key), 0));
    file_of("cert.pem", apr_pstrcat(pool, ca.leaf_pem,
                                    changed(ca.middle_pem, "MI", 'A'), NULL));
    assert_int_equal(acme_pair_check(cert_path, key_path, NULL, &res),
                     APR_EINVAL);
    assert_int_equal(acme_pair_check_leaf(cert_path, key_path, NULL, &res), 0);
    file_of("cert.pem", changed(ca.leaf_pem, "MI", 'A'));
    assert_int_equal(acme_pair_check_leaf(cert_path, key_path, NULL, &res),
                     APR_EINVAL);
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_pass_phrase_is_seen_and_a_public_key_has_a_name(void **state)
{
    EVP_PKEY *ec = acme_key_evp(ca.key);
    const char *path = path_of("file.pem");
    const char *name;

    (void)state;
    file_of("file.pem", pkcs8(ec, 1));
    assert_true(acme_pair_has_pass_phrase(path));
    file_of("file.pem", apr_pstrcat(pool, ca.leaf_pem, traditional(ec, 1),
                                    NULL));
    assert_true(acme_pair_has_pass_phrase(path));
    name = acme_pair_public_key(path, pool);
    assert_int_equal(strlen(name), 64);
    file_of("file.pem", apr_pstrcat(pool, pkcs8(ec, 0), ca.leaf_pem,
                                    ca.middle_pem, NULL));
    assert_false(acme_pair_has_pass_phrase(path));
    assert_string_equal(acme_pair_public_key(path, pool), name);
    file_of("file.pem", ca.middle_pem);
    assert_false(acme_pair_has_pass_phrase(path));
    assert_string_not_equal(acme_pair_public_key(path, pool), name);
    file_of("file.pem", "garbage");
    assert_string_equal(acme_pair_public_key(path, pool), "");
    assert_string_equal(acme_pair_public_key(path_of("none"), pool), "");
    assert_false(acme_pair_has_pass_phrase(path_of("none")));
    assert_int_equal(ERR_peek_error(), 0);
}

/* Memory of OpenSSL's: is there a secret in what it frees? */
typedef union {
    size_t size;
    max_align_t alignment;
} block_t;

static unsigned char secret[64];
static size_t secret_len;       /* 0: nobody looks */
static int left;                /* copies of it in what was freed */

static void *watched_malloc(size_t size, const char *file, int line)
{
    block_t *block = malloc(sizeof(*block) + size);

    (void)file;
    (void)line;
    if (!block) {
        return NULL;
    }
    block->size = size;
    return block + 1;
}

static void watched_free(void *data, const char *file, int line)
{
    const unsigned char *octets = data;
    size_t i;

    (void)file;
    (void)line;
    if (!data) {
        return;
    }
    for (i = 0; secret_len && i + secret_len <= ((block_t *)data)[-1].size;
         i++) {
        left += !memcmp(octets + i, secret, secret_len);
    }
    free((block_t *)data - 1);
}

static void *watched_realloc(void *data, size_t size, const char *file,
                             int line)
{
    const size_t before = data ? ((block_t *)data)[-1].size : 0;
    void *more = size ? watched_malloc(size, file, line) : NULL;

    if (data && (more || !size)) {
        if (more) {
            memcpy(more, data, before < size ? before : size);
        }
        watched_free(data, file, line);
    }
    return more;
}

static void no_copy_of_a_key_is_left_in_free_memory(void **state)
{
    static const int types[] = { EVP_PKEY_ED25519, EVP_PKEY_ED448 };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(types); i++) {
        EVP_PKEY *key = odd_key(types[i], 0, 0);
        X509 *leaf = make_leaf((spec_t){ .key = key });
        EVP_PKEY *one;
        size_t len = sizeof(secret);

        assert_int_equal(EVP_PKEY_get_raw_private_key(key, secret, &len), 1);
        left = 0;
        secret_len = len;
        one = acme_openssl_unite(leaf, key);
        secret_len = 0;
        assert_non_null(one);
        assert_int_equal(left, 0);
        EVP_PKEY_free(one);
    }
}

#define LEVEL(n) "DEFAULT@SECLEVEL=" #n
#define REFUSED(n) "certificate: mod_ssl would not load it: OpenSSL refuses it at " \
    "security level " #n

static apr_array_header_t *lists_of(const char *first, const char *second)
{
    apr_array_header_t *ciphers = apr_array_make(pool, 2,
                                                 sizeof(const char *));

    APR_ARRAY_PUSH(ciphers, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(ciphers, const char *) = second;
    }
    return ciphers;
}

/* Does a security level ask for more than SHA-1 has? OpenSSL 3.0 looks at the
   signatures of a server's own certificates, 3.5 at their keys alone. */
static int looks_at_signatures(const char *sha1_leaf)
{
    BIO *bio = BIO_new_mem_buf(sha1_leaf, -1);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int refuses;

    SSL_CTX_set_security_level(ctx, 1);
    refuses = SSL_CTX_use_certificate(ctx, leaf) != 1;
    SSL_CTX_free(ctx);
    X509_free(leaf);
    BIO_free(bio);
    ERR_clear_error();
    return refuses;
}

static void a_security_level_refuses_pairs(void **state)
{
    EVP_PKEY *rsa = odd_key(EVP_PKEY_RSA, 1024, 0);
    const char *key = pkcs8(acme_key_evp(ca.key), 0);
    const char *rsa_leaf = pem_of(make_leaf((spec_t){ .key = rsa }));
    const char *sha1_leaf = pem_of(make_leaf((spec_t){ .is_sha1 = 1 }));
    const int looks = looks_at_signatures(sha1_leaf);
    const char *sha1_behind = apr_pstrcat(
        pool, ca.leaf_pem,
        pem_of(make_cert(&(spec_t){ .cn = "Test CA 1", .is_ca = 1,
                                    .is_sha1 = 1, .issuer = ca.root,
                                    .key = ca.middle_key,
                                    .signer = ca.root_key })), NULL);
    const char *short_behind = apr_pstrcat(
        pool, pem_of(make_leaf((spec_t){ .signer = rsa })),
        pem_of(make_cert(&(spec_t){ .cn = "Test CA 1", .is_ca = 1,
                                    .issuer = ca.root, .key = rsa,
                                    .signer = ca.root_key })), NULL);
    const struct {
        const char *name;
        const char *certs;
        const char *key;
        const apr_array_header_t *ciphers;
        const char *told;       /* NULL: it loads */
    } rows[] = {
        { "a short key", rsa_leaf, pkcs8(rsa, 0), lists_of(LEVEL(2), NULL),
          REFUSED(2) },
        { "a short key, allowed", rsa_leaf, pkcs8(rsa, 0),
          lists_of(LEVEL(0), NULL), NULL },
        { "a short key, allowed by the list before", rsa_leaf, pkcs8(rsa, 0),
          lists_of(LEVEL(0) ACME_PAIR_THEN "HIGH", NULL), NULL },
        { "a short key, allowed by a list that is not the last", rsa_leaf,
          pkcs8(rsa, 0),
          lists_of(LEVEL(0) ACME_PAIR_THEN LEVEL(2) ACME_PAIR_THEN "HIGH",
                   NULL), REFUSED(2) },
        { "SHA-1", sha1_leaf, key, lists_of(LEVEL(1), NULL),
          looks ? REFUSED(1) : NULL },
        { "SHA-1, allowed", sha1_leaf, key, lists_of(LEVEL(0), NULL), NULL },
        { "SHA-1, allowed by one server", sha1_leaf, key,
          lists_of(LEVEL(0), LEVEL(2)), looks ? REFUSED(2) : NULL },
        { "SHA-1 behind", sha1_behind, key, lists_of(LEVEL(2), NULL),
          looks ? REFUSED(2) : NULL },
        { "a short key, allowed by one server", rsa_leaf, pkcs8(rsa, 0),
          lists_of(LEVEL(0), LEVEL(2)), REFUSED(2) },
        { "SHA-1 behind, allowed", sha1_behind, key, lists_of(LEVEL(0), NULL),
          NULL },
        { "a short key behind", short_behind, key, lists_of(LEVEL(2), NULL),
          REFUSED(2) },
        { "P-256 where more is asked for", ca.leaf_pem, key,
          lists_of(LEVEL(4), NULL), REFUSED(4) },
        { "a list that is wrong", ca.leaf_pem, key,
          lists_of("no-such-cipher", NULL), NULL },
        { "no list", ca.leaf_pem, key, lists_of("", NULL), NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_octets_t public;
        const apr_status_t rv = acme_pair_check_certs(
            &public, octets(rows[i].certs), rows[i].ciphers, &res, pool);

        if (!rv != !rows[i].told
            || (rv && !strstr(res.detail, rows[i].told))) {
            fail_msg("%s: %s", rows[i].name, rv ? res.detail : "it loads");
        }
        file_of("cert.pem", rows[i].certs);
        file_of("key.pem", rows[i].key);
        assert_int_equal(acme_pair_check(path_of("cert.pem"),
                                         path_of("key.pem"), rows[i].ciphers,
                                         &res), rv);
        assert_int_equal(ERR_peek_error(), 0);
        assert_chain(rows[i].name, path_of("cert.pem"), path_of("key.pem"),
                     rows[i].ciphers, rows[i].told ? "would not load it" : NULL);
    }
}

static void a_stronger_placeholder_passes_a_higher_level(void **state)
{
    static const char *const names[] = { "example.org", NULL };
    static const struct {
        acme_self_signed_e kind;
        const char *allowed, *refused;
    } rows[] = {
        { ACME_SELF_SIGNED_P256, LEVEL(3), LEVEL(4) },
        { ACME_SELF_SIGNED_P384, LEVEL(4), LEVEL(5) },
        { ACME_SELF_SIGNED_P521, LEVEL(5), NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_self_signed_t from = { .names = list(names), .now = NOW,
                                    .valid = DAYS(14) };
        acme_octets_t public;
        const char *pem;

        assert_int_equal(acme_self_signed_key(&from.key_pem, rows[i].kind,
                                              &res, pool), 0);
        assert_int_equal(acme_self_signed_make(&pem, &from, &res, pool), 0);
        assert_int_equal(acme_pair_check_certs(
            &public, octets(pem), lists_of(rows[i].allowed, NULL), &res,
            pool), 0);
        if (rows[i].refused) {
            assert_int_equal(acme_pair_check_certs(
                &public, octets(pem), lists_of(rows[i].refused, NULL), &res,
                pool), APR_EINVAL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        X509_TEST(a_chain_is_taken_apart_and_normalised),
        X509_TEST(hostile_chains_are_refused),
        X509_TEST(a_nul_refuses_a_chain_wherever_it_is),
        X509_TEST(a_file_is_named_in_a_failure),
        X509_TEST(names_of_the_leaf),
        X509_TEST(a_damaged_extension_is_refused),
        X509_TEST(serials_are_hex),
        X509_TEST(issuer_and_times),
        X509_TEST(an_issuer_without_cn),
        X509_TEST(certificates_have_an_id),
        X509_TEST(stapling_is_read),
        X509_TEST(responders_are_read),
        X509_TEST(lists_are_read),
        X509_TEST(times_that_are_none_are_refused),
        X509_TEST(the_topmost_issuer_is_told),
        X509_TEST(the_leaf_is_der),
        X509_TEST(the_key_is_told_from_others),
        X509_TEST(a_key_is_the_same_in_another_form),
        X509_TEST(texts_that_are_no_pem_are_refused),
        X509_TEST(each_is_signed_by_the_next),
        X509_TEST(a_request_has_all_names),
        X509_TEST(a_request_asks_for_stapling_when_told),
        X509_TEST(no_names_no_request),
        X509_TEST(a_placeholder_is_what_it_says),
        X509_TEST(pairs_as_mod_ssl_loads_them),
        X509_TEST(no_copy_of_a_key_is_left_in_free_memory),
        X509_TEST(a_key_may_be_der_or_base64),
        X509_TEST(what_is_behind_a_leaf_may_not_count),
        X509_TEST(a_pass_phrase_is_seen_and_a_public_key_has_a_name),
        X509_TEST(a_security_level_refuses_pairs),
        X509_TEST(a_stronger_placeholder_passes_a_higher_level)
    };
    int failed;

    /* Before OpenSSL has any. */
    if (!CRYPTO_set_mem_functions(watched_malloc, watched_realloc,
                                  watched_free)) {
        return 1;
    }
    apr_initialize();
    failed = cmocka_run_group_tests_name("x509", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
