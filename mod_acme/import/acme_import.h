/*
 * acme_import.h - take accounts and certificates of another ACME client over
 * into the store, so that nothing is ordered again.
 *
 * Its folder is only read. An account or a certificate that is taken is there
 * completely or not at all, as the keeper writes them, and nothing that the
 * store has is replaced while a keeper may use it.
 */
#ifndef ACME_IMPORT_H
#define ACME_IMPORT_H

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_result.h"

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

typedef struct {
    const char *client;         /* "certbot", ... */
    const char *path;           /* its folder; NULL: where the client has it */
    const char *ca;             /* URL of the CA's directory, where the folder
                                   does not say it; NULL */
    const char *conf;           /* httpd's configuration: a file, or a folder
                                   of them; NULL: it is not read */
    const char *state_dir;
    const char *hooks;          /* folder of mod_acme's own commands */
    int is_dry;                 /* write nothing */
    apr_time_t now;
} acme_import_call_t;

/* "certbot, mod_md, ..." */
#define ACME_IMPORT_CLIENTS "certbot, mod_md, acme.sh, lego or dehydrated"

/*
 * Import. *preport and all in it are in p. Fails, and *preport is NULL, when
 * the client is not known (APR_EINVAL), its folder has nothing (ENOENT), or
 * the store cannot be written. What is wrong with one account or certificate
 * is in its item.
 */
apr_status_t acme_import_run(acme_import_report_t **preport,
                             const acme_import_call_t *call,
                             acme_result_t *res, apr_pool_t *p);

/*
 * The text of a file of directives that httpd can include: those for the
 * server, and for the virtual hosts as comments. In p.
 */
const char *acme_import_conf_text(const acme_import_report_t *report,
                                  const acme_import_call_t *call,
                                  apr_pool_t *p);

#endif
