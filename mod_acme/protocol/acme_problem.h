/*
 * acme_problem.h - what a CA says went wrong. (7807; 8555, 6.7)
 *
 * One table says of each problem type which reason of acme_reason.h it is, and
 * whether trying again can help.
 */
#ifndef ACME_PROBLEM_H
#define ACME_PROBLEM_H

#include "acme_http.h"
#include "acme_json.h"

#define ACME_PROBLEM_NAMES_MAX 100

/*
 * Fill res from a reply that is not a success; returns res->status, a failure:
 * problem is the type, detail begins with what ("order of www.example.org"),
 * then the CA's own sentence and those of its subproblems, each with its
 * identifier. Without a problem document: the HTTP status and the beginning
 * of the body. 429 and 503 with Retry-After are ACME_RETRY_LATER. An instance
 * (7807, 3.1), a page for people, is shown before the subproblems.
 */
apr_status_t acme_problem_reply(const acme_http_reply_t *reply,
                                const char *what, acme_result_t *res,
                                apr_pool_t *p);

/* The same from an error object inside an order or a challenge. */
apr_status_t acme_problem_json(const json_t *problem, const char *what,
                               acme_result_t *res, apr_pool_t *p);

/*
 * The names that the subproblems of a reply speak of (8555, 6.7.1): const char
 * *, as acme_name.h has them, each once, at most ACME_PROBLEM_NAMES_MAX. Other
 * identifiers are passed over. Never NULL.
 */
apr_array_header_t *acme_problem_names(const acme_http_reply_t *reply,
                                       apr_pool_t *p);

/* Is it this type? name is the part after "urn:ietf:params:acme:error:". */
int acme_problem_is(const acme_result_t *res, const char *name);

#endif
