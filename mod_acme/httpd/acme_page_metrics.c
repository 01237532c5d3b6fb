/*
 * acme_page_metrics.c - ?metrics of the handler acme-status.
 */
#include "acme_page_metrics.h"

int acme_page_metrics(request_rec *r, const acme_page_view_t *view, apr_time_t now)
{
    (void)r;
    (void)view;
    (void)now;
    return HTTP_NOT_IMPLEMENTED;
}
