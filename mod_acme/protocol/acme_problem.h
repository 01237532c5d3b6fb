/*
 * acme_problem.h - the problem documents of a CA. (7807; 8555, 6.7)
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
 * Fill res from a reply with an error status. Returns APR_EGENERAL, or
 * APR_ENOENT for one of 400 to 499 without a problem document.
 *
 * res->problem is the type; detail begins with what ("order of
 * www.example.org"), then come the CA's own sentence, the instance (7807, 3.1:
 * a page for people) and the sentences of the subproblems, each with its
 * identifier. Without a problem document detail has the HTTP status and the
 * beginning of the body (of a page its title, or its text), or where a redirect
 * leads. 429 and 503 with Retry-After are ACME_RETRY_LATER;
 * retry_at is that of Retry-After. p is for scratch.
 */
apr_status_t acme_problem_reply(const acme_http_reply_t *reply,
                                const char *what, acme_result_t *res,
                                apr_pool_t *p);

/*
 * As acme_problem_reply(), from the error object of an order (8555, 7.1.3) or
 * of a challenge (8555, 8).
 */
apr_status_t acme_problem_json(const json_t *problem, const char *what,
                               acme_result_t *res, apr_pool_t *p);

/*
 * The identifiers of a reply's subproblems (8555, 6.7.1): const char * in p,
 * normalised as by acme_name_normalise(), each once, at most
 * ACME_PROBLEM_NAMES_MAX. Invalid names are skipped. Never NULL.
 */
apr_array_header_t *acme_problem_names(const acme_http_reply_t *reply,
                                       apr_pool_t *p);

/*
 * Is res->problem this type? name is the part after
 * "urn:ietf:params:acme:error:".
 */
int acme_problem_is(const acme_result_t *res, const char *name);

/* The same of any of these names; NULL ends them. */
int acme_problem_is_any(const acme_result_t *res, const char *const *names);

/* Did the CA, or what is before it, answer? Else the network failed, or we. */
int acme_problem_is_answer(const acme_result_t *res);

/* Is its type one of 8555, 6.7, or of an extension of it that we know? */
int acme_problem_is_known(const acme_result_t *res);

#endif
