/*
 * acme_ctl_show.h - certificates as a table, in detail, and as JSON.
 *
 * Rows and words are those of acme_status_rows.h, so that acmectl,
 * server-status and the page say the same.
 */
#ifndef ACME_CTL_SHOW_H
#define ACME_CTL_SHOW_H

#include <stdio.h>

#include "acme_ctl_keeper.h"
#include "acme_json.h"
#include "acme_status_rows.h"

/* What acme_status_rows_make() takes; it points into cert. */
acme_status_cert_t acme_ctl_show_view(const acme_ctl_cert_t *cert);

/*
 * Print a summary, and a line for each certificate, the most urgent first, with
 * the reason and the detail below those that need the administrator.
 */
void acme_ctl_show_table(FILE *file, const apr_array_header_t *certs,
                         int is_coloured, apr_time_t now, apr_pool_t *p);

/* Print all that is known of one certificate, a row a line. */
void acme_ctl_show_detail(FILE *file, const acme_ctl_cert_t *cert,
                          int is_coloured, apr_time_t now, apr_pool_t *p);

/* The object of status --json for a certificate: a new reference. */
json_t *acme_ctl_show_object(const acme_ctl_cert_t *cert, apr_time_t now,
                             apr_pool_t *p);

/* Print json, which becomes p's, as indented text of ASCII characters. */
void acme_ctl_show_json(FILE *file, json_t *json, apr_pool_t *p);

#endif
