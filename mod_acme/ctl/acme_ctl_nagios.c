/*
 * acme_ctl_nagios.c - acmectl status --nagios.
 *
 * Nagios takes what follows a '|' as numbers, and some front ends show the rest
 * as HTML: both characters are left out of texts.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_nagios.h"
#include "acme_ctl_term.h"
#include "acme_explain.h"
#include "acme_status_rows.h"

#define DAY apr_time_from_sec(24 * 3600)

#define NAMED_MAX 3             /* certificates; of the others the number */

static const char *plain(const char *text, apr_pool_t *p)
{
    char *clean = apr_pstrdup(p, acme_ctl_term_text(text, p));
    char *c;

    for (c = clean; *c; c++) {
        if (strchr("|<>&'\"", *c)) {
            *c = ' ';
        }
    }
    return clean;
}

/* "www.example.org failed (caa-forbidden), expires in 13 days" */
static const char *describe(const acme_ctl_cert_t *cert, apr_time_t now,
                            apr_pool_t *p)
{
    const acme_state_t *state = &cert->state;
    const acme_status_cert_t shown = {
        .id = cert->id, .names = cert->names, .state = state,
        .is_reload_held = cert->is_reload_held
    };
    const char *code =
        acme_reason_about(acme_status_rows_reason(&shown, now))->code;
    const char *expiry = "";

    if (state->live) {
        expiry = apr_psprintf(p, ", %s %s",
                              state->not_after > now ? "expires" : "expired",
                              acme_explain_distance(state->not_after, now, p));
    }
    return apr_psprintf(p, "%s %s%s%s%s%s", plain(cert->id, p),
                        acme_state_word(state, now), *code ? " (" : "", code,
                        *code ? ")" : "", expiry);
}

static apr_int64_t days_left(const acme_ctl_cert_t *cert, apr_time_t now)
{
    const apr_interval_time_t left = cert->state.not_after - now;

    return left >= 0 ? left / DAY : -((-left + DAY - 1) / DAY);
}

/* "days_left=13;10;5": of the one that expires first. */
static const char *expiry_data(const acme_ctl_cert_t *first,
                               acme_ctl_health_days_t days, apr_time_t now,
                               apr_pool_t *p)
{
    if (!first) {
        return "";
    }
    return apr_psprintf(
        p, " days_left=%" APR_INT64_T_FMT ";%s;%s", days_left(first, now),
        days.warning >= 0 ? apr_psprintf(p, "%d:", days.warning) : "",
        days.critical >= 0 ? apr_psprintf(p, "%d:", days.critical) : "");
}

const char *acme_ctl_nagios_line(acme_ctl_health_e *phealth,
                                 const apr_array_header_t *certs,
                                 acme_ctl_health_days_t days, int is_running,
                                 apr_time_t now, apr_pool_t *p)
{
    acme_ctl_health_e worst = is_running ? ACME_CTL_HEALTH_OK
                                         : ACME_CTL_HEALTH_WARNING;
    apr_array_header_t *sorted = acme_ctl_health_sort(certs, now, p);
    const acme_ctl_cert_t *first = NULL;
    int counts[ACME_CTL_HEALTH_UNKNOWN] = { 0 };
    const char *text = "", *names = "";
    int i, pass, named = 0, ill;

    for (i = 0; i < sorted->nelts; i++) {
        const acme_ctl_cert_t *cert = APR_ARRAY_IDX(sorted, i,
                                                    const acme_ctl_cert_t *);
        const acme_ctl_health_e health = acme_ctl_health_of(cert, days, now);

        counts[health]++;
        worst = health > worst ? health : worst;
        if (cert->state.live && !cert->state.deleted
            && (!first || cert->state.not_after < first->state.not_after)) {
            first = cert;
        }
    }
    ill = counts[ACME_CTL_HEALTH_WARNING] + counts[ACME_CTL_HEALTH_CRITICAL];
    /* The order knows no -w and -c: the critical ones first. */
    for (pass = ACME_CTL_HEALTH_CRITICAL; pass > ACME_CTL_HEALTH_OK; pass--) {
        for (i = 0; i < sorted->nelts && named < NAMED_MAX; i++) {
            const acme_ctl_cert_t *cert =
                APR_ARRAY_IDX(sorted, i, const acme_ctl_cert_t *);

            if ((int)acme_ctl_health_of(cert, days, now) == pass) {
                names = apr_pstrcat(p, names, named++ ? "; " : "",
                                    describe(cert, now, p), NULL);
            }
        }
    }
    if (ill) {
        text = apr_psprintf(p, "%d of %d certificate%s: %s", ill,
                            sorted->nelts, sorted->nelts == 1 ? "" : "s",
                            names);
        if (ill > named) {
            text = apr_psprintf(p, "%s; and %d more", text, ill - named);
        }
    }
    else {
        text = apr_psprintf(p, "%d certificate%s", sorted->nelts,
                            sorted->nelts == 1 ? "" : "s");
        if (first) {
            text = apr_psprintf(p, "%s, the next expires %s", text,
                                acme_explain_distance(first->state.not_after,
                                                      now, p));
        }
    }
    *phealth = worst;
    return apr_psprintf(
        p, "ACME %s - %s%s | certificates=%d;;;0 warning=%d;;;0 critical=%d;;;0%s",
        acme_ctl_health_word(worst),
        is_running ? "" : "httpd does not run, from its store: ", text,
        sorted->nelts, counts[ACME_CTL_HEALTH_WARNING],
        counts[ACME_CTL_HEALTH_CRITICAL], expiry_data(first, days, now, p));
}

const char *acme_ctl_nagios_unknown(const char *detail, apr_pool_t *p)
{
    return apr_psprintf(p, "ACME UNKNOWN - %s", plain(detail, p));
}
