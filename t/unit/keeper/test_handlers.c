/*
 * test_handlers.c - what a hostile worker gets signed and installed: what was
 * to be ordered and installed anyway.
 */
#include <apr_encode.h>

#include <openssl/ecdsa.h>

#include "acme_file.h"
#include "acme_json.h"
#include "acme_url.h"
#include "keeper_process.h"

#define A_NAMES "a.example www.a.example"

static packet_t packet;

/* What is signed, and what is not */

static const struct {
    apr_uint32_t kind;
    const char *name;
} signed_kinds[] = {
    { ACME_SIGN_NEW_ACCOUNT, "newAccount" },
    { ACME_SIGN_NEW_ORDER, "newOrder" },
    { ACME_SIGN_POST_AS_GET, "post-as-get" },
    { ACME_SIGN_CHALLENGE, "challenge" },
    { ACME_SIGN_FINALIZE, "finalize" }
};

static void not_signed(const char *name, const acme_message_t *reply,
                       apr_status_t status, const char *says)
{
    if (reply->status != status || reply->tail_len
        || !strstr(res.detail, says)) {
        fail_msg("%s: status %d, %d octets, \"%s\"", name, reply->status,
                 (int)reply->tail_len, res.detail);
    }
}

static void bad_requests_are_not_signed(void **state)
{
    static char long_url[3001], longest[ACME_URL_SIZE];
    const struct {
        const char *name;
        apr_uint32_t kind;
        const char *url, *nonce, *says;
    } rows[] = {
        { "the kind after the last", ACME_SIGN_REVOKE + 1, ORDER_URL, NONCE,
          "unknown kind" },
        { "a kind of 255", 255, ORDER_URL, NONCE, "unknown kind" },
        { "a kind of all ones", 0xffffffff, ORDER_URL, NONCE,
          "unknown kind" },
        { "no URL", ACME_SIGN_NEW_ORDER, "", NONCE, "https" },
        { "http", ACME_SIGN_NEW_ORDER, "http://ca.example/", NONCE, "https" },
        { "file", ACME_SIGN_NEW_ORDER, "file:///etc/passwd", NONCE, "https" },
        { "a path", ACME_SIGN_NEW_ORDER, "/etc/passwd", NONCE, "https" },
        { "a user", ACME_SIGN_NEW_ORDER, "https://u:p@ca.example/", NONCE,
          "user" },
        { "a line feed", ACME_SIGN_NEW_ORDER, "https://ca.example/\n", NONCE,
          "character" },
        { "a bell", ACME_SIGN_NEW_ORDER, "https://ca.example/\a", NONCE,
          "character" },
        { "a quote", ACME_SIGN_NEW_ORDER, "https://ca.example/\",\"jwk\":\"",
          NONCE, "character" },
        { "a backslash", ACME_SIGN_NEW_ORDER, "https://ca.example/\\u0022",
          NONCE, "character" },
        { "beyond ASCII", ACME_SIGN_NEW_ORDER, "https://ca.example/\xc3\xa4",
          NONCE, "character" },
        { "3000 characters", ACME_SIGN_NEW_ORDER, long_url, NONCE, NULL },
        { "no nonce", ACME_SIGN_NEW_ORDER, ORDER_URL, "", "nonce" },
        { "a nonce with padding", ACME_SIGN_NEW_ORDER, ORDER_URL, "bm9u=",
          "nonce" },
        { "a nonce in base64", ACME_SIGN_NEW_ORDER, ORDER_URL, "a+/b",
          "nonce" },
        { "a nonce with a quote", ACME_SIGN_NEW_ORDER, ORDER_URL,
          "a\",\"jwk\":\"b", "nonce" },
        { "a nonce with a line feed", ACME_SIGN_NEW_ORDER, ORDER_URL, "a\n",
          "nonce" }
    };
    acme_message_t reply;
    size_t i;
    int fd;

    (void)state;
    memset(long_url, 'a', sizeof(long_url) - 1);
    memcpy(long_url, "https://ca.example/", strlen("https://ca.example/"));
    memcpy(longest, long_url, ACME_URL_MAX);
    begin();
    for (i = 0; i < COUNT(rows); i++) {
        if (!rows[i].says) {            /* has no room for its end */
            fd = open_channel();
            packet_make(&packet, ACME_MSG_SIGN, 0);
            memcpy(packet.rest + offsetof(acme_msg_sign_t, url), rows[i].url,
                   3000);
            assert_true(packet_send(fd, &packet) > 0);
            assert_closed(fd, rows[i].name);
            close(fd);
            continue;
        }
        reply = sign(0, rows[i].kind, rows[i].url, rows[i].nonce);
        not_signed(rows[i].name, &reply, APR_EINVAL, rows[i].says);
    }
    assert_int_equal(sign(0, ACME_SIGN_NEW_ORDER, longest, NONCE).status, 0);
}

static void nothing_but_new_account_without_an_account(void **state)
{
    acme_message_t reply;
    size_t i;

    (void)state;
    assert_int_equal(prepare(0), 0);
    for (i = 1; i < COUNT(signed_kinds); i++) {
        reply = sign(0, signed_kinds[i].kind, ORDER_URL, NONCE);
        not_signed(signed_kinds[i].name, &reply, APR_EINVAL, "no account");
    }
    reply = sign(0, 99, ORDER_URL, NONCE);
    assert_int_equal(reply.status, APR_EINVAL);
    assert_int_equal(sign(0, ACME_SIGN_NEW_ACCOUNT, ORDER_URL, NONCE).status,
                     0);

    /* And so it is again when the CA has forgotten it. */
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, ACCOUNT_URL), 0);
    assert_int_equal(sign(0, ACME_SIGN_NEW_ORDER, ORDER_URL, NONCE).status,
                     0);
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, ""), 0);
    reply = sign(0, ACME_SIGN_NEW_ORDER, ORDER_URL, NONCE);
    not_signed("forgotten", &reply, APR_EINVAL, "no account");
}

static void nothing_without_agreement(void **state)
{
    acme_message_t reply;
    size_t i;

    (void)state;
    cert_of(conf, 0)->agreed = 0;
    start_keeper();
    begin();
    for (i = 0; i < COUNT(signed_kinds); i++) {
        reply = sign(0, signed_kinds[i].kind, ORDER_URL, NONCE);
        not_signed(signed_kinds[i].name, &reply, APR_EACCES,
                   "AcmeTermsOfService");
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
    }
    assert_int_equal(prepare(1), 0);
    assert_int_equal(sign(1, ACME_SIGN_NEW_ORDER, ORDER_URL, NONCE).status,
                     0);
}

static apr_status_t say_at(apr_uint32_t ca, acme_message_e kind, void *body)
{
    ((acme_target_t *)body)->ca = ca;
    return say(kind, body).status;
}

static apr_status_t want_dry_run(void)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_DRY_RUN, -1 };
    int control = open_control();
    const apr_status_t rv = say_on(control, ACME_MSG_WANT, &want, NULL,
                                   0).status;

    close(control);
    return rv;
}

static acme_msg_sign_t sign_at(apr_uint32_t kind)
{
    acme_msg_sign_t body = { .kind = kind };

    apr_cpystrn(body.url, ORDER_URL, sizeof(body.url));
    apr_cpystrn(body.nonce, NONCE, sizeof(body.nonce));
    return body;
}

/* One that another request replaced removes what it published, and leaves the
   batch of validations; it begins nothing more. */
static void only_an_end_is_allowed_after_a_dry_run(void)
{
    acme_msg_publish_t publish = { .action = ACME_PUBLISH_CLEANUP,
                                   .challenge = ACME_HTTP_01,
                                   .name = ACME_NO_NAME };
    acme_msg_validate_t validate = { .step = ACME_VALIDATE_FAILED };

    assert_int_equal(say_at(1, ACME_MSG_PUBLISH, &publish), 0);
    assert_int_equal(say_at(1, ACME_MSG_VALIDATE, &validate), 0);
    validate.step = ACME_VALIDATE_DONE;
    assert_int_equal(say_at(1, ACME_MSG_VALIDATE, &validate), 0);
    validate.step = ACME_VALIDATE_JOIN;
    assert_int_equal(say_at(1, ACME_MSG_VALIDATE, &validate), APR_EACCES);
    publish.action = ACME_PUBLISH_PRESENT;
    assert_int_equal(say_at(1, ACME_MSG_PUBLISH, &publish), APR_EACCES);
    publish.action = ACME_PUBLISH_RESULT;
    assert_int_equal(say_at(1, ACME_MSG_PUBLISH, &publish), APR_EACCES);
}

/* Only while it is requested, and nothing that could end in a certificate. */
static void a_dry_run_is_signed_up_to_the_challenges(void **state)
{
    static const acme_message_e never[] = {
        ACME_MSG_ORDER, ACME_MSG_INSTALL, ACME_MSG_LIVE
    };
    apr_array_header_t *dry_run_cas;
    acme_msg_note_t note = { .note = ACME_NOTE_FAILED };
    acme_msg_cert_t cert = { { 0, 0, 0 } };
    acme_msg_url_t url = { .url = ORDER_URL };
    acme_msg_sign_t body;
    size_t i;

    (void)state;
    dry_run_cas = apr_array_make(pool, 1, sizeof(apr_uint32_t));
    APR_ARRAY_PUSH(dry_run_cas, apr_uint32_t) = 0;
    cert_of(conf, 0)->dry_run_cas = dry_run_cas;
    cert_of(conf, 0)->dry_run_routes = dry_run_cas;
    start_keeper();
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, ACCOUNT_URL), 0);
    assert_int_equal(say_at(1, ACME_MSG_PREPARE, &cert), APR_EACCES);
    assert_non_null(strstr(res.detail, "no administrator"));
    body = sign_at(ACME_SIGN_NEW_ORDER);
    assert_int_equal(say_at(1, ACME_MSG_SIGN, &body), APR_EACCES);
    note.note = ACME_NOTE_DRY_RUN_PASSED;
    assert_int_equal(say_at(1, ACME_MSG_NOTE, &note), APR_EACCES);
    assert_int_equal(say_at(2, ACME_MSG_PREPARE, &cert), APR_ENOENT);
    only_an_end_is_allowed_after_a_dry_run();

    assert_int_equal(want_dry_run(), 0);
    assert_int_equal(want_dry_run(), APR_EBUSY);
    assert_int_equal(say_at(1, ACME_MSG_PREPARE, &cert), 0);
    assert_int_equal(mode_of(at("store/pending/a.example")), -1);
    for (i = 0; i < COUNT(signed_kinds); i++) {
        const int is_end = signed_kinds[i].kind == ACME_SIGN_FINALIZE;

        body = sign_at(signed_kinds[i].kind);
        if (say_at(1, ACME_MSG_SIGN, &body) != (is_end ? APR_EACCES : 0)) {
            fail_msg("%s: %s", signed_kinds[i].name, res.detail);
        }
    }
    body = sign_at(ACME_SIGN_REVOKE);
    assert_int_equal(say_at(1, ACME_MSG_SIGN, &body), APR_EACCES);
    for (i = 0; i < COUNT(never); i++) {
        if (say_at(1, never[i], &url) != APR_EACCES) {
            fail_msg("%s", acme_message_name(never[i]));
        }
    }
    /* Its end is none of an order, and an order's is none of it. */
    note.note = ACME_NOTE_FAILED;
    assert_int_equal(say_at(1, ACME_MSG_NOTE, &note), APR_EINVAL);
    note.note = ACME_NOTE_DRY_RUN_PASSED;
    assert_int_equal(say_at(0, ACME_MSG_NOTE, &note), APR_EINVAL);
    assert_int_equal(list(0).attempts, 0);
    assert_int_equal(say_at(1, ACME_MSG_NOTE, &note), 0);
    assert_int_equal(list(0).dry_run, ACME_DRY_RUN_PASSED);
    assert_int_equal(say_at(1, ACME_MSG_PREPARE, &cert), APR_EACCES);
}

static void no_other_s_request_is_finalized(void **state)
{
    acme_message_t reply;

    (void)state;
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, ACCOUNT_URL), 0);
    reply = sign(0, ACME_SIGN_FINALIZE, ORDER_URL, NONCE);
    not_signed("nothing pending", &reply, APR_ENOENT, "pending");
    assert_int_equal(prepare(0), 0);
    reply = sign(1, ACME_SIGN_FINALIZE, ORDER_URL, NONCE);
    not_signed("another is pending", &reply, APR_ENOENT, "pending");
    assert_int_equal(sign(0, ACME_SIGN_FINALIZE, ORDER_URL, NONCE).status, 0);
}

typedef struct {
    json_t *protected;
    const char *payload;
    apr_size_t payload_len;
} jws_t;

static const char *decoded(const json_t *json, const char *key,
                           apr_size_t *plen)
{
    const char *text = acme_json_string(json, key, ACME_JWS_MAX,
                                        pool);
    const char *data;

    assert_non_null(text);
    data = apr_pdecode_base64(pool, text, APR_ENCODE_STRING,
                              APR_ENCODE_NONE, plen);
    assert_non_null(data);
    remember(data, *plen);
    return data;
}

/* Is it the account's signature? r and s, each of 32 octets. (7518, 3.4) */
static void assert_signed(const json_t *json, const acme_key_t *key)
{
    const char *text = apr_pstrcat(
        pool, acme_json_string(json, "protected", 65536, pool),
        ".", acme_json_string(json, "payload", 65536, pool), NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const unsigned char *raw;
    unsigned char *der = NULL;
    apr_size_t len;
    int der_len;

    raw = (const unsigned char *)decoded(json, "signature", &len);
    assert_int_equal(len, 64);
    ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32,
                                                            NULL));
    der_len = i2d_ECDSA_SIG(sig, &der);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
                                          acme_key_evp((acme_key_t *)key)),
                     1);
    assert_int_equal(EVP_DigestVerify(ctx, der, (size_t)der_len,
                                      (const unsigned char *)text,
                                      strlen(text)), 1);
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG_free(sig);
}

static acme_key_t *account_key(void)
{
    acme_key_t *key;

    assert_int_equal(acme_key_load(
        &key, at("store/accounts/%s/key.pem",
                 APR_ARRAY_IDX(conf->cas, 0, acme_ca_conf_t).folder),
        &res, pool), 0);
    return key;
}

/* What came back for a SIGN of this kind, its signature verified. */
static jws_t signed_as(apr_uint32_t cert, apr_uint32_t kind)
{
    acme_message_t reply = sign(cert, kind, ORDER_URL, NONCE);
    const char *protected;
    apr_size_t len;
    json_t *json;
    jws_t jws;

    assert_int_equal(reply.status, 0);
    assert_int_equal(acme_json_parse(&json, reply.tail, reply.tail_len, "JWS",
                                     &res, pool), 0);
    assert_int_equal(json_object_size(json), 3);
    assert_signed(json, account_key());
    protected = decoded(json, "protected", &len);
    assert_int_equal(acme_json_parse(&jws.protected, protected, len,
                                     "protected", &res, pool), 0);
    jws.payload = decoded(json, "payload", &jws.payload_len);
    return jws;
}

static const char *member(const jws_t *jws, const char *key)
{
    const char *text = acme_json_string(jws->protected, key, ACME_URL_MAX,
                                        pool);

    return text ? text : "none";
}

/* All that the protected header says: nothing of it is the worker's choice
   but URL and nonce. */
static void assert_protected(const jws_t *jws, int with_jwk)
{
    const char *jwk;

    assert_int_equal(json_object_size(jws->protected), 4);
    assert_string_equal(member(jws, "alg"), "ES256");
    assert_string_equal(member(jws, "nonce"), NONCE);
    assert_string_equal(member(jws, "url"), ORDER_URL);
    if (!with_jwk) {
        assert_string_equal(member(jws, "kid"), ACCOUNT_URL);
        return;
    }
    assert_int_equal(acme_key_jwk(&jwk, account_key(), &res, pool),
                     0);
    assert_string_equal(acme_json_text(json_object_get(jws->protected, "jwk"),
                                       0, pool), jwk);
}

static void payloads_are_the_configuration_s(void **state)
{
    static const struct {
        const char *name;
        apr_uint32_t cert, kind;
        const char *payload;
    } rows[] = {
        { "account", 0, ACME_SIGN_NEW_ACCOUNT,
          "{\"contact\":[\"mailto:admin@a.example\",\"mailto:b@b.example\"],"
          "\"termsOfServiceAgreed\":true}" },
        { "order of a", 0, ACME_SIGN_NEW_ORDER,
          "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},"
          "{\"type\":\"dns\",\"value\":\"www.a.example\"}]}" },
        { "order of b", 1, ACME_SIGN_NEW_ORDER,
          "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"b.example\"}]}" },
        { "post-as-get", 0, ACME_SIGN_POST_AS_GET, "" },
        { "challenge", 0, ACME_SIGN_CHALLENGE, "{}" }
    };
    size_t i;

    (void)state;
    begin();
    assert_int_equal(prepare(1), 0);
    for (i = 0; i < COUNT(rows); i++) {
        jws_t jws = signed_as(rows[i].cert, rows[i].kind);

        assert_protected(&jws, rows[i].kind == ACME_SIGN_NEW_ACCOUNT);
        if (strcmp(jws.payload, rows[i].payload)) {
            fail_msg("%s: %s", rows[i].name, jws.payload);
        }
    }
}

/* The request that finalize carries, in DER. */
static const unsigned char *finalized(apr_uint32_t cert, apr_size_t *plen)
{
    jws_t jws = signed_as(cert, ACME_SIGN_FINALIZE);
    json_t *json;

    assert_protected(&jws, 0);
    assert_int_equal(acme_json_parse(&json, jws.payload, jws.payload_len,
                                     "payload", &res, pool), 0);
    assert_int_equal(json_object_size(json), 1);
    return (const unsigned char *)decoded(json, "csr", plen);
}

/* The names in a request's subjectAltName, as words. */
static const char *csr_names(const unsigned char *der, apr_size_t len)
{
    X509_REQ *csr = d2i_X509_REQ(NULL, &der, (long)len);
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    GENERAL_NAMES *sans = X509V3_get_d2i(extensions, NID_subject_alt_name,
                                         NULL, NULL);
    const char *names = "";
    int i;

    assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
    for (i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        const GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);

        assert_int_equal(san->type, GEN_DNS);
        names = apr_pstrcat(pool, names, i ? " " : "",
                            ASN1_STRING_get0_data(san->d.dNSName), NULL);
    }
    GENERAL_NAMES_free(sans);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(csr);
    return names;
}

static void finalize_has_the_pending_key_and_all_names(void **state)
{
    static const char *const names[] = { A_NAMES, "b.example" };
    acme_key_t *key;
    apr_uint32_t i;

    (void)state;
    begin();
    assert_int_equal(prepare(1), 0);
    for (i = 0; i < COUNT(names); i++) {
        apr_size_t len;
        const unsigned char *der = finalized(i, &len);
        X509_REQ *csr;
        const unsigned char *d = der;

        assert_string_equal(csr_names(der, len), names[i]);
        assert_int_equal(acme_key_load(
            &key, at("store/pending/%s/key.pem", cert_of(conf, (int)i)->id),
            &res, pool), 0);
        csr = d2i_X509_REQ(NULL, &d, (long)len);
        assert_int_equal(X509_REQ_check_private_key(csr, acme_key_evp(key)),
                         1);
        X509_REQ_free(csr);
    }
}

/* What is installed, and what is not */

static const char *pending_text(void)
{
    const char *text = text_of(at("store/pending/a.example/key.pem"));

    return text ? text : "none";
}

static const char *refused_file(void)
{
    static const char before[] = "the certificate is kept as ";
    const char *log = logged(), *path = NULL, *next;

    for (next = log; (next = strstr(next, before)); next = path) {
        path = next + sizeof(before) - 1;
    }
    assert_non_null(path);
    return apr_pstrmemdup(pool, path,
                          (apr_size_t)(strstr(path, " and was") - path));
}

/* It is refused, kept whole where only root looks, named, and not live. */
static void assert_refused(const char *name, const char *data, apr_size_t len,
                           const char *says)
{
    acme_message_t reply = install_octets(0, data, len);
    const char *kept;
    apr_size_t kept_len;

    if (reply.status != APR_EINVAL || !strstr(res.detail, says)) {
        fail_msg("%s: status %d, \"%s\"", name, reply.status, res.detail);
    }
    assert_logged(says);
    assert_int_equal(count(at("store/aside")), 1);
    assert_int_equal(mode_of(at("store/aside")), 0700);
    assert_int_equal(mode_of(refused_file()), 0600);
    assert_int_equal(acme_file_read(&kept, &kept_len, refused_file(), 65536,
                                    &res, pool), 0);
    if (kept_len != len || memcmp(kept, data, len)) {
        fail_msg("%s: the file that was kept is another", name);
    }
    assert_int_equal(mode_of(at("store/live/a.example")), -1);
    assert_true(count(at("store/archive/a.example")) <= 0);
}

static void octets_that_are_no_chain_are_refused(void **state)
{
    static char large[ACME_CHAIN_SIZE_MAX];
    const issuer_t *ca = make_issuer("Test CA");
    const char *good, *key_pem;
    issue_t what = { .issuer = ca, .names = A_NAMES };
    struct {
        const char *name, *data;
        apr_size_t len;
        const char *says;
    } rows[] = {
        { "white space", "\n\n ", 3, "no certificate" },
        { "a word", "x", 1, "no certificate" },
        { "a path", "/etc/ssl/private/key.pem", 0, "no certificate" },
        { "zeros", "\0\0\0\0", 4, "NUL" },
        { "64 KB", large, sizeof(large), "no certificate" },
        { "a NUL after it", NULL, 0, "NUL" },
        { "a key after it", NULL, 0, "something else" },
        { "half of it", NULL, 0, "damaged" },
        { "a request", NULL, 0, "something else" },
        { "of 11", NULL, 0, "more than 10" }
    };
    size_t i = 5;

    (void)state;
    memset(large, 'A', sizeof(large));
    begin();
    what.key = pending_key(0);
    good = issue(&what);
    assert_int_equal(acme_key_pem(&key_pem, make_key(), &res, pool),
                     0);
    rows[i].len = strlen(good) + 1;
    rows[i++].data = good;
    rows[i++].data = apr_pstrcat(pool, good, key_pem, NULL);
    rows[i++].data = apr_pstrmemdup(pool, good, 300);
    rows[i++].data = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n"
                     "-----END CERTIFICATE REQUEST-----\n";
    what.nnext = 10;
    rows[i++].data = issue(&what);
    assert_int_equal(i, COUNT(rows));

    for (i = 0; i < COUNT(rows); i++) {
        if (!rows[i].len) {
            rows[i].len = strlen(rows[i].data);
        }
        assert_refused(rows[i].name, rows[i].data, rows[i].len, rows[i].says);
    }
    /* Words around it do no harm. */
    assert_int_equal(install(0, apr_pstrcat(pool, "x\n", good, "x\n",
                                            NULL)).status, 0);
}

static void chains_that_were_not_asked_for_are_refused(void **state)
{
    const issuer_t *ca = make_issuer("Test CA");
    const issuer_t *evil = make_issuer("Evil CA");
    EVP_PKEY *other = acme_key_evp(make_key());
    const struct {
        const char *name;
        issue_t what;
        const char *says;
    } rows[] = {
        { "of another key", { .key = other, .names = A_NAMES },
          "another key" },
        { "the attacker's own", { .key = other, .names = A_NAMES,
                                  .issuer = evil }, "another key" },
        { "the attacker's own root", { .key = evil->key, .names = A_NAMES,
                                       .issuer = evil }, "another key" },
        { "for a victim's name", { .names = "victim.example" },
          "without all" },
        { "for a name more", { .names = A_NAMES " victim.example" },
          "victim.example" },
        { "for a name less", { .names = "a.example" }, "without all" },
        { "for no name", { .names = NULL }, "without all" },
        { "for the other certificate's name", { .names = "b.example" },
          "without all" },
        { "expired", { .names = A_NAMES, .from = -9 * DAY, .until = -1 },
          "expired" },
        { "not yet valid", { .names = A_NAMES, .from = DAY },
          "not valid before" },
        { "signed by another than the next", { .names = A_NAMES,
                                               .next = evil },
          "not signed by the next" }
    };
    const char *before;
    size_t i;

    (void)state;
    begin();
    before = pending_text();
    for (i = 0; i < COUNT(rows); i++) {
        issue_t what = rows[i].what;
        const char *pem;

        what.key = what.key ? what.key : pending_key(0);
        what.issuer = what.issuer ? what.issuer : ca;
        pem = issue(&what);
        assert_refused(rows[i].name, pem, strlen(pem), rows[i].says);
    }
    assert_int_equal(count(at("store/pending/a.example")), 3);
    assert_string_equal(pending_text(), before);
}

static void a_chain_goes_only_where_it_was_asked_for(void **state)
{
    const char *pem;

    (void)state;
    begin();
    assert_int_equal(prepare(1), 0);
    pem = right_chain(0);
    assert_int_equal(install(1, pem).status, APR_EINVAL);
    assert_logged("b.example: refused");
    assert_int_equal(mode_of(at("store/live/b.example")), -1);
    assert_int_equal(install(0, pem).status, 0);
    assert_int_equal(mode_of(at("store/live/b.example")), -1);
}

static void nothing_is_installed_that_was_not_begun(void **state)
{
    issue_t what = {
        .issuer = make_issuer("Test CA"), .names = A_NAMES,
        .key = acme_key_evp(make_key())
    };

    (void)state;
    assert_serving();
    channel = open_channel();
    assert_int_equal(install(0, issue(&what)).status, APR_ENOENT);
    assert_int_equal(count(at("store/archive")), 0);
    assert_int_equal(count(at("store/live")), 0);
}

static const char *live_text(const char *file)
{
    const char *text;
    apr_size_t len;

    assert_int_equal(acme_file_read(&text, &len, at("store/live/a.example/%s",
                                                    file), 65536, &res,
                                    pool), 0);
    return text;
}

static void the_right_chain_goes_live(void **state)
{
    static const struct {
        const char *path;
        int mode;
    } rows[] = {
        { "live/a.example/", 0755 },
        { "live/a.example/privkey.pem", 0600 },
        { "live/a.example/cert.pem", 0644 },
        { "live/a.example/chain.pem", 0644 },
        { "live/a.example/fullchain.pem", 0644 },
        { "live/a.example/meta.json", 0644 },
        { "pending/a.example", -1 }
    };
    const acme_state_t *now;
    acme_message_t reply;
    char target[64] = "";
    const char *pem;
    acme_key_t *key;
    size_t i;
    int again;

    (void)state;
    begin();
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ORDER_URL), 0);
    assert_true(list(0).ordering);
    pem = right_chain(0);
    for (again = 0; again < 2; again++) {
        reply = install(0, pem);
        if (reply.status) {
            fail_msg("refused: %s", res.detail);
        }
        now = reply.body;
        assert_int_equal(now->live, 1);
        assert_int_equal(now->covers, 1);
        assert_int_equal(now->ordering, 0);
        assert_true(now->not_after > apr_time_now());
        assert_string_equal(now->issuer, "Test CA");
        for (i = 0; i < COUNT(rows); i++) {
            if (mode_of(at("store/%s", rows[i].path)) != rows[i].mode) {
                fail_msg("%s: mode %o", rows[i].path,
                         (unsigned)mode_of(at("store/%s", rows[i].path)));
            }
        }
    }
    assert_true(readlink(at("store/live/a.example"), target,
                         sizeof(target) - 1) > 0);
    assert_string_equal(target, "../archive/a.example/1");
    assert_int_equal(count(at("store/archive/a.example")), 1);
    assert_string_equal(live_text("fullchain.pem"), pem);
    assert_int_equal(acme_key_load(&key, at("store/live/a.example/"
                                            "privkey.pem"), &res,
                                   pool), 0);
    assert_int_equal(times_logged("installed:"), 1);
}

static void a_renewal_has_a_key_of_its_own(void **state)
{
    const char *first, *second, *key;

    (void)state;
    begin();
    first = right_chain(0);
    key = pending_text();
    assert_int_equal(install(0, first).status, 0);
    assert_int_equal(prepare(0), 0);
    assert_string_not_equal(pending_text(), key);
    second = right_chain(0);
    assert_int_equal(install(0, second).status, 0);
    assert_string_equal(live_text("fullchain.pem"), second);
    assert_int_equal(count(at("store/archive/a.example")), 2);

    /* The old one, once more: neither back nor an error that costs anything */
    assert_int_not_equal(install(0, first).status, 0);
    assert_string_equal(live_text("fullchain.pem"), second);
}

/* A certificate with the live one's serial number is not the live one. */
static void a_borrowed_serial_number_costs_no_order(void **state)
{
    issue_t what = {
        .issuer = make_issuer("Evil CA"), .names = A_NAMES, .serial = 0x77
    };
    const char *pem, *live, *key;

    (void)state;
    begin();
    what.key = pending_key(0);
    live = issue(&what);
    assert_int_equal(install(0, live).status, 0);
    assert_int_equal(prepare(0), 0);
    key = pending_text();
    what.key = acme_key_evp(make_key());
    pem = issue(&what);
    assert_int_equal(install(0, pem).status, APR_EINVAL);
    assert_string_equal(pending_text(), key);

    /* Nor does the live one itself, sent once more */
    assert_int_equal(install(0, live).status, 0);
    assert_string_equal(pending_text(), key);

    /* And one that was asked for goes live, whatever its number */
    what.key = pending_key(0);
    pem = issue(&what);
    assert_int_equal(install(0, pem).status, 0);
    assert_string_equal(live_text("fullchain.pem"), pem);
}

/* What a worker says of its orders is shown, within bounds */

static void notes_are_escaped_and_bounded(void **state)
{
    static const struct {
        const char *name;
        apr_uint32_t note, retry;
        apr_time_t next_at;
    } rows[] = {
        { "failed", ACME_NOTE_FAILED, ACME_RETRY_SOON, 0 },
        { "never again", ACME_NOTE_FAILED, ACME_RETRY_NEVER, 0 },
        { "a retry that is none", ACME_NOTE_FAILED, 0xffffffff, 1 },
        { "in 1970", ACME_NOTE_FAILED, ACME_RETRY_LATER, -1 },
        { "at the end of time", ACME_NOTE_FAILED, ACME_RETRY_LATER,
          APR_INT64_MAX },
        { "ordered", ACME_NOTE_ORDERED, 0, 0 },
        { "a note that is none", 0xffffffff, 0, 0 }
    };
    const apr_time_t most = apr_time_from_sec(2 * DAY + 60);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_msg_note_t note;
        acme_state_t now;

        memset(&note, 0, sizeof(note));
        note.note = rows[i].note;
        note.retry = rows[i].retry;
        note.next_at = rows[i].next_at;
        memset(note.problem, '\n', sizeof(note.problem) - 1);
        memset(note.detail, '\x1b', sizeof(note.detail) - 1);
        memcpy(note.detail, "a\n[error] forged: %s%n\r", 21);
        assert_int_equal(say(ACME_MSG_NOTE, &note).status, 0);
        now = list(0);
        assert_true(now.retry <= ACME_RETRY_NEVER);
        assert_true(now.next_at <= apr_time_now() + most);
        assert_null(strpbrk(now.problem, "\n\r\x1b"));
        assert_null(strpbrk(now.detail, "\n\r\x1b"));
    }
    assert_not_logged("\n[error] forged");
    assert_int_equal(list(1).attempts, 0);
}

static void urls_of_orders_and_accounts_are_https(void **state)
{
    static const char *const urls[] = {
        "http://ca.example/", "file:///etc/passwd", "../../x", "x",
        "https://", "https://ca.example/\n", "https://ca.example/\""
    };
    size_t i;

    (void)state;
    assert_int_equal(prepare(0), 0);
    for (i = 0; i < COUNT(urls); i++) {
        assert_int_equal(tell_url(ACME_MSG_ORDER, 0, urls[i]), APR_EINVAL);
        assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, urls[i]), APR_EINVAL);
    }
    assert_int_equal(tell_url(ACME_MSG_ORDER, 1, ORDER_URL), APR_ENOENT);
    assert_int_equal(sign(0, ACME_SIGN_NEW_ORDER, ORDER_URL, NONCE).status,
                     APR_EINVAL);
}

static void records_that_are_not_configured_are_refused(void **state)
{
    static acme_dns_conf_t dns;
    const struct {
        const char *name;
        apr_uint32_t cert, position;
        const char *token;
        apr_status_t status;
    } rows[] = {
        { "no command", 0, 0, "dG9rZW4", APR_EINVAL },
        { "a name after the last", 1, 1, "dG9rZW4", APR_EINVAL },
        { "a name of all ones", 1, 0xffffffff, "dG9rZW4", APR_EINVAL },
        { "no token", 1, 0, "", APR_EINVAL },
        { "a token with a space", 1, 0, "a b", APR_EINVAL },
        { "a token with a slash", 1, 0, "../x", APR_EINVAL },
        { "what is configured", 1, 0, "dG9rZW4", APR_SUCCESS }
    };
    acme_msg_publish_t body;
    size_t i;

    (void)state;
    dns.timeout = apr_time_from_sec(60);
    dns.present = words("/bin/sh -c");
    APR_ARRAY_PUSH(dns.present, const char *) =
        apr_psprintf(pool, "echo $1 $2 >>%s", at("ran"));
    APR_ARRAY_PUSH(dns.present, const char *) = "sh";
    cert_of(conf, 1)->dns = &dns;
    start_keeper();
    for (i = 0; i < COUNT(rows); i++) {
        acme_msg_cert_t await = { { 1, 0, 0 } };

        memset(&body, 0, sizeof(body));
        body.about.cert = rows[i].cert;
        body.challenge = ACME_DNS_01;
        body.name = rows[i].position;
        apr_cpystrn(body.token, rows[i].token, sizeof(body.token));
        if (say(ACME_MSG_PUBLISH, &body).status != rows[i].status) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_int_equal(say(ACME_MSG_AWAIT, &await).status, 0);
        assert_int_equal(mode_of(at("ran")) >= 0, !rows[i].status);
    }
    assert_string_equal(text_of(at("ran")),
                        "present _acme-challenge.b.example\n");
}

/* Nor does its failure count for an order that begins meanwhile. */
static void a_rehearsal_sets_no_record_beside_an_order(void **state)
{
    static acme_dns_conf_t dns;
    const acme_msg_want_t dry_run = { { 0, 0, 0 }, ACME_WANT_DRY_RUN, -1 };
    acme_msg_publish_t body = { .challenge = ACME_DNS_01,
                                .token = "dG9rZW4" };
    acme_msg_cert_t await = { { 0, 0, 0 } };
    int witness, control;

    (void)state;
    dns.timeout = apr_time_from_sec(60);
    dns.present = words("/bin/false");
    cert_of(conf, 0)->dns = &dns;
    start_keeper();
    begin();
    witness = open_witness();
    assert_int_equal(say_on(witness, ACME_MSG_PUBLISH, &body, NULL, 0).status,
                     0);
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ORDER_URL), 0);
    assert_int_equal(say(ACME_MSG_AWAIT, &await).status, 0);
    assert_int_equal(say_on(witness, ACME_MSG_PUBLISH, &body, NULL, 0).status,
                     APR_EBUSY);
    assert_non_null(strstr(res.detail, "an order or a dry run"));
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ""), 0);

    control = open_control();
    assert_int_equal(say_on(control, ACME_MSG_WANT, &dry_run, NULL, 0).status,
                     0);
    assert_int_equal(say_on(witness, ACME_MSG_PUBLISH, &body, NULL, 0).status,
                     APR_EBUSY);
    body.action = ACME_PUBLISH_CLEANUP;
    assert_int_equal(say_on(witness, ACME_MSG_PUBLISH, &body, NULL, 0).status,
                     0);
    close(control);
    close(witness);
}

/* Scripts of certbot's count down; a worker is believed within the names. */
static void records_of_a_batch_are_counted_down(void **state)
{
    static acme_dns_conf_t dns;
    static const struct {
        apr_uint32_t position, remaining;
    } rows[] = { { 0, 1 }, { 1, 0 }, { 0, 2 }, { 1, 0xffffffff } };
    acme_msg_cert_t await = { { 0, 0, 0 } };
    acme_msg_publish_t body;
    size_t i;

    (void)state;
    dns.timeout = apr_time_from_sec(60);
    dns.present = words("/bin/sh -c");
    APR_ARRAY_PUSH(dns.present, const char *) = apr_psprintf(
        pool, "echo $CERTBOT_REMAINING_CHALLENGES >>%s", at("ran"));
    cert_of(conf, 0)->dns = &dns;
    start_keeper();
    for (i = 0; i < COUNT(rows); i++) {
        memset(&body, 0, sizeof(body));
        body.challenge = ACME_DNS_01;
        body.name = rows[i].position;
        body.remaining = rows[i].remaining;
        apr_cpystrn(body.token, "dG9rZW4", sizeof(body.token));
        assert_int_equal(say(ACME_MSG_PUBLISH, &body).status, 0);
        assert_int_equal(say(ACME_MSG_AWAIT, &await).status, 0);
    }
    assert_string_equal(text_of(at("ran")), "1\n0\n1\n1\n");
}

/* The keeper computes what is published, and a worker cannot choose who does
   it or for which name. */
static void tokens_are_published_for_names_of_the_configuration(void **state)
{
    static acme_token_conf_t http;
    const struct {
        const char *name;
        apr_uint32_t cert, position, action;
        apr_status_t status;
    } rows[] = {
        { "not configured", 0, 0, ACME_PUBLISH_PRESENT, APR_EINVAL },
        { "no name", 1, 1, ACME_PUBLISH_PRESENT, APR_EINVAL },
        { "all names", 1, ACME_NO_NAME, ACME_PUBLISH_PRESENT, APR_EINVAL },
        { "what is configured", 1, 0, ACME_PUBLISH_PRESENT, 0 },
        { "removed", 1, ACME_NO_NAME, ACME_PUBLISH_CLEANUP, 0 }
    };
    acme_msg_cert_t await = { { 1, 0, 0 } };
    acme_msg_publish_t body;
    size_t i;

    (void)state;
    http.timeout = apr_time_from_sec(60);
    http.present = words("/bin/sh -c");
    APR_ARRAY_PUSH(http.present, const char *) = apr_psprintf(
        pool, "echo $CERTBOT_DOMAIN ${CERTBOT_VALIDATION%%.*} "
        "${#CERTBOT_VALIDATION} >>%s", at("ran"));
    http.cleanup = words("/bin/sh -c");
    APR_ARRAY_PUSH(http.cleanup, const char *) =
        apr_psprintf(pool, "echo removed >>%s", at("ran"));
    cert_of(conf, 1)->http = &http;
    start_keeper();
    for (i = 0; i < COUNT(rows); i++) {
        memset(&body, 0, sizeof(body));
        body.about.cert = rows[i].cert;
        body.action = rows[i].action;
        body.challenge = ACME_HTTP_01;
        body.name = rows[i].position;
        apr_cpystrn(body.token, "dG9rZW4", sizeof(body.token));
        if (say(ACME_MSG_PUBLISH, &body).status != rows[i].status) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_int_equal(say(ACME_MSG_AWAIT, &await).status, 0);
    }
    /* The token, a dot, and the 43 characters of a thumbprint. */
    assert_string_equal(text_of(at("ran")), "b.example dG9rZW4 51\nremoved\n");
}

/* The chain and its URL, and of nothing that is not live. */
static void the_live_chain_is_told(void **state)
{
    acme_msg_url_t installed = { { 0, 0, 0 }, "" };
    acme_msg_cert_t body = { { 0, 0, 0 } };
    const acme_msg_url_t *live;
    acme_message_t reply;
    const char *pem;

    (void)state;
    reply = say(ACME_MSG_LIVE, &body);
    assert_int_equal(reply.status, APR_ENOENT);
    assert_int_equal(reply.tail_len, 0);

    begin();
    pem = right_chain(0);
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ORDER_URL), 0);
    apr_cpystrn(installed.url, "https://ca.example/cert/1",
                sizeof(installed.url));
    assert_int_equal(say_on(channel, ACME_MSG_INSTALL, &installed, pem,
                            strlen(pem)).status, 0);
    reply = say(ACME_MSG_LIVE, &body);
    assert_int_equal(reply.status, 0);
    live = reply.body;
    assert_string_equal(live->url, "https://ca.example/cert/1");
    assert_string_equal(reply.tail, pem);

    body.about.cert = 1;
    assert_int_equal(say(ACME_MSG_LIVE, &body).status, APR_ENOENT);
    body.about.cert = 2;
    assert_int_equal(say(ACME_MSG_LIVE, &body).status, APR_ENOENT);
    body.about.cert = 0;
    body.about.part = 1;
    assert_int_equal(say(ACME_MSG_LIVE, &body).status, APR_ENOENT);
}

static void changes_are_told_one_by_one(void **state)
{
    acme_msg_after_t after = { 0 };
    acme_message_t reply;
    int n = 0;

    (void)state;
    begin();
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ORDER_URL), 0);
    while ((reply = say(ACME_MSG_CHANGES, &after)).status == 0) {
        const acme_state_t *now = reply.body;

        assert_true(now->change > after.change);
        after.change = now->change;
        n++;
    }
    assert_int_equal(reply.status, APR_ENOENT);
    assert_int_equal(n, 2);
    after.change = (apr_uint64_t)-1;
    assert_int_equal(say(ACME_MSG_CHANGES, &after).status, APR_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(bad_requests_are_not_signed),
        RUNNING_TEST(nothing_but_new_account_without_an_account),
        STARTING_TEST(nothing_without_agreement),
        STARTING_TEST(a_rehearsal_sets_no_record_beside_an_order),
        STARTING_TEST(a_dry_run_is_signed_up_to_the_challenges),
        RUNNING_TEST(no_other_s_request_is_finalized),
        RUNNING_TEST(payloads_are_the_configuration_s),
        RUNNING_TEST(finalize_has_the_pending_key_and_all_names),
        RUNNING_TEST(octets_that_are_no_chain_are_refused),
        RUNNING_TEST(chains_that_were_not_asked_for_are_refused),
        RUNNING_TEST(a_chain_goes_only_where_it_was_asked_for),
        RUNNING_TEST(nothing_is_installed_that_was_not_begun),
        RUNNING_TEST(the_right_chain_goes_live),
        RUNNING_TEST(a_renewal_has_a_key_of_its_own),
        RUNNING_TEST(a_borrowed_serial_number_costs_no_order),
        RUNNING_TEST(notes_are_escaped_and_bounded),
        RUNNING_TEST(urls_of_orders_and_accounts_are_https),
        STARTING_TEST(records_that_are_not_configured_are_refused),
        STARTING_TEST(records_of_a_batch_are_counted_down),
        STARTING_TEST(tokens_are_published_for_names_of_the_configuration),
        RUNNING_TEST(the_live_chain_is_told),
        RUNNING_TEST(changes_are_told_one_by_one)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
