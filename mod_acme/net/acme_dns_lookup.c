/*
 * acme_dns_lookup.c - lookups: queries, each of which follows from the answer
 * to the one before.
 *
 * Each on_...() is called with the answer to the query before it, and sends
 * the next one or finishes the lookup.
 */
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>

#include <apr_general.h>
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
    acme_dns_queries_t *queries;
};

/* answer is freed after the call: its values are copied if kept. */
typedef void answer_cb(acme_dns_lookup_t *lookup,
                       const acme_dns_message_t *answer);

/* One query of a lookup. */
typedef struct {
    acme_dns_lookup_t *lookup;
    acme_dns_query_t *handle;   /* NULL once it is answered or failed */
    answer_cb *on_answer;
    const char *server;         /* NULL: the recursive ones */
    const char *name;
    acme_dns_rr_e type;
    int may_fail;               /* then on_answer() gets NULL */
} query_t;

struct acme_dns_lookup_t {
    apr_pool_t *p;
    acme_dns_resolver_t *resolver;
    const char *server;         /* NULL: the recursive ones */
    const char *name;           /* of the lookup, lower case */
    const char *at;             /* the present name, along CNAMEs */
    const char *above;          /* whose SOA is looked for */
    const char *sibling;        /* a name that nobody has, beside at */
    const char *target;         /* of the CNAME at at */
    const char *from;           /* the server that answered; NULL: a
                                   recursive one */
    int follow;                 /* are CNAMEs followed? */
    int is_settled;             /* the zone's own servers named a zone */
    int depth_left;             /* CNAMEs that may still come */
    apr_array_header_t *queries;        /* query_t *: the present ones */
    int pending;                /* of them */
    int over;
    apr_status_t rv;
    const char *detail;         /* of a failure */
    acme_dns_rr_e type;         /* of values */
    int rcode;                  /* of the last answer to a query for them */
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
    rv = acme_dns_query_open(&resolver->queries, conf->stop, conf->servers,
                             resolver->conf.timeout, res, p);
    if (rv == APR_SUCCESS) {
        *presolver = resolver;
    }
    return rv;
}

static apr_status_t cancel_queries(void *data)
{
    acme_dns_lookup_t *lookup = data;
    int i;

    for (i = 0; i < lookup->queries->nelts; i++) {
        query_t *query = APR_ARRAY_IDX(lookup->queries, i, query_t *);

        if (query->handle) {
            acme_dns_query_cancel(query->handle);
        }
    }
    apr_array_clear(lookup->queries);
    return APR_SUCCESS;
}

static void finish_lookup(acme_dns_lookup_t *lookup, apr_status_t rv)
{
    cancel_queries(lookup);
    lookup->over = 1;
    lookup->rv = rv;
}

__attribute__((format(printf, 3, 4)))
static void fail_lookup(acme_dns_lookup_t *lookup, apr_status_t rv,
                        const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    lookup->detail = apr_pvsprintf(lookup->p, fmt, args);
    va_end(args);
    finish_lookup(lookup, rv);
}

static const char *type_text(acme_dns_rr_e type)
{
    switch (type) {
    case ACME_RR_A:
        return "A";
    case ACME_RR_AAAA:
        return "AAAA";
    case ACME_RR_CNAME:
        return "CNAME";
    case ACME_RR_NS:
        return "NS";
    case ACME_RR_SOA:
        return "SOA";
    case ACME_RR_CAA:
        return "CAA";
    default:
        return "TXT";
    }
}

static const char *server_text(const acme_dns_lookup_t *lookup,
                               const char *server)
{
    if (server) {
        return server;
    }
    return lookup->resolver->conf.servers ? lookup->resolver->conf.servers
                                          : "this machine's resolver";
}

static void fail_query(const query_t *query, apr_status_t rv, const char *why)
{
    acme_dns_lookup_t *lookup = query->lookup;

    fail_lookup(lookup, rv,
                "%s: no answer to %s from %s: %s",
                query->name, type_text(query->type),
                server_text(lookup, query->server), why);
}

static void on_query_reply(void *baton, apr_status_t rv, const char *why,
                           const unsigned char *message, apr_size_t len)
{
    query_t *query = baton;
    acme_dns_lookup_t *lookup = query->lookup;
    acme_dns_message_t *answer = NULL;
    apr_pool_t *answer_pool;

    query->handle = NULL;
    lookup->pending--;
    apr_pool_create(&answer_pool, lookup->p);
    if (rv == APR_SUCCESS) {
        why = "the answer is malformed";
        if (acme_dns_message_parse(&answer, message, len, answer_pool)) {
            rv = APR_EGENERAL;
        }
    }
    if (rv != APR_SUCCESS && !query->may_fail) {
        fail_query(query, rv, why);
    }
    else {
        lookup->from = query->server;
        query->on_answer(lookup, answer);
    }
    apr_pool_destroy(answer_pool);
}

/* on_answer() is called with NULL for one that may fail. */
static void send_to(acme_dns_lookup_t *lookup, const char *server,
                    const char *name, acme_dns_rr_e type, int may_fail,
                    answer_cb *on_answer)
{
    query_t *query;

    if (lookup->over) {         /* the query before failed at once */
        return;
    }
    query = apr_pcalloc(lookup->p, sizeof(*query));
    query->lookup = lookup;
    query->on_answer = on_answer;
    query->server = server;
    query->name = name;
    query->type = type;
    query->may_fail = may_fail;
    APR_ARRAY_PUSH(lookup->queries, query_t *) = query;
    lookup->pending++;
    query->handle =
        acme_dns_query_send(lookup->resolver->queries, server, name, type,
                            on_query_reply, query);
    if (!query->handle) {
        fail_query(query, APR_ENOMEM, "out of memory");
    }
}

static void send_query(acme_dns_lookup_t *lookup, const char *name,
                       acme_dns_rr_e type, answer_cb *on_answer)
{
    send_to(lookup, lookup->server, name, type, 0, on_answer);
}

static acme_dns_lookup_t *make_lookup(acme_dns_resolver_t *resolver,
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
    lookup->queries = apr_array_make(own, 2, sizeof(query_t *));
    apr_pool_cleanup_register(own, lookup, cancel_queries,
                              apr_pool_cleanup_null);
    return lookup;
}

/*
 * Move to the name that the CNAMEs of answer lead to; *pmoved: were there any?
 * Returns 0 when the lookup is finished: too many of them.
 */
static int follow_cnames(int *pmoved, acme_dns_lookup_t *lookup,
                         const acme_dns_message_t *answer)
{
    const char *to =
        acme_dns_message_follow(answer, lookup->at, &lookup->depth_left);

    if (!to) {
        fail_lookup(lookup, APR_EGENERAL,
                    "%s: more than %d CNAMEs one after the other, or a circle of them",
                    lookup->name, ACME_CNAME_DEPTH_MAX);
        return 0;
    }
    *pmoved = to != lookup->at;
    if (*pmoved) {
        lookup->at = apr_pstrdup(lookup->p, to);
    }
    return 1;
}

static void on_values(acme_dns_lookup_t *lookup,
                      const acme_dns_message_t *answer)
{
    apr_array_header_t *values;
    int moved, i;

    if (!follow_cnames(&moved, lookup, answer)) {
        return;
    }
    lookup->rcode = answer->rcode;
    values = apr_array_make(lookup->p, 4, sizeof(const char *));
    for (i = 0; i < answer->answers->nelts && values->nelts < VALUES_MAX;
         i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);

        if (rr->type == lookup->type && !strcmp(rr->owner, lookup->at)) {
            APR_ARRAY_PUSH(values, const char *) =
                apr_pstrdup(lookup->p, rr->value);
        }
    }
    lookup->values = values;

    if (values->nelts > 0) {
        finish_lookup(lookup, APR_SUCCESS);
    }
    else if (moved && !lookup->server && answer->rcode == RCODE_NOERROR) {
        send_query(lookup, lookup->at, lookup->type, on_values);
    }
    else if (lookup->type != ACME_RR_TXT && answer->rcode != RCODE_NOERROR
             && answer->rcode != ACME_RCODE_NXDOMAIN) {
        /* There may be records, and a CA must not guess. (8659, 3) */
        fail_lookup(lookup, APR_EGENERAL, "%s: %s fails for %s (rcode %d)",
                    lookup->name, server_text(lookup, lookup->server),
                    type_text(lookup->type), answer->rcode);
    }
    else if (lookup->server && !answer->authoritative) {
        /* Such a server knows nothing: there may be a record all the same. */
        fail_lookup(lookup, APR_EGENERAL,
                    "%s: %s is not responsible for it",
                    lookup->name, lookup->server);
    }
    else {
        fail_lookup(lookup, APR_ENOENT,
                    "%s: %s has no %s record for it",
                    lookup->name, server_text(lookup, lookup->server),
                    type_text(lookup->type));
    }
}

static acme_dns_lookup_t *begin_values(acme_dns_resolver_t *resolver,
                                       const char *server, const char *name,
                                       acme_dns_rr_e type, apr_pool_t *p)
{
    acme_dns_lookup_t *lookup = make_lookup(resolver, server, name, p);

    lookup->type = type;
    send_query(lookup, lookup->name, type, on_values);
    return lookup;
}

acme_dns_lookup_t *acme_dns_lookup_txt(acme_dns_resolver_t *resolver,
                                       const char *server, const char *name,
                                       apr_pool_t *p)
{
    return begin_values(resolver, server, name, ACME_RR_TXT, p);
}

acme_dns_lookup_t *acme_dns_lookup_records(acme_dns_resolver_t *resolver,
                                           const char *name,
                                           acme_dns_rr_e type, apr_pool_t *p)
{
    return begin_values(resolver, NULL, name, type, p);
}

int acme_dns_lookup_is_nxdomain(const acme_dns_lookup_t *lookup)
{
    return lookup->over && APR_STATUS_IS_ENOENT(lookup->rv)
        && lookup->rcode == ACME_RCODE_NXDOMAIN;
}

/* Is name the zone, or below it? The root, above every name, does not count. */
static int is_within(const char *name, const char *zone)
{
    const apr_size_t len = strlen(name), zone_len = strlen(zone);

    return zone_len > 0 && len >= zone_len
           && !strcmp(name + len - zone_len, zone)
           && (len == zone_len || name[len - zone_len - 1] == '.');
}

/* The SOA of the zone of name, in either section, or NULL. */
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

/* The zone below ours that the answer refers to, for it has the present name;
   NULL: none. (1034, 4.3.2) */
static const char *referral_of(const acme_dns_lookup_t *lookup,
                               const acme_dns_message_t *answer)
{
    const char *zone = lookup->authority.zone;
    int i;

    for (i = 0; i < answer->authority->nelts; i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->authority, i, acme_dns_rr_t);

        if (rr->type == ACME_RR_NS && is_within(lookup->at, rr->owner)
            && strlen(rr->owner) > strlen(zone)) {
            return rr->owner;
        }
    }
    return NULL;
}

static void use_zone(acme_dns_lookup_t *lookup, const acme_dns_rr_t *soa)
{
    lookup->authority.zone = apr_pstrdup(lookup->p, soa->owner);
    lookup->authority.interval =
        soa->ttl < INTERVAL_MIN ? INTERVAL_MIN
        : soa->ttl < INTERVAL_MAX ? soa->ttl : INTERVAL_MAX;
}

static void find_servers(acme_dns_lookup_t *lookup);
static void find_above(acme_dns_lookup_t *lookup, const char *name);

static void finish_here(acme_dns_lookup_t *lookup)
{
    lookup->authority.record = lookup->at;
    finish_lookup(lookup, APR_SUCCESS);
}

/*
 * Is there the same CNAME beside the present name, where nobody has put one?
 * Then it is a wildcard's, which is meant for hosts: a record that is set at
 * the present name takes its place. A DNAME leads to another target.
 */
static void on_sibling(acme_dns_lookup_t *lookup,
                       const acme_dns_message_t *answer)
{
    const char *beside = answer
        ? acme_dns_message_cname(answer, lookup->sibling) : NULL;

    if (beside && !strcmp(beside, lookup->target)) {
        finish_here(lookup);
    }
    else if (lookup->depth_left-- <= 0) {
        fail_lookup(lookup, APR_EGENERAL,
                    "%s: more than %d CNAMEs one after the other, or a circle of them",
                    lookup->name, ACME_CNAME_DEPTH_MAX);
    }
    else {
        lookup->at = lookup->target;
        find_above(lookup, lookup->at);
    }
}

/* What is at the present name, as the answer has it. */
static void use_answer(acme_dns_lookup_t *lookup,
                       const acme_dns_message_t *answer)
{
    const char *target = lookup->follow
        ? acme_dns_message_cname(answer, lookup->at) : NULL;
    const acme_dns_rr_t *soa = find_zone(answer, lookup->at);
    const char *from = lookup->from, *parent = strchr(lookup->at, '.');
    apr_uint32_t random[2] = { 0, 0 };

    cancel_queries(lookup);
    lookup->pending = 0;
    if (target && parent) {
        lookup->target = apr_pstrdup(lookup->p, target);
        apr_generate_random_bytes((unsigned char *)random, sizeof(random));
        lookup->sibling = apr_psprintf(lookup->p, "_%08x%08x%s", random[0],
                                       random[1], parent);
        send_to(lookup, from, lookup->sibling, ACME_RR_CNAME, 1, on_sibling);
    }
    else if (from && soa
             && strlen(soa->owner) > strlen(lookup->authority.zone)) {
        use_zone(lookup, soa);  /* a zone below, at the same servers */
        lookup->is_settled = 1;
        find_servers(lookup);
    }
    else {
        finish_here(lookup);
    }
}

/* The recursive servers, where the zone's own cannot be asked. */
static void on_cached_record(acme_dns_lookup_t *lookup,
                             const acme_dns_message_t *answer)
{
    if (answer) {
        use_answer(lookup, answer);
    }
    else {
        finish_here(lookup);
    }
}

static void on_record(acme_dns_lookup_t *lookup,
                      const acme_dns_message_t *answer)
{
    const char *below;

    if (answer && answer->authoritative
        && (answer->rcode == RCODE_NOERROR
            || answer->rcode == ACME_RCODE_NXDOMAIN)) {
        use_answer(lookup, answer);
        return;
    }
    below = answer ? referral_of(lookup, answer) : NULL;
    if (below) {
        cancel_queries(lookup);
        lookup->pending = 0;
        lookup->authority.zone = apr_pstrdup(lookup->p, below);
        find_servers(lookup);
    }
    else if (lookup->pending == 0) {
        if (lookup->follow) {
            send_to(lookup, NULL, lookup->at, ACME_RR_CNAME, 1,
                    on_cached_record);
        }
        else {
            finish_here(lookup);
        }
    }
}

/*
 * Ask the zone's own servers what is at the present name. A cache would keep
 * for long that there is nothing, and a CA may ask the same one.
 */
static void ask_servers(acme_dns_lookup_t *lookup)
{
    const int n = lookup->servers->nelts;
    int i;

    for (i = 0; i < n && !lookup->over; i++) {
        send_to(lookup, APR_ARRAY_IDX(lookup->servers, i, const char *),
                lookup->at, ACME_RR_CNAME, 1, on_record);
    }
}

/*
 * All addresses of the answer count: the query was for nothing else. answer is
 * NULL when there was none.
 */
static void on_address(acme_dns_lookup_t *lookup,
                       const acme_dns_message_t *answer)
{
    int i;

    for (i = 0; answer && i < answer->answers->nelts; i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);
        const char *server;

        if (rr->type != ACME_RR_A && rr->type != ACME_RR_AAAA) {
            continue;
        }
        server = apr_psprintf(lookup->p, rr->type == ACME_RR_AAAA
                                             ? "[%s]:%s" : "%s:%s", rr->value,
                              lookup->resolver->conf.authority_port);
        if (lookup->servers->nelts < SERVERS_MAX
            && !acme_name_in(lookup->servers, server)) {
            APR_ARRAY_PUSH(lookup->servers, const char *) = server;
        }
    }

    if (lookup->pending > 0) {
        return;
    }
    if (lookup->servers->nelts == 0) {
        fail_lookup(lookup, APR_EGENERAL,
                    "%s: the name servers of its zone %s have no addresses",
                    lookup->name, lookup->authority.zone);
    }
    else if (lookup->is_settled) {
        finish_here(lookup);
    }
    else {
        ask_servers(lookup);
    }
}

static void on_ns(acme_dns_lookup_t *lookup, const acme_dns_message_t *answer)
{
    int i, names = 0;

    apr_array_clear(lookup->queries);
    for (i = 0; i < answer->answers->nelts && names < NAME_SERVERS_MAX
                && !lookup->over; i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);

        if (rr->type == ACME_RR_NS
            && !strcmp(rr->owner, lookup->authority.zone)) {
            const char *name = apr_pstrdup(lookup->p, rr->value);

            /* One address is as good as another: on_address() wants any. */
            send_to(lookup, NULL, name, ACME_RR_A, 1, on_address);
            send_to(lookup, NULL, name, ACME_RR_AAAA, 1, on_address);
            names++;
        }
    }
    if (names == 0) {
        fail_lookup(lookup, APR_EGENERAL,
                    "%s: its zone %s has no name servers",
                    lookup->name, lookup->authority.zone);
    }
}

static void find_servers(acme_dns_lookup_t *lookup)
{
    lookup->servers = apr_array_make(lookup->p, 4, sizeof(const char *));
    lookup->authority.servers = lookup->servers;
    send_query(lookup, lookup->authority.zone, ACME_RR_NS, on_ns);
}

/*
 * Most answers to the first query have the SOA of the zone; some resolvers
 * leave the authority section out, and behind a CNAME it is another zone's, so
 * each name above is queried in turn.
 */
static void on_way_up(acme_dns_lookup_t *lookup,
                      const acme_dns_message_t *answer)
{
    const acme_dns_rr_t *soa = acme_dns_message_cname(answer, lookup->above)
        ? NULL : find_zone(answer, lookup->above);

    if (soa) {
        use_zone(lookup, soa);
        find_servers(lookup);
        return;
    }
    lookup->above = strchr(lookup->above, '.');
    if (lookup->above) {
        lookup->above++;
        send_query(lookup, lookup->above, ACME_RR_SOA, on_way_up);
        return;
    }
    fail_lookup(lookup, APR_ENOENT, "%s: in no zone that %s knows",
                lookup->name, server_text(lookup, NULL));
}

/* Find the zone of name from the name above it, which mostly exists. */
static void find_above(acme_dns_lookup_t *lookup, const char *name)
{
    const char *dot = strchr(name, '.');

    lookup->above = dot ? dot + 1 : name;
    send_query(lookup, lookup->above, ACME_RR_SOA, on_way_up);
}

static acme_dns_lookup_t *begin_authority(acme_dns_resolver_t *resolver,
                                          const char *name, int follow,
                                          apr_pool_t *p)
{
    acme_dns_lookup_t *lookup = make_lookup(resolver, NULL, name, p);

    lookup->follow = follow;
    find_above(lookup, lookup->name);
    return lookup;
}

acme_dns_lookup_t *acme_dns_lookup_authority(acme_dns_resolver_t *resolver,
                                             const char *name, apr_pool_t *p)
{
    return begin_authority(resolver, name, 1, p);
}

acme_dns_lookup_t *acme_dns_lookup_zone(acme_dns_resolver_t *resolver,
                                        const char *name, apr_pool_t *p)
{
    return begin_authority(resolver, name, 0, p);
}

int acme_dns_lookup_is_over(const acme_dns_lookup_t *lookup)
{
    return lookup->over;
}

/* The status of a finished lookup; res is filled when it failed. */
static apr_status_t read_outcome(const acme_dns_lookup_t *lookup,
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
    return read_outcome(lookup, res);
}

apr_status_t acme_dns_lookup_servers(acme_dns_authority_t *out,
                                     const acme_dns_lookup_t *lookup,
                                     acme_result_t *res)
{
    memset(out, 0, sizeof(*out));
    if (lookup->rv == APR_SUCCESS) {
        *out = lookup->authority;
    }
    return read_outcome(lookup, res);
}

void acme_dns_lookup_end(acme_dns_lookup_t *lookup)
{
    apr_pool_destroy(lookup->p);
}

apr_status_t acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                 apr_interval_time_t most, acme_result_t *res)
{
    return acme_dns_query_run(resolver->queries, most, res);
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

    /* The loop ends: each query has a timeout. */
    while (!lookup->over && rv != APR_EINTR) {
        rv = acme_dns_lookup_run(resolver, RUN_MOST, res);
    }
    if (rv == APR_EINTR) {
        acme_dns_lookup_end(lookup);
        return rv;
    }
    return acme_dns_lookup_values(pvalues, lookup, res);
}
