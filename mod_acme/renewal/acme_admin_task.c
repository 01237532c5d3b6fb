/*
 * acme_admin_task.c - what an administrator asks for with acmectl.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_certificate.h"
#include "acme_chain_pick.h"
#include "acme_order_begin.h"
#include "acme_problem.h"
#include "acme_admin_task.h"

typedef apr_status_t wish_t(acme_task_t *work);

/* The same leaf with the chain that the CA has for it today. */
static apr_status_t renew_chain(acme_task_t *work)
{
    const char *pem, *url;
    apr_size_t len;
    apr_status_t rv;

    rv = acme_task_live(&url, &pem, &len, work);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!url) {
        return acme_fail_never(&work->res, APR_ENOENT, "%s: it is not known "
                               "where the CA has the certificate; renew it "
                               "instead", work->cert->id);
    }
    rv = acme_chain_pick_fetch(&pem, &len, &url, work);
    return rv == APR_SUCCESS ? acme_task_install(work, pem, len, url) : rv;
}

/* By the account; where the CA does not let it, by the certificate's key. */
static apr_status_t revoke_part(acme_task_t *work)
{
    apr_status_t rv;

    if (!work->prepared->deactivated) {
        rv = acme_certificate_revoke(&work->session, &work->res, work->p);
        if (rv == APR_SUCCESS
            || (!acme_problem_is(&work->res, "unauthorized")
                && !acme_problem_is(&work->res, "accountDoesNotExist"))) {
            return rv;
        }
    }
    work->with |= ACME_WITH_CERT_KEY;
    rv = acme_certificate_revoke(&work->session, &work->res, work->p);
    work->with &= ~(apr_uint32_t)ACME_WITH_CERT_KEY;
    return rv;
}

static apr_status_t each_part(acme_task_t *work, wish_t *wish)
{
    apr_status_t rv = APR_SUCCESS;

    for (work->about.part = 0;
         rv == APR_SUCCESS && work->about.part < acme_conf_parts(work->cert);
         work->about.part++) {
        rv = wish(work);
    }
    work->about.part = 0;
    return rv;
}

/* Contacts that had changed were told when the account was settled. */
static apr_status_t update_account(acme_task_t *work)
{
    return work->prepared->contacts_changed ? APR_SUCCESS
                                            : acme_order_begin_contacts(work);
}

/* The keeper makes the next key when it signs for it. (8555, 7.3.5) */
static apr_status_t change_key(acme_task_t *work)
{
    apr_status_t rv;

    rv = acme_account_key_change(&work->session, &work->res, work->p);
    if (rv == APR_SUCCESS) {
        return acme_task_key(work, ACME_KEY_PROMOTE);
    }
    /* Refused for certain; when its fate is unknown, both keys stay. */
    if (work->res.problem[0] && work->res.retry == ACME_RETRY_NEVER) {
        const acme_result_t why = work->res;

        acme_task_key(work, ACME_KEY_DROP);
        work->res = why;
    }
    return rv;
}

/* An account that the CA does not know needs no end. */
static apr_status_t deactivate(acme_task_t *work)
{
    apr_status_t rv;

    rv = acme_account_deactivate(&work->session, work->prepared->account_url,
                                 &work->res, work->p);
    return rv != APR_SUCCESS
        && acme_problem_is(&work->res, "accountDoesNotExist")
        ? APR_SUCCESS : rv;
}

static apr_status_t grant(acme_task_t *work)
{
    switch (work->state->wanted) {
    case ACME_WANT_CHAIN:
        return each_part(work, renew_chain);
    case ACME_WANT_REVOCATION:
    case ACME_WANT_DELETION:
        return each_part(work, revoke_part);
    case ACME_WANT_UPDATE:
        return update_account(work);
    case ACME_WANT_ROLLOVER:
        return change_key(work);
    case ACME_WANT_DEACTIVATION:
        return deactivate(work);
    default:
        return APR_SUCCESS;
    }
}

/* A change of keys that was begun has come to its end: it is the wish. */
static int has_new_key(const acme_task_t *work, const char *thumbprint)
{
    return work->state->wanted == ACME_WANT_ROLLOVER
        && strcmp(work->prepared->thumbprint, thumbprint) != 0;
}

apr_status_t acme_admin_task_run(acme_task_t *work)
{
    const char *thumbprint;
    apr_status_t rv;

    rv = acme_task_prepare(work);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    thumbprint = apr_pstrdup(work->p, work->prepared->thumbprint);
    if (!work->prepared->deactivated) {
        rv = acme_order_begin_account(work);
    }
    if (rv == APR_SUCCESS && !has_new_key(work, thumbprint)) {
        rv = grant(work);
    }
    return rv == APR_SUCCESS ? acme_task_done(work, work->state->wanted) : rv;
}
