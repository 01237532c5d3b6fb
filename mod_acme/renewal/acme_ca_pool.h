/*
 * acme_ca_pool.h - the CAs of the configuration, with connections to them that
 * are lent for one request at a time.
 *
 * route is an index in acme_conf_t.routes, ca one in acme_conf_t.cas: another
 * proxy or other roots are another way to the CA, with connections and a
 * health of its own; the account and the terms are the CA's.
 */
#ifndef ACME_CA_POOL_H
#define ACME_CA_POOL_H

#include "acme_session.h"
#include "acme_log.h"
#include "acme_state.h"

typedef struct acme_ca_pool_t acme_ca_pool_t;

/*
 * For all threads. stop leaves every transfer; log hears when a CA is left
 * alone and when it is well again. Lives as long as p.
 */
apr_status_t acme_ca_pool_create(acme_ca_pool_t **pcas,
                                 const acme_conf_t *conf,
                                 const acme_log_t *log, const char *user_agent,
                                 acme_stop_t *stop, apr_pool_t *p);

acme_ca_t *acme_ca_pool_ca(acme_ca_pool_t *cas, apr_uint32_t route);

/*
 * The client whose connection is most likely open, or a new one; give it back
 * after a request, so that others find it warm. close_idle closes those that
 * nobody used for two minutes.
 */
apr_status_t acme_ca_pool_borrow(acme_http_t **phttp, acme_ca_pool_t *cas,
                                 apr_uint32_t route, acme_result_t *res);
void acme_ca_pool_return(acme_ca_pool_t *cas, apr_uint32_t route,
                         acme_http_t *http);
void acme_ca_pool_close_idle(acme_ca_pool_t *cas, apr_time_t now);

#define ACME_CHOICE_MAX 16      /* CAs of one certificate that are compared */

/*
 * How well each CA is, as tasks found it. choose: the position in the
 * certificate's list of the CA to use now (acme_timing_ca()); those that are
 * not 0 in full (ACME_CHOICE_MAX octets), by position, are passed over too.
 */
apr_uint32_t acme_ca_pool_choose(acme_ca_pool_t *cas,
                                 const acme_state_t *state,
                                 const acme_cert_conf_t *cert,
                                 const unsigned char *full, apr_time_t now);

/*
 * May the CA be asked now? Whoever is allowed to reports how it ended. probe:
 * it is asked in any case, as the administrator wants it, who may have put
 * things right.
 */
int acme_ca_pool_allow(acme_ca_pool_t *cas, apr_uint32_t route,
                       apr_time_t now);
void acme_ca_pool_probe(acme_ca_pool_t *cas, apr_uint32_t route,
                        apr_time_t now);

/*
 * When acme_ca_pool_allow() will allow it: now, or later. It claims nothing.
 * *pwhy: a sentence, in p, where no request is sent to this CA until then;
 * NULL: none has to wait, or only for another certificate's request, which
 * tests whether the CA answers again.
 */
apr_time_t acme_ca_pool_next_at(const char **pwhy, acme_ca_pool_t *cas,
                                apr_uint32_t route, apr_time_t now,
                                apr_pool_t *p);

/*
 * How a task ended: why is NULL after a success. latency: how long a reply
 * took on average.
 */
void acme_ca_pool_report(acme_ca_pool_t *cas, apr_uint32_t route,
                         const acme_result_t *why,
                         apr_interval_time_t latency, apr_time_t now,
                         apr_pool_t *p);

/*
 * How many orders the CA is given side by side now (acme_parallel.h). It learns
 * from acme_ca_pool_report(), and from seen: a reply of this status, after
 * latency.
 */
int acme_ca_pool_parallel(acme_ca_pool_t *cas, apr_uint32_t route);
void acme_ca_pool_seen(acme_ca_pool_t *cas, apr_uint32_t route, int status,
                       apr_interval_time_t latency, apr_time_t now);

/* Is this the URL of the CA's terms that was set last? */
int acme_ca_pool_has_terms(acme_ca_pool_t *cas, apr_uint32_t ca,
                           const char *url);
void acme_ca_pool_set_terms(acme_ca_pool_t *cas, apr_uint32_t ca,
                            const char *url);

/* One order registers the account; the others wait and find it. */
void acme_ca_pool_lock_account(acme_ca_pool_t *cas, apr_uint32_t ca);
void acme_ca_pool_unlock_account(acme_ca_pool_t *cas, apr_uint32_t ca);

#endif
