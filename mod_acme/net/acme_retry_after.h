/*
 * acme_retry_after.h - the Retry-After header field. (9110, 10.2.3)
 */
#ifndef ACME_RETRY_AFTER_H
#define ACME_RETRY_AFTER_H

#include <apr_time.h>

/*
 * Seconds or an HTTP date (9110, 5.6.7), as a point in time in microseconds, at
 * least now and at most a day from now. 0 when value is NULL or is neither.
 */
apr_time_t acme_retry_after_parse(const char *value, apr_time_t now);

#endif
