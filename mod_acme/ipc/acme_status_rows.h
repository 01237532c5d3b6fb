/*
 * acme_status_rows.h - all that is shown of a certificate, in one list of rows.
 *
 * The server-status page, its ?auto lines, acmectl status and its --json read
 * these rows, so that they say the same. Who prints a row escapes it: part of
 * a state was written by a CA. Keys are others' scripts': never changed.
 */
#ifndef ACME_STATUS_ROWS_H
#define ACME_STATUS_ROWS_H

#include "acme_state.h"

/* Who shows a row, as bits. */
#define ACME_STATUS_LINES 1u      /* server-status?auto */
#define ACME_STATUS_JSON 2u       /* acmectl status --json */
#define ACME_STATUS_TEXT 4u       /* acmectl status */
#define ACME_STATUS_PAGE 8u       /* server-status */

/* In JSON. A string without a value is null there. */
typedef enum {
    ACME_STATUS_STRING,
    ACME_STATUS_NUMBER,
    ACME_STATUS_FLAG,             /* "true", "false" */
    ACME_STATUS_LIST
} acme_status_type_e;

/* Of the page's table. */
typedef enum {
    ACME_STATUS_CERTIFICATE,
    ACME_STATUS_NAMES,
    ACME_STATUS_STATE,
    ACME_STATUS_UNTIL,
    ACME_STATUS_NEXT,
    ACME_STATUS_PROBLEM,
    ACME_STATUS_COLUMNS
} acme_status_column_e;

typedef struct {
    const char *key;            /* for programs, "validUntil"; ?auto begins
                                   it with a capital letter */
    const char *label;          /* for people, "valid until" */
    const char *text;           /* for people; set where they see the row */
    const char *value;          /* for programs; NULL: not known */
    const apr_array_header_t *list;     /* of a LIST: const char * */
    acme_status_type_e type;
    acme_status_column_e column;
    unsigned shown;             /* ACME_STATUS_..., not 0 */
} acme_status_row_t;

typedef struct {
    const char *id;
    const apr_array_header_t *names;    /* const char * */
    const acme_state_t *state;  /* NULL: the keeper still reads its store */
    int is_reload_held;         /* the next reload is postponed */
    const char *lacks;          /* "a.org, b.org": names that the live one does
                                   not have; NULL: not known */
} acme_status_cert_t;

/*
 * The rows (acme_status_row_t), in p; texts may be the state's. Several rows
 * may have one key, but not for one and the same reader. "id" and "state" are
 * the first two.
 */
apr_array_header_t *acme_status_rows_make(const acme_status_cert_t *cert,
                                   apr_time_t now, apr_pool_t *p);

/* The row with this key that this reader is shown, or NULL. */
const acme_status_row_t *acme_status_rows_find(const apr_array_header_t *rows,
                                      const char *key, unsigned reader);

/* Why it waits or fails; ACME_REASON_NONE: it does neither. */
acme_reason_e acme_status_rows_reason(const acme_status_cert_t *cert,
                                      apr_time_t now);

/*
 * The reason whose fault and remedy help: what a rehearsal saw from here before
 * what the CA said, that of an excluded name before that one is excluded.
 */
acme_reason_e acme_status_rows_advice(const acme_status_cert_t *cert,
                                      apr_time_t now);

/* The reason of the fault that a rehearsal saw, if that explains what is wrong;
   else NONE. */
acme_reason_e acme_status_rows_seen(const acme_status_cert_t *cert,
                                    apr_time_t now);

/* "Seen from here: ... (code) remedy", in p; NULL where that is NONE. */
const char *acme_status_rows_seen_text(const acme_status_cert_t *cert,
                                       apr_time_t now, apr_pool_t *p);

/* "a.example, b.example and 3 more": the excluded names, in p. */
const char *acme_status_rows_left_out(const acme_state_t *state,
                                      apr_pool_t *p);

/* "valid", or "valid, served after the next reload": a literal. */
const char *acme_status_rows_state(const acme_state_t *state, apr_time_t now);

/* "once" or "4 times", in p. */
const char *acme_status_rows_times(apr_uint32_t n, apr_pool_t *p);

/* Does it need the administrator? One that a program warns of. */
int acme_status_rows_is_ill(const acme_state_t *state, apr_time_t now);

#endif
