/*
 * acme_sync.h - files and folders that are made to last together.
 *
 * What is written without a sync (acme_file.h) is added here, and one call
 * makes all of it last, so that what comes at the same time waits once. Where
 * that is cheap, it is one syncfs(2).
 */
#ifndef ACME_SYNC_H
#define ACME_SYNC_H

#include "acme_store.h"

/* Lives as long as its pool, and is used again and again. */
typedef struct acme_sync_t acme_sync_t;

acme_sync_t *acme_sync_create(const acme_store_t *store, apr_pool_t *p);

/* Called before each sync, of which each may take long. */
typedef void acme_sync_step_cb(void *baton);

void acme_sync_on_step(acme_sync_t *sync, acme_sync_step_cb *step,
                       void *baton);

/* Call it where something else may take as long. */
void acme_sync_step(const acme_sync_t *sync);

/* Before the first write that is to be added: a write that fails from here on
   fails acme_sync_run(). */
void acme_sync_begin(acme_sync_t *sync);

/* What is added from here on is a certificate's, by its id, which is copied;
   NULL, and after acme_sync_run(): nobody's. */
void acme_sync_owner(acme_sync_t *sync, const char *owner);

/* Add a file or folder that was written; path is copied. */
void acme_sync_add(acme_sync_t *sync, const char *path);

/* acme_store_dir() whose sync is that of acme_sync_run(): the folder above is
   added. scratch is p. */
apr_status_t acme_sync_dir(acme_sync_t *sync, acme_store_t *store,
                           const char *path, mode_t mode, acme_result_t *res,
                           apr_pool_t *p);

/* Is there anything to be made to last? */
int acme_sync_is_due(const acme_sync_t *sync);

/*
 * Make all that was added last; what was removed meanwhile needs no sync. After
 * a failure, which res names the first of, the rest was synced all the same.
 */
apr_status_t acme_sync_run(acme_sync_t *sync, acme_result_t *res);

/*
 * How the last run ended for an owner: a failure of another's path is none of
 * its. Known until something is added. res is left as it is after a success.
 */
apr_status_t acme_sync_ended(const acme_sync_t *sync, const char *owner,
                             acme_result_t *res);

#endif
