/*
 * acme_dns_lookup.c - lookups: a question, and what its answer makes us ask.
 *
 * Each step is called with the answer to the question before it, and asks
 * the next one or ends the lookup.
 */
#include <string.h>

#include <arpa/inet.h>

#include <apr_strings.h>

#include "acme_dns_message.h"
#include "acme_name.h"
#include "acme_dns_query.h"
#include "acme_dns_lookup.h"
#include "acme_text.h"

#define VALUES_MAX 64
#define NAME_SERVERS_MAX 16     /* names; the root has 13 */
#define SERVERS_MAX 16          /* addresses */
#define INTERVAL_MIN apr_time_from_sec(2)
#define INTERVAL_MAX apr_time_from_sec(60)
#define RUN_MOST apr_time_from_sec(60)
#define RCODE_NOERROR 0

struct acme_dns_resolver_t {
    acme_dns_lookup_conf_t conf;
    acme_dns_queries_t *questions;
};

/* answer goes when the step is done: it copies what it keeps. */
typedef void step_t(acme_dns_lookup_t *lookup,
                    const acme_dns_message_t *answer);

/* One question of a lookup. */
typedef struct {
    acme_dns_lookup_t *lookup;
    acme_dns_query_t *question; /* NULL once it was answered */
    step_t *step;
    const char *name;
    acme_dns_rr_e type;
} ask_t;

struct acme_dns_lookup_t {
    apr_pool_t *p;
    acme_dns_resolver_t *resolver;
    const char *server;         /* NULL: the recursive ones */
    const char *name;           /* as it was asked for */
    const char *at;             /* where we are: along CNAMEs, on the way up */
    int depth_left;             /* CNAMEs that may still come */
    apr_array_header_t *asks;   /* ask_t *: of the present step */
    int pending;                /* of them */
    int over;
    apr_status_t rv;
    const char *detail;         /* when it failed */
    apr_array_header_t *values;
    acme_dns_authority_t authority;
    apr_array_header_t *servers;        /* of the authority */
};

apr_status_t acme_dns_lookup_open(acme_dns_resolver_t **presolver,
                                  const acme_dns_lookup_conf_t *conf,
                                  acme_result_t *res, apr_pool_t *p)
{
    acme_dns_resolver_t *resolver = apr_palloc(p, sizeof(*resolver));
    apr_status_t rv;

    *presolver = NULL;

    resolver->conf = *conf;
    if (!resolver->conf.authority_port) {
        resolver->conf.authority_port = "53";
    }
    if (resolver->conf.timeout <= 0) {
        resolver->conf.timeout = ACME_DNS_LOOKUP_TIMEOUT;
    }
    rv = acme_dns_query_open(&resolver->questions, conf->stop, conf->servers,
                             resolver->conf.timeout, res, p);
    if (rv == APR_SUCCESS) {
        *presolver = resolver;
    }
    return rv;
}

static apr_status_t forget_asks(void *data)
{
    acme_dns_lookup_t *lookup = data;
    int i;

    for (i = 0; i < lookup->asks->nelts; i++) {
        ask_t *ask = APR_ARRAY_IDX(lookup->asks, i, ask_t *);

        if (ask->question) {
            acme_dns_query_cancel(ask->question);
        }
    }
    apr_array_clear(lookup->asks);
    return APR_SUCCESS;
}

static void finish(acme_dns_lookup_t *lookup, apr_status_t rv,
                   const char *detail)
{
    forget_asks(lookup);
    lookup->over = 1;
    lookup->rv = rv;
    lookup->detail = detail;
}

static const char *type_text(acme_dns_rr_e type)
{
    switch (type) {
    case ACME_RR_A:
        return "A";
    case ACME_RR_AAAA:
        return "AAAA";
    case ACME_RR_NS:
        return "NS";
    case ACME_RR_SOA:
        return "SOA";
    default:
        return "TXT";
    }
}

static const char *server_text(const acme_dns_lookup_t *lookup)
{
    if (lookup->server) {
        return lookup->server;
    }
    return lookup->resolver->conf.servers ? lookup->resolver->conf.servers
                                          : "this machine's resolver";
}

static void fail_query(const ask_t *ask, apr_status_t rv, const char *why)
{
    acme_dns_lookup_t *lookup = ask->lookup;

    finish(lookup, rv,
           apr_psprintf(lookup->p, "%s: no answer to %s from %s: %s",
                        ask->name, type_text(ask->type), server_text(lookup),
                        why));
}

static void on_reply(void *baton, apr_status_t rv, const char *why,
                     const unsigned char *message, apr_size_t len)
{
    ask_t *ask = baton;
    acme_dns_lookup_t *lookup = ask->lookup;
    acme_dns_message_t *answer = NULL;
    apr_pool_t *step_pool;

    ask->question = NULL;
    lookup->pending--;
    apr_pool_create(&step_pool, lookup->p);
    if (rv == APR_SUCCESS) {
        why = "the answer is malformed";
        if (acme_dns_message_parse(&answer, message, len, step_pool)) {
            rv = APR_EGENERAL;
        }
    }
    /* One address is as good as the other: on_address() looks whether any. */
    if (rv != APR_SUCCESS && ask->type != ACME_RR_A
        && ask->type != ACME_RR_AAAA) {
        fail_query(ask, rv, why);
    }
    else {
        ask->step(lookup, answer);
    }
    apr_pool_destroy(step_pool);
}

static void send_query(acme_dns_lookup_t *lookup, const char *name,
                       acme_dns_rr_e type, step_t *step)
{
    ask_t *ask;

    if (lookup->over) {         /* the question before failed at once */
        return;
    }
    ask = apr_pcalloc(lookup->p, sizeof(*ask));
    ask->lookup = lookup;
    ask->step = step;
    ask->name = name;
    ask->type = type;
    APR_ARRAY_PUSH(lookup->asks, ask_t *) = ask;
    lookup->pending++;
    ask->question =
        acme_dns_query_send(lookup->resolver->questions, lookup->server, name,
                            type, on_reply, ask);
    if (!ask->question) {
        fail_query(ask, APR_ENOMEM, "out of memory");
    }
}

static acme_dns_lookup_t *lookup_make(acme_dns_resolver_t *resolver,
                                      const char *server, const char *name,
                                      apr_pool_t *p)
{
    acme_dns_lookup_t *lookup;
    apr_pool_t *own;

    apr_pool_create(&own, p);
    lookup = apr_pcalloc(own, sizeof(*lookup));
    lookup->p = own;
    lookup->resolver = resolver;
    lookup->server = server ? apr_pstrdup(own, server) : NULL;
    lookup->name = acme_text_lower(name, strlen(name), own);
    lookup->at = lookup->name;
    lookup->depth_left = ACME_CNAME_DEPTH_MAX;
    lookup->asks = apr_array_make(own, 2, sizeof(ask_t *));
    apr_pool_cleanup_register(own, lookup, forget_asks, apr_pool_cleanup_null);
    return lookup;
}

/* Go to where the CNAMEs lead; *pmoved whether there were any. */
static int follow(int *pmoved, acme_dns_lookup_t *lookup,
                  const acme_dns_message_t *answer)
{
    const char *to =
        acme_dns_message_follow(answer, lookup->at, &lookup->depth_left);

    if (!to) {
        finish(
            lookup, APR_EGENERAL,
            apr_psprintf(
                lookup->p,
                "%s: more than %d CNAMEs one after the other, or a circle of them",
                lookup->name, ACME_CNAME_DEPTH_MAX));
        return 0;
    }
    *pmoved = to != lookup->at;
    if (*pmoved) {
        lookup->at = apr_pstrdup(lookup->p, to);
    }
    return 1;
}

static apr_array_header_t *txt_values(const acme_dns_lookup_t *lookup,
                                      const acme_dns_message_t *answer)
{
    apr_array_header_t *values =
        apr_array_make(lookup->p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < answer->answers->nelts && values->nelts < VALUES_MAX;
         i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);

        if (rr->type == ACME_RR_TXT && !strcmp(rr->owner, lookup->at)) {
            APR_ARRAY_PUSH(values, const char *) =
                apr_pstrdup(lookup->p, rr->value);
        }
    }
    return values;
}

/*
 * A server that is not responsible for the zone knows nothing, which is not
 * the same as that there is none.
 */
static void no_values(acme_dns_lookup_t *lookup,
                      const acme_dns_message_t *answer)
{
    if (lookup->server && !answer->authoritative) {
        finish(lookup, APR_EGENERAL,
               apr_psprintf(lookup->p, "%s: %s is not responsible for it",
                            lookup->name, lookup->server));
        return;
    }
    finish(lookup, APR_ENOENT,
           apr_psprintf(lookup->p, "%s: %s has no TXT record for it",
                        lookup->name, server_text(lookup)));
}

static void on_txt(acme_dns_lookup_t *lookup, const acme_dns_message_t *answer)
{
    int moved;

    if (!follow(&moved, lookup, answer)) {
        return;
    }
    lookup->values = txt_values(lookup, answer);
    if (lookup->values->nelts > 0) {
        finish(lookup, APR_SUCCESS, NULL);
    }
    else if (moved && !lookup->server && answer->rcode == RCODE_NOERROR) {
        send_query(lookup, lookup->at, ACME_RR_TXT, on_txt);
    }
    else {
        no_values(lookup, answer);
    }
}

acme_dns_lookup_t *acme_dns_lookup_txt(acme_dns_resolver_t *resolver,
                                       const char *server, const char *name,
                                       apr_pool_t *p)
{
    acme_dns_lookup_t *lookup = lookup_make(resolver, server, name, p);

    send_query(lookup, lookup->name, ACME_RR_TXT, on_txt);
    return lookup;
}

/* All addresses in an answer: it is to a question for nothing else. */
static void add_servers(acme_dns_lookup_t *lookup,
                        const acme_dns_message_t *answer)
{
    int i;

    for (i = 0; i < answer->answers->nelts; i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);
        const char *server;

        if (rr->type != ACME_RR_A && rr->type != ACME_RR_AAAA) {
            continue;
        }
        server = apr_psprintf(lookup->p,
                              rr->type == ACME_RR_AAAA ? "[%s]:%s" : "%s:%s",
                              rr->value,
                              lookup->resolver->conf.authority_port);
        if (lookup->servers->nelts < SERVERS_MAX
            && !acme_name_in(lookup->servers, server)) {
            APR_ARRAY_PUSH(lookup->servers, const char *) = server;
        }
    }
}

/* answer is NULL when there was none. */
static void on_address(acme_dns_lookup_t *lookup,
                       const acme_dns_message_t *answer)
{
    if (answer) {
        add_servers(lookup, answer);
    }
    if (lookup->pending > 0) {
        return;
    }
    if (lookup->servers->nelts > 0) {
        finish(lookup, APR_SUCCESS, NULL);
    }
    else {
        finish(lookup, APR_EGENERAL,
               apr_psprintf(
                   lookup->p,
                   "%s: the name servers of its zone %s have no addresses",
                   lookup->name, lookup->authority.zone));
    }
}

static void on_ns(acme_dns_lookup_t *lookup, const acme_dns_message_t *answer)
{
    int i, names = 0;

    apr_array_clear(lookup->asks);
    for (i = 0; i < answer->answers->nelts && names < NAME_SERVERS_MAX
                && !lookup->over; i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);

        if (rr->type == ACME_RR_NS
            && !strcmp(rr->owner, lookup->authority.zone)) {
            const char *name = apr_pstrdup(lookup->p, rr->value);

            send_query(lookup, name, ACME_RR_A, on_address);
            send_query(lookup, name, ACME_RR_AAAA, on_address);
            names++;
        }
    }
    if (names == 0) {
        finish(lookup, APR_EGENERAL,
               apr_psprintf(lookup->p, "%s: its zone %s has no name servers",
                            lookup->name, lookup->authority.zone));
    }
}

/* Is name the zone, or below it? The root is everybody's and no help. */
static int is_within(const char *name, const char *zone)
{
    const apr_size_t len = strlen(name), zone_len = strlen(zone);

    return zone_len > 0 && len >= zone_len
           && !strcmp(name + len - zone_len, zone)
           && (len == zone_len || name[len - zone_len - 1] == '.');
}

/* The SOA of the zone of name, from either section, or NULL. */
static const acme_dns_rr_t *find_zone(const acme_dns_message_t *answer,
                                      const char *name)
{
    const apr_array_header_t *sections[] = { answer->answers,
                                             answer->authority };
    int s, i;

    for (s = 0; s < 2; s++) {
        for (i = 0; i < sections[s]->nelts; i++) {
            const acme_dns_rr_t *rr =
                &APR_ARRAY_IDX(sections[s], i, acme_dns_rr_t);

            if (rr->type == ACME_RR_SOA && is_within(name, rr->owner)) {
                return rr;
            }
        }
    }
    return NULL;
}

/*
 * Most resolvers name the zone in their first answer; some leave its authority
 * section out, so each parent is asked in turn.
 */
static void on_way_up(acme_dns_lookup_t *lookup,
                      const acme_dns_message_t *answer)
{
    const acme_dns_rr_t *soa = answer ? find_zone(answer, lookup->at) : NULL;

    if (soa) {
        apr_interval_time_t ttl = soa->ttl;

        lookup->authority.zone = apr_pstrdup(lookup->p, soa->owner);
        lookup->authority.interval = ttl < INTERVAL_MIN ? INTERVAL_MIN
                                     : ttl > INTERVAL_MAX ? INTERVAL_MAX
                                     : ttl;
        send_query(lookup, lookup->authority.zone, ACME_RR_NS, on_ns);
        return;
    }
    lookup->at = strchr(lookup->at, '.');
    if (lookup->at) {
        lookup->at++;
        send_query(lookup, lookup->at, ACME_RR_SOA, on_way_up);
        return;
    }
    finish(lookup, APR_ENOENT,
           apr_psprintf(lookup->p, "%s: in no zone that %s knows",
                        lookup->name, server_text(lookup)));
}

static void on_soa(acme_dns_lookup_t *lookup, const acme_dns_message_t *answer)
{
    int moved;

    if (!follow(&moved, lookup, answer)) {
        return;
    }
    lookup->authority.record = lookup->at;
    if (moved && !find_zone(answer, lookup->at)
        && answer->rcode == RCODE_NOERROR) {
        send_query(lookup, lookup->at, ACME_RR_SOA, on_soa);
        return;
    }
    on_way_up(lookup, answer);
}

acme_dns_lookup_t *acme_dns_lookup_authority(acme_dns_resolver_t *resolver,
                                             const char *name, apr_pool_t *p)
{
    acme_dns_lookup_t *lookup = lookup_make(resolver, NULL, name, p);

    lookup->servers = apr_array_make(lookup->p, 4, sizeof(const char *));
    lookup->authority.servers = lookup->servers;
    send_query(lookup, lookup->name, ACME_RR_SOA, on_soa);
    return lookup;
}

int acme_dns_lookup_is_over(const acme_dns_lookup_t *lookup)
{
    return lookup->over;
}

static apr_status_t outcome(const acme_dns_lookup_t *lookup,
                            acme_result_t *res)
{
    if (lookup->rv == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return acme_fail(res, lookup->rv, "%s",
                     acme_text_clean(lookup->detail, ACME_DETAIL_SIZE - 1,
                                     lookup->p));
}

apr_status_t acme_dns_lookup_values(apr_array_header_t **pvalues,
                                    const acme_dns_lookup_t *lookup,
                                    acme_result_t *res)
{
    *pvalues = lookup->rv == APR_SUCCESS ? lookup->values : NULL;
    return outcome(lookup, res);
}

apr_status_t acme_dns_lookup_servers(acme_dns_authority_t *out,
                                     const acme_dns_lookup_t *lookup,
                                     acme_result_t *res)
{
    memset(out, 0, sizeof(*out));
    if (lookup->rv == APR_SUCCESS) {
        *out = lookup->authority;
    }
    return outcome(lookup, res);
}

void acme_dns_lookup_end(acme_dns_lookup_t *lookup)
{
    apr_pool_destroy(lookup->p);
}

apr_status_t acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                 apr_interval_time_t most, acme_result_t *res)
{
    return acme_dns_query_run(resolver->questions, most, res);
}

apr_time_t acme_dns_lookup_now(void)
{
    return acme_dns_query_now();
}

apr_status_t acme_dns_lookup_txt_wait(apr_array_header_t **pvalues,
                                      acme_dns_resolver_t *resolver,
                                      const char *name, acme_result_t *res,
                                      apr_pool_t *p)
{
    acme_dns_lookup_t *lookup = acme_dns_lookup_txt(resolver, NULL, name, p);
    apr_status_t rv = APR_SUCCESS;

    *pvalues = NULL;

    /* It ends: each of its questions has a timeout. */
    while (!lookup->over && rv != APR_EINTR) {
        rv = acme_dns_lookup_run(resolver, RUN_MOST, res);
    }
    if (rv == APR_EINTR) {
        acme_dns_lookup_end(lookup);
        return rv;
    }
    return acme_dns_lookup_values(pvalues, lookup, res);
}
