/*
 * acme_journal.c - journal/<id>.json: past attempts, failures and events.
 *
 * A saved journal can be loaded again: all of it is cut to its bounds first.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_journal.h"
#include "acme_json_file.h"
#include "acme_time.h"
#include "acme_url.h"

#define JOURNAL_SIZE_MAX (256 * 1024)
#define EVENT_MAX 64
#define FOLDER_MAX 255
#define DIGEST_MAX 128
#define NAME_MAX_OCTETS 255
#define NAMES_MAX 1000

/* In the order of acme_retry_e. */
static const char *const retry_names[] = { "soon", "later", "never" };

#define RETRY_NAMES ((int)(sizeof(retry_names) / sizeof(*retry_names)))

acme_journal_t *acme_journal_make(apr_pool_t *p)
{
    acme_journal_t *journal = apr_pcalloc(p, sizeof(*journal));

    journal->problem = "";
    journal->detail = "";
    journal->digest = "";
    journal->reason = -1;
    journal->window.cert_id = "";
    journal->window.explanation = "";
    journal->check = (acme_journal_check_t) { .digest = "", .result = "",
                                              .places = "", .detail = "",
                                              .reloaded = "" };
    journal->rehearsal = (acme_journal_rehearsal_t) { .result = "",
                                                      .detail = "" };
    journal->names = apr_array_make(p, 2, sizeof(acme_journal_name_t));
    journal->events =
        apr_array_make(p, ACME_JOURNAL_EVENTS, sizeof(acme_journal_event_t));
    return journal;
}

static const char *journal_path(const acme_store_t *store, const char *id,
                                apr_pool_t *p)
{
    return acme_store_path(store, "journal", apr_pstrcat(p, id, ".json",
                                                         NULL), p);
}

/* The value in retry_names, or -1. */
static int parse_retry(const char *text)
{
    int i = RETRY_NAMES - 1;

    while (i >= 0 && strcmp(text, retry_names[i])) {
        i--;
    }
    return i;
}

/* A time; 0 for NULL. Returns 0 if text is not a time. */
static int parse_when(apr_time_t *pwhen, const char *text)
{
    *pwhen = text ? acme_time_parse(text) : 0;
    return !text || *pwhen > 0;
}

/* Returns 0 if an event is bad. */
static int parse_events(acme_journal_t *journal, json_t *events)
{
    apr_pool_t *p = journal->events->pool;
    json_t *row;
    size_t i;

    json_array_foreach(events, i, row) {
        const char *when, *event, *detail, *ca = "", *kind = "", *about = "";
        acme_journal_event_t *found;
        apr_time_t time;

        if (json_unpack(row, "{s:s, s:s, s:s, s?:s, s?:s, s?:s}",
                        "when", &when, "event", &event, "detail", &detail,
                        "ca", &ca, "kind", &kind, "about", &about) < 0
            || !parse_when(&time, when)) {
            return 0;
        }
        found = acme_journal_add(journal, time, event, detail);
        found->ca = apr_pstrndup(p, ca, FOLDER_MAX);
        found->kind = apr_pstrndup(p, kind, EVENT_MAX);
        found->about = apr_pstrndup(p, about, NAME_MAX_OCTETS);
    }
    return 1;
}

/* A window that is missing or bad leaves *window empty. */
static void parse_window(acme_journal_window_t *window, json_t *json,
                         apr_pool_t *p)
{
    const char *start = NULL, *end = NULL, *pick = NULL, *ask_at = NULL;
    const char *cert_id, *explanation = "";
    acme_journal_window_t found = { NULL };
    json_int_t failures = 0;

    if (json_unpack(json, "{s:s, s?:s, s?:s, s?:s, s?:s, s?:I, s?:s, s?:b}",
                    "certId", &cert_id, "start", &start, "end", &end,
                    "pick", &pick, "askAt", &ask_at, "failures", &failures,
                    "explanation", &explanation,
                    "revoked", &found.revoked) < 0
        || !parse_when(&found.start, start) || !parse_when(&found.end, end)
        || !parse_when(&found.pick, pick)
        || !parse_when(&found.ask_at, ask_at)
        || failures < 0 || failures > APR_UINT32_MAX) {
        return;
    }
    found.failures = (apr_uint32_t)failures;
    found.cert_id = apr_pstrndup(p, cert_id, NAME_MAX_OCTETS);
    found.explanation = apr_pstrndup(p, explanation, ACME_URL_MAX);
    *window = found;
}

/* One that is missing or bad leaves *check empty. */
static void parse_check(acme_journal_check_t *check, json_t *json,
                        apr_pool_t *p)
{
    acme_journal_check_t found = { .digest = "", .result = "", .places = "",
                                   .detail = "", .reloaded = "" };
    const char *when = NULL, *reloaded_at = NULL;
    json_int_t tries = 0;

    if (json_unpack(json, "{s?:s, s?:s, s?:s, s?:I, s?:s, s?:s, s?:s, s?:s}",
                    "digest", &found.digest, "result", &found.result,
                    "when", &when, "tries", &tries, "places", &found.places,
                    "detail", &found.detail, "reloaded", &found.reloaded,
                    "reloadedAt", &reloaded_at) < 0
        || !parse_when(&found.when, when)
        || !parse_when(&found.reloaded_at, reloaded_at)
        || tries < 0 || tries > APR_UINT32_MAX) {
        return;
    }
    found.tries = (apr_uint32_t)tries;
    found.digest = apr_pstrndup(p, found.digest, DIGEST_MAX);
    found.result = apr_pstrndup(p, found.result, EVENT_MAX);
    found.places = apr_pstrndup(p, found.places, ACME_DETAIL_SIZE - 1);
    found.detail = apr_pstrndup(p, found.detail, ACME_DETAIL_SIZE - 1);
    found.reloaded = apr_pstrndup(p, found.reloaded, DIGEST_MAX);
    *check = found;
}

/* The same. */
static void parse_rehearsal(acme_journal_rehearsal_t *rehearsal, json_t *json,
                            apr_pool_t *p)
{
    acme_journal_rehearsal_t found = { .result = "", .detail = "" };
    const char *when = NULL, *code = "";

    if (json_unpack(json, "{s:s, s:s, s?:s, s?:s}", "result", &found.result,
                    "when", &when, "reasonCode", &code,
                    "detail", &found.detail) < 0
        || !parse_when(&found.when, when)) {
        return;
    }
    found.why = acme_reason_parse(code);
    found.result = apr_pstrndup(p, found.result, EVENT_MAX);
    found.detail = apr_pstrndup(p, found.detail, ACME_DETAIL_SIZE - 1);
    *rehearsal = found;
}

static void parse_names(apr_array_header_t *names, json_t *array,
                        apr_pool_t *p)
{
    json_t *row;
    size_t i;

    json_array_foreach(array, i, row) {
        const char *name, *since = NULL, *left_out = NULL, *again_at = NULL;
        const char *code = "", *detail = "";
        json_int_t failures, challenges = 0;
        acme_journal_name_t found;

        if (i < NAMES_MAX
            && json_unpack(row, "{s:s, s:I, s?:s, s?:s, s?:s, s?:I, s?:s, s?:s}",
                           "name", &name, "failures", &failures,
                           "since", &since, "leftOut", &left_out,
                           "againAt", &again_at,
                           "challenges", &challenges,
                           "reasonCode", &code, "detail", &detail) == 0
            && parse_when(&found.since, since)
            && parse_when(&found.left_out, left_out)
            && parse_when(&found.again_at, again_at)
            && failures >= 0 && failures <= APR_UINT32_MAX) {
            found.name = apr_pstrndup(p, name, NAME_MAX_OCTETS);
            found.failures = (apr_uint32_t)failures;
            found.challenges = (unsigned)challenges;
            found.why = acme_reason_parse(code);
            found.detail = apr_pstrndup(p, detail, ACME_JOURNAL_DETAIL_MAX);
            APR_ARRAY_PUSH(names, acme_journal_name_t) = found;
        }
    }
}

/* The optional members. */
static void parse_extras(acme_journal_t *journal, json_t *json, apr_pool_t *p)
{
    const char *code;

    if (json_object_get(json, "reason")) {
        journal->reason = (int)acme_json_int(json, "reason");
    }
    code = acme_json_string(json, "reasonCode", EVENT_MAX, p);
    journal->why = code              ? acme_reason_parse(code)
                   : journal->attempts ? ACME_REASON_OTHER
                                       : ACME_REASON_NONE;
    journal->wanted = (int)acme_json_int(json, "wanted");
    journal->wanted_ca = (int)acme_json_int(json, "wantedCa");
    journal->deleted = acme_json_true(json, "deleted");
    parse_window(&journal->window, json_object_get(json, "renewalInfo"), p);
    parse_check(&journal->check, json_object_get(json, "selfCheck"), p);
    parse_rehearsal(&journal->rehearsal, json_object_get(json, "rehearsal"),
                    p);
    parse_names(journal->names, json_object_get(json, "names"), p);
}

/* Returns 0 if a member is bad. All texts are copied into p. */
static int parse_journal(acme_journal_t *journal, json_t *json, apr_pool_t *p)
{
    const char *next_at = NULL;
    const char *retry;
    json_int_t attempts;
    json_t *events;
    int retry_value;

    if (json_unpack(json, "{s:I, s?:s, s:s, s:s, s:s, s:s, s:o}",
                    "attempts", &attempts, "next_at", &next_at,
                    "retry", &retry, "problem", &journal->problem,
                    "detail", &journal->detail, "digest", &journal->digest,
                    "events", &events) < 0) {
        return 0;
    }
    retry_value = parse_retry(retry);
    if (attempts < 0 || attempts > APR_UINT32_MAX || retry_value < 0
        || !parse_when(&journal->next_at, next_at)
        || !json_is_array(events)) {
        return 0;
    }
    journal->attempts = (apr_uint32_t)attempts;
    journal->retry = (acme_retry_e)retry_value;
    journal->problem = apr_pstrndup(p, journal->problem,
                                    ACME_PROBLEM_SIZE - 1);
    journal->detail = apr_pstrndup(p, journal->detail, ACME_DETAIL_SIZE - 1);
    journal->digest = apr_pstrndup(p, journal->digest, DIGEST_MAX);
    parse_extras(journal, json, p);
    return parse_events(journal, events);
}

static apr_status_t read_journal(acme_journal_t **pjournal, json_t *json,
                                 const char *path, acme_result_t *res,
                                 apr_pool_t *p)
{
    acme_journal_t *journal = acme_journal_make(p);

    if (!parse_journal(journal, json, p)) {
        return acme_fail(res, APR_EGENERAL, "%s: not a journal of this version",
                         path);
    }
    *pjournal = journal;
    return APR_SUCCESS;
}

apr_status_t acme_journal_look(acme_journal_t **pjournal,
                               const acme_store_t *store, const char *id,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *path = journal_path(store, id, p);
    json_t *json;
    apr_status_t rv;

    *pjournal = acme_journal_make(p);

    rv = acme_json_file_look(&json, path, JOURNAL_SIZE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
    }
    return read_journal(pjournal, json, path, res, p);
}

apr_status_t acme_journal_load(acme_journal_t **pjournal, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p)
{
    const apr_status_t rv = acme_journal_look(pjournal, store, id, res, p);

    return rv == APR_EGENERAL
        ? acme_store_damaged(store, journal_path(store, id, p), res, p) : rv;
}

/* NULL, which json_pack leaves out, for "". */
static json_t *word_json(const char *text, apr_size_t max, apr_pool_t *p)
{
    return text[0] ? acme_json_from_text(text, max, p) : NULL;
}

static json_t *events_json(const apr_array_header_t *events, int first,
                           apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = first; i < events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(events, i, acme_journal_event_t);

        json_array_append_new(array, json_pack(
            "{s:s, s:o, s:o, s:o*, s:o*, s:o*}",
            "when", acme_time_rfc3339(event->when, p),
            "event", acme_json_from_text(event->event, EVENT_MAX, p),
            "detail", acme_json_from_text(event->detail, ACME_DETAIL_SIZE - 1,
                                          p),
            "ca", word_json(event->ca, FOLDER_MAX, p),
            "kind", word_json(event->kind, EVENT_MAX, p),
            "about", word_json(event->about, NAME_MAX_OCTETS, p)));
    }
    return array;
}

static json_t *window_json(const acme_journal_window_t *window, apr_pool_t *p)
{
    if (!window->cert_id[0]) {
        return NULL;
    }
    return json_pack("{s:o, s:s*, s:s*, s:s*, s:s*, s:I, s:o, s:b}",
        "certId", acme_json_from_text(window->cert_id, NAME_MAX_OCTETS, p),
        "start", acme_time_json(window->start, p),
        "end", acme_time_json(window->end, p),
        "pick", acme_time_json(window->pick, p),
        "askAt", acme_time_json(window->ask_at, p),
        "failures", (json_int_t)window->failures,
        "explanation", acme_json_from_text(window->explanation, ACME_URL_MAX,
                                           p),
        "revoked", window->revoked);
}

static json_t *check_json(const acme_journal_check_t *check, apr_pool_t *p)
{
    if (!check->digest[0] && !check->reloaded[0]) {
        return NULL;
    }
    return json_pack("{s:o*, s:o*, s:s*, s:I, s:o*, s:o*, s:o*, s:s*}",
        "digest", word_json(check->digest, DIGEST_MAX, p),
        "result", word_json(check->result, EVENT_MAX, p),
        "when", acme_time_json(check->when, p),
        "tries", (json_int_t)check->tries,
        "places", word_json(check->places, ACME_DETAIL_SIZE - 1, p),
        "detail", word_json(check->detail, ACME_DETAIL_SIZE - 1, p),
        "reloaded", word_json(check->reloaded, DIGEST_MAX, p),
        "reloadedAt", acme_time_json(check->reloaded_at, p));
}

static json_t *rehearsal_json(const acme_journal_rehearsal_t *rehearsal,
                              apr_pool_t *p)
{
    if (!rehearsal->result[0]) {
        return NULL;
    }
    return json_pack("{s:o, s:s*, s:s, s:o}",
        "result", word_json(rehearsal->result, EVENT_MAX, p),
        "when", acme_time_json(rehearsal->when, p),
        "reasonCode", acme_reason_about(rehearsal->why)->code,
        "detail", acme_json_from_text(rehearsal->detail, ACME_DETAIL_SIZE - 1,
                                      p));
}

static json_t *names_json(const apr_array_header_t *names, apr_pool_t *p)
{
    json_t *array = json_array();
    int i, details = 0;

    for (i = 0; i < names->nelts && i < NAMES_MAX; i++) {
        const acme_journal_name_t *name = &APR_ARRAY_IDX(names, i,
                                                         acme_journal_name_t);
        const int has_detail = name->failures && name->detail
            && name->detail[0] && details++ < ACME_JOURNAL_DETAILS;

        json_array_append_new(array, json_pack(
            "{s:o, s:I, s:s*, s:s*, s:s*, s:I, s:s*, s:o*}",
            "name", acme_json_from_text(name->name, NAME_MAX_OCTETS, p),
            "failures", (json_int_t)name->failures,
            "since", acme_time_json(name->since, p),
            "leftOut", acme_time_json(name->left_out, p),
            "againAt", acme_time_json(name->again_at, p),
            "challenges", (json_int_t)name->challenges,
            "reasonCode", name->why ? acme_reason_about(name->why)->code : NULL,
            "detail", has_detail
                ? acme_json_from_text(name->detail, ACME_JOURNAL_DETAIL_MAX, p)
                : NULL));
    }
    return array;
}

/* The text of a journal without its events before first; NULL: no memory. */
static const char *journal_text(const acme_journal_t *journal, int first,
                                apr_pool_t *p)
{
    json_t *json;

    json = json_pack(
        "{s:I, s:s*, s:s, s:i, s:i, s:i, s:b,"
        " s:o*, s:o*, s:o*, s:o, s:s, s:o, s:o, s:o, s:o}",
        "attempts", (json_int_t)journal->attempts,
        "next_at", acme_time_json(journal->next_at, p),
        "retry", retry_names[journal->retry],
        "wanted", journal->wanted, "wantedCa", journal->wanted_ca,
        "reason", journal->reason, "deleted", journal->deleted,
        "renewalInfo", window_json(&journal->window, p),
        "selfCheck", check_json(&journal->check, p),
        "rehearsal", rehearsal_json(&journal->rehearsal, p),
        "names", names_json(journal->names, p),
        "reasonCode", acme_reason_about(journal->why)->code,
        "problem", acme_json_from_text(journal->problem,
                                       ACME_PROBLEM_SIZE - 1, p),
        "detail", acme_json_from_text(journal->detail, ACME_DETAIL_SIZE - 1, p),
        "digest", acme_json_from_text(journal->digest, DIGEST_MAX, p),
        "events", events_json(journal->events, first, p));
    return json ? acme_json_text(acme_json_own(json, p), 2, p) : NULL;
}

apr_status_t acme_journal_text(const char **ptext, const acme_store_t *store,
                               const char *id, const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *text;
    int first = 0;

    /* JSON escapes can make texts longer: the oldest events go then. */
    text = journal_text(journal, first, p);
    while (text && strlen(text) > JOURNAL_SIZE_MAX
           && first < journal->events->nelts) {
        text = journal_text(journal, ++first, p);
    }
    *ptext = text;
    return text ? APR_SUCCESS
                : acme_fail(res, APR_ENOMEM,
                            "%s: not enough memory to write it",
                            journal_path(store, id, p));
}

apr_status_t acme_journal_parse(acme_journal_t **pjournal,
                                const acme_store_t *store, const char *id,
                                const char *text, acme_result_t *res,
                                apr_pool_t *p)
{
    const char *path = journal_path(store, id, p);
    json_t *json;
    apr_status_t rv;

    *pjournal = acme_journal_make(p);

    rv = acme_json_parse(&json, text, strlen(text), path, res, p);
    return rv == APR_SUCCESS ? read_journal(pjournal, json, path, res, p) : rv;
}

apr_status_t acme_journal_save(acme_store_t *store, const char *id,
                               const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *text;
    const apr_status_t rv = acme_journal_text(&text, store, id, journal, res,
                                              p);

    return rv == APR_SUCCESS
        ? acme_file_write(journal_path(store, id, p), text, strlen(text), 0644,
                          res, p)
        : rv;
}

apr_status_t acme_journal_update(acme_store_t *store, const char *id,
                                 const char *text, acme_result_t *res,
                                 apr_pool_t *p)
{
    return acme_file_update(journal_path(store, id, p), text, strlen(text),
                            0644, res, p);
}

acme_journal_event_t *acme_journal_add(acme_journal_t *journal,
                                       apr_time_t when, const char *event,
                                       const char *detail)
{
    apr_array_header_t *events = journal->events;
    acme_journal_event_t *row;

    if (events->nelts >= ACME_JOURNAL_EVENTS) {
        memmove(events->elts, events->elts + events->elt_size,
                (events->nelts - 1) * (size_t)events->elt_size);
        events->nelts--;
    }
    row = apr_array_push(events);
    row->when = when;
    row->event = apr_pstrndup(events->pool, event, EVENT_MAX);
    row->detail = apr_pstrndup(events->pool, detail, ACME_DETAIL_SIZE - 1);
    row->ca = row->kind = row->about = "";
    return row;
}

static int is_step(const char *event)
{
    static const char *const steps[] = {
        "ordered", "resumed", "challenge", "name", "validated"
    };
    size_t i;

    for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        if (!strcmp(event, steps[i])) {
            return 1;
        }
    }
    return 0;
}

const acme_journal_event_t *acme_journal_step(const acme_journal_t *journal,
                                              apr_time_t since)
{
    int i = journal->events->nelts;

    while (i-- > 0) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        /* The journal has whole seconds. */
        if (event->when < since - apr_time_from_sec(1)) {
            return NULL;
        }
        if (is_step(event->event)) {
            return event;
        }
    }
    return NULL;
}

static int is_at(const acme_journal_event_t *event,
                 const acme_journal_mark_t *mark)
{
    return event->when == mark->when && !strcmp(event->event, mark->event)
        && !strcmp(event->detail, mark->detail);
}

void acme_journal_mark(acme_journal_mark_t *mark, const acme_journal_t *journal,
                       apr_pool_t *p)
{
    const apr_array_header_t *events = journal->events;
    const acme_journal_event_t *last;
    int i;

    if (!events->nelts) {
        return;
    }
    last = &APR_ARRAY_IDX(events, events->nelts - 1, acme_journal_event_t);
    mark->when = last->when;
    mark->event = apr_pstrdup(p, last->event);
    mark->detail = apr_pstrdup(p, last->detail);
    mark->times = 0;
    for (i = 0; i < events->nelts; i++) {
        mark->times += is_at(&APR_ARRAY_IDX(events, i, acme_journal_event_t),
                             mark);
    }
}

int acme_journal_unread(const acme_journal_t *journal,
                        const acme_journal_mark_t *mark)
{
    int i, times = 0, unread = 0;

    for (i = 0; mark->when && times < mark->times
                && i < journal->events->nelts; i++) {
        if (is_at(&APR_ARRAY_IDX(journal->events, i, acme_journal_event_t),
                  mark)) {
            times++;
            unread = i + 1;
        }
    }
    return unread;
}
