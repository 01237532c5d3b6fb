/*
 * acme_text.h - texts that a stranger sent.
 *
 * Whatever came from a CA goes through acme_text_clean() before people see it.
 */
#ifndef ACME_TEXT_H
#define ACME_TEXT_H

#include <apr_pools.h>

/*
 * A stranger's text made printable, in p: octets outside of 0x20 to 0x7e become
 * \xNN, a backslash is doubled, and no more than max octets are written, the
 * last three of them "..." when it was cut. max is 3 or more. Never NULL: a
 * NULL text is "".
 */
const char *acme_text_clean(const char *text, apr_size_t max, apr_pool_t *p);

/*
 * A copy in p of the first len octets of text, which has no NUL among them,
 * with ASCII letters in lower case, whatever the locale.
 */
char *acme_text_lower(const char *text, apr_size_t len, apr_pool_t *p);

/*
 * Is text 1 to max characters of base64url without padding? (7515, 2) NULL is
 * not.
 */
int acme_text_is_base64url(const char *text, apr_size_t max);

/* len octets at data as base64url without padding, in p. (7515, 2) */
const char *acme_text_base64url(const void *data, apr_size_t len,
                                apr_pool_t *p);

#endif
