/*
 * acme_take_over.h - a certificate's id has changed: what is live under the
 * former one becomes its own.
 */
#ifndef ACME_TAKE_OVER_H
#define ACME_TAKE_OVER_H

#include "acme_conf.h"
#include "acme_log.h"
#include "acme_store.h"

/*
 * Where a stand-in has exactly the names of cert, copy its archive and put it
 * live under the id of cert: nothing is ordered, renewal goes on. The other id
 * keeps all that it has. cert is as if httpd had loaded the copy then, which
 * has the same octets.
 *
 * It may be done already, by a keeper that died. A failure is logged, and
 * leaves cert as it was: a certificate of its own is ordered.
 */
void acme_take_over(acme_cert_conf_t *cert, acme_store_t *store,
                    const acme_log_t *log, apr_pool_t *p);

#endif
