/*
 * acme_import_certbot.h - certbot's folder, /etc/letsencrypt.
 */
#ifndef ACME_IMPORT_CERTBOT_H
#define ACME_IMPORT_CERTBOT_H

#include "acme_import_file.h"
#include "acme_import_found.h"

/* Add what the folder has: accounts/, renewal/, live/, renewal-hooks/. */
void acme_import_certbot_read(acme_import_found_t *found,
                              const acme_import_file_tree_t *tree);

#endif
