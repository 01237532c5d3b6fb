/*
 * test_schedule.c - when to renew, when to try again, what comes next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_schedule.h"

#define ROWS(rows) (sizeof(rows) / sizeof(*(rows)))
#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define MINUTES(n) SECONDS(60 * (n))
#define HOURS(n) SECONDS(3600 * (n))
#define DAYS(n) HOURS(24 * (n))
#define NOW SECONDS(1795239365)         /* 2026-11-21 05:36:05 */

#define CHANCE_MIN 0
#define CHANCE_MIDDLE 500
#define CHANCE_MAX 999

static const acme_window_t no_window;

/* window "" is that of a configuration that says nothing. */
static acme_window_t window_of(const char *text)
{
    acme_window_t window = no_window;
    acme_result_t res;

    if (*text && acme_window_parse(&window, text, &res)) {
        fail_msg("%s", res.detail);
    }
    return window;
}

static void time_of_renewal(void **state)
{
    static const struct {
        const char *name;
        apr_interval_time_t life;
        const char *window;
        apr_interval_time_t left;       /* when it is renewed at the latest */
    } rows[] = {
        { "20 s", SECONDS(20), "", SECONDS(10) },
        { "1 h", HOURS(1), "", MINUTES(30) },
        { "160 h", HOURS(160), "", HOURS(80) },
        { "6 d", DAYS(6), "", DAYS(3) },
        { "just below 10 d", DAYS(10) - 100, "", DAYS(5) - 50 },
        { "10 d", DAYS(10), "", DAYS(33) / 10 },
        { "45 d", DAYS(45), "", DAYS(1485) / 100 },
        { "47 d", DAYS(47), "", DAYS(1551) / 100 },
        { "90 d", DAYS(90), "", DAYS(297) / 10 },
        { "200 d", DAYS(200), "", DAYS(66) },

        { "20 s, a third", SECONDS(20), "33%", SECONDS(66) / 10 },
        { "20 s, 3 s", SECONDS(20), "3s", SECONDS(3) },
        { "6 d, a third", DAYS(6), "33%", DAYS(198) / 100 },
        { "6 d, 1 d", DAYS(6), "1d", DAYS(1) },
        { "90 d, 1 %", DAYS(90), "1%", DAYS(9) / 10 },
        { "90 d, half", DAYS(90), "50%", DAYS(45) },
        { "90 d, 90 %", DAYS(90), "90%", DAYS(81) },
        { "90 d, 30 d", DAYS(90), "30d", DAYS(30) },
        { "90 d, 12 h", DAYS(90), "12h", HOURS(12) },
        { "90 d, 81 d", DAYS(90), "81d", DAYS(81) },

        { "too large: 90 d, 91 %", DAYS(90), "91%", DAYS(81) },
        { "too large: 90 d, 99 %", DAYS(90), "99%", DAYS(81) },
        { "too large: 20 s, 99 %", SECONDS(20), "99%", SECONDS(18) },
        { "too large: 90 d, 82 d", DAYS(90), "82d", DAYS(297) / 10 },
        { "too large: 90 d, 90 d", DAYS(90), "90d", DAYS(297) / 10 },
        { "too large: 90 d, 3650 d", DAYS(90), "3650d", DAYS(297) / 10 },
        { "too large: 6 d, 30 d", DAYS(6), "30d", DAYS(3) },
        { "too large: 160 h, 160 h", HOURS(160), "160h", HOURS(80) },
        { "too large: 20 s, 30 d", SECONDS(20), "30d", SECONDS(10) }
    };
    size_t i;

    (void)state;
    for (i = 0; i < ROWS(rows); i++) {
        const acme_window_t window = window_of(rows[i].window);
        const apr_time_t end = NOW + rows[i].life;
        const apr_time_t last = acme_renew_at(NOW, end, &window, CHANCE_MIN);
        const apr_time_t first = acme_renew_at(NOW, end, &window, CHANCE_MAX);

        if (last != end - rows[i].left) {
            fail_msg("%s: %" APR_TIME_T_FMT " us before the end, not %"
                     APR_TIME_T_FMT, rows[i].name, end - last, rows[i].left);
        }
        if (last <= NOW || last >= end || first <= NOW || first >= last) {
            fail_msg("%s: not within the lifetime", rows[i].name);
        }
        if (last - first > rows[i].life / 20
            || last - first < rows[i].life / 21) {
            fail_msg("%s: chance moves it by %" APR_TIME_T_FMT " us",
                     rows[i].name, last - first);
        }
    }
}

/* Whatever the lifetime and whatever was configured. */
static void renewal_is_within_the_lifetime(void **state)
{
    apr_interval_time_t life;
    acme_window_t window;
    int percent;

    (void)state;
    for (life = SECONDS(1); life < DAYS(3650); life = life * 3 / 2) {
        for (percent = 0; percent <= 99; percent++) {
            /* A part, and a duration of about that part. */
            int part = percent % 2;
            apr_time_t first, last;

            window.percent = part ? percent : 0;
            window.duration = part ? 0 : life / 90 * percent;
            first = acme_renew_at(NOW, NOW + life, &window, CHANCE_MAX);
            last = acme_renew_at(NOW, NOW + life, &window, CHANCE_MIN);
            if (first <= NOW || first > last || last >= NOW + life) {
                fail_msg("%" APR_TIME_T_FMT " us, %d: not within", life,
                         percent);
            }
        }
    }
}

static void chance_is_a_certificates_own(void **state)
{
    static const char *const serials[] = {
        "", "0", "1", "01", "10", "f", "03:a1", "04deadbeef", "04deadbef0",
        "ffffffffffffffffffffffffffffffffffffffff"
    };
    char serial[ACME_SERIAL_SIZE];
    int i, n, tenths[10] = { 0 };
    size_t row;

    (void)state;
    for (row = 0; row < ROWS(serials); row++) {
        n = acme_chance(serials[row]);
        assert_in_range(n, CHANCE_MIN, CHANCE_MAX);
        assert_int_equal(n, acme_chance(serials[row]));
    }
    assert_int_not_equal(acme_chance("04deadbeef"), acme_chance("04deadbef0"));

    /* Of many, about as many in each tenth: a thousand renewals spread. */
    for (i = 0; i < 10000; i++) {
        apr_snprintf(serial, sizeof(serial), "04%08x", i * 7919);
        tenths[acme_chance(serial) / 100]++;
    }
    for (i = 0; i < 10; i++) {
        assert_in_range(tenths[i], 800, 1200);
    }
}

static apr_interval_time_t wait_after(apr_uint32_t attempts,
                                      apr_interval_time_t life, int chance)
{
    acme_failure_t failure = { 0 };

    failure.attempts = attempts;
    failure.lifetime = life;
    failure.chance = chance;
    return acme_retry_at(&failure, NOW) - NOW;
}

static void waits_after_failures(void **state)
{
    static const struct {
        const char *name;
        apr_uint32_t attempts;
        apr_interval_time_t life;
        apr_interval_time_t wait;       /* a tenth more or less */
    } rows[] = {
        { "first", 1, 0, MINUTES(1) },
        { "second", 2, 0, MINUTES(10) },
        { "third", 3, 0, MINUTES(100) },
        { "fourth", 4, 0, DAYS(1) },
        { "fifth", 5, 0, DAYS(1) },
        { "hundredth", 100, 0, DAYS(1) },
        { "last that can be counted", APR_UINT32_MAX, 0, DAYS(1) },
        { "none counted", 0, 0, MINUTES(1) },

        { "90 d: first", 1, DAYS(90), MINUTES(1) },
        { "90 d: fourth", 4, DAYS(90), DAYS(1) },
        { "20 d: fourth", 4, DAYS(20), DAYS(1) },
        { "6 d: third", 3, DAYS(6), MINUTES(100) },
        { "6 d: fourth", 4, DAYS(6), DAYS(6) / 20 },
        { "1 h: first", 1, HOURS(1), MINUTES(1) },
        { "1 h: second", 2, HOURS(1), MINUTES(3) },
        { "1 h: tenth", 10, HOURS(1), MINUTES(3) },
        { "60 s: first", 1, SECONDS(60), SECONDS(3) },
        { "20 s: first", 1, SECONDS(20), SECONDS(1) },
        { "20 s: tenth", 10, SECONDS(20), SECONDS(1) },
        { "2 s: not more often than that", 1, SECONDS(2), SECONDS(1) }
    };
    size_t i;

    (void)state;
    for (i = 0; i < ROWS(rows); i++) {
        const apr_interval_time_t wait = rows[i].wait;
        const apr_interval_time_t least =
            wait_after(rows[i].attempts, rows[i].life, CHANCE_MIN);
        const apr_interval_time_t middle =
            wait_after(rows[i].attempts, rows[i].life, CHANCE_MIDDLE);
        const apr_interval_time_t most =
            wait_after(rows[i].attempts, rows[i].life, CHANCE_MAX);

        if (middle != wait) {
            fail_msg("%s: waits %" APR_TIME_T_FMT " us", rows[i].name,
                     middle);
        }
        if (least != wait - wait / 10 || most <= middle
            || most > wait + wait / 10 || most < wait + wait / 11) {
            fail_msg("%s: from %" APR_TIME_T_FMT " to %" APR_TIME_T_FMT " us",
                     rows[i].name, least, most);
        }
    }
}

/* From half of its life on, at the longest waits: how often is it tried? */
static void short_lived_ones_have_several_tries(void **state)
{
    static const apr_interval_time_t lives[] = {
        SECONDS(20), MINUTES(5), HOURS(1), HOURS(160), DAYS(6)
    };
    size_t i;

    (void)state;
    for (i = 0; i < ROWS(lives); i++) {
        apr_interval_time_t spent = 0;
        apr_uint32_t tries = 0;

        while (spent < lives[i] / 2) {
            spent += wait_after(++tries, lives[i], CHANCE_MAX);
        }
        assert_true(tries >= 9);
    }
}

static void the_ca_has_the_first_word(void **state)
{
    static const struct {
        const char *name;
        apr_interval_time_t said;       /* from now */
        apr_interval_time_t wait;
    } rows[] = {
        { "an hour", HOURS(1), HOURS(1) },
        { "a day", DAYS(1), DAYS(1) },
        { "longer than we'd ever wait", DAYS(9), DAYS(9) },
        { "sooner than we would", SECONDS(5), SECONDS(5) },
        { "at once", SECONDS(1) / 10, SECONDS(2) },
        { "now", 0, MINUTES(1) },
        { "in the past", -HOURS(1), MINUTES(1) }
    };
    acme_failure_t failure = { 0 };
    size_t i;

    (void)state;
    failure.attempts = 1;
    failure.chance = CHANCE_MIDDLE;
    for (i = 0; i < ROWS(rows); i++) {
        failure.retry_at = NOW + rows[i].said;
        if (acme_retry_at(&failure, NOW) != NOW + rows[i].wait) {
            fail_msg("%s: not heard", rows[i].name);
        }
    }

    /* Also when the certificate would like to be renewed sooner. */
    failure.retry_at = NOW + HOURS(1);
    failure.lifetime = SECONDS(20);
    assert_int_equal(acme_retry_at(&failure, NOW), NOW + HOURS(1));
}

#define AGREED 1
#define LIVE 1
#define COVERS 1
#define WANTED 1
#define ORDERING 1

/*
 * The certificate of a row is of 90 days, of which age have passed: to be
 * renewed at 60.3 days at the latest, and from 55.8 days on.
 */
static const struct {
    const char *name;
    int agreed, live, covers, wanted, ordering;
    apr_int64_t age;                    /* days */
    apr_uint32_t attempts;
    acme_retry_e retry;
    apr_interval_time_t next;           /* next_at, from now */
    acme_step_e step;
    enum { UNKNOWN, AT_ONCE, AT_NEXT, AT_RENEWAL } at;
} steps[] = {
    { "new", AGREED, 0, 0, 0, 0, 0, 0, 0, 0, ACME_STEP_ORDER, AT_ONCE },
    { "not agreed", 0, 0, 0, 0, 0, 0, 0, 0, 0, ACME_STEP_AGREE, UNKNOWN },
    { "not agreed, valid", 0, LIVE, COVERS, 0, 0, 5, 0, 0, 0,
      ACME_STEP_AGREE, UNKNOWN },
    { "not agreed, due", 0, LIVE, COVERS, 0, 0, 70, 0, 0, 0,
      ACME_STEP_AGREE, UNKNOWN },
    { "not agreed, wanted", 0, LIVE, COVERS, WANTED, 0, 5, 0, 0, 0,
      ACME_STEP_AGREE, UNKNOWN },
    { "not agreed, ordering", 0, 0, 0, 0, ORDERING, 0, 0, 0, 0,
      ACME_STEP_AGREE, UNKNOWN },

    { "valid", AGREED, LIVE, COVERS, 0, 0, 5, 0, 0, 0,
      ACME_STEP_RENEW, AT_RENEWAL },
    { "valid, not due for long", AGREED, LIVE, COVERS, 0, 0, 55, 0, 0, 0,
      ACME_STEP_RENEW, AT_RENEWAL },
    { "due", AGREED, LIVE, COVERS, 0, 0, 61, 0, 0, 0,
      ACME_STEP_ORDER, AT_ONCE },
    { "expired", AGREED, LIVE, COVERS, 0, 0, 91, 0, 0, 0,
      ACME_STEP_ORDER, AT_ONCE },
    { "a name was added", AGREED, LIVE, 0, 0, 0, 5, 0, 0, 0,
      ACME_STEP_ORDER, AT_ONCE },
    { "covers, but none is live", AGREED, 0, COVERS, 0, 0, 5, 0, 0, 0,
      ACME_STEP_ORDER, AT_ONCE },

    { "wanted", AGREED, LIVE, COVERS, WANTED, 0, 5, 0, 0, 0,
      ACME_STEP_ORDER, AT_ONCE },
    { "wanted after a failure", AGREED, LIVE, COVERS, WANTED, 0, 5, 4,
      ACME_RETRY_SOON, HOURS(20), ACME_STEP_ORDER, AT_ONCE },
    { "wanted though it can't succeed", AGREED, 0, 0, WANTED, 0, 0, 1,
      ACME_RETRY_NEVER, HOURS(1), ACME_STEP_ORDER, AT_ONCE },

    { "first order under way", AGREED, 0, 0, 0, ORDERING, 0, 0, 0, 0,
      ACME_STEP_FINISH, AT_ONCE },
    { "renewal under way", AGREED, LIVE, COVERS, 0, ORDERING, 61, 0, 0, 0,
      ACME_STEP_FINISH, AT_ONCE },
    { "order with a new name under way", AGREED, LIVE, 0, 0, ORDERING, 5, 0,
      0, 0, ACME_STEP_FINISH, AT_ONCE },
    { "under way, tried again", AGREED, 0, 0, 0, ORDERING, 0, 2,
      ACME_RETRY_SOON, -1, ACME_STEP_FINISH, AT_ONCE },

    { "failed, waits", AGREED, 0, 0, 0, 0, 0, 1, ACME_RETRY_SOON, MINUTES(1),
      ACME_STEP_RETRY, AT_NEXT },
    { "failed, waits its last us", AGREED, 0, 0, 0, 0, 0, 1, ACME_RETRY_SOON,
      1, ACME_STEP_RETRY, AT_NEXT },
    { "failed, waited", AGREED, 0, 0, 0, 0, 0, 1, ACME_RETRY_SOON, 0,
      ACME_STEP_ORDER, AT_ONCE },
    { "failed, waited long ago", AGREED, 0, 0, 0, 0, 0, 7, ACME_RETRY_SOON,
      -DAYS(400), ACME_STEP_ORDER, AT_ONCE },
    { "rate limited", AGREED, 0, 0, 0, 0, 0, 1, ACME_RETRY_LATER, HOURS(30),
      ACME_STEP_RETRY, AT_NEXT },
    { "due, failed, waits", AGREED, LIVE, COVERS, 0, 0, 61, 3,
      ACME_RETRY_SOON, MINUTES(100), ACME_STEP_RETRY, AT_NEXT },
    { "expired, failed, waits", AGREED, LIVE, COVERS, 0, 0, 91, 3,
      ACME_RETRY_SOON, MINUTES(100), ACME_STEP_RETRY, AT_NEXT },
    { "a new name failed, waits", AGREED, LIVE, 0, 0, 0, 5, 3,
      ACME_RETRY_SOON, MINUTES(100), ACME_STEP_RETRY, AT_NEXT },
    { "valid, failed when asked for", AGREED, LIVE, COVERS, 0, 0, 5, 1,
      ACME_RETRY_SOON, MINUTES(1), ACME_STEP_RENEW, AT_RENEWAL },
    { "succeeded: an old time counts no more", AGREED, LIVE, 0, 0, 0, 5, 0,
      ACME_RETRY_SOON, HOURS(1), ACME_STEP_ORDER, AT_ONCE },

    { "longest wait that the keeper writes", AGREED, 0, 0, 0, 0, 0, 9,
      ACME_RETRY_SOON, DAYS(2), ACME_STEP_RETRY, AT_NEXT },
    { "wrong clock: longer than that", AGREED, 0, 0, 0, 0, 0, 9,
      ACME_RETRY_SOON, DAYS(2) + 1, ACME_STEP_ORDER, AT_ONCE },
    { "wrong clock: years ahead", AGREED, 0, 0, 0, 0, 0, 9, ACME_RETRY_SOON,
      DAYS(7300), ACME_STEP_ORDER, AT_ONCE },
    { "wrong clock: due", AGREED, LIVE, COVERS, 0, 0, 61, 9, ACME_RETRY_LATER,
      DAYS(7300), ACME_STEP_ORDER, AT_ONCE },
    { "wrong clock: valid", AGREED, LIVE, COVERS, 0, 0, 5, 9, ACME_RETRY_SOON,
      DAYS(7300), ACME_STEP_RENEW, AT_RENEWAL },
    { "wrong clock: waits for a change", AGREED, 0, 0, 0, 0, 0, 9,
      ACME_RETRY_NEVER, DAYS(7300), ACME_STEP_CONFIGURE, UNKNOWN },

    { "can't succeed, none", AGREED, 0, 0, 0, 0, 0, 1, ACME_RETRY_NEVER,
      MINUTES(1), ACME_STEP_CONFIGURE, UNKNOWN },
    { "can't succeed, none, waited", AGREED, 0, 0, 0, 0, 0, 1,
      ACME_RETRY_NEVER, -DAYS(9), ACME_STEP_CONFIGURE, UNKNOWN },
    { "can't succeed, expired", AGREED, LIVE, COVERS, 0, 0, 91, 1,
      ACME_RETRY_NEVER, -DAYS(9), ACME_STEP_ORDER, AT_ONCE },
    { "can't succeed, due", AGREED, LIVE, COVERS, 0, 0, 61, 1,
      ACME_RETRY_NEVER, -MINUTES(1), ACME_STEP_ORDER, AT_ONCE },
    { "can't succeed, a new name", AGREED, LIVE, 0, 0, 0, 5, 1,
      ACME_RETRY_NEVER, -DAYS(1), ACME_STEP_CONFIGURE, UNKNOWN },
    { "can't succeed, valid", AGREED, LIVE, COVERS, 0, 0, 5, 1,
      ACME_RETRY_NEVER, MINUTES(1), ACME_STEP_RENEW, AT_RENEWAL },
    { "could not succeed, and then did", AGREED, 0, 0, 0, 0, 0, 0,
      ACME_RETRY_NEVER, 0, ACME_STEP_ORDER, AT_ONCE }
};

static void state_of_row(acme_state_t *state, size_t i)
{
    memset(state, 0, sizeof(*state));
    state->agreed = steps[i].agreed;
    state->live = steps[i].live;
    state->covers = steps[i].covers;
    state->wanted = steps[i].wanted;
    state->ordering = steps[i].ordering;
    state->attempts = steps[i].attempts;
    state->retry = steps[i].retry;
    state->next_at = NOW + steps[i].next;
    if (state->live) {
        state->not_before = NOW - DAYS(steps[i].age);
        state->not_after = state->not_before + DAYS(90);
        apr_cpystrn(state->serial, "04deadbeef", sizeof(state->serial));
    }
}

static void next_steps(void **unused)
{
    acme_state_t state;
    acme_next_t next;
    apr_time_t at;
    size_t i;

    (void)unused;
    for (i = 0; i < ROWS(steps); i++) {
        state_of_row(&state, i);
        next = acme_schedule_next(&state, NOW);
        if (next.step != steps[i].step) {
            fail_msg("%s: %s", steps[i].name, acme_step_word(next.step));
        }
        at = steps[i].at == UNKNOWN ? 0
           : steps[i].at == AT_ONCE ? NOW
           : steps[i].at == AT_NEXT ? state.next_at
           : acme_renew_at(state.not_before, state.not_after, &no_window,
                           acme_chance(state.serial));
        if (next.at != at) {
            fail_msg("%s: at now + %" APR_TIME_T_FMT " us", steps[i].name,
                     next.at - NOW);
        }
        if (acme_schedule_is_due(&state, NOW) != (steps[i].at == AT_ONCE)) {
            fail_msg("%s: is it due?", steps[i].name);
        }
    }
}

/* What is said to come at a time is due at that time, and not before. */
static void due_when_it_was_said(void **unused)
{
    acme_state_t state;
    acme_next_t next;
    size_t i;

    (void)unused;
    for (i = 0; i < ROWS(steps); i++) {
        state_of_row(&state, i);
        next = acme_schedule_next(&state, NOW);
        if (next.at <= NOW || state.retry == ACME_RETRY_NEVER) {
            continue;
        }
        if (acme_schedule_is_due(&state, next.at - 1)
            || !acme_schedule_is_due(&state, next.at)) {
            fail_msg("%s: not due when it was said", steps[i].name);
        }
    }
}

/* Its own window, and a time of its own within it. */
static void windows_and_chance_of_a_certificate(void **unused)
{
    acme_state_t state;
    apr_time_t a, b;

    (void)unused;
    memset(&state, 0, sizeof(state));
    state.agreed = state.live = state.covers = 1;
    state.not_before = NOW;
    state.not_after = NOW + DAYS(90);
    state.renew = window_of("12h");
    apr_cpystrn(state.serial, "04deadbeef", sizeof(state.serial));
    a = acme_schedule_next(&state, NOW).at;
    assert_true(a <= NOW + DAYS(90) - HOURS(12));
    assert_true(a > NOW + DAYS(90) - HOURS(12) - DAYS(90) / 20);

    apr_cpystrn(state.serial, "04deadbef0", sizeof(state.serial));
    b = acme_schedule_next(&state, NOW).at;
    assert_int_not_equal(a, b);

    /* A 20-second certificate is renewed when it is half as old. */
    state.renew = no_window;
    state.not_after = NOW + SECONDS(20);
    assert_false(acme_schedule_is_due(&state, NOW + SECONDS(9) - 1));
    assert_true(acme_schedule_is_due(&state, NOW + SECONDS(10)));
}

/* What was just installed is not ordered again, however wrong our clock is. */
static void a_new_one_rests(void **unused)
{
    static const struct {
        const char *name;
        apr_interval_time_t begun;      /* from now */
        apr_interval_time_t installed;  /* from now */
        apr_interval_time_t rests;      /* from now; 0: as it always is */
    } rows[] = {
        { "clock right", 0, 0, 0 },
        { "clock right, backdated", -HOURS(1), 0, 0 },
        { "clock years ahead", -DAYS(7300), 0, DAYS(90) / 20 },
        { "clock years ahead, a while ago", -DAYS(7300), -DAYS(4),
          DAYS(90) / 20 - DAYS(4) },
        { "clock behind", DAYS(400), 0, 0 },
        { "clock was ahead, and then set", -DAYS(1), DAYS(7300), 0 },
        { "installed when it was to be renewed", -DAYS(70), 0,
          DAYS(90) / 20 }
    };
    acme_state_t state;
    acme_next_t next;
    apr_time_t at;
    size_t i;

    (void)unused;
    for (i = 0; i < ROWS(rows); i++) {
        memset(&state, 0, sizeof(state));
        state.agreed = state.live = state.covers = 1;
        state.not_before = NOW + rows[i].begun;
        state.not_after = state.not_before + DAYS(90);
        state.installed = NOW + rows[i].installed;
        next = acme_schedule_next(&state, NOW);
        at = rows[i].rests ? NOW + rows[i].rests
           : acme_renew_at(state.not_before, state.not_after, &no_window,
                           acme_chance(""));
        if (next.step != ACME_STEP_RENEW || next.at != at
            || acme_schedule_is_due(&state, at - 1)
            || !acme_schedule_is_due(&state, at)) {
            fail_msg("%s: %s at now + %" APR_TIME_T_FMT " us", rows[i].name,
                     acme_step_word(next.step), next.at - NOW);
        }
    }

    /* Unless the administrator wants it, or a name is missing. */
    state.wanted = 1;
    assert_true(acme_schedule_is_due(&state, NOW));
    state.wanted = 0;
    state.covers = 0;
    assert_true(acme_schedule_is_due(&state, NOW));
}

static void words(void **unused)
{
    static const struct {
        acme_step_e step;
        const char *word;
    } rows[] = {
        { ACME_STEP_ORDER, "order" }, { ACME_STEP_RENEW, "renew" },
        { ACME_STEP_RETRY, "retry" }, { ACME_STEP_CONFIGURE, "configure" },
        { ACME_STEP_AGREE, "agree" }, { ACME_STEP_FINISH, "finish" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < ROWS(rows); i++) {
        assert_string_equal(acme_step_word(rows[i].step), rows[i].word);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_of_renewal),
        cmocka_unit_test(renewal_is_within_the_lifetime),
        cmocka_unit_test(chance_is_a_certificates_own),
        cmocka_unit_test(waits_after_failures),
        cmocka_unit_test(short_lived_ones_have_several_tries),
        cmocka_unit_test(the_ca_has_the_first_word),
        cmocka_unit_test(next_steps),
        cmocka_unit_test(due_when_it_was_said),
        cmocka_unit_test(windows_and_chance_of_a_certificate),
        cmocka_unit_test(a_new_one_rests),
        cmocka_unit_test(words)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
