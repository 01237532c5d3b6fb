/*
 * acme_meta.c - meta.json beside a certificate: the configuration that it was
 * ordered with.
 */
#include "acme_file.h"
#include "acme_meta.h"
#include "acme_time.h"
#include "acme_url.h"

#define META_MAX (64 * 1024)    /* octets */

static json_t *parts_json(const acme_meta_t *meta, apr_pool_t *p)
{
    json_t *parts = json_array();
    int i;

    for (i = 0; i < meta->parts->nelts; i++) {
        const acme_meta_part_t *part = &APR_ARRAY_IDX(meta->parts, i,
                                                      acme_meta_part_t);

        json_array_append_new(parts, json_pack(
            "{ss ss ss ss ss ss*}",
            "keyType", acme_key_type_name(part->key_type),
            "notBefore", acme_time_rfc3339(part->leaf->not_before, p),
            "notAfter", acme_time_rfc3339(part->leaf->not_after, p),
            "serial", part->leaf->serial, "issuer", part->leaf->issuer,
            "url", part->url));
    }
    return parts;
}

const char *acme_meta_text(const acme_meta_t *meta, apr_pool_t *p)
{
    const acme_cert_info_t *leaf =
        APR_ARRAY_IDX(meta->parts, 0, acme_meta_part_t).leaf;
    json_t *json;

    json = json_pack("{ss so ss ss* ss ss ss so}",
                     "id", meta->id, "names", acme_json_array(leaf->names),
                     "ca", meta->ca,
                     "profile", meta->profile,
                     "digest", meta->digest,
                     "keyTypes", meta->key_types,
                     "installed", acme_time_rfc3339(meta->now, p),
                     "certificates", parts_json(meta, p));
    return acme_json_text(acme_json_own(json, p), 2, p);
}

const json_t *acme_meta_live(acme_store_t *store, const char *id,
                             apr_pool_t *p)
{
    const char *path = acme_store_live(store, id, "meta.json", p);
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

const char *acme_meta_url(acme_store_t *store, const char *id,
                          apr_uint32_t part, apr_pool_t *p)
{
    const json_t *meta = acme_meta_live(store, id, p);
    const char *url = acme_json_string(
        json_array_get(json_object_get(meta, "certificates"), part), "url",
        ACME_URL_MAX, p);
    acme_result_t res;

    return url && !acme_url_check(url, &res, p) ? url : NULL;
}
