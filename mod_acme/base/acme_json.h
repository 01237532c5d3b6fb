/*
 * acme_json.h - jansson, with a stranger's documents in mind.
 *
 * A document lives as long as the pool that it was parsed into. The getters
 * never fail: what is missing or of another type is NULL or 0.
 */
#ifndef ACME_JSON_H
#define ACME_JSON_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>

#include "acme_result.h"

/*
 * Parse one JSON object: len octets at body, which need not end in a NUL. The
 * caller bounds len. what names the document in res ("directory of ...").
 *
 * On success *pjson belongs to p: no json_decref(). On failure *pjson is NULL
 * and the status APR_EINVAL: not JSON, not UTF-8, not an object, or more than
 * 20,000 values in it.
 */
apr_status_t acme_json_parse(json_t **pjson, const char *body, apr_size_t len,
                             const char *what, acme_result_t *res,
                             apr_pool_t *p);

/*
 * The string that is member key of json, copied into p. NULL when there is
 * none, when it is longer than max octets, or when it has a NUL inside.
 */
const char *acme_json_string(const json_t *json, const char *key,
                             apr_size_t max, apr_pool_t *p);

/*
 * The strings of the array that is member key of json: const char *, in p, in
 * their order. Elements that acme_json_string() would not return are left
 * out. NULL when the member is not an array.
 */
apr_array_header_t *acme_json_strings(const json_t *json, const char *key,
                                      apr_size_t max, apr_pool_t *p);

/* Can text be a JSON string: is it UTF-8? */
int acme_json_is_text(const char *text);

/*
 * The JSON string of at most max octets of text (3 or more), as
 * acme_text_clean() escapes it where that is not UTF-8. Never NULL but without
 * memory. It is a new reference: the caller gives it to a document.
 */
json_t *acme_json_from_text(const char *text, apr_size_t max, apr_pool_t *p);

/*
 * A JSON array of strings (const char *, UTF-8; others are left out). It is a
 * new reference: the caller gives it to a document or to acme_json_own().
 */
json_t *acme_json_array(const apr_array_header_t *strings);

/* The integer that is member key of json; 0 when there is none. */
apr_int64_t acme_json_int(const json_t *json, const char *key);

/* Is member key of json true? A missing one is not, nor is a number. */
int acme_json_true(const json_t *json, const char *key);

/* Give json to p: json_decref() with the pool. Returns json. */
json_t *acme_json_own(json_t *json, apr_pool_t *p);

/*
 * The document as text in p: in one line when indent is 0, else with so many
 * spaces a level, for files. NULL when jansson has no memory.
 */
const char *acme_json_text(const json_t *json, int indent, apr_pool_t *p);

#endif
