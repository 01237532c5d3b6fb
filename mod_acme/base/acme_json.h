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
 * Parse len octets that are one JSON object; *pjson ends with p. EINVAL, and
 * *pjson NULL, for anything else; what names it in res ("directory of ...").
 */
apr_status_t acme_json_parse(json_t **pjson, const char *body, apr_size_t len,
                             const char *what, acme_result_t *res,
                             apr_pool_t *p);

/* A string without NUL inside, of at most max octets, copied into p. */
const char *acme_json_string(const json_t *json, const char *key,
                             apr_size_t max, apr_pool_t *p);

/* An array of such strings (const char *); others are passed over. */
apr_array_header_t *acme_json_strings(const json_t *json, const char *key,
                                      apr_size_t max, apr_pool_t *p);

/* A new array of strings (const char *, UTF-8), which the caller owns. */
json_t *acme_json_array(const apr_array_header_t *strings);

/* The integer at key, 0 for anything else. */
apr_int64_t acme_json_int(const json_t *json, const char *key);

/* Is true at key? False, missing and other types are 0. */
int acme_json_true(const json_t *json, const char *key);

/* Give json to p: json_decref() with the pool. Returns json. */
json_t *acme_json_own(json_t *json, apr_pool_t *p);

/* The document as text in p: compact, or with indent for files. */
const char *acme_json_text(const json_t *json, int indent, apr_pool_t *p);

#endif
