/*
 * acme_ctl_term.h - texts for the terminal of root.
 *
 * Part of what is shown was written by a CA, a name server or whoever can write
 * the store. No octet of it may steer the terminal.
 */
#ifndef ACME_CTL_TERM_H
#define ACME_CTL_TERM_H

#include <stdio.h>

#include <apr_pools.h>

/*
 * text in p with each octet outside of 0x20 to 0x7e as \xNN; a backslash stays
 * as it is, because a text may have been escaped before. "" for NULL.
 */
const char *acme_ctl_term_text(const char *text, apr_pool_t *p);

/* Write acme_ctl_term_text() of text to file. */
void acme_ctl_term_put(FILE *file, const char *text);

/* The same of len octets, of which newlines stay newlines. */
void acme_ctl_term_put_lines(FILE *file, const char *text, apr_size_t len);

#endif
