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

#include <apr_time.h>

#include "acme_import_report.h"
#include "acme_result.h"

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
