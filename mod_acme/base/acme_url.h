/*
 * acme_url.h - which URLs of a stranger are used.
 */
#ifndef ACME_URL_H
#define ACME_URL_H

#include <apr_pools.h>

#include "acme_result.h"

#define ACME_URL_MAX 2000       /* octets; longer ones are refused */

/*
 * Is url an absolute https URL of at most ACME_URL_MAX octets? It has a host,
 * no user info, no white space, no control characters, no fragment, nothing
 * beyond ASCII. Else APR_EINVAL, and res has the URL, printable and cut, and
 * what is wrong with it. p is for that only.
 */
apr_status_t acme_url_check(const char *url, acme_result_t *res,
                            apr_pool_t *p);

/* The same for OCSP responses and CRLs, which are signed: http or https. */
apr_status_t acme_url_check_plain(const char *url, acme_result_t *res,
                                  apr_pool_t *p);

/*
 * The URL that the Location of a redirect leads to: location itself, or from's
 * scheme and host before a path; in p. NULL where it is neither, or is from.
 * from passed acme_url_check(); the result has not.
 */
const char *acme_url_redirect(const char *from, const char *location,
                              apr_pool_t *p);

/*
 * "host" or "host:port" of a URL that passed acme_url_check(): in p, lower
 * case, without the port of https. Two URLs with the same one lead to the same
 * server.
 */
const char *acme_url_host(const char *url, apr_pool_t *p);

#endif
