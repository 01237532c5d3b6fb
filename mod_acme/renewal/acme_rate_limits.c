/*
 * acme_rate_limits.c - the limits of all CAs, counted from all states.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_rate_limits.h"
#include "acme_rate_past.h"
#include "acme_timing.h"

#define EXPIRE_EVERY apr_time_from_sec(3600)

/* A CA. */
typedef struct {
    acme_rate_buckets_t *model;
    apr_array_header_t *fresh;  /* acme_rate_buckets_event_t: not yet counted */
    int has_news;               /* certificates began to wait */
    char why[ACME_DETAIL_SIZE]; /* the last of them */
} ca_limits_t;

typedef enum { IDLE, UNDER_WAY, WAITING } slot_phase_e;

/* A certificate. */
typedef struct {
    apr_time_t last[ACME_HISTORY_KINDS]; /* the latest second of each, */
    int last_count[ACME_HISTORY_KINDS];   /* and how many in it */
    slot_phase_e phase;
    apr_uint32_t ca;            /* index in the configuration */
    acme_rate_buckets_order_t order;
} slot_t;

struct acme_rate_limits_t {
    const acme_conf_t *conf;
    ca_limits_t *cas;
    slot_t *slots;
    apr_time_t expired;         /* when we did that last */
    apr_pool_t *fresh_pool;
};

static void make_fresh(acme_rate_limits_t *limits)
{
    int i;

    apr_pool_clear(limits->fresh_pool);
    for (i = 0; i < limits->conf->cas->nelts; i++) {
        limits->cas[i].fresh = apr_array_make(limits->fresh_pool, 8,
                                             sizeof(acme_rate_buckets_event_t));
    }
}

acme_rate_limits_t *acme_rate_limits_create(const acme_conf_t *conf,
                                            apr_pool_t *p)
{
    acme_rate_limits_t *limits = apr_pcalloc(p, sizeof(*limits));
    int i;

    limits->conf = conf;
    limits->cas = apr_pcalloc(p, (apr_size_t)(conf->cas->nelts + 1)
                             * sizeof(*limits->cas));
    limits->slots = apr_pcalloc(p, (apr_size_t)(conf->certs->nelts + 1)
                               * sizeof(*limits->slots));
    for (i = 0; i < conf->cas->nelts; i++) {
        limits->cas[i].model = acme_rate_buckets_create(
            APR_ARRAY_IDX(conf->cas, i, acme_ca_conf_t).url, p);
    }
    apr_pool_create(&limits->fresh_pool, p);
    make_fresh(limits);
    return limits;
}

static void add_fresh(acme_rate_limits_t *limits, const acme_cert_conf_t *cert,
                  acme_history_e what, const acme_history_t *past)
{
    if (past->ca >= (apr_uint32_t)limits->conf->cas->nelts
        || !acme_rate_buckets_is_known(limits->cas[past->ca].model)) {
        return;
    }
    APR_ARRAY_PUSH(limits->cas[past->ca].fresh, acme_rate_buckets_event_t) =
        acme_rate_past_event(cert, what, past, limits->fresh_pool);
}

/*
 * What is later than what was read last is new, and of the same second what
 * is more than before: the journal knows only seconds. What is later than now
 * was written with a wrong clock, and hides nothing.
 */
static void read_past(acme_rate_limits_t *limits, const acme_state_t *state,
                      acme_history_e what, apr_time_t now)
{
    const acme_cert_conf_t *cert = acme_conf_cert(limits->conf, state->cert);
    apr_time_t *last = &limits->slots[state->cert].last[what];
    int *count = &limits->slots[state->cert].last_count[what];
    int known = *count;
    const apr_time_t before = *last;
    apr_uint32_t i;

    for (i = 0; i < state->pasts[what] && i < ACME_HISTORY_MAX; i++) {
        const acme_history_t *past = &state->past[what][i];
        const apr_time_t when = apr_time_from_sec(apr_time_sec(past->when));

        if (when < before || past->when > now
            || (when == before && known-- > 0)) {
            continue;
        }
        add_fresh(limits, cert, what, past);
        if (when > *last) {
            *last = when;
            *count = 0;
        }
        *count += when == *last;
    }
}

void acme_rate_limits_read(acme_rate_limits_t *limits,
                           const acme_state_t *state, apr_time_t now)
{
    slot_t *slot = &limits->slots[state->cert];
    int what;

    for (what = 0; what < ACME_HISTORY_KINDS; what++) {
        read_past(limits, state, (acme_history_e)what, now);
    }
    if (slot->phase == WAITING && !state->limit_until) {
        slot->phase = IDLE;
    }
}

void acme_rate_limits_count(acme_rate_limits_t *limits, apr_time_t now)
{
    const int is_time = now >= limits->expired + EXPIRE_EVERY
        || now < limits->expired;
    int i;

    for (i = 0; i < limits->conf->cas->nelts; i++) {
        acme_rate_buckets_load(limits->cas[i].model, limits->cas[i].fresh, now);
        if (is_time) {
            acme_rate_buckets_expire(limits->cas[i].model, now);
        }
    }
    make_fresh(limits);
    limits->expired = is_time ? now : limits->expired;
}

static apr_uint32_t ca_of(const acme_rate_limits_t *limits,
                          const acme_state_t *state, apr_uint32_t ca)
{
    return acme_conf_ca_index(acme_conf_cert(limits->conf, state->cert), ca);
}

static acme_rate_buckets_order_t order_of(const acme_rate_limits_t *limits,
                                        const acme_state_t *state,
                                        apr_uint32_t ca, apr_time_t now)
{
    acme_rate_buckets_order_t order;

    order.names = acme_conf_cert(limits->conf, state->cert)->names;
    order.is_renewal = acme_state_renews(state, ca, now);
    order.is_ari = state->window_start && state->window_start <= now
        && now < state->window_end
        && acme_timing_replaces(state, ca, 0, now);
    return order;
}

static void enter_slot(acme_rate_limits_t *limits, const acme_state_t *state,
                       apr_uint32_t ca, slot_phase_e phase, apr_time_t now)
{
    slot_t *slot = &limits->slots[state->cert];

    slot->phase = phase;
    slot->ca = ca_of(limits, state, ca);
    slot->order = order_of(limits, state, ca, now);
}

void acme_rate_limits_begin(acme_rate_limits_t *limits,
                            const acme_state_t *state, apr_uint32_t ca,
                            apr_time_t now)
{
    enter_slot(limits, state, ca, UNDER_WAY, now);
}

void acme_rate_limits_end(acme_rate_limits_t *limits, apr_uint32_t cert)
{
    if (limits->slots[cert].phase == UNDER_WAY) {
        limits->slots[cert].phase = IDLE;
    }
}

/* acme_rate_buckets_order_t of all that are in this phase at a CA. */
static apr_array_header_t *orders_at(const acme_rate_limits_t *limits,
                                     apr_uint32_t ca, slot_phase_e phase,
                                     apr_pool_t *p)
{
    apr_array_header_t *orders =
        apr_array_make(p, 16, sizeof(acme_rate_buckets_order_t));
    int i;

    for (i = 0; i < limits->conf->certs->nelts; i++) {
        if (limits->slots[i].phase == phase && limits->slots[i].ca == ca) {
            APR_ARRAY_PUSH(orders, acme_rate_buckets_order_t) =
                limits->slots[i].order;
        }
    }
    return orders;
}

apr_time_t acme_rate_limits_next(const char **why,
                                 const acme_rate_limits_t *limits,
                                 const acme_state_t *state, apr_uint32_t ca,
                                 apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t index = ca_of(limits, state, ca);
    const acme_rate_buckets_t *model = limits->cas[index].model;
    const acme_rate_buckets_order_t order = order_of(limits, state, ca, now);
    apr_array_header_t *orders;
    apr_time_t at = now;

    *why = NULL;
    if (acme_rate_buckets_is_known(model)) {
        at = acme_rate_buckets_next(why, model, &order, now, p);
    }
    if (!acme_rate_buckets_is_known(model) || at > now) {
        return at;
    }
    orders = orders_at(limits, index, UNDER_WAY, p);
    if (!orders->nelts) {
        return now;
    }
    APR_ARRAY_PUSH(orders, acme_rate_buckets_order_t) = order;
    return acme_rate_buckets_forecast(model, orders, now, p);
}

void acme_rate_limits_full(unsigned char full[ACME_CHOICE_MAX],
                           const acme_rate_limits_t *limits,
                           const acme_state_t *state, apr_time_t now,
                           apr_pool_t *p)
{
    const char *why;
    apr_uint32_t i;

    memset(full, 0, ACME_CHOICE_MAX);
    for (i = 0; state->cas > 1 && i < state->cas && i < ACME_CHOICE_MAX;
         i++) {
        const acme_rate_buckets_order_t order = order_of(limits, state, i, now);

        full[i] = acme_rate_buckets_next(
                      &why, limits->cas[ca_of(limits, state, i)].model, &order,
                      now, p)
                  > now;
    }
}

apr_uint32_t acme_rate_limits_first(const acme_rate_limits_t *limits,
                                    const acme_state_t *state,
                                    const apr_time_t paused[ACME_CHOICE_MAX],
                                    apr_time_t now, apr_pool_t *p)
{
    apr_time_t earliest = 0, at;
    apr_uint32_t first = 0, i;
    const char *ignored;

    for (i = 0; i < state->cas && i < ACME_CHOICE_MAX; i++) {
        at = acme_rate_limits_next(&ignored, limits, state, i, now, p);
        if (at < paused[i]) {
            at = paused[i];
        }
        if (i == 0 || at < earliest) {
            earliest = at;
            first = i;
        }
    }
    return first;
}

void acme_rate_limits_wait(acme_rate_limits_t *limits,
                           const acme_state_t *state, apr_uint32_t ca,
                           const char *why, apr_time_t now)
{
    ca_limits_t *at = &limits->cas[ca_of(limits, state, ca)];

    if (limits->slots[state->cert].phase != WAITING) {
        at->has_news = 1;
        apr_cpystrn(at->why, why, sizeof(at->why));
    }
    enter_slot(limits, state, ca, WAITING, now);
}

static const char *news_of(const acme_rate_limits_t *limits, apr_uint32_t ca,
                           apr_time_t now, apr_pool_t *p)
{
    const apr_array_header_t *orders = orders_at(limits, ca, WAITING, p);
    const apr_time_t last =
        acme_rate_buckets_forecast(limits->cas[ca].model, orders, now, p);
    int i, names = 0;

    for (i = 0; i < orders->nelts; i++) {
        names +=
            APR_ARRAY_IDX(orders, i, acme_rate_buckets_order_t).names->nelts;
    }
    return apr_psprintf(p,
                        "a CA rate limit postpones %d certificate%s: %s (%s)",
                        orders->nelts, orders->nelts == 1 ? "" : "s",
                        acme_rate_buckets_forecast_text(names, last, now, p),
                        limits->cas[ca].why);
}

const char *acme_rate_limits_news(acme_rate_limits_t *limits, apr_time_t now,
                                  apr_pool_t *p)
{
    int i;

    for (i = 0; i < limits->conf->cas->nelts; i++) {
        if (limits->cas[i].has_news) {
            limits->cas[i].has_news = 0;
            return news_of(limits, (apr_uint32_t)i, now, p);
        }
    }
    return NULL;
}
