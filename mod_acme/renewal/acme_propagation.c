/*
 * acme_propagation.c - one watch a name: rest, find its servers, ask them.
 *
 * No step waits. All watches go on side by side in the one resolver, and what
 * a look took of memory is given back when it is over.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_propagation.h"
#include "acme_text.h"
#include "acme_time.h"

/* A change takes seconds at most providers; the zone's interval is longer. */
#define LOOK_FIRST apr_time_from_sec(2)
#define LOOK_BLIND apr_time_from_sec(30)        /* the longest, of no zone */
#define LACK_SIZE 400           /* octets of a sentence about a name */

typedef enum {
    WATCH_REST,                 /* until next */
    WATCH_FIND,                 /* who is responsible */
    WATCH_ASK,                  /* those who are */
    WATCH_FALL_BACK,            /* the resolver, for nobody else answers */
    WATCH_CACHE,                /* the resolver, after all of those */
    WATCH_SEEN
} watch_e;

/* A server of a zone. */
typedef struct {
    const char *address;
    acme_dns_lookup_t *lookup;  /* NULL when it is not being asked */
    int answered;               /* in this look */
    int has;                    /* the values: then it keeps them */
} server_t;

/* A name, and all values that must be there. */
typedef struct {
    const char *name;           /* for the resolver */
    const char *record;         /* for the servers */
    apr_array_header_t *values;         /* const char * */
    watch_e state;
    apr_time_t next;
    int looks;
    apr_interval_time_t interval;       /* the longest between two looks */
    acme_dns_lookup_t *lookup;          /* while finding and falling back */
    const char *zone;           /* NULL: not found yet, as is the rest */
    apr_array_header_t *servers;        /* server_t */
    int have_all;               /* the servers: the resolver is left */
    char lack[LACK_SIZE];
} record_watch_t;

typedef struct {
    acme_dns_resolver_t *resolver;
    apr_array_header_t *watches;        /* record_watch_t */
    apr_pool_t *p;
} wait_t;

static record_watch_t *watch_of(wait_t *wait,
                                const acme_propagation_record_t *record)
{
    record_watch_t *watch;
    int i;

    for (i = 0; i < wait->watches->nelts; i++) {
        watch = &APR_ARRAY_IDX(wait->watches, i, record_watch_t);
        if (!strcmp(watch->name, record->name)) {
            return watch;
        }
    }
    watch = apr_array_push(wait->watches);
    watch->name = record->name;
    watch->record = record->record;
    watch->values = apr_array_make(wait->p, 2, sizeof(const char *));
    watch->interval = LOOK_BLIND;
    apr_cpystrn(watch->lack, "no answer yet", LACK_SIZE);
    return watch;
}

/* A name and its wildcard have one record, and two values. */
static void make_watches(wait_t *wait, const apr_array_header_t *records)
{
    int i;

    wait->watches =
        apr_array_make(wait->p, records->nelts, sizeof(record_watch_t));
    for (i = 0; i < records->nelts; i++) {
        const acme_propagation_record_t *record =
            &APR_ARRAY_IDX(records, i, acme_propagation_record_t);
        record_watch_t *watch = watch_of(wait, record);

        APR_ARRAY_PUSH(watch->values, const char *) = record->value;
    }
}

static void rest(record_watch_t *watch, apr_time_t now)
{
    apr_interval_time_t wait =
        LOOK_FIRST << (watch->looks < 10 ? watch->looks : 10);

    watch->looks++;
    watch->state = WATCH_REST;
    watch->next = now + (wait < watch->interval ? wait : watch->interval);
}

static void find_servers(record_watch_t *watch, const wait_t *wait)
{
    watch->lookup =
        acme_dns_lookup_zone(wait->resolver, watch->record, wait->p);
    watch->state = WATCH_FIND;
}

static void ask_resolver(record_watch_t *watch, const wait_t *wait,
                         watch_e state)
{
    watch->lookup =
        acme_dns_lookup_txt(wait->resolver, NULL, watch->name, wait->p);
    watch->state = state;
}

/* One that had the values is asked no more. */
static void ask_servers(record_watch_t *watch, const wait_t *wait)
{
    int i;

    for (i = 0; i < watch->servers->nelts; i++) {
        server_t *server = &APR_ARRAY_IDX(watch->servers, i, server_t);

        server->answered = server->has;
        if (!server->has) {
            server->lookup = acme_dns_lookup_txt(
                wait->resolver, server->address, watch->record, wait->p);
        }
    }
    watch->state = WATCH_ASK;
}

/* A copy, for the lookup ends. */
static void keep_authority(record_watch_t *watch,
                           const acme_dns_authority_t *authority,
                           apr_pool_t *p)
{
    int i;

    watch->zone = apr_pstrdup(p, authority->zone);
    watch->interval = authority->interval;
    watch->servers = apr_array_make(p, authority->servers->nelts,
                                    sizeof(server_t));
    for (i = 0; i < authority->servers->nelts; i++) {
        server_t *server = apr_array_push(watch->servers);

        server->address = apr_pstrdup(
            p, APR_ARRAY_IDX(authority->servers, i, const char *));
    }
}

static void on_found(record_watch_t *watch, const wait_t *wait)
{
    acme_dns_authority_t authority;
    acme_result_t res;

    if (acme_dns_lookup_servers(&authority, watch->lookup, &res)
        == APR_SUCCESS) {
        keep_authority(watch, &authority, wait->p);
        acme_dns_lookup_end(watch->lookup);
        ask_servers(watch, wait);
        return;
    }
    acme_dns_lookup_end(watch->lookup);
    apr_snprintf(watch->lack, LACK_SIZE,
                 "its name servers were not found (%s)", res.detail);
    ask_resolver(watch, wait, WATCH_FALL_BACK);
}

/* What a lookup of TXT brought; it is ended. */
static apr_status_t read_values(int *phas, record_watch_t *watch,
                                acme_dns_lookup_t **plookup,
                                acme_result_t *res)
{
    apr_array_header_t *values;
    apr_status_t rv = acme_dns_lookup_values(&values, *plookup, res);

    *phas = rv == APR_SUCCESS && acme_name_all_in(watch->values, values);
    acme_dns_lookup_end(*plookup);
    *plookup = NULL;
    return rv;
}

static void read_server(record_watch_t *watch, server_t *server)
{
    acme_result_t res;
    apr_status_t rv = read_values(&server->has, watch, &server->lookup, &res);

    server->answered = rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv);
    if (server->answered && !server->has) {
        apr_snprintf(watch->lack, LACK_SIZE,
                     "%s, a name server of %s, does not have the value",
                     server->address, watch->zone);
    }
}

/* What those say who answered; nobody: the resolver is asked. */
static void decide(record_watch_t *watch, const wait_t *wait, apr_time_t now)
{
    int answered = 0, lacking = 0, i;

    for (i = 0; i < watch->servers->nelts; i++) {
        const server_t *server = &APR_ARRAY_IDX(watch->servers, i, server_t);

        answered += server->answered;
        lacking += server->answered && !server->has;
    }
    if (lacking) {
        rest(watch, now);
    }
    else if (answered) {
        watch->have_all = 1;
        watch->looks = 0;
        ask_resolver(watch, wait, WATCH_CACHE);
    }
    else {
        apr_snprintf(watch->lack, LACK_SIZE, "no name server of %s answers",
                     watch->zone);
        ask_resolver(watch, wait, WATCH_FALL_BACK);
    }
}

static void on_servers(record_watch_t *watch, const wait_t *wait,
                       apr_time_t now)
{
    int asked = 0, i;

    for (i = 0; i < watch->servers->nelts; i++) {
        server_t *server = &APR_ARRAY_IDX(watch->servers, i, server_t);

        if (server->lookup && acme_dns_lookup_is_over(server->lookup)) {
            read_server(watch, server);
        }
        asked += server->lookup != NULL;
    }
    if (!asked) {
        decide(watch, wait, now);
    }
}

static void on_fallen_back(record_watch_t *watch, apr_time_t now)
{
    acme_result_t res;
    apr_status_t rv;
    apr_size_t len;
    int has;

    rv = read_values(&has, watch, &watch->lookup, &res);
    if (has) {
        watch->state = WATCH_SEEN;
        return;
    }
    len = strlen(watch->lack);
    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)) {
        apr_cpystrn(
            watch->lack + len,
            ", and the resolver of this machine does not see the value",
            LACK_SIZE - len);
    }
    else {
        apr_snprintf(watch->lack + len, LACK_SIZE - len, "; %s", res.detail);
    }
    rest(watch, now);
}

/* What keeps the resolver from an answer does not keep the CA. */
static void on_cache(record_watch_t *watch, apr_time_t now)
{
    acme_result_t res;
    apr_status_t rv;
    int has;

    rv = read_values(&has, watch, &watch->lookup, &res);
    if (has || (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv))) {
        watch->state = WATCH_SEEN;
        return;
    }
    apr_cpystrn(
        watch->lack,
        "the name servers have the value, but the resolver of this machine still has an older answer in its cache",
        LACK_SIZE);
    rest(watch, now);
}

static void advance(record_watch_t *watch, const wait_t *wait, apr_time_t now)
{
    switch (watch->state) {
    case WATCH_REST:
        if (now < watch->next) {
            break;
        }
        if (watch->have_all) {
            ask_resolver(watch, wait, WATCH_CACHE);
        }
        else if (watch->zone) {
            ask_servers(watch, wait);
        }
        else {
            find_servers(watch, wait);
        }
        break;
    case WATCH_FIND:
        if (acme_dns_lookup_is_over(watch->lookup)) {
            on_found(watch, wait);
        }
        break;
    case WATCH_ASK:
        on_servers(watch, wait, now);
        break;
    case WATCH_FALL_BACK:
        if (acme_dns_lookup_is_over(watch->lookup)) {
            on_fallen_back(watch, now);
        }
        break;
    case WATCH_CACHE:
        if (acme_dns_lookup_is_over(watch->lookup)) {
            on_cache(watch, now);
        }
        break;
    case WATCH_SEEN:
        break;
    }
}

/* Advance each watch; returns how many do not see theirs yet. */
static int advance_all(apr_time_t *pnext, wait_t *wait, apr_time_t now)
{
    int i, unseen = 0;

    for (i = 0; i < wait->watches->nelts; i++) {
        record_watch_t *watch =
            &APR_ARRAY_IDX(wait->watches, i, record_watch_t);

        advance(watch, wait, now);
        unseen += watch->state != WATCH_SEEN;
        if (watch->state == WATCH_REST && watch->next < *pnext) {
            *pnext = watch->next;
        }
    }
    return unseen;
}

static apr_status_t explain_unseen(const wait_t *wait, int unseen,
                                apr_interval_time_t most, acme_result_t *res)
{
    const record_watch_t *watch = NULL;
    const char *others = "";
    int i;

    for (i = 0; i < wait->watches->nelts; i++) {
        watch = &APR_ARRAY_IDX(wait->watches, i, record_watch_t);
        if (watch->state != WATCH_SEEN) {
            break;
        }
    }
    if (unseen > 1) {
        others = apr_psprintf(wait->p, "; the same is true of %d more", unseen - 1);
    }
    acme_fail(res, APR_TIMEUP, "%s: after %s, %s%s%s",
              acme_text_clean(watch->record, ACME_NAME_MAX, wait->p),
              acme_time_interval_text(most, wait->p), watch->lack, others,
              watch->have_all
                  ? ""
                  : "; check that its TXT record reaches all name servers");
    return acme_result_reason(res, ACME_REASON_DNS_PROPAGATION);
}

static apr_status_t watch_all(wait_t *wait, apr_interval_time_t most,
                              acme_result_t *res)
{
    const apr_time_t end = acme_dns_lookup_now() + most;
    apr_time_t now, next;
    int unseen;

    for (;;) {
        now = acme_dns_lookup_now();
        next = end;
        unseen = advance_all(&next, wait, now);
        if (!unseen) {
            return APR_SUCCESS;
        }
        if (now >= end) {
            return explain_unseen(wait, unseen, most, res);
        }
        if (acme_dns_lookup_run(wait->resolver, next - now, res)
            == APR_EINTR) {
            return APR_EINTR;
        }
    }
}

apr_status_t acme_propagation_wait(const apr_array_header_t *records,
                                   const acme_dns_lookup_conf_t *conf,
                                   apr_interval_time_t most,
                                   acme_result_t *res, apr_pool_t *p)
{
    wait_t wait = { 0 };
    apr_status_t rv;

    apr_pool_create(&wait.p, p);
    make_watches(&wait, records);
    rv = acme_dns_lookup_open(&wait.resolver, conf, res, wait.p);
    if (rv == APR_SUCCESS) {
        rv = watch_all(&wait, most, res);
    }
    apr_pool_destroy(wait.p);
    return rv;
}
