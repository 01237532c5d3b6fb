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

/* A record that ends within this is told of at each order. */
#define END_NEAR apr_time_from_sec(30 * 24 * 3600)

static int describe(acme_dns_persist_t *persist, acme_task_t *work,
                    const acme_authorization_t *authz,
                    const acme_challenge_t *challenge, acme_result_t *res)
{
    const acme_directory_t *dir;

    if (acme_session_directory(&dir, &work->session, res, work->p)) {
        return 0;
    }
    persist->draft = challenge->persist_draft;
    persist->name = authz->wildcard
        ? apr_pstrcat(work->p, "*.", authz->name, NULL) : authz->name;
    persist->issuers = challenge->issuers;
    persist->account_url = work->prepared->account_url;
    persist->thumbprint = work->prepared->thumbprint;
    persist->hash_prefix = dir->account_hash_prefix;
    return 1;
}

static void tell_end(acme_task_t *work, const char *record, apr_time_t until)
{
    if (until && until < apr_time_now() + END_NEAR) {
        acme_task_note(
            work, ACME_NOTE_WARNING,
            apr_psprintf(
                work->p,
                "%s: the record ends at %s (persistUntil): set a later "
                "one",
                record, acme_time_text(until, work->p)));
    }
}

/* Is one of the values ours? Else res may say what is wrong with one. */
static int find(apr_array_header_t *values, const acme_dns_persist_t *persist,
                const char *record, acme_task_t *work, acme_result_t *res)
{
    acme_result_t fault;
    apr_time_t until;
    apr_status_t rv;
    int i;

    for (i = 0; i < values->nelts; i++) {
        rv = acme_dns_persist_match(&until, persist,
                                    APR_ARRAY_IDX(values, i, const char *),
                                    apr_time_now(), &fault, work->p);
        if (rv == APR_SUCCESS) {
            tell_end(work, record, until);
            return 1;
        }
        if (!APR_STATUS_IS_ENOENT(rv)) {
            *res = fault;
        }
    }
    return 0;
}

/* One record for a name and its wildcard, where both are wanted. */
static const char *what_to_set(const acme_dns_persist_t *persist,
                               const char *record, const acme_task_t *work)
{
    const char *wildcard = apr_pstrcat(
        work->p, "*.", acme_name_base(persist->name), NULL);
    acme_dns_persist_t wanted = *persist;
    const char *value;
    acme_result_t res;

    if (acme_name_in(work->cert->names, wildcard)) {
        wanted.name = wildcard;
    }
    if (acme_dns_persist_value(&value, &wanted, 0, &res, work->p)) {
        return apr_pstrdup(work->p, res.detail);
    }
    return apr_psprintf(work->p, "for dns-persist-01 set %s TXT \"%s\" "
                        "(acmectl dns-persist %s prints all)", record, value,
                        work->cert->id);
}

/* Ask the DNS. Else res says what is wrong there, or nothing. */
static int look(const acme_dns_persist_t *persist, const char *record,
                acme_task_t *work, acme_result_t *res)
{
    const acme_dns_lookup_conf_t conf = { work->shop->stop, NULL, NULL, 0 };
    acme_dns_resolver_t *resolver;
    apr_array_header_t *values;
    apr_status_t rv;

    rv = acme_dns_lookup_open(&resolver, &conf, res, work->p);
    if (rv == APR_SUCCESS) {
        rv = acme_dns_lookup_txt_wait(&values, resolver, record, res, work->p);
    }
    if (rv == APR_SUCCESS) {
        acme_result_clear(res);
        return find(values, persist, record, work, res);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        acme_result_clear(res);
    }
    return 0;
}

int acme_persist_check_is_there(const char **pwhy, acme_task_t *work,
                                const acme_authorization_t *authz,
                                const acme_challenge_t *challenge)
{
    const char *record = acme_dns_persist_record(authz->name, work->p);
    acme_dns_persist_t persist;
    acme_result_t res;

    acme_result_clear(&res);
    if (!describe(&persist, work, authz, challenge, &res)) {
        *pwhy = apr_pstrdup(work->p, res.detail);
        return 0;
    }
    if (look(&persist, record, work, &res)) {
        return 1;
    }
    *pwhy = apr_pstrcat(work->p, res.detail, res.detail[0] ? "; " : "",
                        what_to_set(&persist, record, work), NULL);
    return 0;
}

/* A failure costs acmectl's answer, and no certificate. */
static void tell(acme_task_t *work, int draft,
                 const apr_array_header_t *issuers, const char *prefix)
{
    acme_msg_persist_t *body = apr_pcalloc(work->p, sizeof(*body));
    acme_result_t ignored;

    body->about = work->about;
    body->draft = (apr_uint32_t)draft;
    apr_cpystrn(body->issuer, APR_ARRAY_IDX(issuers, 0, const char *),
                sizeof(body->issuer));
    if (draft == 2 && prefix) {
        apr_cpystrn(body->prefix, prefix, sizeof(body->prefix));
    }
    acme_client_call(NULL, work->client, ACME_MSG_PERSIST, body, &ignored,
                     work->p);
}

void acme_persist_check_report(acme_task_t *work,
                               const acme_authorization_t *authz)
{
    const acme_challenge_t *challenge =
        acme_authorization_challenge(authz, ACME_DNS_PERSIST_01);
    const acme_directory_t *dir;
    acme_result_t ignored;

    if (!challenge || work->persist_told
        || acme_session_directory(&dir, &work->session, &ignored, work->p)) {
        return;
    }
    work->persist_told = 1;
    tell(work, challenge->persist_draft, challenge->issuers,
         dir->account_hash_prefix);
}

void acme_persist_check_report_directory(acme_task_t *work,
                                         const acme_directory_t *dir)
{
    if (dir->issuer_domain_names->nelts && dir->account_hash_prefix) {
        tell(work, 2, dir->issuer_domain_names, dir->account_hash_prefix);
    }
}
