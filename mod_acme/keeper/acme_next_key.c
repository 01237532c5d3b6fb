/*
 * acme_next_key.c - the keys of the next certificates, made ahead.
 *
 * A next key stays in next/ while an order with it is under way, and after a
 * failed one. What ends it is that it is the key of the live certificate, by
 * whatever way it got there, also by one that a crash cut short. Its file goes
 * then: the key may be revoked before another one is made.
 */
#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_deploy.h"
#include "acme_digest.h"
#include "acme_key_maker.h"
#include "acme_next_key.h"
#include "acme_next_key_file.h"
#include "acme_public_key.h"
#include "acme_registry_revoked.h"

/* In a turn of the keeper's loop, which has others to serve. */
#define TURN (apr_time_from_sec(1) / 50)

/* A key is being made: those that lack one are looked at again. */
#define LOOK_AGAIN apr_time_from_sec(1)

struct acme_next_key_queue_t {
    acme_registry_t *registry;
    apr_uint32_t cert;          /* the next one to look at */
    int is_first_look;          /* at all, not only at those that lack one */
};

/* A part of a certificate, and where its next key lies. */
typedef struct {
    acme_registry_t *registry;
    acme_store_t *store;
    const acme_log_t *log;
    const acme_cert_conf_t *cert;
    const acme_state_t *state;
    acme_key_type_e type;
    apr_time_t now;
    apr_pool_t *p;
} part_t;

static part_t make_part(acme_registry_t *registry, apr_uint32_t cert,
                        apr_uint32_t number, apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf =
        acme_conf_cert(acme_registry_conf(registry), cert);
    const part_t part = { .registry = registry,
                          .store = acme_registry_store(registry),
                          .log = acme_registry_log(registry),
                          .cert = conf,
                          .state = acme_registry_state(registry, cert),
                          .type = acme_conf_key_type(conf, number),
                          .now = now,
                          .p = p };

    return part;
}

/* Is it a key of the live certificate, of whatever part? */
static int is_live(const part_t *part, acme_key_t *key)
{
    const acme_octets_t mine = acme_public_key_of(key, part->p);
    acme_octets_t other;
    acme_result_t res;
    int i;

    for (i = 0; i < ACME_ARCHIVE_SUFFIXES; i++) {
        const char *file = apr_pstrcat(part->p, "privkey",
                                       acme_archive_suffixes[i], ".pem", NULL);

        if (!acme_public_key_of_file(&other,
                                     acme_store_live(part->store,
                                                     part->cert->id, file,
                                                     part->p),
                                     &res, part->p)
            && acme_public_key_is_same(mine, other)) {
            return 1;
        }
    }
    return 0;
}

/* A clock that was wrong when it was made would keep it from being used. */
static void mend_time(const part_t *part, acme_key_t *key, apr_time_t *pmade)
{
    acme_result_t res;

    if (*pmade <= part->now + apr_time_from_sec(1)) {
        return;
    }
    acme_log(part->log, ACME_LOG_WARNING, part->cert->id,
             "the next key (%s) is dated %s, in the future; check this machine's clock. It counts as made now",
             acme_key_type_name(part->type), acme_time_text(*pmade, part->p));
    *pmade = part->now;
    if (acme_next_key_file_save(part->store, part->cert->id, part->type, key,
                                &res, part->p)) {
        acme_log(part->log, ACME_LOG_WARNING, part->cert->id, "%s",
                 res.detail);
    }
}

/* One that is live, or was revoked since, is no next key again. */
static int is_used(const part_t *part, acme_key_t *key)
{
    const char *pem;
    acme_result_t res;

    if (!is_live(part, key)
        && (acme_key_pem(&pem, key, &res, part->p)
            || !acme_registry_revoked_has_key(part->registry,
                                              part->state->cert, pem,
                                              part->p))) {
        return 0;
    }
    if (acme_next_key_file_remove(part->store, part->cert->id, part->type,
                                  &res, part->p)) {
        acme_log(part->log, ACME_LOG_WARNING, part->cert->id, "%s",
                 res.detail);
    }
    return 1;
}

/* ENOENT: there is none, or it was damaged, or was used already. Else it is not
   known which one it is. */
static apr_status_t load_next(acme_key_t **pkey, apr_time_t *pmade,
                              const part_t *part)
{
    acme_result_t res;
    apr_status_t rv;

    rv = acme_next_key_file_load(pkey, pmade, part->store, part->cert->id,
                                 part->type, &res, part->p);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        acme_log(part->log, ACME_LOG_WARNING, part->cert->id,
                 "the next key cannot be used: %s", res.detail);
    }
    if (rv == APR_EGENERAL) {
        return APR_ENOENT;
    }
    if (rv == APR_SUCCESS && is_used(part, *pkey)) {
        *pkey = NULL;
        return APR_ENOENT;
    }
    if (rv == APR_SUCCESS) {
        mend_time(part, *pkey, pmade);
    }
    return rv;
}

/* Then nothing is ordered with the key. */
static int is_for_revocation(const part_t *part)
{
    return part->state->wanted == ACME_WANT_REVOCATION
        || part->state->wanted == ACME_WANT_DELETION;
}

acme_key_t *acme_next_key_choose(acme_registry_t *registry,
                                 const acme_target_t *about, acme_key_t *live,
                                 apr_time_t now, apr_pool_t *p)
{
    const part_t part = make_part(registry, about->cert, about->part, now, p);
    const char *type = acme_key_type_name(part.type);
    apr_time_t made, from;
    acme_key_t *next;

    if (is_for_revocation(&part)) {
        return live;
    }
    if (load_next(&next, &made, &part) != APR_SUCCESS) {
        if (live) {
            acme_log(part.log, ACME_LOG_WARNING, part.cert->id,
                     "there is no next key (%s), so the renewal keeps the current key",
                     type);
        }
        return live;
    }
    from = made + part.cert->next_key_age;
    if (from <= now && live
        && !acme_deploy_is_done_since(registry, about->cert, made, p)) {
        acme_log(part.log, ACME_LOG_WARNING, part.cert->id,
                 "the renewal keeps the current key, because commands of AcmeHook deploy, which may publish the record of the next key (%s), have not all succeeded since it was made",
                 type);
        return live;
    }
    if (from <= now) {
        return next;
    }
    if (live) {
        acme_log(part.log, ACME_LOG_NOTICE, part.cert->id,
                 "the renewal keeps the current key: the next key (%s) is used from %s on",
                 type, acme_time_text(from, p));
        return live;
    }
    if (part.state->live) {
        acme_log(part.log, ACME_LOG_WARNING, part.cert->id,
                 "the next key (%s) is used before %s, because the current key cannot be kept: clients with DANE may fail until they see its TLSA record",
                 type, acme_time_text(from, p));
    }
    return next;
}

void acme_next_key_missed(acme_registry_t *registry,
                          const acme_target_t *about, apr_pool_t *p)
{
    const part_t part = make_part(registry, about->cert, about->part, 0, p);

    if (part.state->live && !is_for_revocation(&part)) {
        acme_log(part.log, ACME_LOG_WARNING, part.cert->id,
                 "there is no next key (%s), and the current key cannot be kept: a new one is used at once, and clients with DANE may fail until they see its TLSA record",
                 acme_key_type_name(part.type));
    }
}

int acme_next_key_may_finish(acme_registry_t *registry,
                             const acme_target_t *about, acme_key_t *live,
                             const acme_pending_t *pending, apr_pool_t *p)
{
    const part_t part = make_part(registry, about->cert, about->part,
                                  apr_time_now(), p);
    acme_octets_t octets;
    acme_key_t *key, *next;
    acme_result_t res;
    apr_time_t made;

    if (acme_key_parse(&key, pending->key_pem, part.cert->id, &res, p)) {
        return 0;
    }
    octets = acme_public_key_of(key, p);
    if (live && acme_public_key_is_same(octets, acme_public_key_of(live, p))) {
        return 1;
    }
    if (!load_next(&next, &made, &part)) {
        return acme_public_key_is_same(octets, acme_public_key_of(next, p));
    }
    return !live;
}

/* APR_EAGAIN: it is being made. */
static apr_status_t make_next(const part_t *part)
{
    const char *type = acme_key_type_name(part->type);
    acme_octets_t octets;
    const char *failed;
    acme_result_t res;
    acme_key_t *key;
    apr_status_t rv;

    rv = acme_key_maker_take(&key, &failed, part->type, part->now, &res,
                             part->p);
    acme_key_maker_log(part->log, part->cert->id, failed);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        return rv;
    }
    if (rv == APR_SUCCESS) {
        rv = acme_next_key_file_save(part->store, part->cert->id, part->type,
                                     key, &res, part->p);
    }
    if (rv != APR_SUCCESS) {
        acme_log(part->log, ACME_LOG_ERROR, part->cert->id,
                 "the next key (%s) cannot be made: %s", type, res.detail);
        return rv;
    }
    if (res.detail[0]) {
        acme_log(part->log, ACME_LOG_WARNING, part->cert->id, "%s",
                 res.detail);
    }
    octets = acme_public_key_of(key, part->p);
    acme_log(part->log, ACME_LOG_NOTICE, part->cert->id,
             "the next key (%s) is made: TLSA 3 1 1 %s; it is used from %s on",
             type,
             acme_digest_hex(octets.data, octets.len, ACME_DIGEST_OCTETS,
                             part->p),
             acme_time_text(part->now + part->cert->next_key_age, part->p));
    return APR_SUCCESS;
}

static void prune(const part_t *part, const apr_array_header_t *types)
{
    acme_result_t res;

    if (acme_next_key_file_prune(part->store, part->cert->id, types, &res,
                                 part->p)) {
        acme_log(part->log, ACME_LOG_WARNING, part->cert->id, "%s",
                 res.detail);
    }
}

apr_status_t acme_next_key_update(acme_registry_t *registry,
                                  apr_uint32_t cert, apr_time_t now,
                                  apr_pool_t *p)
{
    part_t part = make_part(registry, cert, 0, now, p);
    const acme_cert_conf_t *conf = part.cert;
    apr_status_t result = APR_SUCCESS;
    apr_time_t made, youngest = 0;
    apr_uint32_t i;

    if (conf->key_reuse != ACME_KEY_REUSE_NEXT) {
        prune(&part, NULL);
        acme_registry_next_keys(registry, cert, 0);
        return APR_SUCCESS;
    }
    if (!part.state->live) {
        return APR_SUCCESS;     /* the first one's key is of no use before */
    }
    prune(&part, conf->key_types);
    for (i = 0; i < acme_conf_parts(conf); i++) {
        acme_key_t *key;
        apr_status_t rv;

        part.type = acme_conf_key_type(conf, i);
        rv = load_next(&key, &made, &part);
        if (APR_STATUS_IS_ENOENT(rv)) {
            rv = make_next(&part);
            made = now;
        }
        if (rv == APR_SUCCESS) {
            youngest = made > youngest ? made : youngest;
        }
        else if (!APR_STATUS_IS_EAGAIN(result)) {
            result = rv;
        }
    }
    acme_registry_next_keys(registry, cert, result ? 0 : youngest);
    return result;
}

acme_next_key_queue_t *acme_next_key_queue_create(acme_registry_t *registry,
                                                  apr_pool_t *p)
{
    acme_next_key_queue_t *keys = apr_pcalloc(p, sizeof(*keys));

    keys->registry = registry;
    keys->is_first_look = 1;
    return keys;
}

void acme_next_key_queue_look(acme_next_key_queue_t *keys)
{
    if (!keys->is_first_look) {
        keys->cert = 0;
    }
}

/* What needs no look at the store. */
static int has_all(const acme_next_key_queue_t *keys, apr_uint32_t cert)
{
    const acme_cert_conf_t *conf =
        acme_conf_cert(acme_registry_conf(keys->registry), cert);
    const acme_state_t *state = acme_registry_state(keys->registry, cert);

    return !keys->is_first_look
        && (conf->key_reuse != ACME_KEY_REUSE_NEXT || !state->live
            || state->next_key_made);
}

apr_time_t acme_next_key_queue_step(acme_next_key_queue_t *keys,
                                    apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t n =
        (apr_uint32_t)acme_registry_conf(keys->registry)->certs->nelts;
    const apr_time_t begin = apr_time_now();

    for (; keys->cert < n; keys->cert++) {
        const apr_time_t then = apr_time_now();

        if (then < begin || then > begin + TURN) {
            return now;
        }
        if (!has_all(keys, keys->cert)
            && APR_STATUS_IS_EAGAIN(acme_next_key_update(keys->registry,
                                                         keys->cert, now, p))) {
            return now + LOOK_AGAIN;
        }
    }
    keys->is_first_look = 0;
    return 0;
}
