/*
 * acme_import_file.h - files in another client's folder.
 *
 * Links are usual there (certbot's live/ has nothing else), and lead to files
 * below the folder, or, if only root can change the links and the folders, to
 * files of root. Paths are walked part by part, from one open folder to the
 * next, so that what was checked is what is read. Nothing is ever written.
 */
#ifndef ACME_IMPORT_FILE_H
#define ACME_IMPORT_FILE_H

#include <apr_tables.h>

#include "acme_json.h"
#include "acme_result.h"

/* What all reads of an import have in common; 64 MB and 200,000 paths are the
   most that is read. */
typedef struct {
    const char *foreign;        /* the first file, folder or link of all that
                                   were passed that others than root, or who
                                   runs this, can change; NULL: none */
    apr_size_t octets;
    int lookups;
} acme_import_file_seen_t;

/* Where files are read. */
typedef struct {
    const char *root;           /* the client's folder, as it is named */
    apr_size_t max;             /* octets of a file; 0: 64 kB */
    int is_conf;                /* httpd's own: it reads what links lead to
                                   anyway, so that root's files will do */
    acme_import_file_seen_t *seen;      /* NULL: neither noted nor bounded */
    apr_pool_t *p;              /* of all results */
} acme_import_file_tree_t;

/*
 * The text of a regular file of at most tree->max, without a NUL in it, that is
 * overwritten with its pool; path is below root, or absolute. On failure
 * *ptext is NULL. ENOENT: there is none. EPERM: a link leads out of the folder,
 * and others than root can change it, the file, or a folder on the way.
 */
apr_status_t acme_import_file_text(const char **ptext,
                                   const acme_import_file_tree_t *tree,
                                   const char *path, acme_result_t *res);

/* The JSON object that such a file is; *pjson is NULL on failure. */
apr_status_t acme_import_file_json(json_t **pjson,
                                   const acme_import_file_tree_t *tree,
                                   const char *path, acme_result_t *res);

/*
 * The names (const char *, sorted) in a folder, without those that begin with
 * '.', at most 20000; none when it cannot be read.
 */
apr_array_header_t *acme_import_file_names(const acme_import_file_tree_t *tree,
                                           const char *path);

/* "path/name", in the tree's pool. */
const char *acme_import_file_join(const acme_import_file_tree_t *tree,
                                  const char *path, const char *name);

/* Is there a folder at path, which is below root? */
int acme_import_file_is_folder(const acme_import_file_tree_t *tree,
                               const char *path);

/* The same, and the last part of path is not a link. */
int acme_import_file_is_real_folder(const acme_import_file_tree_t *tree,
                                    const char *path);

/*
 * The first part of an absolute path, links followed, that others than root, or
 * who runs this, can change; in p. NULL: there is none, as far as the path
 * exists.
 */
const char *acme_import_file_foreign(const char *path, apr_pool_t *p);

/*
 * The value of a setting in a file of shell assignments, "NAME=value", quoted
 * or not, without expansions: of the last line that has it; in p. NULL: it is
 * not set, or empty.
 */
const char *acme_import_file_setting(const char *text, const char *name,
                                     apr_pool_t *p);

#endif
