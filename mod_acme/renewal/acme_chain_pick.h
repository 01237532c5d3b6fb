/*
 * acme_chain_pick.h - which of the chains that a CA offers for a certificate.
 */
#ifndef ACME_CHAIN_PICK_H
#define ACME_CHAIN_PICK_H

#include "acme_task.h"

/*
 * Fetch the chain at *purl, or that of its alternates whose topmost issuer
 * AcmePreferredChain names; *purl becomes that one's. Where none has it, the
 * first one is taken, and that is told. (8555, 7.4.2)
 */
apr_status_t acme_chain_pick_fetch(const char **ppem, apr_size_t *plen,
                                   const char **purl, acme_task_t *work);

#endif
