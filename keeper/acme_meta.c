/*
 * acme_meta.c - meta.json beside a certificate: what it was asked for with.
 */
#include "acme_file.h"
#include "acme_meta.h"

#define META_MAX (64 * 1024)    /* octets */

const char *acme_meta_text(const acme_conf_t *conf,
                           const acme_cert_conf_t *cert,
                           const acme_leaf_t *leaf, apr_time_t now,
                           apr_pool_t *p)
{
    const acme_ca_conf_t *ca = acme_conf_ca(conf, cert);
    json_t *names = json_array();
    json_t *meta;
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        json_array_append_new(names, json_string(
            APR_ARRAY_IDX(cert->names, i, const char *)));
    }
    meta = json_pack("{ss so ss ss ss ss ss ss ss ss}",
                     "id", cert->id, "names", names, "ca", ca->url,
                     "digest", cert->digest,
                     "keyType", acme_key_type_name(cert->key_type),
                     "installed", acme_time_rfc3339(now, p),
                     "notBefore", acme_time_rfc3339(leaf->not_before, p),
                     "notAfter", acme_time_rfc3339(leaf->not_after, p),
                     "serial", leaf->serial, "issuer", leaf->issuer);
    return acme_json_text(acme_json_own(meta, p), 2, p);
}

const json_t *acme_meta_live(acme_store_t *store, const acme_cert_conf_t *cert,
                             apr_pool_t *p)
{
    const char *path = acme_store_live(store, cert->id, "meta.json", p);
    const char *text;
    acme_result_t res;
    apr_size_t len;
    json_t *meta;

    if (acme_file_read(&text, &len, path, META_MAX, &res, p)
        || acme_json_parse(&meta, text, len, path, &res, p)) {
        return NULL;
    }
    return meta;
}
