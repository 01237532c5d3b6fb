/*
 * acme_registry.c - the keeper's book of all certificates.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry.h"
#include "acme_name.h"
#include "acme_event.h"
#include "acme_history.h"
#include "acme_quarantine.h"
#include "acme_state_load.h"

/* A worker names the time of the next attempt: within what we'd choose. */
#define NEXT_MAX apr_time_from_sec(2 * 24 * 3600)

#define WATCH_EVERY apr_time_from_sec(3600)
#define WARN_EVERY apr_time_from_sec(24 * 3600)

static const acme_cert_conf_t *cert_of(const acme_registry_t *registry,
                                       apr_uint32_t cert)
{
    return acme_conf_cert(registry->conf, cert);
}

static void changed(acme_registry_t *registry, apr_uint32_t cert)
{
    acme_state_t *state = &registry->states[cert];

    state->change = ++registry->change;
    registry->publish(registry->publish_baton, state);
}

void acme_registry_reload(acme_registry_t *registry, apr_uint32_t cert,
                          apr_pool_t *p)
{
    acme_state_t *state = &registry->states[cert];
    int ordering = state->ordering;
    apr_time_t since = state->ordering_since;
    acme_result_t res;

    if (acme_state_load(state, registry->conf, cert, registry->store, &res,
                        p)) {
        acme_log(registry->log, ACME_LOG_ERROR, cert_of(registry, cert)->id,
                 "%s", res.detail);
    }
    state->ordering = ordering;
    state->ordering_since = since;
    changed(registry, cert);
}

void acme_registry_open(acme_registry_t *registry, apr_pool_t *p)
{
    apr_uint32_t n = (apr_uint32_t)registry->conf->certs->nelts;
    apr_pool_t *scratch;
    apr_uint32_t i;

    registry->states = apr_pcalloc(p, (n + 1) * sizeof(*registry->states));
    registry->warned = apr_pcalloc(p, (n + 1) * sizeof(*registry->warned));
    apr_pool_create(&scratch, p);
    for (i = 0; i < n; i++) {
        acme_registry_reload(registry, i, scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
}

const acme_state_t *acme_registry_next(const acme_registry_t *registry,
                                       apr_uint64_t change)
{
    const acme_state_t *next = NULL;
    int i;

    for (i = 0; change < registry->change && i < registry->conf->certs->nelts;
         i++) {
        const acme_state_t *state = &registry->states[i];

        if (state->change > change
            && (!next || state->change < next->change)) {
            next = state;
        }
    }
    return next;
}

int acme_registry_ordering(const acme_registry_t *registry)
{
    int i, n = 0;

    for (i = 0; i < registry->conf->certs->nelts; i++) {
        n += registry->states[i].ordering != 0;
    }
    return n;
}

static acme_journal_t *open_journal(acme_registry_t *registry,
                                    apr_uint32_t cert, apr_pool_t *p)
{
    const char *id = cert_of(registry, cert)->id;
    acme_journal_t *journal;
    acme_result_t res;

    if (acme_journal_load(&journal, registry->store, id, &res, p)) {
        acme_log(registry->log, ACME_LOG_WARNING, id, "%s", res.detail);
    }
    return journal;
}

/* Write the journal as the state is now, with one event more (NULL: none). */
static void close_journal(acme_registry_t *registry, apr_uint32_t cert,
                          acme_journal_t *journal, const char *event,
                          const char *detail, apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    acme_state_t *state = &registry->states[cert];
    acme_result_t res;

    acme_state_load_to_journal(journal, state);
    journal->digest = conf->settings;
    if (event) {
        acme_journal_add(journal, now, event, detail);
    }
    acme_state_load_journal(state, journal, registry->conf, conf, now);
    if (acme_journal_save(registry->store, conf->id, journal, &res, p)) {
        acme_log(registry->log, ACME_LOG_ERROR, conf->id, "%s", res.detail);
    }
}

static void journal(acme_registry_t *registry, apr_uint32_t cert,
                    const char *event, const char *detail, apr_time_t now,
                    apr_pool_t *p)
{
    close_journal(registry, cert, open_journal(registry, cert, p), event,
                  detail, now, p);
}

/* Only the administrator can help it on. */
static int is_stuck(const acme_state_t *state)
{
    return state->retry == ACME_RETRY_NEVER
        && !(state->live && state->covers);
}

static const char *what_next(const acme_state_t *state, apr_pool_t *p)
{
    if (is_stuck(state)) {
        return "waits for a changed configuration, or for acmectl renew";
    }
    return apr_pstrcat(p, "next attempt at ",
                       acme_time_text(state->next_at, p), NULL);
}

/* For the log and the journal, in the order of acme_want_e. */
static const char *const wants[ACME_WANTS] = {
    "", "a renewal", "a new chain", "a revocation",
    "a revocation without a new certificate", "the account's contacts told",
    "a new account key", "the account's end"
};

/* Only within the warn window: before it a failure is no reason to worry. */
static const char *worry(const acme_state_t *state, apr_time_t now,
                         apr_pool_t *p)
{
    if (!state->live || now < acme_state_warn_at(state, state->not_after)) {
        return "";
    }
    return apr_psprintf(p, ". WARNING: the certificate that is served %s at "
                        "%s", state->not_after > now ? "expires" : "expired",
                        acme_time_text(state->not_after, p));
}

/* Is a name to blame, and does it stay in? */
static acme_blame_e blame(acme_registry_t *registry,
                          const acme_msg_note_t *note, acme_journal_t *entry,
                          apr_time_t now)
{
    const acme_cert_conf_t *conf = cert_of(registry, note->about.cert);
    acme_fault_t fault;
    acme_blame_e blamed;

    if (note->name >= (apr_uint32_t)conf->names->nelts) {
        return ACME_BLAME_NOTED;
    }
    fault.name = APR_ARRAY_IDX(conf->names, note->name, const char *);
    fault.challenge = note->challenge;
    fault.is_lasting = note->retry == ACME_RETRY_NEVER;
    blamed = acme_quarantine_blame(entry, &fault, conf,
                                   &registry->states[note->about.cert], now);
    if (blamed == ACME_BLAME_LEFT_OUT) {
        acme_log(registry->log, ACME_LOG_WARNING, conf->id,
                 "quarantine: %s "
                 "keeps failing and is left out, so that the other names get "
                 "their certificate; it is tried again daily. Mend it, or "
                 "remove the name",
                 fault.name);
    }
    return blamed;
}

static void fail_state(acme_state_t *state, const acme_msg_note_t *note,
                       apr_time_t now, apr_pool_t *p)
{
    state->attempts++;
    state->retry = note->retry <= ACME_RETRY_NEVER
        ? (acme_retry_e)note->retry : ACME_RETRY_SOON;
    state->next_at = note->next_at;
    if (state->next_at < now || state->next_at > now + NEXT_MAX) {
        state->next_at = now + NEXT_MAX;
    }
    apr_cpystrn(state->problem,
                acme_text_clean(note->problem, ACME_PROBLEM_SIZE - 1, p),
                sizeof(state->problem));
    apr_cpystrn(state->detail,
                acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p),
                sizeof(state->detail));
}

/* What was asked for meanwhile is still to be done. */
static void renewal_ended(acme_state_t *state)
{
    if (state->wanted == ACME_WANT_RENEWAL) {
        state->wanted = ACME_WANT_NOTHING;
    }
}

/* The certificate is none the worse for it. */
static void wish_failed(acme_registry_t *registry, const acme_msg_note_t *note,
                        apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    acme_state_t *state = &registry->states[cert];
    const char *what = wants[note->want];
    const char *detail = acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1,
                                         p);

    if (state->wanted != note->want) {
        return;
    }
    acme_log(registry->log, ACME_LOG_ERROR, cert_of(registry, cert)->id,
             "failed: "
             "%s: %s; ask for it again with acmectl",
             what, detail);
    state->wanted = ACME_WANT_NOTHING;
    journal(registry, cert, "failed", apr_pstrcat(p, what, ": ", detail, NULL),
            now, p);
}

static void forget_limit(acme_state_t *state)
{
    state->limit_until = 0;
    state->limit[0] = '\0';
}

/*
 * The order failed, and the state with it, unless a name that is left out
 * already is to blame: the certificate is none the worse for it. In both
 * cases of quarantine what was wanted is still to be done, for the others.
 */
static void fail(acme_registry_t *registry, const acme_msg_note_t *note,
                 acme_blame_e blamed, apr_time_t now, apr_pool_t *p)
{
    acme_state_t *state = &registry->states[note->about.cert];
    const char *id = cert_of(registry, note->about.cert)->id;

    if (blamed == ACME_BLAME_STILL_OUT) {
        acme_log(registry->log, ACME_LOG_WARNING, id,
                 "quarantine: still failing: "
                 "%s",
                 acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p));
        return;
    }
    fail_state(state, note, now, p);
    if (blamed == ACME_BLAME_LEFT_OUT) {
        state->retry = ACME_RETRY_SOON;
        state->next_at = now;
    }
    else {
        renewal_ended(state);
    }
    acme_log(registry->log, ACME_LOG_ERROR, id, "failed: attempt %u: %s; %s%s",
             state->attempts, state->detail,
             blamed == ACME_BLAME_LEFT_OUT ? "the other names are ordered now"
                                           : what_next(state, p),
             worry(state, now, p));
    acme_event_send(registry, note->about.cert,
                    *worry(state, now, p) ? ACME_EVENT_EXPIRING
                    : is_stuck(state)     ? ACME_EVENT_STUCK
                                          : ACME_EVENT_FAILED,
                    state->detail, p);
}

static void note_failed(acme_registry_t *registry, const acme_msg_note_t *note,
                        apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    acme_state_t *state = &registry->states[cert];
    acme_journal_t *entry;
    acme_blame_e blamed;

    state->ordering = 0;
    if (note->want > ACME_WANT_RENEWAL && note->want < ACME_WANTS) {
        wish_failed(registry, note, now, p);
        return;
    }
    entry = open_journal(registry, cert, p);
    blamed = blame(registry, note, entry, now);
    forget_limit(state);
    fail(registry, note, blamed, now, p);
    acme_history_failed(
        acme_journal_add(
            entry, now,
            blamed == ACME_BLAME_STILL_OUT ? "quarantine" : "failed",
            acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p)),
        note, registry->conf);
    close_journal(registry, cert, entry, NULL, NULL, now, p);
    if (blamed != ACME_BLAME_NOTED) {
        acme_registry_reload(registry, cert,
                             p); /* other names are to be had */
    }
}

/* Not for the journal: it is counted anew after a restart. */
static void note_limit(acme_registry_t *registry, const acme_msg_note_t *note,
                       apr_time_t now, apr_pool_t *p)
{
    acme_state_t *state = &registry->states[note->about.cert];

    state->limit_until = note->next_at;
    if (state->limit_until < now || state->limit_until > now + NEXT_MAX) {
        state->limit_until = now + NEXT_MAX;
    }
    apr_cpystrn(state->limit,
                acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p),
                sizeof(state->limit));
}

/* What is told of an order besides its failure, by acme_note_e. */
static const struct {
    const char *event;
    acme_log_e level;
} notes[] = {
    [ACME_NOTE_ORDERED] = { "ordered", ACME_LOG_NOTICE },
    [ACME_NOTE_RESUMED] = { "resumed", ACME_LOG_NOTICE },
    [ACME_NOTE_VALIDATED] = { "validated", ACME_LOG_NOTICE },
    [ACME_NOTE_WARNING] = { "warning", ACME_LOG_WARNING },
    [ACME_NOTE_CHALLENGE] = { "challenge", ACME_LOG_WARNING }
};

static void note_event(acme_registry_t *registry, const acme_msg_note_t *note,
                       apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    const char *detail = acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1,
                                         p);
    acme_journal_t *entry = open_journal(registry, cert, p);
    acme_journal_event_t *event =
        acme_journal_add(entry, now, notes[note->note].event, detail);

    if (note->note == ACME_NOTE_CHALLENGE) {
        acme_history_failed(event, note, registry->conf);
        if (note->name < (apr_uint32_t)conf->names->nelts) {
            acme_quarantine_challenge(
                entry, APR_ARRAY_IDX(conf->names, note->name, const char *),
                note->challenge, conf, now);
        }
    }
    if (note->note == ACME_NOTE_ORDERED || note->note == ACME_NOTE_RESUMED) {
        acme_history_ordered(event, note, registry->conf,
                             &registry->states[cert], entry, p);
    }
    forget_limit(&registry->states[cert]);
    acme_log(registry->log, notes[note->note].level, conf->id, "%s: %s",
             notes[note->note].event, detail);
    close_journal(registry, cert, entry, NULL, NULL, now, p);
}

void acme_registry_note(acme_registry_t *registry, const acme_msg_note_t *note,
                        apr_time_t now, apr_pool_t *p)
{
    if (note->note == ACME_NOTE_LIMIT) {
        note_limit(registry, note, now, p);
    }
    else if (note->note < ACME_NOTE_FAILED) {
        note_event(registry, note, now, p);
    }
    else {
        note_failed(registry, note, now, p);
    }
    changed(registry, note->about.cert);
}

void acme_registry_installed(acme_registry_t *registry, apr_uint32_t cert,
                             const apr_array_header_t *names, apr_time_t now,
                             apr_pool_t *p)
{
    acme_journal_t *entry = open_journal(registry, cert, p);
    acme_state_t *state = &registry->states[cert];
    const char *detail;

    state->attempts = 0;
    state->next_at = 0;
    state->retry = ACME_RETRY_SOON;
    renewal_ended(state);
    state->deleted = 0;
    state->ordering = 0;
    state->problem[0] = '\0';
    state->detail[0] = '\0';

    detail = apr_psprintf(p, "archive/%s/%d", cert_of(registry, cert)->id,
                          state->live);
    acme_quarantine_issued(entry, names);
    close_journal(registry, cert, entry, "installed", detail, now, p);
    acme_event_send(registry, cert, ACME_EVENT_INSTALLED, detail, p);
    changed(registry, cert);
}

void acme_registry_wanted(acme_registry_t *registry,
                          const acme_msg_want_t *want, apr_time_t now,
                          apr_pool_t *p)
{
    const apr_uint32_t cert = want->about.cert;
    acme_journal_t *entry = open_journal(registry, cert, p);
    acme_state_t *state = &registry->states[cert];

    acme_log(registry->log, ACME_LOG_NOTICE, cert_of(registry, cert)->id,
             "asked for "
             "by the administrator: %s",
             wants[want->want]);
    state->wanted = (acme_want_e)want->want;
    state->wanted_ca = want->about.ca;
    state->reason = want->reason;
    if (want->want == ACME_WANT_RENEWAL
        || want->want == ACME_WANT_REVOCATION) {
        state->deleted = 0;             /* a certificate is wanted again */
    }
    state->next_at = 0;
    forget_limit(state);
    if (want->want == ACME_WANT_RENEWAL) {
        acme_quarantine_try_all(entry, now);
    }
    close_journal(registry, cert, entry, "asked", wants[want->want], now, p);
    changed(registry, cert);
}

void acme_registry_done(acme_registry_t *registry, const acme_msg_want_t *want,
                        apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = want->about.cert;
    acme_state_t *state = &registry->states[cert];
    const char *what = wants[state->wanted];

    if (state->wanted == ACME_WANT_NOTHING || state->wanted != want->want) {
        return;
    }
    acme_log(registry->log, ACME_LOG_NOTICE, cert_of(registry, cert)->id,
             "done: %s", what);
    state->revoked |= state->wanted == ACME_WANT_REVOCATION
                      || state->wanted == ACME_WANT_DELETION;
    state->deleted |= state->wanted == ACME_WANT_DELETION;
    /* Before the journal is written, or it is done again after a restart. */
    state->wanted = ACME_WANT_NOTHING;
    journal(registry, cert, "done", what, now, p);
    changed(registry, cert);
}

apr_time_t acme_registry_watch(acme_registry_t *registry, apr_time_t now,
                               apr_pool_t *p)
{
    int i;

    for (i = 0; i < registry->conf->certs->nelts; i++) {
        const acme_state_t *state = &registry->states[i];
        const char *text = worry(state, now, p);

        if (*text && now - registry->warned[i] >= WARN_EVERY) {
            registry->warned[i] = now;
            acme_log(
                registry->log, ACME_LOG_WARNING,
                cert_of(registry, (apr_uint32_t)i)->id, "expiring%s; %s", text,
                state->detail[0] ? state->detail : "its renewal is under way");
            acme_event_send(registry, (apr_uint32_t)i, ACME_EVENT_EXPIRING,
                            state->detail, p);
        }
    }
    return now + WATCH_EVERY;
}

apr_array_header_t *acme_registry_names(acme_registry_t *registry,
                                        apr_uint32_t cert, const char **pflags,
                                        apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    const acme_journal_t *entry = open_journal(registry, cert, p);

    *pflags = acme_quarantine_flags(conf, entry, now, p);
    return acme_quarantine_names(conf, entry, now, p);
}

/* A new window: the time in it is drawn once, and kept. */
static void take_window(acme_registry_t *registry, acme_state_t *state,
                        const acme_msg_window_t *window, apr_pool_t *p)
{
    const char *id = cert_of(registry, state->cert)->id;
    const int earlier = state->pick && window->end < state->window_start;

    apr_cpystrn(state->explanation,
                acme_text_clean(window->explanation,
                                sizeof(state->explanation) - 1, p),
                sizeof(state->explanation));
    if (window->start == state->window_start
        && window->end == state->window_end && state->pick) {
        return;
    }
    state->window_start = window->start;
    state->window_end = window->end;
    state->pick = window->pick >= window->start && window->pick < window->end
        ? window->pick : window->start;
    acme_log(registry->log, ACME_LOG_NOTICE, id,
             "renewal info: the CA suggests "
             "%s to %s; renewed at %s%s%s",
             acme_time_text(window->start, p), acme_time_text(window->end, p),
             acme_time_text(state->pick, p),
             state->explanation[0] ? ", because: " : "", state->explanation);
    if (earlier) {
        acme_event_send(registry, state->cert, ACME_EVENT_WINDOW_MOVED,
                        state->explanation, p);
    }
}

void acme_registry_window(acme_registry_t *registry,
                          const acme_msg_window_t *window, apr_time_t now,
                          apr_pool_t *p)
{
    const apr_uint32_t cert = window->about.cert;
    acme_state_t *state = &registry->states[cert];

    if (!state->live || strcmp(window->cert_id, state->cert_id) != 0) {
        return;                 /* it was replaced meanwhile */
    }
    if (window->start > 0 && window->start < window->end) {
        take_window(registry, state, window, p);
    }
    if (window->revoked && !state->revoked) {
        acme_log(registry->log, ACME_LOG_ERROR, cert_of(registry, cert)->id,
                 "revoked: the CA says so; a new certificate is ordered now");
        state->revoked = 1;
        acme_event_send(registry, cert, ACME_EVENT_REVOKED,
                        "the CA revoked it", p);
    }
    state->ask_failures = window->failures;
    state->ask_at = window->ask_at;
    if (state->ask_at < now || state->ask_at > now + NEXT_MAX) {
        state->ask_at = now + NEXT_MAX;
    }
    journal(registry, cert, NULL, NULL, now, p);
    changed(registry, cert);
}

void acme_registry_order(acme_registry_t *registry, apr_uint32_t cert,
                         int ordering, apr_time_t now)
{
    acme_state_t *state = &registry->states[cert];

    if (ordering && !state->ordering) {
        state->ordering_since = now;
    }
    state->ordering = ordering;
    changed(registry, cert);
}
