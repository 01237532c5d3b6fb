/*
 * acme_result.c - filling a result.
 *
 * A new detail is put together beside the old one and replaces it at the end:
 * the old one may well be among the arguments.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_result.h"

void acme_result_clear(acme_result_t *res)
{
    memset(res, 0, sizeof(*res));
}

/* Replace all of res with a failure. */
static void set_failure(acme_result_t *res, apr_status_t status,
                        const char *fmt, va_list args)
{
    char detail[ACME_DETAIL_SIZE] = "";

    /* libc's vsnprintf(): the compiler checks the formats for that one. */
    vsnprintf(detail, sizeof(detail), fmt, args);
    acme_result_clear(res);
    res->status = status;
    res->reason = ACME_REASON_OTHER;
    memcpy(res->detail, detail, sizeof(detail));
}

apr_status_t acme_fail(acme_result_t *res, apr_status_t status,
                       const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_failure(res, status, fmt, args);
    va_end(args);
    return status;
}

apr_status_t acme_fail_errno(acme_result_t *res, apr_status_t status,
                             const char *fmt, ...)
{
    apr_size_t len;
    va_list args;

    va_start(args, fmt);
    set_failure(res, status, fmt, args);
    va_end(args);

    len = strlen(res->detail);
    apr_cpystrn(res->detail + len, ": ", sizeof(res->detail) - len);
    len = strlen(res->detail);
    apr_strerror(status, res->detail + len, sizeof(res->detail) - len);
    return status;
}

apr_status_t acme_fail_never(acme_result_t *res, apr_status_t status,
                             const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_failure(res, status, fmt, args);
    va_end(args);
    res->retry = ACME_RETRY_NEVER;
    return status;
}

apr_status_t acme_result_reason(acme_result_t *res, acme_reason_e reason)
{
    res->reason = reason;
    return res->status;
}

void acme_result_prefix(acme_result_t *res, const char *subject)
{
    char detail[ACME_DETAIL_SIZE] = "";     /* all of it is copied below */

    apr_snprintf(detail, sizeof(detail), "%s: %s", subject, res->detail);
    memcpy(res->detail, detail, sizeof(detail));
}
