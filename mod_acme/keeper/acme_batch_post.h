/*
 * acme_batch_post.h - the commands of AcmeHook post, until all have succeeded.
 * For acme_batch.c alone.
 */
#ifndef ACME_BATCH_POST_H
#define ACME_BATCH_POST_H

#include "acme_batch_state.h"

/* Remember its digests of post: later it is logged if they are not configured
   any more. */
void acme_batch_post_expect(struct acme_batch_t *batch,
                            const acme_cert_conf_t *cert, apr_pool_t *p);

/* The batch is closing: each command of post of the certificates that joined is
   to be run, once. */
void acme_batch_post_begin(struct acme_batch_t *batch, apr_pool_t *p);

/* Start the next one of a batch that is closing, while none runs. After the
   last one the batch is over, or unclosed: some are repeated. */
void acme_batch_post_next(struct acme_batch_t *batch, apr_time_t now,
                          apr_pool_t *p);

#endif
