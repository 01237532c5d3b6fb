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

/*
 * Write acme_ctl_term_text() of text in lines of at most 78 columns, where it
 * has spaces to break it, and a newline. The first line begins at the column
 * indent already, the others are indented to it.
 */
void acme_ctl_term_put_wrapped(FILE *file, const char *text, int indent);

typedef enum {
    ACME_CTL_TERM_PLAIN,
    ACME_CTL_TERM_GREEN,
    ACME_CTL_TERM_YELLOW,
    ACME_CTL_TERM_RED
} acme_ctl_term_color_e;

/* Write acme_ctl_term_text() of text to file, in this colour if is_coloured. */
void acme_ctl_term_color(FILE *file, acme_ctl_term_color_e color,
                         const char *text, int is_coloured);

/*
 * Is file to be coloured? when: "always", "never", or "auto": if file is a
 * terminal, NO_COLOR (the value of that variable, NULL: unset) is unset or
 * empty, and term (that of TERM) is neither missing nor "dumb".
 */
int acme_ctl_term_is_coloured(FILE *file, const char *when,
                              const char *no_color, const char *term);

#endif
