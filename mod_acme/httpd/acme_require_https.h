/*
 * acme_require_https.h - AcmeRequireHttps: the redirect to https, and HSTS.
 */
#ifndef ACME_REQUIRE_HTTPS_H
#define ACME_REQUIRE_HTTPS_H

#include <httpd.h>

/*
 * The redirect's status for a request without TLS to a name whose certificate
 * is served, else DECLINED. Over TLS it may add the header of HSTS.
 */
int acme_require_https(request_rec *r);

#endif
