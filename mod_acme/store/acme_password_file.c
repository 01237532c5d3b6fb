/*
 * acme_password_file.c - a file of the administrator's with a password.
 */
#include <string.h>
#include <sys/stat.h>

#include <apr_lib.h>

#include "acme_file.h"
#include "acme_password_file.h"

#define FILE_MAX 4096           /* octets */
#define OTHERS 0137             /* all but 0640 */

apr_status_t acme_password_file_read(const char **ppassword, const char *path,
                                     acme_result_t *res, apr_pool_t *p)
{
    const char *text, *c;
    struct stat st;
    apr_size_t len;
    apr_status_t rv;
    char *end;

    *ppassword = NULL;

    rv = acme_file_read_secret(&text, &len, path, FILE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (stat(path, &st) || (st.st_mode & OTHERS)) {
        return acme_fail(
            res, EPERM,
            "%s: other users can read it (mode %04o); set its mode to 0600 or 0640",
            path, (unsigned)st.st_mode & 07777);
    }
    end = (char *)text + strcspn(text, "\r\n");
    *end = '\0';
    for (c = text; *c && !apr_iscntrl(*c); c++) {
        continue;
    }
    if (*c || c == text) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: its first line is not a password: it is empty or has control characters",
            path);
    }
    *ppassword = text;
    return APR_SUCCESS;
}
