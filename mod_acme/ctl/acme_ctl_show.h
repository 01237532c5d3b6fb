/*
 * acme_ctl_show.h - acmectl status: certificates as text and as JSON.
 */
#ifndef ACME_CTL_SHOW_H
#define ACME_CTL_SHOW_H

#include "acme_ctl_keeper.h"

/* To stdout: a paragraph for each (acme_ctl_cert_t). */
void acme_ctl_show_text(const apr_array_header_t *certs, apr_time_t now,
                        apr_pool_t *p);

/* To stdout: an array with an object for each. */
void acme_ctl_show_json(const apr_array_header_t *certs, apr_time_t now,
                        apr_pool_t *p);

#endif
