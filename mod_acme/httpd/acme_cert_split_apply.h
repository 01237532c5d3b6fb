/*
 * acme_cert_split_apply.h - certificates with more names than a CA accepts
 * become several.
 */
#ifndef ACME_CERT_SPLIT_APPLY_H
#define ACME_CERT_SPLIT_APPLY_H

#include <apr_hash.h>

#include "acme_conf.h"

/*
 * conf has one certificate an id; those with more names than a CA accepts
 * become several, next to each other. vhosts: for each of them an
 * apr_array_header_t * of acme_vhost_t. by_id: its keys are all ids. Fills the
 * places of the certificates and acme_server_found_t.certs of the virtual
 * hosts. Reads the store, and touches nothing.
 */
void acme_cert_split_apply(acme_conf_t *conf,
                           const apr_array_header_t *vhosts,
                           apr_hash_t *by_id, apr_pool_t *p);

#endif
