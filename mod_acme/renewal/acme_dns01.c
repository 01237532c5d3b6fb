/*
 * acme_dns01.c - dns-01: the records of one order.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_challenge_pick.h"
#include "acme_dns01.h"
#include "acme_propagation.h"

/* The longest that name servers may take; then the CA looks anyway. */
#define PROPAGATION_MAX apr_time_from_sec(5 * 60)

/* Each question has a timeout: this is only how long one turn may take. */
#define TURN_MAX apr_time_from_sec(60)

typedef struct {
    apr_uint32_t name;          /* position in the configuration */
    const char *token;
    acme_propagation_record_t record; /* behind all CNAMEs, and its value */
    int left;                   /* from before a reload: only removed */
    const acme_result_t *failure;       /* why it is not set; NULL: it is */
} dns_row_t;

static dns_row_t *add_row(acme_task_attempt_t *attempt,
                          const acme_task_t *task,
                          const acme_authorization_t *authz,
                          const acme_challenge_t *challenge)
{
    dns_row_t *row;

    if (!attempt->records) {
        attempt->records = apr_array_make(task->p, 4, sizeof(dns_row_t));
    }
    row = apr_array_push(attempt->records);
    row->name = acme_challenge_pick_name(task->cert, authz, task->p);
    row->token = challenge->token;
    row->record.name = apr_pstrcat(task->p, "_acme-challenge.", authz->name,
                                   NULL);
    row->record.record = row->record.name;
    row->record.value = acme_challenge_dns01_value(
        challenge->token, attempt->prepared->thumbprint, task->p);
    row->left = 0;
    row->failure = NULL;
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
            continue;           /* whoever needs it reports that */
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

/* remaining: how many of the same batch follow, for CERTBOT_... */
static apr_status_t send_record(const acme_task_t *task, const dns_row_t *row,
                                acme_record_e action, int remaining,
                                acme_result_t *res)
{
    acme_msg_record_t *body = apr_pcalloc(task->p, sizeof(*body));

    body->about = task->signing->about;
    body->action = action;
    body->name = row->name;
    body->remaining = (apr_uint32_t)remaining;
    apr_cpystrn(body->token, row->token, sizeof(body->token));
    apr_cpystrn(body->record, row->record.record, sizeof(body->record));
    return acme_keeper_client_call(NULL, task->keeper, ACME_MSG_RECORD, body,
                                   res, task->p);
}

/* dns_row_t *: those that are set now (left 0), or those that were left (1). */
static apr_array_header_t *dns_rows_of(const acme_task_attempt_t *attempt,
                                       int left, apr_pool_t *p)
{
    apr_array_header_t *rows = apr_array_make(p, 4, sizeof(dns_row_t *));
    int i;

    for (i = 0; attempt->records && i < attempt->records->nelts; i++) {
        dns_row_t *row = &APR_ARRAY_IDX(attempt->records, i, dns_row_t);

        if (row->left == left) {
            APR_ARRAY_PUSH(rows, dns_row_t *) = row;
        }
    }
    return rows;
}

/* Is name in the zone that AcmeDns updates? */
static int can_update(const acme_dns_conf_t *dns, const char *name)
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
        return;                 /* then they are taken for what they are */
    }
    for (i = 0; i < rows->nelts; i++) {
        lookups[i] = acme_dns_lookup_authority(
            resolver, APR_ARRAY_IDX(rows, i, dns_row_t *)->record.name,
            task->p);
    }
    for (i = 0; i < rows->nelts; i++) {
        while (!acme_dns_lookup_is_over(lookups[i])) {
            if (acme_dns_lookup_run(resolver, TURN_MAX, &res) == APR_EINTR) {
                return;
            }
        }
        if (!acme_dns_lookup_servers(&found, lookups[i], &res)
            && can_update(task->cert->dns, found.record)) {
            APR_ARRAY_IDX(rows, i, dns_row_t *)->record.record = found.record;
        }
    }
}

/* The action for each row that has not failed yet; those that fail keep why. */
static void send_all(const acme_task_t *task, const apr_array_header_t *rows,
                     acme_record_e action)
{
    acme_result_t res;
    int i;

    for (i = 0; i < rows->nelts && !acme_stop_is(task->env->stop); i++) {
        dns_row_t *row = APR_ARRAY_IDX(rows, i, dns_row_t *);

        if (!row->failure
            && send_record(task, row, action, rows->nelts - i - 1, &res)) {
            row->failure = apr_pmemdup(task->p, &res, sizeof(res));
        }
    }
}

/* A failure of a record, as one of the challenge. */
static acme_task_failure_t failure_of(const dns_row_t *row)
{
    acme_task_failure_t failure = { .name = row->name,
                                    .challenge = ACME_DNS_01,
                                    .is_local = 1 };

    failure.res = *row->failure;
    return failure;
}

/*
 * Of the names whose record could not be set, *why gets one, which decides
 * how the order goes on: one that no other type is left for, if there is any.
 * The keeper is told of the others.
 */
static apr_status_t fail_rows(acme_task_attempt_t *attempt,
                              const acme_task_t *task,
                              const apr_array_header_t *rows,
                              acme_task_failure_t *why)
{
    const dns_row_t *first = NULL;
    acme_task_failure_t failure;
    acme_result_t ignored;
    int i, is_left = 1;

    for (i = 0; i < rows->nelts && is_left; i++) {
        const dns_row_t *row = APR_ARRAY_IDX(rows, i, const dns_row_t *);

        if (row->failure) {
            failure = failure_of(row);
            is_left = acme_challenge_pick_is_left(attempt, task, &failure);
            if (!first || !is_left) {
                first = row;
            }
        }
    }
    if (!first) {
        return APR_SUCCESS;
    }
    for (i = 0; i < rows->nelts; i++) {
        const dns_row_t *row = APR_ARRAY_IDX(rows, i, const dns_row_t *);

        if (row->failure && row != first) {
            failure = failure_of(row);
            if (!acme_challenge_pick_another(attempt, task, &failure)) {
                acme_task_note_name(task, &failure, &ignored);
            }
        }
    }
    *why = failure_of(first);
    return why->res.status;
}

/* Begin all, then wait for all. */
static apr_status_t set_records(acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const apr_array_header_t *rows,
                                acme_task_failure_t *why)
{
    const acme_msg_cert_t about = { task->signing->about };
    apr_status_t rv, failed;

    send_all(task, rows, ACME_RECORD_PRESENT);
    rv = acme_keeper_client_call(NULL, task->keeper, ACME_MSG_AWAIT, &about,
                                 &why->res, task->p);
    if (rv != APR_SUCCESS) {
        send_all(task, rows, ACME_RECORD_RESULT);
    }
    if (acme_stop_is(task->env->stop)) {
        return acme_fail(&why->res, APR_EINTR, "%s: stopped", task->cert->id);
    }
    failed = fail_rows(attempt, task, rows, why);
    return failed == APR_SUCCESS ? rv : failed;
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
            APR_ARRAY_IDX(rows, i, dns_row_t *)->record;
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

apr_status_t acme_dns01_present(acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                acme_task_failure_t *why)
{
    const apr_array_header_t *rows = dns_rows_of(attempt, 0, task->p);
    apr_status_t rv;

    if (!rows->nelts) {
        return APR_SUCCESS;
    }
    atomic_store(&task->request->waits_for_dns, 1);
    follow_all_cnames(rows, task);
    rv = set_records(attempt, task, rows, why);
    if (rv == APR_SUCCESS) {
        rv = wait_for_servers(task, rows, &why->res);
    }
    why->is_local = rv != APR_SUCCESS;
    atomic_store(&task->request->waits_for_dns, 0);
    return rv;
}

void acme_dns01_cleanup(acme_task_attempt_t *attempt, const acme_task_t *task)
{
    acme_result_t ignored;
    int i;

    follow_all_cnames(dns_rows_of(attempt, 1, task->p), task);
    for (i = 0; attempt->records && i < attempt->records->nelts; i++) {
        send_record(task, &APR_ARRAY_IDX(attempt->records, i, dns_row_t),
                    ACME_RECORD_CLEANUP, attempt->records->nelts - i - 1,
                    &ignored);
    }
    attempt->records = NULL;
}
