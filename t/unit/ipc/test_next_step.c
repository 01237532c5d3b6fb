/*
 * test_next_step.c - when a certificate is renewed, and what comes next.
 */
#include "acme_next_step.h"
#include "live.h"

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
    for (i = 0; i < COUNT(rows); i++) {
        const acme_window_t window = window_of(rows[i].window);
        const apr_time_t end = NOW + rows[i].life;
        const apr_time_t last =
            acme_next_step_renew_at(NOW, end, &window, CHANCE_MIN);
        const apr_time_t first =
            acme_next_step_renew_at(NOW, end, &window, CHANCE_MAX);

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
            first =
                acme_next_step_renew_at(NOW, NOW + life, &window, CHANCE_MAX);
            last =
                acme_next_step_renew_at(NOW, NOW + life, &window, CHANCE_MIN);
            if (first <= NOW || first > last || last >= NOW + life) {
                fail_msg("%" APR_TIME_T_FMT " us, %d: not within", life,
                         percent);
            }
        }
    }
}

/* As long as a certificate can say: the years 0 to 9999. */
static void the_longest_lifetime_does_not_overflow(void **unused)
{
    static const apr_time_t begins[] = { SECONDS(-62167219200), 0, NOW };
    const apr_time_t end = SECONDS(253402300799);
    acme_state_t state;
    size_t i;
    int chance;

    (void)unused;
    for (i = 0; i < COUNT(begins); i++) {
        const apr_interval_time_t life = end - begins[i];
        apr_time_t before = end - life / 3;

        for (chance = CHANCE_MIN; chance <= CHANCE_MAX; chance++) {
            const apr_time_t at = acme_next_step_renew_at(begins[i], end,
                                                          &no_window, chance);

            if (at <= begins[i] || at > end - life / 100 * 33
                || (chance && at >= before)) {
                fail_msg("chance %d: not in its place", chance);
            }
            before = at;
        }
        make_live(&state, DAYS(90), DAYS(10), 1);
        state.not_before = begins[i];
        state.not_after = end;
        assert_true(acme_next_step(&state, NOW).at >= NOW);
        assert_true(acme_state_warn_at(&state, end) > begins[i]);
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
    for (row = 0; row < COUNT(serials); row++) {
        n = acme_next_step_chance(serials[row]);
        assert_in_range(n, CHANCE_MIN, CHANCE_MAX);
        assert_int_equal(n, acme_next_step_chance(serials[row]));
    }
    assert_int_not_equal(acme_next_step_chance("04deadbeef"),
                         acme_next_step_chance("04deadbef0"));

    /* Of many, about as many in each tenth: a thousand renewals spread. */
    for (i = 0; i < 10000; i++) {
        apr_snprintf(serial, sizeof(serial), "04%08x", i * 7919);
        tenths[acme_next_step_chance(serial) / 100]++;
    }
    for (i = 0; i < 10; i++) {
        assert_in_range(tenths[i], 800, 1200);
    }
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
      ACME_RETRY_SOON, 0, ACME_STEP_ORDER, AT_ONCE },
    { "wanted, and failed then", AGREED, LIVE, COVERS, WANTED, 0, 5, 4,
      ACME_RETRY_SOON, HOURS(20), ACME_STEP_RETRY, AT_NEXT },
    { "wanted though it can't succeed", AGREED, 0, 0, WANTED, 0, 0, 1,
      ACME_RETRY_NEVER, 0, ACME_STEP_ORDER, AT_ONCE },

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
    for (i = 0; i < COUNT(steps); i++) {
        state_of_row(&state, i);
        next = acme_next_step(&state, NOW);
        if (next.step != steps[i].step) {
            fail_msg("%s: %s", steps[i].name,
                     acme_next_step_word(next.step));
        }
        at = steps[i].at == UNKNOWN   ? 0
             : steps[i].at == AT_ONCE ? NOW
             : steps[i].at == AT_NEXT
                 ? state.next_at
                 : acme_next_step_renew_at(state.not_before, state.not_after,
                                          &no_window,
                                          acme_next_step_chance(state.serial));
        if (next.at != at) {
            fail_msg("%s: at now + %" APR_TIME_T_FMT " us", steps[i].name,
                     next.at - NOW);
        }
        if (acme_next_step_is_due(&state, NOW) != (steps[i].at == AT_ONCE)) {
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
    for (i = 0; i < COUNT(steps); i++) {
        state_of_row(&state, i);
        next = acme_next_step(&state, NOW);
        if (next.at <= NOW || state.retry == ACME_RETRY_NEVER) {
            continue;
        }
        if (acme_next_step_is_due(&state, next.at - 1)
            || !acme_next_step_is_due(&state, next.at)) {
            fail_msg("%s: not due when it was said", steps[i].name);
        }
    }
}

/* It says nothing about when an order is made. */
static void a_dry_run_changes_no_step(void **unused)
{
    acme_state_t state;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(steps); i++) {
        acme_next_t before, after;

        state_of_row(&state, i);
        if (state.wanted) {
            continue;
        }
        before = acme_next_step(&state, NOW);
        state.wanted = ACME_WANT_DRY_RUN;
        after = acme_next_step(&state, NOW);
        if (before.step != after.step || before.at != after.at) {
            fail_msg("%s: another step", steps[i].name);
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
    a = acme_next_step(&state, NOW).at;
    assert_true(a <= NOW + DAYS(90) - HOURS(12));
    assert_true(a > NOW + DAYS(90) - HOURS(12) - DAYS(90) / 20);

    apr_cpystrn(state.serial, "04deadbef0", sizeof(state.serial));
    b = acme_next_step(&state, NOW).at;
    assert_int_not_equal(a, b);

    /* A 20-second certificate is renewed when it is half as old. */
    state.renew = no_window;
    state.not_after = NOW + SECONDS(20);
    assert_false(acme_next_step_is_due(&state, NOW + SECONDS(9) - 1));
    assert_true(acme_next_step_is_due(&state, NOW + SECONDS(10)));
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
    for (i = 0; i < COUNT(rows); i++) {
        memset(&state, 0, sizeof(state));
        state.agreed = state.live = state.covers = 1;
        state.not_before = NOW + rows[i].begun;
        state.not_after = state.not_before + DAYS(90);
        state.installed = NOW + rows[i].installed;
        next = acme_next_step(&state, NOW);
        at =
            rows[i].rests
                ? NOW + rows[i].rests
                : acme_next_step_renew_at(state.not_before, state.not_after,
                                         &no_window, acme_next_step_chance(""));
        if (next.step != ACME_STEP_RENEW || next.at != at
            || acme_next_step_is_due(&state, at - 1)
            || !acme_next_step_is_due(&state, at)) {
            fail_msg("%s: %s at now + %" APR_TIME_T_FMT " us", rows[i].name,
                     acme_next_step_word(next.step), next.at - NOW);
        }
    }

    /* Unless the administrator wants it, or a name is missing. */
    state.wanted = 1;
    assert_true(acme_next_step_is_due(&state, NOW));
    state.wanted = 0;
    state.covers = 0;
    assert_true(acme_next_step_is_due(&state, NOW));
}

#define OLD_RULE (-1)
#define OFF 1
#define REVOKED 1

/* Of 90 days, of which age have passed; all times from its beginning. */
static const struct {
    const char *name;
    int off, revoked;
    apr_interval_time_t age, start, end, pick, installed;
    apr_uint32_t attempts;
    apr_interval_time_t next;           /* next_at, from now */
    acme_step_e step;
    apr_interval_time_t at;             /* 0: now; OLD_RULE */
} picks[] = {
    { "no window", 0, 0, DAYS(5), 0, 0, 0, 0, 0, 0, ACME_STEP_RENEW,
      OLD_RULE },
    { "a window, but no pick", 0, 0, DAYS(5), DAYS(60), DAYS(62), 0, 0, 0, 0,
      ACME_STEP_RENEW, OLD_RULE },
    { "a pick, but no window", 0, 0, DAYS(5), 0, 0, DAYS(61), 0, 0, 0,
      ACME_STEP_RENEW, OLD_RULE },
    { "not wanted", OFF, 0, DAYS(5), DAYS(70), DAYS(72), DAYS(71), 0, 0, 0,
      ACME_STEP_RENEW, OLD_RULE },
    { "later than the old rule", 0, 0, DAYS(5), DAYS(70), DAYS(72), DAYS(71),
      0, 0, 0, ACME_STEP_RENEW, DAYS(71) },
    { "later, and the old rule is due", 0, 0, DAYS(65), DAYS(70), DAYS(72),
      DAYS(71), 0, 0, 0, ACME_STEP_RENEW, DAYS(71) },
    { "sooner", 0, 0, DAYS(5), DAYS(20), DAYS(22), DAYS(21), 0, 0, 0,
      ACME_STEP_RENEW, DAYS(21) },
    { "reached", 0, 0, DAYS(21), DAYS(20), DAYS(22), DAYS(21), 0, 0, 0,
      ACME_STEP_ORDER, 0 },
    { "reached, but not wanted", OFF, 0, DAYS(21), DAYS(20), DAYS(22),
      DAYS(21), 0, 0, 0, ACME_STEP_RENEW, OLD_RULE },
    { "window over", 0, 0, DAYS(30), DAYS(20), DAYS(22), DAYS(21), 0, 0, 0,
      ACME_STEP_ORDER, 0 },
    { "too late", 0, 0, DAYS(5), DAYS(86), DAYS(89), DAYS(87), 0, 0, 0,
      ACME_STEP_RENEW, DAYS(90) - DAYS(90) / 20 },
    { "years too late", 0, 0, DAYS(5), DAYS(7000), DAYS(7300), DAYS(7100), 0,
      0, 0, ACME_STEP_RENEW, DAYS(90) - DAYS(90) / 20 },
    { "too late, last twentieth", 0, 0, DAYS(86), DAYS(86), DAYS(89),
      DAYS(88), 0, 0, 0, ACME_STEP_ORDER, 0 },
    { "last twentieth, installed just now: the long rest", 0, 0, DAYS(86),
      DAYS(86), DAYS(89), DAYS(88), DAYS(86), 0, 0, ACME_STEP_RENEW,
      DAYS(88) },
    { "expired", 0, 0, DAYS(91), DAYS(7000), DAYS(7300), DAYS(7100), 0, 0, 0,
      ACME_STEP_ORDER, 0 },

    { "due as soon as installed", 0, 0, SECONDS(1), 1, DAYS(2), 1, 0, 0, 0,
      ACME_STEP_ORDER, 0 },
    { "over before it was installed", 0, 0, DAYS(40), DAYS(20), DAYS(22),
      DAYS(21), DAYS(39), 0, 0, ACME_STEP_ORDER, 0 },
    { "over soon after it was installed", 0, 0, DAYS(40), DAYS(20),
      DAYS(22), DAYS(40), DAYS(21), 0, 0, ACME_STEP_ORDER, 0 },

    { "failed, waits", 0, 0, DAYS(21), DAYS(20), DAYS(22), DAYS(21), 0, 2,
      HOURS(1), ACME_STEP_RETRY, HOURS(1) },
    { "failed, waited", 0, 0, DAYS(21), DAYS(20), DAYS(22), DAYS(21), 0, 2,
      -1, ACME_STEP_ORDER, 0 },
    { "failed, moved to later", 0, 0, DAYS(21), DAYS(30), DAYS(33), DAYS(31),
      0, 2, HOURS(1), ACME_STEP_RENEW, DAYS(31) },

    { "revoked", 0, REVOKED, DAYS(5), 0, 0, 0, 0, 0, 0, ACME_STEP_ORDER, 0 },
    { "revoked just now", 0, REVOKED, 1, 0, 0, 0, 0, 0, 0, ACME_STEP_ORDER,
      0 },
    { "revoked, not yet picked", 0, REVOKED, DAYS(5), DAYS(20), DAYS(22),
      DAYS(21), 0, 0, 0, ACME_STEP_ORDER, 0 },
    { "revoked, without renewal info", OFF, REVOKED, DAYS(5), 0, 0, 0, 0, 0,
      0, ACME_STEP_ORDER, 0 },
    { "revoked, failed, waits", 0, REVOKED, DAYS(5), 0, 0, 0, 0, 2,
      MINUTES(10), ACME_STEP_RETRY, MINUTES(10) },
    { "revoked, failed, waited", 0, REVOKED, DAYS(5), 0, 0, 0, 0, 2, -1,
      ACME_STEP_ORDER, 0 }
};

static void next_steps_with_a_pick(void **unused)
{
    acme_state_t state;
    acme_next_t next;
    apr_time_t at;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(picks); i++) {
        make_live(&state, DAYS(90), picks[i].age, 1);
        state.use_renewal_info = !picks[i].off;
        state.revoked = picks[i].revoked;
        state.installed += picks[i].installed;
        state.attempts = picks[i].attempts;
        state.next_at = NOW + picks[i].next;
        set_window(&state,
                   picks[i].start ? state.not_before + picks[i].start : 0,
                   picks[i].end ? state.not_before + picks[i].end : 0,
                   picks[i].pick ? state.not_before + picks[i].pick : 0);
        next = acme_next_step(&state, NOW);
        at = picks[i].at == OLD_RULE
                 ? acme_next_step_renew_at(state.not_before, state.not_after,
                                          &state.renew,
                                          acme_next_step_chance(state.serial))
             : picks[i].step == ACME_STEP_RENEW
                 ? state.not_before + picks[i].at
                 : NOW + picks[i].at;
        if (next.step != picks[i].step || next.at != at) {
            fail_msg("%s: %s at now + %" APR_TIME_T_FMT " us", picks[i].name,
                     acme_next_step_word(next.step), next.at - NOW);
        }
        if (acme_next_step_is_due(&state, NOW) != (at == NOW)
            || !acme_next_step_is_due(&state, at)) {
            fail_msg("%s: is it due?", picks[i].name);
        }
    }
}

/* With a wrong clock each new one is due as soon as it is there. */
static void each_in_a_row_rests_longer(void **unused)
{
    static const struct {
        apr_uint32_t recent;            /* installed within the last day */
        apr_interval_time_t rests;
    } rows[] = {
        { 0, 0 }, { 1, 0 }, { 2, MINUTES(1) }, { 3, MINUTES(10) },
        { 4, MINUTES(100) }, { 6, DAYS(1) }, { 7, DAYS(1) },
        { 1000, DAYS(1) }, { APR_UINT32_MAX, DAYS(1) }
    };
    acme_state_t state;
    acme_next_t next;
    size_t i;
    int revoked;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        for (revoked = 0; revoked < 2; revoked++) {
            make_live(&state, DAYS(90), 0, 1);
            state.recent = rows[i].recent;
            state.revoked = revoked;
            if (!revoked) {             /* over before it was installed */
                set_window(&state, NOW - DAYS(3), NOW - DAYS(1),
                           NOW - DAYS(2));
            }
            next = acme_next_step(&state, NOW);
            if (next.at != NOW + rows[i].rests
                || next.step != (rows[i].rests ? ACME_STEP_RENEW
                                               : ACME_STEP_ORDER)
                || !acme_next_step_is_due(&state, next.at)
                || (next.at > NOW
                    && acme_next_step_is_due(&state, next.at - 1))) {
                fail_msg("%u, revoked %d: %s at now + %" APR_TIME_T_FMT " us",
                         rows[i].recent, revoked,
                         acme_next_step_word(next.step), next.at - NOW);
            }
        }
    }

    /* The administrator need not wait. */
    state.wanted = ACME_WANT_RENEWAL;
    assert_true(acme_next_step_is_due(&state, NOW));
}

static void after_100_minutes_it_rests_a_day(void **unused)
{
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), 0, 1);
    state.recent = 5;
    state.revoked = 1;
    assert_int_equal(acme_next_step(&state, NOW).at, NOW + DAYS(1));
}

/* One of hours is installed often; at its last twentieth it must be due. */
static void a_short_lived_one_rests_no_longer_than_it_lives(void **unused)
{
    acme_state_t state;
    apr_time_t end;
    int revoked;

    (void)unused;
    for (revoked = 0; revoked < 2; revoked++) {
        make_live(&state, HOURS(2), 0, 1);
        state.recent = 20;
        state.revoked = revoked;
        set_window(&state, NOW + MINUTES(50), NOW + MINUTES(60),
                   NOW + MINUTES(55));
        end = state.not_after - HOURS(2) / 20;
        if (acme_next_step(&state, NOW).at > end
            || !acme_next_step_is_due(&state, end)) {
            fail_msg("revoked %d: still rests at its end", revoked);
        }
    }
}

/* The names that were left out are tried again with a renewal. */
static void names_bring_a_renewal_forward(void **unused)
{
    static const struct {
        const char *name;
        int live, covers;
        apr_interval_time_t again;      /* from now; 0: never */
        acme_step_e step;
        apr_interval_time_t at;         /* from now; OLD_RULE */
    } rows[] = {
        { "none", LIVE, COVERS, 0, ACME_STEP_RENEW, OLD_RULE },
        { "sooner", LIVE, COVERS, DAYS(1), ACME_STEP_RENEW, DAYS(1) },
        { "now", LIVE, COVERS, -1, ACME_STEP_ORDER, 0 },
        { "after the renewal", LIVE, COVERS, DAYS(80), ACME_STEP_RENEW,
          OLD_RULE },
        { "one lacks a name", LIVE, 0, DAYS(1), ACME_STEP_ORDER, 0 },
        { "none is live", 0, 0, DAYS(1), ACME_STEP_ORDER, 0 }
    };
    acme_state_t state;
    acme_next_t next;
    apr_time_t at;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        make_live(&state, DAYS(90), DAYS(5), 1);
        state.live = rows[i].live;
        state.covers = rows[i].covers;
        state.left_out = rows[i].again != 0;
        state.names_again_at = rows[i].again ? NOW + rows[i].again : 0;
        next = acme_next_step(&state, NOW);
        at = rows[i].at != OLD_RULE
                 ? NOW + rows[i].at
                 : acme_next_step_renew_at(state.not_before, state.not_after,
                                          &no_window,
                                          acme_next_step_chance(state.serial));
        if (next.step != rows[i].step || next.at != at) {
            fail_msg("%s: %s at now + %" APR_TIME_T_FMT " us", rows[i].name,
                     acme_next_step_word(next.step), next.at - NOW);
        }
    }
}

static void a_deleted_one_waits_until_it_is_wanted(void **unused)
{
    acme_state_t state;
    acme_next_t next;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(70), 1);
    state.deleted = 1;
    next = acme_next_step(&state, NOW);
    assert_int_equal(next.step, ACME_STEP_CONFIGURE);
    assert_int_equal(next.at, 0);
    assert_false(acme_next_step_is_due(&state, NOW));
    state.wanted = ACME_WANT_RENEWAL;
    assert_true(acme_next_step_is_due(&state, NOW));
}

static void a_limit_of_the_ca_is_waited_for(void **unused)
{
    static const struct {
        const char *name;
        apr_interval_time_t until;      /* from now */
        acme_want_e wanted;
        int ordering;
        acme_step_e step;
    } rows[] = {
        { "none", -DAYS(1), 0, 0, ACME_STEP_ORDER },
        { "over now", 0, 0, 0, ACME_STEP_ORDER },
        { "one", HOURS(1), 0, 0, ACME_STEP_LIMIT },
        { "the longest", DAYS(2), 0, 0, ACME_STEP_LIMIT },
        { "wrong clock", DAYS(2) + 1, 0, 0, ACME_STEP_ORDER },
        { "a renewal is wanted", HOURS(1), ACME_WANT_RENEWAL, 0,
          ACME_STEP_LIMIT },
        { "a revocation is", HOURS(1), ACME_WANT_REVOCATION, 0,
          ACME_STEP_ORDER },
        { "a new key is", HOURS(1), ACME_WANT_ROLLOVER, 0, ACME_STEP_ORDER },
        { "under way already", HOURS(1), 0, ORDERING, ACME_STEP_FINISH }
    };
    acme_state_t state;
    acme_next_t next;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        make_live(&state, DAYS(90), DAYS(70), 1);
        state.limit_until = NOW + rows[i].until;
        state.wanted = rows[i].wanted;
        state.ordering = rows[i].ordering;
        next = acme_next_step(&state, NOW);
        if (next.step != rows[i].step
            || next.at != (next.step == ACME_STEP_LIMIT ? state.limit_until
                                                        : NOW)
            || acme_next_step_is_due(&state, NOW)
                != (next.step != ACME_STEP_LIMIT)) {
            fail_msg("%s: %s at now + %" APR_TIME_T_FMT " us", rows[i].name,
                     acme_next_step_word(next.step), next.at - NOW);
        }
    }

    /* It is nothing to one that is not due. */
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.limit_until = NOW + HOURS(1);
    assert_int_equal(acme_next_step(&state, NOW).step, ACME_STEP_RENEW);
}

static void in_words(void **unused)
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
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_next_step_word(rows[i].step),
                            rows[i].word);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_of_renewal),
        cmocka_unit_test(renewal_is_within_the_lifetime),
        cmocka_unit_test(the_longest_lifetime_does_not_overflow),
        cmocka_unit_test(chance_is_a_certificates_own),
        cmocka_unit_test(next_steps),
        cmocka_unit_test(due_when_it_was_said),
        cmocka_unit_test(a_dry_run_changes_no_step),
        cmocka_unit_test(windows_and_chance_of_a_certificate),
        cmocka_unit_test(a_new_one_rests),
        cmocka_unit_test(next_steps_with_a_pick),
        cmocka_unit_test(each_in_a_row_rests_longer),
        cmocka_unit_test(after_100_minutes_it_rests_a_day),
        cmocka_unit_test(a_short_lived_one_rests_no_longer_than_it_lives),
        cmocka_unit_test(names_bring_a_renewal_forward),
        cmocka_unit_test(a_deleted_one_waits_until_it_is_wanted),
        cmocka_unit_test(a_limit_of_the_ca_is_waited_for),
        cmocka_unit_test(in_words)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
