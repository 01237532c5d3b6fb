/*
 * acme_meta.h - meta.json beside a certificate: what it was asked for with.
 *
 * For scripts to read, and for us, to see whether the configuration has
 * changed since.
 */
#ifndef ACME_META_H
#define ACME_META_H

#include "acme_chain.h"
#include "acme_conf.h"
#include "acme_json.h"
#include "acme_store.h"

/* The text of a new one, in p. */
const char *acme_meta_text(const acme_conf_t *conf,
                           const acme_cert_conf_t *cert,
                           const acme_leaf_t *leaf, apr_time_t now,
                           apr_pool_t *p);

/* That of the live certificate; NULL when there is none that can be read. */
const json_t *acme_meta_live(acme_store_t *store, const acme_cert_conf_t *cert,
                             apr_pool_t *p);

#endif
