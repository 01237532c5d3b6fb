/*
 * acme_registry_self_check.c - what httpd was found to serve.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry_self_check.h"
#include "acme_meta.h"
#include "acme_registry.h"
#include "acme_registry_change.h"
#include "acme_registry_table.h"
#include "acme_self_check.h"
#include "acme_state_load.h"

/* Until httpd is visited again, when nothing could be compared, or with what
   was not known here. */
#define NO_RESULT_REST apr_time_from_sec(3600)
#define OTHER_LIVE_REST apr_time_from_sec(60)

/* Is one of these serials that of a certificate that we had before? */
static int is_older_one(const acme_registry_t *registry, apr_uint32_t cert,
                        const char *serials, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, serials), *serial, *last;

    for (serial = apr_strtok(text, " ", &last); serial;
         serial = apr_strtok(NULL, " ", &last)) {
        if (acme_meta_is_older(registry->store,
                               acme_registry_table_cert(registry, cert)->id,
                               registry->states[cert].live, serial, p)) {
            return 1;
        }
    }
    return 0;
}

/* What is so, and what follows; the same text while that is the same. */
static const char *explain_check(const acme_registry_change_t *change,
                                 int can_help, apr_pool_t *p)
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
static int tell_check(const acme_registry_change_t *change,
                      acme_check_e before)
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
    const char *id = acme_registry_table_cert(registry, cert)->id;

    acme_registry_refresh(registry, cert, p);
    state->check_at = now + OTHER_LIVE_REST;
    if (state->live == live || state->live == state->served) {
        return 0;
    }
    acme_log(registry->log, ACME_LOG_WARNING, id,
             "live/%s was changed by hand: archive/%s/%d is there, and is not served yet",
             id, id, state->live);
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
        acme_registry_table_cert(registry, found->about.cert)->id,
        state->check, state->check_tries, now);
}

/* Into the journal, with an event when it is told. */
static apr_status_t save_check(const acme_registry_change_t *change,
                               const char *event, int is_reloaded)
{
    const acme_state_t *state = change->state;
    const acme_journal_check_t before = change->journal->check;
    apr_status_t rv;

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
    rv = acme_registry_change_save(change, event,
                                   state->check == ACME_CHECK_OTHER
                                       ? state->check_detail
                                       : state->check_places);
    if (rv != APR_SUCCESS && is_reloaded) {
        /* It will not be, and what is tried again must not say so. */
        change->journal->check.reloaded = before.reloaded;
        change->journal->check.reloaded_at = before.reloaded_at;
        acme_registry_change_note(change, NULL, NULL);
    }
    return rv;
}

/* Asked for in this load already, it is for this certificate as well. */
static int may_reload(const acme_registry_t *registry, apr_uint32_t cert,
                      apr_time_t now)
{
    const apr_uint32_t count = (apr_uint32_t)registry->conf->certs->nelts;

    return memchr(registry->reloads, 1, count)
        || acme_self_check_may_reload(registry->states, count, cert, now);
}

int acme_registry_self_check_noted(acme_registry_t *registry,
                                   const acme_msg_served_t *found,
                                   apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = found->about.cert;
    acme_state_t *state = &registry->states[cert];
    const acme_check_e before = state->check;
    const char *event = NULL;
    int can_help, can_reload;
    acme_registry_change_t change;

    if (found->check == ACME_CHECK_NONE || found->check >= ACME_CHECKS
        || !state->live
        || !acme_registry_table_cert(registry, cert)->visits_digest) {
        state->check_at = now + NO_RESULT_REST;
        acme_registry_table_publish(registry, cert);
        return 0;
    }
    if (strcmp(found->live, state->serial)) {
        return look_at_live(registry, cert, now, p);
    }
    note_check(registry, found, now, p);
    change = acme_registry_change_begin(registry, cert, now, p);
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
    acme_registry_table_publish(registry, cert);
    return can_reload;
}
