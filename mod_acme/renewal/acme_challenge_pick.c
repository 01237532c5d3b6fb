/*
 * acme_challenge_pick.c - which challenge of a name is answered.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_challenge_pick.h"
#include "acme_name.h"
#include "acme_persist_check.h"

apr_uint32_t acme_challenge_pick_name(const acme_task_t *work,
                                      const acme_authorization_t *authz)
{
    const char *name = authz->wildcard
        ? apr_pstrcat(work->p, "*.", authz->name, NULL) : authz->name;
    int i;

    for (i = 0; i < work->cert->names->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(work->cert->names, i, const char *),
                    name)) {
            return (apr_uint32_t)i;
        }
    }
    return ACME_NO_NAME;
}

/* (8555, 8.3 and 8.4; 8738, 7) */
static int suits(acme_challenge_e type, int wildcard, int ip)
{
    const int by_dns = type == ACME_DNS_01 || type == ACME_DNS_PERSIST_01;

    return by_dns ? !ip : !wildcard;
}

/* What the CA offers, for people. */
static const char *offered_text(const acme_authorization_t *authz,
                                apr_pool_t *p)
{
    apr_array_header_t *types = apr_array_make(p, 4, sizeof(char *));
    int i;

    for (i = 0; i < authz->challenges->nelts; i++) {
        APR_ARRAY_PUSH(types, const char *) =
            APR_ARRAY_IDX(authz->challenges, i, acme_challenge_t).type;
    }
    return types->nelts ? apr_array_pstrcat(p, types, ' ') : "none";
}

/* The first that isn't in failed; *pwhy: why dns-persist-01 was left. */
static int choose(acme_challenge_pick_t *choice, const char **pwhy,
                  acme_task_t *work, const acme_authorization_t *authz,
                  unsigned failed)
{
    const acme_cert_conf_t *cert = work->cert;
    int i;

    for (i = 0; i < cert->nchallenges; i++) {
        const acme_challenge_e type = (acme_challenge_e)cert->challenges[i];

        choice->type = type;
        choice->challenge = acme_authorization_challenge(authz, type);
        if (choice->challenge && !(failed & (1u << type))
            && suits(type, authz->wildcard, acme_name_is_ip(authz->name))
            && (type != ACME_DNS_PERSIST_01
                || acme_persist_check_is_there(pwhy, work, authz,
                                               choice->challenge))) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_challenge_pick_make(acme_challenge_pick_t *choice,
                                      acme_task_t *work,
                                      const acme_authorization_t *authz)
{
    const apr_uint32_t name = acme_challenge_pick_name(work, authz);
    const unsigned failed = name == ACME_NO_NAME ? 0 : work->flags[name];
    const char *why = NULL;

    if (choose(choice, &why, work, authz, failed)
        || (failed && choose(choice, &why, work, authz, 0))) {
        return APR_SUCCESS;
    }
    work->blamed = name;
    if (acme_stop_is(work->shop->stop)) {
        return acme_fail(&work->res, APR_EINTR, "stopped");
    }
    acme_fail_never(
        &work->res, APR_ENOTIMPL, "%s%s: no challenge can be answered here "
        "(the CA offers: %s; here can work: %s)%s%s%s",
        authz->wildcard ? "*." : "", authz->name,
        offered_text(authz, work->p),
        acme_conf_challenges(work->cert, work->p),
        authz->wildcard ? "; a wildcard needs AcmeDns" : "",
        why ? "; " : "", why ? why : "");
    if (why) {
        work->res.retry = ACME_RETRY_SOON;      /* a record may come */
    }
    return acme_result_reason(&work->res, why ? ACME_REASON_DNS_PERSIST_MISSING
                                              : ACME_REASON_NO_CHALLENGE);
}

int acme_challenge_pick_another(const acme_task_t *work)
{
    const acme_cert_conf_t *cert = work->cert;
    const char *name;
    int i;

    if (work->blamed == ACME_NO_NAME
        || work->blamed_challenge >= ACME_CHALLENGES) {
        return 0;
    }
    name = APR_ARRAY_IDX(cert->names, work->blamed, const char *);
    for (i = 0; i < cert->nchallenges; i++) {
        const acme_challenge_e type = (acme_challenge_e)cert->challenges[i];

        /* dns-persist-01 would have been chosen if its record were there. */
        if (type != ACME_DNS_PERSIST_01
            && !(work->flags[work->blamed] & (1u << type))
            && suits(type, acme_name_is_wildcard(name),
                     acme_name_is_ip(name))) {
            return 1;
        }
    }
    return 0;
}
