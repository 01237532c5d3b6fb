/*
 * acme_cert_split_apply.c - certificates with more names than a CA accepts
 * become several.
 *
 * acme_cert_split decides which name goes where, from what acme_cert_split_live
 * found in the store. Here the configuration is filled with the result, and
 * the administrator is warned.
 */
#include <stdint.h>
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>

#include "acme_cert_split.h"
#include "acme_cert_split_apply.h"
#include "acme_cert_split_live.h"
#include "acme_cert_callback.h"
#include "acme_known_ca.h"
#include "acme_scratch.h"
#include "acme_store.h"
#include "acme_vhost.h"

APLOG_USE_MODULE(acme);

#define say acme_vhost_say

#define SUFFIX_MAX 5            /* of a part's id: "-9999" */

typedef struct {
    const acme_conf_t *conf;            /* one certificate an id */
    apr_hash_t *by_id;                  /* their ids: index + 1 */
    apr_array_header_t *certs;          /* acme_cert_conf_t: what becomes of
                                           them */
    acme_cert_split_live_t *live;
    apr_pool_t *p;
    apr_pool_t *scratch;                /* of one id */
} apply_t;

static const acme_vhost_t *vhost_of(const apr_array_header_t *vhosts, int i)
{
    return &APR_ARRAY_IDX(vhosts, i, acme_vhost_t);
}

static acme_cert_conf_t *cert_of(const apply_t *apply, int i)
{
    return &APR_ARRAY_IDX(apply->certs, i, acme_cert_conf_t);
}

static const char *name_at(const apr_array_header_t *names, int i)
{
    return APR_ARRAY_IDX(names, i, const char *);
}

static int number_of(apr_hash_t *hash, const char *key)
{
    return (int)(intptr_t)apr_hash_get(hash, key, APR_HASH_KEY_STRING);
}

/* An id that would be a part's, and has a certificate of its own. */
static void warn_taken(const apply_t *apply,
                       const acme_cert_conf_t *whole,
                       const acme_vhost_t *vhost, int last)
{
    const acme_cert_conf_t *other;
    int i, number;

    for (i = 2; i < last; i++) {
        number = number_of(apply->by_id,
                           acme_cert_split_id(whole->id, i, apply->scratch));
        if (!number) {
            continue;
        }
        other = acme_conf_cert(apply->conf, (apr_uint32_t)number - 1);
        say(vhost, APLOG_ERR,
            "%s: %s has more names than one certificate may hold; the id %s is not used for a part of it, because another certificate (%s) has this id. Set a different AcmeCertificate for one of them",
            vhost->facts->place, whole->id, other->id,
            name_at(other->places, 0));
    }
}

/* No more is read than must be: there may be thousands of certificates. */
static const apr_array_header_t *live_of(const apply_t *apply,
                                         const acme_cert_conf_t *whole,
                                         int limit)
{
    if (whole->names->nelts <= limit
        && acme_cert_split_live_last(apply->live, whole->id) == 1) {
        return apr_array_make(apply->scratch, 0,
                              sizeof(const apr_array_header_t *));
    }
    return acme_cert_split_live_names(apply->live, whole->id,
                                      apply->scratch);
}

/* The CA will refuse them, but not those of other certificates. */
static int limit_of(const acme_cert_conf_t *whole, const acme_vhost_t *vhost)
{
    const int limit = acme_known_ca_names(whole->profile);

    if (whole->names->nelts <= limit
        || strlen(whole->id) <= ACME_ID_MAX - SUFFIX_MAX) {
        return limit;
    }
    say(vhost, APLOG_ERR,
        "%s: has more names than one certificate may hold, but the id %s is too long to append a number to; set a shorter AcmeCertificate",
        vhost->facts->place, whole->id);
    return whole->names->nelts;
}

/* acme_cert_split_part_t: one, unless it has or had too many names. */
static const apr_array_header_t *split(const apply_t *apply,
                                       const acme_cert_conf_t *whole,
                                       const apr_array_header_t *vhosts)
{
    apr_array_header_t *names = apr_array_make(
        apply->scratch, vhosts->nelts, sizeof(const apr_array_header_t *));
    const int limit = limit_of(whole, vhost_of(vhosts, 0));
    const acme_cert_split_part_t *last;
    apr_array_header_t *parts;
    acme_cert_split_t ask;
    int i;

    for (i = 0; i < vhosts->nelts; i++) {
        APR_ARRAY_PUSH(names, const apr_array_header_t *) =
            vhost_of(vhosts, i)->names;
    }
    ask = (acme_cert_split_t) {
        .id = whole->id,
        .limit = limit,
        .vhosts = names,
        .live = live_of(apply, whole, limit),
        .taken = apply->by_id
    };
    parts = acme_cert_split(&ask, apply->scratch);
    if (whole->names->nelts > limit) {
        last = &APR_ARRAY_IDX(parts, parts->nelts - 1, acme_cert_split_part_t);
        warn_taken(apply, whole, vhost_of(vhosts, 0), last->number);
    }
    return parts;
}

static void add_part(apply_t *apply, const acme_cert_conf_t *whole,
                     const acme_cert_split_part_t *part, apr_hash_t *by_name)
{
    acme_cert_conf_t *cert = apr_array_push(apply->certs);
    const intptr_t number = apply->certs->nelts;
    int i;

    *cert = *whole;
    cert->id = apr_pstrdup(apply->p, part->id);
    cert->names = apr_array_make(apply->p, part->names->nelts,
                                 sizeof(const char *));
    cert->places = apr_array_make(apply->p, 1, sizeof(const char *));
    for (i = 0; i < part->names->nelts; i++) {
        const char *name = apr_pstrdup(apply->p, name_at(part->names, i));

        APR_ARRAY_PUSH(cert->names, const char *) = name;
        apr_hash_set(by_name, name, APR_HASH_KEY_STRING, (void *)number);
    }
}

static int has(const apr_array_header_t *indexes, int index)
{
    int i;

    for (i = 0; i < indexes->nelts; i++) {
        if (APR_ARRAY_IDX(indexes, i, int) == index) {
            return 1;
        }
    }
    return 0;
}

/*
 * by_name has no name of another id: the virtual host of that one has it. One
 * that has no name in the certificate, and its files, gets the first part.
 */
static void give(const apply_t *apply, const acme_vhost_t *vhost,
                 apr_hash_t *by_name, int first)
{
    apr_array_header_t *certs = apr_array_make(apply->p, 1, sizeof(int));
    const char *place = apr_pstrdup(apply->p, vhost->facts->place);
    int i;

    for (i = 0; i < vhost->wanted->nelts; i++) {
        const int index = number_of(by_name, name_at(vhost->wanted, i)) - 1;

        if (index >= 0 && !has(certs, index)) {
            APR_ARRAY_PUSH(certs, int) = index;
            APR_ARRAY_PUSH(cert_of(apply, index)->places, const char *) = place;
        }
    }
    if (!certs->nelts) {
        APR_ARRAY_PUSH(certs, int) = first;
        APR_ARRAY_PUSH(cert_of(apply, first)->places, const char *) = place;
    }
    acme_server_conf_found(vhost->s)->certs = certs;
}

static void warn_several(const acme_vhost_t *vhost,
                         const acme_cert_conf_t *whole)
{
    const int n = acme_server_conf_found(vhost->s)->certs->nelts;

    if (n < 2) {
        return;
    }
    say(vhost, APLOG_INFO,
        "%s: its names are divided among %d certificates of %s", vhost->facts->place, n, whole->id);
    if (acme_cert_callback_obstacle()) {
        say(vhost, APLOG_ERR,
            "%s: its names are divided among %d certificates, but only the first can be served: %s, or distribute the names over several virtual hosts",
            vhost->facts->place, n, acme_cert_callback_obstacle());
    }
    if (whole->must_staple) {
        say(vhost, APLOG_WARNING,
            "%s: its names are divided among %d certificates, but mod_ssl staples only the first, so browsers may refuse the others: set AcmeMustStaple off, or distribute the names over several virtual hosts",
            vhost->facts->place, n);
    }
}

static void divide(apply_t *apply, const acme_cert_conf_t *whole,
                   const apr_array_header_t *vhosts)
{
    const apr_array_header_t *parts = split(apply, whole, vhosts);
    apr_hash_t *by_name = apr_hash_make(apply->scratch);
    const int first = apply->certs->nelts;
    int i;

    for (i = 0; i < parts->nelts; i++) {
        add_part(apply, whole,
                 &APR_ARRAY_IDX(parts, i, acme_cert_split_part_t), by_name);
    }
    for (i = 0; i < vhosts->nelts; i++) {
        give(apply, vhost_of(vhosts, i), by_name, first);
        warn_several(vhost_of(vhosts, i), whole);
    }
}

void acme_cert_split_apply(acme_conf_t *conf,
                           const apr_array_header_t *vhosts,
                           apr_hash_t *by_id, apr_pool_t *p)
{
    apply_t apply = {
        .conf = conf,
        .by_id = by_id,
        .certs = apr_array_make(p, conf->certs->nelts,
                                sizeof(acme_cert_conf_t)),
        .p = p
    };
    apr_pool_t *live_pool = acme_scratch_create(p);
    int i;

    apply.live = acme_cert_split_live_scan(
        acme_store_at(conf->state_dir, live_pool), live_pool);
    apply.scratch = acme_scratch_create(p);
    for (i = 0; i < conf->certs->nelts; i++) {
        divide(&apply, acme_conf_cert(conf, (apr_uint32_t)i),
               APR_ARRAY_IDX(vhosts, i, apr_array_header_t *));
        apr_pool_clear(apply.scratch);
    }
    apr_pool_destroy(apply.scratch);
    apr_pool_destroy(live_pool);
    conf->certs = apply.certs;
}
