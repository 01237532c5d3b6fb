/*
 * acme_page_frame.h - what each page begins and ends with, and the pieces that
 * several of them have.
 */
#ifndef ACME_PAGE_FRAME_H
#define ACME_PAGE_FRAME_H

#include "acme_page_out.h"
#include "acme_page_query.h"

/* What a request is about. */
typedef struct {
    const acme_page_query_t *query;
    const char *server;         /* its ServerName */
    apr_time_t now;
    int refresh;                /* seconds, where the query does not say */
} acme_page_frame_t;

/* Up to the main part, with title (a text) as its heading. */
void acme_page_frame_begin(acme_page_out_t *out, const acme_page_frame_t *frame,
                           const char *title);

void acme_page_frame_end(acme_page_out_t *out);

/* The value of Content-Security-Policy, in p: no script, no other style, and
   nothing from elsewhere. */
const char *acme_page_frame_policy(apr_pool_t *p);

/* A word in the colour of a kind. */
void acme_page_frame_badge(acme_page_out_t *out, acme_explain_kind_e kind,
                           const char *word);

/* A lifetime: 0 is a time that is not known. */
typedef struct {
    apr_time_t not_before;
    apr_time_t not_after;
    apr_time_t window_start;    /* when it may be renewed */
    apr_time_t window_end;
    apr_time_t planned;         /* when it is renewed */
} acme_page_life_t;

/* That of the live certificate, and what is planned. */
acme_page_life_t acme_page_frame_life(const acme_state_t *state,
                                      apr_time_t now);

/* A bar of it, with the same in words for who does not see it. */
void acme_page_frame_bar(acme_page_out_t *out, const acme_page_life_t *life,
                         acme_explain_kind_e kind, int is_big, apr_time_t now,
                         apr_pool_t *p);

/* What the parts of a bar mean, for bars of this kind. */
void acme_page_frame_legend(acme_page_out_t *out, acme_explain_kind_e kind);

#endif
