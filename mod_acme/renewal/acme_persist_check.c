/*
 * acme_persist_check.c - the record of dns-persist-01: is it there?
 *
 * An administrator sets it once by hand; we only look, so that a CA is not
 * asked in vain.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns_persist.h"
#include "acme_name.h"
#include "acme_persist_check.h"
#include "acme_dns_lookup.h"

/* A record that ends within this is warned of at each order. */
#define END_NEAR apr_time_from_sec(30 * 24 * 3600)

static int describe(acme_dns_persist_t *persist,
                    const acme_task_attempt_t *attempt,
                    const acme_task_t *task,
                    const acme_authorization_t *authz,
                    const acme_challenge_t *challenge, acme_result_t *res)
{
    const acme_directory_t *dir;

    if (acme_session_directory(&dir, task->session, res, task->p)) {
        return 0;
    }
    persist->draft = challenge->persist_draft;
    persist->name = authz->wildcard
        ? apr_pstrcat(task->p, "*.", authz->name, NULL) : authz->name;
    persist->issuers = challenge->issuers;
    persist->account_url = attempt->prepared->account_url;
    persist->thumbprint = attempt->prepared->thumbprint;
    persist->hash_prefix = dir->account_hash_prefix;
    return 1;
}

static void warn_of_end(const acme_task_t *task, const char *record,
                        apr_time_t until)
{
    acme_result_t ignored;

    if (until && until < apr_time_now() + END_NEAR) {
        acme_task_note(
            task, ACME_NOTE_WARNING,
            apr_psprintf(task->p,
                         "%s: the record ends at %s (persistUntil): set a later one",
                         record, acme_time_text(until, task->p)), &ignored);
    }
}

/* Is one of the values ours? Else res may say what is wrong with one. */
static int find_records(apr_array_header_t *values,
                        const acme_dns_persist_t *persist, const char *record,
                        const acme_task_t *task, acme_result_t *res)
{
    acme_result_t fault;
    apr_time_t until;
    apr_status_t rv;
    int i;

    for (i = 0; i < values->nelts; i++) {
        rv = acme_dns_persist_match(&until, persist,
                                    APR_ARRAY_IDX(values, i, const char *),
                                    apr_time_now(), &fault, task->p);
        if (rv == APR_SUCCESS) {
            warn_of_end(task, record, until);
            return 1;
        }
        if (!APR_STATUS_IS_ENOENT(rv)) {
            *res = fault;
        }
    }
    return 0;
}

/* One record for a name and its wildcard, where both are wanted. */
static const char *record_to_set(const acme_dns_persist_t *persist,
                                 const char *record, const acme_task_t *task)
{
    const char *wildcard = apr_pstrcat(
        task->p, "*.", acme_name_base(persist->name), NULL);
    acme_dns_persist_t wanted = *persist;
    const char *value;
    acme_result_t res;

    if (acme_name_in(task->cert->names, wildcard)) {
        wanted.name = wildcard;
    }
    if (acme_dns_persist_value(&value, &wanted, 0, &res, task->p)) {
        return apr_pstrdup(task->p, res.detail);
    }
    return apr_psprintf(task->p, "for dns-persist-01 set %s TXT \"%s\" (acmectl dns-persist %s prints all)",
                        record, value, task->cert->id);
}

/* Ask the DNS. Else res says what is wrong there, or nothing. */
static int find_in_dns(const acme_dns_persist_t *persist, const char *record,
                       const acme_task_t *task, acme_result_t *res)
{
    acme_dns_resolver_t *resolver;
    apr_array_header_t *values;
    apr_status_t rv;

    rv = acme_dns_lookup_open(&resolver, &task->env->dns, res, task->p);
    if (rv == APR_SUCCESS) {
        rv = acme_dns_lookup_txt_wait(&values, resolver, record, res, task->p);
    }
    if (rv == APR_SUCCESS) {
        acme_result_clear(res);
        return find_records(values, persist, record, task, res);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        acme_result_clear(res);
    }
    return 0;
}

int acme_persist_check_is_there(const char **pwhy,
                                const acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const acme_authorization_t *authz,
                                const acme_challenge_t *challenge)
{
    acme_task_t own = *task;    /* with memory that goes with each name */
    acme_dns_persist_t persist;
    const char *record;
    acme_result_t res;
    int is_there = 0;

    apr_pool_create(&own.p, task->p);
    record = acme_dns_persist_record(authz->name, own.p);
    acme_result_clear(&res);
    if (!describe(&persist, attempt, &own, authz, challenge, &res)) {
        *pwhy = apr_pstrdup(task->p, res.detail);
    }
    else if (find_in_dns(&persist, record, &own, &res)) {
        is_there = 1;
    }
    else {
        *pwhy = apr_pstrcat(task->p, res.detail, res.detail[0] ? "; " : "",
                            record_to_set(&persist, record, &own), NULL);
    }
    apr_pool_destroy(own.p);
    return is_there;
}

/* A failure costs acmectl's answer, and no certificate. */
static void report(const acme_task_t *task, int draft,
                   const apr_array_header_t *issuers, const char *prefix)
{
    acme_msg_persist_t *body = apr_pcalloc(task->p, sizeof(*body));
    acme_result_t ignored;

    body->about = task->signing->about;
    body->draft = (apr_uint32_t)draft;
    apr_cpystrn(body->issuer, APR_ARRAY_IDX(issuers, 0, const char *),
                sizeof(body->issuer));
    if (draft == 2 && prefix) {
        apr_cpystrn(body->prefix, prefix, sizeof(body->prefix));
    }
    acme_keeper_client_call(NULL, task->keeper, ACME_MSG_PERSIST, body,
                            &ignored, task->p);
}

int acme_persist_check_report(const acme_task_t *task,
                              const acme_authorization_t *authz)
{
    const acme_challenge_t *challenge =
        acme_authorization_challenge(authz, ACME_DNS_PERSIST_01);
    const acme_directory_t *dir;
    acme_result_t ignored;

    if (!challenge
        || acme_session_directory(&dir, task->session, &ignored, task->p)) {
        return 0;
    }
    report(task, challenge->persist_draft, challenge->issuers,
           dir->account_hash_prefix);
    return 1;
}

int acme_persist_check_report_directory(const acme_task_t *task,
                                        const acme_directory_t *dir)
{
    if (!dir->issuer_domain_names->nelts || !dir->account_hash_prefix) {
        return 0;
    }
    report(task, 2, dir->issuer_domain_names, dir->account_hash_prefix);
    return 1;
}
