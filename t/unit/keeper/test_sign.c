/*
 * test_sign.c - each request that is signed, to its last member, and those
 * that no administrator asked for.
 */
#include <apr_encode.h>

#include "acme_pending.h"
#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_install_pending.h"
#include "acme_json.h"
#include "acme_registry_request.h"
#include "acme_sign.h"
#include "issuer.h"
#include "open_registry.h"
#include "same_key.h"

#define ACCOUNT_URL "https://ca.example/account/1"
#define URL "https://ca.example/what/1"
#define NONCE "bm9uY2U"
#define SECRET "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"

static acme_conf_t *conf;
static acme_registry_t *registry;
static acme_accounts_t *accounts;
static acme_msg_sign_t request;

static void begin(apr_uint32_t part)
{
    const acme_target_t about = { 0, 0, part };
    acme_pending_t *pending;
    const char *flags;

    assert_int_equal(
        prepare_now(&pending, &flags, registry, &about),
        0);
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    add_ca(conf, "https://two.example/dir");
    registry = open_registry(conf);
    accounts = acme_accounts_create(registry, pool);
    assert_int_equal(acme_accounts_set_url(accounts, 0, ACCOUNT_URL, &res,
                                            pool), 0);
    begin(0);
    memset(&request, 0, sizeof(request));
    return rc;
}

static apr_status_t sign(const char **pbody, acme_sign_e kind)
{
    request.kind = kind;
    apr_cpystrn(request.url, URL, sizeof(request.url));
    apr_cpystrn(request.nonce, NONCE, sizeof(request.nonce));
    return acme_sign(pbody, registry, accounts, &request, &res, pool);
}

/* A JWS taken apart: header and payload as texts with sorted members. */
typedef struct {
    json_t *header;
    const char *payload;
} jws_t;

static json_t *parsed(const char *text)
{
    json_t *json;

    if (acme_json_parse(&json, text, strlen(text), "JSON", &res,
                        pool)) {
        fail_msg("%s: %s", res.detail, text);
    }
    return json;
}

static const char *decoded(const json_t *json, const char *key)
{
    const char *text = acme_json_string(json, key, ACME_JWS_MAX,
                                        pool);
    apr_size_t len;

    assert_non_null(text);
    return apr_pdecode_base64(pool, text, APR_ENCODE_STRING,
                              APR_ENCODE_NONE, &len);
}

static jws_t taken_apart(const char *body)
{
    json_t *json = parsed(body);
    jws_t jws;

    assert_int_equal(json_object_size(json), 3);
    assert_non_null(json_object_get(json, "signature"));
    jws.header = parsed(decoded(json, "protected"));
    jws.payload = decoded(json, "payload");
    return jws;
}

static jws_t signed_as(acme_sign_e kind)
{
    const char *body;

    if (sign(&body, kind)) {
        fail_msg("kind %d: %s", kind, res.detail);
    }
    return taken_apart(body);
}

static const char *member(const json_t *json, const char *key)
{
    const char *text = acme_json_string(json, key, ACME_JWS_MAX,
                                        pool);

    return text ? text : "none";
}

/* Four members: alg, nonce, url, and the account's URL or this key. */
static void assert_header(const jws_t *jws, acme_key_t *key)
{
    const char *jwk;

    assert_int_equal(json_object_size(jws->header), 4);
    assert_string_equal(member(jws->header, "nonce"), NONCE);
    assert_string_equal(member(jws->header, "url"), URL);
    if (!key) {
        assert_string_equal(member(jws->header, "kid"), ACCOUNT_URL);
        return;
    }
    assert_string_equal(member(jws->header, "alg"), acme_key_alg(key));
    assert_int_equal(acme_key_jwk(&jwk, key, &res, pool), 0);
    assert_string_equal(acme_json_text(json_object_get(jws->header, "jwk"),
                                       0, pool), jwk);
}

static acme_key_t *account_key(void)
{
    const acme_ca_account_t *account;

    assert_int_equal(acme_accounts_find(&account, accounts, 0, &res), 0);
    return account->key;
}

static void want(acme_want_e what, apr_uint32_t ca)
{
    const acme_msg_want_t message = { { 0, ca, 0 }, what, 4 };

    acme_registry_request_add(registry, &message, apr_time_now(), pool);
}

static void plain_requests_are_the_configuration_s(void **state)
{
    static const struct {
        acme_sign_e kind;
        int has_jwk;
        const char *payload;
    } rows[] = {
        { ACME_SIGN_NEW_ACCOUNT, 1,
          "{\"contact\":[\"mailto:admin@a.example\",\"mailto:b@b.example\"],"
          "\"termsOfServiceAgreed\":true}" },
        { ACME_SIGN_FIND_ACCOUNT, 1, "{\"onlyReturnExisting\":true}" },
        { ACME_SIGN_NEW_ORDER, 0,
          "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},"
          "{\"type\":\"dns\",\"value\":\"www.a.example\"}]}" },
        { ACME_SIGN_POST_AS_GET, 0, "" },
        { ACME_SIGN_CHALLENGE, 0, "{}" },
        { ACME_SIGN_UPDATE_ACCOUNT, 0,
          "{\"contact\":[\"mailto:admin@a.example\","
          "\"mailto:b@b.example\"]}" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        jws_t jws = signed_as(rows[i].kind);

        assert_header(&jws, rows[i].has_jwk ? account_key() : NULL);
        assert_string_equal(jws.payload, rows[i].payload);
    }
}

static void finalize_is_of_its_part(void **state)
{
    apr_uint32_t part;

    (void)state;
    set_key_types(conf, 0, "p256 p384");
    for (part = 0; part < 2; part++) {
        const acme_target_t about = { 0, 0, part };
        acme_pending_t *pending;
        jws_t jws;

        begin(part);
        request.about.part = part;
        jws = signed_as(ACME_SIGN_FINALIZE);
        assert_header(&jws, NULL);
        assert_int_equal(
            acme_install_pending_find(&pending, registry, &about, &res, pool),
            0);
        assert_string_equal(member(parsed(jws.payload), "csr"),
                            acme_text_base64url(pending->csr,
                                                pending->csr_len,
                                                pool));
    }
}

static void an_order_has_besides_what_it_is_asked_with(void **state)
{
    json_t *json;

    (void)state;
    cert_of(conf, 0)->profile = "shortlived";
    assert_int_equal(json_object_size(parsed(signed_as(
        ACME_SIGN_NEW_ORDER).payload)), 1);
    request.with = ACME_WITH_PROFILE | ACME_WITH_REPLACES;
    json = parsed(signed_as(ACME_SIGN_NEW_ORDER).payload);
    assert_string_equal(member(json, "profile"), "shortlived");
    assert_null(json_object_get(json, "replaces"));     /* nothing is live */
    apr_cpystrn(state_of(registry, 0)->cert_id, "AB.CD", ACME_CERT_ID_SIZE);
    json = parsed(signed_as(ACME_SIGN_NEW_ORDER).payload);
    assert_string_equal(member(json, "replaces"), "AB.CD");
}

static void a_binding_is_over_the_account_s_key(void **state)
{
    acme_ca_conf_t *ca = ca_of(conf, 0);
    const char *jwk;
    json_t *json;
    jws_t jws, inner;

    (void)state;
    ca->kid = "kid-1";
    ca->hmac = SECRET;
    assert_null(strstr(signed_as(ACME_SIGN_NEW_ACCOUNT).payload, "external"));
    request.with = ACME_WITH_BINDING;
    jws = signed_as(ACME_SIGN_NEW_ACCOUNT);
    assert_header(&jws, account_key());
    json = json_object_get(parsed(jws.payload), "externalAccountBinding");
    inner = taken_apart(acme_json_text(json, 0, pool));
    assert_int_equal(json_object_size(inner.header), 3);
    assert_string_equal(member(inner.header, "alg"), "HS256");
    assert_string_equal(member(inner.header, "kid"), "kid-1");
    assert_string_equal(member(inner.header, "url"), URL);
    assert_int_equal(acme_key_jwk(&jwk, account_key(), &res, pool),
                     0);
    assert_string_equal(inner.payload, jwk);
    assert_not_logged(SECRET);

    ca->hmac = NULL;
    ca->hmac_file = at("none");
    assert_int_not_equal(sign(&jwk, ACME_SIGN_NEW_ACCOUNT), 0);
}

/* What only an administrator can ask for */

static void refused(const char *name, acme_sign_e kind)
{
    const char *body = NULL;

    if (sign(&body, kind) != APR_EACCES || body
        || !strstr(res.detail, "no administrator")) {
        fail_msg("%s: kind %d: %s", name, kind, res.detail);
    }
}

static void nothing_is_given_up_unasked(void **state)
{
    static const struct {
        acme_sign_e kind;
        acme_want_e wants[2];
        int at_its_ca;
    } rows[] = {
        { ACME_SIGN_DEACTIVATE, { ACME_WANT_DEACTIVATION }, 1 },
        { ACME_SIGN_KEY_CHANGE, { ACME_WANT_ROLLOVER }, 1 },
        { ACME_SIGN_REVOKE, { ACME_WANT_REVOCATION, ACME_WANT_DELETION }, 0 }
    };
    size_t i;
    int what;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        for (what = ACME_WANT_NOTHING; what < ACME_WANTS; what++) {
            if (what == (int)rows[i].wants[0]
                || what == (int)rows[i].wants[1]) {
                if (what && rows[i].at_its_ca) {
                    want((acme_want_e)what, 1);
                    refused("at another CA", rows[i].kind);
                }
                continue;
            }
            want((acme_want_e)what, 0);
            request.with = 0;
            refused("unasked", rows[i].kind);
        }
        state_of(registry, 0)->wanted = ACME_WANT_NOTHING;
        refused("nothing wanted", rows[i].kind);
        state_of(registry, 1)->wanted = rows[i].wants[0];
        refused("wanted of another", rows[i].kind);
    }
    assert_int_equal(mode_of(at("store/accounts/%s/next-key.pem",
                                ca_of(conf, 0)->folder)), -1);
}

static void an_account_is_given_up_when_asked(void **state)
{
    jws_t jws;

    (void)state;
    want(ACME_WANT_DEACTIVATION, 0);
    jws = signed_as(ACME_SIGN_DEACTIVATE);
    assert_header(&jws, NULL);
    assert_string_equal(jws.payload, "{\"status\":\"deactivated\"}");
}

static void a_new_key_says_whose_it_is_to_be(void **state)
{
    const char *old_jwk, *next_jwk;
    acme_key_t *next;
    jws_t jws, inner;
    json_t *json;

    (void)state;
    request.with = ACME_WITH_NEXT_KEY;
    assert_int_not_equal(sign(&old_jwk, ACME_SIGN_FIND_ACCOUNT), 0);
    request.with = 0;
    want(ACME_WANT_ROLLOVER, 0);
    jws = signed_as(ACME_SIGN_KEY_CHANGE);
    assert_header(&jws, NULL);
    assert_int_equal(acme_accounts_next_key(&next, accounts, 0,
                                            ACME_NEXT_KEY_FIND, &res,
                                            pool), 0);
    assert_int_equal(acme_key_jwk(&next_jwk, next, &res, pool), 0);
    assert_int_equal(acme_key_jwk(&old_jwk, account_key(), &res,
                                  pool), 0);
    inner = taken_apart(jws.payload);
    assert_int_equal(json_object_size(inner.header), 3);    /* no nonce */
    assert_string_equal(member(inner.header, "url"), URL);
    assert_string_equal(acme_json_text(json_object_get(inner.header, "jwk"),
                                       0, pool), next_jwk);
    json = parsed(inner.payload);
    assert_string_equal(member(json, "account"), ACCOUNT_URL);
    assert_string_equal(acme_json_text(json_object_get(json, "oldKey"), 0,
                                       pool), old_jwk);

    /* Does the CA have it? The next key asks itself. */
    request.with = ACME_WITH_NEXT_KEY;
    jws = signed_as(ACME_SIGN_FIND_ACCOUNT);
    assert_header(&jws, next);
    assert_string_equal(jws.payload, "{\"onlyReturnExisting\":true}");
    jws = signed_as(ACME_SIGN_NEW_ACCOUNT);
    assert_header(&jws, account_key());         /* for no other request */
}

/* Put certificate 0 live; its key. */
static acme_key_t *put_live(void)
{
    acme_key_t *key = make_key();
    issue_t what = { .issuer = make_issuer("Test CA"),
                     .names = "a.example www.a.example" };
    acme_archive_part_t part = { "", NULL, NULL, "", NULL };
    acme_archive_t archive = { .meta = "{}" };
    int n;

    what.key = acme_key_evp(key);
    part.full_pem = part.cert_pem = issue(&what);
    assert_int_equal(acme_key_pem(&part.key_pem, key, &res, pool), 0);
    archive.parts = apr_array_make(pool, 1, sizeof(part));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = part;
    assert_int_equal(acme_archive_install(&n, acme_registry_store(registry),
                                          "a.example", &archive, &res, pool),
                     0);
    acme_registry_refresh(registry, 0, pool);
    return key;
}

static void the_live_one_is_revoked_when_asked(void **state)
{
    acme_key_t *key = put_live();
    unsigned char *der = NULL;
    acme_chain_t *chain;
    int len;
    json_t *json;
    jws_t jws;

    (void)state;
    want(ACME_WANT_REVOCATION, 0);
    jws = signed_as(ACME_SIGN_REVOKE);
    assert_header(&jws, NULL);
    assert_int_equal(acme_chain_load(&chain,
                                     at("store/live/a.example/fullchain.pem"),
                                     &res, pool), 0);
    len = i2d_X509(acme_chain_x509(chain, 0), &der);
    assert_true(len > 0);
    json = parsed(jws.payload);
    assert_int_equal(json_object_size(json), 2);
    assert_string_equal(member(json, "certificate"),
                        acme_text_base64url(der, (apr_size_t)len, pool));
    OPENSSL_free(der);
    assert_int_equal(acme_json_int(json, "reason"), 4);

    want(ACME_WANT_DELETION, 0);
    request.with = ACME_WITH_CERT_KEY;
    jws = signed_as(ACME_SIGN_REVOKE);
    assert_header(&jws, key);
    state_of(registry, 0)->reason = -1;
    assert_int_equal(json_object_size(parsed(signed_as(
        ACME_SIGN_REVOKE).payload)), 1);

    /* Its key signs nothing else, and nothing that nobody asked for. */
    jws = signed_as(ACME_SIGN_NEW_ORDER);
    assert_header(&jws, NULL);
    want(ACME_WANT_RENEWAL, 0);
    refused("with the certificate's key", ACME_SIGN_REVOKE);
}

static void an_account_at_each_ca(void **state)
{
    const acme_ca_account_t *account;
    const char *body;
    jws_t jws;

    (void)state;
    request.about.ca = 1;
    assert_int_equal(sign(&body, ACME_SIGN_NEW_ORDER), APR_EINVAL);
    assert_non_null(strstr(res.detail, "no account"));
    assert_int_equal(acme_accounts_find(&account, accounts, 1, &res), 0);
    jws = signed_as(ACME_SIGN_NEW_ACCOUNT);
    assert_header(&jws, account->key);
    assert_false(same_key(account->key, account_key()));
    assert_string_equal(jws.payload, "{\"termsOfServiceAgreed\":true}");
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_requests_are_the_configuration_s),
        TEST(finalize_is_of_its_part),
        TEST(an_order_has_besides_what_it_is_asked_with),
        TEST(a_binding_is_over_the_account_s_key),
        TEST(nothing_is_given_up_unasked),
        TEST(an_account_is_given_up_when_asked),
        TEST(a_new_key_says_whose_it_is_to_be),
        TEST(the_live_one_is_revoked_when_asked),
        TEST(an_account_at_each_ca)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
