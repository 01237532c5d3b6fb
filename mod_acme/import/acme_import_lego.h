/*
 * acme_import_lego.h - lego's folder, its option --path.
 */
#ifndef ACME_IMPORT_LEGO_H
#define ACME_IMPORT_LEGO_H

#include "acme_import_file.h"
#include "acme_import_found.h"

void acme_import_lego_read(acme_import_found_t *found,
                           const acme_import_file_tree_t *tree);

#endif
