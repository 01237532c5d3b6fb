/*
 * acme_problem.c - a CA's problem documents, as sentences for people.
 *
 * Every text in them is a stranger's: it is cleaned and bounded before it is
 * shown.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "acme_name.h"
#include "acme_problem.h"
#include "acme_text.h"

#define URN "urn:ietf:params:acme:error:"

#define TYPE_MAX (ACME_PROBLEM_SIZE - 1)
#define SENTENCE_MAX 900        /* octets: an unpause URL is long */
#define SENTENCE_BEFORE_MAX 400 /* octets: a URL follows, which must not be
                                   cut off */
#define INSTANCE_MAX 300
#define SUBPROBLEM_MAX 160
#define IDENTIFIER_MAX 100
#define SUBPROBLEMS_SHOWN 8
#define BODY_SHOWN 120          /* octets of a body of another kind */
#define LOCATION_SHOWN 300

/*
 * NEVER is for problems that only a new configuration solves. Where the CA, the
 * DNS or a person at either may fix it, a retry is right: a certificate that
 * expires quietly is worse than some requests too many.
 */
static const struct problem {
    const char *name;
    acme_retry_e retry;
    acme_reason_e reason;
    const char *advice;
} problems[] = {
    /* The next run registers the account anew. */
    { "accountDoesNotExist", ACME_RETRY_SOON, ACME_REASON_ACCOUNT_UNKNOWN,
      NULL },
    /* Of renewal info (9773, 7.4): the next order goes without `replaces'. */
    { "alreadyReplaced", ACME_RETRY_SOON, ACME_REASON_REQUEST_REFUSED, NULL },
    { "alreadyRevoked", ACME_RETRY_NEVER, ACME_REASON_REQUEST_REFUSED, NULL },
    { "badCSR", ACME_RETRY_NEVER, ACME_REASON_KEY_REFUSED,
      "check AcmeKeyTypes, AcmeMustStaple and AcmeNames" },
    { "badNonce", ACME_RETRY_SOON, ACME_REASON_REQUEST_REFUSED, NULL },
    { "badPublicKey", ACME_RETRY_NEVER, ACME_REASON_KEY_REFUSED,
      "check AcmeKeyTypes" },
    { "badRevocationReason", ACME_RETRY_NEVER, ACME_REASON_REQUEST_REFUSED,
      "give another reason, or none" },
    { "badSignatureAlgorithm", ACME_RETRY_NEVER, ACME_REASON_KEY_REFUSED,
      "the account needs a key of another type" },
    { "caa", ACME_RETRY_SOON, ACME_REASON_CAA_FORBIDDEN,
      "the CAA records of the name must allow this CA" },
    /* As the gravest of its subproblems. */
    { "compound", ACME_RETRY_SOON, ACME_REASON_REQUEST_REFUSED, NULL },
    { "connection", ACME_RETRY_SOON, ACME_REASON_SERVER_UNREACHABLE,
      "the CA must reach this server from outside: check the firewall and the addresses that the DNS has for the name" },
    { "dns", ACME_RETRY_SOON, ACME_REASON_DNS_FAILED,
      "check the DNS servers of the name" },
    { "externalAccountRequired", ACME_RETRY_NEVER, ACME_REASON_EAB_REQUIRED,
      "set AcmeExternalAccount kid file:path with the values that the CA issued to you" },
    { "incorrectResponse", ACME_RETRY_SOON, ACME_REASON_CHALLENGE_FAILED,
      "check that the name leads to this server and to no other" },
    { "invalidContact", ACME_RETRY_NEVER, ACME_REASON_CONTACT_REFUSED,
      "check AcmeContact" },
    /* Of draft-ietf-acme-profiles. */
    { "invalidProfile", ACME_RETRY_NEVER, ACME_REASON_PROFILE_REFUSED,
      "check AcmeProfile" },
    /* Also what CAs say of orders and authorizations that they forgot. */
    { "malformed", ACME_RETRY_SOON, ACME_REASON_REQUEST_REFUSED, NULL },
    { "orderNotReady", ACME_RETRY_SOON, ACME_REASON_REQUEST_REFUSED, NULL },
    { "rateLimited", ACME_RETRY_LATER, ACME_REASON_RATE_LIMITED,
      "it is retried when the CA allows it" },
    { "rejectedIdentifier", ACME_RETRY_NEVER, ACME_REASON_REJECTED_NAME,
      "the CA does not issue for this name: exclude it with AcmeNames, or set another AcmeCA" },
    { "serverInternal", ACME_RETRY_SOON, ACME_REASON_CA_ERROR, NULL },
    { "tls", ACME_RETRY_SOON, ACME_REASON_CHALLENGE_FAILED, NULL },
    { "unauthorized", ACME_RETRY_SOON, ACME_REASON_CHALLENGE_FAILED, NULL },
    { "unsupportedContact", ACME_RETRY_NEVER, ACME_REASON_CONTACT_REFUSED,
      "check AcmeContact" },
    { "unsupportedIdentifier", ACME_RETRY_NEVER, ACME_REASON_REJECTED_NAME,
      "the CA does not issue for names of this kind: check AcmeNames and AcmeProfile" },
    /* A visit to a page of the CA's, then the same request succeeds. */
    { "userActionRequired", ACME_RETRY_SOON, ACME_REASON_CA_ACTION_REQUIRED,
      "open the CA's page and do what it asks" }
};

static const struct problem *problem_find(const char *type)
{
    apr_size_t i;

    if (!type || strncmp(type, URN, strlen(URN))) {
        return NULL;
    }
    for (i = 0; i < sizeof(problems) / sizeof(*problems); i++) {
        if (!strcmp(type + strlen(URN), problems[i].name)) {
            return &problems[i];
        }
    }
    return NULL;
}

static acme_retry_e retry_of(const json_t *json)
{
    const json_t *type = json_object_get(json, "type");
    const struct problem *problem = problem_find(json_string_value(type));

    return problem ? problem->retry : ACME_RETRY_SOON;
}

/* NXDOMAIN is not a type: it is found in the sentence only. */
static acme_reason_e reason_of(const json_t *json)
{
    const json_t *type = json_object_get(json, "type");
    const struct problem *problem = problem_find(json_string_value(type));
    const char *detail = json_string_value(json_object_get(json, "detail"));

    if (!problem) {
        return ACME_REASON_REQUEST_REFUSED;
    }
    return problem->reason == ACME_REASON_DNS_FAILED && detail
           && strstr(detail, "NXDOMAIN") ? ACME_REASON_DNS_NXDOMAIN
                                         : problem->reason;
}

/* A member made fit for people, at most max octets; NULL: there is none. */
static const char *text_of(const json_t *json, const char *key,
                           apr_size_t max, apr_pool_t *p)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text && *text ? acme_text_clean(text, max, p) : NULL;
}

/* The CA's own words: detail, else title, else the type. */
static const char *sentence_of(const json_t *json, apr_size_t max,
                               apr_pool_t *p)
{
    const char *text = text_of(json, "detail", max, p);

    if (!text) {
        text = text_of(json, "title", max, p);
    }
    if (!text) {
        text = text_of(json, "type", max, p);
    }
    return text ? text : "the CA gave no reason";
}

/* "; example.org: its sentence". */
static const char *subproblem_text(const json_t *json, apr_pool_t *p)
{
    const json_t *identifier = json_object_get(json, "identifier");
    const char *name = text_of(identifier, "value", IDENTIFIER_MAX, p);

    return apr_pstrcat(p, "; ", name ? name : "", name ? ": " : "",
                       sentence_of(json, SUBPROBLEM_MAX, p), NULL);
}

static const char *subproblems_text(const json_t *json, apr_pool_t *p)
{
    const json_t *subs = json_object_get(json, "subproblems");
    apr_size_t i, n = json_array_size(subs);
    const char *text = "";

    for (i = 0; i < n && i < SUBPROBLEMS_SHOWN; i++) {
        text = apr_pstrcat(p, text,
                           subproblem_text(json_array_get(subs, i), p), NULL);
    }
    if (n > i) {
        text = apr_psprintf(p, "%s; and %" APR_SIZE_T_FMT " more", text,
                            n - i);
    }
    return text;
}

/* One name that the CA never accepts fails an order of many. */
static void set_gravest_retry(acme_result_t *res, const json_t *json)
{
    const json_t *subs = json_object_get(json, "subproblems");
    apr_size_t i;

    for (i = 0; i < json_array_size(subs); i++) {
        const json_t *sub = json_array_get(subs, i);

        if (i == 0 || retry_of(sub) > res->retry) {
            res->retry = retry_of(sub);
            res->reason = reason_of(sub);
        }
    }
}

apr_status_t acme_problem_json(const json_t *json, const char *what,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *type = text_of(json, "type", TYPE_MAX, p);
    const char *instance = text_of(json, "instance", INSTANCE_MAX, p);
    const struct problem *problem = problem_find(type);
    const char *hint = problem ? problem->advice : NULL;

    acme_fail(res, APR_EGENERAL, "%s: %s%s%s%s%s%s%s", what,
              sentence_of(json, instance ? SENTENCE_BEFORE_MAX : SENTENCE_MAX,
                          p), hint ? "; " : "",
              hint ? hint : "", instance ? " (see " : "",
              instance ? instance : "", instance ? ")" : "",
              subproblems_text(json, p));
    apr_cpystrn(res->problem, type ? type : "", sizeof(res->problem));
    res->retry = retry_of(json);
    res->reason = reason_of(json);
    if (acme_problem_is(res, "compound")) {
        set_gravest_retry(res, json);
    }
    return res->status;
}

/* The reply's body as a problem; CAs send it under many content types. */
static const json_t *problem_of(const acme_http_reply_t *reply,
                                const char *what, apr_pool_t *p)
{
    acme_result_t ignored;
    json_t *json;

    if (acme_json_parse(&json, reply->body, reply->body_len, what, &ignored,
                        p) != APR_SUCCESS) {
        return NULL;
    }
    return text_of(json, "type", TYPE_MAX, p)
           || text_of(json, "detail", TYPE_MAX, p) ? json : NULL;
}

/* Does a tag begin here? Tags are written in any case. */
static int is_tag(const char *at, const char *tag)
{
    return !apr_cstr_casecmpn(at, tag, strlen(tag));
}

static const char *find_tag(const char *at, const char *tag)
{
    while (at && *at && !is_tag(at, tag)) {
        at = strchr(at + 1, '<');
    }
    return at && *at ? at : NULL;
}

/* Behind the next '>' that ends a tag. */
static const char *skip_tag(const char *at)
{
    const char *end = strchr(at, '>');

    return end ? end + 1 : at + strlen(at);
}

/* A page's text, without its tags, scripts and styles; until is NULL, or the
   tag that ends it. */
static const char *page_text(const char *at, const char *until, apr_pool_t *p)
{
    char *text = apr_palloc(p, strlen(at) + 1), *to = text;

    while (*at && (!until || !is_tag(at, until))) {
        if (is_tag(at, "<script") || is_tag(at, "<style")) {
            const char *end = find_tag(at, is_tag(at, "<script") ? "</script"
                                                                 : "</style");

            at = end ? end : at + strlen(at);
        }
        if (*at == '<') {
            at = skip_tag(at);
            *to++ = ' ';
        }
        else if (*at) {
            *to++ = *at++;
        }
    }
    *to = '\0';
    return text;
}

/* One space between two words. */
static const char *squeeze(const char *from, apr_pool_t *p)
{
    char *text = apr_palloc(p, strlen(from) + 1), *to = text;

    for (; *from; from++) {
        const int is_space = strchr(" \t\r\n", *from) != NULL;

        if (!is_space) {
            *to++ = *from;
        }
        else if (to > text && to[-1] != ' ') {
            *to++ = ' ';
        }
    }
    to -= to > text && to[-1] == ' ';
    *to = '\0';
    return text;
}

/* What people are shown of a body that is no problem: of a page its title, or
   else its text. */
static const char *body_text(const acme_http_reply_t *reply, apr_pool_t *p)
{
    const char *body = reply->body + strspn(reply->body, " \t\r\n");
    const char *text = body, *title;

    if (*body == '<') {
        title = find_tag(body, "<title");
        text = title ? squeeze(page_text(skip_tag(title), "</title", p), p)
                     : "";
        text = *text ? text : squeeze(page_text(body, NULL, p), p);
    }
    return acme_text_clean(text, BODY_SHOWN, p);
}

/* A page of a proxy, a firewall, a CA in trouble; or a URL that is another's
   now. */
static void explain_page(const acme_http_reply_t *reply, const char *what,
                         acme_result_t *res, apr_pool_t *p)
{
    const char *text = body_text(reply, p);

    if (reply->status / 100 == 3 && reply->location) {
        acme_fail(res, APR_EGENERAL,
                  "%s: HTTP %d: it leads to %s, which is not followed", what,
                  reply->status,
                  acme_text_clean(reply->location, LOCATION_SHOWN, p));
    }
    else {
        acme_fail(res, reply->status / 100 == 4 ? APR_ENOENT : APR_EGENERAL,
                  "%s: HTTP %d%s%s", what, reply->status, *text ? ": " : "",
                  text);
    }
    res->reason = reply->status >= 500 ? ACME_REASON_CA_ERROR
                                       : ACME_REASON_CA_ANSWER;
}

apr_status_t acme_problem_reply(const acme_http_reply_t *reply,
                                const char *what, acme_result_t *res,
                                apr_pool_t *p)
{
    const json_t *json = problem_of(reply, what, p);

    if (json) {
        acme_problem_json(json, what, res, p);
    }
    else {
        explain_page(reply, what, res, p);
    }
    if (reply->status == 429
        || (reply->status == 503 && reply->retry_after)) {
        res->retry = ACME_RETRY_LATER;
        res->reason = reply->status == 429 ? ACME_REASON_RATE_LIMITED
                                           : ACME_REASON_CA_ERROR;
    }
    if (res->retry != ACME_RETRY_NEVER) {
        res->retry_at = reply->retry_after;
    }
    return res->status;
}

static void push_name(apr_array_header_t *names, const json_t *subproblem,
                      apr_pool_t *p)
{
    const json_t *identifier = json_object_get(subproblem, "identifier");
    const char *text = acme_json_string(identifier, "value", ACME_NAME_MAX,
                                        p);
    acme_result_t ignored;
    const char *name;

    if (text && acme_name_normalise(&name, text, &ignored, p) == APR_SUCCESS
        && !acme_name_in(names, name)) {
        APR_ARRAY_PUSH(names, const char *) = name;
    }
}

apr_array_header_t *acme_problem_names(const acme_http_reply_t *reply,
                                       apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    const json_t *subs = json_object_get(problem_of(reply, "reply", p),
                                         "subproblems");
    apr_size_t i;

    for (i = 0; i < json_array_size(subs)
                && names->nelts < ACME_PROBLEM_NAMES_MAX; i++) {
        push_name(names, json_array_get(subs, i), p);
    }
    return names;
}

int acme_problem_is(const acme_result_t *res, const char *name)
{
    return !strncmp(res->problem, URN, strlen(URN))
           && !strcmp(res->problem + strlen(URN), name);
}

int acme_problem_is_any(const acme_result_t *res, const char *const *names)
{
    while (*names && !acme_problem_is(res, *names)) {
        names++;
    }
    return *names != NULL;
}

int acme_problem_is_answer(const acme_result_t *res)
{
    return res->problem[0] || res->reason == ACME_REASON_CA_ERROR
        || res->reason == ACME_REASON_CA_ANSWER
        || res->reason == ACME_REASON_REQUEST_REFUSED
        || res->reason == ACME_REASON_RATE_LIMITED;
}

int acme_problem_is_known(const acme_result_t *res)
{
    return problem_find(res->problem) != NULL;
}
