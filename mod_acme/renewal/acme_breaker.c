/*
 * acme_breaker.c - is a CA well? Learned from what its replies were like.
 */
#include <apr_strings.h>

#include "acme_breaker.h"
#include "acme_time.h"

#define MINUTE apr_time_from_sec(60)
#define DAY apr_time_from_sec(24 * 3600)

#define IN_A_ROW 3              /* failures or slow tasks that open it */
#define RECENT 10               /* replies that are remembered */
#define RECENT_FAILURES 5       /* of them; more open it */
#define SLOW apr_time_from_sec(20)

#define OPEN_MIN apr_time_from_sec(30)
#define OPEN_MAX (15 * MINUTE)
#define DOUBLINGS 5             /* from OPEN_MIN to beyond OPEN_MAX */
#define PROBE_MAX (2 * MINUTE)  /* a task that was stopped reports nothing */
#define WAIT_MAX (2 * DAY)      /* longer: the clock was wrong then */
#define CHANCES 1000

static int is_ahead(apr_time_t until, apr_time_t now)
{
    return until > now && until <= now + WAIT_MAX;
}

static int is_probing(const acme_breaker_t *breaker, apr_time_t now)
{
    return breaker->probed_at && breaker->probed_at <= now
        && now < breaker->probed_at + PROBE_MAX;
}

acme_breaker_e acme_breaker_state(const acme_breaker_t *breaker,
                                  apr_time_t now)
{
    if (is_ahead(breaker->paused_until, now)) {
        return ACME_BREAKER_PAUSED;
    }
    if (!breaker->opened) {
        return ACME_BREAKER_CLOSED;
    }
    return is_ahead(breaker->open_until, now) ? ACME_BREAKER_OPEN
                                              : ACME_BREAKER_HALF_OPEN;
}

apr_time_t acme_breaker_next_at(const acme_breaker_t *breaker, apr_time_t now)
{
    switch (acme_breaker_state(breaker, now)) {
    case ACME_BREAKER_CLOSED:
        return now;
    case ACME_BREAKER_OPEN:
        return breaker->open_until;
    case ACME_BREAKER_PAUSED:
        return breaker->paused_until;
    case ACME_BREAKER_HALF_OPEN:
        return is_probing(breaker, now) ? breaker->probed_at + PROBE_MAX
                                        : now;
    }
    return now;
}

int acme_breaker_is_open(const acme_breaker_t *breaker, apr_time_t now)
{
    return acme_breaker_next_at(breaker, now) > now;
}

int acme_breaker_allow(acme_breaker_t *breaker, apr_time_t now)
{
    if (acme_breaker_is_open(breaker, now)) {
        return 0;
    }
    if (breaker->opened) {
        breaker->probed_at = now;
    }
    return 1;
}

void acme_breaker_probe(acme_breaker_t *breaker, apr_time_t now)
{
    breaker->paused_until = 0;
    breaker->probed_at = breaker->opened ? now : 0;
}

static void open_it(acme_breaker_t *breaker, acme_breaker_why_e why,
                    apr_time_t now, int chance)
{
    const apr_uint32_t n = breaker->opened < DOUBLINGS ? breaker->opened
                                                       : DOUBLINGS;
    apr_interval_time_t wait = OPEN_MIN << n;

    if (wait > OPEN_MAX) {
        wait = OPEN_MAX;
    }
    wait += wait / 10 * (2 * chance - CHANCES) / CHANCES;
    breaker->opened = n + 1;
    breaker->open_until = now + wait;
    breaker->probed_at = 0;
    breaker->why = why;
}

static void close_it(acme_breaker_t *breaker)
{
    breaker->opened = 0;
    breaker->probed_at = 0;
    breaker->recent = 0;
    breaker->replies = 0;
    breaker->failures = 0;
    breaker->slow = 0;
}

static void remember_reply(acme_breaker_t *breaker, int failed)
{
    breaker->recent = (breaker->recent << 1 | (failed ? 1 : 0))
        & ((1u << RECENT) - 1);
    if (breaker->replies < RECENT) {
        breaker->replies++;
    }
    breaker->failures = failed ? breaker->failures + 1 : 0;
}

static int recent_failures(const acme_breaker_t *breaker)
{
    unsigned int bits;
    int n = 0;

    for (bits = breaker->recent; bits; bits >>= 1) {
        n += bits & 1;
    }
    return n;
}

/*
 * Of an open breaker only the probe's end counts: what was asked before it
 * opened says nothing new.
 */
void acme_breaker_success(acme_breaker_t *breaker, apr_time_t now,
                          apr_interval_time_t latency)
{
    if (breaker->opened) {
        if (!is_probing(breaker, now)) {
            return;
        }
        close_it(breaker);
    }
    remember_reply(breaker, 0);
    breaker->slow = latency > SLOW ? breaker->slow + 1 : 0;
    if (breaker->slow >= IN_A_ROW) {
        /* The microseconds of a network are chance enough. */
        open_it(breaker, ACME_BREAKER_SLOWLY, now, (int)(latency % CHANCES));
    }
}

void acme_breaker_failure(acme_breaker_t *breaker, apr_time_t now, int chance)
{
    if (breaker->opened) {
        if (is_probing(breaker, now)) {
            open_it(breaker, breaker->why, now, chance);
        }
        return;
    }
    remember_reply(breaker, 1);
    if (breaker->failures >= IN_A_ROW) {
        open_it(breaker, ACME_BREAKER_IN_A_ROW, now, chance);
    }
    else if (breaker->replies == RECENT
             && recent_failures(breaker) > RECENT_FAILURES) {
        open_it(breaker, ACME_BREAKER_MOSTLY, now, chance);
    }
}

void acme_breaker_pause(acme_breaker_t *breaker, apr_time_t until)
{
    breaker->paused_until = until;
    breaker->probed_at = 0;
}

static const char *why_text(acme_breaker_why_e why)
{
    switch (why) {
    case ACME_BREAKER_IN_A_ROW:
        return "three requests in a row failed";
    case ACME_BREAKER_MOSTLY:
        return "more than half of the last ten requests failed";
    case ACME_BREAKER_SLOWLY:
        return "replies took more than 20 s on average, three times in a row";
    }
    return "";
}

const char *acme_breaker_text(const acme_breaker_t *breaker, const char *ca,
                              apr_time_t now, apr_pool_t *p)
{
    switch (acme_breaker_state(breaker, now)) {
    case ACME_BREAKER_CLOSED:
        return apr_psprintf(p, "%s: answers", ca);
    case ACME_BREAKER_OPEN:
        return apr_psprintf(p, "%s: %s; no requests are sent to it until %s",
                            ca, why_text(breaker->why),
                            acme_time_text(breaker->open_until, p));
    case ACME_BREAKER_PAUSED:
        return apr_psprintf(p, "%s: asked for no requests until %s", ca,
                            acme_time_text(breaker->paused_until, p));
    case ACME_BREAKER_HALF_OPEN:
        return apr_psprintf(p, "%s: %s; one request tests whether it answers again",
                            ca, why_text(breaker->why));
    }
    return "";
}
