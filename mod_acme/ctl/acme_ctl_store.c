/*
 * acme_ctl_store.c - the certificates as the store has them.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_ctl_store.h"
#include "acme_ctl_term.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_rehearsal.h"
#include "acme_text.h"
#include "acme_url.h"

#define TIME_MAX 32             /* octets of RFC 3339 */
#define IDS_MAX 100000          /* somebody else may have filled the folder */

#define LACKS_MAX 3             /* names that are named */

#define WARN_PERCENT 10         /* the default of AcmeWarnWindow */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Add the ids of the entries of a folder, whose names end with suffix. */
static apr_status_t add_ids(apr_array_header_t *ids, const acme_store_t *store,
                            const char *folder, const char *suffix,
                            acme_result_t *res)
{
    apr_pool_t *p = ids->pool;
    const char *path = acme_store_path(store, folder, NULL, p);
    apr_finfo_t info;
    apr_status_t rv;
    apr_dir_t *dir;

    rv = apr_dir_open(&dir, path, p);
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "%s: cannot read it", path);
    }
    while (ids->nelts < IDS_MAX
           && apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const apr_size_t len = strlen(info.name), end = strlen(suffix);
        const char *id;

        if (len <= end || strcmp(info.name + len - end, suffix)) {
            continue;
        }
        id = apr_pstrndup(p, info.name, len - end);
        if (acme_store_id(id, p) && !strcmp(acme_store_id(id, p), id)) {
            APR_ARRAY_PUSH(ids, const char *) = id;
        }
    }
    apr_dir_close(dir);
    return APR_SUCCESS;
}

/* What meta.json has of the live certificate. */
static void read_live(acme_ctl_cert_t *cert, acme_store_t *store,
                      apr_pool_t *p)
{
    acme_state_t *state = &cert->state;
    const json_t *meta, *part;
    const char *text;
    acme_result_t res;
    size_t i;

    if (acme_live_link_read(&state->live, store, cert->id, &res, p)) {
        return;
    }
    meta = acme_meta_live(store, cert->id, p);
    state->installed = acme_time_parse(acme_json_string(meta, "installed",
                                                        TIME_MAX, p));
    text = acme_json_string(meta, "ca", ACME_URL_MAX, p);
    if (text) {
        APR_ARRAY_PUSH(cert->cas, const char *) = text;
    }
    if (json_object_get(meta, "names")) {
        cert->names = acme_json_strings(meta, "names", ACME_NAME_MAX, p);
    }
    json_array_foreach(json_object_get(meta, "certificates"), i, part) {
        const apr_time_t not_after = acme_time_parse(
            acme_json_string(part, "notAfter", TIME_MAX, p));

        if (i > 0) {            /* it can only shorten the validity */
            if (not_after && not_after < state->not_after) {
                state->not_after = not_after;
            }
            continue;
        }
        state->not_after = not_after;
        state->not_before = acme_time_parse(
            acme_json_string(part, "notBefore", TIME_MAX, p));
        apr_cpystrn(state->serial,
                    acme_text_clean(acme_json_string(part, "serial",
                                                     ACME_SERIAL_SIZE - 1, p),
                                    ACME_SERIAL_SIZE - 1, p),
                    sizeof(state->serial));
        apr_cpystrn(state->issuer,
                    acme_text_clean(acme_json_string(part, "issuer",
                                                     ACME_DETAIL_SIZE, p),
                                    ACME_ISSUER_SIZE - 1, p),
                    sizeof(state->issuer));
        text = acme_json_string(part, "certId", ACME_CERT_ID_SIZE - 1, p);
        apr_cpystrn(state->cert_id, text ? text : "", sizeof(state->cert_id));
    }
    state->revoked = acme_meta_has_revoked(store, meta, p);
}

static void read_window(acme_state_t *state,
                        const acme_journal_window_t *window, apr_pool_t *p)
{
    if (!state->cert_id[0] || strcmp(window->cert_id, state->cert_id)) {
        return;
    }
    state->window_start = window->start;
    state->window_end = window->end;
    state->pick = window->pick;
    state->revoked |= window->revoked;
    apr_cpystrn(state->explanation,
                acme_text_clean(window->explanation,
                                sizeof(state->explanation) - 1, p),
                sizeof(state->explanation));
}

static void read_journal(acme_ctl_cert_t *cert, const acme_journal_t *journal,
                         apr_pool_t *p)
{
    acme_state_t *state = &cert->state;
    int i;

    if (journal->wanted > 0 && journal->wanted < ACME_WANTS) {
        state->wanted = (acme_want_e)journal->wanted;
    }
    state->deleted = journal->deleted;
    state->attempts = journal->attempts;
    state->retry = journal->retry;
    state->next_at = journal->next_at;
    state->why = journal->why;
    apr_cpystrn(state->problem,
                acme_text_clean(journal->problem, sizeof(state->problem) - 1,
                                p),
                sizeof(state->problem));
    apr_cpystrn(state->detail,
                acme_text_clean(journal->detail, sizeof(state->detail) - 1, p),
                sizeof(state->detail));
    state->rehearsal = acme_rehearsal_level(journal->rehearsal.result);
    state->rehearsal_why = journal->rehearsal.why;
    state->rehearsed = journal->rehearsal.when;
    apr_cpystrn(state->rehearsal_detail,
                acme_ctl_term_text(journal->rehearsal.detail, p),
                sizeof(state->rehearsal_detail));
    for (i = 0; i < journal->names->nelts; i++) {
        const acme_journal_name_t *name = &APR_ARRAY_IDX(journal->names, i,
                                                         acme_journal_name_t);
        const acme_left_out_t excluded = {
            .name = acme_ctl_term_text(name->name, p),
            .failures = name->failures, .why = name->why,
            .detail = acme_ctl_term_text(name->detail ? name->detail : "", p),
            .again_at = name->again_at
        };

        if (name->left_out) {
            acme_state_add_left_out(state, &excluded);
        }
    }
    read_window(state, &journal->window, p);
}

static acme_ctl_cert_t read_cert(acme_store_t *store, const char *id,
                                 apr_pool_t *p)
{
    acme_ctl_cert_t cert = {
        .id = id, .is_from_store = 1,
        .cas = apr_array_make(p, 1, sizeof(const char *)),
        .names = apr_array_make(p, 1, sizeof(const char *)),
        .state = { .agreed = 1, .cas = 1, .covers = 1, .same_names = 1,
                   .use_renewal_info = 1, .issued_by = ACME_NO_CA,
                   .reason = -1, .warn.percent = WARN_PERCENT }
    };
    acme_journal_t *journal;
    acme_result_t res;

    read_live(&cert, store, p);
    if (acme_journal_look(&journal, store, id, &res, p)) {
        cert.store_problem = apr_pstrdup(p, res.detail);
    }
    read_journal(&cert, journal, p);
    return cert;
}

apr_status_t acme_ctl_store_list(apr_array_header_t **pcerts,
                                 const char *state_dir, acme_result_t *res,
                                 apr_pool_t *p)
{
    acme_store_t *store = acme_store_at(state_dir, p);
    apr_array_header_t *ids = apr_array_make(p, 16, sizeof(const char *));
    const char *last = "";
    apr_status_t rv;
    int i;

    *pcerts = apr_array_make(p, 16, sizeof(acme_ctl_cert_t));
    rv = add_ids(ids, store, "live", "", res);
    if (rv == APR_SUCCESS) {
        rv = add_ids(ids, store, "journal", ".json", res);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    qsort(ids->elts, (size_t)ids->nelts, (size_t)ids->elt_size, compare_ids);
    for (i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (strcmp(id, last)) {
            APR_ARRAY_PUSH(*pcerts, acme_ctl_cert_t) = read_cert(store, id, p);
        }
        last = id;
    }
    return APR_SUCCESS;
}

const char *acme_ctl_store_lacks(const acme_ctl_cert_t *cert,
                                 const char *state_dir, apr_pool_t *p)
{
    const json_t *meta = acme_meta_live(acme_store_at(state_dir, p), cert->id,
                                        p);
    apr_array_header_t *has;
    const char *lacks = NULL;
    int i, n = 0;

    if (!json_object_get(meta, "names")) {
        return NULL;
    }
    has = acme_json_strings(meta, "names", ACME_NAME_MAX, p);
    for (i = 0; i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

        if (!acme_name_in(has, name) && n++ < LACKS_MAX) {
            lacks = lacks ? apr_pstrcat(p, lacks, ", ", name, NULL) : name;
        }
    }
    return n > LACKS_MAX ? apr_psprintf(p, "%s and %d more", lacks,
                                        n - LACKS_MAX) : lacks;
}

apr_status_t acme_ctl_store_journal(acme_journal_t **pjournal,
                                    const char *state_dir, const char *id,
                                    acme_result_t *res, apr_pool_t *p)
{
    acme_store_t *store = acme_store_at(state_dir, p);
    const char *path;
    apr_finfo_t info;
    apr_status_t rv;

    *pjournal = acme_journal_make(p);
    if (!acme_store_id(id, p) || strcmp(acme_store_id(id, p), id)) {
        return acme_fail(res, APR_ENOENT, "%s: not the id of a certificate",
                         acme_text_clean(id, ACME_ID_MAX, p));
    }
    path = acme_store_path(store, "journal", apr_pstrcat(p, id, ".json", NULL),
                           p);
    rv = apr_stat(&info, path, APR_FINFO_LINK | APR_FINFO_TYPE, p);
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "%s: no journal", path);
    }
    return acme_journal_look(pjournal, store, id, res, p);
}
