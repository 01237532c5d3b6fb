/*
 * test_jws.c - signed request bodies: the RFC's signatures, and OpenSSL as the
 * judge of ours.
 */
#include <apr_encode.h>

#include <openssl/ecdsa.h>

#include "keys.h"
#include "rfc_keys.h"

#include "acme_json.h"
#include "acme_jws.h"
#include "acme_text.h"

#define URL "https://ca.example.org/acme/new-order"

static const unsigned char *decode(apr_size_t *plen, const char *text)
{
    return apr_pdecode_base64_binary(pool, text, APR_ENCODE_STRING,
                                     APR_ENCODE_BASE64URL, plen);
}

/* The DER that OpenSSL wants for r and s side by side. */
static unsigned char *to_der(int *plen, const unsigned char *sig,
                             apr_size_t len)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int half = (int)len / 2;

    ECDSA_SIG_set0(pair, BN_bin2bn(sig, half, NULL),
                   BN_bin2bn(sig + half, half, NULL));
    *plen = i2d_ECDSA_SIG(pair, &der);
    ECDSA_SIG_free(pair);
    return der;
}

static int verifies(acme_key_t *key, const char *input,
                    const unsigned char *sig, apr_size_t len)
{
    int is_ec = acme_key_alg(key)[0] == 'E';
    const EVP_MD *md = strcmp(acme_key_alg(key), "ES384") ? EVP_sha256()
                                                          : EVP_sha384();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *der = NULL;
    int der_len = 0, good;

    if (is_ec) {
        der = to_der(&der_len, sig, len);
    }
    EVP_DigestVerifyInit(ctx, NULL, md, NULL, acme_key_evp(key));
    good = EVP_DigestVerify(ctx, der ? der : sig,
                            der ? (size_t)der_len : len,
                            (const unsigned char *)input, strlen(input)) == 1;
    ERR_clear_error();
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    return good;
}

static void rs256_is_that_of_rfc7515(void **state)
{
    acme_key_t *key = key_from(RFC7515_A2_KEY);
    acme_octets_t sig;

    (void)state;
    assert_int_equal(acme_key_sign(&sig, key, RFC7515_A2_INPUT,
                                   strlen(RFC7515_A2_INPUT), &res, pool), 0);
    assert_string_equal(acme_text_base64url(sig.data, sig.len, pool),
                        RFC7515_A2_SIGNATURE);
}

/* The judge of the other tests knows the RFC's signature from a bad one. */
static void es256_of_rfc7515_verifies(void **state)
{
    acme_key_t *key = key_from(RFC7515_A3_KEY);
    const unsigned char *sig;
    apr_size_t len;

    (void)state;
    sig = decode(&len, RFC7515_A3_SIGNATURE);
    assert_int_equal(len, 64);
    assert_true(verifies(key, RFC7515_A3_INPUT, sig, len));
    assert_false(verifies(key, RFC7515_A2_INPUT, sig, len));
}

/*
 * About one signature in 128 has an r or s that begins with a zero octet.
 * Dropped, it reads to the CA as "malformed", and to us as a flaky network.
 */
static void sign_until_padded(const char *pem, int octets)
{
    acme_key_t *key = key_from(pem);
    int short_r = 0, short_s = 0;
    acme_octets_t sig;
    apr_pool_t *p;
    char input[32];
    int i;

    apr_pool_create(&p, pool);
    for (i = 0; !short_r || !short_s; i++) {
        apr_pool_clear(p);
        apr_snprintf(input, sizeof(input), "input %d", i);
        assert_int_equal(acme_key_sign(&sig, key, input, strlen(input),
                                       &res, p), 0);
        assert_int_equal(sig.len, 2 * octets);
        if (sig.data[0] && sig.data[octets]) {
            continue;
        }
        assert_true(verifies(key, input, sig.data, sig.len));
        short_r |= !sig.data[0];
        short_s |= !sig.data[octets];
    }
}

static void es256_pads_r_and_s(void **state)
{
    (void)state;
    sign_until_padded(RFC7515_A3_KEY, 32);
}

static void es384_pads_r_and_s(void **state)
{
    const char *pem;

    (void)state;
    assert_int_equal(acme_key_pem(&pem, new_key(ACME_KEY_P384), &res, pool),
                     0);
    sign_until_padded(pem, 48);
}

/* A member of body, decoded from base64url, as text. */
static const char *part(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));
    const unsigned char *data;
    apr_size_t len;

    assert_non_null(text);
    assert_true(!*text || acme_text_is_base64url(text, 100000));
    if (!*text) {
        return "";
    }
    data = decode(&len, text);
    return apr_pstrmemdup(pool, (const char *)data, len);
}

static json_t *make(acme_jws_t jws)
{
    const char *body;
    json_t *json;

    if (acme_jws_make(&body, &jws, &res, pool)) {
        fail_msg("%s", res.detail);
    }
    assert_int_equal(acme_json_parse(&json, body, strlen(body), "body", &res,
                                     pool), 0);
    assert_int_equal(json_object_size(json), 3);
    return json;
}

static json_t *header_of(const json_t *body)
{
    const char *text = part(body, "protected");
    json_t *header;

    assert_int_equal(acme_json_parse(&header, text, strlen(text), "header",
                                     &res, pool), 0);
    return header;
}

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

/* 8555, 7.3: no account yet, so the key itself is sent. */
static void a_body_with_the_key(void **state)
{
    static const acme_key_type_e types[] = {
        ACME_KEY_P256, ACME_KEY_P384, ACME_KEY_RSA2048
    };
    const char *jwk;
    json_t *header;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(types); i++) {
        acme_key_t *key = new_key(types[i]);
        acme_jws_t jws = { key, NULL, "n-1_a", URL, "{\"a\":1}" };
        json_t *body = make(jws);

        header = header_of(body);
        assert_int_equal(json_object_size(header), 4);
        assert_string_equal(member(header, "alg"), acme_key_alg(key));
        assert_string_equal(member(header, "nonce"), "n-1_a");
        assert_string_equal(member(header, "url"), URL);
        assert_int_equal(acme_key_jwk(&jwk, key, &res, pool), 0);
        assert_string_equal(acme_json_text(json_object_get(header, "jwk"), 0,
                                           pool), jwk);
        assert_string_equal(part(body, "payload"), "{\"a\":1}");
    }
}

static void assert_signed(acme_key_t *key, const json_t *body)
{
    apr_size_t len;
    const unsigned char *sig = decode(&len, member(body, "signature"));

    assert_true(verifies(key, apr_pstrcat(pool, member(body, "protected"), ".",
                                          member(body, "payload"), NULL),
                         sig, len));
}

/*
 * With every kind of key: the inner one of a key change (8555, 7.3.5), which
 * has no nonce, and a revocation signed by the certificate's key (7.6).
 */
static void a_body_by_the_key_itself(void **state)
{
    static const acme_key_type_e types[] = {
        ACME_KEY_P256, ACME_KEY_P384, ACME_KEY_RSA2048, ACME_KEY_RSA4096
    };
    static const char *const nonces[] = { NULL, "n-2" };
    size_t i, k;

    (void)state;
    for (i = 0; i < 2 * COUNT(types); i++) {
        acme_key_t *key = new_key(types[i / 2]);
        acme_jws_t jws = { key, NULL, nonces[i % 2], URL, "{\"a\":1}" };
        json_t *body = make(jws);
        json_t *header = header_of(body);

        k = i % 2;
        assert_int_equal(json_object_size(header), 3 + k);
        assert_int_equal(json_object_get(header, "nonce") != NULL, k);
        assert_non_null(json_object_get(header, "jwk"));
        assert_null(json_object_get(header, "kid"));
        assert_signed(key, body);
    }
}

/* 8555, 6.3: post-as-get. The signature is over "header." then. */
static void a_body_with_the_account(void **state)
{
    acme_key_t *key = new_key(ACME_KEY_P256);
    acme_jws_t jws = { key, "https://ca.example.org/acct/1", "n", URL, "" };
    json_t *body = make(jws);
    json_t *header = header_of(body);

    (void)state;
    assert_int_equal(json_object_size(header), 4);
    assert_string_equal(member(header, "kid"), jws.kid);
    assert_null(json_object_get(header, "jwk"));
    assert_string_equal(member(body, "payload"), "");
    assert_signed(key, body);
}

#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define NEW_ACCOUNT "https://ca.example.org/acme/new-account"

/* 8555, 7.3.4; the signature was made by another program. */
static void a_binding_is_over_the_key(void **state)
{
    static const char *const secrets[] = { SECRET, SECRET "=" };
    acme_jws_binding_t binding = { "kid-1", NULL, NEW_ACCOUNT };
    const char *text;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(secrets); i++) {
        binding.hmac = secrets[i];
        assert_int_equal(acme_jws_bind(&text, &binding,
                                       key_from(RFC7515_A3_KEY), &res, pool),
                         0);
        assert_string_equal(text,
            "{\"protected\":\"eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC0xIiwidXJsIjo"
            "iaHR0cHM6Ly9jYS5leGFtcGxlLm9yZy9hY21lL25ldy1hY2NvdW50In0\","
            "\"payload\":\"eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImY4M09KM0"
            "QyeEYxQmc4dnViOXRMZTFnSE16Vjc2ZThUdXM5dVBIdlJWRVUiLCJ5IjoieF9GRX"
            "pSdTltMzZITE5fdHVlNjU5TE5wWFc2cEN5U3Rpa1lqS0lXSTVhMCJ9\","
            "\"signature\":\"AxnTg5Kb9lWTXFtjRD1CpzqsKIRCjyeT-KvjU6VryiM\"}");
    }
}

static void bad_bindings_are_refused(void **state)
{
    static const acme_jws_binding_t rows[] = {
        { "\xff", SECRET, NEW_ACCOUNT },
        { "kid-1", SECRET, "https://\xc3/" },
        { "kid-1", "short", NEW_ACCOUNT }
    };
    const char *text;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        text = "";
        assert_int_not_equal(acme_jws_bind(&text, &rows[i],
                                           new_key(ACME_KEY_P256), &res, pool),
                             0);
        assert_null(text);
        assert_null(strstr(res.detail, SECRET));
        assert_null(strpbrk(res.detail, "\xff\xc3"));
    }
}

/* base64url of so many octets, and then more. */
static const char *octets64(apr_size_t len, const char *more)
{
    return apr_pstrcat(pool, acme_text_base64url(apr_pcalloc(pool, len + 1),
                                                 len, pool), more, NULL);
}

static void hmac_keys_are_checked(void **state)
{
    const struct {
        const char *name;
        const char *text;
        const char *told;       /* NULL: good */
    } rows[] = {
        { "32 octets", SECRET, NULL },
        { "padded", SECRET "=", NULL },
        { "16 octets", octets64(16, ""), NULL },
        { "16 octets, padded", octets64(16, "=="), NULL },
        { "18 octets, no padding needed", octets64(18, ""), NULL },
        { "512 octets", octets64(512, ""), NULL },
        { "all kinds", "azAZ09-_azAZ09-_azAZ09-_", NULL },

        { "empty", "", "less than 16" },
        { "padding alone", "=", "cut short" },
        { "15 octets", octets64(15, ""), "less than 16" },
        { "513 octets", octets64(513, ""), "more than 512" },
        { "far too long", octets64(60000, ""), "more than 512" },
        { "padded once too often", SECRET "==", "cut short" },
        { "padded where none is needed", octets64(18, "="), "cut short" },
        { "three of them", octets64(16, "==="), "cut short" },
        { "text behind", SECRET "=x", "cut short" },
        { "cut short", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH",
          "cut short" },
        { "base64", "SECRET+/SECRET+/SECRET+/SECRET+/", "not base64url" },
        { "hex and colons", "5E:CR:ET:5E:CR:ET:5E:CR:ET:5E:CR",
          "characters" },
        { "line feed", "SECRETSECRETSECRETSECRETSECRETS\n", "characters" },
        { "UTF-8", "SECRETSECRETSECRETSECRETSECRET\xc3\xbc", "characters" }
    };
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        rv = acme_jws_hmac_check(rows[i].text, &res);
        if (!rv != !rows[i].told
            || (rv && (!strstr(res.detail, rows[i].told)
                       || strstr(res.detail, "SECRET")))) {
            fail_msg("%s: %s", rows[i].name, rv ? res.detail : "good");
        }
        if (rv) {
            assert_int_equal(rv, APR_EINVAL);
            assert_int_equal(res.retry, ACME_RETRY_NEVER);
        }
    }
}

static void what_a_ca_sent_cannot_leave_its_member(void **state)
{
    static const char hostile[] = "x\",\"alg\":\"none\",\"\\";
    acme_jws_t jws = { new_key(ACME_KEY_P256), hostile, hostile, URL, "{}" };
    json_t *header = header_of(make(jws));

    (void)state;
    assert_int_equal(json_object_size(header), 4);
    assert_string_equal(member(header, "alg"), "ES256");
    assert_string_equal(member(header, "kid"), hostile);
    assert_string_equal(member(header, "nonce"), hostile);
}

static void what_is_no_utf8_is_refused(void **state)
{
    acme_key_t *key = new_key(ACME_KEY_P256);
    const acme_jws_t rows[] = {
        { key, "\xff", "n", URL, "" },
        { key, "k", "\xc3", URL, "" },
        { key, NULL, "n", "https://\xff/\n", "" }
    };
    const char *body;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        body = "";
        assert_int_not_equal(acme_jws_make(&body, &rows[i], &res, pool), 0);
        assert_null(body);
        assert_null(strpbrk(res.detail, "\xff\xc3\n"));
        assert_non_null(strstr(res.detail, "https://"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPTO_TEST(rs256_is_that_of_rfc7515),
        CRYPTO_TEST(es256_of_rfc7515_verifies),
        CRYPTO_TEST(es256_pads_r_and_s),
        CRYPTO_TEST(es384_pads_r_and_s),
        CRYPTO_TEST(a_body_with_the_key),
        CRYPTO_TEST(a_body_with_the_account),
        CRYPTO_TEST(a_body_by_the_key_itself),
        CRYPTO_TEST(a_binding_is_over_the_key),
        CRYPTO_TEST(bad_bindings_are_refused),
        CRYPTO_TEST(hmac_keys_are_checked),
        CRYPTO_TEST(what_a_ca_sent_cannot_leave_its_member),
        CRYPTO_TEST(what_is_no_utf8_is_refused)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("jws", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
