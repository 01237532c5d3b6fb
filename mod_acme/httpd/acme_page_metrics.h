/*
 * acme_page_metrics.h - ?metrics of the handler acme-status.
 */
#ifndef ACME_PAGE_METRICS_H
#define ACME_PAGE_METRICS_H

#include "acme_page_view.h"

/*
 * Answer a GET or HEAD: content type and body. now is the time of all that is
 * computed. Returns OK or a status of HTTP, as a handler of httpd does; the
 * caller has set the headers that all three answers have.
 */
int acme_page_metrics(request_rec *r, const acme_page_view_t *view, apr_time_t now);

#endif
