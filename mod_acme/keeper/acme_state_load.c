/*
 * acme_state_load.c - the state of a certificate, read from the store.
 */
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_cert_reader.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_pem.h"
#include "acme_public_key.h"
#include "acme_history.h"
#include "acme_name_quarantine.h"
#include "acme_rehearsal.h"
#include "acme_self_check.h"
#include "acme_state_load.h"
#include "acme_trials.h"
#include "acme_url.h"

#define DAY apr_time_from_sec(24 * 3600)
#define TIME_MAX 32             /* octets of RFC 3339 */
#define PROFILE_MAX 256         /* octets */
#define KEY_TYPES_MAX 64        /* octets: all of them are shorter */

/* A state that is being read, and from where. */
typedef struct {
    acme_state_t *state;
    const acme_conf_t *conf;
    const acme_cert_conf_t *cert;
    acme_store_t *store;
    const apr_array_header_t *names; /* const char *: ordered now */
    const acme_cert_info_t *leaf; /* of the archive that was tried last; NULL:
                                     it cannot be read, */
    acme_result_t unreadable;     /*   and why */
    int is_unread;              /* the process that parses has failed */
    apr_pool_t *p;
} load_t;

/* Position of the CA with this directory in the certificate's list. */
static apr_uint32_t position_of(const char *url, const acme_conf_t *conf,
                                const acme_cert_conf_t *cert)
{
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)cert->cas->nelts; i++) {
        if (!strcmp(acme_conf_ca(conf, cert, i)->url, url)) {
            return i;
        }
    }
    return ACME_NO_CA;
}

/*
 * Was it ordered with the configured profile and must-staple? The profile is
 * noted even if the CA did not offer it, so nothing is ordered again and again.
 */
static int has_extras(const load_t *load, const json_t *meta)
{
    const char *profile = acme_json_string(meta, "profile", PROFILE_MAX,
                                           load->p);
    const json_t *staple = json_object_get(meta, "mustStaple");

    return !strcmp(profile ? profile : "",
                   load->cert->profile ? load->cert->profile : "")
        && (!staple || json_is_true(staple) == !!load->cert->must_staple);
}

/*
 * Is the live certificate from a configured CA, with the configured key
 * types, profile and must-staple? One without a meta.json, or with one that
 * does not say its CA, was installed by hand and counts as such.
 */
static int is_as_configured(const load_t *load, const json_t *meta)
{
    acme_state_t *state = load->state;
    const char *ca, *key_types;

    state->issued_by = ACME_NO_CA;
    if (!meta) {
        return 1;
    }
    ca = acme_json_string(meta, "ca", ACME_URL_MAX, load->p);
    key_types = acme_json_string(meta, "keyTypes", KEY_TYPES_MAX, load->p);
    if (ca) {
        state->issued_by = position_of(ca, load->conf, load->cert);
    }
    return (!ca || state->issued_by != ACME_NO_CA)
           && (!key_types
               || !strcmp(key_types,
                          acme_conf_key_types(load->cert, load->p)))
           && (!ca || has_extras(load, meta));
}

/* What was read elsewhere of a certificate, and is it that of the key? */
static apr_status_t judge_reading(load_t *load,
                                  const acme_cert_facts_t *facts,
                                  const char *path, const char *key_path,
                                  acme_result_t *res)
{
    acme_octets_t key;
    apr_status_t rv = APR_SUCCESS;

    if (facts->parsed.status == APR_SUCCESS) {
        load->leaf = &facts->leaf;
    }
    else {
        load->unreadable = facts->parsed;
        acme_result_prefix(&load->unreadable, path);
    }
    if (facts->key.data) {
        rv = acme_public_key_of_file(&key, key_path, res, load->p);
        if (rv == APR_SUCCESS && key.data
            && !acme_public_key_is_same(key, facts->key)) {
            rv = acme_fail_never(res, APR_EINVAL,
                                 "%s: not the key of the certificate in %s",
                                 key_path, path);
        }
    }
    if (rv == APR_SUCCESS && facts->loads.status != APR_SUCCESS) {
        *res = facts->loads;
        acme_result_prefix(res, path);
        rv = res->status;
    }
    return rv;
}

/*
 * The pair of a key type, as acme_pair_check() tries it. What httpd's parent
 * found before the fork need not be found again. Else its certificate is read
 * elsewhere; the key is compared here. When nothing could be read there,
 * nothing is known of the certificate, and the state says so.
 */
static apr_status_t try_pair(load_t *load, int n, apr_uint32_t part,
                             acme_result_t *res)
{
    const acme_cert_conf_t *cert = load->cert;
    const acme_trials_pair_t pair = { .id = cert->id, .n = n,
                                      .suffix = acme_conf_suffix(cert, part),
                                      .ciphers = cert->ciphers };
    apr_pool_t *p = load->p;
    const char *folder, *path;
    acme_cert_reading_t *reading;
    acme_octets_t pem;
    apr_status_t rv;

    load->leaf = acme_trials_known(load->store, &pair, p);
    if (load->leaf) {
        return APR_SUCCESS;
    }
    folder = acme_archive_path(load->store, cert->id, n, p);
    path = apr_pstrcat(p, folder, "/fullchain", pair.suffix, ".pem", NULL);
    rv = acme_pem_load(&pem, path, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_cert_reader_read(&reading, pem, cert->ciphers, res, p);
    if (rv != APR_SUCCESS) {
        load->is_unread = 1;
        acme_result_prefix(res, path);
        return rv;
    }
    return judge_reading(load, &reading->facts, path,
                         apr_pstrcat(p, folder, "/privkey", pair.suffix,
                                     ".pem", NULL), res);
}

/* While nothing can be read, no other archive is better than the live one. */
static apr_status_t try_archive(apr_time_t *pnot_after,
                                const acme_archive_want_t *want,
                                const char *folder, acme_result_t *res,
                                apr_pool_t *p)
{
    load_t *load = want->baton;
    apr_status_t rv;

    (void)p;
    *pnot_after = 0;
    if (load->is_unread) {
        return APR_EGENERAL;
    }
    rv = try_pair(load, acme_archive_number_of(folder), 0, res);
    if (rv == APR_SUCCESS && load->leaf) {
        *pnot_after = load->leaf->not_after;
    }
    return rv;
}

/*
 * What meta.json has of the live certificate: it was written down when that was
 * installed. NULL: there is none.
 */
static const acme_cert_info_t *read_noted(const load_t *load,
                                          const json_t *meta)
{
    const json_t *cert = json_array_get(json_object_get(meta, "certificates"),
                                        0);
    acme_cert_info_t *leaf = apr_pcalloc(load->p, sizeof(*leaf));

    leaf->names = acme_json_strings(meta, "names", ACME_NAME_MAX, load->p);
    leaf->serial = acme_json_string(cert, "serial", ACME_SERIAL_SIZE - 1,
                                    load->p);
    leaf->issuer = acme_json_string(cert, "issuer", ACME_DETAIL_SIZE,
                                    load->p);
    leaf->cert_id = acme_json_string(cert, "certId", ACME_CERT_ID_MAX,
                                     load->p);
    leaf->not_before = acme_time_parse(acme_json_string(cert, "notBefore",
                                                        TIME_MAX, load->p));
    leaf->not_after = acme_time_parse(acme_json_string(cert, "notAfter",
                                                       TIME_MAX, load->p));
    return leaf->names && leaf->serial && leaf->issuer && leaf->not_after
           ? leaf : NULL;
}

static void set_part(acme_state_t *state, apr_uint32_t part,
                     const acme_cert_info_t *leaf)
{
    if (part < ACME_STATE_PARTS) {
        state->parts[part].not_before = leaf->not_before;
        state->parts[part].not_after = leaf->not_after;
        apr_cpystrn(state->parts[part].issuer, leaf->issuer,
                    sizeof(state->parts[part].issuer));
    }
}

/* The other parts can only shorten the validity of the first one. */
static void add_parts(load_t *load, int n)
{
    acme_state_t *state = load->state;
    acme_result_t res;
    apr_uint32_t i;

    for (i = 1; i < acme_conf_parts(load->cert) && !load->is_unread; i++) {
        const acme_cert_info_t *leaf;

        if (try_pair(load, n, i, &res) || !load->leaf) {
            state->covers &= load->is_unread;
            return;
        }
        leaf = load->leaf;
        set_part(state, i, leaf);
        state->covers &= acme_name_all_in(load->names, leaf->names);
        if (leaf->not_after < state->not_after) {
            state->not_after = leaf->not_after;
        }
    }
}

/* Archive n is the one that serves; its leaf as it was read, or as it was noted
   when nothing could be read. */
static void set_live(load_t *load, int n, int live,
                     const acme_cert_info_t *leaf, const json_t *meta)
{
    acme_state_t *state = load->state;

    state->live = n;
    state->not_before = leaf->not_before;
    state->not_after = leaf->not_after;
    set_part(state, 0, leaf);
    /* Where an older one has to do, a new one is ordered at once. */
    state->covers = is_as_configured(load, meta)
                    && acme_name_all_in(load->names, leaf->names)
                    && n == live;
    state->same_names = acme_name_all_in(load->names, leaf->names)
                        && acme_name_all_in(leaf->names, load->names);
    apr_cpystrn(state->serial, leaf->serial, sizeof(state->serial));
    apr_cpystrn(state->issuer, leaf->issuer, sizeof(state->issuer));
    if (leaf->cert_id) {
        apr_cpystrn(state->cert_id, leaf->cert_id, sizeof(state->cert_id));
    }
    /* An older one that has to do is none that was revoked. */
    state->revoked = n == live && acme_meta_has_revoked(load->store, meta,
                                                        load->p);
}

static apr_status_t load_live(load_t *load, acme_result_t *res)
{
    acme_state_t *state = load->state;
    const char *id = load->cert->id;
    const acme_archive_want_t want = { .id = id,
                                       .ciphers = load->cert->ciphers,
                                       .now = apr_time_now(),
                                       .try = try_archive,
                                       .baton = load };
    const acme_cert_info_t *leaf;
    const char *fullchain;
    const json_t *meta;
    apr_finfo_t info;
    apr_status_t rv;
    int live, n;

    rv = acme_archive_find_good(&n, &live, load->store, &want, res, load->p);
    if (APR_STATUS_IS_ENOENT(rv) && !live) {
        return APR_SUCCESS;
    }
    meta = acme_meta_live(load->store, id, load->p);
    if (load->is_unread) {
        leaf = read_noted(load, meta);
    }
    else if (rv != APR_SUCCESS) {
        return rv;
    }
    else {
        leaf = load->leaf;
        if (!leaf) {
            *res = load->unreadable;
            return res->status;
        }
    }
    fullchain = apr_pstrcat(load->p, acme_archive_path(load->store, id, n,
                                                       load->p),
                            "/fullchain.pem", NULL);
    if (!leaf || apr_stat(&info, fullchain, APR_FINFO_MTIME, load->p)) {
        return rv ? rv : acme_fail(res, APR_EGENERAL, "%s: cannot be read",
                                   fullchain);
    }
    set_live(load, n, live, leaf, meta);
    state->installed = info.mtime;
    add_parts(load, n);
    return rv;
}

/* A window for another certificate than the live one is ignored. */
static void load_window(acme_state_t *state,
                        const acme_journal_window_t *window)
{
    if (!state->cert_id[0] || strcmp(window->cert_id, state->cert_id) != 0) {
        return;
    }
    state->window_start = window->start;
    state->window_end = window->end;
    state->pick = window->pick;
    state->ask_at = window->ask_at;
    state->ask_failures = window->failures;
    state->revoked |= window->revoked;
    apr_cpystrn(state->explanation, window->explanation,
                sizeof(state->explanation));
}

void acme_state_load_to_journal(acme_journal_t *journal,
                                const acme_state_t *state)
{
    acme_journal_window_t *window = &journal->window;

    journal->attempts = state->attempts;
    journal->next_at = state->next_at;
    journal->retry = state->retry;
    journal->why = state->why;
    journal->problem = state->problem;
    journal->detail = state->detail;
    journal->wanted = (int)state->wanted;
    journal->wanted_ca = (int)state->wanted_ca;
    journal->reason = state->reason;
    journal->deleted = state->deleted;
    journal->rehearsal = (acme_journal_rehearsal_t) {
        .result = acme_rehearsal_word(state->rehearsal),
        .when = state->rehearsed,
        .why = state->rehearsal_why,
        .detail = state->rehearsal_detail
    };

    if (!state->cert_id[0]) {
        return;                 /* it could not be read; the window stays */
    }
    window->cert_id = state->cert_id;
    window->start = state->window_start;
    window->end = state->window_end;
    window->pick = state->pick;
    window->ask_at = state->ask_at;
    window->failures = state->ask_failures;
    window->revoked = state->revoked;
    window->explanation = state->explanation;
}

static apr_uint32_t count_recent(const acme_journal_t *journal,
                                 apr_time_t now)
{
    apr_uint32_t n = 0;
    int i;

    for (i = 0; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        n += !strcmp(event->event, "installed") && event->when > now - DAY;
    }
    return n;
}

void acme_state_load_journal(acme_state_t *state,
                             const acme_journal_t *journal,
                             const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_time_t now)
{
    state->recent = count_recent(journal, now);
    acme_name_quarantine_left_out(state, cert, journal);
    acme_history_read(state, journal, conf, cert, now);
}

/* The newest that ended, as long as its event is kept. */
static void load_dry_run(acme_state_t *state, const acme_journal_t *journal,
                         apr_time_t now)
{
    int i;

    for (i = 0; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);
        const int has_failed =
            !strcmp(event->event, ACME_STATE_LOAD_DRY_RUN_FAILED);

        if (has_failed
            || !strcmp(event->event, ACME_STATE_LOAD_DRY_RUN_PASSED)) {
            state->dry_run = has_failed ? ACME_DRY_RUN_FAILED
                                        : ACME_DRY_RUN_PASSED;
            state->dry_run_why = has_failed ? acme_reason_parse(event->kind)
                                            : ACME_REASON_NONE;
            state->dry_run_at = event->when;
            apr_cpystrn(state->dry_run_detail, event->detail,
                        sizeof(state->dry_run_detail));
        }
    }
    if (state->wanted == ACME_WANT_DRY_RUN) {
        state->dry_run = ACME_DRY_RUN_UNDER_WAY;
        state->dry_run_why = ACME_REASON_NONE;
        state->dry_run_at = now;
        state->dry_run_detail[0] = '\0';
    }
}

static void load_journal(acme_state_t *state, const acme_journal_t *journal,
                         const acme_cert_conf_t *cert)
{
    /* A position that is not configured any more must not name another CA. */
    if (journal->wanted > 0 && journal->wanted < ACME_WANTS
        && (apr_uint32_t)journal->wanted_ca < state->cas) {
        state->wanted = (acme_want_e)journal->wanted;
        state->wanted_ca = (apr_uint32_t)journal->wanted_ca;
        state->reason = journal->reason;
    }
    state->deleted = journal->deleted;

    /*
     * A failure of another configuration says nothing about this one. A time
     * that the CA named stands as long as the same is asked of the same CAs.
     */
    if (!strcmp(journal->digest, cert->settings)
        || (journal->retry == ACME_RETRY_LATER
            && acme_conf_settings_ask_same(journal->digest, cert))) {
        state->attempts = journal->attempts;
        state->retry = journal->retry;
        state->next_at = journal->next_at;
        state->why = journal->why;
        apr_cpystrn(state->problem, journal->problem, sizeof(state->problem));
        apr_cpystrn(state->detail, journal->detail, sizeof(state->detail));
    }
}

const char *acme_state_load_check_word(acme_check_e check)
{
    static const char *const words[ACME_CHECKS] = {
        [ACME_CHECK_NONE] = "",
        [ACME_CHECK_SERVED] = "served",
        [ACME_CHECK_UNKNOWN] = "unknown",
        [ACME_CHECK_OTHER] = "other"
    };

    return words[check];
}

/* What was found of another archive, or at other places, says nothing. */
static void load_check(acme_state_t *state, const acme_journal_check_t *check,
                       const acme_cert_conf_t *cert, apr_time_t now)
{
    acme_self_check_past_t past = { .id = cert->id,
                                    .is_first = !check->digest[0],
                                    .installed = state->installed };
    int i = ACME_CHECKS;

    state->check_reload_at = check->reloaded_at;
    if (check->reloaded[0] && !strcmp(check->reloaded, state->serial)) {
        /* An earlier version noted no time. */
        state->check_reloaded =
            check->reloaded_at ? check->reloaded_at : check->when;
    }
    if (!cert->visits_digest) {
        return;
    }
    if (!strcmp(check->digest, cert->visits_digest)) {
        while (--i > ACME_CHECK_NONE
               && strcmp(check->result,
                         acme_state_load_check_word((acme_check_e)i))) {
            continue;
        }
        past.check = state->check = (acme_check_e)i;
        state->checked = check->when;
        state->check_tries = check->tries;
        apr_cpystrn(state->check_places, check->places,
                    sizeof(state->check_places));
        apr_cpystrn(state->check_detail, check->detail,
                    sizeof(state->check_detail));
    }
    state->check_at = acme_self_check_first_at(&past, now);
}

/* As a failure, it says nothing about another configuration. */
static void load_rehearsal(acme_state_t *state, const acme_journal_t *journal,
                           const acme_cert_conf_t *cert)
{
    const acme_journal_rehearsal_t *rehearsal = &journal->rehearsal;

    if (strcmp(journal->digest, cert->settings)) {
        return;
    }
    state->rehearsal = acme_rehearsal_level(rehearsal->result);
    state->rehearsal_why = rehearsal->why;
    state->rehearsed = rehearsal->when;
    apr_cpystrn(state->rehearsal_detail, rehearsal->detail,
                sizeof(state->rehearsal_detail));
}

apr_status_t acme_state_load(acme_state_t *state, const acme_conf_t *conf,
                             apr_uint32_t index, acme_store_t *store,
                             const acme_journal_t *journal,
                             acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(conf, index);
    load_t load = { .state = state,
                    .conf = conf,
                    .cert = cert,
                    .store = store,
                    .p = p };
    apr_status_t rv;

    memset(state, 0, sizeof(*state));
    state->cert = index;
    state->agreed = cert->agreed;
    state->cas = (apr_uint32_t)cert->cas->nelts;
    state->use_renewal_info = cert->renewal_info;
    state->served = cert->served;
    state->activated = cert->is_activated;
    state->instead = cert->is_hidden ? ACME_INSTEAD_FOREIGN
        : cert->stand_in.id ? ACME_INSTEAD_STAND_IN : ACME_INSTEAD_NOTHING;
    state->renew = cert->renew;
    state->warn = cert->warn;
    state->issued_by = ACME_NO_CA;
    state->reason = -1;

    load_journal(state, journal, cert);
    load_dry_run(state, journal, apr_time_now());
    acme_state_load_journal(state, journal, conf, cert, apr_time_now());
    load.names = acme_name_quarantine_names(cert, journal, apr_time_now(), p);
    rv = load_live(&load, res);
    load_window(state, &journal->window);
    load_check(state, &journal->check, cert, apr_time_now());
    load_rehearsal(state, journal, cert);
    return rv;
}
