/*
 * acme_meta.h - meta.json beside a certificate: the configuration that it was
 * ordered with.
 *
 * For scripts to read, and for us, to see whether the configuration has
 * changed since.
 */
#ifndef ACME_META_H
#define ACME_META_H

#include "acme_chain.h"
#include "acme_json.h"
#include "acme_key.h"
#include "acme_store.h"

typedef struct {
    acme_key_type_e key_type;
    int is_other_type;                  /* it is none of these: imported */
    const acme_cert_info_t *leaf;
    const char *url;                    /* where the CA has it, or NULL */
} acme_meta_part_t;

typedef struct {
    const char *id;
    const char *ca;                     /* directory URL of the issuing CA */
    const char *profile;                /* NULL: the CA's default */
    const char *digest;                 /* of the configuration; NULL: it was
                                           not ordered here */
    const char *key_types;              /* "p256 rsa2048"; NULL: others */
    int must_staple;
    apr_array_header_t *parts;          /* acme_meta_part_t, a key type each */
    apr_time_t now;                     /* the time of the installation */
} acme_meta_t;

/* The JSON text of meta.json, in p. There is at least one part. */
const char *acme_meta_text(const acme_meta_t *meta, apr_pool_t *p);

/*
 * Read meta.json of the live certificate of id: a JSON object that lives as
 * long as p. NULL: there is none, or it cannot be read.
 */
const json_t *acme_meta_live(acme_store_t *store, const char *id,
                             apr_pool_t *p);

/*
 * The URL, checked and in p, at which the CA has a part (from 0) of the live
 * certificate of id. NULL: not known.
 */
const char *acme_meta_url(acme_store_t *store, const char *id,
                          apr_uint32_t part, apr_pool_t *p);

/*
 * Record in meta.json of archive n of id, and of those that it is a copy of,
 * that the CA revoked it, at the latest at now. Success if that is recorded
 * already. Fails as acme_file_write(); meta.json is as it was then.
 */
apr_status_t acme_meta_set_revoked(const acme_store_t *store, const char *id,
                                   int n, apr_time_t now, acme_result_t *res,
                                   apr_pool_t *p);

/* Is it recorded in this meta.json (NULL: there is none), or in one that it is
   a copy of, that the CA revoked the certificate? */
int acme_meta_has_revoked(const acme_store_t *store, const json_t *meta,
                          apr_pool_t *p);

/* The same of the meta.json in this folder. */
int acme_meta_is_revoked(const acme_store_t *store, const char *folder,
                         apr_pool_t *p);

/* The same, or can that not be read now? */
int acme_meta_may_be_revoked(const acme_store_t *store, const char *folder,
                             apr_pool_t *p);

/*
 * Is it the serial of a certificate in an archive of id that is older than
 * archive n? Of those that are kept, as their meta.json has it.
 */
int acme_meta_is_older(const acme_store_t *store, const char *id, int n,
                       const char *serial, apr_pool_t *p);

/*
 * The text of meta.json in this folder, in p, with this id in it, and what it
 * is a copy of: "id/n", or NULL. NULL: there is none, or it cannot be read,
 * and it is a copy of nothing.
 */
const char *acme_meta_of_copy(const char *folder, const char *id,
                              const char *from, apr_pool_t *p);

#endif
