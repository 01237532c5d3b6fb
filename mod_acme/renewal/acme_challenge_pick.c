/*
 * acme_challenge_pick.c - which challenge of a name is answered.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_challenge_pick.h"
#include "acme_name.h"
#include "acme_persist_check.h"

apr_uint32_t acme_challenge_pick_name(const acme_cert_conf_t *cert,
                                      const acme_authorization_t *authz,
                                      apr_pool_t *p)
{
    const char *name = authz->wildcard
        ? apr_pstrcat(p, "*.", authz->name, NULL) : authz->name;
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(cert->names, i, const char *),
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

/*
 * The first that isn't in failed; *pwhy: why dns-persist-01 was passed over.
 */
static int find_challenge(acme_challenge_pick_t *pick, const char **pwhy,
                          const acme_task_attempt_t *attempt,
                          const acme_task_t *task,
                          const acme_authorization_t *authz, unsigned failed)
{
    const acme_cert_conf_t *cert = task->cert;
    int i;

    for (i = 0; i < cert->nchallenges; i++) {
        const acme_challenge_e type = (acme_challenge_e)cert->challenges[i];

        pick->type = type;
        pick->challenge = acme_authorization_challenge(authz, type);
        if (pick->challenge && !(failed & (1u << type))
            && suits(type, authz->wildcard, acme_name_is_ip(authz->name))
            && (type != ACME_DNS_PERSIST_01
                || acme_persist_check_is_there(pwhy, attempt, task, authz,
                                               pick->challenge))) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_challenge_pick(acme_challenge_pick_t *pick,
                                 const acme_task_attempt_t *attempt,
                                 const acme_task_t *task,
                                 const acme_authorization_t *authz,
                                 acme_task_failure_t *why)
{
    const apr_uint32_t name = acme_challenge_pick_name(task->cert, authz,
                                                       task->p);
    const unsigned failed = name == ACME_NO_NAME ? 0 : attempt->flags[name];
    const char *persist = NULL;

    if (find_challenge(pick, &persist, attempt, task, authz, failed)
        || (failed
            && find_challenge(pick, &persist, attempt, task, authz, 0))) {
        return APR_SUCCESS;
    }
    why->name = name;
    if (acme_stop_is(task->env->stop)) {
        return acme_fail(&why->res, APR_EINTR, "%s: stopped", task->cert->id);
    }
    acme_fail_never(
        &why->res, APR_ENOTIMPL,
        "%s%s: no challenge can be answered here (the CA offers: %s; here can work: %s)%s%s%s",
        authz->wildcard ? "*." : "", authz->name,
        offered_text(authz, task->p),
        acme_conf_challenges(task->cert, task->p),
        authz->wildcard ? "; a wildcard needs AcmeDns" : "",
        persist ? "; " : "", persist ? persist : "");
    if (persist) {
        why->res.retry = ACME_RETRY_SOON;       /* a record may come */
    }
    return acme_result_reason(&why->res, persist
                                             ? ACME_REASON_DNS_PERSIST_MISSING
                                             : ACME_REASON_NO_CHALLENGE);
}

int acme_challenge_pick_is_left(const acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const acme_task_failure_t *why)
{
    const acme_cert_conf_t *cert = task->cert;
    const char *name;
    unsigned failed;
    int i;

    if (why->name == ACME_NO_NAME || why->challenge >= ACME_CHALLENGES
        || (attempt->flags[why->name] & (1u << why->challenge))) {
        return 0;
    }
    failed = attempt->flags[why->name] | 1u << why->challenge;
    name = APR_ARRAY_IDX(cert->names, why->name, const char *);
    for (i = 0; i < cert->nchallenges; i++) {
        const acme_challenge_e type = (acme_challenge_e)cert->challenges[i];

        /* dns-persist-01 would have been chosen if its record were there. */
        if (type != ACME_DNS_PERSIST_01 && !(failed & (1u << type))
            && suits(type, acme_name_is_wildcard(name),
                     acme_name_is_ip(name))) {
            return 1;
        }
    }
    return 0;
}

int acme_challenge_pick_another(acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const acme_task_failure_t *why)
{
    const int is_left = acme_challenge_pick_is_left(attempt, task, why);
    acme_result_t ignored;

    if (why->name != ACME_NO_NAME && why->challenge < ACME_CHALLENGES) {
        attempt->flags[why->name] |= (unsigned char)(1u << why->challenge);
    }
    if (is_left) {
        acme_task_note_challenge(task, why, &ignored);
    }
    return is_left;
}

int acme_challenge_pick_next(acme_task_attempt_t *attempt,
                             const acme_task_t *task,
                             const acme_task_failure_t *why)
{
    acme_result_t ignored;

    return acme_challenge_pick_another(attempt, task, why)
           && acme_task_send_url(task, ACME_MSG_ORDER, "", &ignored)
                  == APR_SUCCESS;
}
