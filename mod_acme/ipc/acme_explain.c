/*
 * acme_explain.c - a certificate's situation in sentences.
 *
 * Each text answers one question, in the order in which an administrator asks
 * them; what is worst comes first.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_explain.h"
#include "acme_next_step.h"

#define SECOND apr_time_from_sec(1)

const char *acme_explain_distance(apr_time_t t, apr_time_t now, apr_pool_t *p)
{
    if (t >= now + SECOND) {
        return apr_pstrcat(p, "in ", acme_time_interval_text(t - now, p),
                           NULL);
    }
    if (t <= now - SECOND) {
        return apr_pstrcat(p, acme_time_interval_text(now - t, p), " ago",
                           NULL);
    }
    return "now";
}

const char *acme_explain_time(apr_time_t t, apr_time_t now, apr_pool_t *p)
{
    return t ? apr_psprintf(p, "%s (%s)", acme_time_text(t, p),
                            acme_explain_distance(t, now, p))
             : "never";
}

const char *acme_explain_kind_word(acme_explain_kind_e kind)
{
    static const char *const words[ACME_EXPLAIN_KINDS] = {
        [ACME_EXPLAIN_FAILING] = "failing",
        [ACME_EXPLAIN_WAITING] = "waiting",
        [ACME_EXPLAIN_RENEWING] = "renewing",
        [ACME_EXPLAIN_FINE] = "fine"
    };

    return words[kind];
}

const char *acme_explain_step(const char *event)
{
    if (!event) {
        return "asking the CA for an order";
    }
    if (!strcmp(event, "ordered") || !strcmp(event, "resumed")) {
        return "waiting until the CA has validated the names";
    }
    if (!strcmp(event, "challenge") || !strcmp(event, "name")) {
        return "validating again, because a challenge failed";
    }
    if (!strcmp(event, "validated")) {
        return "waiting until the CA has issued the certificate";
    }
    return "in progress";
}

/* Did this load of httpd find it in the store? */
static int is_loaded(const acme_state_t *state)
{
    return state->live && state->live == state->served;
}

/* Is it what visitors get? While it lacks a name they may get another one. */
static int is_served(const acme_state_t *state)
{
    return is_loaded(state) && state->instead == ACME_INSTEAD_NOTHING;
}

acme_explain_kind_e acme_explain_kind(const acme_status_cert_t *cert,
                                      apr_time_t now)
{
    const acme_state_t *state = cert->state;

    if (!state || !state->agreed || state->deleted) {
        return ACME_EXPLAIN_WAITING;
    }
    if (state->ordering) {
        return ACME_EXPLAIN_RENEWING;
    }
    if (acme_status_rows_is_ill(state, now)) {
        return ACME_EXPLAIN_FAILING;
    }
    if (acme_next_step(state, now).step == ACME_STEP_LIMIT
        || !is_served(state) || !state->covers || state->left_out
        || state->wanted || state->notify.waiting) {
        return ACME_EXPLAIN_WAITING;
    }
    return ACME_EXPLAIN_FINE;
}

/* Which certificate there is, and what visitors get. */
static const char *text_of_live(const acme_status_cert_t *cert, apr_time_t now,
                                apr_pool_t *p)
{
    const acme_state_t *state = cert->state;
    const char *until = acme_explain_time(state->not_after, now, p);

    if (!state->live) {
        switch (state->instead) {
        case ACME_INSTEAD_STAND_IN:
            return "There is no certificate yet; until then httpd serves another one of the store that has all names.";
        case ACME_INSTEAD_FOREIGN:
            return "There is no certificate yet; visitors of one of its names get that of another virtual host or module, or no TLS.";
        default:
            return "There is no certificate yet; visitors get a self-signed placeholder.";
        }
    }
    if (state->not_after <= now) {
        return apr_psprintf(p, "The certificate expired at %s.", until);
    }
    if (state->revoked) {
        return apr_psprintf(p, "The CA revoked the certificate, which is valid until %s.",
                            until);
    }
    if (!is_loaded(state)) {
        const char *why = acme_state_not_live_text(state->not_live);

        return apr_psprintf(p, "A certificate is installed that is valid until %s, and is not served before the next reload of httpd%s%s.",
                            until, *why ? ": " : "", why);
    }
    if (state->instead == ACME_INSTEAD_FOREIGN
        || state->check == ACME_CHECK_OTHER) {
        return apr_psprintf(p, "The certificate is valid until %s, but visitors of one of its names get another one, or no TLS.",
                            until);
    }
    if (state->instead == ACME_INSTEAD_STAND_IN) {
        return apr_psprintf(p, "The certificate is valid until %s, but lacks a name; httpd serves another one of the store that has all names.",
                            until);
    }
    return apr_psprintf(p, "The certificate is valid until %s, and httpd serves it.",
                        until);
}

static const char *explain_so(const acme_status_cert_t *cert, apr_time_t now,
                              apr_pool_t *p)
{
    const acme_state_t *state = cert->state;
    const char *more = "";

    if (state->ordering) {
        more = apr_psprintf(p, " An order is under way since %s.",
                            acme_explain_time(state->ordering_since, now, p));
    }
    else if (state->attempts) {
        more = state->attempts == 1
            ? " The last attempt to order failed."
            : apr_psprintf(p, " The last %u attempts to order failed.",
                           state->attempts);
    }
    else if (state->live && !state->covers) {
        more = cert->lacks ? apr_pstrcat(p, " It lacks ", cert->lacks, ".", NULL)
            : " Its names, key types or CA differ from the configured ones.";
    }
    if (state->left_out) {
        more = apr_psprintf(p, "%s %s %s excluded.", more,
                            acme_status_rows_left_out(state, p),
                            state->left_out == 1 ? "is" : "are");
    }
    return apr_pstrcat(p, text_of_live(cert, now, p), more, NULL);
}

/* The commands of AcmeHook that failed; NULL: none did. */
static const acme_hooks_failing_t *failing_hook(const acme_state_t *state,
                                                const char **pkind)
{
    const struct {
        const char *kind;
        const acme_hooks_failing_t *what;
    } kinds[] = {
        { "post", &state->post },
        { "deploy", &state->deploy },
        { "notify", &state->notify }
    };
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (kinds[i].what->waiting) {
            *pkind = kinds[i].kind;
            return kinds[i].what;
        }
    }
    return NULL;
}

/* The message of what a reason is about; "": there is none. */
static const char *message_of(const acme_state_t *state, acme_reason_e reason,
                              apr_time_t now)
{
    if (acme_next_step(state, now).step == ACME_STEP_LIMIT) {
        return state->limit;
    }
    if (state->attempts) {
        return state->detail;
    }
    switch (reason) {
    case ACME_REASON_EXPORT_FAILED:
        return state->export_failure;
    case ACME_REASON_NOT_SERVED:
        return state->check_detail;
    default:
        return "";
    }
}

/* Names that keep failing, and why the first one does. */
static const char *why_left_out(const acme_state_t *state, apr_pool_t *p)
{
    const acme_reason_t *about = acme_reason_about(state->left_out_why);

    return apr_psprintf(p, "%s %s left out: %s failed %s%s%s%s.%s%s",
                        acme_status_rows_left_out(state, p),
                        state->left_out == 1 ? "is" : "are",
                        state->left_out == 1 ? "it" : "the first",
                        acme_status_rows_times(state->left_out_failures, p),
                        *about->code ? " (" : "", about->code,
                        *about->code ? ")" : "",
                        state->left_out_detail[0] ? " Last: " : "",
                        state->left_out_detail);
}

/* What a rehearsal saw, which is more than a CA can say. */
static const char *why_seen(const acme_state_t *state, apr_pool_t *p)
{
    return apr_psprintf(p, "Seen from here: %s. (%s)", state->rehearsal_detail,
                        acme_reason_about(state->rehearsal_why)->code);
}

/* Of one that nothing is wrong with. */
static const char *why_fine(const acme_state_t *state, apr_time_t now,
                            apr_pool_t *p)
{
    const char *check = "";

    if (state->check == ACME_CHECK_SERVED) {
        check = apr_psprintf(p, " The self check saw it at each address at %s.",
                             acme_explain_time(state->checked, now, p));
    }
    else if (state->check == ACME_CHECK_UNKNOWN) {
        check = apr_pstrcat(p, " The self check could not see it everywhere: ",
                            state->check_detail, ".", NULL);
    }
    return apr_psprintf(p, "It was issued by %s and installed at %s.%s",
                        state->issuer[0] ? state->issuer : "a CA",
                        acme_explain_time(state->installed, now, p), check);
}

static const char *why_of(const acme_status_cert_t *cert,
                          acme_reason_e reason, apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = cert->state;
    const acme_reason_t *about = acme_reason_about(reason);
    const char *message = message_of(state, reason, now);
    const acme_hooks_failing_t *hook;
    const char *kind;

    if (reason == ACME_REASON_NAMES_QUARANTINED && state->left_out_names[0]) {
        return why_left_out(state, p);
    }
    if (reason != ACME_REASON_NONE) {
        return apr_psprintf(p, "%s (%s)%s%s", about->sentence, about->code,
                            message[0] ? " The message: " : "", message);
    }
    if ((hook = failing_hook(state, &kind))) {
        return apr_psprintf(p, "A command of AcmeHook %s failed %u time%s (%s). The message: %s",
                            kind, hook->failures,
                            hook->failures == 1 ? "" : "s",
                            acme_reason_about(ACME_REASON_HOOK_FAILED)->code,
                            hook->failure);
    }
    if (state->wanted == ACME_WANT_RENEWAL) {
        return "The administrator requested a renewal.";
    }
    if (state->wanted == ACME_WANT_DRY_RUN) {
        return "The administrator requested a dry run, which changes nothing of the certificate.";
    }
    if (state->wanted) {
        return "The administrator requested an action at the CA.";
    }
    if (state->live && state->revoked) {
        return "The CA says that the certificate is revoked.";
    }
    if (!state->live) {
        return "It is new: no order for it has succeeded yet.";
    }
    if (state->not_after <= now) {
        return "No renewal succeeded in time; the server or its clock may have been stopped.";
    }
    if (!state->covers) {
        return "The configuration changed since it was ordered.";
    }
    if (!is_loaded(state)) {
        return "It was installed a short time ago.";
    }
    return state->ordering ? "It is time to renew it."
                           : why_fine(state, now, p);
}

static const char *explain_why(const acme_status_cert_t *cert,
                               acme_reason_e reason, apr_time_t now,
                               apr_pool_t *p)
{
    const char *why = why_of(cert, reason, now, p);

    return acme_status_rows_seen(cert, now) == ACME_REASON_NONE ? why
        : apr_pstrcat(p, why_seen(cert->state, p),
                      reason != ACME_REASON_NONE && cert->state->attempts
                          ? " The last attempt: " : " ", why, NULL);
}

static const char *next_renewal(const acme_state_t *state, apr_time_t at,
                                apr_time_t now, apr_pool_t *p)
{
    const char *when = acme_explain_time(at, now, p);

    if (state->names_again_at && at == state->names_again_at) {
        return apr_psprintf(p, "The excluded names are tried again at %s.",
                            when);
    }
    if (acme_next_step_has_pick(state)) {
        return apr_psprintf(p, "It is renewed at %s, a time drawn from the window that the CA suggests: %s to %s.",
                            when, acme_time_text(state->window_start, p),
                            acme_time_text(state->window_end, p));
    }
    return apr_psprintf(p, "It is renewed at %s.", when);
}

static const char *explain_next(const acme_status_cert_t *cert, apr_time_t now,
                                apr_pool_t *p)
{
    const acme_state_t *state = cert->state;
    const acme_next_t next = acme_next_step(state, now);
    const acme_step_e step = next.step == ACME_STEP_ORDER && state->ordering
        ? ACME_STEP_FINISH : next.step;
    const char *text = "", *kind;
    const acme_hooks_failing_t *hook = failing_hook(state, &kind);

    switch (step) {
    case ACME_STEP_AGREE:
        return "Nothing is ordered until AcmeTermsOfService is set to agree.";
    case ACME_STEP_ORDER:
        text = state->wanted && state->wanted != ACME_WANT_RENEWAL
            ? "It is carried out within seconds."
            : "The order starts within seconds, or as soon as AcmeParallel allows one more.";
        break;
    case ACME_STEP_FINISH:
        text = "When the CA has validated the names, the certificate is issued, checked and installed; then httpd reloads and serves it.";
        break;
    case ACME_STEP_RENEW:
        text = next_renewal(state, next.at, now, p);
        break;
    case ACME_STEP_RETRY:
        text = apr_psprintf(p, "The next attempt is at %s.",
                            acme_explain_time(next.at, now, p));
        break;
    case ACME_STEP_CONFIGURE:
        text = state->deleted
            ? "Nothing: no certificate is ordered until the administrator requests one."
            : "Nothing is tried again before the configuration changes, or the administrator requests it.";
        break;
    case ACME_STEP_LIMIT:
        text = apr_psprintf(p, "The order follows at %s.",
                            acme_explain_time(next.at, now, p));
        break;
    }
    if (hook) {
        text = apr_psprintf(p, "The command is run again %s%s. %s",
                            hook->next_at ? "at " : "soon",
                            hook->next_at ? acme_explain_time(hook->next_at,
                                                              now, p) : "",
                            text);
    }
    if (state->live && state->live != state->served) {
        text = apr_pstrcat(p, cert->is_reload_held
            ? "The reload is postponed, and tried again every minute. "
            : "httpd reloads when the running orders have ended, within a minute; with AcmeActivate none the administrator reloads it. ",
            text, NULL);
    }
    return text;
}

/* The remedy of a reason, and the command that tries at once. */
static const char *explain_remedy(const acme_status_cert_t *cert,
                                  acme_reason_e reason, apr_time_t now,
                                  apr_pool_t *p)
{
    const acme_state_t *state = cert->state;
    const acme_step_e step = acme_next_step(state, now).step;
    const acme_reason_e seen = acme_status_rows_seen(cert, now);
    const acme_reason_e advice = reason == ACME_REASON_NONE
        ? seen : acme_status_rows_advice(cert, now);
    const char *kind;

    if (advice != ACME_REASON_NONE) {
        return apr_pstrcat(p, acme_reason_about(advice)->remedy,
            step == ACME_STEP_RETRY
            || reason == ACME_REASON_NAMES_QUARANTINED
            || (step == ACME_STEP_CONFIGURE && !state->deleted)
                ? apr_psprintf(p, " Then acmectl renew %s tries at once.",
                               cert->id) : "", NULL);
    }
    if (failing_hook(state, &kind)) {
        return acme_reason_about(ACME_REASON_HOOK_FAILED)->remedy;
    }
    if (state->ordering) {
        return "Nothing: it takes seconds, or minutes with dns-01. acmectl watch shows its steps.";
    }
    if (state->live && state->live != state->served) {
        return "Nothing, or reload httpd now.";
    }
    if (step == ACME_STEP_RENEW) {
        return apr_psprintf(p, "Nothing. To renew it earlier: acmectl renew %s --force.",
                            cert->id);
    }
    return "Nothing: wait a minute. acmectl watch shows the order.";
}

void acme_explain_make(acme_explain_t *explain, const acme_status_cert_t *cert,
                       apr_time_t now, apr_pool_t *p)
{
    const acme_reason_e reason = acme_status_rows_reason(cert, now);

    explain->kind = acme_explain_kind(cert, now);
    if (!cert->state) {
        explain->so = "The state of the certificate is not known yet.";
        explain->why = "The keeper has just started, or does not run.";
        explain->next = "The keeper reads its store, which takes seconds.";
        explain->remedy = "Wait. If this lasts, read the error log.";
        return;
    }
    explain->so = explain_so(cert, now, p);
    explain->why = explain_why(cert, reason, now, p);
    explain->next = explain_next(cert, now, p);
    explain->remedy = explain_remedy(cert, reason, now, p);
}
