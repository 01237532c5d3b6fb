/*
 * acme_import_vhosts.h - httpd's configuration, read for what a person has to
 * change in it.
 *
 * It is read as lines: what <If>, Define and Include do is not followed.
 */
#ifndef ACME_IMPORT_VHOSTS_H
#define ACME_IMPORT_VHOSTS_H

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_result.h"

/* A virtual host with TLS, or with a certificate. */
typedef struct {
    const char *place;          /* "file:line" */
    const char *name;           /* ServerName without port, or "" */
    apr_array_header_t *names;  /* const char *: it, and the ServerAliases */
    const char *serial;         /* of its first SSLCertificateFile; NULL: it
                                   has none, or one that cannot be read */
    apr_time_t not_after;       /* the same */
    int has_cert;               /* SSLCertificateFile */
    int is_tls;                 /* SSLEngine on, or port 443 */
    int has_engine;             /* SSLEngine on stands in it */
    const char *include;        /* "line 9: Include ..." of a file of certbot's;
                                   NULL */
    apr_array_header_t *remove; /* const char *: "line 12: SSLCert..." */
} acme_import_vhosts_one_t;

/* A directive of mod_md. */
typedef struct {
    const char *place;          /* "file:line" */
    const char *line;
} acme_import_vhosts_other_t;

/*
 * Read the file at path, or those in the folder at path (with .conf, where any
 * has that): *pvhosts is acme_import_vhosts_one_t in p, and *pothers
 * acme_import_vhosts_other_t. A file that cannot be read is
 * a failure.
 */
apr_status_t acme_import_vhosts_read(apr_array_header_t **pvhosts,
                                     apr_array_header_t **pothers,
                                     const char *path, acme_result_t *res,
                                     apr_pool_t *p);

#endif
