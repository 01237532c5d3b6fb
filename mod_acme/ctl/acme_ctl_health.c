/*
 * acme_ctl_health.c - how urgent a certificate is.
 */
#include <stdlib.h>
#include <string.h>

#include "acme_ctl_health.h"
#include "acme_status_rows.h"

#define DAY apr_time_from_sec(24 * 3600)

const acme_ctl_health_days_t acme_ctl_health_no_days = { -1, -1 };

static int expires_within(const acme_state_t *state, int days, apr_time_t now)
{
    return days >= 0 && state->not_after - now <= days * DAY;
}

/* Do visitors get the certificate's place taken by something else? */
static int is_displaced(const acme_ctl_cert_t *cert)
{
    const acme_state_t *state = &cert->state;

    return !cert->is_from_store
        && (state->instead == ACME_INSTEAD_FOREIGN
            || (state->check == ACME_CHECK_OTHER && state->live
                && state->live == state->served));
}

acme_ctl_health_e acme_ctl_health_of(const acme_ctl_cert_t *cert,
                                     acme_ctl_health_days_t days,
                                     apr_time_t now)
{
    const acme_state_t *state = &cert->state;
    const int is_warned =
        state->live && now >= acme_state_warn_at(state, state->not_after);
    const int is_held = cert->is_reload_held && state->live != state->served;

    if (state->deleted) {
        return ACME_CTL_HEALTH_OK;
    }
    if (is_displaced(cert)) {
        return ACME_CTL_HEALTH_CRITICAL;
    }
    if (!state->live) {
        return state->attempts && state->instead != ACME_INSTEAD_STAND_IN
            ? ACME_CTL_HEALTH_CRITICAL : ACME_CTL_HEALTH_WARNING;
    }
    if (state->revoked || state->not_after <= now
        || expires_within(state, days.critical, now)
        || (is_warned && (state->attempts || is_held))) {
        return ACME_CTL_HEALTH_CRITICAL;
    }
    if (acme_status_rows_is_ill(state, now) || is_held
        || (days.warning < 0 ? is_warned
                             : expires_within(state, days.warning, now))) {
        return ACME_CTL_HEALTH_WARNING;
    }
    return ACME_CTL_HEALTH_OK;
}

const char *acme_ctl_health_word(acme_ctl_health_e health)
{
    static const char *const words[] = { "OK", "WARNING", "CRITICAL",
                                         "UNKNOWN" };

    return words[health];
}

/* A certificate, and what it is sorted by. */
typedef struct {
    const acme_ctl_cert_t *cert;
    acme_ctl_health_e health;
} ranked_t;

static int compare(const void *a, const void *b)
{
    const ranked_t *x = a, *y = b;
    const acme_state_t *s = &x->cert->state, *t = &y->cert->state;

    if (x->health != y->health) {
        return x->health > y->health ? -1 : 1;
    }
    if (!s->ordering != !t->ordering) {
        return s->ordering ? -1 : 1;
    }
    if (s->not_after != t->not_after) {
        return s->not_after < t->not_after ? -1 : 1;
    }
    return strcmp(x->cert->id, y->cert->id);
}

apr_array_header_t *acme_ctl_health_sort(const apr_array_header_t *certs,
                                         apr_time_t now, apr_pool_t *p)
{
    apr_array_header_t *sorted =
        apr_array_make(p, certs->nelts + 1, sizeof(const acme_ctl_cert_t *));
    ranked_t *ranked = apr_palloc(p, ((size_t)certs->nelts + 1)
                                         * sizeof(*ranked));
    int i;

    for (i = 0; i < certs->nelts; i++) {
        ranked[i].cert = &APR_ARRAY_IDX(certs, i, acme_ctl_cert_t);
        ranked[i].health = acme_ctl_health_of(ranked[i].cert,
                                              acme_ctl_health_no_days, now);
    }
    qsort(ranked, (size_t)certs->nelts, sizeof(*ranked), compare);
    for (i = 0; i < certs->nelts; i++) {
        APR_ARRAY_PUSH(sorted, const acme_ctl_cert_t *) = ranked[i].cert;
    }
    return sorted;
}
