/*
 * acme_batch_file.h - run/batch.json: the batch of validations that the
 * commands of AcmeHook pre were run for, and post has not succeeded yet.
 *
 * 0600, written before the first command. It names no command: those that are
 * run are of the configuration, and here are digests to compare with them.
 */
#ifndef ACME_BATCH_FILE_H
#define ACME_BATCH_FILE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_store.h"

typedef struct {
    apr_time_t opened;
    apr_array_header_t *ids;    /* const char *: certificates that joined it */
    apr_array_header_t *done;   /* const char *: digests of commands of pre that
                                   succeeded, */
    apr_array_header_t *post;   /* and of those of post that will be run */
    apr_array_header_t *begun;  /* const char *: digests of commands of pre,
                                   once for each start whose end is not
                                   known */
    int posts_begun;            /* how often post began, and its end is not
                                   known */
    int is_told;                /* notify was told that one of post failed */
} acme_batch_file_t;

/* An empty one, all of it in p. */
acme_batch_file_t *acme_batch_file_make(apr_pool_t *p);

/*
 * Load it, all of it in p. On failure *pbatch is NULL. ENOENT: there is none.
 * APR_EGENERAL: it was damaged and is set aside, which res names.
 */
apr_status_t acme_batch_file_load(acme_batch_file_t **pbatch,
                                  acme_store_t *store, acme_result_t *res,
                                  apr_pool_t *p);

/* After a failure the old file is unchanged. */
apr_status_t acme_batch_file_save(acme_store_t *store,
                                  const acme_batch_file_t *batch,
                                  acme_result_t *res, apr_pool_t *p);

/* The batch is over. A success also when there is no file. */
apr_status_t acme_batch_file_remove(acme_store_t *store, acme_result_t *res,
                                    apr_pool_t *p);

#endif
