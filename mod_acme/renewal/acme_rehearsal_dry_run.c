/*
 * acme_rehearsal_dry_run.c - AcmeDns is tried: a record of dns-01 is set, seen,
 * and removed.
 */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_name.h"
#include "acme_rehearsal_dry_run.h"
#include "acme_text.h"

#define LOOK_EVERY apr_time_from_msec(300)
#define QUERY_MAX apr_time_from_sec(1)
#define TOKEN_OCTETS 32

/* How many of the servers that answer have it? */
typedef struct {
    int answered;
    int have;
} seen_t;

static apr_status_t publish(const acme_rehearsal_dry_run_t *what,
                            acme_publish_e action, const char *token,
                            acme_result_t *res, apr_pool_t *p)
{
    acme_msg_publish_t *body = apr_pcalloc(p, sizeof(*body));

    body->about.cert = what->cert;
    body->action = action;
    body->challenge = ACME_DNS_01;
    body->name = what->name;
    apr_cpystrn(body->token, token, sizeof(body->token));
    if (strcmp(what->record, what->own_record)) {
        apr_cpystrn(body->record, what->record, sizeof(body->record));
    }
    return acme_keeper_client_call(NULL, what->keeper, ACME_MSG_PUBLISH, body,
                                   res, p);
}

/* All servers side by side. */
static seen_t look(const acme_rehearsal_dry_run_t *what, const char *value,
                   apr_pool_t *p)
{
    acme_dns_lookup_conf_t conf = what->env->dns;
    const int n = what->servers->nelts;
    acme_dns_lookup_t **lookups = apr_pcalloc(p, (apr_size_t)(n + 1)
                                              * sizeof(*lookups));
    acme_dns_resolver_t *resolver;
    seen_t seen = { 0, 0 };
    acme_result_t res;
    int i;

    conf.timeout = QUERY_MAX;
    if (acme_dns_lookup_open(&resolver, &conf, &res, p)) {
        return seen;
    }
    for (i = 0; i < n; i++) {
        lookups[i] = acme_dns_lookup_txt(
            resolver, APR_ARRAY_IDX(what->servers, i, const char *),
            what->record, p);
    }
    for (i = 0; i < n; i++) {
        apr_array_header_t *values;
        apr_status_t rv;

        while (!acme_dns_lookup_is_over(lookups[i])) {
            if (acme_dns_lookup_run(resolver, QUERY_MAX, &res) == APR_EINTR) {
                return seen;
            }
        }
        rv = acme_dns_lookup_values(&values, lookups[i], &res);
        seen.answered += rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv);
        seen.have += rv == APR_SUCCESS && acme_name_in(values, value);
    }
    return seen;
}

static void set(acme_rehearsal_finding_t *finding, acme_rehearsal_e level,
                acme_reason_e reason, const char *text)
{
    finding->level = level;
    finding->reason = reason;
    finding->text = text;
}

static void set_failed(acme_rehearsal_finding_t *finding,
                       const acme_result_t *res, apr_pool_t *p)
{
    set(finding, ACME_REHEARSAL_FAULT,
        res->reason == ACME_REASON_OTHER ? ACME_REASON_DNS_UPDATE_FAILED
                                         : res->reason,
        apr_psprintf(p, "AcmeDns was tried, and failed: %s", res->detail));
}

/* Until all servers have it, it has failed, or the time is over. */
static void wait_for_record(acme_rehearsal_finding_t *finding,
                            const acme_rehearsal_dry_run_t *what,
                            const char *token, apr_pool_t *p)
{
    const char *value = acme_challenge_dns01_value(token, what->thumbprint, p);
    const apr_time_t begun = apr_time_now();
    seen_t seen = { 0, 0 };
    acme_result_t res;
    apr_pool_t *turn;

    apr_pool_create(&turn, p);
    while (apr_time_now() < what->end) {
        if (publish(what, ACME_PUBLISH_RESULT, token, &res, turn)) {
            set_failed(finding, &res, p);
            return;
        }
        seen = look(what, value, turn);
        apr_pool_clear(turn);
        if (seen.answered && seen.have == seen.answered) {
            set(finding, ACME_REHEARSAL_FINE, ACME_REASON_NONE, apr_psprintf(
                p, "AcmeDns was tried: the record %s was set, seen at all name servers that answer (%d), and is removed again",
                what->record, seen.have));
            return;
        }
        if (acme_stop_wait(what->env->stop, LOOK_EVERY)) {
            return;
        }
    }
    set(finding, ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE, apr_psprintf(
        p, "AcmeDns was tried: after %d s %d of the %d name servers that answer have the record %s; the command may still run, or the zone take longer",
        (int)apr_time_sec(apr_time_now() - begun), seen.have, seen.answered,
        what->record));
}

void acme_rehearsal_dry_run(acme_rehearsal_finding_t *finding,
                            const acme_rehearsal_dry_run_t *what,
                            apr_pool_t *p)
{
    unsigned char octets[TOKEN_OCTETS];
    acme_result_t res, ignored;
    const char *token;

    finding->level = ACME_REHEARSAL_NONE;
    memset(octets, 0, sizeof(octets));
    apr_generate_random_bytes(octets, sizeof(octets));
    token = acme_text_base64url(octets, sizeof(octets), p);
    if (publish(what, ACME_PUBLISH_PRESENT, token, &res, p)) {
        if (res.status == APR_EBUSY) {
            set(finding, ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
                apr_pstrdup(p, res.detail));
        }
        else if (!acme_stop_is(what->env->stop)) {
            set_failed(finding, &res, p);
        }
        return;
    }
    wait_for_record(finding, what, token, p);
    publish(what, ACME_PUBLISH_CLEANUP, token, &ignored, p);
}
