/*
 * acme_account_settle.c - the account at a CA, as an order needs it.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_account_settle.h"
#include "acme_problem.h"
#include "acme_text.h"

static apr_uint32_t ca_index(const acme_task_t *task)
{
    return acme_conf_ca_index(task->cert, task->request->ca);
}

apr_status_t acme_account_settle_terms(const acme_task_t *task,
                                       acme_result_t *res)
{
    acme_ca_pool_t *cas = task->env->cas;
    const acme_directory_t *dir;
    apr_status_t rv;

    rv = acme_session_directory(&dir, task->session, res, task->p);
    if (rv != APR_SUCCESS || !dir->terms_of_service
        || acme_ca_pool_has_terms(cas, ca_index(task),
                                  dir->terms_of_service)) {
        return rv;
    }
    rv = acme_task_send_url(task, ACME_MSG_TERMS, dir->terms_of_service, res);
    if (rv == APR_SUCCESS) {
        acme_ca_pool_set_terms(cas, ca_index(task), dir->terms_of_service);
    }
    return rv;
}

static int is_contact_problem(const acme_result_t *res)
{
    return acme_problem_is(res, "invalidContact")
        || acme_problem_is(res, "unsupportedContact");
}

/* Does the CA miss an address? There are several ways to say so. */
static int is_about_contact(const acme_ca_conf_t *ca, const acme_result_t *res,
                            apr_pool_t *p)
{
    const char *text = acme_text_lower(res->detail, strlen(res->detail), p);

    return !ca->contacts->nelts
        && (is_contact_problem(res) || strstr(text, "contact")
            || strstr(text, "email") || strstr(text, "e-mail"));
}

/* What the administrator can do; what was refused will be refused again. */
static void explain_refused(const acme_task_t *task, const acme_ca_conf_t *ca,
                            const acme_directory_t *dir, acme_result_t *res)
{
    const char *what = apr_pstrdup(task->p, res->detail);

    if (!res->problem[0] || res->retry == ACME_RETRY_LATER
        || acme_problem_is(res, "serverInternal")) {
        return;
    }
    if (is_about_contact(ca, res, task->p)) {
        if (!strstr(what, "AcmeContact")) {
            apr_snprintf(res->detail, sizeof(res->detail),
                         "%s; this CA requires an address: set AcmeContact",
                         what);
        }
        if (is_contact_problem(res)) {  /* else "contact support" is, too */
            res->retry = ACME_RETRY_NEVER;
        }
        res->reason = ACME_REASON_CONTACT_REFUSED;
    }
    else if (res->reason == ACME_REASON_CONTACT_REFUSED) {
        return;                 /* its advice is there */
    }
    else if (task->signing->with & ACME_WITH_BINDING) {
        apr_snprintf(res->detail, sizeof(res->detail),
                     "%s; check the key identifier and the HMAC key of AcmeExternalAccount",
                     what);
        res->retry = ACME_RETRY_NEVER;
        res->reason = ACME_REASON_EAB_REQUIRED;
    }
    else if (dir->external_account_required
             && !strstr(what, "AcmeExternalAccount")) {
        apr_snprintf(res->detail, sizeof(res->detail),
                     "%s; set AcmeExternalAccount", what);
        res->reason = ACME_REASON_EAB_REQUIRED;
    }
}

/*
 * The account's URL is asked for once and remembered by the keeper. It is
 * bound to an external account where the CA requires that, as its directory or
 * its refusal says, or where there is no other CA.
 */
static apr_status_t register_account(const acme_task_t *task,
                                     acme_result_t *res)
{
    const acme_ca_conf_t *ca = acme_conf_ca(task->env->conf, task->cert,
                                            task->request->ca);
    const acme_directory_t *dir;
    const char *url;
    apr_status_t rv;

    rv = acme_session_directory(&dir, task->session, res, task->p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    task->signing->with &= ~(apr_uint32_t)ACME_WITH_BINDING;
    if (ca->kid && (dir->external_account_required
                    || task->cert->cas->nelts == 1)) {
        task->signing->with |= ACME_WITH_BINDING;
    }
    rv = acme_account_register(&url, task->session, res, task->p);
    if (rv != APR_SUCCESS && ca->kid
        && !(task->signing->with & ACME_WITH_BINDING)
        && acme_problem_is(res, "externalAccountRequired")) {
        task->signing->with |= ACME_WITH_BINDING;
        rv = acme_account_register(&url, task->session, res, task->p);
    }
    if (rv != APR_SUCCESS) {
        explain_refused(task, ca, dir, res);
        return rv;
    }
    return acme_task_send_url(task, ACME_MSG_ACCOUNT, url, res);
}

/*
 * A change of keys was begun and its end is not known: the CA says which key
 * it has. (8555, 7.3.5)
 */
static apr_status_t end_key_change(const acme_task_t *task, acme_result_t *res)
{
    const char *url;
    apr_status_t rv;

    task->signing->with |= ACME_WITH_NEXT_KEY;
    rv = acme_account_find(&url, task->session, res, task->p);
    task->signing->with &= ~(apr_uint32_t)ACME_WITH_NEXT_KEY;
    if (rv == APR_SUCCESS) {
        return acme_task_send_key(task, ACME_KEY_PROMOTE, res);
    }
    return acme_problem_is(res, "accountDoesNotExist")
        ? acme_task_send_key(task, ACME_KEY_DROP, res) : rv;
}

apr_status_t acme_account_settle_contacts(const acme_task_t *task,
                                          const char *account_url,
                                          acme_result_t *res)
{
    apr_status_t rv;

    rv = acme_account_update(task->session, account_url, res, task->p);
    return rv == APR_SUCCESS
        ? acme_task_send_url(task, ACME_MSG_ACCOUNT, account_url, res) : rv;
}

/*
 * Contacts that the CA refuses are no reason to leave anything else undone: a
 * certificate would expire for that.
 */
static apr_status_t offer_contacts(acme_task_attempt_t *attempt,
                                   const acme_task_t *task, acme_result_t *res)
{
    acme_result_t ignored;
    apr_status_t rv;

    rv = acme_account_settle_contacts(task, attempt->prepared->account_url,
                                      res);
    if (rv == APR_SUCCESS || task->state->wanted == ACME_WANT_UPDATE
        || APR_STATUS_IS_EINTR(rv)
        || acme_problem_is(res, "accountDoesNotExist")) {
        return rv;
    }
    if (task->state->wanted > ACME_WANT_RENEWAL) {
        acme_task_note(task, ACME_NOTE_WARNING,
                       apr_pstrcat(task->p, res->detail,
                                   "; the contacts at the CA stay as they were",
                                   NULL), &ignored);
    }
    return APR_SUCCESS;
}

/* Prepared anew with a URL: another task may have been faster. */
static apr_status_t register_once(acme_task_attempt_t *attempt,
                                  const acme_task_t *task, acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;

    if (!attempt->prepared->account_url[0]) {
        rv = register_account(task, res);
        if (rv == APR_SUCCESS) {
            rv = acme_task_prepare(attempt, task, res);
        }
    }
    return rv;
}

apr_status_t acme_account_settle_url(acme_task_attempt_t *attempt,
                                     const acme_task_t *task,
                                     acme_result_t *res)
{
    apr_status_t rv;

    if (attempt->prepared->account_url[0]) {
        return APR_SUCCESS;
    }
    acme_ca_pool_lock_account(task->env->cas, ca_index(task));
    rv = acme_task_prepare(attempt, task, res);
    if (rv == APR_SUCCESS) {
        rv = register_once(attempt, task, res);
    }
    acme_ca_pool_unlock_account(task->env->cas, ca_index(task));
    return rv;
}

apr_status_t acme_account_settle(acme_task_attempt_t *attempt,
                                 const acme_task_t *task, acme_result_t *res)
{
    const acme_msg_prepared_t *prepared = attempt->prepared;
    apr_status_t rv = APR_SUCCESS;

    if (prepared->account_url[0] && !prepared->has_next_key
        && !prepared->contacts_changed) {
        return APR_SUCCESS;
    }

    acme_ca_pool_lock_account(task->env->cas, ca_index(task));
    rv = acme_task_prepare(attempt, task, res); /* another one was faster? */
    if (rv == APR_SUCCESS && attempt->prepared->has_next_key) {
        rv = end_key_change(task, res);
        if (rv == APR_SUCCESS) {
            rv = acme_task_prepare(attempt, task, res);
        }
    }
    if (rv == APR_SUCCESS && attempt->prepared->account_url[0]
        && attempt->prepared->contacts_changed) {
        rv = offer_contacts(attempt, task, res);
    }
    else if (rv == APR_SUCCESS) {
        rv = register_once(attempt, task, res);
    }
    acme_ca_pool_unlock_account(task->env->cas, ca_index(task));
    return rv;
}

/* Another task may have had it registered meanwhile: that one is kept. */
static apr_status_t forget_account(acme_task_attempt_t *attempt,
                                   const acme_task_t *task, acme_result_t *res)
{
    const char *lost = attempt->prepared->account_url;
    apr_status_t rv;

    acme_ca_pool_lock_account(task->env->cas, ca_index(task));
    rv = acme_task_prepare(attempt, task, res);
    if (rv == APR_SUCCESS && !strcmp(lost, attempt->prepared->account_url)) {
        rv = acme_task_send_url(task, ACME_MSG_ACCOUNT, "", res);
    }
    acme_ca_pool_unlock_account(task->env->cas, ca_index(task));
    if (rv == APR_SUCCESS) {
        rv = acme_task_send_url(task, ACME_MSG_ORDER, "", res);
    }
    return rv;
}

/*
 * May the CA mean the account, where it does not say so? It speaks of a key
 * that is not the account's, of an account that is none, or has no words for
 * what is wrong.
 */
static int is_maybe_about_account(const acme_task_attempt_t *attempt,
                                  const acme_task_t *task,
                                  const acme_result_t *res)
{
    return task->state->wanted <= ACME_WANT_RENEWAL && !attempt->order
        && attempt->prepared && attempt->prepared->account_url[0]
        && acme_problem_is_answer(res) && res->retry != ACME_RETRY_LATER
        && (acme_problem_is(res, "unauthorized")
            || acme_problem_is(res, "malformed")
            || acme_problem_is(res, "serverInternal")
            || !acme_problem_is_known(res));
}

/* Does the CA say that the account was given up, by us or by itself? */
static int is_given_up(const acme_result_t *res, apr_pool_t *p)
{
    static const char *const words[] = { "deactivated", "revoked",
                                         "suspended", "disabled" };
    const char *text = acme_text_lower(res->detail, strlen(res->detail), p);
    apr_size_t i;

    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strstr(text, words[i])) {
            return 1;
        }
    }
    return res->reason == ACME_REASON_ACCOUNT_DEACTIVATED;
}

static void explain_given_up(const acme_task_t *task, const acme_result_t *why,
                             acme_result_t *res)
{
    const acme_conf_t *conf = task->env->conf;
    const acme_ca_conf_t *ca = acme_conf_ca(conf, task->cert,
                                            task->request->ca);
    const acme_retry_e retry = why->retry;

    acme_fail(
        res, APR_EACCES,
        "%s; for a new account, remove %s/accounts/%s and reload httpd, or set another key identifier with AcmeExternalAccount",
        why->detail, conf->state_dir, ca->folder);
    res->retry = retry;
    res->reason = ACME_REASON_ACCOUNT_DEACTIVATED;
}

/*
 * The CA lost it, whatever it calls that: a registration with the same key
 * brings back the account where there is one. (8555, 7.3) Not where it only
 * wants more than a key to look an account up.
 */
static int is_lost(const acme_result_t *res)
{
    static const char *const others[] = {
        "serverInternal", "badNonce", "externalAccountRequired",
        "userActionRequired", "badPublicKey", "badSignatureAlgorithm",
        "invalidContact", "unsupportedContact", NULL
    };

    return res->problem[0] && res->retry != ACME_RETRY_LATER
        && !acme_problem_is_any(res, others);
}

int acme_account_settle_again(acme_task_attempt_t *attempt,
                              const acme_task_t *task, acme_result_t *res)
{
    acme_result_t why;
    const char *url;
    apr_status_t rv;

    if (acme_problem_is(res, "accountDoesNotExist")) {
        rv = forget_account(attempt, task, &why);
        if (rv != APR_SUCCESS) {
            *res = why;
        }
        return rv == APR_SUCCESS;
    }
    if (!is_maybe_about_account(attempt, task, res)) {
        return 0;
    }
    rv = acme_account_find(&url, task->session, &why, task->p);
    if (rv == APR_SUCCESS && strcmp(url, attempt->prepared->account_url)) {
        rv = acme_task_send_url(task, ACME_MSG_ACCOUNT, url, &why);
        return rv == APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        return 0;               /* it is about something else */
    }
    if (is_given_up(&why, task->p)) {
        explain_given_up(task, &why, res);
        return 0;
    }
    return is_lost(&why) && forget_account(attempt, task, &why) == APR_SUCCESS;
}
