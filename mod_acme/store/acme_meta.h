/*
 * acme_meta.h - meta.json beside a certificate: what it was asked for with.
 *
 * For scripts to read, and for us, to see whether the configuration has
 * changed since.
 */
#ifndef ACME_META_H
#define ACME_META_H

#include "acme_chain.h"
#include "acme_chain.h"
#include "acme_json.h"
#include "acme_key.h"
#include "acme_store.h"

typedef struct {
    acme_key_type_e key_type;
    const acme_cert_info_t *leaf;
    const char *url;                    /* where the CA has it, or NULL */
} acme_meta_part_t;

typedef struct {
    const char *id;
    const char *ca;                     /* directory URL of who issued it */
    const char *profile;                /* NULL: the CA's default */
    const char *digest;                 /* of the configuration it was made
                                           for */
    const char *key_types;              /* "p256 rsa2048" */
    apr_array_header_t *parts;          /* acme_meta_part_t, a key type each */
    apr_time_t now;
} acme_meta_t;

/* The text of a new one, in p. */
const char *acme_meta_text(const acme_meta_t *meta, apr_pool_t *p);

/* That of the live certificate; NULL when there is none that can be read. */
const json_t *acme_meta_live(acme_store_t *store, const char *id,
                             apr_pool_t *p);

/* Where the CA has a part of the live certificate; NULL: not known. */
const char *acme_meta_url(acme_store_t *store, const char *id,
                          apr_uint32_t part, apr_pool_t *p);

#endif
