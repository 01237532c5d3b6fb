/*
 * acme_password_file.h - a file of the administrator's with a password.
 */
#ifndef ACME_PASSWORD_FILE_H
#define ACME_PASSWORD_FILE_H

#include <apr_pools.h>

#include "acme_result.h"

/*
 * The first line of the file at path, in p, which overwrites it. EPERM when
 * users other than its owner and, for reading, its group have rights to it;
 * APR_EINVAL when the line is empty or has control characters; else as
 * acme_file_read().
 */
apr_status_t acme_password_file_read(const char **ppassword, const char *path,
                                     acme_result_t *res, apr_pool_t *p);

#endif
