/*
 * acme_registry.c - the states of all certificates.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry.h"
#include "acme_counters.h"
#include "acme_live_mend.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_history.h"
#include "acme_name_quarantine.h"
#include "acme_next_step.h"
#include "acme_rehearsal.h"
#include "acme_self_check.h"
#include "acme_state_load.h"
#include "acme_take_over.h"

#define NEXT_MAX apr_time_from_sec(2 * 24 * 3600)

#define WATCH_EVERY apr_time_from_sec(3600)
#define WARN_EVERY apr_time_from_sec(24 * 3600)
#define COMPLAIN_EVERY apr_time_from_sec(3600)

/* Until httpd is visited again, when nothing could be compared, or with what
   was not known here. */
#define NO_RESULT_REST apr_time_from_sec(3600)
#define OTHER_LIVE_REST apr_time_from_sec(60)

/* What is noted of an order is in the journal after this at the latest; what
   comes before that is one write. */
#define JOURNAL_WAIT apr_time_from_sec(1)

/* How often one began. */
#define REHEARSALS_MAX 2        /* that the administrator asked for */

typedef struct {
    apr_time_t of;              /* its rehearse_at */
    int begun;
} rehearsal_t;

/* A journal that waits to be written. */
typedef struct {
    const char *text;           /* in p; NULL: none waits */
    apr_time_t write_at;
    apr_pool_t *p;
} noted_t;

/* A change; out of date when the certificate has changed again. */
typedef struct {
    apr_uint64_t change;
    apr_uint32_t cert;
} change_row_t;

struct acme_registry_t {
    acme_registry_conf_t with;
    const acme_conf_t *conf; /* three of with */
    acme_store_t *store;
    const acme_log_t *log;
    acme_state_t *states; /* one for each certificate, by its index */
    apr_time_t *warned;   /* of each: the last warning of its expiry, */
    apr_time_t *complained; /* and of acme_registry_may_complain() */
    char *reloads; /* of each: was this load's end asked for, as visitors get
                      an older one? */
    rehearsal_t *rehearsals; /* of each: the one under way */
    noted_t *noted;       /* of each */
    apr_time_t write_at;  /* the first of them; 0: none waits */
    apr_pool_t *p;
    char *ordering;       /* of each: is it counted in orders? */
    int orders;           /* under way */
    apr_uint64_t change;  /* the latest */
    change_row_t *changes; /* the latest of each, by number, and some that
                              are out of date */
    apr_uint32_t nchanges, changes_max;
};

static const acme_cert_conf_t *cert_of(const acme_registry_t *registry,
                                       apr_uint32_t cert)
{
    return acme_conf_cert(registry->conf, cert);
}

static int is_latest(const acme_registry_t *registry, const change_row_t *row)
{
    return registry->states[row->cert].change == row->change;
}

/* There is room for two of each: that takes one step a change in the mean. */
static void drop_changes(acme_registry_t *registry)
{
    apr_uint32_t i, kept = 0;

    for (i = 0; i < registry->nchanges; i++) {
        if (is_latest(registry, &registry->changes[i])) {
            registry->changes[kept++] = registry->changes[i];
        }
    }
    registry->nchanges = kept;
}

static void publish_change(acme_registry_t *registry, apr_uint32_t cert)
{
    acme_state_t *state = &registry->states[cert];
    const char is_ordering = state->ordering != 0;

    registry->orders += is_ordering - registry->ordering[cert];
    registry->ordering[cert] = is_ordering;
    state->change = ++registry->change;
    if (registry->nchanges == registry->changes_max) {
        drop_changes(registry);
    }
    registry->changes[registry->nchanges++] = (change_row_t) {
        .change = state->change, .cert = cert
    };
    registry->with.publish(registry->with.publish_baton, state);
}

/* An administrator may copy a store while it is used. */
static void mend_live(const acme_registry_t *registry, apr_uint32_t cert,
                      apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    const int live = registry->states[cert].live;
    acme_result_t res;
    const apr_status_t rv = acme_live_mend(registry->store, conf->id,
                                           live ? live : conf->served, &res,
                                           p);

    if (rv != APR_SUCCESS || res.detail[0]) {
        acme_log(registry->log, rv == APR_SUCCESS ? ACME_LOG_WARNING
                                                  : ACME_LOG_ERROR,
                 conf->id, "%s", res.detail);
    }
}

static acme_journal_t *open_journal(const acme_registry_t *registry,
                                    apr_uint32_t cert, apr_pool_t *p)
{
    const char *id = cert_of(registry, cert)->id;
    const char *text = registry->noted[cert].text;
    acme_journal_t *journal;
    acme_result_t res;

    if (text ? acme_journal_parse(&journal, registry->store, id, text, &res, p)
             : acme_journal_load(&journal, registry->store, id, &res, p)) {
        acme_log(registry->log, ACME_LOG_WARNING, id, "%s", res.detail);
    }
    return journal;
}

/* Another one takes its place, or it was written. */
static void forget_noted(acme_registry_t *registry, apr_uint32_t cert)
{
    noted_t *noted = &registry->noted[cert];

    noted->text = NULL;
    if (noted->p) {
        apr_pool_clear(noted->p);
    }
}

/* Have a journal written soon. text is copied, the older one may be in it. */
static void write_soon(acme_registry_t *registry, apr_uint32_t cert,
                       const char *text, apr_time_t now)
{
    noted_t *noted = &registry->noted[cert];

    if (!noted->text) {
        noted->write_at = now + JOURNAL_WAIT;
    }
    if (!noted->p) {
        apr_pool_create(&noted->p, registry->p);
    }
    apr_pool_clear(noted->p);
    noted->text = apr_pstrdup(noted->p, text);
    if (!registry->write_at || noted->write_at < registry->write_at) {
        registry->write_at = noted->write_at;
    }
}

static void write_noted(acme_registry_t *registry, apr_uint32_t cert,
                        apr_pool_t *p)
{
    const char *id = cert_of(registry, cert)->id;
    acme_result_t res;

    if (acme_journal_update(registry->store, id, registry->noted[cert].text,
                            &res, p)) {
        acme_log(registry->log, ACME_LOG_ERROR, id, "%s", res.detail);
    }
    forget_noted(registry, cert);
}

void acme_registry_refresh(acme_registry_t *registry, apr_uint32_t cert,
                           apr_pool_t *p)
{
    acme_state_t *state = &registry->states[cert];
    const int ordering = state->ordering, live = state->live;
    const acme_not_live_e not_live = state->not_live;
    const apr_time_t since = state->ordering_since, check_at = state->check_at;
    const apr_time_t rehearse_at = state->rehearse_at;
    const apr_uint32_t rehearse_fully = state->rehearse_fully;
    const apr_time_t dry_run_at = state->dry_run_at;
    char dry_run_detail[ACME_DRY_RUN_DETAIL_SIZE];
    const acme_hooks_failing_t post = state->post, deploy = state->deploy,
                               notify = state->notify;
    const apr_time_t next_key_made = state->next_key_made;
    const apr_time_t next_key_from = state->next_key_from;
    char export_failure[ACME_DETAIL_SIZE];
    acme_result_t res;

    memcpy(export_failure, state->export_failure, sizeof(export_failure));
    memcpy(dry_run_detail, state->dry_run_detail, sizeof(dry_run_detail));
    mend_live(registry, cert, p);
    if (acme_state_load(state, registry->conf, cert, registry->store,
                        open_journal(registry, cert, p), &res, p)) {
        acme_log(registry->log, ACME_LOG_ERROR, cert_of(registry, cert)->id,
                 "%s", res.detail);
    }
    state->ordering = ordering;
    state->ordering_since = since;
    if (state->live == live) {
        state->not_live = not_live;
    }
    if (check_at) {
        state->check_at = check_at;     /* the load is the same */
    }
    state->rehearse_at = rehearse_at;
    state->rehearse_fully = rehearse_fully;
    if (dry_run_at && state->dry_run == ACME_DRY_RUN_UNDER_WAY) {
        state->dry_run_at = dry_run_at;
        memcpy(state->dry_run_detail, dry_run_detail, sizeof(dry_run_detail));
    }
    state->post = post;
    state->deploy = deploy;
    state->notify = notify;
    state->next_key_made = next_key_made;
    state->next_key_from = next_key_from;
    memcpy(state->export_failure, export_failure, sizeof(export_failure));
    publish_change(registry, cert);
}

static void set_failing(acme_registry_t *registry, apr_uint32_t cert,
                        acme_hooks_failing_t *place,
                        const acme_hooks_failing_t *failing)
{
    if (memcmp(place, failing, sizeof(*place)) != 0) {
        *place = *failing;
        publish_change(registry, cert);
    }
}

void acme_registry_deploy_failing(acme_registry_t *registry,
                                  apr_uint32_t cert,
                                  const acme_hooks_failing_t *failing)
{
    set_failing(registry, cert, &registry->states[cert].deploy, failing);
}

void acme_registry_post_failing(acme_registry_t *registry, apr_uint32_t cert,
                                const acme_hooks_failing_t *failing)
{
    set_failing(registry, cert, &registry->states[cert].post, failing);
}

static void notify_failing(void *baton, apr_uint32_t cert,
                           const acme_hooks_failing_t *failing)
{
    acme_registry_t *registry = baton;

    set_failing(registry, cert, &registry->states[cert].notify, failing);
}

acme_registry_t *acme_registry_create(const acme_registry_conf_t *conf,
                                      apr_pool_t *p)
{
    const apr_uint32_t n = (apr_uint32_t)conf->conf->certs->nelts;
    acme_registry_t *registry = apr_pcalloc(p, sizeof(*registry));
    apr_pool_t *scratch;
    apr_uint32_t i;

    registry->with = *conf;
    registry->conf = conf->conf;
    registry->store = conf->store;
    registry->log = conf->log;
    registry->states = apr_pcalloc(p, (n + 1) * sizeof(*registry->states));
    registry->warned = apr_pcalloc(p, (n + 1) * sizeof(*registry->warned));
    registry->complained =
        apr_pcalloc(p, (n + 1) * sizeof(*registry->complained));
    registry->reloads = apr_pcalloc(p, n + 1);
    registry->rehearsals =
        apr_pcalloc(p, (n + 1) * sizeof(*registry->rehearsals));
    registry->noted = apr_pcalloc(p, (n + 1) * sizeof(*registry->noted));
    registry->p = p;
    registry->ordering = apr_pcalloc(p, n + 1);
    registry->changes_max = 2 * (n + 1);
    registry->changes =
        apr_palloc(p, registry->changes_max * sizeof(*registry->changes));
    apr_pool_create(&scratch, p);
    for (i = 0; i < n; i++) {
        acme_take_over(&APR_ARRAY_IDX(conf->conf->certs, i, acme_cert_conf_t),
                       conf->store, conf->log, scratch);
        acme_registry_refresh(registry, i, scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    acme_event_watch(registry->with.events, notify_failing, registry);
    return registry;
}

const acme_conf_t *acme_registry_conf(const acme_registry_t *registry)
{
    return registry->conf;
}

acme_store_t *acme_registry_store(const acme_registry_t *registry)
{
    return registry->store;
}

const acme_log_t *acme_registry_log(const acme_registry_t *registry)
{
    return registry->log;
}

const acme_state_t *acme_registry_state(const acme_registry_t *registry,
                                        apr_uint32_t cert)
{
    return &registry->states[cert];
}

const acme_state_t *acme_registry_next_change(const acme_registry_t *registry,
                                              apr_uint64_t change)
{
    apr_uint32_t first = 0, end = registry->nchanges;

    while (first < end) {       /* the first after change */
        const apr_uint32_t middle = first + (end - first) / 2;

        if (registry->changes[middle].change > change) {
            end = middle;
        }
        else {
            first = middle + 1;
        }
    }
    while (first < registry->nchanges
           && !is_latest(registry, &registry->changes[first])) {
        first++;
    }
    return first < registry->nchanges
        ? &registry->states[registry->changes[first].cert] : NULL;
}

apr_uint64_t acme_registry_change(const acme_registry_t *registry)
{
    return registry->change;
}

int acme_registry_orders_under_way(const acme_registry_t *registry)
{
    return registry->orders;
}

/* A change of one state: made between change_begin() and change_save(). */
typedef struct {
    acme_registry_t *registry;
    const acme_cert_conf_t *conf;
    acme_state_t *state;
    acme_journal_t *journal;
    apr_time_t now;
    apr_pool_t *p;
} change_t;

static change_t change_begin(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t now, apr_pool_t *p)
{
    const change_t change = { .registry = registry,
                              .conf = cert_of(registry, cert),
                              .state = &registry->states[cert],
                              .journal = open_journal(registry, cert, p),
                              .now = now,
                              .p = p };

    return change;
}

/* Beside the certificate: it outlives the journal, and is not served again. */
static void record_revocation(const change_t *change)
{
    acme_result_t res;

    if (change->state->revoked && change->state->live
        && acme_meta_set_revoked(change->registry->store, change->conf->id,
                                 change->state->live, change->now, &res,
                                 change->p)) {
        acme_log(change->registry->log, ACME_LOG_ERROR, change->conf->id,
                 "%s", res.detail);
    }
}

/* Write the state into the journal, and one event more (NULL: none). */
static void change_end(const change_t *change, const char *event,
                       const char *detail)
{
    record_revocation(change);
    acme_state_load_to_journal(change->journal, change->state);
    change->journal->digest = change->conf->settings;
    if (event) {
        acme_journal_add(change->journal, change->now, event, detail);
    }
    acme_state_load_journal(change->state, change->journal,
                            change->registry->conf, change->conf, change->now);
}

/* It is on disk on return: a request, or what would be done once more. */
static apr_status_t change_save(const change_t *change, const char *event,
                                const char *detail)
{
    acme_registry_t *registry = change->registry;
    const char *id = change->conf->id;
    acme_result_t res;
    apr_status_t rv;

    change_end(change, event, detail);
    forget_noted(registry, change->state->cert);
    rv = acme_journal_save(registry->store, id, change->journal, &res,
                           change->p);
    if (rv != APR_SUCCESS) {
        acme_log(registry->log, ACME_LOG_ERROR, id, "%s", res.detail);
    }
    return rv;
}

/* It will be on disk soon: a crash costs no order by it. */
static void change_note(const change_t *change, const char *event,
                        const char *detail)
{
    acme_registry_t *registry = change->registry;
    const char *id = change->conf->id, *text;
    acme_result_t res;

    change_end(change, event, detail);
    if (acme_journal_text(&text, registry->store, id, change->journal, &res,
                          change->p)) {
        acme_log(registry->log, ACME_LOG_ERROR, id, "%s", res.detail);
        return;
    }
    write_soon(registry, change->state->cert, text, change->now);
}

apr_time_t acme_registry_write_journals(acme_registry_t *registry,
                                        apr_time_t now, apr_pool_t *p)
{
    apr_time_t next = 0;
    int i;

    if (!registry->write_at
        || (now < registry->write_at
            && registry->write_at <= now + JOURNAL_WAIT)) {
        return registry->write_at;
    }
    for (i = 0; i < registry->conf->certs->nelts; i++) {
        const noted_t *noted = &registry->noted[i];

        if (noted->text && (noted->write_at <= now
                            || noted->write_at > now + JOURNAL_WAIT)) {
            write_noted(registry, (apr_uint32_t)i, p);
        }
        if (noted->text && (!next || noted->write_at < next)) {
            next = noted->write_at;
        }
    }
    registry->write_at = next;
    return next;
}

void acme_registry_write_all_journals(acme_registry_t *registry,
                                      apr_pool_t *p)
{
    int i;

    for (i = 0; i < registry->conf->certs->nelts; i++) {
        if (registry->noted[i].text) {
            write_noted(registry, (apr_uint32_t)i, p);
        }
    }
    registry->write_at = 0;
}

/* Only the administrator can remove the reason of the failure. */
static int is_stuck(const acme_state_t *state)
{
    return state->retry == ACME_RETRY_NEVER
        && !(state->live && state->covers);
}

static const char *next_attempt(const acme_state_t *state, apr_pool_t *p)
{
    if (is_stuck(state)) {
        return "the order waits for a changed configuration, or acmectl renew";
    }
    return apr_pstrcat(p, "next attempt at ",
                       acme_time_text(state->next_at, p), NULL);
}

/* For the log and the journal, in the order of acme_want_e. */
static const char *const request_names[ACME_WANTS] = {
    "",
    "renewal",
    "new chain",
    "revocation",
    "revocation without a new certificate",
    "update of the account's contacts",
    "new account key",
    "deactivation of the account",
    "dry run"
};

/* Only within the warn window: before it a failure is no reason to worry. */
static const char *expiry_warning(const acme_state_t *state, apr_time_t now,
                                  apr_pool_t *p)
{
    if (!state->live || now < acme_state_warn_at(state, state->not_after)) {
        return "";
    }
    return apr_psprintf(p, ". WARNING: the served certificate %s at %s",
                        state->not_after > now ? "expires" : "expired",
                        acme_time_text(state->not_after, p));
}

/* Another request of the administrator stays: it came meanwhile. */
static void clear_renewal_request(acme_state_t *state)
{
    if (state->wanted == ACME_WANT_RENEWAL) {
        state->wanted = ACME_WANT_NOTHING;
    }
}

/*
 * Would nobody retry it but for the request? A certificate that is due, or is
 * not there, is retried anyway.
 */
static int is_only_requested(const acme_state_t *state, apr_time_t now)
{
    return state->wanted == ACME_WANT_RENEWAL && state->live && state->covers
        && state->retry != ACME_RETRY_NEVER
        && acme_next_step_renewal(state, now) > now;
}

/* The worker's sentence: one line, no control characters, bounded. */
static const char *clean_detail(const acme_msg_note_t *note, apr_pool_t *p)
{
    return acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p);
}

/* The worker's time of the next attempt, at most two days from now. */
static apr_time_t bound_next_at(apr_time_t at, apr_time_t now)
{
    return at < now || at > now + NEXT_MAX ? now + NEXT_MAX : at;
}

static void forget_limit(acme_state_t *state)
{
    state->limit_until = 0;
    state->limit[0] = '\0';
}

/* Blame the name that the worker names, and decide whether it is excluded. */
static acme_blame_e blame_name(const acme_registry_t *registry,
                               const acme_msg_note_t *note,
                               acme_journal_t *entry, apr_time_t now,
                               apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(registry, note->about.cert);
    acme_fault_t fault;

    if (note->name >= (apr_uint32_t)conf->names->nelts) {
        return ACME_BLAME_NOTED;
    }
    fault.name = APR_ARRAY_IDX(conf->names, note->name, const char *);
    fault.challenge = note->challenge;
    fault.is_lasting = note->retry == ACME_RETRY_NEVER;
    fault.why = acme_reason_bound(note->why);
    fault.detail = acme_text_clean(note->detail, ACME_JOURNAL_DETAIL_MAX, p);
    return acme_name_quarantine_blame(
        entry, &fault, conf, &registry->states[note->about.cert], now);
}

static void log_left_out(const acme_registry_t *registry,
                         const acme_msg_note_t *note)
{
    const acme_cert_conf_t *conf = cert_of(registry, note->about.cert);

    acme_log(
        registry->log, ACME_LOG_WARNING, conf->id,
        "quarantine: %s keeps failing validation; ordering the certificate without it. It is retried daily. Fix the cause or remove the name",
        APR_ARRAY_IDX(conf->names, note->name, const char *));
}

/* A request that is not an order: the state stays, and nothing is retried. */
static void request_failed(acme_registry_t *registry,
                           const acme_msg_note_t *note, apr_time_t now,
                           apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    acme_state_t *state = &registry->states[cert];
    const char *request = request_names[note->want];
    const char *detail = clean_detail(note, p);
    change_t change;

    state->ordering = 0;
    if (state->wanted != note->want) {
        return;
    }
    acme_log(registry->log, ACME_LOG_ERROR, cert_of(registry, cert)->id,
             "failed: %s: %s; not retried: repeat the request with acmectl",
             request, detail);
    state->wanted = ACME_WANT_NOTHING;
    change = change_begin(registry, cert, now, p);
    change_save(&change, "failed",
                apr_pstrcat(p, request, ": ", detail, NULL));
}

/*
 * The order failed, and the state with it, unless the name to blame is
 * excluded already: then the order was a retry of that name only. In both
 * cases of quarantine a requested renewal is still due, for the other names.
 */
static void order_failed(acme_registry_t *registry,
                         const acme_msg_note_t *note, apr_time_t now,
                         apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    acme_state_t *state = &registry->states[cert];
    const change_t change = change_begin(registry, cert, now, p);
    const acme_blame_e blamed =
        blame_name(registry, note, change.journal, now, p);
    const char *detail = clean_detail(note, p);
    const char *expiry, *next;

    state->ordering = 0;
    forget_limit(state);
    acme_counters_attempt(cert, ACME_ATTEMPT_FAILURE);
    acme_counters_failure(acme_conf_ca_index(conf, note->about.ca),
                          acme_reason_bound(note->why));

    if (blamed == ACME_BLAME_STILL_OUT) {
        acme_log(registry->log, ACME_LOG_WARNING, conf->id,
                 "quarantine: still failing: %s", detail);
    }
    else {
        state->attempts++;
        state->retry = note->retry <= ACME_RETRY_NEVER
                           ? (acme_retry_e)note->retry
                           : ACME_RETRY_SOON;
        state->next_at = bound_next_at(note->next_at, now);
        state->why = acme_reason_bound(note->why);
        apr_cpystrn(state->problem,
                    acme_text_clean(note->problem, ACME_PROBLEM_SIZE - 1, p),
                    sizeof(state->problem));
        apr_cpystrn(state->detail, detail, sizeof(state->detail));
        if (blamed == ACME_BLAME_LEFT_OUT) {
            log_left_out(registry, note);
            state->retry = ACME_RETRY_SOON;
            state->next_at = now;
            next = "the other names are ordered now";
        }
        else {
            if (!is_only_requested(state, now)) {
                clear_renewal_request(state);
            }
            next = next_attempt(state, p);
        }
        expiry = expiry_warning(state, now, p);
        acme_log(registry->log, ACME_LOG_ERROR, conf->id,
                 "failed: attempt %u: %s; %s%s", state->attempts,
                 state->detail, next, expiry);
        acme_event_send(registry->with.events, state,
                        *expiry           ? ACME_EVENT_EXPIRING
                        : is_stuck(state) ? ACME_EVENT_STUCK
                                          : ACME_EVENT_FAILED,
                        state->detail, p);
    }

    acme_history_failed(
        acme_journal_add(
            change.journal, now,
            blamed == ACME_BLAME_STILL_OUT ? "quarantine" : "failed", detail),
        note, registry->conf);
    change_save(&change, NULL, NULL);
    if (blamed != ACME_BLAME_NOTED) {
        acme_registry_refresh(registry, cert, p); /* other names to order */
    }
    if (acme_rehearsal_follows(state, acme_reason_bound(note->why),
                               note->name < (apr_uint32_t)conf->names->nelts
                                   && note->challenge < ACME_CHALLENGES,
                               now)) {
        state->rehearse_at = now;
    }
}

/* Not in the journal: after a restart the limit is counted again. */
static void order_postponed(acme_registry_t *registry,
                            const acme_msg_note_t *note, apr_time_t now,
                            apr_pool_t *p)
{
    acme_state_t *state = &registry->states[note->about.cert];

    state->limit_until = bound_next_at(note->next_at, now);
    state->limit_why = acme_reason_bound(note->why);
    state->limit_ca = note->about.ca;
    if (state->limit_why == ACME_REASON_CA_SLOW) {
        state->ordering = 0;    /* the CA wants it to be left alone */
    }
    apr_cpystrn(state->limit, clean_detail(note, p), sizeof(state->limit));
}

/* What is reported of an order besides its failure, by acme_note_e. */
static const struct {
    const char *event;
    acme_log_e level;
} notes[] = {
    [ACME_NOTE_ORDERED] = { "ordered", ACME_LOG_NOTICE },
    [ACME_NOTE_RESUMED] = { "resumed", ACME_LOG_NOTICE },
    [ACME_NOTE_VALIDATED] = { "validated", ACME_LOG_NOTICE },
    [ACME_NOTE_WARNING] = { "warning", ACME_LOG_WARNING },
    [ACME_NOTE_CHALLENGE] = { "challenge", ACME_LOG_WARNING },
    [ACME_NOTE_NAME] = { "name", ACME_LOG_WARNING }
};

static void order_progressed(acme_registry_t *registry,
                             const acme_msg_note_t *note, apr_time_t now,
                             apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    const char *detail = clean_detail(note, p);
    const change_t change = change_begin(registry, cert, now, p);
    acme_journal_t *entry = change.journal;
    acme_journal_event_t *event =
        acme_journal_add(entry, now, notes[note->note].event, detail);
    acme_blame_e blamed = ACME_BLAME_NOTED;

    if (note->note == ACME_NOTE_CHALLENGE) {
        acme_history_failed(event, note, registry->conf);
        if (note->name < (apr_uint32_t)conf->names->nelts) {
            acme_name_quarantine_challenge(
                entry, APR_ARRAY_IDX(conf->names, note->name, const char *),
                note->challenge, conf, now);
        }
    }
    if (note->note == ACME_NOTE_NAME) {
        acme_history_failed(event, note, registry->conf);
        blamed = blame_name(registry, note, entry, now, p);
    }
    if (note->note == ACME_NOTE_ORDERED || note->note == ACME_NOTE_RESUMED) {
        acme_history_ordered(event, note, registry->conf,
                             &registry->states[cert], entry, p);
    }
    forget_limit(&registry->states[cert]);
    acme_log(registry->log, notes[note->note].level, conf->id, "%s: %s",
             notes[note->note].event, detail);
    if (blamed == ACME_BLAME_LEFT_OUT) {
        log_left_out(registry, note);
    }
    change_note(&change, NULL, NULL);
    if (blamed != ACME_BLAME_NOTED) {
        acme_registry_refresh(registry, cert, p);       /* other names */
    }
}

/*
 * A dry run changes nothing of what an order would: no attempt is counted, no
 * name blamed, no limit of the CA used up. Only its end is in the journal.
 */
static void dry_run_noted(acme_registry_t *registry,
                          const acme_msg_note_t *note, apr_time_t now,
                          apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const int has_failed = note->note == ACME_NOTE_DRY_RUN_FAILED;
    acme_state_t *state = &registry->states[cert];
    const char *detail = clean_detail(note, p);
    acme_journal_event_t *event;
    change_t change;

    if (state->wanted != ACME_WANT_DRY_RUN) {
        return;                 /* another request replaced it */
    }
    apr_cpystrn(state->dry_run_detail, detail, sizeof(state->dry_run_detail));
    acme_log(registry->log, has_failed ? ACME_LOG_WARNING : ACME_LOG_NOTICE,
             cert_of(registry, cert)->id, "dry run%s: %s",
             has_failed                                ? " failed"
             : note->note == ACME_NOTE_DRY_RUN_PASSED ? " passed"
                                                       : "",
             detail);
    if (note->note == ACME_NOTE_DRY_RUN) {
        return;
    }
    state->wanted = ACME_WANT_NOTHING;
    state->dry_run = has_failed ? ACME_DRY_RUN_FAILED : ACME_DRY_RUN_PASSED;
    state->dry_run_why = has_failed ? acme_reason_bound(note->why)
                                    : ACME_REASON_NONE;
    state->dry_run_at = now;
    change = change_begin(registry, cert, now, p);
    event = acme_journal_add(change.journal, now,
                             has_failed ? ACME_STATE_LOAD_DRY_RUN_FAILED
                                        : ACME_STATE_LOAD_DRY_RUN_PASSED,
                             state->dry_run_detail);
    event->kind = acme_reason_about(state->dry_run_why)->code;
    change_save(&change, NULL, NULL);
}

void acme_registry_order_noted(acme_registry_t *registry,
                               const acme_msg_note_t *note, apr_time_t now,
                               apr_pool_t *p)
{
    if (note->note >= ACME_NOTE_DRY_RUN && note->note < ACME_NOTES) {
        dry_run_noted(registry, note, now, p);
    }
    else if (note->note == ACME_NOTE_LIMIT) {
        order_postponed(registry, note, now, p);
    }
    else if (note->note < ACME_NOTE_FAILED) {
        order_progressed(registry, note, now, p);
    }
    else if (note->want > ACME_WANT_RENEWAL && note->want < ACME_WANTS) {
        request_failed(registry, note, now, p);
    }
    else {
        order_failed(registry, note, now, p);
    }
    publish_change(registry, note->about.cert);
}

void acme_registry_installed(acme_registry_t *registry, apr_uint32_t cert,
                             const apr_array_header_t *names, apr_time_t now,
                             apr_pool_t *p)
{
    const change_t change = change_begin(registry, cert, now, p);
    acme_state_t *state = &registry->states[cert];
    const char *detail;

    acme_counters_attempt(cert, ACME_ATTEMPT_SUCCESS);
    state->attempts = 0;
    state->next_at = 0;
    state->retry = ACME_RETRY_SOON;
    clear_renewal_request(state);
    state->deleted = 0;
    state->ordering = 0;
    state->why = ACME_REASON_NONE;
    state->problem[0] = '\0';
    state->detail[0] = '\0';
    state->rehearsal = ACME_REHEARSAL_NONE; /* the CA has seen better */
    state->rehearsal_why = ACME_REASON_NONE;
    state->rehearsal_detail[0] = '\0';

    detail = apr_psprintf(p, "archive/%s/%d", cert_of(registry, cert)->id,
                          state->live);
    acme_name_quarantine_issued(change.journal, names);
    change_note(&change, "installed", detail);
    write_noted(registry, cert, p);
    acme_event_send(registry->with.events, state, ACME_EVENT_INSTALLED, detail,
                    p);
    publish_change(registry, cert);
}

/* As after a reload, of what no visitor may get nobody must think that it is
   served. */
static void log_activated(const change_t *change)
{
    const acme_state_t *state = change->state;
    const char *until = acme_time_text(state->not_after, change->p);

    if (state->instead == ACME_INSTEAD_FOREIGN) {
        acme_log(change->registry->log, ACME_LOG_NOTICE, change->conf->id,
                 "given to running workers, without a reload, but visitors of a name of it get what another virtual host or module has (see the warning of httpd's start or reload); serial %s, valid until %s",
                 state->serial, until);
        return;
    }
    acme_log(change->registry->log, ACME_LOG_NOTICE, change->conf->id,
             "served now by running workers, without a reload; serial %s, valid until %s",
             state->serial, until);
}

void acme_registry_activated(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    const change_t change = change_begin(registry, cert, now, p);
    acme_state_t *state = &registry->states[cert];
    const int is_seen = state->instead != ACME_INSTEAD_FOREIGN;

    state->served = state->live;
    state->activated = 1;
    state->not_live = ACME_NOT_LIVE_NONE;
    if (state->instead == ACME_INSTEAD_STAND_IN) {
        state->instead = ACME_INSTEAD_NOTHING;
    }
    /* What was seen is of another one. */
    state->check = ACME_CHECK_NONE;
    state->check_tries = 0;
    state->checked = 0;
    state->check_places[0] = state->check_detail[0] = '\0';
    state->check_at = conf->visits_digest ? now : 0;
    log_activated(&change);
    change_save(&change, is_seen ? "activated" : NULL,
                apr_psprintf(p, "archive/%s/%d, in running workers", conf->id,
                             state->live));
    publish_change(registry, cert);
}

void acme_registry_not_activated(acme_registry_t *registry, apr_uint32_t cert,
                                 acme_not_live_e why)
{
    registry->states[cert].not_live = why;
    publish_change(registry, cert);
}

void acme_registry_want(acme_registry_t *registry, const acme_msg_want_t *want,
                        apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = want->about.cert;
    const change_t change = change_begin(registry, cert, now, p);
    acme_state_t *state = &registry->states[cert];

    acme_log(registry->log, ACME_LOG_NOTICE, cert_of(registry, cert)->id,
             "requested by the administrator: %s", request_names[want->want]);
    state->wanted = (acme_want_e)want->want;
    state->wanted_ca = want->about.ca;
    state->reason = want->reason;
    if (want->want == ACME_WANT_RENEWAL
        || want->want == ACME_WANT_REVOCATION) {
        state->deleted = 0; /* it is ordered again */
    }
    if (want->want == ACME_WANT_DRY_RUN) {
        state->dry_run = ACME_DRY_RUN_UNDER_WAY;
        state->dry_run_why = ACME_REASON_NONE;
        state->dry_run_at = now;
        state->dry_run_detail[0] = '\0';
    }
    else {
        if (state->dry_run == ACME_DRY_RUN_UNDER_WAY) {
            state->dry_run = ACME_DRY_RUN_NONE; /* this takes its place */
        }
        state->next_at = 0;
        forget_limit(state);
    }
    if (want->want == ACME_WANT_RENEWAL) {
        acme_name_quarantine_try_all(change.journal, now);
    }
    change_save(&change, "asked", request_names[want->want]);
    publish_change(registry, cert);
}

int acme_registry_look_up(acme_registry_t *registry, apr_uint32_t cert,
                          acme_look_up_e look_up, apr_uint32_t ca)
{
    acme_state_t *state = &registry->states[cert];

    if (state->look_up) {
        return 0;
    }
    state->look_up = look_up;
    state->look_up_ca = ca;
    publish_change(registry, cert);
    return 1;
}

void acme_registry_looked_up(acme_registry_t *registry, apr_uint32_t cert)
{
    registry->states[cert].look_up = ACME_LOOK_UP_NOTHING;
    publish_change(registry, cert);
}

void acme_registry_want_done(acme_registry_t *registry,
                             const acme_msg_want_t *want, apr_time_t now,
                             apr_pool_t *p)
{
    const apr_uint32_t cert = want->about.cert;
    acme_state_t *state = &registry->states[cert];
    const char *request = request_names[state->wanted];
    change_t change;

    if (state->wanted == ACME_WANT_NOTHING || state->wanted != want->want) {
        return;
    }
    acme_log(registry->log, ACME_LOG_NOTICE, cert_of(registry, cert)->id,
             "done: %s", request);
    state->revoked |= state->wanted == ACME_WANT_REVOCATION
                      || state->wanted == ACME_WANT_DELETION;
    state->deleted |= state->wanted == ACME_WANT_DELETION;
    /* Before the journal is written, or it is done again after a restart. */
    state->wanted = ACME_WANT_NOTHING;
    change = change_begin(registry, cert, now, p);
    change_save(&change, "done", request);
    publish_change(registry, cert);
}

/* When it was warned of last, also before a reload; 0: never. */
static apr_time_t warned_at(acme_registry_t *registry, apr_uint32_t cert,
                            apr_time_t now, apr_pool_t *p)
{
    const acme_journal_t *entry;
    int i;

    if (registry->warned[cert]) {
        return registry->warned[cert];
    }
    entry = open_journal(registry, cert, p);
    for (i = 0; i < entry->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(entry->events, i, acme_journal_event_t);

        if (!strcmp(event->event, "expiring") && event->when <= now) {
            registry->warned[cert] = event->when;
        }
    }
    return registry->warned[cert];
}

apr_time_t acme_registry_warn(acme_registry_t *registry, apr_time_t now,
                              apr_pool_t *p)
{
    int i;

    for (i = 0; i < registry->conf->certs->nelts; i++) {
        const acme_state_t *state = &registry->states[i];
        const char *text = expiry_warning(state, now, p);

        if (*text && now - warned_at(registry, (apr_uint32_t)i, now, p)
                         >= WARN_EVERY) {
            const change_t change = change_begin(registry, (apr_uint32_t)i,
                                                 now, p);

            registry->warned[i] = now;
            change_save(&change, "expiring", text + strlen(". WARNING: "));
            acme_log(
                registry->log, ACME_LOG_WARNING,
                cert_of(registry, (apr_uint32_t)i)->id, "expiring%s; %s", text,
                state->detail[0] ? state->detail : "its renewal is under way");
            acme_event_send(registry->with.events, state, ACME_EVENT_EXPIRING,
                            state->detail, p);
        }
    }
    return now + WATCH_EVERY;
}

int acme_registry_may_complain(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now)
{
    const apr_time_t last = registry->complained[cert];

    if (last && last <= now && now - last < COMPLAIN_EVERY) {
        return 0;
    }
    registry->complained[cert] = now;
    return 1;
}

apr_array_header_t *acme_registry_names_to_order(
    const acme_registry_t *registry, apr_uint32_t cert, const char **pflags,
    apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(registry, cert);
    const acme_journal_t *entry = open_journal(registry, cert, p);

    *pflags = acme_name_quarantine_flags(conf, entry, now, p);
    return acme_name_quarantine_names(conf, entry, now, p);
}

/* A new window: the time in it is drawn once, and kept. */
static void set_window(acme_registry_t *registry, acme_state_t *state,
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
             "renewal info: the CA suggests %s to %s; renewal at %s%s%s",
             acme_time_text(window->start, p), acme_time_text(window->end, p),
             acme_time_text(state->pick, p),
             state->explanation[0] ? ", because: " : "", state->explanation);
    if (earlier) {
        acme_event_send(registry->with.events, state, ACME_EVENT_WINDOW_MOVED,
                        state->explanation, p);
    }
}

void acme_registry_window_suggested(acme_registry_t *registry,
                                    const acme_msg_window_t *window,
                                    apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = window->about.cert;
    acme_state_t *state = &registry->states[cert];
    change_t change;

    if (!state->live || strcmp(window->cert_id, state->cert_id) != 0) {
        return; /* the certificate was replaced meanwhile */
    }
    if (window->start > 0 && window->start < window->end) {
        set_window(registry, state, window, p);
    }
    if (window->revoked && !state->revoked) {
        acme_log(
            registry->log, ACME_LOG_ERROR, cert_of(registry, cert)->id,
            "revoked: the CA revoked the certificate; a new one is ordered now");
        state->revoked = 1;
        acme_event_send(registry->with.events, state, ACME_EVENT_REVOKED,
                        "the CA revoked the certificate", p);
    }
    state->ask_failures = window->failures;
    state->ask_at = bound_next_at(window->ask_at, now);
    change = change_begin(registry, cert, now, p);
    if (state->revoked) {
        change_save(&change, NULL, NULL);
    }
    else {
        change_note(&change, NULL, NULL);
    }
    publish_change(registry, cert);
}

/* Is one of these serials that of a certificate that we had before? */
static int is_older_one(const acme_registry_t *registry, apr_uint32_t cert,
                        const char *serials, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, serials), *serial, *last;

    for (serial = apr_strtok(text, " ", &last); serial;
         serial = apr_strtok(NULL, " ", &last)) {
        if (acme_meta_is_older(registry->store, cert_of(registry, cert)->id,
                               registry->states[cert].live, serial, p)) {
            return 1;
        }
    }
    return 0;
}

/* What is so, and what follows; the same text while that is the same. */
static const char *explain_check(const change_t *change, int can_help,
                                 apr_pool_t *p)
{
    const acme_state_t *state = change->state;
    const acme_registry_t *registry = change->registry;
    const char *next = ". Another virtual host, module or server answers there: see the warnings of the last load, httpd -t, and what listens on that address";

    if (registry->reloads[state->cert]) {
        next = ". httpd is reloaded once for this";
    }
    else if (can_help && registry->conf->activate == ACME_ACTIVATE_NONE) {
        next = ". It is installed, not yet served: reload httpd (AcmeActivate none)";
    }
    else if (can_help && !strcmp(change->journal->check.reloaded,
                                 state->serial)) {
        next = ". Reloading httpd did not help: an old process, or another server on that address, still answers";
    }
    else if (can_help && state->instead == ACME_INSTEAD_NOTHING) {
        next = ". httpd is not reloaded for this: it was within the last hour, or that did not help another certificate; an old process, or another server on that address, may answer";
    }
    return apr_pstrcat(p, state->check_detail, next, NULL);
}

/* Told when it changes, in the log and, if nothing is done by itself, to the
   hooks. False: it was told before. */
static int tell_check(const change_t *change, acme_check_e before)
{
    acme_registry_t *registry = change->registry;
    const acme_state_t *state = change->state;
    const char *id = change->conf->id, *text = state->check_detail;

    switch (state->check) {
    case ACME_CHECK_OTHER:
        if (before == ACME_CHECK_OTHER
            && !strcmp(text, change->journal->check.detail)) {
            return 0;
        }
        acme_log(registry->log, ACME_LOG_ERROR, id, "not served: %s", text);
        if (!registry->reloads[state->cert]) {
            acme_event_send(registry->with.events, state,
                            ACME_EVENT_NOT_SERVED, text, change->p);
        }
        return 1;
    case ACME_CHECK_UNKNOWN:
        if (before == ACME_CHECK_UNKNOWN
            && !strcmp(text, change->journal->check.detail)) {
            return 0;
        }
        acme_log(registry->log, ACME_LOG_NOTICE, id,
                 "self check: could not see what is served: %s", text);
        return 0;
    default:
        if (before == ACME_CHECK_OTHER) {
            acme_log(registry->log, ACME_LOG_NOTICE, id,
                     "self check: served again, seen at %s",
                     state->check_places);
        }
        return before == ACME_CHECK_OTHER;
    }
}

/* The result is of another certificate than we know of: is the link another? */
static int look_at_live(acme_registry_t *registry, apr_uint32_t cert,
                        apr_time_t now, apr_pool_t *p)
{
    acme_state_t *state = &registry->states[cert];
    const int live = state->live;

    acme_registry_refresh(registry, cert, p);
    state->check_at = now + OTHER_LIVE_REST;
    if (state->live == live || state->live == state->served) {
        return 0;
    }
    acme_log(registry->log, ACME_LOG_WARNING, cert_of(registry, cert)->id,
             "live/%s was changed by hand: archive/%s/%d is there, and is not served yet",
             cert_of(registry, cert)->id, cert_of(registry, cert)->id,
             state->live);
    return 1;
}

/* The witness's result, cleaned; and when to look again. */
static void note_check(acme_registry_t *registry,
                       const acme_msg_served_t *found, apr_time_t now,
                       apr_pool_t *p)
{
    acme_state_t *state = &registry->states[found->about.cert];
    const acme_check_e before = state->check;
    const apr_size_t places = sizeof(state->check_places);
    const apr_size_t detail = sizeof(state->check_detail);

    /* What was seen is so until something better is. */
    if (found->check != ACME_CHECK_UNKNOWN || before != ACME_CHECK_OTHER) {
        state->check = (acme_check_e)found->check;
        apr_cpystrn(state->check_places,
                    acme_text_clean(found->places, places - 1, p), places);
        apr_cpystrn(state->check_detail,
                    acme_text_clean(found->detail, detail - 1, p), detail);
    }
    state->check_tries = state->check == ACME_CHECK_SERVED
        ? 0 : before == state->check ? state->check_tries + 1 : 1;
    state->checked = now;
    state->check_at = acme_self_check_next_at(
        cert_of(registry, found->about.cert)->id, state->check,
        state->check_tries, now);
}

/* Into the journal, with an event when it is told. */
static apr_status_t save_check(const change_t *change, const char *event,
                               int is_reloaded)
{
    const acme_state_t *state = change->state;
    const acme_journal_check_t before = change->journal->check;

    change->journal->check = (acme_journal_check_t) {
        .digest = change->conf->visits_digest,
        .result = acme_state_load_check_word(state->check),
        .when = state->checked,
        .tries = state->check_tries,
        .places = state->check_places,
        .detail = state->check_detail,
        .reloaded = is_reloaded ? state->serial : before.reloaded,
        .reloaded_at = is_reloaded ? state->checked : before.reloaded_at
    };
    return change_save(change, event, state->check == ACME_CHECK_OTHER
                                          ? state->check_detail
                                          : state->check_places);
}

/* Asked for in this load already, it is for this certificate as well. */
static int may_reload(const acme_registry_t *registry, apr_uint32_t cert,
                      apr_time_t now)
{
    const apr_uint32_t count = (apr_uint32_t)registry->conf->certs->nelts;

    return memchr(registry->reloads, 1, count)
        || acme_self_check_may_reload(registry->states, count, cert, now);
}

int acme_registry_self_checked(acme_registry_t *registry,
                               const acme_msg_served_t *found, apr_time_t now,
                               apr_pool_t *p)
{
    const apr_uint32_t cert = found->about.cert;
    acme_state_t *state = &registry->states[cert];
    const acme_check_e before = state->check;
    const char *event = NULL;
    int can_help, can_reload;
    change_t change;

    if (found->check == ACME_CHECK_NONE || found->check >= ACME_CHECKS
        || !state->live || !cert_of(registry, cert)->visits_digest) {
        state->check_at = now + NO_RESULT_REST;
        publish_change(registry, cert);
        return 0;
    }
    if (strcmp(found->live, state->serial)) {
        return look_at_live(registry, cert, now, p);
    }
    note_check(registry, found, now, p);
    change = change_begin(registry, cert, now, p);
    can_help = found->has_placeholder
        || is_older_one(registry, cert, found->others, p);
    can_reload = registry->conf->activate != ACME_ACTIVATE_NONE
        && acme_self_check_can_reload(state, change.journal->check.reloaded,
                                      can_help)
        && (state->activated || may_reload(registry, cert, now));
    registry->reloads[cert] |= (char)can_reload;
    if (found->check == ACME_CHECK_OTHER) {
        apr_cpystrn(state->check_detail, explain_check(&change, can_help, p),
                    sizeof(state->check_detail));
    }
    if (tell_check(&change, before)) {
        event = state->check == ACME_CHECK_OTHER ? "not-served" : "served";
    }
    /* What is not noted would be done again after each reload. */
    if (save_check(&change, event, can_reload) && can_reload) {
        registry->reloads[cert] = can_reload = 0;
    }
    if (can_reload) {
        state->check_reload_at = state->check_reloaded = now;
    }
    publish_change(registry, cert);
    return can_reload;
}

void acme_registry_rehearse(acme_registry_t *registry, apr_uint32_t cert,
                            apr_time_t now)
{
    registry->states[cert].rehearse_at = now;
    registry->states[cert].rehearse_fully = 1;
    publish_change(registry, cert);
}

apr_status_t acme_registry_rehearsal_begin(acme_registry_t *registry,
                                           apr_uint32_t cert)
{
    const acme_state_t *state = &registry->states[cert];
    rehearsal_t *rehearsal = &registry->rehearsals[cert];

    if (!state->rehearse_at) {
        return APR_ENOENT;
    }
    if (rehearsal->of != state->rehearse_at) {
        *rehearsal = (rehearsal_t) { .of = state->rehearse_at };
    }
    if (rehearsal->begun >= (state->rehearse_fully ? REHEARSALS_MAX : 1)) {
        return APR_EGENERAL;
    }
    rehearsal->begun++;
    return APR_SUCCESS;
}

int acme_registry_is_rehearsing(const acme_registry_t *registry,
                                apr_uint32_t cert, apr_time_t rehearse_at)
{
    const rehearsal_t *rehearsal = &registry->rehearsals[cert];

    return rehearse_at && rehearsal->begun && rehearsal->of == rehearse_at;
}

void acme_registry_rehearsed(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t rehearse_at,
                             const apr_array_header_t *findings,
                             apr_time_t now, apr_pool_t *p)
{
    const acme_rehearsal_finding_t *worst = acme_rehearsal_worst(findings);
    const char *id = cert_of(registry, cert)->id;
    acme_state_t *state = &registry->states[cert];
    const char *detail = worst && worst->level >= ACME_REHEARSAL_UNSEEN
        ? acme_rehearsal_sentence(worst, p) : "";
    const int is_new = strncmp(detail, state->rehearsal_detail,
                               sizeof(state->rehearsal_detail) - 1) != 0;
    change_t change;

    registry->rehearsals[cert].begun = 0;
    if (state->rehearse_at == rehearse_at) {
        state->rehearse_at = 0;
        state->rehearse_fully = 0;
    }
    state->rehearsed = now;
    state->rehearsal = worst ? worst->level : ACME_REHEARSAL_NONE;
    state->rehearsal_why = worst && worst->level == ACME_REHEARSAL_FAULT
        ? worst->reason : ACME_REASON_NONE;
    apr_cpystrn(state->rehearsal_detail, detail,
                sizeof(state->rehearsal_detail));
    if (state->rehearsal == ACME_REHEARSAL_FAULT) {
        const acme_reason_t *about = acme_reason_about(state->rehearsal_why);

        acme_log(registry->log, ACME_LOG_WARNING, id, "check: %s: %s. %s",
                 about->code, detail, about->remedy);
    }
    else {
        acme_log(registry->log, ACME_LOG_NOTICE, id,
                 *detail ? "check: no fault seen from this machine; cannot be seen: %s"
                         : "check: no fault seen from this machine%s",
                 detail);
    }
    change = change_begin(registry, cert, now, p);
    change_save(&change,
                is_new && state->rehearsal == ACME_REHEARSAL_FAULT ? "check"
                                                                   : NULL,
                detail);
    publish_change(registry, cert);
}

void acme_registry_send_event(acme_registry_t *registry, apr_uint32_t cert,
                              acme_event_e event, const char *detail,
                              apr_pool_t *p)
{
    acme_event_send(registry->with.events, &registry->states[cert], event,
                    detail, p);
}

void acme_registry_exported(acme_registry_t *registry, apr_uint32_t cert,
                            const char *failure)
{
    acme_state_t *state = &registry->states[cert];

    apr_cpystrn(state->export_failure, failure,
                sizeof(state->export_failure));
    publish_change(registry, cert);
}

void acme_registry_next_keys(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t made)
{
    const acme_cert_conf_t *conf = acme_conf_cert(registry->with.conf, cert);
    acme_state_t *state = &registry->states[cert];

    if (state->next_key_made != made) {
        state->next_key_made = made;
        state->next_key_from = made ? made + conf->next_key_age : 0;
        publish_change(registry, cert);
    }
}

void acme_registry_order_begun(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now)
{
    acme_state_t *state = &registry->states[cert];

    if (!state->ordering) {
        state->ordering_since = now;
    }
    state->ordering = 1;
    publish_change(registry, cert);
}

void acme_registry_order_gone(acme_registry_t *registry, apr_uint32_t cert)
{
    registry->states[cert].ordering = 0;
    publish_change(registry, cert);
}
