/*
 * acme_import_dehydrated.h - dehydrated's folder, its BASEDIR.
 */
#ifndef ACME_IMPORT_DEHYDRATED_H
#define ACME_IMPORT_DEHYDRATED_H

#include "acme_import_file.h"
#include "acme_import_found.h"

void acme_import_dehydrated_read(acme_import_found_t *found,
                           const acme_import_file_tree_t *tree);

#endif
