/*
 * acme_chain_pick.h - which of the chains that a CA offers for a certificate.
 */
#ifndef ACME_CHAIN_PICK_H
#define ACME_CHAIN_PICK_H

#include "acme_task.h"

/*
 * Fetch the chain at url, or that of its alternates whose topmost issuer
 * AcmePreferredChain names. Where none has it, the first one is used, and a
 * warning is logged. url NULL: the CA named none, a failure. (8555, 7.4.2)
 */
apr_status_t acme_chain_pick_fetch(acme_task_chain_t *chain,
                                   const acme_task_t *task, const char *url,
                                   acme_result_t *res);

#endif
