/*
 * acme_history.c - what the limits of a CA count, in the journal and the state.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_history.h"
#include "acme_name_quarantine.h"

/* For the journal, in the order of acme_order_kind_e. */
static const char *const kinds[ACME_ORDER_KINDS] = {
    "first", "renewal", "suggested"
};

#define NAMES_SIZE 17           /* 16 hex digits and the end */

/* A hash of a set of names: their order does not matter to the CA. */
static const char *names_word(char buf[NAMES_SIZE],
                              const apr_array_header_t *names)
{
    apr_uint64_t sum = (apr_uint64_t)names->nelts;
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        apr_uint64_t hash = 14695981039346656037u;      /* FNV-1a */

        for (; *name; name++) {
            hash = (hash ^ (unsigned char)*name) * 1099511628211u;
        }
        hash ^= hash >> 33; /* mixed, because hashes are added */
        hash *= 0xff51afd7ed558ccdu;
        sum += hash ^ hash >> 33;
    }
    apr_snprintf(buf, NAMES_SIZE, "%016" APR_UINT64_T_HEX_FMT, sum);
    return buf;
}

static acme_order_kind_e order_kind_of(const acme_msg_note_t *note,
                                       const acme_state_t *state,
                                       apr_time_t now)
{
    if ((note->with & ACME_WITH_REPLACES) && state->window_start <= now
        && now < state->window_end) {
        return ACME_ORDER_SUGGESTED;
    }
    return acme_state_renews(state, note->about.ca, now) ? ACME_ORDER_RENEWAL
                                                         : ACME_ORDER_FIRST;
}

void acme_history_ordered(acme_journal_event_t *event,
                          const acme_msg_note_t *note, const acme_conf_t *conf,
                          const acme_state_t *state,
                          const acme_journal_t *journal, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(conf, note->about.cert);
    char buf[NAMES_SIZE];

    event->ca = acme_conf_ca(conf, cert, note->about.ca)->folder;
    event->kind = kinds[order_kind_of(note, state, event->when)];
    event->about =
        apr_pstrdup(p, names_word(buf, acme_name_quarantine_names(
                                           cert, journal, event->when, p)));
}

void acme_history_failed(acme_journal_event_t *event,
                         const acme_msg_note_t *note, const acme_conf_t *conf)
{
    const acme_cert_conf_t *cert = acme_conf_cert(conf, note->about.cert);

    if (note->challenge < ACME_CHALLENGES
        && note->name < (apr_uint32_t)cert->names->nelts) {
        event->ca = acme_conf_ca(conf, cert, note->about.ca)->folder;
        event->about = APR_ARRAY_IDX(cert->names, note->name, const char *);
    }
}

static apr_uint32_t find_ca_of_folder(const acme_conf_t *conf,
                                      const char *folder)
{
    int i;

    for (i = 0; i < conf->cas->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(conf->cas, i, acme_ca_conf_t).folder,
                    folder)) {
            return (apr_uint32_t)i;
        }
    }
    return ACME_NO_CA;
}

static apr_uint32_t parse_kind(const char *word)
{
    int i = ACME_ORDER_KINDS - 1;

    while (i > 0 && strcmp(word, kinds[i])) {
        i--;
    }
    return (apr_uint32_t)i;
}

static apr_uint32_t find_name(const acme_cert_conf_t *cert, const char *name)
{
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(cert->names, i, const char *), name)) {
            return (apr_uint32_t)i;
        }
    }
    return ACME_NO_NAME;
}

/* Beyond ACME_HISTORY_MAX the oldest is dropped. */
static void add_event(acme_state_t *state, acme_history_e what,
                      const acme_history_t *row)
{
    acme_history_t *rows = state->past[what];

    if (state->pasts[what] == ACME_HISTORY_MAX) {
        memmove(rows, rows + 1, (ACME_HISTORY_MAX - 1) * sizeof(*rows));
        state->pasts[what]--;
    }
    rows[state->pasts[what]++] = *row;
}

/* One for each key type: the later ones renew the names of the first. */
static void add_issued(acme_state_t *state, const acme_history_t *order,
                       apr_time_t when, apr_uint32_t parts)
{
    acme_history_t row = *order;
    apr_uint32_t i;

    row.when = when;
    for (i = 0; i < parts; i++) {
        add_event(state, ACME_HISTORY_ISSUED, &row);
        if (row.kind == ACME_ORDER_FIRST) {
            row.kind = ACME_ORDER_RENEWAL;
        }
    }
}

/* A reload came between an order and the note that it was made. */
static int is_unnoted(const acme_journal_event_t *event,
                      const acme_history_t *order)
{
    return !strcmp(event->event, "resumed") && order->ca == ACME_NO_CA;
}

/*
 * order: the order that a certificate may come of; its ca is ACME_NO_CA when
 * there is none.
 */
static void read_event(acme_state_t *state, acme_history_t *order,
                       const acme_journal_event_t *event,
                       const acme_history_t *row, const acme_cert_conf_t *cert)
{
    if (!strcmp(event->event, "installed")) {
        if (order->ca != ACME_NO_CA) {
            add_issued(state, order, row->when, acme_conf_parts(cert));
        }
        order->ca = ACME_NO_CA; /* noted twice, it counts once */
    }
    else if (!strcmp(event->event, "ordered") || is_unnoted(event, order)) {
        *order = *row;
        if (row->ca != ACME_NO_CA) {
            add_event(state, ACME_HISTORY_ORDERED, row);
        }
    }
    else if (row->ca != ACME_NO_CA && strcmp(event->event, "resumed")) {
        acme_history_t failed = *row;

        failed.name = find_name(cert, event->about);
        if (failed.name != ACME_NO_NAME) {
            add_event(state, ACME_HISTORY_FAILED, &failed);
        }
    }
}

void acme_history_read(acme_state_t *state, const acme_journal_t *journal,
                       const acme_conf_t *conf, const acme_cert_conf_t *cert,
                       apr_time_t now)
{
    acme_history_t order = { 0 }, row = { 0 };
    char names[NAMES_SIZE];
    apr_pool_t *scratch;
    int i;

    memset(state->past, 0, sizeof(state->past));
    memset(state->pasts, 0, sizeof(state->pasts));
    apr_pool_create(&scratch, journal->events->pool);
    names_word(names, acme_name_quarantine_names(cert, journal, now, scratch));
    apr_pool_destroy(scratch);
    order.ca = ACME_NO_CA;
    row.name = ACME_NO_NAME;
    for (i = 0; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        row.when = event->when;
        row.ca = find_ca_of_folder(conf, event->ca);
        row.kind = parse_kind(event->kind);
        row.others = strcmp(event->about, names) != 0;
        read_event(state, &order, event, &row, cert);
    }
}
