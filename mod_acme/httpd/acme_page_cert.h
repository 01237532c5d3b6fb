/*
 * acme_page_cert.h - one certificate on a page of its own: its situation in
 * sentences, its certificates and chains, where it is used, and its journal.
 */
#ifndef ACME_PAGE_CERT_H
#define ACME_PAGE_CERT_H

#include "acme_page_frame.h"
#include "acme_page_view.h"

/* The index in the configuration of the certificate with this id; -1: none. */
int acme_page_cert_find(const acme_page_view_t *view, const char *id);

/* Write the page of certificate i. */
void acme_page_cert(acme_page_out_t *out, const acme_page_frame_t *frame,
                    const acme_page_view_t *view, int i, apr_pool_t *p);

/* Write the page that there is none with the id in frame->query. */
void acme_page_cert_unknown(acme_page_out_t *out,
                            const acme_page_frame_t *frame);

#endif
