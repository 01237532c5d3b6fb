/*
 * acme_order_begin.c - an account at the CA, and an order there.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_dns01.h"
#include "acme_name.h"
#include "acme_order_begin.h"
#include "acme_persist_check.h"
#include "acme_problem.h"
#include "acme_schedule.h"
#include "acme_url.h"

/* After a refusal of replaces or of the profile: not again for this order. */
#define DROPPABLE (ACME_WITH_REPLACES | ACME_WITH_PROFILE)

static apr_uint32_t ca_index(const acme_task_t *work)
{
    return acme_conf_ca_index(work->cert, work->about.ca);
}

/* Bound to an external account where the CA wants it, or there is no other. */
static void choose_binding(acme_task_t *work, const acme_directory_t *dir)
{
    const acme_ca_conf_t *ca = acme_conf_ca(work->shop->conf, work->cert,
                                            work->about.ca);

    work->with &= ~(apr_uint32_t)ACME_WITH_BINDING;
    if (ca->kid && (dir->external_account_required
                    || work->cert->cas->nelts == 1)) {
        work->with |= ACME_WITH_BINDING;
    }
}

/* A binding that the CA refused will be refused again. */
static void explain_binding(acme_task_t *work, const acme_directory_t *dir)
{
    acme_result_t *res = &work->res;
    const char *what = apr_pstrdup(work->p, res->detail);

    if (!res->problem[0] || res->retry == ACME_RETRY_LATER
        || acme_problem_is(res, "serverInternal")) {
        return;
    }
    if (work->with & ACME_WITH_BINDING) {
        apr_snprintf(res->detail, sizeof(res->detail), "%s; see to the key "
                     "identifier and the HMAC key of AcmeExternalAccount",
                     what);
        res->retry = ACME_RETRY_NEVER;
        res->reason = ACME_REASON_EAB_REQUIRED;
    }
    else if (dir->external_account_required
             && !strstr(what, "AcmeExternalAccount")) {
        apr_snprintf(res->detail, sizeof(res->detail), "%s; set "
                     "AcmeExternalAccount", what);
        res->reason = ACME_REASON_EAB_REQUIRED;
    }
}

apr_status_t acme_order_begin_terms(acme_task_t *work)
{
    acme_ca_pool_t *cas = work->shop->cas;
    const acme_directory_t *dir;
    apr_status_t rv;

    rv = acme_session_directory(&dir, &work->session, &work->res, work->p);
    if (rv != APR_SUCCESS || !dir->terms_of_service
        || acme_ca_pool_terms_known(cas, ca_index(work),
                                    dir->terms_of_service)) {
        return rv;
    }
    rv = acme_task_tell_url(work, ACME_MSG_TERMS, dir->terms_of_service);
    if (rv == APR_SUCCESS) {
        acme_ca_pool_terms_told(cas, ca_index(work), dir->terms_of_service);
    }
    return rv;
}

/*
 * A change of keys was begun and its end is not known: the CA says which key
 * it has. (8555, 7.3.5)
 */
static apr_status_t settle_key(acme_task_t *work)
{
    const char *url;
    apr_status_t rv;

    work->with |= ACME_WITH_NEXT_KEY;
    rv = acme_account_find(&url, &work->session, &work->res, work->p);
    work->with &= ~(apr_uint32_t)ACME_WITH_NEXT_KEY;
    if (rv == APR_SUCCESS) {
        rv = acme_task_key(work, ACME_KEY_PROMOTE);
    }
    else if (acme_problem_is(&work->res, "accountDoesNotExist")) {
        rv = acme_task_key(work, ACME_KEY_DROP);
    }
    return rv == APR_SUCCESS ? acme_task_prepare(work) : rv;
}

/* The account's URL is asked for once and remembered by the keeper. */
static apr_status_t register_account(acme_task_t *work)
{
    const acme_directory_t *dir;
    const char *url;
    apr_status_t rv;

    rv = acme_session_directory(&dir, &work->session, &work->res, work->p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    choose_binding(work, dir);
    rv = acme_account_register(&url, &work->session, &work->res, work->p);
    if (rv != APR_SUCCESS) {
        explain_binding(work, dir);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_task_tell_url(work, ACME_MSG_ACCOUNT, url);
    }
    return rv == APR_SUCCESS ? acme_task_prepare(work) : rv;
}

apr_status_t acme_order_begin_contacts(acme_task_t *work)
{
    const char *url = work->prepared->account_url;
    apr_status_t rv;

    rv = acme_account_update(&work->session, url, &work->res, work->p);
    return rv == APR_SUCCESS ? acme_task_tell_url(work, ACME_MSG_ACCOUNT, url)
                             : rv;
}

static int is_settled(const acme_msg_prepared_t *prepared)
{
    return prepared->account_url[0] && !prepared->has_next_key
        && !prepared->contacts_changed;
}

static apr_status_t settle_account(acme_task_t *work)
{
    const acme_directory_t *dir;
    apr_status_t rv;

    rv = acme_task_prepare(work); /* another one may have been faster */
    if (rv == APR_SUCCESS && work->prepared->has_next_key) {
        rv = settle_key(work);
    }
    if (rv == APR_SUCCESS && !work->prepared->account_url[0]) {
        rv = register_account(work);
    }
    else if (rv == APR_SUCCESS && work->prepared->contacts_changed) {
        rv = acme_order_begin_contacts(work);
    }
    if (rv == APR_SUCCESS
        && !acme_session_directory(&dir, &work->session, &work->res,
                                   work->p)) {
        acme_persist_check_report_directory(work, dir);
    }
    return rv;
}

apr_status_t acme_order_begin_account(acme_task_t *work)
{
    acme_ca_pool_t *cas = work->shop->cas;
    apr_status_t rv;

    if (is_settled(work->prepared)) {
        return APR_SUCCESS;
    }
    acme_ca_pool_lock_account(cas, ca_index(work));
    rv = settle_account(work);
    acme_ca_pool_unlock_account(cas, ca_index(work));
    return rv;
}

/* A request that merely failed is no reason to. */
apr_status_t acme_order_begin_account_again(acme_task_t *work)
{
    const char *lost = work->prepared->account_url;
    acme_ca_pool_t *cas = work->shop->cas;
    apr_status_t rv;

    acme_ca_pool_lock_account(cas, ca_index(work));
    rv = acme_task_prepare(work);
    if (rv == APR_SUCCESS && !strcmp(lost, work->prepared->account_url)) {
        rv = acme_task_tell_url(work, ACME_MSG_ACCOUNT, "");
    }
    acme_ca_pool_unlock_account(cas, ca_index(work));
    if (rv == APR_SUCCESS) {
        rv = acme_task_tell_url(work, ACME_MSG_ORDER, "");
    }
    return rv;
}

/* All that are configured, but for those that are left out. */
static const apr_array_header_t *ordered_names(const acme_task_t *work)
{
    const apr_array_header_t *all = work->cert->names;
    apr_array_header_t *names = apr_array_make(work->p, all->nelts,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < all->nelts; i++) {
        if (!(work->flags[i] & ACME_NAME_LEFT_OUT)) {
            APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(
                all, i, const char *);
        }
    }
    return names->nelts ? names : all;
}

static apr_status_t note_ordered(acme_task_t *work, acme_note_e what,
                                 const char *how)
{
    const char *ca = acme_url_host(acme_ca_url(work->session.ca), work->p);
    const char *url = acme_text_clean(work->order->url, ACME_URL_MAX, work->p);

    return acme_task_note(
        work, what,
        apr_psprintf(work->p, "%s %s for %s, %s", how, ca,
                     acme_name_list_text(ordered_names(work), work->p), url));
}

static int is_offered(const acme_directory_t *dir, const char *profile)
{
    int i;

    for (i = 0; i < dir->profiles->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(dir->profiles, i, acme_profile_t).name,
                    profile)) {
            return 1;
        }
    }
    return 0;
}

static const char *profiles_text(const acme_directory_t *dir, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < dir->profiles->nelts; i++) {
        APR_ARRAY_PUSH(names, const char *) =
            APR_ARRAY_IDX(dir->profiles, i, acme_profile_t).name;
    }
    return names->nelts ? apr_array_pstrcat(p, names, ' ') : "none";
}

static apr_status_t warn(acme_task_t *work, const char *text)
{
    return acme_task_note(work, ACME_NOTE_WARNING, text);
}

/* The profile where the CA has it; else the administrator's word counts. */
static apr_status_t choose_profile(acme_task_t *work,
                                   const acme_directory_t *dir)
{
    const char *profile = work->cert->profile;
    const char *text;

    if (!profile) {
        return APR_SUCCESS;
    }
    if (is_offered(dir, profile)) {
        work->with |= ACME_WITH_PROFILE;
        return APR_SUCCESS;
    }
    text = apr_psprintf(work->p, "%s: the CA does not offer the profile %s "
                        "(it offers: %s)", work->cert->id, profile,
                        profiles_text(dir, work->p));
    if (work->cert->profile_required) {
        acme_fail_never(&work->res, APR_ENOTIMPL, "%s, and "
                        "AcmeProfile says required", text);
        return acme_result_reason(&work->res, ACME_REASON_PROFILE_REFUSED);
    }
    return warn(work, apr_pstrcat(work->p, text, "; ordered without it",
                                  NULL));
}

static apr_status_t choose_extras(acme_task_t *work)
{
    const acme_directory_t *dir;
    apr_status_t rv;

    work->with &= ~(apr_uint32_t)DROPPABLE;
    rv = acme_session_directory(&dir, &work->session, &work->res, work->p);
    if (rv == APR_SUCCESS) {
        rv = acme_order_begin_terms(work);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (dir->renewal_info && work->about.part == 0
        && acme_schedule_replaces(work->state, work->about.ca, 0,
                                  apr_time_now())) {
        work->with |= ACME_WITH_REPLACES;
    }
    return choose_profile(work, dir);
}

/* CAs have many words for a predecessor that they don't know; not these. */
static int is_about_something_else(const acme_result_t *res)
{
    static const char *const others[] = {
        "accountDoesNotExist", "badNonce", "externalAccountRequired",
        "invalidProfile", "rateLimited", "rejectedIdentifier",
        "unsupportedIdentifier", "userActionRequired"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (acme_problem_is(res, others[i])) {
            return 1;
        }
    }
    return !res->problem[0] || res->retry == ACME_RETRY_LATER;
}

/*
 * Which extra does the CA refuse? A profile that is required is not dropped;
 * some CAs call an unknown one malformed.
 */
static apr_uint32_t refused_extra(const acme_task_t *work)
{
    const acme_result_t *res = &work->res;

    if ((work->with & ACME_WITH_REPLACES) && !is_about_something_else(res)) {
        return ACME_WITH_REPLACES;
    }
    if ((work->with & ACME_WITH_PROFILE) && !work->cert->profile_required
        && (acme_problem_is(res, "invalidProfile")
            || acme_problem_is(res, "malformed"))) {
        return ACME_WITH_PROFILE;
    }
    return 0;
}

/*
 * Does the CA's refusal speak of this name? names are those of its
 * subproblems; of a single one CAs only write a sentence, with it in quotes.
 */
static int is_spoken_of(const acme_task_t *work, const char *name,
                        const apr_array_header_t *names)
{
    const acme_result_t *res = &work->res;

    if (names->nelts || !(acme_problem_is(res, "rejectedIdentifier")
                          || acme_problem_is(res, "unsupportedIdentifier"))) {
        return acme_name_in(names, name);
    }
    return strstr(res->detail, apr_pstrcat(work->p, "\"", name, "\"", NULL))
        != NULL;
}

/* The first of our names that it speaks of. */
static void blame(acme_task_t *work, const apr_array_header_t *names)
{
    int i;

    for (i = 0; i < work->cert->names->nelts; i++) {
        if (is_spoken_of(work, APR_ARRAY_IDX(work->cert->names, i,
                                             const char *), names)) {
            work->blamed = (apr_uint32_t)i;
            return;
        }
    }
}

static apr_status_t create_order(acme_task_t *work)
{
    apr_array_header_t *names;
    apr_uint32_t refused;
    apr_status_t rv;

    rv = choose_extras(work);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    while ((rv = acme_order_create(&work->order, &names, &work->session,
                                   work->cert->id, &work->res, work->p))
           != APR_SUCCESS && (refused = refused_extra(work)) != 0) {
        warn(work, apr_psprintf(work->p, "%s: %s; ordered without %s %s",
                                work->cert->id, work->res.detail,
                                refused == ACME_WITH_REPLACES
                                ? "replaces" : "the profile",
                                refused == ACME_WITH_REPLACES
                                ? work->state->cert_id
                                : work->cert->profile));
        work->with &= ~refused;
    }
    if (rv != APR_SUCCESS) {
        blame(work, names);
        return rv;
    }
    rv = acme_task_tell_url(work, ACME_MSG_ORDER, work->order->url);
    return rv == APR_SUCCESS ? note_ordered(work, ACME_NOTE_ORDERED, "from")
                             : rv;
}

/* Does the CA say that it knows no such order? Its own trouble is not that. */
static int is_gone(const acme_result_t *res)
{
    return res->problem[0] && res->retry != ACME_RETRY_LATER
           && !acme_problem_is(res, "serverInternal")
           && !acme_problem_is(res, "accountDoesNotExist");
}

/*
 * The unfinished order goes on where it stood. One that the CA does not know
 * any more, or that came to nothing, is forgotten: ENOENT.
 */
static apr_status_t resume_order(acme_task_t *work)
{
    const char *url = work->prepared->order_url;
    apr_status_t rv;

    if (!url[0]) {
        return APR_ENOENT;
    }
    rv = acme_order_fetch(&work->order, &work->session, url, work->cert->id,
                          &work->res, work->p);
    if (rv == APR_SUCCESS) {
        acme_dns01_adopt(work);
    }
    if (rv == APR_SUCCESS && work->order->status != ACME_ORDER_INVALID) {
        acme_task_tell_url(work, ACME_MSG_ORDER, url);
        return note_ordered(work, ACME_NOTE_RESUMED, "at");
    }
    if (rv == APR_SUCCESS || is_gone(&work->res)) {
        rv = acme_task_tell_url(work, ACME_MSG_ORDER, "");
        return rv == APR_SUCCESS ? APR_ENOENT : rv;
    }
    return rv;
}

apr_status_t acme_order_begin_order(acme_task_t *work)
{
    apr_status_t rv = resume_order(work);

    return APR_STATUS_IS_ENOENT(rv) ? create_order(work) : rv;
}
