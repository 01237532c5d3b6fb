/*
 * acme_page_query.h - what the page is asked for, and links that ask for more.
 *
 * The query of a URL is hostile: what is not known, too long or damaged is
 * passed over.
 */
#ifndef ACME_PAGE_QUERY_H
#define ACME_PAGE_QUERY_H

#include "acme_explain.h"
#include "acme_page_out.h"

#define ACME_PAGE_QUERY_TEXT 253        /* octets: a name has no more */

typedef struct {
    const char *id;             /* its own page; NULL: the list */
    const char *q;              /* only with this in their names; "": all */
    int kind;                   /* acme_explain_kind_e; ACME_EXPLAIN_KINDS:
                                   all */
    int page;                   /* of the list, from 1 */
    int others;                 /* the same of what is not managed */
    int refresh;                /* seconds; 0: never; -1: not said */
} acme_page_query_t;

/* Read what follows the '?', or NULL; texts are in p. */
acme_page_query_t acme_page_query_read(const char *args, apr_pool_t *p);

/*
 * Write the value of href, with its quotes: a relative URL of a page with this
 * query. It says only what is not the default.
 */
void acme_page_query_link(acme_page_out_t *out,
                          const acme_page_query_t *query);

#endif
