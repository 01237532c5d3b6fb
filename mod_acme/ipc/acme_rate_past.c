/*
 * acme_rate_past.c - what the limits of a CA count.
 */
#include "acme_rate_past.h"

/* In the order of acme_history_e. */
static const acme_use_e uses[ACME_HISTORY_KINDS] = { ACME_USE_ORDERED,
                                                     ACME_USE_ISSUED,
                                                     ACME_USE_FAILED };

static const apr_array_header_t *names_of_past(const acme_cert_conf_t *cert,
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

acme_rate_buckets_event_t acme_rate_past_event(const acme_cert_conf_t *cert,
                                               acme_history_e what,
                                               const acme_history_t *past,
                                               apr_pool_t *p)
{
    const acme_rate_buckets_event_t event = {
        .when = past->when,
        .use = what == ACME_HISTORY_ISSUED && past->others
            ? ACME_USE_ISSUED_OTHER : uses[what],
        .order = { .names = names_of_past(cert, past, p),
                   .is_renewal = past->kind != ACME_ORDER_FIRST,
                   .is_ari = past->kind == ACME_ORDER_SUGGESTED }
    };

    return event;
}

void acme_rate_past_add(apr_array_header_t *events,
                        const acme_cert_conf_t *cert,
                        const acme_state_t *state, apr_uint32_t ca,
                        apr_pool_t *p)
{
    apr_uint32_t i;
    int what;

    for (what = 0; what < ACME_HISTORY_KINDS; what++) {
        for (i = 0; i < state->pasts[what] && i < ACME_HISTORY_MAX; i++) {
            const acme_history_t *past = &state->past[what][i];

            if (past->ca == ca) {
                APR_ARRAY_PUSH(events, acme_rate_buckets_event_t) =
                    acme_rate_past_event(cert, (acme_history_e)what, past, p);
            }
        }
    }
}
