/*
 * acme_rehearsal_visit.h - ports 80 and 443 of an address, as a CA's validator
 * comes there: with a token that this server answers for the time of the
 * rehearsal.
 *
 * Each may be called from a thread of its own. Who answers is a stranger.
 */
#ifndef ACME_REHEARSAL_VISIT_H
#define ACME_REHEARSAL_VISIT_H

#include "acme_rehearsal_judge.h"
#include "acme_task.h"

/* What all visits of a rehearsal share. */
typedef struct {
    const acme_task_env_t *env;
    const acme_cert_conf_t *cert;
    const apr_array_header_t *own;      /* const char *: addresses of this
                                           machine */
    const char *token;          /* of http-01, and its answer */
    const char *answer;
    const char *sni;            /* the name of the rehearsal for tls-alpn-01 */
    const char *live;           /* serial of the live certificate, or "" */
    int has_pre;                /* AcmeHook pre is configured */
    int is_public_ca;           /* a CA of the Internet */
    int ports[2];               /* where connections to 80 and 443 arrive */
    apr_time_t end;             /* of all visits, acme_dns_lookup_now() */
} acme_rehearsal_visits_t;

/* The addresses of this machine's interfaces: const char *, in p. */
apr_array_header_t *acme_rehearsal_visit_own(apr_pool_t *p);

/*
 * Look at one address of a name, an own one or that of the certificate; what
 * comes of it is finding. The status is that of the connection to address, as
 * judge_refusal has it: after APR_TIMEUP others need not try. APR_EINTR: the
 * process stops, and there is no finding.
 */
apr_status_t acme_rehearsal_visit_80(acme_rehearsal_finding_t *finding,
                                     const char *name, const char *address,
                                     const acme_rehearsal_visits_t *visits,
                                     apr_pool_t *p);
apr_status_t acme_rehearsal_visit_443(acme_rehearsal_finding_t *finding,
                                      const char *name, const char *address,
                                      const acme_rehearsal_visits_t *visits,
                                      apr_pool_t *p);

#endif
