/*
 * test_dns_message.c - messages octet by octet, good ones and hostile ones.
 */
#include <stdlib.h>

#include "acme_dns_message.h"
#include "pool.h"

#define OCTETS(text) (const unsigned char *)(text), sizeof(text) - 1

/* A header with these counts: questions, answers, authority. */
#define HEADER(qd, an, ns) "\x12\x34\x84\x03\0" qd "\0" an "\0" ns "\0\0"
#define QUESTION "\1a\4test\0\0\x10\0\1"        /* at 12 */
#define RR(type) "\0" type "\0\1\0\0\1\x2c"     /* class IN, 300 s */

/* In memory of its own size, so that a sanitizer sees a read beyond it. */
static apr_status_t parse(acme_dns_message_t **panswer,
                          const unsigned char *message, size_t len)
{
    unsigned char *copy = malloc(len ? len : 1);
    apr_status_t rv;

    memcpy(copy, message, len);
    rv = acme_dns_message_parse(panswer, copy, len, pool);
    free(copy);
    return rv;
}

static const unsigned char whole[] =
    HEADER("\1", "\5", "\1") QUESTION
    "\xc0\x0c" RR("\5") "\0\4\1B\xc0\x0e"           /* a.test -> b.test */
    "\1b\xc0\x0e" RR("\x10") "\0\7\3one\2\x20t"     /* "one" " t" */
    "\1b\xc0\x0e" RR("\1") "\0\4\xc0\0\2\1"
    "\1b\xc0\x0e" RR("\x1c") "\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
    "\1b\xc0\x0e" RR("\x0f") "\0\1x"                /* MX: not ours */
    "\xc0\x0e" RR("\6") "\0\x1a\2ns\xc0\x0e\0"
    "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c";

static const acme_dns_rr_t *rr_at(const apr_array_header_t *records, int i)
{
    assert_true(i < records->nelts);
    return &APR_ARRAY_IDX(records, i, acme_dns_rr_t);
}

static void a_message_is_taken_apart(void **state)
{
    static const struct {
        acme_dns_rr_e type;
        const char *owner, *value;
    } rows[] = {
        { ACME_RR_CNAME, "a.test", "b.test" },
        { ACME_RR_TXT, "b.test", "one t" },
        { ACME_RR_A, "b.test", "192.0.2.1" },
        { ACME_RR_AAAA, "b.test", "2001:db8::1" }
    };
    acme_dns_message_t *answer;
    size_t i;

    (void)state;
    assert_int_equal(parse(&answer, whole, sizeof(whole) - 1), 0);
    assert_int_equal(answer->rcode, ACME_RCODE_NXDOMAIN);
    assert_true(answer->authoritative);
    assert_int_equal(answer->answers->nelts, COUNT(rows));
    for (i = 0; i < COUNT(rows); i++) {
        const acme_dns_rr_t *rr = rr_at(answer->answers, (int)i);

        assert_int_equal(rr->type, rows[i].type);
        assert_string_equal(rr->owner, rows[i].owner);
        assert_string_equal(rr->value, rows[i].value);
        assert_int_equal(rr->ttl, apr_time_from_sec(300));
    }
    assert_int_equal(answer->authority->nelts, 1);
    assert_string_equal(rr_at(answer->authority, 0)->owner, "test");
    assert_int_equal(rr_at(answer->authority, 0)->ttl, apr_time_from_sec(60));
}

/* The TTL of the SOA, its minimum, and how long "there is none" holds. */
static void a_negative_answer_holds_so_long(void **state)
{
    static const unsigned char rows[][3] = {
        { 9, 60, 9 }, { 60, 9, 9 }, { 0, 60, 60 }, { 9, 0, 0 }
    };
    unsigned char message[sizeof(whole) - 1];
    acme_dns_message_t *answer;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        memcpy(message, whole, sizeof(message));
        message[sizeof(message) - 30] = 0;
        message[sizeof(message) - 29] = rows[i][0];
        message[sizeof(message) - 1] = rows[i][1];
        assert_int_equal(parse(&answer, message, sizeof(message)), 0);
        assert_int_equal(rr_at(answer->authority, 0)->ttl,
                         apr_time_from_sec(rows[i][2]));
    }
}

static void what_is_cut_is_refused(void **state)
{
    acme_dns_message_t *answer;
    size_t len;

    (void)state;
    for (len = 0; len < sizeof(whole) - 1; len++) {
        assert_int_equal(parse(&answer, whole, len), APR_EINVAL);
        assert_null(answer);
    }
}

/* Each octet set to some others: whatever comes, it comes to an end. */
static void any_octet_may_be_wrong(void **state)
{
    static const unsigned char others[] = { 0, 1, 12, 63, 64, 128, 192, 255 };
    unsigned char bad[sizeof(whole) - 1];
    acme_dns_message_t *answer;
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof(bad); i++) {
        for (j = 0; j < sizeof(others); j++) {
            memcpy(bad, whole, sizeof(bad));
            bad[i] = others[j];
            if (parse(&answer, bad, sizeof(bad)) == APR_SUCCESS) {
                assert_true(answer->answers->nelts <= 5);
            }
        }
        apr_pool_clear(pool);
    }
}

typedef struct {
    const char *name;
    const unsigned char *message;
    size_t len;
} message_t;

/* Each gives rv, and those that are taken have no answer. */
static void assert_of_no_use(const message_t *rows, size_t count,
                             apr_status_t rv)
{
    acme_dns_message_t *answer;
    size_t i;

    for (i = 0; i < count; i++) {
        if (parse(&answer, rows[i].message, rows[i].len) != rv
            || (rv == APR_SUCCESS && answer->answers->nelts != 0)) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void broken_messages(void **state)
{
    static const message_t rows[] = {
        { "nothing", OCTETS("") },
        { "records that are not there", OCTETS(HEADER("\0", "\1", "\0")) },
        { "a pointer at itself",
          OCTETS(HEADER("\0", "\1", "\0") "\xc0\x0c" RR("\x10") "\0\2\1x") },
        { "a pointer to what follows",
          OCTETS(HEADER("\0", "\1", "\0") "\xc0\x0e\1a\0" RR("\x10")
                 "\0\2\1x") },
        { "two pointers at each other",
          OCTETS(HEADER("\1", "\1", "\0") "\1a\xc0\x0c\0\x10\0\1\xc0\x0c"
                 RR("\x10") "\0\2\1x") },
        { "a pointer beyond the end",
          OCTETS(HEADER("\0", "\1", "\0") "\xff\xff" RR("\x10") "\0\2\1x") },
        { "half a pointer", OCTETS(HEADER("\1", "\0", "\0") "\xc0") },
        { "a label of another kind",
          OCTETS(HEADER("\1", "\0", "\0") "\x40\0\0\x10\0\1") },
        { "a string beyond its record",
          OCTETS(HEADER("\1", "\2", "\0") QUESTION "\xc0\x0c" RR("\x10")
                 "\0\2\x05x" "\xc0\x0c" RR("\x10") "\0\2\1x") },
        { "a name beyond its record",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\5")
                 "\0\1\1b\0") },
        { "an address of five octets",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\1")
                 "\0\5\1\2\3\4\5") },
        { "an SOA without numbers",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\6")
                 "\0\2\0\0") }
    };

    (void)state;
    assert_of_no_use(rows, COUNT(rows), APR_EINVAL);
}

/* Good messages, with records that are of no use. */
static void left_out(void **state)
{
    static const message_t rows[] = {
        { "a line break in a value",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\x10")
                 "\0\3\2x\n") },
        { "a zero octet in a value",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\x10")
                 "\0\3\2\0x") },
        { "UTF-8 in a value",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\x10")
                 "\0\3\2\xc3\xa4") },
        { "another class",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c"
                 "\0\x10\0\3\0\0\1\x2c\0\2\1x") },
        { "a dot in a label",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\3a.b\0" RR("\x10")
                 "\0\2\1x") },
        { "a CNAME with a space",
          OCTETS(HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c" RR("\5")
                 "\0\5\3a b\0") }
    };

    (void)state;
    assert_of_no_use(rows, COUNT(rows), APR_SUCCESS);
}

/* A TXT record of so many strings of 255 octets. */
static size_t big_message(unsigned char *message, int strings)
{
    static const char head[] = HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c"
        RR("\x10");
    size_t len = sizeof(head) - 1;

    memcpy(message, head, len);
    message[len++] = (unsigned char)(strings * 256 >> 8);
    message[len++] = (unsigned char)(strings * 256);
    while (strings--) {
        message[len++] = 255;
        memset(message + len, 'x', 255);
        len += 255;
    }
    return len;
}

static void a_value_is_bounded(void **state)
{
    static unsigned char message[65535];
    acme_dns_message_t *answer;

    (void)state;
    assert_int_equal(parse(&answer, message, big_message(message, 16)), 0);
    assert_int_equal(strlen(rr_at(answer->answers, 0)->value), 16 * 255);
    assert_int_equal(parse(&answer, message, big_message(message, 17)), 0);
    assert_int_equal(answer->answers->nelts, 0);
    assert_int_equal(parse(&answer, message, big_message(message, 254)), 0);
    assert_int_equal(answer->answers->nelts, 0);
}

/* What nobody can use may be what forbids: it is not left out. (8659) */
static void caa_records_are_taken_apart(void **state)
{
    static const struct {
        const char *name, *rdata;
        size_t len;
        const char *value;      /* NULL: the message is malformed */
    } rows[] = {
        { "issue", "\0\5issueca.test", 14, "0 issue ca.test" },
        { "critical", "\x80\5ISSUE;", 8, "128 issue ;" },
        { "no value", "\0\5issue", 7, "0 issue " },
        { "odd octets", "\1\3i\x01s\x1b\xff\0b", 9, "1 i?s ???b" },
        { "no tag", "\0\0x", 3, NULL },
        { "a tag beyond its end", "\0\6issue", 7, NULL },
        { "flags alone", "\0", 1, NULL },
        { "nothing", "", 0, NULL }
    };
    static const char head[] = HEADER("\1", "\1", "\0") QUESTION "\xc0\x0c"
        "\1\1\0\1\0\0\1\x2c\0";
    acme_dns_message_t *answer;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        unsigned char message[128];
        size_t len = sizeof(head) - 1;
        apr_status_t rv;

        memcpy(message, head, len);
        message[len++] = (unsigned char)rows[i].len;
        memcpy(message + len, rows[i].rdata, rows[i].len);
        rv = parse(&answer, message, len + rows[i].len);
        if (!rows[i].value != (rv != APR_SUCCESS)
            || (rows[i].value && strcmp(rr_at(answer->answers, 0)->value,
                                        rows[i].value))) {
            fail_msg("%s: %d", rows[i].name, rv);
        }
    }
}

/* 127 labels of a letter are 253 octets, the most (1035, 2.3.4). */
static void a_name_is_bounded(void **state)
{
    static const char head[] = HEADER("\1", "\0", "\0");
    unsigned char message[512];
    size_t len = sizeof(head) - 1, i;
    acme_dns_message_t *answer;

    (void)state;
    memcpy(message, head, len);
    for (i = 0; i < 127; i++) {
        message[len++] = 1;
        message[len++] = 'a';
    }
    memcpy(message + len, "\0\0\x10\0\1", 5);
    assert_int_equal(parse(&answer, message, len + 5), 0);
    memcpy(message + len, "\1a\0\0\x10\0\1", 7);
    assert_int_equal(parse(&answer, message, len + 7), APR_EINVAL);
}

static void records_are_bounded(void **state)
{
    static const char head[] = HEADER("\0", "\0", "\0");
    static const char record[] = "\0" RR("\x10") "\0\2\1x";
    unsigned char *message = apr_palloc(pool, 65535);
    size_t len = sizeof(head) - 1, i;
    acme_dns_message_t *answer;

    (void)state;
    memcpy(message, head, len);
    for (i = 0; i < 5000 && len + sizeof(record) < 65535; i++) {
        memcpy(message + len, record, sizeof(record) - 1);
        len += sizeof(record) - 1;
    }
    message[6] = message[8] = (unsigned char)(i / 2 >> 8);
    message[7] = message[9] = (unsigned char)(i / 2);
    assert_int_equal(parse(&answer, message, len), 0);
    assert_int_equal(answer->answers->nelts + answer->authority->nelts, 512);
}

static void cnames_are_followed_so_far(void **state)
{
    acme_dns_message_t answer = { 0 };
    acme_dns_rr_t rr = { .type = ACME_RR_CNAME };
    int i, left = 16;

    (void)state;
    answer.answers = apr_array_make(pool, 4, sizeof(rr));
    assert_string_equal(acme_dns_message_follow(&answer, "n0", &left), "n0");
    for (i = 15; i >= 0; i--) {
        rr.owner = apr_psprintf(pool, "n%d", i);
        rr.value = apr_psprintf(pool, "n%d", i + 1);
        APR_ARRAY_PUSH(answer.answers, acme_dns_rr_t) = rr;
    }
    assert_string_equal(acme_dns_message_follow(&answer, "n0", &left), "n16");
    assert_int_equal(left, 0);
    assert_null(acme_dns_message_follow(&answer, "n15", &left));
    left = 16;
    rr.owner = "n16";
    rr.value = "n0";
    APR_ARRAY_PUSH(answer.answers, acme_dns_rr_t) = rr;
    assert_null(acme_dns_message_follow(&answer, "n0", &left));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(caa_records_are_taken_apart),
        POOL_TEST(a_message_is_taken_apart),
        POOL_TEST(a_negative_answer_holds_so_long),
        POOL_TEST(what_is_cut_is_refused),
        POOL_TEST(any_octet_may_be_wrong),
        POOL_TEST(broken_messages),
        POOL_TEST(left_out),
        POOL_TEST(a_value_is_bounded),
        POOL_TEST(a_name_is_bounded),
        POOL_TEST(records_are_bounded),
        POOL_TEST(cnames_are_followed_so_far)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
