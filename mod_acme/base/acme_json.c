/*
 * acme_json.c - documents that belong to pools.
 *
 * jansson itself bounds the depth (2048) and refuses what is not UTF-8; the
 * caller, who read the document, bounds its size, and here its values are: an
 * object of two octets takes some hundred in memory.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_json.h"
#include "acme_text.h"

#define VALUES_MAX 20000        /* an order of 1000 names has 5000 */

/* Each value but the first follows one of these, outside of a text. */
static int has_too_many_values(const char *body, apr_size_t len)
{
    int is_text = 0, values = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (body[i] == '"') {
            is_text = !is_text;
        }
        else if (is_text) {
            i += body[i] == '\\';
        }
        else {
            values += body[i] == ',' || body[i] == '[' || body[i] == '{';
        }
    }
    return values > VALUES_MAX;
}

static apr_status_t drop_json(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

json_t *acme_json_own(json_t *json, apr_pool_t *p)
{
    apr_pool_cleanup_register(p, json, drop_json, apr_pool_cleanup_null);
    return json;
}

apr_status_t acme_json_parse(json_t **pjson, const char *body, apr_size_t len,
                             const char *what, acme_result_t *res,
                             apr_pool_t *p)
{
    json_error_t error;
    json_t *json;

    *pjson = NULL;

    if (has_too_many_values(body, len)) {
        return acme_fail(res, APR_EINVAL, "%s: more than %d values in JSON",
                         what, VALUES_MAX);
    }
    /* A NUL in a member that we never read harms nobody. */
    json = json_loadb(body, len, JSON_ALLOW_NUL, &error);
    if (!json) {
        return acme_fail(res, APR_EINVAL, "%s: not JSON: line %d: %s", what,
                         error.line, acme_text_clean(error.text,
                                                     JSON_ERROR_TEXT_LENGTH,
                                                     p));
    }
    acme_json_own(json, p);
    if (!json_is_object(json)) {
        return acme_fail(res, APR_EINVAL, "%s: not a JSON object", what);
    }
    *pjson = json;
    return APR_SUCCESS;
}

static const char *string_copy(const json_t *json, apr_size_t max,
                               apr_pool_t *p)
{
    const char *text = json_string_value(json);
    apr_size_t len = json_string_length(json);

    if (!text || len > max || memchr(text, '\0', len)) {
        return NULL;
    }
    return apr_pstrmemdup(p, text, len);
}

const char *acme_json_string(const json_t *json, const char *key,
                             apr_size_t max, apr_pool_t *p)
{
    return string_copy(json_object_get(json, key), max, p);
}

apr_array_header_t *acme_json_strings(const json_t *json, const char *key,
                                      apr_size_t max, apr_pool_t *p)
{
    json_t *array = json_object_get(json, key);
    apr_array_header_t *strings;
    const char *text;
    json_t *value;
    size_t i;

    if (!json_is_array(array)) {
        return NULL;
    }
    strings = apr_array_make(p, 4, sizeof(const char *));
    json_array_foreach(array, i, value) {
        text = string_copy(value, max, p);
        if (text) {
            APR_ARRAY_PUSH(strings, const char *) = text;
        }
    }
    return strings;
}

int acme_json_is_text(const char *text)
{
    json_t *json = json_string(text);
    const int is_text = json != NULL;

    json_decref(json);
    return is_text;
}

json_t *acme_json_from_text(const char *text, apr_size_t max, apr_pool_t *p)
{
    json_t *json = json_string(apr_pstrndup(p, text, max));

    return json ? json : json_string(acme_text_clean(text, max, p));
}

json_t *acme_json_array(const apr_array_header_t *strings)
{
    json_t *array = json_array();
    int i;

    for (i = 0; i < strings->nelts; i++) {
        json_array_append_new(array, json_string(APR_ARRAY_IDX(strings, i,
                                                               const char *)));
    }
    return array;
}

apr_int64_t acme_json_int(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

int acme_json_true(const json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key));
}

const char *acme_json_text(const json_t *json, int indent, apr_pool_t *p)
{
    char *dump = json_dumps(json, indent > 0 ? JSON_INDENT((size_t)indent)
                                             : JSON_COMPACT);
    const char *text = apr_pstrdup(p, dump);

    free(dump);
    return text;
}
