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

typedef struct {
    const acme_leaf_t *leaf;
    const char *url;                    /* where the CA has it, or NULL */
} acme_meta_part_t;

typedef struct {
    apr_array_header_t *parts;          /* acme_meta_part_t, a key type each */
    apr_uint32_t ca;                    /* position of the CA that issued it */
    apr_time_t now;
} acme_meta_t;

/* The text of a new one, in p. */
const char *acme_meta_text(const acme_conf_t *conf,
                           const acme_cert_conf_t *cert,
                           const acme_meta_t *meta, apr_pool_t *p);

/* That of the live certificate; NULL when there is none that can be read. */
const json_t *acme_meta_live(acme_store_t *store, const acme_cert_conf_t *cert,
                             apr_pool_t *p);

/* Where the CA has a part of the live certificate; NULL: not known. */
const char *acme_meta_url(acme_store_t *store, const acme_cert_conf_t *cert,
                          apr_uint32_t part, apr_pool_t *p);

#endif
