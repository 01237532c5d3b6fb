/*
 * acme_book.c - the keeper's book of all certificates.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_book.h"
#include "acme_journal.h"
#include "acme_name.h"

/* A worker names the time of the next attempt: within what we'd choose. */
#define NEXT_MAX apr_time_from_sec(2 * 24 * 3600)

static const acme_cert_conf_t *cert_of(const acme_book_t *book,
                                       apr_uint32_t cert)
{
    return acme_conf_cert(book->conf, cert);
}

static void changed(acme_book_t *book, apr_uint32_t cert)
{
    acme_state_t *state = &book->states[cert];

    state->change = ++book->change;
    book->publish(book->publish_baton, state);
}

void acme_book_reload(acme_book_t *book, apr_uint32_t cert, apr_pool_t *p)
{
    acme_state_t *state = &book->states[cert];
    int ordering = state->ordering;
    apr_time_t since = state->ordering_since;
    acme_result_t res;

    if (acme_state_load(state, book->conf, cert, book->store, &res, p)) {
        acme_log(book->log, ACME_LOG_ERROR, cert_of(book, cert)->id, "%s",
                 res.detail);
    }
    state->ordering = ordering;
    state->ordering_since = since;
    changed(book, cert);
}

void acme_book_open(acme_book_t *book, apr_pool_t *p)
{
    apr_uint32_t n = (apr_uint32_t)book->conf->certs->nelts;
    apr_pool_t *scratch;
    apr_uint32_t i;

    book->states = apr_pcalloc(p, (n + 1) * sizeof(*book->states));
    apr_pool_create(&scratch, p);
    for (i = 0; i < n; i++) {
        acme_book_reload(book, i, scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
}

const acme_state_t *acme_book_next(const acme_book_t *book,
                                   apr_uint64_t change)
{
    const acme_state_t *next = NULL;
    int i;

    for (i = 0; change < book->change && i < book->conf->certs->nelts; i++) {
        const acme_state_t *state = &book->states[i];

        if (state->change > change && (!next || state->change < next->change)) {
            next = state;
        }
    }
    return next;
}

int acme_book_ordering(const acme_book_t *book)
{
    int i, n = 0;

    for (i = 0; i < book->conf->certs->nelts; i++) {
        n += book->states[i].ordering != 0;
    }
    return n;
}

/* Write the journal as the state is now, with one event more. */
static void journal(acme_book_t *book, apr_uint32_t cert, const char *event,
                    const char *detail, apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(book, cert);
    const acme_state_t *state = &book->states[cert];
    acme_journal_t *entry;
    acme_result_t res;

    if (acme_journal_load(&entry, book->store, conf->id, &res, p)) {
        acme_log(book->log, ACME_LOG_WARNING, conf->id, "%s", res.detail);
    }
    entry->attempts = state->attempts;
    entry->next_at = state->next_at;
    entry->retry = state->retry;
    entry->wanted = state->wanted;
    entry->problem = state->problem;
    entry->detail = state->detail;
    entry->digest = conf->settings;
    acme_journal_add(entry, now, event, detail);
    if (acme_journal_save(book->store, conf->id, entry, &res, p)) {
        acme_log(book->log, ACME_LOG_ERROR, conf->id, "%s", res.detail);
    }
}

static const char *what_next(const acme_state_t *state, apr_pool_t *p)
{
    if (state->retry == ACME_RETRY_NEVER && !(state->live && state->covers)) {
        return "waits for a changed configuration, or for acmectl renew";
    }
    return apr_pstrcat(p, "next attempt at ",
                       acme_time_text(state->next_at, p), NULL);
}

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

static void note_failed(acme_book_t *book, const acme_msg_note_t *note,
                        apr_time_t now, apr_pool_t *p)
{
    acme_state_t *state = &book->states[note->cert];
    const char *id = cert_of(book, note->cert)->id;

    state->attempts++;
    state->ordering = 0;
    state->wanted = 0;
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

    acme_log(book->log, ACME_LOG_ERROR, id, "failed: attempt %u: %s; %s%s",
             state->attempts, state->detail, what_next(state, p),
             worry(state, now, p));
    journal(book, note->cert, "failed", state->detail, now, p);
}

void acme_book_note(acme_book_t *book, const acme_msg_note_t *note,
                    apr_time_t now, apr_pool_t *p)
{
    const char *event = note->note == ACME_NOTE_ORDERED ? "ordered"
                                                        : "validated";
    const char *detail;

    if (note->note == ACME_NOTE_FAILED) {
        note_failed(book, note, now, p);
    }
    else {
        detail = acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p);
        acme_log(book->log, ACME_LOG_NOTICE, cert_of(book, note->cert)->id,
                 "%s: %s", event, detail);
        journal(book, note->cert, event, detail, now, p);
    }
    changed(book, note->cert);
}

void acme_book_installed(acme_book_t *book, apr_uint32_t cert, apr_time_t now,
                         apr_pool_t *p)
{
    acme_state_t *state = &book->states[cert];
    const char *detail;

    state->attempts = 0;
    state->next_at = 0;
    state->retry = ACME_RETRY_SOON;
    state->wanted = 0;
    state->ordering = 0;
    state->problem[0] = '\0';
    state->detail[0] = '\0';

    detail = apr_psprintf(p, "archive/%s/%d", cert_of(book, cert)->id,
                          state->live);
    journal(book, cert, "installed", detail, now, p);
    changed(book, cert);
}

void acme_book_wanted(acme_book_t *book, apr_uint32_t cert, apr_time_t now,
                      apr_pool_t *p)
{
    acme_log(book->log, ACME_LOG_NOTICE, cert_of(book, cert)->id,
             "renewal: asked for by the administrator");
    book->states[cert].wanted = 1;
    journal(book, cert, "asked", "the administrator wants a renewal", now, p);
    changed(book, cert);
}

void acme_book_order(acme_book_t *book, apr_uint32_t cert, int ordering,
                     apr_time_t now)
{
    acme_state_t *state = &book->states[cert];

    if (ordering && !state->ordering) {
        state->ordering_since = now;
    }
    state->ordering = ordering;
    changed(book, cert);
}
