/*
 * acme_caa.c - may a CA issue for a name, by its CAA records? (8659, 8657)
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_caa.h"
#include "acme_text.h"

#define CRITICAL 0x80           /* 8659, 4.1 */
#define SHOWN_MAX 120           /* octets of a record that people see */
#define BLANK " \t"

/* Properties that CAs know; others must not be critical. (8659, 4.1) */
static const char *const known_tags[] = {
    "issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail",
    "contactphone"
};

/* One property: "128 issue ca.example; accounturi=..." */
typedef struct {
    unsigned long flags;
    const char *tag;
    const char *value;
} property_t;

/* What one issue property says. */
typedef struct {
    const char *domain;         /* "": nobody */
    const char *account;        /* accounturi; NULL: none */
    const char *methods;        /* validationmethods; NULL: none */
    int is_malformed;
} issue_t;

static property_t parse_property(const char *record, apr_pool_t *p)
{
    property_t property = { 0, "", "" };
    char *end;

    property.flags = strtoul(record, &end, 10);
    if (*end == ' ') {
        property.tag = apr_pstrmemdup(p, end + 1, strcspn(end + 1, " "));
        end += 1 + strlen(property.tag);
        property.value = *end == ' ' ? end + 1 : "";
    }
    return property;
}

static int is_known(const char *tag)
{
    apr_size_t i;

    for (i = 0; i < sizeof(known_tags) / sizeof(*known_tags); i++) {
        if (!strcmp(tag, known_tags[i])) {
            return 1;
        }
    }
    return 0;
}

/* len octets without the blanks around them. */
static char *trim(const char *text, apr_size_t len, apr_pool_t *p)
{
    while (len && strchr(BLANK, *text)) {
        text++;
        len--;
    }
    while (len && strchr(BLANK, text[len - 1])) {
        len--;
    }
    return apr_pstrmemdup(p, text, len);
}

/* A parameter is given once; twice it cannot be met. (8657, 3) */
static void set_parameter(const char **place, const char *value,
                          issue_t *issue)
{
    issue->is_malformed |= *place != NULL;
    *place = value;
}

/* "ca.example; accounturi=URL; validationmethods=http-01,dns-01" (8659, 4.2) */
static issue_t parse_issue(const char *value, apr_pool_t *p)
{
    apr_size_t len = strcspn(value, ";");
    issue_t issue = { .domain = trim(value, len, p) };
    const char *text, *equals;

    issue.is_malformed = strpbrk(issue.domain, BLANK "?=") != NULL;
    while (value[len] == ';') {
        value += len + 1;
        len = strcspn(value, ";");
        text = trim(value, len, p);
        equals = strchr(text, '=');
        if (!*text) {
            continue;           /* many end with ";" */
        }
        if (!equals) {
            issue.is_malformed = 1;
        }
        else if (!strncasecmp(text, "accounturi=", equals + 1 - text)) {
            set_parameter(&issue.account, equals + 1, &issue);
        }
        else if (!strncasecmp(text, "validationmethods=",
                              equals + 1 - text)) {
            set_parameter(&issue.methods, equals + 1, &issue);
        }
    }
    return issue;
}

static int is_in_list(const char *list, const char *word)
{
    const apr_size_t len = strlen(word);

    while (*list) {
        const apr_size_t n = strcspn(list, ",");

        if (n == len && !strncmp(list, word, len)) {
            return 1;
        }
        list += n + (list[n] == ',');
    }
    return 0;
}

static int is_ours(const issue_t *issue, const acme_caa_issuer_t *issuer)
{
    int i;

    for (i = 0; i < issuer->identities->nelts; i++) {
        if (!strcasecmp(issue->domain,
                        APR_ARRAY_IDX(issuer->identities, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

/* A record that names the CA: do its parameters allow it, too? (8657) */
static acme_caa_e judge_parameters(const char **pwhy, const issue_t *issue,
                                   const acme_caa_issuer_t *issuer,
                                   apr_pool_t *p)
{
    if (issue->account && issuer->account_url
        && strcmp(issue->account, issuer->account_url)) {
        *pwhy = apr_psprintf(
            p, "accounturi names the account %s, and ours is %s",
            acme_text_clean(issue->account, SHOWN_MAX, p),
            acme_text_clean(issuer->account_url, SHOWN_MAX, p));
        return ACME_CAA_FORBIDDEN;
    }
    if (issue->methods && issuer->challenge
        && !is_in_list(issue->methods, issuer->challenge)) {
        *pwhy = apr_psprintf(
            p, "validationmethods allows %s, and %s would be used",
            acme_text_clean(issue->methods, SHOWN_MAX, p),
            issuer->challenge);
        return ACME_CAA_FORBIDDEN;
    }
    if ((issue->account && !issuer->account_url)
        || (issue->methods && !issuer->challenge)) {
        *pwhy = issue->account && !issuer->account_url
            ? "accounturi names an account, and ours is not registered yet"
            : "validationmethods restricts the challenges";
        return ACME_CAA_UNKNOWN;
    }
    return ACME_CAA_ALLOWED;
}

static acme_caa_e judge_issue(const char **pwhy, const issue_t *issue,
                              const acme_caa_issuer_t *issuer, apr_pool_t *p)
{
    if (issue->is_malformed) {
        *pwhy = "a record is malformed, and allows nobody";
        return ACME_CAA_FORBIDDEN;
    }
    if (!*issue->domain) {
        *pwhy = "they forbid every CA";
        return ACME_CAA_FORBIDDEN;
    }
    if (is_ours(issue, issuer)) {
        return judge_parameters(pwhy, issue, issuer, p);
    }
    if (!issuer->identities->nelts) {
        *pwhy = apr_psprintf(
            p, "they name %s, and what this CA is called in CAA records is not known",
            acme_text_clean(issue->domain, SHOWN_MAX, p));
        return ACME_CAA_UNKNOWN;
    }
    *pwhy = apr_psprintf(p, "they allow %s, and not %s",
                         acme_text_clean(issue->domain, SHOWN_MAX, p),
                         APR_ARRAY_IDX(issuer->identities, 0, const char *));
    return ACME_CAA_FORBIDDEN;
}

acme_caa_e acme_caa_decide(const char **pwhy,
                           const apr_array_header_t *records,
                           const acme_caa_issuer_t *issuer, apr_pool_t *p)
{
    acme_caa_e best = ACME_CAA_FORBIDDEN;
    int has_issue = 0, has_wild = 0, best_names_us = 0, i;

    *pwhy = "";
    for (i = 0; i < records->nelts; i++) {
        const property_t property = parse_property(
            APR_ARRAY_IDX(records, i, const char *), p);

        if ((property.flags & CRITICAL) && !is_known(property.tag)) {
            *pwhy = apr_psprintf(
                p, "the property %s is critical, and CAs do not know it",
                acme_text_clean(property.tag, SHOWN_MAX, p));
            return ACME_CAA_FORBIDDEN;
        }
        has_issue |= !strcmp(property.tag, "issue");
        has_wild |= !strcmp(property.tag, "issuewild");
    }
    has_wild &= issuer->is_wildcard;    /* it replaces issue (8659, 4.3) */
    if (!has_wild && !has_issue) {
        return ACME_CAA_ALLOWED;
    }
    for (i = 0; i < records->nelts; i++) {
        const property_t property = parse_property(
            APR_ARRAY_IDX(records, i, const char *), p);
        const char *why = "";
        acme_caa_e found;
        issue_t issue;
        int names_us;

        if (strcmp(property.tag, has_wild ? "issuewild" : "issue")) {
            continue;
        }
        issue = parse_issue(property.value, p);
        found = judge_issue(&why, &issue, issuer, p);
        if (found == ACME_CAA_ALLOWED) {
            *pwhy = "";
            return found;
        }
        /* The likeliest one explains it: a record that names the CA. */
        names_us = is_ours(&issue, issuer);
        if (!**pwhy || found < best
            || (found == best && names_us > best_names_us)) {
            *pwhy = why;
            best = found;
            best_names_us = names_us;
        }
    }
    return best;
}
