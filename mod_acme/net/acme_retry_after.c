/*
 * acme_retry_after.c - the Retry-After header field. (9110, 10.2.3)
 */
#include <string.h>

#include <apr_date.h>
#include <apr_strings.h>

#include "acme_retry_after.h"

#define SERVER_RETRY_MAX (24 * 60 * 60)     /* seconds */

apr_time_t acme_retry_after_parse(const char *value, apr_time_t now)
{
    apr_time_t most = now + apr_time_from_sec(SERVER_RETRY_MAX);
    apr_time_t t;

    if (!value || *value == '\0') {
        return 0;
    }
    if (value[strspn(value, "0123456789")] == '\0') {
        /* Out of range, apr_strtoi64() returns the largest number. */
        apr_int64_t seconds = apr_strtoi64(value, NULL, 10);

        t = seconds < SERVER_RETRY_MAX ? now + apr_time_from_sec(seconds)
                                       : most;
    }
    else {
        t = apr_date_parse_http(value);
        if (t == APR_DATE_BAD) {
            return 0;
        }
    }
    return t < now ? now : t > most ? most : t;
}
