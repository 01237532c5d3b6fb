/*
 * acme_live_check.h - what the CA says of a certificate that is live: when it is
 * to be renewed (9773), whether it was revoked.
 */
#ifndef ACME_LIVE_CHECK_H
#define ACME_LIVE_CHECK_H

#include "acme_renewal.h"

/*
 * Ask the CA, which issued it, and tell the keeper. Its failure is no failure
 * of the certificate.
 */
void acme_live_check_run(const acme_workshop_t *shop, acme_turn_t *turn,
                         apr_pool_t *p);

#endif
