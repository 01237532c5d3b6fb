/*
 * acme_page_others.h - what is in the files of SSLCertificateFile that are not
 * managed: read once, while they are as they were.
 */
#ifndef ACME_PAGE_OTHERS_H
#define ACME_PAGE_OTHERS_H

#include "acme_page_view.h"

typedef struct acme_page_others_t acme_page_others_t;

/*
 * Begin a load, at now, with what the loads before have read, in memory that
 * lives as long as lasting (the process pool).
 */
acme_page_others_t *acme_page_others_begin(apr_time_t now, apr_pool_t *lasting);

/* What was not asked for since is forgotten. */
void acme_page_others_end(acme_page_others_t *files);

/*
 * Of the file at path all but place and vhosts, which live until the next load.
 * alone: as acme_cert_file_read() has it.
 */
acme_page_other_t acme_page_others_read(acme_page_others_t *files,
                                       const char *path, int alone);

#endif
