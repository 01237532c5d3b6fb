/*
 * acme_placeholder_503.h - no site is shown behind a placeholder.
 */
#ifndef ACME_PLACEHOLDER_503_H
#define ACME_PLACEHOLDER_503_H

#include <httpd.h>

/*
 * 503 and Retry-After for a request over TLS to a name of a managed virtual
 * host that has no certificate yet, else DECLINED.
 */
int acme_placeholder_503(request_rec *r);

#endif
