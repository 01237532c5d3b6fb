/*
 * acme_rate_limits.c - the limits of all CAs, counted from all states.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_rate_limits.h"
#include "acme_schedule.h"

#define EXPIRE_EVERY apr_time_from_sec(3600)

/* A CA. */
typedef struct {
    acme_rate_model_t *limits;
    apr_array_header_t *fresh;  /* acme_rate_model_event_t: not yet counted */
    int has_news;               /* certificates began to wait */
    char why[ACME_DETAIL_SIZE]; /* the last of them */
} ca_t;

typedef enum { IDLE, UNDER_WAY, WAITING } phase_e;

/* A certificate. */
typedef struct {
    apr_time_t heard[ACME_HISTORY_KINDS]; /* the latest second of each, */
    int heard_then[ACME_HISTORY_KINDS];   /* and how many in it */
    phase_e phase;
    apr_uint32_t ca;            /* index in the configuration */
    acme_rate_model_order_t order;
} slot_t;

struct acme_rate_limits_t {
    const acme_conf_t *conf;
    ca_t *cas;
    slot_t *slots;
    apr_time_t expired;         /* when we did that last */
    apr_pool_t *fresh_pool;
};

/* In the order of acme_history_e. */
static const acme_use_e uses[ACME_HISTORY_KINDS] = { ACME_USE_ORDERED,
                                                     ACME_USE_ISSUED,
                                                     ACME_USE_FAILED };

static void make_fresh(acme_rate_limits_t *quota)
{
    int i;

    apr_pool_clear(quota->fresh_pool);
    for (i = 0; i < quota->conf->cas->nelts; i++) {
        quota->cas[i].fresh = apr_array_make(quota->fresh_pool, 8,
                                             sizeof(acme_rate_model_event_t));
    }
}

acme_rate_limits_t *acme_rate_limits_create(const acme_conf_t *conf,
                                            apr_pool_t *p)
{
    acme_rate_limits_t *quota = apr_pcalloc(p, sizeof(*quota));
    int i;

    quota->conf = conf;
    quota->cas = apr_pcalloc(p, (apr_size_t)(conf->cas->nelts + 1)
                             * sizeof(*quota->cas));
    quota->slots = apr_pcalloc(p, (apr_size_t)(conf->certs->nelts + 1)
                               * sizeof(*quota->slots));
    for (i = 0; i < conf->cas->nelts; i++) {
        quota->cas[i].limits = acme_rate_model_create(
            APR_ARRAY_IDX(conf->cas, i, acme_ca_conf_t).url, p);
    }
    apr_pool_create(&quota->fresh_pool, p);
    make_fresh(quota);
    return quota;
}

static const apr_array_header_t *names_of(const acme_cert_conf_t *cert,
                                          const acme_history_t *past,
                                          apr_pool_t *p)
{
    apr_array_header_t *one;

    if (past->name >= (apr_uint32_t)cert->names->nelts) {
        return cert->names;
    }
    one = apr_array_make(p, 1, sizeof(const char *));
    APR_ARRAY_PUSH(one, const char *) = APR_ARRAY_IDX(
        cert->names, past->name, const char *);
    return one;
}

static void count(acme_rate_limits_t *quota, const acme_cert_conf_t *cert,
                  acme_history_e what, const acme_history_t *past)
{
    acme_rate_model_event_t *event;

    if (past->ca >= (apr_uint32_t)quota->conf->cas->nelts
        || !acme_rate_model_is_known(quota->cas[past->ca].limits)) {
        return;
    }
    event = apr_array_push(quota->cas[past->ca].fresh);
    event->when = past->when;
    event->use = what == ACME_HISTORY_ISSUED && past->others
                     ? ACME_USE_ISSUED_OTHER
                     : uses[what];
    event->order.names = names_of(cert, past, quota->fresh_pool);
    event->order.is_renewal = past->kind != ACME_ORDER_FIRST;
    event->order.is_ari = past->kind == ACME_ORDER_SUGGESTED;
}

/*
 * What is later than what was heard last is new, and of the same second what
 * is more than before: the journal knows only seconds. What is later than now
 * was written with a wrong clock, and hides nothing.
 */
static void hear_past(acme_rate_limits_t *quota, const acme_state_t *state,
                      acme_history_e what, apr_time_t now)
{
    const acme_cert_conf_t *cert = acme_conf_cert(quota->conf, state->cert);
    apr_time_t *heard = &quota->slots[state->cert].heard[what];
    int *then = &quota->slots[state->cert].heard_then[what];
    int known = *then;
    const apr_time_t before = *heard;
    apr_uint32_t i;

    for (i = 0; i < state->pasts[what] && i < ACME_HISTORY_MAX; i++) {
        const acme_history_t *past = &state->past[what][i];
        const apr_time_t when = apr_time_from_sec(apr_time_sec(past->when));

        if (when < before || past->when > now
            || (when == before && known-- > 0)) {
            continue;
        }
        count(quota, cert, what, past);
        if (when > *heard) {
            *heard = when;
            *then = 0;
        }
        *then += when == *heard;
    }
}

void acme_rate_limits_hear(acme_rate_limits_t *quota,
                           const acme_state_t *state, apr_time_t now)
{
    slot_t *slot = &quota->slots[state->cert];
    int what;

    for (what = 0; what < ACME_HISTORY_KINDS; what++) {
        hear_past(quota, state, (acme_history_e)what, now);
    }
    if (slot->phase == WAITING && !state->limit_until) {
        slot->phase = IDLE;
    }
}

void acme_rate_limits_settle(acme_rate_limits_t *quota, apr_time_t now)
{
    const int is_time = now >= quota->expired + EXPIRE_EVERY
        || now < quota->expired;
    int i;

    for (i = 0; i < quota->conf->cas->nelts; i++) {
        acme_rate_model_load(quota->cas[i].limits, quota->cas[i].fresh, now);
        if (is_time) {
            acme_rate_model_expire(quota->cas[i].limits, now);
        }
    }
    make_fresh(quota);
    quota->expired = is_time ? now : quota->expired;
}

static apr_uint32_t ca_of(const acme_rate_limits_t *quota,
                          const acme_state_t *state, apr_uint32_t ca)
{
    return acme_conf_ca_index(acme_conf_cert(quota->conf, state->cert), ca);
}

static acme_rate_model_order_t order_of(const acme_rate_limits_t *quota,
                                        const acme_state_t *state,
                                        apr_uint32_t ca, apr_time_t now)
{
    acme_rate_model_order_t order;

    order.names = acme_conf_cert(quota->conf, state->cert)->names;
    order.is_renewal = acme_state_renews(state, ca, now);
    order.is_ari = state->window_start && state->window_start <= now
        && now < state->window_end
        && acme_schedule_replaces(state, ca, 0, now);
    return order;
}

static void enter(acme_rate_limits_t *quota, const acme_state_t *state,
                  apr_uint32_t ca, phase_e phase, apr_time_t now)
{
    slot_t *slot = &quota->slots[state->cert];

    slot->phase = phase;
    slot->ca = ca_of(quota, state, ca);
    slot->order = order_of(quota, state, ca, now);
}

void acme_rate_limits_begin(acme_rate_limits_t *quota,
                            const acme_state_t *state, apr_uint32_t ca,
                            apr_time_t now)
{
    enter(quota, state, ca, UNDER_WAY, now);
}

void acme_rate_limits_end(acme_rate_limits_t *quota, apr_uint32_t cert)
{
    if (quota->slots[cert].phase == UNDER_WAY) {
        quota->slots[cert].phase = IDLE;
    }
}

/* acme_rate_model_order_t of all that are in this phase at a CA. */
static apr_array_header_t *orders_at(const acme_rate_limits_t *quota,
                                     apr_uint32_t ca, phase_e phase,
                                     apr_pool_t *p)
{
    apr_array_header_t *orders =
        apr_array_make(p, 16, sizeof(acme_rate_model_order_t));
    int i;

    for (i = 0; i < quota->conf->certs->nelts; i++) {
        if (quota->slots[i].phase == phase && quota->slots[i].ca == ca) {
            APR_ARRAY_PUSH(orders, acme_rate_model_order_t) =
                quota->slots[i].order;
        }
    }
    return orders;
}

apr_time_t acme_rate_limits_next(const char **why,
                                 const acme_rate_limits_t *quota,
                                 const acme_state_t *state, apr_uint32_t ca,
                                 apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t index = ca_of(quota, state, ca);
    const acme_rate_model_t *limits = quota->cas[index].limits;
    const acme_rate_model_order_t order = order_of(quota, state, ca, now);
    apr_array_header_t *orders;
    apr_time_t at = now;

    *why = NULL;
    if (acme_rate_model_is_known(limits)) {
        at = acme_rate_model_next(why, limits, &order, now, p);
    }
    if (!acme_rate_model_is_known(limits) || at > now) {
        return at;
    }
    orders = orders_at(quota, index, UNDER_WAY, p);
    if (!orders->nelts) {
        return now;
    }
    APR_ARRAY_PUSH(orders, acme_rate_model_order_t) = order;
    return acme_rate_model_forecast(limits, orders, now, p);
}

void acme_rate_limits_full(unsigned char full[ACME_CHOICE_MAX],
                           const acme_rate_limits_t *quota,
                           const acme_state_t *state, apr_time_t now,
                           apr_pool_t *p)
{
    const char *why;
    apr_uint32_t i;

    memset(full, 0, ACME_CHOICE_MAX);
    for (i = 0; state->cas > 1 && i < state->cas && i < ACME_CHOICE_MAX;
         i++) {
        const acme_rate_model_order_t order = order_of(quota, state, i, now);

        full[i] = acme_rate_model_next(
                      &why, quota->cas[ca_of(quota, state, i)].limits, &order,
                      now, p)
                  > now;
    }
}

void acme_rate_limits_wait(acme_rate_limits_t *quota,
                           const acme_state_t *state, apr_uint32_t ca,
                           const char *why, apr_time_t now)
{
    ca_t *at = &quota->cas[ca_of(quota, state, ca)];

    if (quota->slots[state->cert].phase != WAITING) {
        at->has_news = 1;
        apr_cpystrn(at->why, why, sizeof(at->why));
    }
    enter(quota, state, ca, WAITING, now);
}

static const char *news_of(const acme_rate_limits_t *quota, apr_uint32_t ca,
                           apr_time_t now, apr_pool_t *p)
{
    const apr_array_header_t *orders = orders_at(quota, ca, WAITING, p);
    const apr_time_t last =
        acme_rate_model_forecast(quota->cas[ca].limits, orders, now, p);
    int i, names = 0;

    for (i = 0; i < orders->nelts; i++) {
        names +=
            APR_ARRAY_IDX(orders, i, acme_rate_model_order_t).names->nelts;
    }
    return apr_psprintf(p,
                        "a limit of the CA lets %d certificate%s wait: %s "
                        "(%s)",
                        orders->nelts, orders->nelts == 1 ? "" : "s",
                        acme_rate_model_forecast_text(names, last, now, p),
                        quota->cas[ca].why);
}

const char *acme_rate_limits_news(acme_rate_limits_t *quota, apr_time_t now,
                                  apr_pool_t *p)
{
    int i;

    for (i = 0; i < quota->conf->cas->nelts; i++) {
        if (quota->cas[i].has_news) {
            quota->cas[i].has_news = 0;
            return news_of(quota, (apr_uint32_t)i, now, p);
        }
    }
    return NULL;
}
