/*
 * acme_url.h - which URLs of a stranger are used.
 */
#ifndef ACME_URL_H
#define ACME_URL_H

#include <apr_pools.h>

#include "acme_result.h"

#define ACME_URL_MAX 2000       /* octets; longer ones are refused */

/*
 * An absolute https URL of at most ACME_URL_MAX octets: a host, no user
 * info, no white space, no control characters, no fragment, nothing beyond
 * ASCII. res names the URL and what is wrong.
 */
apr_status_t acme_url_check(const char *url, acme_result_t *res,
                            apr_pool_t *p);

/* The same for what is signed by itself: http or https. */
apr_status_t acme_url_check_plain(const char *url, acme_result_t *res,
                                  apr_pool_t *p);

/* "host" or "host:port" of a URL that acme_url_check() liked, lower case. */
const char *acme_url_host(const char *url, apr_pool_t *p);

#endif
