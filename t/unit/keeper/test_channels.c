/*
 * test_channels.c - who is connected, whose channel is closed for another one,
 * and who is heard later.
 */
#include "acme_channels.h"
#include "packet.h"
#include "pool.h"

#define NOW apr_time_from_sec(1000000)
#define SLOW apr_time_from_sec(1)

static acme_channels_t *channels;

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    channels = acme_channels_create(0, pool);
    return 0;
}

/* The other end, which tells when the channel is closed. */
static int add(int who, pid_t pid, apr_time_t now)
{
    int ends[2];

    packet_pair(ends);
    acme_channels_add(channels, ends[0], who, pid, now);
    return ends[1];
}

static int is_open(int fd)
{
    char octet;

    return recv(fd, &octet, 1, MSG_DONTWAIT) < 0;
}

static void a_process_pushes_out_its_own(void **state)
{
    int first, other, control, i;
    int last = -1;

    (void)state;
    control = add(ACME_BY_CONTROL, 5, NOW);
    other = add(ACME_BY_WORKER, 7, NOW);
    first = add(ACME_BY_WORKER, 9, NOW);
    for (i = 0; i < 300; i++) {
        last = add(0, 9, NOW + 1 + i);
    }
    assert_int_equal(acme_channels_count(channels),
                     ACME_CHANNELS_MAX / 2 + 2);
    assert_true(is_open(control) && is_open(other) && is_open(last));
    assert_false(is_open(first));
}

/* Nor does acmectl count for a worker, whatever its pids are. */
static void processes_in_crowds_push_out_the_largest(void **state)
{
    int control, alone, i;

    (void)state;
    control = add(ACME_BY_CONTROL, 5, NOW);
    alone = add(ACME_BY_WORKER, 7, NOW);
    for (i = 0; i < 600; i++) {
        add(ACME_BY_WORKER, 100 + i % 3, NOW + 1 + i);
    }
    assert_int_equal(acme_channels_count(channels), ACME_CHANNELS_MAX);
    assert_true(is_open(control) && is_open(alone));
    for (i = 0; i < 300; i++) {
        add(ACME_BY_CONTROL, 1000 + i, NOW + 1 + i);
    }
    assert_true(is_open(alone));
    assert_false(is_open(control));     /* its own idlest */
}

static void who_has_used_his_time_is_heard_later(void **state)
{
    acme_channel_t *worker, *other, *control;
    apr_time_t now = NOW, wake;
    int asked = 0;

    (void)state;
    add(ACME_BY_WORKER, 7, now);
    add(ACME_BY_WORKER, 8, now);
    add(ACME_BY_CONTROL, 0, now);
    worker = acme_channels_at(channels, 0);
    other = acme_channels_at(channels, 1);
    control = acme_channels_at(channels, 2);
    assert_int_equal(acme_channels_wake(channels, now), 0);
    while (acme_channels_is_heard(worker, now)) {
        acme_channels_charge(worker, ACME_MSG_SIGN, SLOW, now);
        acme_channels_charge(control, ACME_MSG_LIST, SLOW, now);
        asked++;
    }
    /* 64 orders of a hundred names, three requests a name, at once. */
    assert_true(asked > 64 * 100 * 3);
    assert_true(acme_channels_is_heard(other, now));
    assert_true(acme_channels_is_heard(control, now));

    /* Also on a new channel. */
    acme_channels_close(channels, 0);
    add(ACME_BY_WORKER, 7, now);
    worker = acme_channels_at(channels, 2);
    assert_false(acme_channels_is_heard(worker, now));

    wake = acme_channels_wake(channels, now);
    assert_in_range(wake, now, now + apr_time_from_sec(1));
    assert_true(acme_channels_is_heard(worker, wake));
    for (asked = 0; now < NOW + apr_time_from_sec(10);
         now += apr_time_from_msec(1)) {
        if (acme_channels_is_heard(worker, now)) {
            acme_channels_charge(worker, ACME_MSG_PREPARE, SLOW, now);
            asked++;
        }
    }
    assert_in_range(asked, 400, 600);

    /* A clock that is set back does not shut anybody out. */
    now -= apr_time_from_sec(86400);
    assert_true(acme_channels_is_heard(worker, now));
}

static void what_is_parked_is_found_by_its_kind(void **state)
{
    acme_channel_t *channel;

    (void)state;
    add(ACME_BY_WORKER, 7, NOW);
    add(ACME_BY_WORKER, 7, NOW);
    channel = acme_channels_at(channels, 1);
    channel->parked.kind = ACME_MSG_PREPARE;
    assert_false(acme_channels_is_parked(channels, ACME_MSG_PREPARE));
    apr_pool_create(&channel->parked_in, pool);
    assert_true(acme_channels_is_parked(channels, ACME_MSG_PREPARE));
    assert_false(acme_channels_is_parked(channels, ACME_MSG_AWAIT));
    acme_channels_unpark(channel);
    assert_false(acme_channels_is_parked(channels, ACME_MSG_PREPARE));
}

static void park(int i, acme_parked_e parked_for)
{
    acme_channel_t *channel = acme_channels_at(channels, i);

    apr_pool_create(&channel->parked_in, pool);
    channel->parked_for = parked_for;
}

/* Who has used much is behind who has not, however early he asked. */
static void the_one_that_owes_least_has_its_turn(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 5; i++) {
        add(ACME_BY_WORKER, i < 3 ? 7 : 9, NOW + 5 - i);
    }
    assert_int_equal(acme_channels_next_turn(channels, NOW + 9), -1);
    park(0, ACME_PARKED_FOR_JOB);
    park(1, ACME_PARKED_FOR_READING);
    assert_int_equal(acme_channels_next_turn(channels, NOW + 9), -1);
    park(2, ACME_PARKED_FOR_TURN);
    park(3, ACME_PARKED_FOR_TURN);
    park(4, ACME_PARKED_FOR_TURN);
    assert_int_equal(acme_channels_next_turn(channels, NOW + 9), 4);
    acme_channels_charge_part(acme_channels_at(channels, 4), 1000, NOW + 9);
    assert_int_equal(acme_channels_next_turn(channels, NOW + 9), 2);
    acme_channels_charge_part(acme_channels_at(channels, 2), 2000, NOW + 9);
    assert_int_equal(acme_channels_next_turn(channels, NOW + 9), 4);
    assert_int_equal(acme_channels_find(
                         channels, acme_channels_at(channels, 3)->number), 3);
    assert_int_equal(acme_channels_find(channels, 0), -1);
}

/* What a message may cost at the most is for a slow disk. */
static void a_quick_disk_makes_it_cheap(void **state)
{
    static const struct {
        const char *name;
        acme_message_e kind;
        apr_interval_time_t took;
        int price_us;
    } rows[] = {
        { "slow", ACME_MSG_INSTALL, SLOW, 50000 },
        { "quick", ACME_MSG_INSTALL, apr_time_from_msec(10), 20000 },
        { "quicker than any", ACME_MSG_INSTALL, 10, 10000 },
        { "a journal that is written later", ACME_MSG_NOTE, 10, 5000 },
        { "one that is always cheap", ACME_MSG_SIGN, SLOW, 1000 },
        { "a clock that was set back", ACME_MSG_INSTALL, -SLOW, 50000 }
    };
    apr_size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const apr_time_t now = NOW + apr_time_from_sec(100 * (int)i);
        const int n = (int)(apr_time_from_sec(20) / rows[i].price_us);
        acme_channel_t *worker;
        int asked = 0;

        add(ACME_BY_WORKER, 7, now);
        worker = acme_channels_at(channels, (int)i);
        while (acme_channels_is_heard(worker, now)) {
            acme_channels_charge(worker, rows[i].kind, rows[i].took, now);
            asked++;
        }
        if (asked != n + 1) {
            fail_msg("%s: %d, not %d", rows[i].name, asked, n + 1);
        }
    }
}

/* Nor does it owe more than a clock that is set back leaves it. */
static void its_part_of_a_sync_is_paid(void **state)
{
    acme_channel_t *worker;
    apr_time_t now = NOW;
    int i;

    (void)state;
    add(ACME_BY_WORKER, 7, now);
    worker = acme_channels_at(channels, 0);
    for (i = 0; i < 10; i++) {
        assert_true(acme_channels_is_heard(worker, now));
        acme_channels_charge_part(worker, apr_time_from_sec(1), now);
    }
    assert_true(acme_channels_is_heard(worker, now));
    acme_channels_charge_part(worker, -SLOW, now);
    assert_true(acme_channels_is_heard(worker, now));
    acme_channels_charge_part(worker, 1, now);
    assert_false(acme_channels_is_heard(worker, now));
    acme_channels_charge_part(worker, apr_time_from_sec(3600), now);
    now += apr_time_from_sec(20) - 1;
    assert_false(acme_channels_is_heard(worker, now));
    assert_true(acme_channels_is_heard(worker, now + 1));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_pushes_out_its_own),
        TEST(processes_in_crowds_push_out_the_largest),
        TEST(who_has_used_his_time_is_heard_later),
        TEST(what_is_parked_is_found_by_its_kind),
        TEST(the_one_that_owes_least_has_its_turn),
        TEST(a_quick_disk_makes_it_cheap),
        TEST(its_part_of_a_sync_is_paid)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
