/*
 * acme_rehearsal_judge.h - what the observations of a rehearsal mean: for a CA
 * that validates the names, and for the administrator.
 *
 * Functions of their arguments. A finding gets level, reason and text; topic
 * and name are the caller's. Texts are in p.
 */
#ifndef ACME_REHEARSAL_JUDGE_H
#define ACME_REHEARSAL_JUDGE_H

#include "acme_caa.h"
#include "acme_rehearsal.h"
#include "acme_rehearsal_dns.h"

typedef enum {
    ACME_SCOPE_PUBLIC,
    ACME_SCOPE_PRIVATE,         /* of a network of one's own */
    ACME_SCOPE_LOOPBACK,
    ACME_SCOPE_OTHER            /* link-local, multicast: nobody's host */
} acme_rehearsal_scope_e;

/* Whose network an IP address is of. (1918, 6598, 4193, 6890) */
acme_rehearsal_scope_e acme_rehearsal_judge_scope(const char *address);

/* An address of a name. */
typedef struct {
    const char *text;
    int is_own;                 /* this machine has it */
    int is_behind_nat;          /* this machine has no public address of its
                                   family */
} acme_rehearsal_address_t;

/* own (const char *): the addresses of this machine. */
acme_rehearsal_address_t acme_rehearsal_judge_address(
    const char *address, const apr_array_header_t *own);

/* Of another machine of this network: what it says is nobody's business who can
   only choose the addresses of a name. */
int acme_rehearsal_judge_is_neighbour(const acme_rehearsal_address_t *address);

/*
 * Is it visited? Else the finding says why not: a reserved address is not, lest
 * a record in the DNS lead us to what a cloud says of this machine.
 */
int acme_rehearsal_judge_is_visited(acme_rehearsal_finding_t *finding,
                                    const char *address, int port,
                                    apr_pool_t *p);

/* It is not, for lack of time or threads. */
void acme_rehearsal_judge_late(acme_rehearsal_finding_t *finding, int port,
                               const char *address, apr_pool_t *p);

/*
 * May this challenge type validate the name: a wildcard by the DNS, an address
 * by its ports? And the position in cert->challenges of the first type that
 * does; -1: none.
 */
int acme_rehearsal_judge_suits(acme_challenge_e type, const char *name);
int acme_rehearsal_judge_first(const acme_cert_conf_t *cert,
                               const char *name);

/* What the DNS says of the addresses of a name. */
typedef struct {
    const apr_array_header_t *addresses;        /* acme_rehearsal_address_t */
    int left_out;               /* of them: more than are looked at */
    int is_nxdomain;
    acme_rehearsal_dns_failure_t failed;
    int is_needed;              /* a CA would connect to them */
    int is_public_ca;           /* a CA of the Internet */
} acme_rehearsal_lookup_t;

void acme_rehearsal_judge_lookup(acme_rehearsal_finding_t *finding,
                                 const acme_rehearsal_lookup_t *lookup,
                                 apr_pool_t *p);

/* The CAA records that count for a name. */
typedef struct {
    const char *at;             /* the name that has them; NULL: none has */
    const apr_array_header_t *records;  /* const char *: of at */
    acme_rehearsal_dns_failure_t failed;
    int is_checked;             /* this CA is known to look at them */
    acme_caa_issuer_t issuer;
} acme_rehearsal_caa_t;

void acme_rehearsal_judge_caa(acme_rehearsal_finding_t *finding,
                              const acme_rehearsal_caa_t *caa, apr_pool_t *p);

/* A connection that failed. */
typedef struct {
    acme_rehearsal_address_t address;
    int port;
    int arrives_at;             /* the local port of such connections from
                                   outside (AcmePorts) */
    apr_status_t status;        /* ECONNREFUSED, APR_TIMEUP, ... */
    const char *why;            /* words for another status */
    int has_pre;                /* AcmeHook pre runs before a validation */
} acme_rehearsal_refusal_t;

void acme_rehearsal_judge_refusal(acme_rehearsal_finding_t *finding,
                                  const acme_rehearsal_refusal_t *refusal,
                                  apr_pool_t *p);

/* What came from port 80, after redirects. All but expected is a stranger's. */
typedef struct {
    acme_rehearsal_address_t address;
    int status;                 /* of HTTP */
    const char *server;         /* NULL: it does not say */
    const char *body;           /* its beginning */
    const char *expected;       /* what this server answers */
    int is_hidden;              /* a neighbour's: only the status is shown */
    int redirects;
    const char *url;            /* the last one, after a redirect */
    int is_published;           /* the tokens are another server's (AcmeHttp),
                                   which has not this one */
} acme_rehearsal_answer_t;

void acme_rehearsal_judge_answer(acme_rehearsal_finding_t *finding,
                                 const acme_rehearsal_answer_t *answer,
                                 apr_pool_t *p);

#define ACME_REHEARSAL_REDIRECTS_MAX 10 /* as CAs follow */

/*
 * Where a redirect leads that a CA follows: http or https at ports 80 and 443,
 * not to where it was before (seen: const char *, URLs), at most so many. In p;
 * NULL: nowhere, and *pwhy is a part of a sentence.
 */
const char *acme_rehearsal_judge_redirect(const char **pwhy, const char *from,
                                          const char *location,
                                          const apr_array_header_t *seen,
                                          apr_pool_t *p);

/* The port of such a URL: 80 or 443. */
int acme_rehearsal_judge_port(const char *url);

#define ACME_REHEARSAL_TARGETS_MAX 4    /* addresses of a host */

/* Where a redirect to another host leads. */
typedef struct {
    const char *address;        /* of the name */
    const char *at;             /* the one that redirects, its own or a later
                                   one's */
    const char *host;
    const apr_array_header_t *addresses;        /* const char *: of host */
    acme_rehearsal_dns_failure_t failed;
    const apr_array_header_t *own;
    int is_public_ca;           /* a CA of the Internet */
} acme_rehearsal_target_t;

/*
 * The addresses of the host that are visited, const char * in p, in the order
 * of host's. NULL: none, and finding says why. Another server must not have us
 * look at what only this machine can reach: that is followed only where the
 * names are in a network of one's own anyway, and to this machine.
 */
apr_array_header_t *acme_rehearsal_judge_target(
    acme_rehearsal_finding_t *finding, const acme_rehearsal_target_t *target,
    apr_pool_t *p);

/* At the last of them, url, no connection came about. */
void acme_rehearsal_judge_lost(acme_rehearsal_finding_t *finding,
                               const char *address, const char *url,
                               const acme_rehearsal_refusal_t *refusal,
                               apr_pool_t *p);

/* What port 443 showed. */
typedef struct {
    acme_rehearsal_address_t address;
    int is_answered;            /* this server answered acme-tls/1 */
    const char *serial;         /* of what visitors of the name get; NULL: no
                                   certificate was seen */
    const char *issuer;
    int is_ours;                /* that is the live one, or the placeholder */
    const char *why;            /* acme-tls/1 failed: words */
} acme_rehearsal_hello_t;

void acme_rehearsal_judge_hello(acme_rehearsal_finding_t *finding,
                                const acme_rehearsal_hello_t *hello,
                                apr_pool_t *p);

/*
 * All that was found of a name (findings: acme_rehearsal_finding_t, also of
 * others): a fault is none as long as a type of challenge may validate it. Then
 * it becomes a note, or UNSEEN where that cannot be seen; so does a fault of a
 * type that is only tried after another one. forbidden: bits of the types that
 * CAA records forbid.
 */
void acme_rehearsal_judge_name(apr_array_header_t *findings,
                               const acme_cert_conf_t *cert, const char *name,
                               unsigned forbidden, apr_pool_t *p);

/* A fault about the first CA of a certificate that has further ones. */
void acme_rehearsal_judge_first_ca(acme_rehearsal_finding_t *finding,
                                   const acme_cert_conf_t *cert,
                                   apr_pool_t *p);

#endif
