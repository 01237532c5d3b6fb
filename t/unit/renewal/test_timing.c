/*
 * test_timing.c - when to try again, at which CA, and when to ask it.
 */
#include "acme_timing.h"
#include "live.h"

static apr_interval_time_t wait_after(apr_uint32_t attempts,
                                      apr_interval_time_t life, int chance)
{
    acme_failure_t failure = { 0 };

    failure.attempts = attempts;
    failure.lifetime = life;
    failure.chance = chance;
    return acme_timing_retry_at(&failure, NOW) - NOW;
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
    for (i = 0; i < COUNT(rows); i++) {
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
    for (i = 0; i < COUNT(lives); i++) {
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
    for (i = 0; i < COUNT(rows); i++) {
        failure.retry_at = NOW + rows[i].said;
        if (acme_timing_retry_at(&failure, NOW) != NOW + rows[i].wait) {
            fail_msg("%s: not heard", rows[i].name);
        }
    }

    /* Also when the certificate would like to be renewed sooner. */
    failure.retry_at = NOW + HOURS(1);
    failure.lifetime = SECONDS(20);
    assert_int_equal(acme_timing_retry_at(&failure, NOW), NOW + HOURS(1));
}

static void picks_in_a_window(void **unused)
{
    static const struct {
        const char *name;
        apr_interval_time_t start, end; /* from now */
        int chance;
        apr_interval_time_t pick;       /* from now */
    } rows[] = {
        { "its start", DAYS(1), DAYS(4), CHANCE_MIN, DAYS(1) },
        { "its middle", DAYS(1), DAYS(4), CHANCE_MIDDLE, DAYS(2) },
        { "its last third is left", DAYS(1), DAYS(4), CHANCE_MAX,
          DAYS(3) - DAYS(2) / 1000 },
        { "within it: still to come", -DAYS(1), DAYS(5), CHANCE_MIDDLE,
          DAYS(1) },
        { "within it: past", -DAYS(1), DAYS(5), CHANCE_MIN, 0 },
        { "within it: all that is drawn is past", -DAYS(9), DAYS(1),
          CHANCE_MAX, 0 },
        { "past", -DAYS(4), -DAYS(1), CHANCE_MIDDLE, 0 },
        { "ends now", -DAYS(4), 0, CHANCE_MAX, 0 },
        { "short", SECONDS(1), SECONDS(4), CHANCE_MIDDLE, SECONDS(2) },
        { "a microsecond", SECONDS(1), SECONDS(1) + 1, CHANCE_MAX,
          SECONDS(1) }
    };
    apr_time_t pick;
    size_t i;
    int c;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const apr_time_t start = NOW + rows[i].start;
        const apr_time_t end = NOW + rows[i].end;

        pick = acme_timing_pick_draw(start, end, NOW, rows[i].chance);
        if (pick != NOW + rows[i].pick) {
            fail_msg("%s: now + %" APR_TIME_T_FMT " us", rows[i].name,
                     pick - NOW);
        }
        for (c = CHANCE_MIN; c <= CHANCE_MAX; c++) {
            pick = acme_timing_pick_draw(start, end, NOW, c);
            if (pick < NOW || (pick > NOW
                && (pick < start || pick > end - (end - start) / 3))) {
                fail_msg("%s: %d: not within", rows[i].name, c);
            }
        }
    }

    /* None at all. (9773, 4.2) */
    assert_int_equal(acme_timing_pick_draw(NOW + 5, NOW + 5, NOW, 0), 0);
    assert_int_equal(acme_timing_pick_draw(NOW + 5, NOW + 4, NOW, 0), 0);
    assert_int_equal(acme_timing_pick_draw(NOW, NOW - DAYS(1), NOW, 0), 0);
}

static void waits_after_failures_with_a_window(void **unused)
{
    static const struct {
        const char *name;
        apr_interval_time_t rest;       /* of the window; below 0: over */
        apr_uint32_t attempts;
        apr_interval_time_t life;
        apr_interval_time_t least;      /* and up to a tenth more */
    } rows[] = {
        { "90 d: at its middle", HOURS(18), 1, DAYS(90), HOURS(3) },
        { "90 d: whatever failed before", HOURS(18), 9, DAYS(90), HOURS(3) },
        { "160 h", MINUTES(96), 1, HOURS(160), MINUTES(16) },
        { "160 h: towards its end", MINUTES(60), 2, HOURS(160), MINUTES(12) },
        { "160 h: at its end", 1, 5, HOURS(160), MINUTES(12) },
        { "a long one", DAYS(30), 1, DAYS(200), DAYS(1) },
        { "1 h: a twentieth is sooner", MINUTES(30), 1, HOURS(1),
          MINUTES(3) },
        { "20 s: a twentieth is sooner", SECONDS(5), 1, SECONDS(20),
          SECONDS(1) }
    };
    static const struct {
        const char *name;
        apr_uint32_t attempts;
        apr_interval_time_t life;
        apr_interval_time_t wait;       /* a tenth more or less */
    } afterwards[] = {
        { "first", 1, DAYS(90), MINUTES(1) },
        { "second", 2, DAYS(90), MINUTES(10) },
        { "third", 3, DAYS(90), MINUTES(100) },
        { "fourth", 4, DAYS(90), MINUTES(100) },
        { "hundredth", 100, DAYS(90), MINUTES(100) },
        { "a twentieth", 100, HOURS(20), MINUTES(60) },
        { "20 s", 1, SECONDS(20), SECONDS(1) }
    };
    acme_failure_t failure = { 0 };
    apr_interval_time_t wait;
    size_t i;
    int c;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        for (c = CHANCE_MIN; c <= CHANCE_MAX; c++) {
            failure.attempts = rows[i].attempts;
            failure.lifetime = rows[i].life;
            failure.window_end = NOW + rows[i].rest;
            failure.chance = c;
            wait = acme_timing_retry_at(&failure, NOW) - NOW;
            if (wait < rows[i].least
                || wait > rows[i].least + rows[i].least / 10) {
                fail_msg("%s: %d: waits %" APR_TIME_T_FMT " us",
                         rows[i].name, c, wait);
            }
        }
        failure.retry_at = NOW + HOURS(7);
        assert_int_equal(acme_timing_retry_at(&failure, NOW), NOW + HOURS(7));
        failure.retry_at = 0;
    }

    failure.chance = CHANCE_MIDDLE;
    for (i = 0; i < COUNT(afterwards); i++) {
        failure.attempts = afterwards[i].attempts;
        failure.lifetime = afterwards[i].life;
        failure.window_end = NOW - SECONDS(i);
        wait = acme_timing_retry_at(&failure, NOW) - NOW;
        if (wait != afterwards[i].wait) {
            fail_msg("after it: %s: waits %" APR_TIME_T_FMT " us",
                     afterwards[i].name, wait);
        }
    }
}

/* From the pick on, how often does the CA see it within its window? */
static void several_tries_in_a_window(void **unused)
{
    static const struct {
        apr_interval_time_t life, window;
    } rows[] = {
        { DAYS(90), HOURS(43) }, { DAYS(45), MINUTES(1296) },
        { HOURS(160), MINUTES(192) }
    };
    acme_failure_t failure = { 0 };
    apr_time_t now;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        failure.attempts = 0;
        failure.lifetime = rows[i].life;
        failure.window_end = NOW + rows[i].window;
        failure.chance = CHANCE_MAX;
        now =
            acme_timing_pick_draw(NOW, failure.window_end, NOW, CHANCE_MAX);
        while (now < failure.window_end) {
            failure.attempts++;
            now = acme_timing_retry_at(&failure, now);
        }
        assert_true(failure.attempts >= 5);
    }
}

static void cas_take_turns_quickly(void **unused)
{
    static const struct {
        apr_uint32_t cas, attempts;
        apr_interval_time_t retry_at;   /* from now */
        apr_interval_time_t wait;       /* 0: a few seconds */
    } rows[] = {
        { 1, 1, 0, MINUTES(1) }, { 1, 2, 0, MINUTES(10) },
        { 0, 1, 0, MINUTES(1) }, { 0, 4, 0, DAYS(1) },
        { 2, 1, 0, 0 }, { 2, 2, 0, MINUTES(1) },
        { 2, 3, 0, 0 }, { 2, 4, 0, MINUTES(10) },
        { 2, 5, 0, 0 }, { 2, 6, 0, MINUTES(100) },
        { 2, 8, 0, DAYS(1) }, { 2, 9, 0, 0 },
        { 3, 1, 0, 0 }, { 3, 2, 0, 0 }, { 3, 3, 0, MINUTES(1) },
        { 3, 4, 0, 0 }, { 3, 5, 0, 0 }, { 3, 6, 0, MINUTES(10) },
        { 3, 12, 0, DAYS(1) }, { 3, 300, 0, DAYS(1) },
        { 2, 1, HOURS(5), 0 }, { 2, 2, HOURS(5), HOURS(5) }
    };
    acme_failure_t failure = { 0 };
    apr_interval_time_t wait;
    size_t i;
    int c;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        failure.cas = rows[i].cas;
        failure.attempts = rows[i].attempts;
        failure.retry_at = rows[i].retry_at ? NOW + rows[i].retry_at : 0;
        for (c = CHANCE_MIN; c <= CHANCE_MAX; c++) {
            failure.chance = c;
            wait = acme_timing_retry_at(&failure, NOW) - NOW;
            if (rows[i].wait ? wait < rows[i].wait - rows[i].wait / 10
                               || wait > rows[i].wait + rows[i].wait / 10
                             : wait < SECONDS(2) || wait > SECONDS(4)) {
                fail_msg("%d CAs, failure %d: waits %" APR_TIME_T_FMT " us",
                         (int)rows[i].cas, (int)rows[i].attempts, wait);
            }
        }
    }
}

static void a_failure_of_a_state(void **unused)
{
    acme_state_t state;
    acme_failure_t failure;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 2);
    state.attempts = 3;
    set_window(&state, NOW - HOURS(1), NOW + HOURS(1), NOW);
    failure = acme_timing_failure(&state, NOW + 5, NOW, 7);
    assert_int_equal(failure.attempts, 4);
    assert_int_equal(failure.retry_at, NOW + 5);
    assert_int_equal(failure.lifetime, DAYS(90));
    assert_int_equal(failure.chance, 7);
    assert_int_equal(failure.window_end, NOW + HOURS(1));
    assert_int_equal(failure.cas, 0);

    /* The window is over, but was there; it is to come; it counts no more. */
    set_window(&state, NOW - HOURS(3), NOW - HOURS(1), NOW - HOURS(2));
    failure = acme_timing_failure(&state, 0, NOW, 7);
    assert_int_equal(failure.window_end, NOW - HOURS(1));
    set_window(&state, NOW + HOURS(1), NOW + HOURS(3), NOW + HOURS(2));
    failure = acme_timing_failure(&state, 0, NOW, 7);
    assert_int_equal(failure.window_end, 0);
    set_window(&state, NOW - HOURS(1), NOW + HOURS(1), NOW);
    state.revoked = 1;
    failure = acme_timing_failure(&state, 0, NOW, 7);
    assert_int_equal(failure.window_end, 0);
    assert_int_equal(failure.cas, 0);

    /* Expired: the site is down. */
    state.revoked = 0;
    state.not_after = NOW;
    failure = acme_timing_failure(&state, 0, NOW, 7);
    assert_int_equal(failure.window_end, 0);
    assert_int_equal(failure.cas, 2);

    state.live = 0;
    state.not_after = state.not_before = 0;
    failure = acme_timing_failure(&state, 0, NOW, 7);
    assert_int_equal(failure.lifetime, 0);
    assert_int_equal(failure.cas, 2);
}

static void turns_without_a_live_one(void **unused)
{
    static const struct {
        const char *name;
        apr_uint32_t cas, attempts;
        unsigned char open[3];
        apr_uint32_t ca;
    } rows[] = {
        { "one CA", 1, 0, { 0 }, 0 },
        { "one CA, failed", 1, 5, { 0 }, 0 },
        { "one CA, open", 1, 5, { 1 }, 0 },
        { "none at all", 0, 5, { 0 }, 0 },
        { "two: first", 2, 0, { 0 }, 0 },
        { "two: second", 2, 1, { 0 }, 1 },
        { "two: first again", 2, 2, { 0 }, 0 },
        { "three: second", 3, 1, { 0 }, 1 },
        { "three: third", 3, 2, { 0 }, 2 },
        { "three: first again", 3, 3, { 0 }, 0 },
        { "three: many", 3, 100, { 0 }, 1 },
        { "three: last that can be counted", 3, APR_UINT32_MAX, { 0 }, 0 },
        { "first is open", 3, 0, { 1, 0, 0 }, 1 },
        { "two are open", 3, 0, { 1, 1, 0 }, 2 },
        { "last is open", 3, 2, { 0, 0, 1 }, 0 },
        { "its turn, others are open", 3, 1, { 1, 0, 1 }, 1 },
        { "all are open: as if none were", 3, 1, { 1, 1, 1 }, 1 }
    };
    acme_state_t state;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        memset(&state, 0, sizeof(state));
        state.agreed = 1;
        state.cas = rows[i].cas;
        state.attempts = rows[i].attempts;
        if (acme_timing_ca(&state, NOW, rows[i].open) != rows[i].ca) {
            fail_msg("%s: %d", rows[i].name,
                     (int)acme_timing_ca(&state, NOW, rows[i].open));
        }
    }
    assert_int_equal(acme_timing_ca(&state, NOW, NULL), 1);
}

/*
 * The pick is at two thirds of the life, warnings begin at nine tenths: shares
 * are of the time between. part is in thousandths of the life.
 */
static void shares_of_the_time(void **unused)
{
    static const apr_interval_time_t lives[] = {
        DAYS(90), DAYS(47), DAYS(6), SECONDS(20)
    };
    static const struct {
        const char *name;
        apr_uint32_t cas, attempts;
        int part;
        unsigned char open[3];
        apr_uint32_t ca;
    } rows[] = {
        { "one: at first", 1, 0, 670, { 0 }, 0 },
        { "one: at last", 1, 9, 899, { 0 }, 0 },
        { "one: in turns with itself", 1, 9, 950, { 0 }, 0 },
        { "two: no failure", 2, 0, 670, { 0 }, 0 },
        { "two: no failure, late", 2, 0, 890, { 0 }, 0 },
        { "two: no failure, too late", 2, 0, 950, { 0 }, 0 },
        { "two: not due, it was wanted", 2, 1, 300, { 0 }, 0 },
        { "two: first share", 2, 1, 670, { 0 }, 0 },
        { "two: first share, many failures", 2, 99, 780, { 0 }, 0 },
        { "two: second share", 2, 1, 785, { 0 }, 1 },
        { "two: second share, many failures", 2, 99, 899, { 0 }, 1 },
        { "two: warned of, turns", 2, 9, 901, { 0 }, 1 },
        { "two: warned of, the other turn", 2, 10, 901, { 0 }, 0 },
        { "two: expired, turns", 2, 10, 1001, { 0 }, 0 },
        { "three: first share", 3, 7, 740, { 0 }, 0 },
        { "three: second share", 3, 7, 750, { 0 }, 1 },
        { "three: second share ends", 3, 7, 820, { 0 }, 1 },
        { "three: third share", 3, 7, 825, { 0 }, 2 },
        { "three: third share ends", 3, 7, 899, { 0 }, 2 },
        { "three: warned of, turns", 3, 7, 930, { 0 }, 1 },
        { "three: no failure, open", 3, 0, 670, { 1, 0, 0 }, 1 },
        { "three: second share, open", 3, 7, 750, { 0, 1, 0 }, 2 },
        { "three: third share, open", 3, 7, 850, { 0, 0, 1 }, 0 },
        { "three: all open", 3, 7, 850, { 1, 1, 1 }, 2 }
    };
    acme_state_t state;
    apr_time_t pick;
    size_t i, l;

    (void)unused;
    for (l = 0; l < COUNT(lives); l++) {
        for (i = 0; i < COUNT(rows); i++) {
            make_live(&state, lives[l], lives[l] / 1000 * rows[i].part,
                      rows[i].cas);
            pick = state.not_before + lives[l] / 3 * 2;
            set_window(&state, pick, pick + lives[l] / 50, pick);
            state.attempts = rows[i].attempts;
            if (acme_timing_ca(&state, NOW, rows[i].open) != rows[i].ca) {
                fail_msg("%" APR_TIME_T_FMT " us: %s: %d", lives[l],
                         rows[i].name,
                         (int)acme_timing_ca(&state, NOW, rows[i].open));
            }
        }
    }
}

/* What doesn't divide evenly is the last one's. */
static void the_last_share_is_whole(void **unused)
{
    acme_state_t state;
    apr_time_t warn_at, pick;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(60), 3);
    warn_at = acme_state_warn_at(&state, state.not_after);
    pick = warn_at - 3 * MINUTES(1) - 2;
    set_window(&state, pick, pick + DAYS(1), pick);
    state.attempts = 7;
    assert_int_equal(acme_timing_ca(&state, warn_at - 1, NULL), 2);
}

/* Whatever fails from the renewal on: each is tried while there is time. */
static void each_ca_is_tried_in_time(void **unused)
{
    static const apr_interval_time_t lives[] = {
        DAYS(90), DAYS(47), DAYS(6), SECONDS(20)
    };
    acme_state_t state;
    apr_interval_time_t in_time;
    apr_time_t now, warn_at;
    apr_uint32_t tries[3], ca, cas, last;
    size_t l;

    (void)unused;
    for (l = 0; l < COUNT(lives); l++) {
        for (cas = 1; cas <= 3; cas++) {
            make_live(&state, lives[l], 0, cas);
            memset(tries, 0, sizeof(tries));
            warn_at = acme_state_warn_at(&state, state.not_after);
            now = acme_next_step(&state, NOW).at;
            in_time = warn_at - now;
            assert_true(in_time > 0);
            for (last = 0; now < warn_at; last = ca) {
                acme_failure_t failure;

                ca = acme_timing_ca(&state, now, NULL);
                assert_in_range(ca, last, cas - 1);
                tries[ca]++;
                failure = acme_timing_failure(&state, 0, now, CHANCE_MIDDLE);
                state.attempts++;
                state.next_at = acme_timing_retry_at(&failure, now);
                now = acme_next_step(&state, now).at;
            }
            for (ca = 0; ca < cas; ca++) {
                assert_true(tries[ca] >= 2);
            }
        }
    }
}

/* What can't wait for shares of the time. */
static void pressing_ones_take_turns(void **unused)
{
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 2);
    state.attempts = 1;
    assert_int_equal(acme_timing_ca(&state, NOW, NULL), 0);
    state.covers = 0;
    assert_int_equal(acme_timing_ca(&state, NOW, NULL), 1);
    state.covers = 1;
    state.revoked = 1;
    assert_int_equal(acme_timing_ca(&state, NOW, NULL), 1);
    state.attempts = 0;
    assert_int_equal(acme_timing_ca(&state, NOW, NULL), 0);

    /* Renewed only after the warning. */
    state.revoked = 0;
    state.attempts = 1;
    state.renew = window_of("1d");
    state.not_after = NOW + HOURS(12);
    assert_int_equal(acme_timing_ca(&state, NOW, NULL), 1);
}

static void when_replaces_is_sent(void **unused)
{
    acme_state_t state, other;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 2);
    state.issued_by = 1;
    assert_true(acme_timing_replaces(&state, 1, 0, NOW));
    assert_false(acme_timing_replaces(&state, 0, 0, NOW));
    assert_false(acme_timing_replaces(&state, 1, 1, NOW));

    assert_true(
        acme_timing_replaces(&state, 1, 0, state.not_after - DAYS(90) / 20));
    assert_false(acme_timing_replaces(&state, 1, 0,
                                      state.not_after - DAYS(90) / 20 + 1));
    assert_false(acme_timing_replaces(&state, 1, 0, state.not_after));

    other = state;
    other.live = 0;
    assert_false(acme_timing_replaces(&other, 1, 0, NOW));
    other = state;
    other.cert_id[0] = '\0';
    assert_false(acme_timing_replaces(&other, 1, 0, NOW));
    other = state;
    other.use_renewal_info = 0;
    assert_false(acme_timing_replaces(&other, 1, 0, NOW));
    other = state;
    other.issued_by = ACME_NO_CA;
    assert_false(acme_timing_replaces(&other, 1, 0, NOW));
    assert_false(acme_timing_replaces(&other, ACME_NO_CA, 0, NOW));
}

/* Each refused certificate counts at the CA; one is tried again at once. */
static void when_to_order_after_a_refused_certificate(void **unused)
{
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 1);
    state.why = ACME_REASON_CHAIN_REFUSED;
    assert_int_equal(acme_timing_refused_at(&state, NOW), 0);
    state.attempts = 1;
    assert_int_equal(acme_timing_refused_at(&state, NOW), NOW + DAYS(1));
    state.why = ACME_REASON_CA_ERROR;
    assert_int_equal(acme_timing_refused_at(&state, NOW), 0);

    make_live(&state, DAYS(6), DAYS(4), 1);
    state.why = ACME_REASON_CHAIN_REFUSED;
    state.attempts = 3;
    assert_int_equal(acme_timing_refused_at(&state, NOW), NOW + DAYS(6) / 20);
    state.live = 0;
    assert_int_equal(acme_timing_refused_at(&state, NOW), NOW + DAYS(1));
}

static void when_to_ask(void **unused)
{
    acme_state_t state, other;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 1);
    assert_int_equal(acme_timing_ask_at(&state, NOW), NOW);
    state.ask_at = NOW + HOURS(5);
    assert_int_equal(acme_timing_ask_at(&state, NOW), NOW + HOURS(5));
    assert_int_equal(acme_timing_ask_at(&state, NOW + HOURS(7)),
                     NOW + HOURS(7));

    /* No wait is so long: the clock was wrong. */
    state.ask_at = NOW + DAYS(400);
    assert_int_equal(acme_timing_ask_at(&state, NOW), NOW);

    other = state;
    other.live = 0;
    assert_int_equal(acme_timing_ask_at(&other, NOW), 0);
    other = state;
    other.cert_id[0] = '\0';
    assert_int_equal(acme_timing_ask_at(&other, NOW), 0);
    other = state;
    other.use_renewal_info = 0;
    assert_int_equal(acme_timing_ask_at(&other, NOW), 0);
    other = state;
    other.issued_by = ACME_NO_CA;
    assert_int_equal(acme_timing_ask_at(&other, NOW), 0);
    assert_int_equal(acme_timing_ask_at(&state, state.not_after), 0);
    assert_int_equal(acme_timing_ask_at(&state, state.not_after - 1),
                     state.not_after - 1);
}

static void when_to_ask_again(void **unused)
{
    static const struct {
        const char *name;
        apr_uint32_t failures;
        apr_interval_time_t said;       /* from now; 0: nothing */
        apr_interval_time_t wait;
    } rows[] = {
        { "a good answer", 0, HOURS(3), HOURS(3) },
        { "a good answer, in a second", 0, SECONDS(1), MINUTES(1) },
        { "a good answer, in the past", 0, -HOURS(1), MINUTES(1) },
        { "a good answer, in a year", 0, DAYS(365), DAYS(1) },
        { "a lasting error", 0, 0, HOURS(6) },
        { "first", 1, 0, MINUTES(1) },
        { "second", 2, 0, MINUTES(2) },
        { "third", 3, 0, MINUTES(4) },
        { "ninth", 9, 0, MINUTES(256) },
        { "tenth", 10, 0, HOURS(6) },
        { "last that can be counted", APR_UINT32_MAX, 0, HOURS(6) },
        { "third, at its word", 3, HOURS(2), HOURS(2) }
    };
    apr_interval_time_t wait, off;
    size_t i;
    int c;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        off = rows[i].said ? 0 : rows[i].wait / 10;
        for (c = CHANCE_MIN; c <= CHANCE_MAX; c++) {
            wait = acme_timing_ask_retry(rows[i].failures,
                                         rows[i].said ? NOW + rows[i].said : 0,
                                         NOW, c)
                   - NOW;
            if (wait < rows[i].wait - off || wait > rows[i].wait + off
                || (c == CHANCE_MIDDLE && wait != rows[i].wait)) {
                fail_msg("%s: %d: %" APR_TIME_T_FMT " us", rows[i].name, c,
                         wait);
            }
        }
    }
}

/* Looks at a CA that takes its time. */

#define MSEC(n) apr_time_from_msec(n)

static const acme_look_bounds_t bounds = { MSEC(20), SECONDS(10) };

static void when_to_look(void **state)
{
    static const struct {
        const char *name;
        apr_uint32_t at_once, n, values[ACME_PACE_KEPT];
        apr_interval_time_t before, look;
    } rows[] = {
        { "nothing is known", 0, 0, { 0 }, 0, MSEC(20) },
        { "and then", 0, 0, { 0 }, MSEC(20), MSEC(60) },
        { "and then", 0, 0, { 0 }, MSEC(60), MSEC(140) },
        { "ten seconds later, at last", 0, 0, { 0 }, SECONDS(30),
          SECONDS(40) },
        { "one is known", 0, 1, { 500 }, 0, MSEC(500) },
        { "the median", 0, 5, { 900, 100, 300, 500, 9000 }, 0, MSEC(500) },
        { "the newest, as it is less", 0, 3, { 200, 400, 500 }, 0,
          MSEC(200) },
        { "the newest ones, as they are more", 0, 7,
          { 900, 700, 800, 400, 400, 400, 400 }, 0, MSEC(700) },
        { "at once, twice", 2, 2, { 400, 400 }, 0, MSEC(400) },
        { "three times: an eighth less", 3, 3, { 400, 400, 400 }, 0,
          MSEC(350) },
        { "that sufficed: a quarter", 4, 3, { 350, 400, 400 }, 0,
          MSEC(350) - MSEC(350) / 4 },
        { "and again: the half", 5, 3, { 200, 400, 400 }, 0, MSEC(100) },
        { "but not at once", 15, 3, { 6, 6, 6 }, 0, MSEC(5) },
        { "measured as nothing", 0, 3, { 0, 0, 0 }, 0, MSEC(5) },
        { "too early: the usual time", 0, 3, { 400, 400, 400 }, MSEC(350),
          MSEC(400) },
        { "the median, above the newest", 0, 3, { 400, 500, 500 },
          MSEC(400), MSEC(500) },
        { "the newest, above the median", 0, 3, { 900, 400, 400 },
          MSEC(400), MSEC(900) },
        { "neither: half more", 0, 3, { 400, 400, 400 }, MSEC(400),
          MSEC(620) },
        { "one that hung is not waited for", 0, 3, { 9000, 400, 400 },
          MSEC(400), MSEC(620) },
        { "not more than ten seconds", 0, 1, { ACME_PACE_MAX },
          SECONDS(30), SECONDS(40) },
        { "hostile", APR_UINT32_MAX, APR_UINT32_MAX,
          { APR_UINT32_MAX, APR_UINT32_MAX }, 0, MSEC(5) },
        { "hostile", 0, 1, { APR_UINT32_MAX }, 0, SECONDS(10) }
    };
    apr_interval_time_t look;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_pace_t pace = { .n = rows[i].n,
                                   .at_once = rows[i].at_once };
        acme_pace_t known = pace;

        memcpy(known.values, rows[i].values, sizeof(known.values));
        look = acme_timing_look(&known, rows[i].before, &bounds);
        if (look != rows[i].look) {
            fail_msg("%s: after %" APR_TIME_T_FMT " us", rows[i].name, look);
        }
    }
}

/* An order at a CA that takes so long; how many looks, and the time lost. */
static unsigned wait_for_ca(acme_pace_t *pace, apr_interval_time_t takes,
                            apr_interval_time_t *plost)
{
    apr_interval_time_t look = 0;
    unsigned looks = 0;

    do {
        look = acme_timing_look(pace, look, &bounds);
        looks++;
    } while (look < takes);
    acme_ca_pace_add(pace, (apr_uint32_t)apr_time_as_msec(look), looks);
    *plost = look - takes;
    return looks;
}

/* From the third order on: seldom more than one look, and little is lost. */
static void a_ca_that_is_always_as_fast(void **state)
{
    static const int takes[] = { 1, 5, 30, 100, 333, 1000, 2000, 5000, 9000 };
    apr_interval_time_t lost;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(takes); i++) {
        acme_pace_t pace = { .n = 0 };
        unsigned looks = 0, worst = 0;
        int k;

        (void)wait_for_ca(&pace, MSEC(takes[i]), &lost);
        for (k = 0; k < 100; k++) {
            const unsigned n = wait_for_ca(&pace, MSEC(takes[i]), &lost);

            looks += n;
            worst = n > worst ? n : worst;
        }
        if (looks > 130 || worst > 3 || lost > MSEC(takes[i]) / 4 + MSEC(5)) {
            fail_msg("%d ms: %u looks, at most %u, %" APR_TIME_T_FMT
                     " us lost", takes[i], looks, worst, lost);
        }
    }
}

/* After how many orders do three in a row go well again? */
static unsigned orders_until_known(acme_pace_t *pace, int takes)
{
    apr_interval_time_t lost;
    unsigned orders = 0, in_a_row = 0;

    while (in_a_row < 3 && orders < 1000) {
        const unsigned looks = wait_for_ca(pace, MSEC(takes), &lost);

        in_a_row = looks <= 2 && lost <= MSEC(takes) / 2 + MSEC(10)
            ? in_a_row + 1 : 0;
        orders++;
    }
    return orders;
}

static void a_ca_that_changes(void **state)
{
    static const struct { int before, after; unsigned most; } rows[] = {
        { 100, 5000, 12 }, { 1000, 3000, 12 }, { 1000, 1300, 12 },
        { 5000, 100, 20 }, { 3000, 1000, 20 }, { 1000, 700, 20 },
        { 5, 9000, 10 }, { 9000, 5, 20 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_pace_t pace = { .n = 0 };
        unsigned orders;
        int k;

        for (k = 0; k < 20; k++) {
            (void)orders_until_known(&pace, rows[i].before);
        }
        orders = orders_until_known(&pace, rows[i].after);
        if (orders > rows[i].most) {
            fail_msg("%d to %d ms: after %u orders", rows[i].before,
                     rows[i].after, orders);
        }
    }
}

/* From nothing to as much as given: at most one look more, on average. */
static void a_ca_with_whims(void **state)
{
    static const int most[] = { 20, 300, 2000, 5000 };
    apr_interval_time_t lost;
    unsigned dice = 1;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(most); i++) {
        acme_pace_t pace = { .n = 0 };
        apr_interval_time_t all = 0;
        unsigned looks = 0;
        int k;

        for (k = 0; k < 1000; k++) {
            dice = dice * 1103515245 + 12345;
            looks += wait_for_ca(&pace,
                                 MSEC(most[i]) * (dice >> 16 & 1023) / 1024,
                                 &lost);
            all += lost;
        }
        if (looks > 2000 || all / 1000 > MSEC(most[i]) / 2 + MSEC(5)) {
            fail_msg("up to %d ms: %u looks, %" APR_TIME_T_FMT " us lost",
                     most[i], looks, all / 1000);
        }
    }
}

/* What a worker says costs requests and seconds, and no more. */
static void a_worker_that_lies(void **state)
{
    static const apr_uint32_t lies[] = { 0, 1, ACME_PACE_MAX,
                                         APR_UINT32_MAX };
    apr_interval_time_t lost;
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < COUNT(lies); i++) {
        acme_pace_t pace = { .n = 0 };

        for (k = 0; k < 100; k++) {
            acme_ca_pace_add(&pace, lies[i], (apr_uint32_t)k % 3);
        }
        assert_true(wait_for_ca(&pace, MSEC(1000), &lost) <= 12);
        assert_true(lost <= bounds.longest);
    }
}

static void when_to_look_at_a_validation(void **state)
{
    static const struct {
        const char *name;
        acme_ca_pace_t pace;
        acme_validation_t at;
        apr_interval_time_t look;
    } rows[] = {
#define KNOWN(what, value) .pace.of[what] = { 1, 0, { value } }
        { "elsewhere, unknown", .look = MSEC(20) },
        { "elsewhere, known", KNOWN(ACME_PACE_UNSEEN, 700),
          .look = MSEC(700) },
        { "none has come, unknown", .at = { .is_seen = 1, .challenges = 1 },
          .look = SECONDS(1) },
        { "one has come, unknown", .at = { .is_seen = 1, .challenges = 1,
                                           .visits = 1,
                                           .visited = MSEC(300) },
          .look = MSEC(320) },
        { "of two challenges one", .at = { .is_seen = 1, .challenges = 2,
                                           .visits = 1,
                                           .visited = MSEC(300) },
          .look = SECONDS(1) },
        { "too early, since the last visit",
          .at = { .is_seen = 1, .challenges = 1, .visits = 1,
                  .visited = MSEC(300), .before = MSEC(340) },
          .look = MSEC(300) + MSEC(100) },
        { "another one has come since",
          .at = { .is_seen = 1, .challenges = 1, .visits = 2,
                  .visited = MSEC(400), .before = MSEC(340) },
          .look = MSEC(420) },
        { "and again: not a look for each",
          .at = { .is_seen = 1, .challenges = 1, .visits = 9,
                  .visited = MSEC(805), .before = MSEC(800) },
          .look = MSEC(900) },
        { "two of three have come", KNOWN(ACME_PACE_VISITS, 3),
          .at = { .is_seen = 1, .challenges = 1, .visits = 2,
                  .visited = MSEC(300) }, .look = SECONDS(1) },
        { "all three have come", KNOWN(ACME_PACE_VISITS, 3),
          KNOWN(ACME_PACE_SETTLED, 80),
          .at = { .is_seen = 1, .challenges = 1, .visits = 3,
                  .visited = MSEC(300) }, .look = MSEC(380) },
        { "two of three, as the last time",
          .pace.of[ACME_PACE_VISITS] = { 3, 0, { 2, 3, 3 } },
          .at = { .is_seen = 1, .challenges = 1, .visits = 2,
                  .visited = MSEC(300) }, .look = MSEC(320) },
        { "twice the usual time, and a second", KNOWN(ACME_PACE_SEEN, 1500),
          .at = { .is_seen = 1, .challenges = 1 }, .look = SECONDS(4) },
        { "but not that long", KNOWN(ACME_PACE_SEEN, 9000),
          .at = { .is_seen = 1, .challenges = 1 }, .look = SECONDS(10) },
        { "they never come", KNOWN(ACME_PACE_VISITS, 0),
          KNOWN(ACME_PACE_SEEN, 600),
          .at = { .is_seen = 1, .challenges = 1 }, .look = MSEC(600) },
        { "hostile", KNOWN(ACME_PACE_VISITS, APR_UINT32_MAX),
          KNOWN(ACME_PACE_SEEN, APR_UINT32_MAX),
          .at = { .is_seen = 1, .challenges = 100, .visits = 300 },
          .look = SECONDS(10) },
#undef KNOWN
    };
    apr_interval_time_t look;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_validation_t at = rows[i].at;

        at.pace = &rows[i].pace;
        look = acme_timing_validation_look(&at, &bounds);
        if (look != rows[i].look) {
            fail_msg("%s: after %" APR_TIME_T_FMT " us", rows[i].name, look);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_after_failures),
        cmocka_unit_test(short_lived_ones_have_several_tries),
        cmocka_unit_test(the_ca_has_the_first_word),
        cmocka_unit_test(picks_in_a_window),
        cmocka_unit_test(waits_after_failures_with_a_window),
        cmocka_unit_test(several_tries_in_a_window),
        cmocka_unit_test(cas_take_turns_quickly),
        cmocka_unit_test(a_failure_of_a_state),
        cmocka_unit_test(turns_without_a_live_one),
        cmocka_unit_test(shares_of_the_time),
        cmocka_unit_test(the_last_share_is_whole),
        cmocka_unit_test(each_ca_is_tried_in_time),
        cmocka_unit_test(pressing_ones_take_turns),
        cmocka_unit_test(when_replaces_is_sent),
        cmocka_unit_test(when_to_order_after_a_refused_certificate),
        cmocka_unit_test(when_to_ask),
        cmocka_unit_test(when_to_ask_again),
        cmocka_unit_test(when_to_look),
        cmocka_unit_test(a_ca_that_is_always_as_fast),
        cmocka_unit_test(a_ca_that_changes),
        cmocka_unit_test(a_ca_with_whims),
        cmocka_unit_test(a_worker_that_lies),
        cmocka_unit_test(when_to_look_at_a_validation)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
