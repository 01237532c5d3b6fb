/*
 * acme_export_content.h - what a copy of a certificate has: the files that
 * another program gets, made of an archive's.
 *
 * No certificate is parsed: a process that has keys and rights may use this.
 */
#ifndef ACME_EXPORT_CONTENT_H
#define ACME_EXPORT_CONTENT_H

#include "acme_export_format.h"
#include "acme_outside.h"

/* Which certificate, and in which format. */
typedef struct {
    const char *id;             /* the friendly name in PKCS#12 */
    const char *folder;         /* of the archive; not live/<id>, which may
                                   change between two files */
    const char *suffix;         /* of the key type: "", "-rsa", ... */
    acme_export_e format;
    const char *password_file;  /* with PKCS12 */
} acme_export_source_t;

/*
 * Make the files (acme_outside_file_t), in p: that one, or with is_set those of
 * a folder. Keys and the password are overwritten when p ends. Fails as
 * acme_file_read() and acme_password_file_read() do; APR_EINVAL: a file of the
 * archive is damaged.
 */
apr_status_t acme_export_content_make(apr_array_header_t **pfiles,
                                      const acme_export_source_t *source,
                                      int is_set, acme_result_t *res,
                                      apr_pool_t *p);

/* const char *, in p: all names that files of a folder may have, of whatever
   format. */
apr_array_header_t *acme_export_content_names(apr_pool_t *p);

#endif
