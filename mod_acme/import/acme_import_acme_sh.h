/*
 * acme_import_acme_sh.h - acme.sh's folder, ~/.acme.sh.
 */
#ifndef ACME_IMPORT_ACME_SH_H
#define ACME_IMPORT_ACME_SH_H

#include "acme_import_file.h"
#include "acme_import_found.h"

void acme_import_acme_sh_read(acme_import_found_t *found,
                           const acme_import_file_tree_t *tree);

#endif
