/*
 * acme_import_report.h - what import says of accounts, certificates and
 * settings.
 */
#ifndef ACME_IMPORT_REPORT_H
#define ACME_IMPORT_REPORT_H

#include <apr_tables.h>
#include <apr_time.h>

/* What became of an account or a certificate. */
typedef enum {
    ACME_IMPORT_TAKEN,          /* with a dry run: it would be */
    ACME_IMPORT_THERE,          /* the store has it already */
    ACME_IMPORT_SKIPPED         /* text says why */
} acme_import_result_e;

/* Texts are the client's; those of lines have no control characters. */
typedef struct {
    acme_import_result_e result;
    int is_account;
    const char *name;           /* URL of the CA; id of the certificate, or the
                                   client's name for it */
    const char *place;          /* where it was found */
    const char *text;           /* why it is skipped; else what to know, "" */
    const char *account;        /* its URL; NULL: not known, or a certificate */
    const char *ca;             /* URL of the CA; NULL: not known */
    const char *key_types;      /* of a certificate, "p256"; NULL: other */
    const char *serial;
    apr_time_t not_after;       /* 0: an account, or not known */
    apr_array_header_t *names;  /* const char *; NULL: an account, not known */
    apr_array_header_t *lines;  /* const char *: directives for it alone */
    apr_array_header_t *notes;  /* const char *: what no directive says */
} acme_import_item_t;

/* A virtual host that is to be changed. */
typedef struct {
    const char *place;          /* "file:line" of its <VirtualHost> */
    const char *name;           /* its ServerName, or "" */
    const char *id;             /* of its certificate */
    apr_array_header_t *remove; /* const char *: "line 12: SSLCertificate..." */
    apr_array_header_t *add;    /* const char *: directives */
} acme_import_vhost_t;

typedef struct {
    apr_array_header_t *items;  /* acme_import_item_t */
    apr_array_header_t *lines;  /* const char *: directives for the server */
    apr_array_header_t *notes;  /* const char * */
    apr_array_header_t *vhosts; /* acme_import_vhost_t */
    int is_beside;              /* a keeper uses the store: httpd runs */
    int skipped;                /* how many */
    int taken;
} acme_import_report_t;

#endif
