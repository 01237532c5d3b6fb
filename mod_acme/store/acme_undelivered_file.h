/*
 * acme_undelivered_file.h - undelivered/<id>.json: events of a certificate that
 * a command of AcmeHook notify could not deliver.
 *
 * 0600. One of each kind, the newest: the bound is that of the kinds.
 * Texts that are saved are printable ASCII (acme_text_clean()).
 */
#ifndef ACME_UNDELIVERED_FILE_H
#define ACME_UNDELIVERED_FILE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_store.h"

typedef struct {
    const char *event;          /* "failed", ... */
    apr_time_t since;           /* it happened */
    apr_time_t next_at;         /* it is tried again */
    apr_uint32_t failures;      /* in a row */
    apr_uint32_t interrupted;   /* runs in a row whose end nobody heard */
    apr_array_header_t *commands;       /* const char *: digests of those that
                                           have not delivered it */
    int live;                   /* there was a live certificate, */
    apr_time_t not_after;       /* which expires */
    const char *problem;
    const char *detail;
    const char *failure;        /* the last one, a sentence */
} acme_undelivered_t;

/*
 * Load those of id: acme_undelivered_t, all in p. *pevents is never NULL; it
 * is empty after a failure, and when there is no file, which is a success.
 * APR_EGENERAL: it was damaged and is set aside, which res names.
 */
apr_status_t acme_undelivered_file_load(apr_array_header_t **pevents,
                                        acme_store_t *store, const char *id,
                                        acme_result_t *res, apr_pool_t *p);

/* Without events the file is removed. After a failure the old one is
   unchanged. */
apr_status_t acme_undelivered_file_save(acme_store_t *store, const char *id,
                                        const apr_array_header_t *events,
                                        acme_result_t *res, apr_pool_t *p);

#endif
