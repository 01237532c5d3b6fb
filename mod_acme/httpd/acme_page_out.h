/*
 * acme_page_out.h - the HTML that a page is written into, and the only ways in.
 *
 * A text that is not our own goes through acme_page_out_text(), or into a URL
 * through acme_page_out_url(). Nothing fails: memory is the pool's.
 */
#ifndef ACME_PAGE_OUT_H
#define ACME_PAGE_OUT_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct acme_page_out_t acme_page_out_t;

acme_page_out_t *acme_page_out_make(apr_pool_t *p);

/* What was written; it has a NUL behind it, and is out's. */
const char *acme_page_out_data(const acme_page_out_t *out, apr_size_t *plen);

/* Literals of ours: HTML. */
void acme_page_out_html(acme_page_out_t *out, const char *html);

/* A literal format of ours; its arguments are numbers, or literals. */
void acme_page_out_format(acme_page_out_t *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Any text, as the content of an element or the value of an attribute in double
 * quotes. Octets that are not UTF-8, and characters that are not seen or change
 * the direction of others, are shown as \xNN. NULL is "".
 */
void acme_page_out_text(acme_page_out_t *out, const char *text);

/* Any text, as a name or a value in the query of a URL. */
void acme_page_out_url(acme_page_out_t *out, const char *text);

/* A time, absolute: "2026-12-01 10:00:00 UTC". */
void acme_page_out_instant(acme_page_out_t *out, apr_time_t t);

/* A time, absolute and relative: "2026-12-01 10:00:00 UTC" and "in 9 days";
   "-" for 0. */
void acme_page_out_time(acme_page_out_t *out, apr_time_t t, apr_time_t now);

#endif
