/*
 * acme_page_list.h - all certificates on one page: a summary, running orders,
 * a table by urgency, and those that mod_acme does not manage.
 */
#ifndef ACME_PAGE_LIST_H
#define ACME_PAGE_LIST_H

#include "acme_page_frame.h"
#include "acme_page_view.h"

/*
 * Write the page for frame->query. It costs a look at each state on the board;
 * of files only the journals of running orders are read, and only those shown.
 */
void acme_page_list(acme_page_out_t *out, const acme_page_frame_t *frame,
                    const acme_page_view_t *view, apr_pool_t *p);

#endif
