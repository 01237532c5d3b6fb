/*
 * acme_status_json.h - the rows of a certificate as a JSON object.
 */
#ifndef ACME_STATUS_JSON_H
#define ACME_STATUS_JSON_H

#include "acme_json.h"
#include "acme_status_rows.h"

/*
 * Those rows (acme_status_rows_make()) that ACME_STATUS_JSON has, by their
 * keys. It is a new reference: the caller gives it to a document or to
 * acme_json_own(). p is for the call.
 */
json_t *acme_status_json_make(const apr_array_header_t *rows, apr_pool_t *p);

/* The text, printable and bounded; NULL or "" is null. A new reference. */
json_t *acme_status_json_text(const char *text, apr_pool_t *p);

/* "2026-11-21T05:36:05Z", null for 0. A new reference. */
json_t *acme_status_json_time(apr_time_t t, apr_pool_t *p);

#endif
