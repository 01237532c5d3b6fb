/*
 * acme_journal.c - journal/<id>.json: what was tried and what comes next.
 *
 * Whatever is saved can be loaded again: all of it is cut to its bounds first.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_journal.h"
#include "acme_json.h"
#include "acme_text.h"

#define JOURNAL_SIZE_MAX (64 * 1024)
#define EVENT_MAX 64
#define DIGEST_MAX 128

/* In the order of acme_retry_e. */
static const char *const retry_names[] = { "soon", "later", "never" };

#define RETRY_NAMES ((int)(sizeof(retry_names) / sizeof(*retry_names)))

acme_journal_t *acme_journal_make(apr_pool_t *p)
{
    acme_journal_t *journal = apr_pcalloc(p, sizeof(*journal));

    journal->problem = "";
    journal->detail = "";
    journal->digest = "";
    journal->events = apr_array_make(p, ACME_JOURNAL_EVENTS,
                                     sizeof(acme_event_t));
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

/* A time, or 0 when text is NULL; is text one of these? */
static int parse_when(apr_time_t *pwhen, const char *text)
{
    *pwhen = text ? acme_time_parse(text) : 0;
    return !text || *pwhen > 0;
}

static int parse_events(acme_journal_t *journal, json_t *events)
{
    const char *when, *event, *detail;
    apr_time_t time;
    json_t *row;
    size_t i;

    json_array_foreach(events, i, row) {
        if (json_unpack(row, "{s:s, s:s, s:s}", "when", &when,
                        "event", &event, "detail", &detail) < 0
            || !parse_when(&time, when)) {
            return 0;
        }
        acme_journal_add(journal, time, event, detail);
    }
    return 1;
}

/* Is it a journal to its last member? Copies, into the journal's pool. */
static int parse_journal(acme_journal_t *journal, json_t *json, apr_pool_t *p)
{
    const char *next_at = NULL;
    const char *retry;
    json_int_t attempts;
    json_t *events;
    int retry_value;

    if (json_unpack(json, "{s:I, s?:s, s:s, s?:b, s:s, s:s, s:s, s:o}",
                    "attempts", &attempts, "next_at", &next_at,
                    "retry", &retry, "wanted", &journal->wanted,
                    "problem", &journal->problem,
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
    return parse_events(journal, events);
}

/* APR_EGENERAL when what is there is no journal. */
static apr_status_t read_journal(acme_journal_t *journal, const char *path,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *body;
    apr_size_t len;
    json_t *json;
    apr_status_t rv;

    rv = acme_file_read(&body, &len, path, JOURNAL_SIZE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (acme_json_parse(&json, body, len, path, res, p) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    if (!parse_journal(journal, json, p)) {
        return acme_fail(res, APR_EGENERAL, "%s: not a journal of this "
                         "version", path);
    }
    return APR_SUCCESS;
}

apr_status_t acme_journal_load(acme_journal_t **pjournal, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p)
{
    const char *path = journal_path(store, id, p);
    acme_journal_t *journal = acme_journal_make(p);
    apr_status_t rv;

    *pjournal = acme_journal_make(p);

    rv = read_journal(journal, path, res, p);
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_SUCCESS;
    }
    if (rv == APR_EGENERAL) {
        return acme_store_damaged(store, path, res, p);
    }
    if (rv == APR_SUCCESS) {
        *pjournal = journal;
    }
    return rv;
}

/* At most max octets of text, which should be clean, but must be UTF-8. */
static json_t *text_json(const char *text, apr_size_t max, apr_pool_t *p)
{
    json_t *json = json_string(apr_pstrndup(p, text, max));

    return json ? json : json_string(acme_text_clean(text, max, p));
}

static json_t *events_json(const apr_array_header_t *events, int first,
                           apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = first; i < events->nelts; i++) {
        const acme_event_t *event = &APR_ARRAY_IDX(events, i, acme_event_t);

        json_array_append_new(array, json_pack("{s:s, s:o, s:o}",
            "when", acme_time_rfc3339(event->when, p),
            "event", text_json(event->event, EVENT_MAX, p),
            "detail", text_json(event->detail, ACME_DETAIL_SIZE - 1, p)));
    }
    return array;
}

/* The text of a journal without its events before first; NULL: no memory. */
static const char *journal_text(const acme_journal_t *journal, int first,
                                apr_pool_t *p)
{
    const char *next_at = journal->next_at
                          ? acme_time_rfc3339(journal->next_at, p) : NULL;
    json_t *json;

    json = json_pack("{s:I, s:s*, s:s, s:b, s:o, s:o, s:o, s:o}",
        "attempts", (json_int_t)journal->attempts,
        "next_at", next_at,
        "retry", retry_names[journal->retry],
        "wanted", journal->wanted,
        "problem", text_json(journal->problem, ACME_PROBLEM_SIZE - 1, p),
        "detail", text_json(journal->detail, ACME_DETAIL_SIZE - 1, p),
        "digest", text_json(journal->digest, DIGEST_MAX, p),
        "events", events_json(journal->events, first, p));
    return json ? acme_json_text(acme_json_own(json, p), 2, p) : NULL;
}

apr_status_t acme_journal_save(acme_store_t *store, const char *id,
                               const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *path = journal_path(store, id, p);
    const char *text;
    int first = 0;

    /* JSON escapes can make texts longer: the oldest events go then. */
    text = journal_text(journal, first, p);
    while (text && strlen(text) > JOURNAL_SIZE_MAX
           && first < journal->events->nelts) {
        text = journal_text(journal, ++first, p);
    }
    if (!text) {
        return acme_fail(res, APR_ENOMEM, "%s: cannot be made", path);
    }
    return acme_file_write(path, text, strlen(text), 0644, res, p);
}

void acme_journal_add(acme_journal_t *journal, apr_time_t when,
                      const char *event, const char *detail)
{
    apr_array_header_t *events = journal->events;
    acme_event_t *row;

    if (events->nelts >= ACME_JOURNAL_EVENTS) {
        memmove(events->elts, events->elts + events->elt_size,
                (events->nelts - 1) * (size_t)events->elt_size);
        events->nelts--;
    }
    row = apr_array_push(events);
    row->when = when;
    row->event = apr_pstrndup(events->pool, event, EVENT_MAX);
    row->detail = apr_pstrndup(events->pool, detail, ACME_DETAIL_SIZE - 1);
}
