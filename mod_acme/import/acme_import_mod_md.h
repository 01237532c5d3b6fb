/*
 * acme_import_mod_md.h - mod_md's store, MDStoreDir.
 */
#ifndef ACME_IMPORT_MOD_MD_H
#define ACME_IMPORT_MOD_MD_H

#include "acme_import_file.h"
#include "acme_import_found.h"

void acme_import_mod_md_read(acme_import_found_t *found,
                           const acme_import_file_tree_t *tree);

/*
 * Add what follows from a line of httpd's configuration, and is not in the
 * store: AcmePorts, AcmeProxy, AcmeCACertificateFile, or a note.
 */
void acme_import_mod_md_translate(apr_array_header_t *lines,
                                  apr_array_header_t *notes, const char *line,
                                  apr_pool_t *p);

#endif
