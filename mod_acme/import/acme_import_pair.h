/*
 * acme_import_pair.h - a certificate and its key in another client's folder:
 * can they be served?
 */
#ifndef ACME_IMPORT_PAIR_H
#define ACME_IMPORT_PAIR_H

#include "acme_import_file.h"
#include "acme_import_found.h"

/* Paths, of acme_import_file_text(). */
typedef struct {
    const char *key;
    const char *full;           /* leaf and chain; NULL: in two files */
    const char *leaf;
    const char *chain;          /* NULL: there is none; it may be missing */
} acme_import_pair_files_t;

/*
 * Read and check a pair, and add it to cert->parts. Else it is cert->fault: a
 * file is missing or damaged, the key is another one's, the certificate is
 * expired, not valid yet, signed by itself or has no name.
 */
void acme_import_pair_add(acme_import_cert_t *cert,
                          const acme_import_found_t *found,
                          const acme_import_file_tree_t *tree,
                          const acme_import_pair_files_t *files);

/*
 * When all pairs are added: the fault if there is none, and the directives
 * that its pairs and its CA need: AcmeCA, AcmeKeyTypes, AcmeNames,
 * AcmeMustStaple.
 */
void acme_import_pair_end(acme_import_cert_t *cert,
                          const acme_import_found_t *found);

#endif
