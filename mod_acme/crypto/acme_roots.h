/*
 * acme_roots.h - the root certificates that servers are verified with, parsed
 * once for all connections of a process.
 *
 * The file of a system has some 150 of them: to parse it takes 15 ms and
 * almost a megabyte, each time. Every call may come from any thread.
 */
#ifndef ACME_ROOTS_H
#define ACME_ROOTS_H

#include <apr_pools.h>

typedef struct acme_roots_t acme_roots_t;

/*
 * Those of the PEM file, and of a folder with hashed names (c_rehash(1)) or
 * NULL, in which OpenSSL looks as it needs them. Nothing is read yet. Lives as
 * long as p; fails only as APR does when a mutex cannot be made.
 */
apr_status_t acme_roots_create(acme_roots_t **proots, const char *file,
                               const char *folder, apr_pool_t *p);

/*
 * Have they been parsed? They are now, if the file is another one than it was,
 * or that was an hour ago. A number that is another one each time that they
 * were parsed; 0: they cannot be read, or there is none.
 */
unsigned int acme_roots_ready(acme_roots_t *roots);

/*
 * Verify with them, and as libcurl does it: an intermediate certificate among
 * them is as good as a root. ssl_ctx is the SSL_CTX * of a connection that is
 * not made yet. False: they are not ready, and nothing was changed.
 */
int acme_roots_use(acme_roots_t *roots, void *ssl_ctx);

#endif
