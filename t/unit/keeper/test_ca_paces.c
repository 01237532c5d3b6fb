/*
 * test_ca_paces.c - how long CAs take: kept over a restart, written seldom, and
 * bounded whatever a worker or the file says.
 */
#include "acme_ca_paces.h"
#include "keeper_process.h"

#define NOW apr_time_from_sec(1800000000)
#define MINUTE apr_time_from_sec(60)
#define PATH "/run/pace.json"

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    conf = make_conf();
    add_ca(conf, "https://other.example/dir")->folder = "ca-2";
    return rc;
}

static acme_ca_paces_t *open_paces(void)
{
    return acme_ca_paces_create(open_registry(conf), pool);
}

static void measure(acme_ca_paces_t *paces, apr_uint32_t ca, acme_pace_e what,
                    apr_uint32_t value)
{
    acme_msg_pace_t measured = { .looks = { 0 } };
    int i;

    for (i = 0; i < ACME_PACES; i++) {
        measured.values[i] = ACME_NOT_MEASURED;
        measured.looks[i] = 1;
    }
    measured.values[what] = value;
    acme_ca_paces_add(paces, ca, &measured);
}

static const acme_pace_t *pace_of(const acme_ca_paces_t *paces,
                                  apr_uint32_t ca, acme_pace_e what)
{
    return &acme_ca_paces_find(paces, ca)->of[what];
}

static int is_written(void)
{
    return text_of(at("store" PATH)) != NULL;
}

static void the_next_keeper_knows_them(void **state)
{
    acme_ca_paces_t *paces = open_paces();
    apr_uint32_t i;

    (void)state;
    assert_int_equal(pace_of(paces, 0, ACME_PACE_SEEN)->n, 0);
    for (i = 0; i < ACME_PACE_KEPT + 3; i++) {
        measure(paces, 0, ACME_PACE_SEEN, 1000 + i);
    }
    measure(paces, 1, ACME_PACE_VISITS, 3);
    assert_int_equal(pace_of(paces, 0, ACME_PACE_SEEN)->at_once,
                     ACME_PACE_KEPT);
    assert_int_equal(pace_of(paces, 0, ACME_PACE_ISSUED)->n, 0);
    acme_ca_paces_flush(paces, pool);

    paces = open_paces();
    assert_int_equal(pace_of(paces, 0, ACME_PACE_SEEN)->n, ACME_PACE_KEPT);
    assert_int_equal(pace_of(paces, 0, ACME_PACE_SEEN)->values[0],
                     1000 + ACME_PACE_KEPT + 2);
    assert_int_equal(acme_ca_pace_median(pace_of(paces, 0, ACME_PACE_SEEN)),
                     1000 + 3 + ACME_PACE_KEPT / 2);
    assert_int_equal(pace_of(paces, 0, ACME_PACE_VISITS)->n, 0);
    assert_int_equal(pace_of(paces, 1, ACME_PACE_VISITS)->values[0], 3);
    assert_int_equal(pace_of(paces, 1, ACME_PACE_SEEN)->n, 0);
    acme_ca_paces_flush(paces, pool);           /* nothing is new */
    assert_true(is_written());
}

static void it_is_written_once_a_minute(void **state)
{
    acme_ca_paces_t *paces = open_paces();

    (void)state;
    assert_int_equal(acme_ca_paces_step(paces, NOW, pool), 0);
    measure(paces, 0, ACME_PACE_ISSUED, 200);
    assert_int_equal(acme_ca_paces_step(paces, NOW, pool), NOW + MINUTE);
    measure(paces, 0, ACME_PACE_ISSUED, 300);
    assert_int_equal(acme_ca_paces_step(paces, NOW + MINUTE - 1, pool),
                     NOW + MINUTE);
    assert_false(is_written());
    assert_int_equal(acme_ca_paces_step(paces, NOW + MINUTE, pool), 0);
    assert_true(is_written());

    assert_int_equal(unlink(at("store" PATH)), 0);
    assert_int_equal(acme_ca_paces_step(paces, NOW + 9 * MINUTE, pool), 0);
    assert_false(is_written());
    measure(paces, 0, ACME_PACE_ISSUED, 400);
    assert_int_equal(acme_ca_paces_step(paces, NOW + 9 * MINUTE, pool),
                     NOW + 10 * MINUTE);
    /* A clock that is set back. */
    assert_int_equal(acme_ca_paces_step(paces, NOW, pool), NOW + MINUTE);
    assert_false(is_written());
    acme_ca_paces_flush(paces, pool);
    assert_true(is_written());
}

static void a_worker_s_numbers_are_bounded(void **state)
{
    acme_ca_paces_t *paces = open_paces();
    acme_msg_pace_t all;
    int i;

    (void)state;
    memset(&all, 0xff, sizeof(all));
    acme_ca_paces_add(paces, 0, &all);          /* nothing is measured */
    for (i = 0; i < ACME_PACES; i++) {
        assert_int_equal(pace_of(paces, 0, (acme_pace_e)i)->n, 0);
        all.values[i] = ACME_NOT_MEASURED - 1;
        all.looks[i] = 0;
    }
    for (i = 0; i < 1000; i++) {
        acme_ca_paces_add(paces, 0, &all);
    }
    for (i = 0; i < ACME_PACES; i++) {
        const acme_pace_t *pace = pace_of(paces, 0, (acme_pace_e)i);

        assert_int_equal(pace->n, ACME_PACE_KEPT);
        assert_int_equal(pace->at_once, ACME_PACE_KEPT);
        assert_int_equal(acme_ca_pace_median(pace), ACME_PACE_MAX);
    }
}

static void what_is_in_the_file_is_checked(void **state)
{
    static const struct {
        const char *name, *list;
        apr_uint32_t n, newest;
    } rows[] = {
        { "numbers", "[5, 6]", 2, 5 },
        { "none", "[]", 0, 0 },
        { "not a list", "7", 0, 0 },
        { "other things", "[\"1\", null, -1, 2.5, 9, {}]", 1, 9 },
        { "too large", "[4294967296, 9223372036854775807]", 2,
          ACME_PACE_MAX },
        { "too many", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]",
          ACME_PACE_KEPT, 1 }
    };
    const acme_pace_t *pace;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        open_store();
        put(at("store" PATH),
            apr_pstrcat(pool, "{\"ca-1\": {\"issued\": ", rows[i].list,
                        ", \"else\": [1]}, \"ca-2\": 3}", NULL));
        pace = pace_of(open_paces(), 0, ACME_PACE_ISSUED);
        if (pace->n != rows[i].n || pace->values[0] != rows[i].newest) {
            fail_msg("%s: %u, %u", rows[i].name, pace->n, pace->values[0]);
        }
    }
    put(at("store" PATH), "[1");
    assert_int_equal(pace_of(open_paces(), 0, ACME_PACE_ISSUED)->n, 0);
    assert_logged("[warning] ");
    assert_false(is_written());                 /* it is set aside */
}

/* The keeper itself: what a worker says is in the next PREPARE, and on disk
   when it ends. */
static void a_worker_tells_the_next_order(void **state)
{
    acme_msg_pace_t *body = apr_pcalloc(pool, sizeof(*body));
    const acme_msg_prepared_t *prepared;
    acme_message_t reply;

    (void)state;
    assert_int_equal(prepare(0), 0);
    body->values[ACME_PACE_SEEN] = 1234;
    body->looks[ACME_PACE_SEEN] = 2;
    assert_int_equal(say(ACME_MSG_PACE, body).status, 0);
    body->about.cert = 99;
    assert_int_equal(say(ACME_MSG_PACE, body).status, APR_ENOENT);
    body->about.cert = 0;
    reply = say(ACME_MSG_PREPARE, &body->about);
    prepared = reply.body;
    assert_int_equal(prepared->pace.of[ACME_PACE_SEEN].n, 1);
    assert_int_equal(prepared->pace.of[ACME_PACE_SEEN].values[0], 1234);
    kill(keeper_pid, SIGTERM);
    wait_for_keeper();
    assert_non_null(strstr(text_of(at("store" PATH)), "1234"));
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RUNNING_TEST(a_worker_tells_the_next_order),
        TEST(the_next_keeper_knows_them),
        TEST(it_is_written_once_a_minute),
        TEST(a_worker_s_numbers_are_bounded),
        TEST(what_is_in_the_file_is_checked)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
