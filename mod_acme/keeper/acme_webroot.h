/*
 * acme_webroot.h - tokens of http-01 as files below a folder that another
 * server serves: ROOT/.well-known/acme-challenge/TOKEN. (8555, 8.3)
 *
 * Who can write in ROOT, such as the user of a web server, must not make us
 * write elsewhere: below ROOT no symbolic link is followed, and no file is
 * replaced. It is done in a fork of the launcher, which has the rights for it.
 */
#ifndef ACME_WEBROOT_H
#define ACME_WEBROOT_H

#include <apr_pools.h>

#include "acme_result.h"

/* A longer token is not a file's name. */
#define ACME_WEBROOT_TOKEN_MAX 200

/* Folders below root: .well-known and acme-challenge in it. */
#define ACME_WEBROOT_FOLDERS 2

/*
 * Write value as the file of the token, which base64url makes its name. Missing
 * folders are made, *pmade says how many, also after a failure. Mode 0755 and
 * 0644, but for the umask. A file of the same content is left as it is; EEXIST:
 * there is one of another content. ENOTDIR, ELOOP: a symbolic link, or
 * something else, is in the place of a folder.
 */
apr_status_t acme_webroot_present(int *pmade, const char *root,
                                  const char *token, const char *value,
                                  acme_result_t *res);

/*
 * Remove that file if it has this content; and of the folders, from the last
 * one on, as many as folders says if they are empty. A success if there is
 * nothing to remove. EEXIST: there is another content. ENOENT: there is no root,
 * which may have to be mounted.
 */
apr_status_t acme_webroot_cleanup(const char *root, const char *token,
                                  const char *value, int folders,
                                  acme_result_t *res);

#endif
