/*
 * acme_key_maker.h - keys that take long, made by another process.
 *
 * An RSA key takes seconds, in which the keeper would serve nobody. The
 * launcher forks a process that makes one after the other; it has no right and
 * no file (docs/design.md, Confinement). An EC key takes microseconds, and is
 * made here.
 */
#ifndef ACME_KEY_MAKER_H
#define ACME_KEY_MAKER_H

#include <apr_time.h>

#include "acme_key.h"
#include "acme_log.h"

/*
 * A new key of this type, which belongs to p. APR_EAGAIN: it is being made, or
 * will be when another one is ready; call again after acme_key_maker_step().
 *
 * When the process fails (it ended, or made none for two minutes), the key is
 * made here, and *pfailed says why the other did not; else it is NULL. On
 * failure *pkey is NULL.
 */
apr_status_t acme_key_maker_take(acme_key_t **pkey, const char **pfailed,
                                 acme_key_type_e type, apr_time_t now,
                                 acme_result_t *res, apr_pool_t *p);

/* Log what pfailed says of a key for a certificate; nothing if it is NULL. */
void acme_key_maker_log(const acme_log_t *log, const char *id,
                        const char *failed);

/* What to poll for input: a key is coming. -1: none is. */
int acme_key_maker_fd(void);

/* Receive what came. True: ask again for keys, one is ready or failed. */
int acme_key_maker_step(apr_time_t now);

/* A process of an earlier launcher is not asked any more, and what it made is
   overwritten. */
void acme_key_maker_forget(void);

#endif
