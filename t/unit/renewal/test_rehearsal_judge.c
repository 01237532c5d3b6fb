/*
 * test_rehearsal_judge.c - what the observations of a rehearsal mean.
 */
#include <errno.h>

#include "acme_rehearsal_judge.h"
#include "pool.h"

static acme_rehearsal_finding_t found;

static void assert_found(const char *name, acme_rehearsal_e level,
                         acme_reason_e reason, const char *says)
{
    if (found.level != level
        || found.reason != (level == ACME_REHEARSAL_FAULT ? reason
                                                          : ACME_REASON_NONE)
        || !strstr(found.text, says)) {
        fail_msg("%s: %s, %s: %s", name, acme_rehearsal_word(found.level),
                 acme_reason_about(found.reason)->code, found.text);
    }
}

static void whose_network_an_address_is_of(void **state)
{
    static const struct {
        const char *address;
        acme_rehearsal_scope_e scope;
    } rows[] = {
        { "192.0.2.7", ACME_SCOPE_PUBLIC }, { "8.8.8.8", ACME_SCOPE_PUBLIC },
        { "172.15.255.255", ACME_SCOPE_PUBLIC },
        { "172.16.0.0", ACME_SCOPE_PRIVATE },
        { "172.31.255.255", ACME_SCOPE_PRIVATE },
        { "172.32.0.0", ACME_SCOPE_PUBLIC },
        { "10.1.2.3", ACME_SCOPE_PRIVATE }, { "11.0.0.0", ACME_SCOPE_PUBLIC },
        { "192.168.1.1", ACME_SCOPE_PRIVATE },
        { "192.169.0.1", ACME_SCOPE_PUBLIC },
        { "100.63.0.1", ACME_SCOPE_PUBLIC },
        { "100.127.0.1", ACME_SCOPE_PRIVATE },
        { "127.0.0.1", ACME_SCOPE_LOOPBACK },
        { "127.255.0.3", ACME_SCOPE_LOOPBACK },
        { "0.0.0.0", ACME_SCOPE_OTHER }, { "169.254.169.254", ACME_SCOPE_OTHER },
        { "224.0.0.1", ACME_SCOPE_OTHER },
        { "255.255.255.255", ACME_SCOPE_OTHER },
        { "::1", ACME_SCOPE_LOOPBACK }, { "::", ACME_SCOPE_OTHER },
        { "2001:db8::7", ACME_SCOPE_PUBLIC },
        { "fd00::1", ACME_SCOPE_PRIVATE }, { "fc00::1", ACME_SCOPE_PRIVATE },
        { "fe80::1", ACME_SCOPE_OTHER }, { "ff02::1", ACME_SCOPE_OTHER },
        { "::ffff:127.0.0.1", ACME_SCOPE_LOOPBACK },
        { "::ffff:10.0.0.1", ACME_SCOPE_PRIVATE },
        { "::ffff:192.0.2.7", ACME_SCOPE_PUBLIC },
        { "192.0.0.8", ACME_SCOPE_OTHER }, { "192.0.1.8", ACME_SCOPE_PUBLIC },
        { "198.17.0.1", ACME_SCOPE_PUBLIC },
        { "198.19.0.1", ACME_SCOPE_PRIVATE },
        { "0.1.2.3", ACME_SCOPE_OTHER },
        { "::7f00:1", ACME_SCOPE_OTHER }, { "::10.0.0.1", ACME_SCOPE_OTHER },
        { "64:ff9b::7f00:1", ACME_SCOPE_OTHER },
        { "64:ff9b:1::1", ACME_SCOPE_OTHER },
        { "2002:7f00:1::1", ACME_SCOPE_OTHER },
        { "2001:0:1::1", ACME_SCOPE_OTHER },
        { "2003::1", ACME_SCOPE_PUBLIC },
        { "fec0::1", ACME_SCOPE_PRIVATE },
        { "a.example", ACME_SCOPE_OTHER }, { "", ACME_SCOPE_OTHER }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_rehearsal_judge_scope(rows[i].address) != rows[i].scope) {
            fail_msg("%s: %d", rows[i].address,
                     acme_rehearsal_judge_scope(rows[i].address));
        }
    }
}

static void whose_address_it_is(void **state)
{
    const apr_array_header_t *own = words("127.0.0.1 10.0.0.7 2001:db8::7");
    acme_rehearsal_address_t at;

    (void)state;
    at = acme_rehearsal_judge_address("10.0.0.7", own);
    assert_true(at.is_own && at.is_behind_nat);
    at = acme_rehearsal_judge_address("192.0.2.1", own);
    assert_true(!at.is_own && at.is_behind_nat);
    at = acme_rehearsal_judge_address("2001:db8::8", own);
    assert_true(!at.is_own && !at.is_behind_nat);
    at = acme_rehearsal_judge_address("127.0.0.3", own);
    assert_true(at.is_own);
}

static void a_connection_that_fails(void **state)
{
    static const struct {
        const char *name, *address;
        int is_own, is_behind_nat, port, arrives_at;
        apr_status_t status;
        acme_rehearsal_e level;
        const char *says;
    } rows[] = {
        { "ours, refused", "192.0.2.7", 1, 0, 80, 80, ECONNREFUSED,
          ACME_REHEARSAL_FAULT, "refuses connections, though it is an address of this machine" },
        { "ours, silent", "192.0.2.7", 1, 0, 443, 443, APR_TIMEUP,
          ACME_REHEARSAL_FAULT, "port 443 of 192.0.2.7 does not answer" },
        { "ours, and a router in front", "10.0.0.7", 1, 1, 80, 8080,
          ECONNREFUSED, ACME_REHEARSAL_UNSEEN, "arrive at port 8080" },
        { "behind NAT, silent", "192.0.2.7", 0, 1, 80, 80, APR_TIMEUP,
          ACME_REHEARSAL_UNSEEN, "cannot be seen from here" },
        { "behind NAT, refused", "192.0.2.7", 0, 1, 80, 80, ECONNREFUSED,
          ACME_REHEARSAL_UNSEEN, "hairpin NAT" },
        { "private, of another machine", "10.0.0.8", 0, 1, 80, 80,
          ECONNREFUSED, ACME_REHEARSAL_FAULT, "not an address of this" },
        { "of another machine", "192.0.2.8", 0, 0, 80, 80, APR_TIMEUP,
          ACME_REHEARSAL_FAULT, "not an address of this" },
        { "no IPv6 here", "2001:db8::7", 0, 0, 80, 80, ENETUNREACH,
          ACME_REHEARSAL_UNSEEN, "no route" },
        { "something else", "192.0.2.8", 0, 0, 80, 80, APR_EGENERAL,
          ACME_REHEARSAL_FAULT, "failed: odd" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_rehearsal_refusal_t refusal = {
            .address = { rows[i].address, rows[i].is_own,
                         rows[i].is_behind_nat },
            .port = rows[i].port, .arrives_at = rows[i].arrives_at,
            .status = rows[i].status, .why = "odd"
        };

        acme_rehearsal_judge_refusal(&found, &refusal, pool);
        assert_found(rows[i].name, rows[i].level,
                     rows[i].port == 80 ? ACME_REASON_PORT_80_UNREACHABLE
                                        : ACME_REASON_PORT_443_UNREACHABLE,
                     rows[i].says);
    }
}

static void a_port_that_a_hook_may_open(void **state)
{
    acme_rehearsal_refusal_t refusal = {
        .address = { "192.0.2.7", 1, 0 }, .port = 80, .arrives_at = 80,
        .status = ECONNREFUSED, .why = "odd", .has_pre = 1
    };

    (void)state;
    for (; refusal.address.is_own >= 0; refusal.address.is_own--) {
        acme_rehearsal_judge_refusal(&found, &refusal, pool);
        assert_found("closed", ACME_REHEARSAL_UNSEEN, 0,
                     "AcmeHook pre may open it");
        refusal.status = APR_TIMEUP;
    }
    refusal.address.is_own = 0;
    refusal.status = APR_EGENERAL;
    acme_rehearsal_judge_refusal(&found, &refusal, pool);
    assert_found("odd", ACME_REHEARSAL_FAULT, ACME_REASON_PORT_80_UNREACHABLE,
                 "failed: odd");
}

static void an_answer_at_port_80(void **state)
{
    static const struct {
        const char *name;
        int status;
        const char *server, *body;
        int redirects, is_published, is_own;
        acme_rehearsal_e level;
        acme_reason_e reason;
        const char *says;
    } rows[] = {
        { "ours", 200, "x", "tok.rehearsal", 0, 0, 1, ACME_REHEARSAL_FINE, 0,
          "leads to this server" },
        { "with an end of line", 200, "x", "tok.rehearsal\r\n", 0, 0, 0,
          ACME_REHEARSAL_FINE, 0, "leads to this server" },
        { "behind a redirect", 200, "x", "tok.rehearsal", 2, 0, 0,
          ACME_REHEARSAL_FINE, 0, "after a redirect to https://a/b" },
        { "more than it", 200, "x", "tok.rehearsal2", 0, 0, 0,
          ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER, "status 200" },
        { "less than it", 200, "x", "tok.rehear", 0, 0, 0,
          ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER, "status 200" },
        { "with another status", 404, "x", "tok.rehearsal", 0, 0, 0,
          ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER, "status 404" },
        { "another server", 404, "nginx\x1b", "\n<html>\xff", 0, 0, 0,
          ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
          "is answered by another server (nginx\\x1b), status 404, \"<html>\\xff\"" },
        { "a silent one", 500, NULL, "", 0, 0, 1, ACME_REHEARSAL_FAULT,
          ACME_REASON_OTHER_SERVER,
          "is answered by another program of this machine: status 500" },
        { "lost on its way", 404, "x", "", 1, 0, 0, ACME_REHEARSAL_FAULT,
          ACME_REASON_REDIRECT_FAILED, "redirects to https://a/b, where" },
        { "published elsewhere", 404, "x", "", 0, 1, 0, ACME_REHEARSAL_NOTE,
          0, "AcmeHttp publishes the tokens elsewhere" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_rehearsal_answer_t answer = {
            .address = { "192.0.2.7", rows[i].is_own, 0 },
            .status = rows[i].status, .server = rows[i].server,
            .body = rows[i].body, .expected = "tok.rehearsal",
            .redirects = rows[i].redirects, .url = "https://a/b",
            .is_published = rows[i].is_published
        };

        acme_rehearsal_judge_answer(&found, &answer, pool);
        assert_found(rows[i].name, rows[i].level, rows[i].reason,
                     rows[i].says);
        assert_non_null(strstr(found.text, "port 80 of 192.0.2.7"));
    }
}

static void a_neighbour_is_not_shown(void **state)
{
    acme_rehearsal_hello_t hello = { .address = { "10.0.0.8", 0, 0 },
                                     .why = "refused", .serial = "0a0b",
                                     .issuer = "Some CA" };
    acme_rehearsal_answer_t answer = {
        .address = { "10.0.0.8", 0, 0 }, .status = 200, .server = "router",
        .body = "secret", .expected = "tok", .url = "http://a/b",
        .is_hidden = 1
    };

    (void)state;
    acme_rehearsal_judge_hello(&found, &hello, pool);
    assert_found("443", ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
                 "by another server");
    assert_null(strstr(found.text, "0a0b"));
    assert_null(strstr(found.text, "Some CA"));
    for (; answer.redirects < 2; answer.redirects++) {
        acme_rehearsal_judge_answer(&found, &answer, pool);
        assert_non_null(strstr(found.text, ": status 200"));
        assert_null(strstr(found.text, "router"));
        assert_null(strstr(found.text, "secret"));
    }
}

static void who_is_visited(void **state)
{
    static const char *const none[] = {
        "169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::7f00:1"
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(none); i++) {
        assert_false(acme_rehearsal_judge_is_visited(&found, none[i], 80,
                                                     pool));
        assert_found(none[i], ACME_REHEARSAL_UNSEEN, 0, "not visited");
    }
    acme_rehearsal_judge_late(&found, 443, "192.0.2.7", pool);
    assert_found("late", ACME_REHEARSAL_UNSEEN, 0, "443 of 192.0.2.7: not");
    assert_true(acme_rehearsal_judge_is_visited(&found, "10.0.0.8", 80, pool));
    assert_true(acme_rehearsal_judge_is_visited(&found, "127.0.0.1", 80,
                                                pool));
    assert_true(acme_rehearsal_judge_is_visited(&found, "192.0.2.7", 443,
                                                pool));
}

static void where_a_redirect_leads(void **state)
{
    static const struct {
        const char *from, *location;
        const char *to;         /* NULL: nowhere, and */
        const char *says;
    } rows[] = {
        { "http://a.test/x/y", "https://b.test/z", "https://b.test/z", "" },
        { "http://a.test/x/y", "https://b.test", "https://b.test", "" },
        { "http://a.test/x/y", "/z?q", "http://a.test/z?q", "" },
        { "https://a.test/x/y", "//b.test/z", "https://b.test/z", "" },
        { "http://a.test/x/y?q", "z", "http://a.test/x/z", "" },
        { "http://a.test", "z", "http://a.test/z", "" },
        { "http://a.test/x", "z?u=http://b.test/", "http://a.test/z?u=http://b.test/",
          "" },
        { "http://a.test/x", "https://b.test/z#part", "https://b.test/z",
          "" },
        { "http://a.test/x", "http://[2001:db8::1]/z",
          "http://[2001:db8::1]/z", "" },
        { "http://a.test/x", "http://a.test:443/z", "http://a.test:443/z",
          "" },
        { "http://a.test/x", "http://a.test:80/z", "http://a.test:80/z", "" },
        { "http://a.test/x", "http://a.test:8080/z", NULL, "ports 80 and" },
        { "http://a.test/x", "https://[::1]:22/z", NULL, "ports 80 and" },
        { "http://a.test/x", "ftp://a.test/z", NULL, "not a URL of http" },
        { "http://a.test/x", "file:///etc/passwd", NULL, "not a URL" },
        { "http://a.test/x", "https://u:p@a.test/z", NULL, "not a URL" },
        { "http://a.test/x", "http:///z", NULL, "not a URL" },
        { "http://a.test/x", "javascript:alert(1)", "http://a.test/javascript:alert(1)",
          "" },
        { "http://a.test/x", "/a b", NULL, "not a URL" },
        { "http://a.test/x", "", NULL, "without a usable" },
        { "http://a.test/x", NULL, NULL, "without a usable" },
        { "http://a.test/x", "/x", NULL, "loop" },
        { "http://a.test/x", "/before", NULL, "loop" },
        { "http://a.test/x?q", "?r", "http://a.test/x?r", "" },
        { "http://a.test/x", "http://127.0.0.1/z", "http://127.0.0.1/z", "" },
        { "http://a.test/x", "http://2130706434/z", NULL, "neither a name" },
        { "http://a.test/x", "http://017700000001/z", NULL, "neither a" },
        { "http://a.test/x", "http://0x7f000001/z", NULL, "neither a name" },
        { "http://a.test/x", "http://0X7F.1:80/z", NULL, "neither a name" },
        { "http://a.test/x", "//127.1", NULL, "neither a name" },
        { "http://a.test/x", "http://127.0.0.01/", NULL, "neither a name" },
        { "http://a.test/x", "http://127.0.0.1./", NULL, "neither a name" },
        { "http://a.test/x", "http://10.0x/", NULL, "neither a name" },
        { "http://a.test/x", "http://0xyz.test1/", "http://0xyz.test1/", "" },
        { "http://a.test/x", "#top", NULL, "loop" }
    };
    apr_array_header_t *seen = words("http://a.test/before http://a.test/x");
    const char *to, *why;
    char *path;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        to = acme_rehearsal_judge_redirect(&why, rows[i].from,
                                           rows[i].location, seen, pool);
        if (!to != !rows[i].to || (to && strcmp(to, rows[i].to))
            || (!to && !strstr(why, rows[i].says))) {
            fail_msg("%s: %s, %s", rows[i].location, to, why);
        }
    }
    path = apr_pcalloc(pool, 3000);
    memset(path, '/', 2999);
    assert_null(acme_rehearsal_judge_redirect(&why, "http://a.test/x", path,
                                              seen, pool));
    while (seen->nelts <= ACME_REHEARSAL_REDIRECTS_MAX) {
        assert_non_null(acme_rehearsal_judge_redirect(
            &why, "http://a.test/x", "/new", seen, pool));
        APR_ARRAY_PUSH(seen, const char *) =
            apr_psprintf(pool, "http://a.test/%d", seen->nelts);
    }
    assert_null(acme_rehearsal_judge_redirect(&why, "http://a.test/x", "/new",
                                              seen, pool));
    assert_non_null(strstr(why, "more than 10 redirects"));
}

static void which_addresses_are_behind_a_redirect(void **state)
{
    static const struct {
        const char *name, *at, *addresses;
        acme_rehearsal_dns_failure_t failed;
        int is_public_ca;
        const char *to;         /* NULL: none, and */
        acme_rehearsal_e level;
        const char *says;
    } rows[] = {
        { "both families", "192.0.2.7", "2001:db8::9 192.0.2.9", { NULL, 0 },
          1, "2001:db8::9 192.0.2.9", 0, "" },
        { "not all public", "192.0.2.7", "10.0.0.8 192.0.2.9", { NULL, 0 }, 1,
          "192.0.2.9", 0, "" },
        { "many", "192.0.2.7", "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5",
          { NULL, 0 }, 1, "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4", 0, "" },
        { "to this machine", "10.0.0.8", "10.0.0.7", { NULL, 0 }, 0,
          "10.0.0.7", 0, "" },
        { "to loopback", "10.0.0.8", "127.0.0.1", { NULL, 0 }, 0, "127.0.0.1",
          0, "" },
        { "to this machine, from outside", "192.0.2.7", "10.0.0.7",
          { NULL, 0 }, 0, NULL, ACME_REHEARSAL_UNSEEN, "a private address" },
        { "another internal host", "10.0.0.7", "10.0.0.8", { NULL, 0 }, 0,
          NULL, ACME_REHEARSAL_UNSEEN,
          "to b.test, not followed: a private address (10.0.0.8)" },
        { "the same, public CA", "10.0.0.7", "10.0.0.8", { NULL, 0 }, 1, NULL,
          ACME_REHEARSAL_FAULT, "of the Internet can reach (10.0.0.8)" },
        { "a cloud's data", "10.0.0.7", "169.254.169.254", { NULL, 0 }, 0,
          NULL, ACME_REHEARSAL_UNSEEN, "not followed" },
        { "nothing", "192.0.2.7", "", { NULL, 0 }, 0, NULL,
          ACME_REHEARSAL_FAULT, "neither an A nor an AAAA" },
        { "SERVFAIL", "192.0.2.7", "", { "rcode 2", 0 }, 0, NULL,
          ACME_REHEARSAL_FAULT, "looked up: rcode 2" },
        { "silence", "192.0.2.7", "", { "no answer", 1 }, 1, NULL,
          ACME_REHEARSAL_UNSEEN, "looked up: no answer" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_rehearsal_target_t target = {
            .address = rows[i].at, .at = rows[i].at, .host = "b.test",
            .addresses = words(rows[i].addresses), .failed = rows[i].failed,
            .own = words("10.0.0.7"), .is_public_ca = rows[i].is_public_ca
        };
        apr_array_header_t *to =
            acme_rehearsal_judge_target(&found, &target, pool);

        if (!to != !rows[i].to
            || (to && strcmp(apr_array_pstrcat(pool, to, ' '), rows[i].to))) {
            fail_msg("%s: %s", rows[i].name,
                     to ? apr_array_pstrcat(pool, to, ' ') : found.text);
        }
        if (!to) {
            assert_found(rows[i].name, rows[i].level,
                         ACME_REASON_REDIRECT_FAILED, rows[i].says);
        }
    }
}

static void a_redirect_that_comes_to_nobody(void **state)
{
    acme_rehearsal_refusal_t refusal = {
        .address = { "2001:db8::9", 0, 1 }, .port = 443, .arrives_at = 443,
        .status = ENETUNREACH, .why = "odd"
    };

    (void)state;
    acme_rehearsal_judge_lost(&found, "192.0.2.7", "https://b.test/", &refusal,
                              pool);
    assert_found("no way", ACME_REHEARSAL_UNSEEN, 0,
                 "port 80 of 192.0.2.7: a redirect to https://b.test/: port 443 of 2001:db8::9 has no route");
    refusal.status = APR_TIMEUP;
    acme_rehearsal_judge_lost(&found, "192.0.2.7", "https://b.test/", &refusal,
                              pool);
    assert_found("behind NAT", ACME_REHEARSAL_UNSEEN, 0, "hairpin NAT");
    refusal.address.is_behind_nat = 0;
    acme_rehearsal_judge_lost(&found, "192.0.2.7", "https://b.test/", &refusal,
                              pool);
    assert_found("silent", ACME_REHEARSAL_FAULT, ACME_REASON_REDIRECT_FAILED,
                 "does not answer");
    refusal.status = APR_EGENERAL;
    acme_rehearsal_judge_lost(&found, "192.0.2.7", "https://b.test/", &refusal,
                              pool);
    assert_found("no TLS", ACME_REHEARSAL_FAULT, ACME_REASON_REDIRECT_FAILED,
                 "which fails: odd");
    assert_int_equal(acme_rehearsal_judge_port("https://b.test/:80"), 443);
    assert_int_equal(acme_rehearsal_judge_port("http://b.test"), 80);
}

static apr_array_header_t *addresses(const char *text)
{
    apr_array_header_t *texts = words(text);
    apr_array_header_t *all = apr_array_make(
        pool, 4, sizeof(acme_rehearsal_address_t));
    int i;

    for (i = 0; i < texts->nelts; i++) {
        APR_ARRAY_PUSH(all, acme_rehearsal_address_t) =
            acme_rehearsal_judge_address(APR_ARRAY_IDX(texts, i, const char *),
                                         words("192.0.2.7"));
    }
    return all;
}

static void what_the_dns_says(void **state)
{
    static const struct {
        const char *name, *addresses;
        acme_rehearsal_dns_failure_t failed;
        int is_nxdomain, is_needed, is_public_ca;
        acme_rehearsal_e level;
        acme_reason_e reason;
        const char *says;
    } rows[] = {
        { "good", "192.0.2.7 2001:db8::7", { NULL, 0 }, 0, 1, 1, ACME_REHEARSAL_FINE,
          0, "192.0.2.7, 2001:db8::7 (not of this machine" },
        { "no name", "", { NULL, 0 }, 1, 1, 1, ACME_REHEARSAL_FAULT,
          ACME_REASON_DNS_NXDOMAIN, "NXDOMAIN" },
        { "no name, by DNS", "", { NULL, 0 }, 1, 0, 1, ACME_REHEARSAL_NOTE, 0,
          "NXDOMAIN" },
        { "no address", "", { NULL, 0 }, 0, 1, 1, ACME_REHEARSAL_FAULT,
          ACME_REASON_DNS_NO_ADDRESS, "neither" },
        { "no answer", "", { "silence", 0 }, 0, 1, 1, ACME_REHEARSAL_FAULT,
          ACME_REASON_DNS_FAILED, "silence" },
        { "nobody answers here", "", { "silence", 1 }, 0, 1, 1,
          ACME_REHEARSAL_UNSEEN, 0, "silence" },
        { "private, own CA", "10.0.0.1 127.0.0.1", { NULL, 0 }, 0, 1, 0,
          ACME_REHEARSAL_NOTE, 0, "10.0.0.1 (private), 127.0.0.1 (loopback)" },
        { "private, public CA", "10.0.0.1", { NULL, 0 }, 0, 1, 1,
          ACME_REHEARSAL_FAULT, ACME_REASON_DNS_NO_ADDRESS, "private" },
        { "private, by DNS", "10.0.0.1", { NULL, 0 }, 0, 0, 1, ACME_REHEARSAL_NOTE,
          0, "private" },
        { "private and public", "10.0.0.1 192.0.2.7", { NULL, 0 }, 0, 1, 1,
          ACME_REHEARSAL_NOTE, 0, "private" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_rehearsal_lookup_t lookup = {
            .addresses = addresses(rows[i].addresses),
            .failed = rows[i].failed, .is_nxdomain = rows[i].is_nxdomain,
            .is_needed = rows[i].is_needed,
            .is_public_ca = rows[i].is_public_ca
        };

        acme_rehearsal_judge_lookup(&found, &lookup, pool);
        assert_found(rows[i].name, rows[i].level, rows[i].reason,
                     rows[i].says);
    }
}

static void what_caa_records_mean(void **state)
{
    acme_rehearsal_caa_t caa = { .issuer = { .identities = words("ca.test"),
                                             .challenge = "http-01" } };

    (void)state;
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("none", ACME_REHEARSAL_FINE, 0, "every CA");
    caa.at = "a.test";
    caa.records = words("x");
    APR_ARRAY_IDX(caa.records, 0, const char *) = "0 issue ca.test";
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("ours", ACME_REHEARSAL_FINE, 0, "of a.test allow");
    APR_ARRAY_IDX(caa.records, 0, const char *) = "0 issue other.test";
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("others", ACME_REHEARSAL_FAULT, ACME_REASON_CAA_FORBIDDEN,
                 "of a.test forbid this CA: they allow other.test");
    caa.issuer.identities = words("");
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("an unknown CA", ACME_REHEARSAL_UNSEEN, 0, "not known");
    caa.failed.why = "SERVFAIL";
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("of a CA that may not ask", ACME_REHEARSAL_UNSEEN, 0,
                 "SERVFAIL");
    caa.is_checked = caa.failed.is_ours = 1;
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("nobody answers here", ACME_REHEARSAL_UNSEEN, 0, "SERVFAIL");
    caa.failed.is_ours = 0;
    acme_rehearsal_judge_caa(&found, &caa, pool);
    assert_found("failed", ACME_REHEARSAL_FAULT, ACME_REASON_DNS_FAILED,
                 "SERVFAIL");
}

static void what_port_443_shows(void **state)
{
    acme_rehearsal_hello_t hello = { .address = { "192.0.2.7", 0, 0 },
                                     .why = "refused" };

    (void)state;
    acme_rehearsal_judge_hello(&found, &hello, pool);
    assert_found("no TLS", ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
                 "does not answer with TLS: refused");
    hello.serial = "0a";
    hello.issuer = "Some CA";
    acme_rehearsal_judge_hello(&found, &hello, pool);
    assert_found("another", ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
                 "serial 0a, issued by Some CA");
    hello.is_ours = 1;
    acme_rehearsal_judge_hello(&found, &hello, pool);
    assert_found("by the name", ACME_REHEARSAL_UNSEEN, 0, "refused");
    hello.is_answered = 1;
    acme_rehearsal_judge_hello(&found, &hello, pool);
    assert_found("ours", ACME_REHEARSAL_FINE, 0, "leads to this server");
}

static void which_type_suits(void **state)
{
    acme_cert_conf_t cert = { .challenges = { ACME_TLS_ALPN_01, ACME_DNS_01 },
                              .nchallenges = 2 };

    (void)state;
    assert_int_equal(acme_rehearsal_judge_first(&cert, "a.test"), 0);
    assert_int_equal(acme_rehearsal_judge_first(&cert, "*.a.test"), 1);
    assert_int_equal(acme_rehearsal_judge_first(&cert, "192.0.2.7"), 0);
    cert.nchallenges = 1;
    assert_int_equal(acme_rehearsal_judge_first(&cert, "*.a.test"), -1);
    cert.challenges[0] = ACME_DNS_PERSIST_01;
    assert_int_equal(acme_rehearsal_judge_first(&cert, "192.0.2.7"), -1);
}

/* "http-01 fault, dns fine": findings of a.test; as words of their levels. */
static const char *weighed(const char *text, const acme_cert_conf_t *cert,
                           unsigned forbidden)
{
    apr_array_header_t *all = apr_array_make(
        pool, 4, sizeof(acme_rehearsal_finding_t));
    const apr_array_header_t *parts = words(text);
    const char *levels = "";
    int i;

    for (i = 0; i + 1 < parts->nelts; i += 2) {
        acme_rehearsal_finding_t finding = {
            .level = acme_rehearsal_level(APR_ARRAY_IDX(parts, i + 1,
                                                        const char *)),
            .reason = ACME_REASON_DNS_FAILED, .name = "a.test", .text = "it"
        };

        while (strcmp(acme_rehearsal_topic(finding.topic),
                      APR_ARRAY_IDX(parts, i, const char *))) {
            finding.topic++;
        }
        APR_ARRAY_PUSH(all, acme_rehearsal_finding_t) = finding;
    }
    found = (acme_rehearsal_finding_t) { .level = ACME_REHEARSAL_FAULT,
                                         .name = "b.test", .text = "it" };
    APR_ARRAY_PUSH(all, acme_rehearsal_finding_t) = found;
    acme_rehearsal_judge_name(all, cert, "a.test", forbidden, pool);
    for (i = 0; i < all->nelts - 1; i++) {
        found = APR_ARRAY_IDX(all, i, acme_rehearsal_finding_t);
        levels = apr_pstrcat(pool, levels, i ? " " : "",
                             acme_rehearsal_word(found.level), NULL);
    }
    assert_int_equal(APR_ARRAY_IDX(all, i, acme_rehearsal_finding_t).level,
                     ACME_REHEARSAL_FAULT);     /* another name's */
    found = APR_ARRAY_IDX(all, 0, acme_rehearsal_finding_t);
    return levels;
}

static void a_name_that_another_type_validates(void **state)
{
    static const struct {
        const char *findings;
        unsigned forbidden;
        const char *levels, *says;      /* the first of them */
    } rows[] = {
        { "http-01 fault dns-01 fine", 0, "note fine",
          "it (dns-01 can validate it)" },
        { "http-01 fault dns-01 fault", 0, "fault note", "it" },
        { "http-01 fine dns-01 fault", 0, "fine note", "it" },
        { "http-01 fault http-01 fine dns-01 fine", 0, "note fine fine",
          "it (dns-01 can validate it)" },
        { "http-01 fault dns-01 unseen", 0, "unseen unseen",
          "it (whether dns-01 can" },
        { "dns-01 fault http-01 unseen", 0, "note unseen",
          "it (http-01 is tried before)" },
        { "dns fault dns-01 fine", 0, "note fine", "it (dns-01 can" },
        { "dns fault dns-01 fault", 0, "fault note", "it" },
        { "http-01 fault dns-01 fine", 1u << ACME_DNS_01, "fault fine",
          "it" },
        { "caa fault http-01 fine dns-01 fine", 1u << ACME_HTTP_01,
          "note fine fine", "it (dns-01 can validate it)" },
        { "caa fault http-01 fine dns-01 fine", ~0u, "fault fine fine",
          "it" },
        /* dns-persist-01 is there by default, and nobody set its record. */
        { "http-01 fault dns-01 fault dns-persist-01 fine", 0,
          "note note fine", "it (dns-persist-01 can" }
    };
    apr_array_header_t *cas = apr_array_make(pool, 2, sizeof(apr_uint32_t));
    acme_cert_conf_t cert = {
        .challenges = { ACME_HTTP_01, ACME_DNS_01, ACME_DNS_PERSIST_01 },
        .nchallenges = 3, .cas = cas
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *levels = weighed(rows[i].findings, &cert,
                                     rows[i].forbidden);

        if (strcmp(levels, rows[i].levels)
            || strncmp(found.text, rows[i].says, strlen(rows[i].says))
            || (found.level != ACME_REHEARSAL_FAULT
                && strchr(rows[i].says, '(') && found.reason)) {
            fail_msg("%s: %s: %s", rows[i].findings, levels, found.text);
        }
    }
    apr_array_push(cas);
    found = (acme_rehearsal_finding_t) { .level = ACME_REHEARSAL_FAULT,
                                         .text = "it" };
    acme_rehearsal_judge_first_ca(&found, &cert, pool);
    assert_found("one CA", ACME_REHEARSAL_FAULT, 0, "it");
    apr_array_push(cas);
    acme_rehearsal_judge_first_ca(&found, &cert, pool);
    assert_found("two CAs", ACME_REHEARSAL_NOTE, 0, "names 1 more");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(whose_network_an_address_is_of),
        POOL_TEST(whose_address_it_is),
        POOL_TEST(a_connection_that_fails),
        POOL_TEST(a_port_that_a_hook_may_open),
        POOL_TEST(an_answer_at_port_80),
        POOL_TEST(a_neighbour_is_not_shown),
        POOL_TEST(who_is_visited),
        POOL_TEST(where_a_redirect_leads),
        POOL_TEST(which_addresses_are_behind_a_redirect),
        POOL_TEST(a_redirect_that_comes_to_nobody),
        POOL_TEST(what_the_dns_says),
        POOL_TEST(what_caa_records_mean),
        POOL_TEST(what_port_443_shows),
        POOL_TEST(which_type_suits),
        POOL_TEST(a_name_that_another_type_validates)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
