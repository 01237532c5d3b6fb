/*
 * acme_require_https.h - AcmeRequireHttps: the redirect to https, and HSTS.
 */
#ifndef ACME_REQUIRE_HTTPS_H
#define ACME_REQUIRE_HTTPS_H

#include <httpd.h>

/*
 * The redirect's status for a request without TLS to a name that a certificate
 * has which this load serves, else DECLINED.
 */
int acme_require_https(request_rec *r);

/* HSTS for the same names over TLS, unless somebody else sets or unsets it. */
void acme_require_https_hooks(apr_pool_t *p);

#endif
