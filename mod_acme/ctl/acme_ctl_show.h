/*
 * acme_ctl_show.h - acmectl status: certificates as text and as JSON.
 */
#ifndef ACME_CTL_SHOW_H
#define ACME_CTL_SHOW_H

#include "acme_ctl_keeper.h"

/*
 * Print certs (acme_ctl_cert_t) to stdout as text, a paragraph for each. now
 * is the time of the clock; p is for scratch.
 */
void acme_ctl_show_text(const apr_array_header_t *certs, apr_time_t now,
                        apr_pool_t *p);

/* As acme_ctl_show_text(), as a JSON array with an object for each. */
void acme_ctl_show_json(const apr_array_header_t *certs, apr_time_t now,
                        apr_pool_t *p);

#endif
