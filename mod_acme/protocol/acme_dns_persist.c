/*
 * acme_dns_persist.c - the values of dns-persist-01, written and read.
 *
 * Reading is as strict as the CA's is: an administrator who sees that a record
 * was found stops looking, so a record that the CA refuses must not pass.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "acme_digest.h"
#include "acme_dns_persist.h"
#include "acme_name.h"
#include "acme_text.h"

#define LABEL "_validation-persist."
#define SPACE " \t"

#define ISSUER_MAX 300          /* octets of a name before it is looked at */
#define VALUE_MAX 4096          /* octets of a record: URLs are long */
#define VALUE_SHOWN 200
#define PARAMETERS_MAX 32
#define UNTIL_DIGITS 12         /* seconds, far below what apr_time_t holds */

#define ANY_DOMAIN "*"

apr_array_header_t *acme_dns_persist_issuers(const json_t *json,
                                             const char *key, apr_pool_t *p)
{
    const apr_array_header_t *texts = acme_json_strings(json, key, ISSUER_MAX,
                                                        p);
    apr_array_header_t *issuers = apr_array_make(p, 2, sizeof(const char *));
    acme_result_t ignored;
    const char *name;
    int i;

    for (i = 0; texts && i < texts->nelts
                && issuers->nelts < ACME_ISSUERS_MAX; i++) {
        if (acme_name_normalise(&name, APR_ARRAY_IDX(texts, i, const char *),
                                &ignored, p) == APR_SUCCESS
            && !acme_name_is_ip(name) && !acme_name_is_wildcard(name)) {
            APR_ARRAY_PUSH(issuers, const char *) = name;
        }
    }
    return issuers;
}

int acme_dns_persist_is_prefix(const char *text)
{
    const char *c;

    for (c = text; *c; c++) {
        if (*c <= 0x20 || *c > 0x7e || strchr("\"';\\", *c)) {
            return 0;
        }
    }
    return *text != '\0';
}

static const char *domain_of(const char *name)
{
    return name + (acme_name_is_wildcard(name) ? strlen("*.") : 0);
}

const char *acme_dns_persist_record(const char *name, apr_pool_t *p)
{
    return apr_pstrcat(p, LABEL, domain_of(name), NULL);
}

/*
 * The record's name of the account; domain is the name's or ANY_DOMAIN. Draft
 * 02 hashes the domain's length in one octet, the domain, the thumbprint and
 * the account's URL.
 */
static apr_status_t account_uri(const char **puri,
                                const acme_dns_persist_t *persist,
                                const char *domain, acme_result_t *res,
                                apr_pool_t *p)
{
    unsigned char digest[ACME_DIGEST_OCTETS];
    apr_size_t len;
    char *input;

    *puri = NULL;

    if (persist->draft == 1) {
        *puri = persist->account_url;
        return APR_SUCCESS;
    }
    input = apr_pstrcat(p, " ", domain, persist->thumbprint,
                        persist->account_url, NULL);
    len = strlen(input);
    input[0] = (char)strlen(domain);
    if (!acme_digest_make(digest, input, len)) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: OpenSSL cannot compute a SHA-256", domain);
    }
    *puri = apr_pstrcat(p, persist->hash_prefix, "sha-256/",
                        acme_text_base64url(digest, sizeof(digest), p), NULL);
    return APR_SUCCESS;
}

/* Can a record be made at all? */
static apr_status_t check_persist(const acme_dns_persist_t *persist,
                                  acme_result_t *res)
{
    const char *fault = NULL;

    if (acme_name_is_ip(persist->name)) {
        fault = "IP addresses cannot have one";
    }
    else if (!persist->issuers->nelts) {
        fault = "the CA did not publish the issuer name that its records begin with";
    }
    else if (persist->draft == 2 && !persist->hash_prefix) {
        fault = "the CA's directory has no valid accountHashPrefix";
    }
    else if (strchr(persist->account_url, ';')) {
        fault = "the URL of the account contains a semicolon, which ends a parameter";
    }
    if (fault) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: cannot make a record for dns-persist-01: %s",
                               persist->name, fault);
    }
    return APR_SUCCESS;
}

apr_status_t acme_dns_persist_value(const char **pvalue,
                                    const acme_dns_persist_t *persist,
                                    apr_time_t until, acme_result_t *res,
                                    apr_pool_t *p)
{
    const char *value, *uri;
    apr_status_t rv;

    *pvalue = NULL;

    rv = check_persist(persist, res);
    if (rv == APR_SUCCESS) {
        rv = account_uri(&uri, persist, domain_of(persist->name), res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    value = apr_pstrcat(p, APR_ARRAY_IDX(persist->issuers, 0, const char *),
                        "; accounturi=", uri,
                        acme_name_is_wildcard(persist->name)
                            ? "; policy=wildcard" : "", NULL);
    if (until) {
        value = apr_psprintf(p, "%s; persistUntil=%" APR_INT64_T_FMT, value,
                             apr_time_sec(until));
    }
    *pvalue = value;
    return APR_SUCCESS;
}

/* The parameters of a record; NULL: the record does not have this one. */
typedef struct {
    const char *issuer;
    const char *account_uri;
    const char *policy;
    const char *until;
} persist_record_t;

/* The first len octets without white space around them. */
static char *trim(const char *text, apr_size_t len, apr_pool_t *p)
{
    apr_size_t skip = strspn(text, SPACE);

    skip = skip < len ? skip : len;
    text += skip;
    len -= skip;
    while (len && strchr(SPACE, text[len - 1])) {
        len--;
    }
    return apr_pstrmemdup(p, text, len);
}

/* Printable and without a space: all that a value may hold. */
static int is_value(const char *text)
{
    for (; *text; text++) {
        if (*text <= 0x20 || *text > 0x7e) {
            return 0;
        }
    }
    return 1;
}

/*
 * A parameter, "tag=value": a known one goes into record. seen has the tags
 * before it, in a table that knows no case. Returns the fault, or NULL.
 */
static const char *parse_parameter(persist_record_t *record, apr_table_t *seen,
                                   const char *text, apr_pool_t *p)
{
    const char *equals = strchr(text, '=');
    const char *tag = equals ? trim(text, equals - text, p) : "";
    const char **pvalue, *value;

    if (!*tag) {
        return "a parameter is not of the form tag=value";
    }
    if (apr_table_get(seen, tag)) {
        return "a parameter occurs twice";
    }
    if (apr_table_elts(seen)->nelts == PARAMETERS_MAX) {
        return "the record has too many parameters";
    }
    apr_table_setn(seen, tag, "");

    pvalue = !apr_cstr_casecmp(tag, "accounturi") ? &record->account_uri
           : !apr_cstr_casecmp(tag, "policy") ? &record->policy
           : !apr_cstr_casecmp(tag, "persistUntil") ? &record->until
           : NULL;
    if (!pvalue) {
        return NULL;
    }
    value = trim(equals + 1, strlen(equals + 1), p);
    if (!is_value(value)) {
        return "a value contains white space or unprintable characters";
    }
    *pvalue = value;
    return NULL;
}

/* All parameters, text being behind the issuer; a last ';' may be there. */
static const char *parse_record_parameters(persist_record_t *record,
                                           const char *text, apr_pool_t *p)
{
    apr_table_t *seen = apr_table_make(p, 4);
    const char *fault = NULL, *parameter;
    apr_size_t len;

    while (*text == ';' && !fault) {
        text++;
        len = strcspn(text, ";");
        parameter = trim(text, len, p);
        text += len;
        if (*parameter || *text) {
            fault = parse_parameter(record, seen, parameter, p);
        }
    }
    return fault;
}

/* Letters of a name are of any case, and a dot may end it. */
static const char *issuer_text(const char *text, apr_size_t len,
                               apr_pool_t *p)
{
    const char *issuer = trim(text, len, p);

    len = strlen(issuer);
    return acme_text_lower(issuer, len && issuer[len - 1] == '.' ? len - 1
                                                                 : len, p);
}

/* The fault of a record for our issuer, or NULL. */
static const char *parse_record(persist_record_t *record, apr_time_t *puntil,
                                const char *parameters, apr_pool_t *p)
{
    const char *fault = parse_record_parameters(record, parameters, p);
    const char *until = record->until;

    if (fault) {
        return fault;
    }
    if (!record->account_uri || !*record->account_uri) {
        return "the record has no accounturi";
    }
    if (until && (!*until || strlen(until) > UNTIL_DIGITS
                  || until[strspn(until, "0123456789")])) {
        return "persistUntil is not a number of seconds since 1970";
    }
    *puntil = until ? apr_time_from_sec(apr_atoi64(until)) : 0;
    return NULL;
}

/* Does the record name the account? Fails only if OpenSSL does. */
static apr_status_t names_account(int *pyes, const persist_record_t *record,
                                  const acme_dns_persist_t *persist,
                                  acme_result_t *res, apr_pool_t *p)
{
    const char *ours, *any;
    apr_status_t rv;

    rv = account_uri(&ours, persist, domain_of(persist->name), res, p);
    if (rv == APR_SUCCESS) {
        rv = account_uri(&any, persist, ANY_DOMAIN, res, p);
    }
    *pyes = rv == APR_SUCCESS && (!strcmp(record->account_uri, ours)
                                  || !strcmp(record->account_uri, any));
    return rv;
}

static apr_status_t refuse_record(acme_result_t *res, apr_status_t status,
                                  const acme_dns_persist_t *persist,
                                  const char *value, const char *why,
                                  apr_pool_t *p)
{
    return acme_fail(res, status, "%s: \"%s\": %s",
                     acme_dns_persist_record(persist->name, p),
                     acme_text_clean(value, VALUE_SHOWN, p), why);
}

apr_status_t acme_dns_persist_match(apr_time_t *puntil,
                                    const acme_dns_persist_t *persist,
                                    const char *value, apr_time_t now,
                                    acme_result_t *res, apr_pool_t *p)
{
    apr_size_t len = strcspn(value, ";");
    persist_record_t record = { 0 };
    apr_time_t until = 0;
    const char *fault;
    apr_status_t rv;
    int is_ours;

    *puntil = 0;

    rv = check_persist(persist, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (strlen(value) > VALUE_MAX) {
        return refuse_record(res, APR_EINVAL, persist, value,
                             "the record is too long", p);
    }
    record.issuer = issuer_text(value, len, p);
    if (!acme_name_in(persist->issuers, record.issuer)) {
        return refuse_record(res, APR_ENOENT, persist, value,
                             "the record is for another CA", p);
    }
    fault = parse_record(&record, &until, value + len, p);
    if (fault) {
        return refuse_record(res, APR_EINVAL, persist, value, fault, p);
    }
    rv = names_account(&is_ours, &record, persist, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!is_ours) {
        return refuse_record(res, APR_ENOENT, persist, value,
                             "the record is for another account", p);
    }
    if (record.until && until <= now) {
        return refuse_record(res, APR_EACCES, persist, value,
                             "the record has expired", p);
    }
    if (acme_name_is_wildcard(persist->name)
        && (!record.policy || apr_cstr_casecmp(record.policy, "wildcard"))) {
        return refuse_record(res, APR_EACCES, persist, value,
                             "a wildcard requires policy=wildcard", p);
    }

    *puntil = until;
    return APR_SUCCESS;
}
