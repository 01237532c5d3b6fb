/*
 * acme_publish_check.c - a record or token, before it is published.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns_command.h"
#include "acme_name.h"
#include "acme_publish_check.h"
#include "acme_token_command.h"
#include "acme_webroot.h"

#define PREFIX "_acme-challenge."

/* An IP address has tokens, too. (8738, 7) */
static apr_status_t check_token(const acme_publish_job_t *what,
                                acme_result_t *res, apr_pool_t *p)
{
    if (!acme_name_is_ip(what->name)
        && !acme_dns_command_is_name(what->name)) {
        return acme_fail_never(res, APR_EINVAL, "%s: not a name for http-01",
                               acme_text_clean(what->name, ACME_NAME_MAX, p));
    }
    if (!acme_token_command_is_value(what->token, what->value)) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: the token of http-01 is not base64url of at most %d characters, so AcmeHttp cannot publish it",
            what->name, ACME_WEBROOT_TOKEN_MAX);
    }
    return APR_SUCCESS;
}

apr_status_t acme_publish_check(const char **precord,
                                const acme_publish_job_t *what,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *record = what->record;

    if (what->http) {
        *precord = what->token;
        return check_token(what, res, p);
    }
    *precord = NULL;
    if (!acme_dns_command_is_name(what->name)) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: not a DNS name, so it cannot have a TXT record",
            acme_text_clean(what->name, ACME_NAME_MAX, p));
    }
    if (!record) {
        record = apr_pstrcat(p, PREFIX, what->name, NULL);
    }
    if (!acme_dns_command_is_name(record)) {
        return acme_fail_never(
            res, APR_EINVAL, "%s: not a valid name for the TXT record of %s",
            acme_text_clean(record, ACME_NAME_MAX, p), what->name);
    }
    if (!acme_text_is_base64url(what->token, ACME_PUBLISH_TOKEN_MAX)
        || !acme_text_is_base64url(what->value, ACME_RECORD_VALUE_LEN)
        || strlen(what->value) != ACME_RECORD_VALUE_LEN) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: the token or value of the challenge is not base64url",
            what->name);
    }
    *precord = record;
    return APR_SUCCESS;
}
