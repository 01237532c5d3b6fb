/*
 * acme_meta.c - meta.json beside a certificate: the configuration that it was
 * ordered with.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_meta.h"
#include "acme_time.h"
#include "acme_url.h"

#define META_MAX      (64 * 1024)   /* octets */
#define META_TEXT_MAX 1024      /* of a profile's name, and an issuer's */

static json_t *parts_json(const acme_meta_t *meta, apr_pool_t *p)
{
    json_t *parts = json_array();
    int i;

    for (i = 0; i < meta->parts->nelts; i++) {
        const acme_meta_part_t *part = &APR_ARRAY_IDX(meta->parts, i,
                                                      acme_meta_part_t);

        json_array_append_new(parts, json_pack(
            "{ss* ss ss ss so ss* ss*}",
            "keyType", part->is_other_type
                ? NULL : acme_key_type_name(part->key_type),
            "notBefore", acme_time_rfc3339(part->leaf->not_before, p),
            "notAfter", acme_time_rfc3339(part->leaf->not_after, p),
            "serial", part->leaf->serial,
            "issuer", acme_json_from_text(part->leaf->issuer, META_TEXT_MAX, p),
            "certId", part->leaf->cert_id, "url", part->url));
    }
    return parts;
}

const char *acme_meta_text(const acme_meta_t *meta, apr_pool_t *p)
{
    const acme_cert_info_t *leaf =
        APR_ARRAY_IDX(meta->parts, 0, acme_meta_part_t).leaf;
    json_t *json;

    json = json_pack("{ss so ss so* sb ss* ss* ss so}",
                     "id", meta->id, "names", acme_json_array(leaf->names),
                     "ca", meta->ca,
                     "profile", meta->profile
                         ? acme_json_from_text(meta->profile, META_TEXT_MAX, p)
                         : NULL,
                     "mustStaple", meta->must_staple,
                     "digest", meta->digest,
                     "keyTypes", meta->key_types,
                     "installed", acme_time_rfc3339(meta->now, p),
                     "certificates", parts_json(meta, p));
    return acme_json_text(acme_json_own(json, p), 2, p);
}

/* NULL: there is none, or it cannot be read. */
static json_t *read_meta(const char *path, apr_pool_t *p)
{
    acme_result_t res;
    json_t *meta;

    acme_json_file_look(&meta, path, META_MAX, &res, p);
    return meta;
}

const json_t *acme_meta_live(acme_store_t *store, const char *id,
                             apr_pool_t *p)
{
    return read_meta(acme_store_live(store, id, "meta.json", p), p);
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

#define ORIGINS_MAX 8           /* copies of copies */
#define OLDER_MAX 64            /* archives that are kept */

static const char *archive_path(const acme_store_t *store, const char *id,
                                int n, apr_pool_t *p)
{
    return acme_store_path(store, "archive",
                           apr_psprintf(p, "%s/%d/meta.json", id, n), p);
}

/* The path of the meta.json of what was copied, or NULL: it is no copy. */
static const char *origin_path(const acme_store_t *store, const json_t *meta,
                               apr_pool_t *p)
{
    const char *from = acme_json_string(meta, "from", ACME_ID_MAX + 16, p);
    const char *slash = from ? strrchr(from, '/') : NULL;
    const char *id = slash
        ? acme_store_id(apr_pstrmemdup(p, from, (apr_size_t)(slash - from)), p)
        : NULL;

    return id && atoi(slash + 1) > 0
        ? archive_path(store, id, atoi(slash + 1), p) : NULL;
}

apr_status_t acme_meta_set_revoked(const acme_store_t *store, const char *id,
                                   int n, apr_time_t now, acme_result_t *res,
                                   apr_pool_t *p)
{
    const char *path = archive_path(store, id, n, p);
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; path && i < ORIGINS_MAX && rv == APR_SUCCESS; i++) {
        json_t *meta = read_meta(path, p);
        const char *text;

        if (i > 0 && !meta) {
            break;              /* it is not there any more */
        }
        if (!meta) {
            meta = acme_json_own(json_object(), p); /* installed by hand */
        }
        if (!json_object_get(meta, "revoked")) {
            json_object_set_new(meta, "revoked",
                                json_string(acme_time_rfc3339(now, p)));
            text = acme_json_text(meta, 2, p);
            rv = acme_file_write(path, text, strlen(text), 0644, res, p);
        }
        path = origin_path(store, meta, p);
    }
    return rv;
}

/* rv is what the reading of meta returned; on return it is that of what was
   read last. */
static int has_revoked(const acme_store_t *store, const json_t *meta,
                       apr_status_t *rv, apr_pool_t *p)
{
    acme_result_t ignored;
    json_t *origin;
    int i;

    for (i = 0; meta && i < ORIGINS_MAX; i++) {
        const char *path;

        if (json_object_get(meta, "revoked")) {
            return 1;
        }
        path = origin_path(store, meta, p);
        origin = NULL;
        if (path) {
            *rv = acme_json_file_look(&origin, path, META_MAX, &ignored, p);
        }
        meta = origin;
    }
    return 0;
}

int acme_meta_has_revoked(const acme_store_t *store, const json_t *meta,
                          apr_pool_t *p)
{
    apr_status_t ignored = APR_SUCCESS;

    return has_revoked(store, meta, &ignored, p);
}

int acme_meta_is_revoked(const acme_store_t *store, const char *folder,
                         apr_pool_t *p)
{
    return acme_meta_has_revoked(
        store, read_meta(apr_pstrcat(p, folder, "/meta.json", NULL), p), p);
}

int acme_meta_may_be_revoked(const acme_store_t *store, const char *folder,
                             apr_pool_t *p)
{
    acme_result_t ignored;
    json_t *meta;
    apr_status_t rv = acme_json_file_look(
        &meta, apr_pstrcat(p, folder, "/meta.json", NULL), META_MAX, &ignored,
        p);

    return has_revoked(store, meta, &rv, p)
        || (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv));
}

static int has_serial(const json_t *meta, const char *serial)
{
    const json_t *part;
    size_t i;

    json_array_foreach(json_object_get(meta, "certificates"), i, part) {
        const char *text = json_string_value(json_object_get(part, "serial"));

        if (text && !strcmp(text, serial)) {
            return 1;
        }
    }
    return 0;
}

int acme_meta_is_older(const acme_store_t *store, const char *id, int n,
                       const char *serial, apr_pool_t *p)
{
    int tries;

    for (tries = 0; --n > 0 && tries < OLDER_MAX; tries++) {
        if (has_serial(read_meta(archive_path(store, id, n, p), p), serial)) {
            return 1;
        }
    }
    return 0;
}

const char *acme_meta_of_copy(const char *folder, const char *id,
                              const char *from, apr_pool_t *p)
{
    json_t *meta = read_meta(apr_pstrcat(p, folder, "/meta.json", NULL), p);

    if (!json_is_object(meta)) {
        if (!from) {
            return NULL;
        }
        meta = acme_json_own(json_object(), p);
    }
    json_object_set_new(meta, "id", json_string(id));
    if (from) {
        json_object_set_new(meta, "from", json_string(from));
    }
    return acme_json_text(meta, 2, p);
}
