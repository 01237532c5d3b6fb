/*
 * acme_dns01.c - dns-01: the records of one order.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_challenge_pick.h"
#include "acme_dns01.h"
#include "acme_propagation.h"

/* So long the name servers may take; then the CA looks anyway. */
#define PROPAGATION_MAX apr_time_from_sec(5 * 60)

/* Each question has a timeout: this is only how long one turn may take. */
#define TURN_MAX apr_time_from_sec(60)

typedef struct {
    apr_uint32_t name;          /* position in the configuration */
    const char *token;
    acme_propagation_record_t record; /* behind all CNAMEs, and its value */
    int left;                   /* from before a reload: only removed */
} row_t;

static row_t *add_row(acme_task_t *work, const acme_authorization_t *authz,
                      const acme_challenge_t *challenge)
{
    row_t *row;

    if (!work->records) {
        work->records = apr_array_make(work->p, 4, sizeof(row_t));
    }
    row = apr_array_push(work->records);
    row->name = acme_challenge_pick_name(work, authz);
    row->token = challenge->token;
    row->record.record = apr_pstrcat(work->p, "_acme-challenge.", authz->name,
                                     NULL);
    row->record.value = acme_challenge_dns01_value(
        challenge->token, work->prepared->thumbprint, work->p);
    row->left = 0;
    return row;
}

void acme_dns01_add(acme_task_t *work, const acme_authorization_t *authz,
                    const acme_challenge_t *challenge)
{
    add_row(work, authz, challenge);
}

static int was_answered(const acme_authorization_t *authz,
                        const acme_challenge_t *challenge)
{
    return authz->status != ACME_AUTHORIZATION_PENDING
           && challenge->kind == ACME_DNS_01 && challenge->token
           && (challenge->begun || challenge->failed);
}

void acme_dns01_adopt(acme_task_t *work)
{
    const apr_array_header_t *urls = work->order->authorizations;
    acme_result_t ignored;
    acme_authorization_t *authz;
    int i, k;

    for (i = 0; work->cert->dns && i < urls->nelts; i++) {
        if (acme_authorization_fetch(&authz, &work->session,
                                     APR_ARRAY_IDX(urls, i, const char *),
                                     &ignored, work->p)) {
            continue;           /* who needs it will hear of that */
        }
        for (k = 0; k < authz->challenges->nelts; k++) {
            const acme_challenge_t *challenge =
                &APR_ARRAY_IDX(authz->challenges, k, acme_challenge_t);

            if (was_answered(authz, challenge)) {
                add_row(work, authz, challenge)->left = 1;
            }
        }
    }
}

/* remaining: how many of the same batch follow, for CERTBOT_... */
static apr_status_t ask_keeper(acme_task_t *work, const row_t *row,
                               acme_record_e action, int remaining,
                               acme_result_t *res)
{
    acme_msg_record_t *body = apr_pcalloc(work->p, sizeof(*body));

    body->about = work->about;
    body->action = action;
    body->name = row->name;
    body->remaining = (apr_uint32_t)remaining;
    apr_cpystrn(body->token, row->token, sizeof(body->token));
    apr_cpystrn(body->record, row->record.record, sizeof(body->record));
    return acme_client_call(NULL, work->client, ACME_MSG_RECORD, body, res,
                            work->p);
}

/* row_t *: those that are to be set, or those that were left. */
static apr_array_header_t *rows_of(const acme_task_t *work, int left)
{
    apr_array_header_t *rows = apr_array_make(work->p, 4, sizeof(row_t *));
    int i;

    for (i = 0; work->records && i < work->records->nelts; i++) {
        row_t *row = &APR_ARRAY_IDX(work->records, i, row_t);

        if (row->left == left) {
            APR_ARRAY_PUSH(rows, row_t *) = row;
        }
    }
    return rows;
}

/* Where a CNAME leads is where the record has to be; all names at once. */
static void follow_cnames(acme_task_t *work,
                          const acme_dns_lookup_conf_t *conf, int left)
{
    const apr_array_header_t *rows = rows_of(work, left);
    acme_dns_lookup_t **lookups =
        apr_pcalloc(work->p, (apr_size_t)(rows->nelts + 1) * sizeof(*lookups));
    acme_dns_resolver_t *resolver;
    acme_dns_authority_t found;
    acme_result_t res;
    int i;

    if (!rows->nelts || acme_dns_lookup_open(&resolver, conf, &res, work->p)) {
        return;                 /* then they are taken for what they are */
    }
    for (i = 0; i < rows->nelts; i++) {
        lookups[i] = acme_dns_lookup_authority(
            resolver, APR_ARRAY_IDX(rows, i, row_t *)->record.record, work->p);
    }
    for (i = 0; i < rows->nelts; i++) {
        while (!acme_dns_lookup_is_over(lookups[i])) {
            if (acme_dns_lookup_run(resolver, TURN_MAX, &res) == APR_EINTR) {
                return;
            }
        }
        if (!acme_dns_lookup_servers(&found, lookups[i], &res)) {
            APR_ARRAY_IDX(rows, i, row_t *)->record.record = found.record;
        }
    }
}

/* Begin all, then wait for all. */
static apr_status_t set_records(acme_task_t *work,
                                const apr_array_header_t *rows)
{
    const acme_msg_cert_t about = { work->about };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        rv = ask_keeper(work, APR_ARRAY_IDX(rows, i, row_t *),
                        ACME_RECORD_PRESENT, rows->nelts - i - 1, &work->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_client_call(NULL, work->client, ACME_MSG_AWAIT, &about,
                              &work->res, work->p);
    }
    return rv;
}

static apr_status_t wait_for_servers(acme_task_t *work,
                                     const apr_array_header_t *rows,
                                     const acme_dns_lookup_conf_t *conf)
{
    apr_array_header_t *records = apr_array_make(
        work->p, rows->nelts, sizeof(acme_propagation_record_t));
    acme_result_t res;
    apr_status_t rv;
    int i;

    for (i = 0; i < rows->nelts; i++) {
        APR_ARRAY_PUSH(records, acme_propagation_record_t) =
            APR_ARRAY_IDX(rows, i, row_t *)->record;
    }
    rv = acme_propagation_wait(records, conf, PROPAGATION_MAX, &res, work->p);
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return acme_task_note(
            work, ACME_NOTE_WARNING,
            apr_pstrcat(work->p, res.detail,
                        "; the CA is asked to look nevertheless", NULL));
    }
    if (rv != APR_SUCCESS) {
        work->res = res;
    }
    return rv;
}

apr_status_t acme_dns01_present(acme_task_t *work)
{
    const acme_dns_lookup_conf_t conf = { work->shop->stop, NULL, NULL, 0 };
    const apr_array_header_t *rows = rows_of(work, 0);
    apr_status_t rv;

    if (!rows->nelts) {
        return APR_SUCCESS;
    }
    atomic_store(&work->turn->away, 1);
    follow_cnames(work, &conf, 0);
    rv = set_records(work, rows);
    if (rv == APR_SUCCESS) {
        rv = wait_for_servers(work, rows, &conf);
    }
    atomic_store(&work->turn->away, 0);
    return rv;
}

void acme_dns01_cleanup(acme_task_t *work)
{
    const acme_dns_lookup_conf_t conf = { work->shop->stop, NULL, NULL, 0 };
    acme_result_t ignored;
    int i;

    follow_cnames(work, &conf, 1);
    for (i = 0; work->records && i < work->records->nelts; i++) {
        ask_keeper(work, &APR_ARRAY_IDX(work->records, i, row_t),
                   ACME_RECORD_CLEANUP, work->records->nelts - i - 1, &ignored);
    }
    work->records = NULL;
}
