/*
 * acme_vhost_files.h - files of SSLCertificateFile that are in the store.
 *
 * Folders are compared by what they are, not by how a path is written: to many
 * stores a symbolic link leads.
 */
#ifndef ACME_VHOST_FILES_H
#define ACME_VHOST_FILES_H

#include <apr_tables.h>

#include "acme_cert_split_live.h"
#include "acme_conf_tree.h"

/*
 * The id, in p, if each of the files (acme_conf_tree_file_t; NULL: none) is
 * "live/<id>/<file>" of the store at state_dir, with one id. NULL: it is not
 * so. Whether the files exist does not matter.
 */
const char *acme_vhost_files_id(const char *state_dir,
                                const apr_array_header_t *files,
                                apr_pool_t *p);

/* The first of the files that is anywhere in the store; NULL: none is. */
const acme_conf_tree_file_t *acme_vhost_files_stored(
    const char *state_dir, const apr_array_header_t *files, apr_pool_t *p);

/*
 * The names (const char *, in p) of the live certificate of id, as its
 * meta.json has them; of all its parts if it was split. Empty: not known.
 */
apr_array_header_t *acme_vhost_files_names(const acme_cert_split_live_t *live,
                                           const char *id, apr_pool_t *p);

#endif
