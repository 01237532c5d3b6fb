/*
 * test_revoked.c - answers of OCSP responders and CRLs, honest and not.
 */
#include <signal.h>

#include <openssl/ocsp.h>

#include "certs.h"
#include "fake_plain.h"

#include "acme_crl.h"
#include "acme_ocsp.h"
#include "acme_revoked_fetch.h"

#define HOUR 3600L
#define DAY (24 * HOUR)
#define TODAY (NOW + DAYS(10))          /* when it is asked */
#define CRL_URL "http://crl.example.test/1.crl"

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNSURE V_OCSP_CERTSTATUS_UNKNOWN

static acme_revoked_t out;
static acme_chain_t *chain;             /* leaf, middle, root */

static acme_chain_t *chain_of(X509 *leaf, X509 *issuer)
{
    return parse(apr_pstrcat(pool, pem_of(leaf), pem_of(issuer), NULL));
}

static int setup(void **state)
{
    int rc = x509_setup(state);

    ca.leaf = make_leaf((spec_t){
        .serial = "4660",
        .exts = { { NID_crl_distribution_points, "URI:" CRL_URL } }
    });
    chain = chain_of(ca.leaf, ca.middle);
    return rc;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, \
                                                   crypto_teardown)

/* DER made by OpenSSL, as the body of a reply. */
static acme_http_reply_t *reply_of(unsigned char *der, int len)
{
    acme_http_reply_t *reply = apr_pcalloc(pool, sizeof(*reply));

    assert_true(len > 0);
    reply->status = 200;
    reply->body = apr_pmemdup(pool, der, (apr_size_t)len);
    reply->body_len = (apr_size_t)len;
    OPENSSL_free(der);
    return reply;
}

/* An OCSP answer; what is NULL or 0 is as an honest issuer would have it. */
typedef struct {
    int status;
    int reason;                 /* -1: none */
    long from, until;           /* seconds from TODAY; 0: an hour before, and
                                   a day after; until 1: none */
    X509 *about;
    X509 *signer;
    EVP_PKEY *key;
    const EVP_MD *md;           /* of the CertID */
    unsigned long flags;
} ocsp_t;

static ASN1_TIME *time_at(long seconds)
{
    return ASN1_TIME_adj(NULL, (time_t)apr_time_sec(TODAY), 0, seconds);
}

static acme_http_reply_t *ocsp(ocsp_t a)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    ASN1_TIME *when = time_at(-2 * HOUR);
    ASN1_TIME *from = time_at(a.from ? a.from : -HOUR);
    ASN1_TIME *until = a.until == 1 ? NULL : time_at(a.until ? a.until : DAY);
    unsigned char *der = NULL;
    OCSP_RESPONSE *response;
    OCSP_CERTID *id;
    int len;

    id = OCSP_cert_to_id(a.md ? a.md : EVP_sha1(), a.about ? a.about : ca.leaf,
                         ca.middle);
    assert_non_null(OCSP_basic_add1_status(basic, id, a.status, a.reason, when,
                                           from, until));
    assert_int_equal(OCSP_basic_sign(basic, a.signer ? a.signer : ca.middle,
                                     a.key ? a.key : ca.middle_key,
                                     EVP_sha256(), NULL, a.flags), 1);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = i2d_OCSP_RESPONSE(response, &der);
    OCSP_RESPONSE_free(response);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(when);
    OCSP_BASICRESP_free(basic);
    return reply_of(der, len);
}

static apr_status_t read_ocsp_at(const acme_http_reply_t *reply,
                                 apr_time_t now)
{
    acme_octets_t der = { (const unsigned char *)reply->body,
                               reply->body_len };

    memset(&out, 0xff, sizeof(out));
    return acme_ocsp_read(&out, chain, &der, now, &res, pool);
}

static apr_status_t read_ocsp(const acme_http_reply_t *reply)
{
    return read_ocsp_at(reply, TODAY);
}

static apr_status_t read_crl(const acme_http_reply_t *reply)
{
    acme_octets_t der = { (const unsigned char *)reply->body,
                               reply->body_len };

    memset(&out, 0xff, sizeof(out));
    return acme_crl_read(&out, chain, &der, TODAY, &res, pool);
}

/* A certificate of a responder; issuer and signer as make_leaf() has them. */
static X509 *responder(EVP_PKEY *key, spec_t spec, const char *eku)
{
    spec.cn = "responder";
    spec.key = key;
    spec.serial = "99";
    if (eku) {
        spec.exts[0].nid = NID_ext_key_usage;
        spec.exts[0].value = eku;
    }
    return make_leaf(spec);
}

static void a_request_is_about_the_leaf(void **state)
{
    const unsigned char *end;
    OCSP_REQUEST *request;
    OCSP_CERTID *id;
    const char *der;
    apr_size_t len;

    (void)state;
    assert_int_equal(acme_ocsp_request(&der, &len, chain, &res, pool), 0);
    end = (const unsigned char *)der;
    request = d2i_OCSP_REQUEST(NULL, &end, (long)len);
    assert_non_null(request);
    assert_ptr_equal(end, der + len);
    assert_int_equal(OCSP_request_onereq_count(request), 1);
    id = OCSP_cert_to_id(EVP_sha1(), ca.leaf, ca.middle);
    assert_int_equal(OCSP_id_cmp(id, OCSP_onereq_get0_id(
                                         OCSP_request_onereq_get0(request,
                                                                  0))), 0);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
}

static void without_an_issuer_nothing_is_asked(void **state)
{
    acme_http_reply_t *good = ocsp((ocsp_t){ .status = GOOD });
    const char *der = "x";
    apr_size_t len = 1;

    (void)state;
    chain = parse(pem_of(ca.leaf));
    assert_true(APR_STATUS_IS_ENOENT(acme_ocsp_request(&der, &len, chain, &res,
                                                       pool)));
    assert_null(der);
    assert_int_equal(len, 0);
    assert_true(APR_STATUS_IS_ENOENT(read_ocsp(good)));

    /* The second is another CA: its answers are about others. */
    chain = chain_of(ca.leaf, ca.root);
    assert_int_equal(acme_ocsp_request(&der, &len, chain, &res, pool),
                     APR_EINVAL);
    assert_int_equal(read_ocsp(good), APR_EINVAL);
    assert_int_equal(out.status, ACME_REVOKED_UNKNOWN);
}

static void answers_of_the_issuer_count(void **state)
{
    EVP_PKEY *key = odd_key(EVP_PKEY_RSA, 2048, 0);
    X509 *mate = responder(key, (spec_t){ 0 }, "OCSPSigning");
    const struct {
        const char *name;
        ocsp_t answer;
        acme_revoked_e status;
        const char *reason;
    } rows[] = {
        { "good", { .status = GOOD }, ACME_REVOKED_NO, NULL },
        { "good, by key", { .status = GOOD, .flags = OCSP_RESPID_KEY },
          ACME_REVOKED_NO, NULL },
        { "good, no certificates", { .status = GOOD, .flags = OCSP_NOCERTS },
          ACME_REVOKED_NO, NULL },
        { "delegated", { .status = GOOD, .signer = mate, .key = key },
          ACME_REVOKED_NO, NULL },
        { "delegated, by key", { .status = GOOD, .signer = mate, .key = key,
                                 .flags = OCSP_RESPID_KEY },
          ACME_REVOKED_NO, NULL },
        { "revoked", { .status = REVOKED, .reason = -1 }, ACME_REVOKED_YES,
          NULL },
        { "key", { .status = REVOKED, .reason = 1 }, ACME_REVOKED_YES,
          "keyCompromise" },
        { "on hold", { .status = REVOKED, .reason = 6 }, ACME_REVOKED_YES,
          "certificateHold" },
        { "unheard of", { .status = REVOKED, .reason = 77 }, ACME_REVOKED_YES,
          NULL },
        { "not known", { .status = UNSURE }, ACME_REVOKED_UNKNOWN, NULL },
        { "no next, today", { .status = GOOD, .until = 1 }, ACME_REVOKED_NO,
          NULL },
        { "4 minutes early", { .status = GOOD, .from = 4 * 60 },
          ACME_REVOKED_NO, NULL },
        { "4 minutes late", { .status = GOOD, .until = -4 * 60 },
          ACME_REVOKED_NO, NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_http_reply_t *reply = ocsp(rows[i].answer);
        long until = rows[i].answer.until ? rows[i].answer.until : DAY;

        if (read_ocsp(reply)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        print_message("%s\n", rows[i].name);
        assert_int_equal(out.status, rows[i].status);
        assert_int_equal(out.next_update,
                         until == 1 ? 0 : TODAY + apr_time_from_sec(until));
        assert_int_equal(out.when, rows[i].status == ACME_REVOKED_YES
                         ? TODAY - apr_time_from_sec(2 * HOUR) : 0);
        assert_int_equal(!out.reason, !rows[i].reason);
        if (out.reason) {
            assert_string_equal(out.reason, rows[i].reason);
        }
    }
}

static void other_answers_do_not_count(void **state)
{
    EVP_PKEY *key = odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1);
    spec_t twin_spec = { .cn = "Test CA 1", .is_ca = 1, .key = key };
    X509 *twin = make_cert(&twin_spec);
    spec_t of_root = { .issuer = ca.root, .signer = ca.root_key };
    spec_t forged = { .signer = key };
    spec_t no_signer = { .exts[1] = { NID_key_usage, "keyEncipherment" } };
    X509 *another = make_leaf((spec_t){ .serial = "4661" });
    const struct {
        const char *name;
        ocsp_t answer;
        const char *told;
    } rows[] = {
        { "the issuer's name, another key", { .signer = twin, .key = key },
          "signature is not valid" },
        { "another key, by key", { .signer = twin, .key = key,
                                   .flags = OCSP_RESPID_KEY },
          "may not answer" },
        { "the root", { .signer = ca.root, .key = ca.root_key },
          "may not answer" },
        { "the leaf itself", { .signer = ca.leaf,
                               .key = acme_key_evp(ca.key) },
          "may not answer" },
        { "delegated without the purpose",
          { .signer = responder(key, (spec_t){ 0 }, NULL), .key = key },
          "may not answer" },
        { "delegated for servers",
          { .signer = responder(key, (spec_t){ 0 }, "serverAuth"),
            .key = key }, "may not answer" },
        { "delegated for anything",
          { .signer = responder(key, (spec_t){ 0 }, "anyExtendedKeyUsage"),
            .key = key }, "may not answer" },
        { "delegated, its key may not sign",
          { .signer = responder(key, no_signer, "OCSPSigning"), .key = key },
          "may not answer" },
        { "delegated by the root",
          { .signer = responder(key, of_root, "OCSPSigning"), .key = key },
          "may not answer" },
        { "delegated by itself, in the issuer's name",
          { .signer = responder(key, forged, "OCSPSigning"), .key = key },
          "may not answer" },
        { "delegated, certificate missing",
          { .signer = responder(key, (spec_t){ 0 }, "OCSPSigning"),
            .key = key, .flags = OCSP_NOCERTS }, "may not answer" },
        { "another serial number", { .about = another },
          "not about this certificate" },
        { "another hash", { .md = EVP_sha256() },
          "not about this certificate" },
        { "stale", { .from = -8 * DAY, .until = -6 * 60 }, "outdated" },
        { "no next, of yesterday", { .from = -25 * HOUR, .until = 1 },
          "outdated" },
        { "to come", { .from = 6 * 60 }, "clock" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_http_reply_t *reply = ocsp(rows[i].answer);

        if (!read_ocsp(reply) || !strstr(res.detail, rows[i].told)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_int_equal(out.status, ACME_REVOKED_UNKNOWN);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

/* The responder's own certificate is valid for 90 days. */
static void a_responder_of_yesterday_does_not_count(void **state)
{
    EVP_PKEY *key = odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1);
    X509 *mate = responder(key, (spec_t){ 0 }, "OCSPSigning");
    const acme_http_reply_t *reply = ocsp((ocsp_t){
        .signer = mate, .key = key, .until = 200 * DAY });

    (void)state;
    assert_int_equal(read_ocsp_at(reply, NOW + DAYS(90)), 0);
    assert_int_equal(read_ocsp_at(reply, NOW + DAYS(91)), APR_EINVAL);
    assert_non_null(strstr(res.detail, "may not answer"));
}

static void a_responder_may_refuse(void **state)
{
    OCSP_RESPONSE *response = OCSP_response_create(
        OCSP_RESPONSE_STATUS_TRYLATER, NULL);
    unsigned char *der = NULL;
    int len = i2d_OCSP_RESPONSE(response, &der);

    (void)state;
    OCSP_RESPONSE_free(response);
    assert_int_not_equal(read_ocsp(reply_of(der, len)), 0);
    assert_non_null(strstr(res.detail, "trylater"));
    assert_int_equal(res.retry, ACME_RETRY_SOON);
}

/*
 * Cut anywhere it is none, and no octet turns a revoked certificate into a
 * good one.
 */
static void assert_hard(const acme_http_reply_t *whole,
                        apr_status_t (*read_reply)(const acme_http_reply_t *))
{
    acme_http_reply_t reply = *whole;
    char *body;
    apr_size_t i;

    for (i = 0; i < whole->body_len; i++) {
        reply.body = apr_pmemdup(pool, whole->body, i + 1);
        reply.body_len = i;
        assert_int_not_equal(read_reply(&reply), 0);
        assert_int_equal(out.status, ACME_REVOKED_UNKNOWN);
    }
    reply.body_len = whole->body_len;
    for (i = 0; i < whole->body_len; i++) {
        reply.body = body = apr_pmemdup(pool, whole->body, whole->body_len);
        body[i] ^= 1;
        read_reply(&reply);
        assert_int_not_equal(out.status, ACME_REVOKED_NO);
    }
    reply.body = apr_pstrcat(pool, "x", NULL);
    reply.body_len = 1;
    assert_int_not_equal(read_reply(&reply), 0);
    reply.body = body = apr_pcalloc(pool, whole->body_len + 1);
    memcpy(body, whole->body, whole->body_len);
    reply.body_len = whole->body_len + 1;
    assert_int_not_equal(read_reply(&reply), 0);
    assert_non_null(strstr(res.detail, "damaged"));
}

static void damaged_ocsp_answers_do_not_count(void **state)
{
    (void)state;
    assert_hard(ocsp((ocsp_t){ .status = REVOKED, .reason = 1,
                               .flags = OCSP_NOCERTS }), read_ocsp);
}

/* A CRL; what is NULL or 0 is as an honest issuer would have it. */
typedef struct {
    long serial;                /* revoked; 0: none */
    int reason;                 /* 0: none */
    long from, until;           /* as in ocsp_t */
    X509 *issuer;
    EVP_PKEY *key;
    int nid;                    /* of an extension */
    const char *value;
} crl_t;

static void add_entry(X509_CRL *crl, const crl_t *c)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    ASN1_TIME *when = time_at(-2 * HOUR);

    ASN1_INTEGER_set(serial, c->serial);
    X509_REVOKED_set_serialNumber(entry, serial);
    X509_REVOKED_set_revocationDate(entry, when);
    if (c->reason) {
        ASN1_ENUMERATED_set(reason, c->reason);
        X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0);
    }
    X509_CRL_add0_revoked(crl, entry);
    ASN1_TIME_free(when);
    ASN1_ENUMERATED_free(reason);
    ASN1_INTEGER_free(serial);
}

static acme_http_reply_t *crl_of(crl_t c)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = time_at(c.from ? c.from : -HOUR);
    ASN1_TIME *until = time_at(c.until ? c.until : DAY);
    unsigned char *der = NULL;
    X509_EXTENSION *ext;
    int len;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(c.issuer ? c.issuer
                                                                 : ca.middle));
    X509_CRL_set1_lastUpdate(crl, from);
    if (c.until != 1) {
        X509_CRL_set1_nextUpdate(crl, until);
    }
    if (c.serial) {
        add_entry(crl, &c);
    }
    if (c.nid) {
        ext = X509V3_EXT_nconf_nid(NULL, NULL, c.nid, c.value);
        assert_non_null(ext);
        X509_CRL_add_ext(crl, ext, -1);
        X509_EXTENSION_free(ext);
    }
    assert_true(X509_CRL_sign(crl, c.key ? c.key : ca.middle_key,
                              EVP_sha256()) > 0);
    len = i2d_X509_CRL(crl, &der);
    X509_CRL_free(crl);
    ASN1_TIME_free(until);
    ASN1_TIME_free(from);
    return reply_of(der, len);
}

#define IDP NID_issuing_distribution_point

static void lists_of_the_issuer_count(void **state)
{
    static const struct {
        const char *name;
        crl_t crl;
        acme_revoked_e status;
        const char *reason;
    } rows[] = {
        { "empty", { 0 }, ACME_REVOKED_NO, NULL },
        { "another one", { .serial = 4661 }, ACME_REVOKED_NO, NULL },
        { "listed", { .serial = 4660 }, ACME_REVOKED_YES, NULL },
        { "listed, with a reason", { .serial = 4660, .reason = 4 },
          ACME_REVOKED_YES, "superseded" },
        { "from where it should be",
          { .nid = IDP, .value = "critical,fullname:URI:" CRL_URL },
          ACME_REVOKED_NO, NULL },
        { "of servers alone",
          { .nid = IDP, .value = "critical,onlyuser:TRUE" },
          ACME_REVOKED_NO, NULL },
        { "numbered", { .nid = NID_crl_number, .value = "DER:020107" },
          ACME_REVOKED_NO, NULL },
        { "no next, today", { .until = 1 }, ACME_REVOKED_NO, NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (read_crl(crl_of(rows[i].crl))) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        print_message("%s\n", rows[i].name);
        assert_int_equal(out.status, rows[i].status);
        assert_int_equal(out.next_update, rows[i].crl.until == 1
                         ? 0 : TODAY + DAYS(1));
        assert_int_equal(out.when, rows[i].status == ACME_REVOKED_YES
                         ? TODAY - apr_time_from_sec(2 * HOUR) : 0);
        assert_int_equal(!out.reason, !rows[i].reason);
        if (out.reason) {
            assert_string_equal(out.reason, rows[i].reason);
        }
    }
}

static void other_lists_do_not_count(void **state)
{
    const struct {
        const char *name;
        crl_t crl;
        const char *told;
    } rows[] = {
        { "another key", { .key = ca.root_key }, "signature is not valid" },
        { "another issuer", { .issuer = ca.root, .key = ca.root_key },
          "not issued by" },
        { "another issuer's name", { .issuer = ca.root }, "not issued by" },
        { "stale", { .from = -8 * DAY, .until = -6 * 60 }, "outdated" },
        { "no next, of yesterday", { .from = -25 * HOUR, .until = 1 },
          "outdated" },
        { "to come", { .from = 6 * 60 }, "clock" },
        { "another part",
          { .nid = IDP, .value = "critical,fullname:URI:" CRL_URL "x" },
          "does not cover" },
        { "of CAs", { .nid = IDP, .value = "critical,onlyCA:TRUE" },
          "does not cover" },
        { "of attributes", { .nid = IDP, .value = "critical,onlyAA:TRUE" },
          "does not cover" },
        { "of others", { .nid = IDP, .value = "critical,indirectCRL:TRUE" },
          "does not cover" },
        { "of some reasons",
          { .nid = IDP, .value = "critical,onlysomereasons:keyCompromise" },
          "does not cover" },
        { "scope damaged", { .nid = IDP, .value = "critical,DER:0401" },
          "does not cover" },
        { "a delta", { .nid = NID_delta_crl, .value = "critical,DER:020101" },
          "does not cover" },
        { "critical and unknown",
          { .nid = NID_netscape_comment, .value = "critical,x" },
          "does not cover" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (!read_crl(crl_of(rows[i].crl))
            || !strstr(res.detail, rows[i].told)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_int_equal(out.status, ACME_REVOKED_UNKNOWN);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void an_issuer_may_not_sign_lists(void **state)
{
    spec_t spec = { .cn = "Test CA 1", .is_ca = 1, .key = ca.middle_key,
                    .issuer = ca.root, .signer = ca.root_key,
                    .exts = { { NID_key_usage, "keyCertSign" } } };

    (void)state;
    chain = chain_of(ca.leaf, make_cert(&spec));
    assert_int_not_equal(read_crl(crl_of((crl_t){ 0 })), 0);
    assert_non_null(strstr(res.detail, "not issued by"));
}

static void damaged_lists_do_not_count(void **state)
{
    (void)state;
    assert_hard(crl_of((crl_t){ .serial = 4660, .reason = 1 }), read_crl);
}

/* A leaf whose URLs name a server, and what that says. */
typedef struct {
    const char *name;
    int names_ocsp, names_crl;
    plain_row_t rows[3];
    acme_revoked_e status;
    const char *told;           /* NULL: a success */
    const char *log;
} asked_t;

static acme_http_t *open_http(void)
{
    acme_http_conf_t conf = { .user_agent = "mod_acme/test" };
    acme_http_t *http;

    assert_int_equal(acme_stop_create(&conf.stop, pool), 0);
    assert_int_equal(acme_http_create(&http, &conf, &res, pool), 0);
    return http;
}

static X509 *leaf_at(const char *address, const asked_t *asked)
{
    spec_t spec = { .serial = "4660" };
    int n = 0;

    if (asked->names_ocsp) {
        spec.exts[n].nid = NID_info_access;
        spec.exts[n++].value = apr_pstrcat(pool, "OCSP;URI:", address, "/ocsp",
                                           NULL);
    }
    if (asked->names_crl) {
        spec.exts[n].nid = NID_crl_distribution_points;
        spec.exts[n].value = apr_pstrcat(pool, "URI:", address, "/crl", NULL);
    }
    return make_leaf(spec);
}

static void assert_asked(const asked_t *asked)
{
    static plain_t server;
    apr_status_t rv;

    plain_listen(&server);
    chain = chain_of(leaf_at(server.address, asked), ca.middle);
    plain_start(&server, asked->rows);
    rv = acme_revoked_fetch(&out, open_http(), chain, TODAY, &res, pool);
    plain_stop(&server);
    if (!rv != !asked->told || (rv && (!strstr(res.detail, asked->told)
                                       || !strstr(res.detail,
                                                  server.address)))) {
        fail_msg("%s: %s", asked->name, rv ? res.detail : "asked");
    }
    print_message("%s\n", asked->name);
    assert_int_equal(out.status, asked->status);
    assert_string_equal(server.log, asked->log);
}

#define OCSP_SAYS(reply) { "POST /ocsp", "200 OK", (reply)->body, \
                           (reply)->body_len }
#define CRL_SAYS(reply) { "GET /crl", "200 OK", (reply)->body, \
                          (reply)->body_len }
#define OCSP_FAILS { "POST /ocsp", "503 Down\r\nRetry-After: 9", "", 0 }

static void the_responder_is_asked_and_then_the_list(void **state)
{
    acme_http_reply_t *good = ocsp((ocsp_t){ .status = GOOD });
    acme_http_reply_t *bad = ocsp((ocsp_t){ .status = REVOKED, .reason = 1 });
    acme_http_reply_t *unsure = ocsp((ocsp_t){ .status = UNSURE });
    acme_http_reply_t *empty = crl_of((crl_t){ 0 });
    acme_http_reply_t *listed = crl_of((crl_t){ .serial = 4660 });
    const asked_t rows[] = {
        { "good", 1, 0, { OCSP_SAYS(good) }, ACME_REVOKED_NO, NULL,
          "POST /ocsp\n" },
        { "good, the list is not fetched", 1, 1,
          { OCSP_SAYS(good), CRL_SAYS(listed) }, ACME_REVOKED_NO, NULL,
          "POST /ocsp\n" },
        { "revoked", 1, 1, { OCSP_SAYS(bad), CRL_SAYS(empty) },
          ACME_REVOKED_YES, NULL, "POST /ocsp\n" },
        { "not known", 1, 0, { OCSP_SAYS(unsure) }, ACME_REVOKED_UNKNOWN,
          NULL, "POST /ocsp\n" },
        { "not known, listed", 1, 1, { OCSP_SAYS(unsure), CRL_SAYS(listed) },
          ACME_REVOKED_YES, NULL, "POST /ocsp\nGET /crl\n" },
        { "down", 1, 0, { OCSP_FAILS }, ACME_REVOKED_UNKNOWN,
          "HTTP status 503", "POST /ocsp\n" },
        { "down, not listed", 1, 1, { OCSP_FAILS, CRL_SAYS(empty) },
          ACME_REVOKED_NO, NULL, "POST /ocsp\nGET /crl\n" },
        { "a page instead", 1, 0, { { "POST /ocsp", "200 OK", "<html>", 6 } },
          ACME_REVOKED_UNKNOWN, "damaged", "POST /ocsp\n" },
        { "elsewhere", 1, 0, { { "POST /ocsp", "302 Found\r\nLocation: /x",
                                 "", 0 } },
          ACME_REVOKED_UNKNOWN, "HTTP status 302", "POST /ocsp\n" },
        { "listed", 0, 1, { CRL_SAYS(listed) }, ACME_REVOKED_YES, NULL,
          "GET /crl\n" },
        { "no list there", 0, 1, { { 0 } }, ACME_REVOKED_UNKNOWN,
          "HTTP status 404", "GET /crl\n" },
        { "an answer for a list", 0, 1, { CRL_SAYS(good) },
          ACME_REVOKED_UNKNOWN, "CRL: it is damaged", "GET /crl\n" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_asked(&rows[i]);
    }
}

static void who_names_nobody_is_not_asked_about(void **state)
{
    (void)state;
    chain = chain_of(make_leaf((spec_t){ 0 }), ca.middle);
    assert_true(APR_STATUS_IS_ENOENT(
        acme_revoked_fetch(&out, open_http(), chain, TODAY, &res, pool)));
    assert_int_equal(out.status, ACME_REVOKED_UNKNOWN);
    assert_non_null(strstr(res.detail, "neither"));

    chain = parse(pem_of(ca.leaf));
    assert_true(APR_STATUS_IS_ENOENT(
        acme_revoked_fetch(&out, open_http(), chain, TODAY, &res, pool)));
    assert_non_null(strstr(res.detail, "issuer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_about_the_leaf),
        TEST(without_an_issuer_nothing_is_asked),
        TEST(answers_of_the_issuer_count),
        TEST(other_answers_do_not_count),
        TEST(a_responder_of_yesterday_does_not_count),
        TEST(a_responder_may_refuse),
        TEST(damaged_ocsp_answers_do_not_count),
        TEST(lists_of_the_issuer_count),
        TEST(other_lists_do_not_count),
        TEST(an_issuer_may_not_sign_lists),
        TEST(damaged_lists_do_not_count),
        TEST(the_responder_is_asked_and_then_the_list),
        TEST(who_names_nobody_is_not_asked_about)
    };
    int failed;

    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    if (acme_http_init(&res) != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests_name("revoked", tests, NULL, NULL);
    acme_http_term();
    apr_terminate();
    return failed;
}
