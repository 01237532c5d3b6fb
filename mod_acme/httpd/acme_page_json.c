/*
 * acme_page_json.c - ?json of the handler acme-status.
 */
#include "acme_page_json.h"

int acme_page_json(request_rec *r, const acme_page_view_t *view, apr_time_t now)
{
    (void)r;
    (void)view;
    (void)now;
    return HTTP_NOT_IMPLEMENTED;
}
