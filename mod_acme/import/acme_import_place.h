/*
 * acme_import_place.h - which directives are the server's, and which those of
 * one certificate.
 */
#ifndef ACME_IMPORT_PLACE_H
#define ACME_IMPORT_PLACE_H

#include "acme_import_report.h"

/* Is a certificate of the item in the store now, or would be? */
int acme_import_place_is_used(const acme_import_item_t *item);

/*
 * Move directives that all used certificates have from the items of report to
 * its lines; common are those that the client had for all. With has_others the
 * store has certificates of another origin, which a directive for the server
 * would change: then none is. A single certificate keeps for itself what would
 * make others be ordered anew, or run a command for them. p is for the lines.
 */
void acme_import_place_lines(acme_import_report_t *report,
                             const apr_array_header_t *common, int has_others,
                             apr_pool_t *p);

#endif
