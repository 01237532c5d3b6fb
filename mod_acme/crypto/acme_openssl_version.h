/*
 * acme_openssl_version.h - which OpenSSL this process runs with.
 */
#ifndef ACME_OPENSSL_VERSION_H
#define ACME_OPENSSL_VERSION_H

/* "OpenSSL 3.0.17 1 Jul 2025": its own words, which live as long as it. */
const char *acme_openssl_version(void);

#endif
