/*
 * test_certificate.c - chains, the links to others, and revocations.
 */
#include "fake_ca.h"

static void a_certificate_is_what_it_says(void **state)
{
    static const struct {
        const char *name, *type, *body, *says;  /* NULL: fetched */
    } rows[] = {
        { "good", "application/pem-certificate-chain", "PEM", NULL },
        { "with a parameter",
          "Application/PEM-certificate-chain;charset=utf-8", "PEM", NULL },
        { "other", "application/pkix-cert", "PEM", "application/pkix-cert" },
        { "hostile", "text/\x1b[2J", "PEM", "nothing that we know" },
        { "plain", "text/plain", "-----BEGIN CERTIFICATE-----", NULL },
        { "octets", "application/octet-stream",
          "Here it is:\n-----BEGIN CERTIFICATE-----", NULL },
        { "a page", "text/html", "<title>Hello</title>", "text/html" },
        { "long", "application/pem-certificate-chain", "PEM and more, and more, "
          "and more, and more, and more, and more", "longer than 60" }
    };
    acme_certificate_chain_t chain;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            DIRECTORY, NONCE,
            { .request = "POST /c", .body = rows[i].body, .head = apr_pstrcat(
              pool, "200 OK\r\nContent-Type: ", rows[i].type, NULL) },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        rv = acme_certificate_fetch(&chain, &session, fake_url("/c"), 60,
                                    &res, pool);
        if (!rows[i].says) {
            assert_int_equal(rv, 0);
            assert_string_equal(chain.pem, rows[i].body);
            assert_int_equal(chain.len, strlen(rows[i].body));
            continue;
        }
        assert_int_not_equal(rv, 0);
        assert_null(chain.pem);
        assert_int_equal(chain.len, 0);
        assert_detail(fake_url("/c"));
        assert_detail(rows[i].says);
    }
}

static void alternates_are_links(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /c", .times = 1, .body = "PEM", .head = "200 OK\r\n"
          "Content-Type: application/pem-certificate-chain\r\n"
          "Link: <~/dir>;rel=\"index\"\r\n"
          "Link: <~/c/1>;rel=\"alternate\", <~/c/2>; rel=alternate\r\n"
          "Link: </c/3>;rel=\"alternate\"\r\n"
          "Link: <http://ca/c/4>;rel=\"alternate\"\r\n"
          "Link: <~/c/1>;rel=\"alternate\"\r\n"
          "Link: <~/c/5>;rel=\"up alternate\"" },
        { .request = "POST /c", .body = "PEM", .head = "200 OK\r\n"
          "Content-Type: application/pem-certificate-chain" },
        { 0 }
    };
    acme_certificate_chain_t chain;
    apr_array_header_t *urls;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_certificate_fetch(&chain, &session, fake_url("/c"),
                                            10, &res, pool), 0);
    urls = chain.alternates;
    assert_int_equal(urls->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(urls, 0, const char *), fake_url("/c/1"));
    assert_string_equal(APR_ARRAY_IDX(urls, 1, const char *), fake_url("/c/2"));
    assert_string_equal(APR_ARRAY_IDX(urls, 2, const char *), fake_url("/c/5"));
    assert_int_equal(acme_certificate_fetch(&chain, &session, fake_url("/c"),
                                            10, &res, pool), 0);
    urls = chain.alternates;
    assert_int_equal(urls->nelts, 0);
    assert_int_not_equal(acme_certificate_fetch(&chain, &session,
                                                fake_url("/gone"), 10, &res,
                                                pool), 0);
    assert_null(chain.alternates);
}

static void many_alternates_are_bounded(void **state)
{
    const char *links = "<~/c/0>;rel=alternate";
    fake_row_t rows[] = {
        DIRECTORY, NONCE, { .request = "POST /c", .body = "PEM" }, { 0 }
    };
    acme_certificate_chain_t chain;
    apr_array_header_t *urls;
    int i;

    (void)state;
    for (i = 1; i < 100; i++) {
        links = apr_psprintf(pool, "%s,<~/c/%d>;rel=alternate", links, i);
    }
    rows[2].head = apr_pstrcat(pool, "200 OK\r\nContent-Type: "
                               "application/pem-certificate-chain\r\nLink: ",
                               links, "\r\nLink: ", links, NULL);
    fake_serve(fake, rows);
    assert_int_equal(acme_certificate_fetch(&chain, &session, fake_url("/c"),
                                            10, &res, pool), 0);
    urls = chain.alternates;
    assert_int_equal(urls->nelts, ACME_ALTERNATES_MAX);
}

static void a_revocation_is_told_to_the_ca(void **state)
{
    static const unsigned char der[] = { 0xfb, 0xff, 0x00 };
    static const struct {
        const char *name, *head, *body, *says;  /* NULL: revoked */
    } rows[] = {
        { "revoked", "200 OK", NULL, NULL },
        { "again", "400 Bad\r\n" PROBLEM, "{\"type\":\"" URN
          "alreadyRevoked\"}", NULL },
        { "another's", "403 No\r\n" PROBLEM, "{\"type\":\"" URN
          "unauthorized\",\"detail\":\"Not yours.\"}", "Not yours." },
        { "reason", "400 Bad\r\n" PROBLEM, "{\"type\":\"" URN
          "badRevocationReason\",\"detail\":\"9?\"}", "another reason" },
        { "down", "503 Busy", NULL, "HTTP 503" }
    };
    apr_status_t rv;
    size_t i;

    (void)state;
    assert_string_equal(
        acme_certificate_revoke_payload(der, 3, ACME_REVOKE_REASON_NONE, pool),
        "{\"certificate\":\"-_8A\"}");
    assert_string_equal(acme_certificate_revoke_payload(der, 3, 0, pool),
                        "{\"certificate\":\"-_8A\",\"reason\":0}");
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            FULL_DIRECTORY, NONCE,
            { .request = "POST /revoke", .head = rows[i].head,
              .body = rows[i].body },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        rv = acme_certificate_revoke(&session, &res, pool);
        assert_non_null(strstr(fake_log(fake), "POST /revoke revoke fresh"));
        if (rows[i].says) {
            assert_int_not_equal(rv, 0);
            assert_detail(rows[i].says);
        }
        else {
            assert_int_equal(rv, 0);
        }
    }
}

static void a_ca_may_not_revoke(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, { 0 } };

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_certificate_revoke(&session, &res, pool),
                     APR_ENOTIMPL);
    assert_detail(fake_url("/dir"));
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
    assert_string_equal(fake_log(fake), "GET /dir\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(a_certificate_is_what_it_says),
        FAKE_CA_TEST(alternates_are_links),
        FAKE_CA_TEST(many_alternates_are_bounded),
        FAKE_CA_TEST(a_revocation_is_told_to_the_ca),
        FAKE_CA_TEST(a_ca_may_not_revoke)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
