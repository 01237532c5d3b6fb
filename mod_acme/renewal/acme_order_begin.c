/*
 * acme_order_begin.c - the order of a certificate: the unfinished one, or a
 * new one.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns01.h"
#include "acme_name.h"
#include "acme_order_begin.h"
#include "acme_problem.h"
#include "acme_timing.h"
#include "acme_url.h"

/* What an order has besides its names; a CA may refuse it. */
#define DROPPABLE (ACME_WITH_REPLACES | ACME_WITH_PROFILE)

/* All that are configured, but for those that are left out. */
static const apr_array_header_t *ordered_names(
    const acme_task_t *task, const acme_task_attempt_t *attempt)
{
    const apr_array_header_t *all = task->cert->names;
    apr_array_header_t *names = apr_array_make(task->p, all->nelts,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < all->nelts; i++) {
        if (!(attempt->flags[i] & ACME_NAME_LEFT_OUT)) {
            APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(
                all, i, const char *);
        }
    }
    return names->nelts ? names : all;
}

static apr_status_t note_ordered(const acme_task_t *task,
                                 const acme_task_attempt_t *attempt,
                                 acme_note_e what, acme_result_t *res)
{
    const char *ca = acme_url_host(acme_ca_url(task->session->ca), task->p);
    const char *url = acme_text_clean(attempt->order->url, ACME_URL_MAX,
                                      task->p);

    return acme_task_note(
        task, what,
        apr_psprintf(task->p, "%s %s for %s, %s",
                     what == ACME_NOTE_ORDERED ? "from" : "at", ca,
                     acme_name_list_text(ordered_names(task, attempt),
                                         task->p), url), res);
}

/* With *poffered, what the CA offers, for people. */
static int is_profile_offered(const char **poffered,
                              const acme_directory_t *dir, const char *profile,
                              apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < dir->profiles->nelts; i++) {
        APR_ARRAY_PUSH(names, const char *) =
            APR_ARRAY_IDX(dir->profiles, i, acme_profile_t).name;
    }
    *poffered = names->nelts ? apr_array_pstrcat(p, names, ' ') : "none";
    return acme_name_in(names, profile);
}

/* The profile where the CA has it; else the administrator decides. */
static apr_status_t choose_profile(const acme_task_t *task,
                                   const acme_directory_t *dir,
                                   acme_result_t *res)
{
    const char *profile = task->cert->profile;
    const char *offered;

    if (!profile) {
        return APR_SUCCESS;
    }
    if (is_profile_offered(&offered, dir, profile, task->p)) {
        task->signing->with |= ACME_WITH_PROFILE;
        return APR_SUCCESS;
    }
    if (task->cert->profile_required) {
        acme_fail_never(
            res, APR_ENOTIMPL,
            "%s: the CA does not offer the profile %s (it offers: %s), and AcmeProfile says required",
            task->cert->id, profile, offered);
        return acme_result_reason(res, ACME_REASON_PROFILE_REFUSED);
    }
    return acme_task_note(
        task, ACME_NOTE_WARNING,
        apr_psprintf(task->p,
                     "%s: the CA does not offer the profile %s (it offers: %s); ordered without it",
                     task->cert->id, profile, offered), res);
}

static apr_status_t choose_extras(const acme_task_t *task, acme_result_t *res)
{
    const acme_directory_t *dir;
    apr_status_t rv;

    task->signing->with &= ~(apr_uint32_t)DROPPABLE;
    rv = acme_session_directory(&dir, task->session, res, task->p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (dir->renewal_info && task->signing->about.part == 0
        && acme_timing_replaces(task->state, task->request->ca, 0,
                                apr_time_now())) {
        task->signing->with |= ACME_WITH_REPLACES;
    }
    return choose_profile(task, dir, res);
}

/* CAs have many words for a predecessor that they don't know; not these. */
static int is_about_something_else(const acme_result_t *res)
{
    static const char *const others[] = {
        "accountDoesNotExist", "badNonce", "externalAccountRequired",
        "invalidProfile", "rateLimited", "rejectedIdentifier",
        "unsupportedIdentifier", "userActionRequired", NULL
    };

    return !res->problem[0] || res->retry == ACME_RETRY_LATER
        || acme_problem_is_any(res, others);
}

/*
 * Which extra does the CA refuse? A profile that is required is not dropped;
 * some CAs call an unknown one malformed.
 */
static apr_uint32_t refused_extra(const acme_task_t *task,
                                  const acme_result_t *res)
{
    const apr_uint32_t with = task->signing->with;

    if ((with & ACME_WITH_REPLACES) && !is_about_something_else(res)) {
        return ACME_WITH_REPLACES;
    }
    if ((with & ACME_WITH_PROFILE) && !task->cert->profile_required
        && (acme_problem_is(res, "invalidProfile")
            || acme_problem_is(res, "malformed"))) {
        return ACME_WITH_PROFILE;
    }
    return 0;
}

/*
 * The first of our names that the CA's refusal speaks of; ACME_NO_NAME. names
 * are those of its subproblems; about a single one CAs only write a sentence,
 * with the name in quotes.
 */
static apr_uint32_t refused_name(const acme_task_t *task,
                                 const apr_array_header_t *names,
                                 const acme_result_t *res)
{
    const int is_quoted = !names->nelts
        && (acme_problem_is(res, "rejectedIdentifier")
            || acme_problem_is(res, "unsupportedIdentifier"));
    int i;

    for (i = 0; i < task->cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(task->cert->names, i, const char *);

        if (is_quoted
            ? strstr(res->detail, apr_pstrcat(task->p, "\"", name, "\"",
                                              NULL)) != NULL
            : acme_name_in(names, name)) {
            return (apr_uint32_t)i;
        }
    }
    return ACME_NO_NAME;
}

/* After a refusal of replaces or of the profile: ordered without it. */
static apr_status_t create_order(acme_task_attempt_t *attempt,
                                 const acme_task_t *task,
                                 acme_task_failure_t *why)
{
    apr_array_header_t *names;
    acme_result_t ignored;
    apr_uint32_t refused;
    apr_status_t rv;

    rv = choose_extras(task, &why->res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    while ((rv = acme_order_create(&attempt->order, &names, task->session,
                                   &attempt->scope, &why->res, task->p))
           != APR_SUCCESS
           && (refused = refused_extra(task, &why->res)) != 0) {
        const int is_replaces = refused == ACME_WITH_REPLACES;

        acme_task_note(
            task, ACME_NOTE_WARNING,
            apr_psprintf(task->p, "%s: %s; ordered without %s %s",
                         task->cert->id, why->res.detail,
                         is_replaces ? "replaces" : "the profile",
                         is_replaces ? task->state->cert_id
                                     : task->cert->profile), &ignored);
        task->signing->with &= ~refused;
    }
    if (rv != APR_SUCCESS) {
        why->name = refused_name(task, names, &why->res);
        return rv;
    }
    /* Nobody has sent it our CSR: a CA hands back an older one. */
    attempt->is_handed_back = attempt->order->status == ACME_ORDER_PROCESSING
                              || attempt->order->status == ACME_ORDER_VALID;
    rv = acme_task_send_url(task, ACME_MSG_ORDER, attempt->order->url,
                            &why->res);
    return rv == APR_SUCCESS
        ? note_ordered(task, attempt, ACME_NOTE_ORDERED, &why->res) : rv;
}

/* What became of an unfinished order that the CA does not hand out? */
typedef enum {
    KEPT,                       /* the CA has trouble: asked again later */
    DOUBTFUL,                   /* that lasts: replaced when there is a new
                                   one */
    GONE
} fate_e;

/*
 * CAs have many words for an order that they forgot, and some have none: a
 * page, an empty object. An error of the CA's own, or an answer that makes no
 * sense, may be another one if it comes again and again.
 */
static fate_e fate_of(const acme_task_t *task, const acme_result_t *res)
{
    if (!acme_problem_is_answer(res) || res->retry == ACME_RETRY_LATER
        || acme_problem_is(res, "accountDoesNotExist")
        || acme_problem_is(res, "badNonce")) {
        return KEPT;
    }
    if (acme_problem_is(res, "serverInternal")
        || (!res->problem[0] && !APR_STATUS_IS_ENOENT(res->status))) {
        return task->state->attempts + 1 >= ACME_ORDER_TRIES_MAX ? DOUBTFUL
                                                                 : KEPT;
    }
    return GONE;
}

/* Invalid, or not an order at all: a worker that was taken over may have stored
   the URL of something else at the CA. */
static int is_useless(const acme_order_t *order)
{
    return order->status == ACME_ORDER_INVALID
        || (order->status == ACME_ORDER_VALID && !order->certificate)
        || (order->status == ACME_ORDER_READY && !order->finalize);
}

/*
 * The unfinished order goes on where it stood. One that the CA does not know
 * any more, or that came to nothing, is forgotten.
 */
apr_status_t acme_order_begin(acme_task_attempt_t *attempt,
                              const acme_task_t *task,
                              acme_task_failure_t *why)
{
    const char *url = attempt->prepared->order_url;
    fate_e fate = GONE;
    apr_status_t rv;

    attempt->scope.id = task->cert->id;
    attempt->scope.names = ordered_names(task, attempt)->nelts;
    attempt->is_handed_back = 0;
    if (!url[0]) {
        return create_order(attempt, task, why);
    }
    rv = acme_order_fetch(&attempt->order, task->session, url,
                          &attempt->scope, &why->res, task->p);
    if (rv == APR_SUCCESS) {
        acme_dns01_adopt(attempt, task);
    }
    if (rv == APR_SUCCESS && !is_useless(attempt->order)) {
        acme_result_t ignored;

        acme_task_send_url(task, ACME_MSG_ORDER, url, &ignored);
        return note_ordered(task, attempt, ACME_NOTE_RESUMED, &why->res);
    }
    if (rv != APR_SUCCESS) {
        fate = fate_of(task, &why->res);
    }
    if (fate == KEPT) {
        return rv;
    }
    if (fate == GONE) {
        rv = acme_task_send_url(task, ACME_MSG_ORDER, "", &why->res);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return create_order(attempt, task, why);
}
