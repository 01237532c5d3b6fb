/*
 * acme_state.c - how a certificate stands: read from the store.
 */
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_journal.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_state.h"

#define KEY_TYPE_MAX 32         /* octets: the longest name is far shorter */

/*
 * Was it asked for with the CA and the key type of now? One without a
 * meta.json, put there by hand, is not replaced for that.
 */
static int is_as_configured(const acme_conf_t *conf,
                            const acme_cert_conf_t *cert, acme_store_t *store,
                            apr_pool_t *p)
{
    const json_t *meta = acme_meta_live(store, cert, p);
    const char *ca, *key_type;

    if (!meta) {
        return 1;
    }
    ca = acme_json_string(meta, "ca", ACME_URL_MAX, p);
    key_type = acme_json_string(meta, "keyType", KEY_TYPE_MAX, p);
    return (!ca || !strcmp(ca, acme_conf_ca(conf, cert)->url))
        && (!key_type
            || !strcmp(key_type, acme_key_type_name(cert->key_type)));
}

static apr_status_t load_live(acme_state_t *state, const acme_conf_t *conf,
                              const acme_cert_conf_t *cert,
                              acme_store_t *store, acme_result_t *res,
                              apr_pool_t *p)
{
    const char *path = acme_store_live(store, cert->id, "fullchain.pem", p);
    const char *key = acme_store_live(store, cert->id, "privkey.pem", p);
    const acme_leaf_t *leaf;
    acme_chain_t *chain;
    apr_finfo_t info;
    apr_status_t rv;
    int n;

    rv = acme_archive_live(&n, store, cert->id, res, p);
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_pair_check(path, key, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_chain_load(&chain, path, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_stat(&info, path, APR_FINFO_MTIME, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    leaf = acme_chain_leaf(chain);
    state->live = n;
    state->not_before = leaf->not_before;
    state->not_after = leaf->not_after;
    state->installed = info.mtime;
    state->covers = acme_name_all_in(cert->names, leaf->names)
        && is_as_configured(conf, cert, store, p);
    apr_cpystrn(state->serial, leaf->serial, sizeof(state->serial));
    apr_cpystrn(state->issuer, leaf->issuer, sizeof(state->issuer));
    return APR_SUCCESS;
}

static apr_status_t load_journal(acme_state_t *state,
                                 const acme_cert_conf_t *cert,
                                 acme_store_t *store, acme_result_t *res,
                                 apr_pool_t *p)
{
    acme_journal_t *journal;
    apr_status_t rv;

    rv = acme_journal_load(&journal, store, cert->id, res, p);
    state->wanted = journal->wanted;

    /* A failure of another configuration says nothing about this one. */
    if (!strcmp(journal->digest, cert->settings)) {
        state->attempts = journal->attempts;
        state->retry = journal->retry;
        state->next_at = journal->next_at;
        apr_cpystrn(state->problem, journal->problem, sizeof(state->problem));
        apr_cpystrn(state->detail, journal->detail, sizeof(state->detail));
    }
    return rv;
}

apr_status_t acme_state_load(acme_state_t *state, const acme_conf_t *conf,
                             apr_uint32_t index, acme_store_t *store,
                             acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(conf, index);
    acme_result_t journal_res;
    apr_status_t rv, journal_rv;

    memset(state, 0, sizeof(*state));
    state->cert = index;
    state->agreed = cert->agreed;
    state->served = cert->served;
    state->renew = cert->renew;
    state->warn = cert->warn;

    journal_rv = load_journal(state, cert, store, &journal_res, p);
    rv = load_live(state, conf, cert, store, res, p);
    if (rv == APR_SUCCESS && journal_rv != APR_SUCCESS) {
        *res = journal_res;
        rv = journal_rv;
    }
    return rv;
}

apr_time_t acme_state_warn_at(const acme_state_t *state, apr_time_t not_after)
{
    const apr_interval_time_t life = not_after - state->not_before;
    const acme_window_t *warn = &state->warn;

    return not_after - (warn->percent ? life / 100 * warn->percent
                                      : warn->duration);
}

const char *acme_state_word(const acme_state_t *state, apr_time_t now)
{
    if (!state->agreed) {
        return "not-agreed";
    }
    if (state->not_after && state->not_after <= now) {
        return "expired";
    }
    if (state->ordering) {
        return state->live ? "renewing" : "ordering";
    }
    if (state->attempts) {
        return "failed";
    }
    return state->live ? "valid" : "placeholder";
}
