/*
 * acme_dns01.c - dns-01: where the records of one order are, and who sees them.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_dns01.h"
#include "acme_publish.h"

/* The longest that name servers may take; then the CA looks anyway. */
#define PROPAGATION_MAX apr_time_from_sec(5 * 60)

/* Each question has a timeout: this is only how long one turn may take. */
#define TURN_MAX apr_time_from_sec(60)

int acme_dns01_can_update(const acme_dns_conf_t *dns, const char *name)
{
    const apr_size_t len = strlen(name);
    apr_size_t zone_len;

    if (dns->how != ACME_DNS_RFC2136 || !dns->zone) {
        return 1;
    }
    zone_len = strlen(dns->zone);
    return len >= zone_len && !strcasecmp(name + len - zone_len, dns->zone)
           && (len == zone_len || name[len - zone_len - 1] == '.');
}

static acme_publish_row_t *add_row(acme_task_attempt_t *attempt,
                                   const acme_task_t *task,
                                   const acme_authorization_t *authz,
                                   const acme_challenge_t *challenge)
{
    acme_publish_row_t *row =
        acme_publish_add(attempt, task, authz, ACME_DNS_01, challenge->token);

    row->record.name =
        apr_pstrcat(task->p, "_acme-challenge.", authz->name, NULL);
    row->record.record = row->record.name;
    row->record.value = acme_challenge_dns01_value(
        challenge->token, attempt->prepared->thumbprint, task->p);
    return row;
}

void acme_dns01_add(acme_task_attempt_t *attempt, const acme_task_t *task,
                    const acme_authorization_t *authz,
                    const acme_challenge_t *challenge)
{
    add_row(attempt, task, authz, challenge);
}

static int was_answered(const acme_authorization_t *authz,
                        const acme_challenge_t *challenge)
{
    return authz->status != ACME_AUTHORIZATION_PENDING
           && challenge->kind == ACME_DNS_01 && challenge->token
           && (challenge->begun || challenge->failed);
}

void acme_dns01_adopt(acme_task_attempt_t *attempt, const acme_task_t *task)
{
    const apr_array_header_t *urls = attempt->order->authorizations;
    acme_result_t ignored;
    acme_authorization_t *authz;
    int i, k;

    for (i = 0; task->cert->dns && i < urls->nelts; i++) {
        if (acme_authorization_fetch(&authz, task->session,
                                     APR_ARRAY_IDX(urls, i, const char *),
                                     &ignored, task->p)) {
            continue; /* whoever needs it reports that */
        }
        for (k = 0; k < authz->challenges->nelts; k++) {
            const acme_challenge_t *challenge =
                &APR_ARRAY_IDX(authz->challenges, k, acme_challenge_t);

            if (was_answered(authz, challenge)) {
                add_row(attempt, task, authz, challenge)->left = 1;
            }
        }
    }
}

/*
 * Where a CNAME leads is where the record has to be, if it can be set there;
 * all names at once.
 */
static void follow_all_cnames(const apr_array_header_t *rows,
                              const acme_task_t *task)
{
    acme_dns_lookup_t **lookups =
        apr_pcalloc(task->p, (apr_size_t)(rows->nelts + 1) * sizeof(*lookups));
    acme_dns_resolver_t *resolver;
    acme_dns_authority_t found;
    acme_result_t res;
    int i;

    if (!rows->nelts || task->cert->dns->stay
        || acme_dns_lookup_open(&resolver, &task->env->dns, &res, task->p)) {
        return; /* then they are taken for what they are */
    }
    for (i = 0; i < rows->nelts; i++) {
        lookups[i] = acme_dns_lookup_authority(
            resolver,
            APR_ARRAY_IDX(rows, i, acme_publish_row_t *)->record.name,
            task->p);
    }
    for (i = 0; i < rows->nelts; i++) {
        while (!acme_dns_lookup_is_over(lookups[i])) {
            if (acme_dns_lookup_run(resolver, TURN_MAX, &res) == APR_EINTR) {
                return;
            }
        }
        if (!acme_dns_lookup_servers(&found, lookups[i], &res)
            && acme_dns01_can_update(task->cert->dns, found.record)) {
            APR_ARRAY_IDX(rows, i, acme_publish_row_t *)->record.record =
                found.record;
        }
    }
}

static apr_status_t wait_for_servers(const acme_task_t *task,
                                     const apr_array_header_t *rows,
                                     acme_result_t *res)
{
    apr_array_header_t *records = apr_array_make(
        task->p, rows->nelts, sizeof(acme_propagation_record_t));
    apr_status_t rv;
    int i;

    for (i = 0; i < rows->nelts; i++) {
        APR_ARRAY_PUSH(records, acme_propagation_record_t) =
            APR_ARRAY_IDX(rows, i, acme_publish_row_t *)->record;
    }
    rv = acme_propagation_wait(records, &task->env->dns, PROPAGATION_MAX, res,
                               task->p);
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return acme_task_note(
            task, ACME_NOTE_WARNING,
            apr_pstrcat(task->p, res->detail,
                        "; the CA validates the name nevertheless", NULL),
            res);
    }
    return rv;
}

void acme_dns01_locate(acme_task_attempt_t *attempt, const acme_task_t *task,
                       int left)
{
    follow_all_cnames(acme_publish_rows(attempt, ACME_DNS_01, left, task->p),
                      task);
}

apr_status_t acme_dns01_wait(const acme_task_attempt_t *attempt,
                             const acme_task_t *task, acme_task_failure_t *why)
{
    const apr_array_header_t *rows =
        acme_publish_rows(attempt, ACME_DNS_01, 0, task->p);
    apr_status_t rv;

    if (!rows->nelts) {
        return APR_SUCCESS;
    }
    atomic_store(&task->request->waits_for_dns, 1);
    rv = wait_for_servers(task, rows, &why->res);
    why->is_local = rv != APR_SUCCESS;
    atomic_store(&task->request->waits_for_dns, 0);
    return rv;
}
