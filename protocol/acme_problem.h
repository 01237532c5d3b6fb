/*
 * acme_problem.h - what a CA says went wrong. (7807; 8555, 6.7)
 *
 * One table says of each problem type whose fault it is and so whether trying
 * again can help.
 */
#ifndef ACME_PROBLEM_H
#define ACME_PROBLEM_H

#include "acme_http.h"
#include "acme_json.h"

/*
 * Fill res from a reply that is no success and return a status that is none:
 * problem is the type, detail begins with what ("order of www.example.org"),
 * then the CA's own sentence and those of its subproblems, each with its
 * identifier. Without a problem document: the HTTP status and the beginning
 * of the body. 429 and 503 with Retry-After are ACME_RETRY_LATER.
 */
apr_status_t acme_problem_reply(const acme_http_reply_t *reply,
                                const char *what, acme_result_t *res,
                                apr_pool_t *p);

/* The same from an error object inside an order or a challenge. */
apr_status_t acme_problem_json(const json_t *problem, const char *what,
                               acme_result_t *res, apr_pool_t *p);

/* Is it this type? name is the part after "urn:ietf:params:acme:error:". */
int acme_problem_is(const acme_result_t *res, const char *name);

#endif
