/*
 * acme_batch_pre.h - the commands of AcmeHook pre. For acme_batch.c alone.
 */
#ifndef ACME_BATCH_PRE_H
#define ACME_BATCH_PRE_H

#include "acme_batch_state.h"

/* A command of pre of this certificate that failed; NULL: none has. */
const acme_batch_ended_t *acme_batch_pre_find_failed(
    const struct acme_batch_t *batch, const acme_cert_conf_t *cert,
    apr_pool_t *p);

/*
 * Start the next command of pre, one at a time of the batch, which is in the
 * file before. 0: all of the certificate have ended.
 */
int acme_batch_pre_run(struct acme_batch_t *batch,
                       const acme_cert_conf_t *cert, acme_result_t *res,
                       apr_pool_t *p);

#endif
