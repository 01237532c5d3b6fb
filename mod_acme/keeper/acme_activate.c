/*
 * acme_activate.c - AcmeActivate live, from the keeper's side.
 *
 * Workers are given what a load would serve: the same archive, of it the same
 * pairs, tried with the ciphers of the virtual hosts.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_activate.h"
#include "acme_activated.h"
#include "acme_archive.h"
#include "acme_cert_reader.h"
#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_public_key.h"
#include "acme_registry_live.h"

/* How long it is not tried again where it did not work. */
#define FAILED_REST apr_time_from_sec(24 * 3600)

#define FILE_MAX 512            /* octets */
#define ID_MAX 128
#define TIME_MAX 32
#define KEY_MAX (16 * 1024)

/* Where visitors got another certificate than workers were given. */
typedef struct {
    apr_time_t at;              /* 0: nowhere, since a day */
    const char *id;             /* of the certificate; NULL: not known */
} failure_t;

struct acme_activate_t {
    acme_registry_t *registry;
    const acme_conf_t *conf;
    acme_live_pairs_t *live;
    apr_time_t failed_at;       /* 0: it did not */
    int failed_cert;            /* with this certificate; -1: not known */
    apr_time_t begun;           /* in this load of httpd, or since */
    apr_pool_t *p;
};

/* What is live of a certificate, to be given to workers. */
typedef struct {
    acme_activate_t *activate;
    const acme_cert_conf_t *cert;
    const acme_state_t *state;
    acme_live_pair_t pairs[ACME_LIVE_PAIRS_KINDS];
    int kinds;
    const apr_array_header_t *names;    /* of the first one */
    acme_result_t res;
    apr_pool_t *p;
} giving_t;

static const acme_log_t *log_of(const acme_activate_t *activate)
{
    return acme_registry_log(activate->registry);
}

static const char *file_path(const acme_store_t *store, apr_pool_t *p)
{
    return acme_store_path(store, "run", "live.json", p);
}

static int is_recent(apr_time_t failed_at, apr_time_t now)
{
    return failed_at && failed_at <= now && now - failed_at < FAILED_REST;
}

/* {"failed": "...", "id": "..."}: the next keeper has to know. */
static failure_t load_failure(acme_store_t *store, apr_time_t now,
                              apr_pool_t *p)
{
    failure_t failure = { 0, NULL };
    acme_result_t res;
    json_t *json;

    if (!acme_json_file_load(&json, store, file_path(store, p), FILE_MAX, &res,
                             p)) {
        failure.at = acme_time_parse(acme_json_string(json, "failed", TIME_MAX,
                                                      p));
        failure.id = acme_json_string(json, "id", ID_MAX, p);
    }
    return is_recent(failure.at, now) ? failure : (failure_t) { 0, NULL };
}

static void save_failure(const acme_activate_t *activate, const char *id,
                         apr_pool_t *p)
{
    const char *at = acme_time_rfc3339(activate->failed_at, p);
    acme_result_t res;

    if (acme_json_file_save(file_path(acme_registry_store(activate->registry),
                                      p),
                            json_pack("{s:s, s:s}", "failed", at, "id", id),
                            0600, &res, p)) {
        acme_log(log_of(activate), ACME_LOG_WARNING, "activation", "%s",
                 res.detail);
    }
}

/* What is half written is left for acme_activate_cert(), which replaces it, so
   that workers do not go back to what they loaded. */
void acme_activate_recall(const acme_conf_t *conf,
                          const acme_live_pairs_t *live, acme_store_t *store,
                          apr_time_t now, apr_pool_t *p)
{
    acme_live_pairs_read_t read;
    apr_pool_t *scratch;
    int i;

    if (!live) {
        return;
    }
    apr_pool_create(&scratch, p);
    if (!load_failure(store, now, scratch).at) {
        for (i = 0; i < conf->certs->nelts; i++) {
            apr_pool_clear(scratch);
            if (!acme_live_pairs_read(&read, live, i, scratch)) {
                acme_activated_note(conf, live, (apr_uint32_t)i);
            }
        }
    }
    apr_pool_destroy(scratch);
}

acme_activate_t *acme_activate_create(acme_registry_t *registry,
                                      acme_live_pairs_t *live, apr_time_t now,
                                      apr_pool_t *p)
{
    acme_activate_t *activate = apr_pcalloc(p, sizeof(*activate));
    failure_t failure;
    apr_pool_t *scratch;
    int i;

    activate->registry = registry;
    activate->conf = acme_registry_conf(registry);
    activate->live = live;
    activate->failed_cert = -1;
    activate->begun = now;
    activate->p = p;
    if (activate->conf->activate != ACME_ACTIVATE_LIVE) {
        return activate;
    }
    apr_pool_create(&scratch, p);
    failure = load_failure(acme_registry_store(registry), now, scratch);
    activate->failed_at = failure.at;
    for (i = 0; failure.id && i < activate->conf->certs->nelts; i++) {
        if (!strcmp(acme_conf_cert(activate->conf, (apr_uint32_t)i)->id,
                    failure.id)) {
            activate->failed_cert = i;
            acme_registry_live_not_activated(registry, (apr_uint32_t)i,
                                             ACME_NOT_LIVE_FAILED);
        }
    }
    apr_pool_destroy(scratch);
    return activate;
}

/* Did the reload not help either? Then it was another server's fault. */
static int is_acquitted(const acme_activate_t *activate)
{
    const acme_state_t *state;

    if (activate->failed_cert < 0) {
        return 0;
    }
    state = acme_registry_state(activate->registry,
                                (apr_uint32_t)activate->failed_cert);
    return state->check == ACME_CHECK_OTHER && state->check_reloaded
        && state->live == state->served && !state->activated
        && state->checked > activate->begun;
}

static int has_failed(const acme_activate_t *activate, apr_time_t now)
{
    return is_recent(activate->failed_at, now) && !is_acquitted(activate);
}

/* Is this one served in the place of another that is missing? */
static int stands_in(const giving_t *giving)
{
    const apr_array_header_t *certs = giving->activate->conf->certs;
    int i;

    for (i = 0; i < certs->nelts; i++) {
        const char *id =
            APR_ARRAY_IDX(certs, i, acme_cert_conf_t).stand_in.id;

        if (id && !strcmp(id, giving->cert->id)) {
            return 1;
        }
    }
    return 0;
}

/* As it was ordered, or will be: one that was installed by hand has no note. */
static int has_must_staple(const giving_t *giving)
{
    const json_t *meta =
        acme_meta_live(acme_registry_store(giving->activate->registry),
                       giving->cert->id, giving->p);

    return giving->cert->must_staple
        || json_is_true(json_object_get(meta, "mustStaple"));
}

/* What is known without the certificate itself. */
static acme_not_live_e find_obstacle(const giving_t *giving, apr_time_t now)
{
    return !giving->activate->live              ? ACME_NOT_LIVE_SYSTEM
           : has_failed(giving->activate, now) ? ACME_NOT_LIVE_FAILED
           : has_must_staple(giving)           ? ACME_NOT_LIVE_STAPLE
           : stands_in(giving)                 ? ACME_NOT_LIVE_STANDS_IN
                                               : ACME_NOT_LIVE_NONE;
}

static apr_status_t read_text(const char **ptext, const char *path,
                              apr_size_t max, int is_secret, giving_t *giving)
{
    apr_status_t rv;
    apr_size_t len;

    rv = is_secret
        ? acme_file_read_secret(ptext, &len, path, max, &giving->res,
                                giving->p)
        : acme_file_read(ptext, &len, path, max, &giving->res, giving->p);
    if (rv == APR_SUCCESS && strlen(*ptext) != len) {
        rv = acme_fail(&giving->res, APR_EINVAL, "%s: not a PEM text", path);
    }
    return rv;
}

/* The key of the certificate, and one that mod_ssl would load. */
static apr_status_t check_pair(giving_t *giving, const acme_live_pair_t *pair,
                               const char *path)
{
    const acme_octets_t pem = { (const unsigned char *)pair->chain,
                                strlen(pair->chain) };
    const acme_cert_facts_t *facts;
    acme_cert_reading_t *reading;
    acme_key_t *key;
    apr_status_t rv;

    rv = acme_cert_reader_read(&reading, pem, giving->cert->ciphers,
                               &giving->res, giving->p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_parse(&key, pair->key, path, &giving->res, giving->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    facts = &reading->facts;
    if (facts->parsed.status != APR_SUCCESS
        || facts->loads.status != APR_SUCCESS) {
        giving->res = facts->parsed.status ? facts->parsed : facts->loads;
        acme_result_prefix(&giving->res, path);
        return giving->res.status;
    }
    if (!acme_public_key_is_same(facts->key,
                                 acme_public_key_of(key, giving->p))) {
        return acme_fail(&giving->res, APR_EINVAL,
                         "%s: not the key of its certificate", path);
    }
    if (!giving->kinds) {
        giving->names = facts->leaf.names;
    }
    return APR_SUCCESS;
}

static apr_status_t add_pair(giving_t *giving, const char *folder,
                             apr_uint32_t part)
{
    const char *suffix = acme_conf_suffix(giving->cert, part);
    const char *chain = apr_pstrcat(giving->p, folder, "/fullchain", suffix,
                                    ".pem", NULL);
    const char *key = apr_pstrcat(giving->p, folder, "/privkey", suffix,
                                  ".pem", NULL);
    acme_live_pair_t *pair = &giving->pairs[giving->kinds];
    apr_status_t rv;

    rv = read_text(&pair->chain, chain, ACME_CHAIN_SIZE_MAX, 0, giving);
    if (rv == APR_SUCCESS) {
        rv = read_text(&pair->key, key, KEY_MAX, 1, giving);
    }
    if (rv == APR_SUCCESS) {
        rv = check_pair(giving, pair, chain);
    }
    giving->kinds += rv == APR_SUCCESS;
    return rv;
}

/* As httpd/acme_activation finds them: the first must be good; after one of the
   others that is not, there are no more. */
static apr_status_t add_pairs(giving_t *giving)
{
    const char *folder =
        acme_archive_path(acme_registry_store(giving->activate->registry),
                          giving->cert->id, giving->state->live, giving->p);
    apr_uint32_t part;
    apr_status_t rv = add_pair(giving, folder, 0);

    for (part = 1; rv == APR_SUCCESS && part < acme_conf_parts(giving->cert);
         part++) {
        if (acme_conf_is_first_of_kind(giving->cert, part)
            && add_pair(giving, folder, part)) {
            break;
        }
    }
    return rv;
}

static acme_not_live_e publish(giving_t *giving)
{
    acme_activate_t *activate = giving->activate;
    apr_status_t rv = add_pairs(giving);

    /* A load would go on to serve the other one. */
    if (rv == APR_SUCCESS && giving->cert->stand_in.id
        && !acme_name_all_covered(giving->cert->names, giving->names)) {
        return ACME_NOT_LIVE_LACKS;
    }
    if (rv == APR_SUCCESS) {
        rv = acme_live_pairs_publish(activate->live, (int)giving->state->cert,
                                     giving->state->live, giving->pairs,
                                     giving->kinds, &giving->res);
    }
    return rv == APR_SUCCESS ? ACME_NOT_LIVE_NONE : ACME_NOT_LIVE_REFUSED;
}

/* Of the system httpd has said it; of a failure acme_activate_failed(). */
static void log_obstacle(const giving_t *giving, acme_not_live_e why)
{
    const int is_refused = why == ACME_NOT_LIVE_REFUSED;

    if (why != ACME_NOT_LIVE_SYSTEM && why != ACME_NOT_LIVE_FAILED) {
        acme_log(log_of(giving->activate),
                 is_refused ? ACME_LOG_WARNING : ACME_LOG_NOTICE,
                 giving->cert->id,
                 "served after a reload, not by running workers before: %s",
                 is_refused ? giving->res.detail
                            : acme_state_not_live_text(why));
    }
}

int acme_activate_cert(acme_activate_t *activate, apr_uint32_t cert,
                       apr_time_t now)
{
    giving_t giving = { .activate = activate,
                        .cert = acme_conf_cert(activate->conf, cert),
                        .state = acme_registry_state(activate->registry,
                                                     cert) };
    acme_not_live_e why;

    if (activate->conf->activate != ACME_ACTIVATE_LIVE) {
        return 0;
    }
    apr_pool_create(&giving.p, activate->p);
    why = find_obstacle(&giving, now);
    if (why == ACME_NOT_LIVE_NONE) {
        why = publish(&giving);
    }
    if (why == ACME_NOT_LIVE_NONE) {
        acme_activated_note(activate->conf, activate->live, cert);
        acme_registry_live_activated(activate->registry, cert, now, giving.p);
    }
    else {
        log_obstacle(&giving, why);
        acme_registry_live_not_activated(activate->registry, cert, why);
    }
    apr_pool_destroy(giving.p);
    return why == ACME_NOT_LIVE_NONE;
}

void acme_activate_failed(acme_activate_t *activate, apr_uint32_t cert,
                          apr_time_t now)
{
    const char *id = acme_conf_cert(activate->conf, cert)->id;
    apr_pool_t *p;

    if (has_failed(activate, now)) {
        return;
    }
    apr_pool_create(&p, activate->p);
    activate->failed_at = now;
    activate->failed_cert = (int)cert;
    save_failure(activate, id, p);
    acme_registry_live_not_activated(activate->registry, cert,
                                     ACME_NOT_LIVE_FAILED);
    acme_log(
        log_of(activate), ACME_LOG_WARNING, id,
        "AcmeActivate live does not work here: visitors get another certificate than the one that running workers were given; until %s new certificates are served after a reload",
        acme_time_text(now + FAILED_REST, p));
    apr_pool_destroy(p);
}

void acme_activate_mend(acme_activate_t *activate)
{
    acme_live_pairs_read_t read;
    apr_pool_t *p;
    int i;

    apr_pool_create(&p, activate->p);
    for (i = 0; activate->live && i < activate->conf->certs->nelts; i++) {
        const apr_status_t rv =
            acme_live_pairs_read(&read, activate->live, i, p);

        if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
            acme_live_pairs_withdraw(activate->live, i);
        }
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
}
