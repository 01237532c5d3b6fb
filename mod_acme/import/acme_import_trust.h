/*
 * acme_import_trust.h - which directives of another client are written.
 *
 * httpd reads them as root, and some of them are commands, or choose whom it
 * believes.
 */
#ifndef ACME_IMPORT_TRUST_H
#define ACME_IMPORT_TRUST_H

#include <apr_tables.h>

/*
 * Move those of lines that cannot be trusted to notes, with the reason. foreign
 * is what others than root can change of all that was read, and only key types,
 * times of renewals, AcmeMustStaple off and known CAs stay; NULL: there is
 * nothing, and all stay but commands of which others can change a part.
 */
void acme_import_trust_filter(apr_array_header_t *lines,
                              apr_array_header_t *notes, const char *foreign);

#endif
