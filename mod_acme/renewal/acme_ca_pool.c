/*
 * acme_ca_pool.c - the ways to the CAs of the configuration, with connections,
 * and what orders at one CA share.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "acme_breaker.h"
#include "acme_ca_pool.h"
#include "acme_name.h"
#include "acme_openssl_version.h"
#include "acme_parallel.h"
#include "acme_problem.h"
#include "acme_roots.h"
#include "acme_timing.h"
#include "acme_url.h"

/* So long libcurl keeps an open connection (CURLOPT_MAXAGE_CONN). */
#define IDLE_MAX apr_time_from_sec(118)

/* A connection, in a pool of its own. */
typedef struct {
    acme_http_t *http;
    apr_pool_t *p;
    int is_lent;
    apr_time_t since;           /* it is not lent */
} client_t;

/*
 * A way to a CA. What the CA said is kept apart as well: one way may lead to
 * somebody that another one's roots do not vouch for.
 */
typedef struct {
    acme_ca_t *ca;
    const char *host;           /* of its directory, for people */
    apr_array_header_t *clients;        /* client_t */
    acme_http_roots_t *roots;   /* NULL: libcurl parses them itself */
    acme_breaker_t breaker;
    acme_parallel_t parallel;
} route_slot_t;

/* A CA with its account, whichever the way to it is. */
typedef struct {
    apr_thread_mutex_t *account;
    char terms[ACME_URL_MAX + 1];       /* reported last; "": none */
} ca_slot_t;

struct acme_ca_pool_t {
    const acme_conf_t *conf;
    const acme_log_t *log;
    const char *user_agent;
    acme_stop_t *stop;
    route_slot_t *routes;       /* by index in acme_conf_t.routes */
    ca_slot_t *slots;           /* by index in acme_conf_t.cas */
    apr_thread_mutex_t *mutex;  /* for the slots and for p */
    apr_pool_t *p;
};

static unsigned int are_roots_ready(void *baton)
{
    return acme_roots_ready(baton);
}

static int use_roots(void *baton, void *ssl_ctx)
{
    return acme_roots_use(baton, ssl_ctx);
}

/*
 * Is libcurl's OpenSSL ours? What is made with one version may not be given to
 * another one: "OpenSSL 3.0.17 1 Jul 2025" is its "OpenSSL/3.0.17".
 */
static int is_same_openssl(apr_pool_t *p)
{
    char *last, *words = apr_pstrdup(p, acme_openssl_version());
    const char *name = apr_strtok(words, " ", &last);
    const char *version = apr_strtok(NULL, " ", &last);

    return name && version
        && !strcmp(acme_http_tls_library(),
                   apr_pstrcat(p, name, "/", version, NULL));
}

/* Nothing to parse them once with: each connection does it. A proxy with TLS is
   verified with the system's roots, whatever those of the CA are. */
static apr_status_t make_roots(acme_http_roots_t **proots,
                               const acme_route_conf_t *route, apr_pool_t *p)
{
    const char *file = route->roots, *folder = NULL;
    acme_roots_t *parsed;
    apr_status_t rv;

    *proots = NULL;
    if (!is_same_openssl(p)
        || (route->proxy && !strncasecmp(route->proxy, "https:", 6))
        || (!file && !acme_http_system_roots(&file, &folder))) {
        return APR_SUCCESS;
    }
    rv = acme_roots_create(&parsed, file, folder, p);
    if (rv == APR_SUCCESS) {
        *proots = apr_palloc(p, sizeof(**proots));
        **proots = (acme_http_roots_t) { parsed, are_roots_ready, use_roots };
    }
    return rv;
}

apr_status_t acme_ca_pool_create(acme_ca_pool_t **pcas,
                                 const acme_conf_t *conf,
                                 const acme_log_t *log, const char *user_agent,
                                 acme_stop_t *stop, apr_pool_t *p)
{
    acme_ca_pool_t *cas = apr_pcalloc(p, sizeof(*cas));
    apr_status_t rv;
    int i;

    cas->conf = conf;
    cas->log = log;
    cas->user_agent = user_agent;
    cas->stop = stop;
    cas->p = p;
    cas->routes = apr_pcalloc(p, (apr_size_t)(conf->routes->nelts + 1)
                              * sizeof(*cas->routes));
    cas->slots = apr_pcalloc(p, (apr_size_t)(conf->cas->nelts + 1)
                             * sizeof(*cas->slots));
    rv = apr_thread_mutex_create(&cas->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    for (i = 0; rv == APR_SUCCESS && i < conf->cas->nelts; i++) {
        rv = apr_thread_mutex_create(&cas->slots[i].account,
                                     APR_THREAD_MUTEX_DEFAULT, p);
    }
    for (i = 0; rv == APR_SUCCESS && i < conf->routes->nelts; i++) {
        const acme_route_conf_t *route = &APR_ARRAY_IDX(conf->routes, i,
                                                        acme_route_conf_t);

        acme_parallel_begin(&cas->routes[i].parallel, conf->parallel_first,
                            conf->parallel);
        cas->routes[i].clients = apr_array_make(p, conf->parallel,
                                                sizeof(client_t));
        rv = acme_ca_create(&cas->routes[i].ca,
                            APR_ARRAY_IDX(conf->cas, route->ca,
                                          acme_ca_conf_t).url, p);
        cas->routes[i].host = acme_url_host(
            APR_ARRAY_IDX(conf->cas, route->ca, acme_ca_conf_t).url, p);
    }
    for (i = 0; rv == APR_SUCCESS && i < conf->routes->nelts; i++) {
        rv = make_roots(&cas->routes[i].roots,
                        &APR_ARRAY_IDX(conf->routes, i, acme_route_conf_t),
                        p);
    }
    *pcas = rv == APR_SUCCESS ? cas : NULL;
    return rv;
}

acme_ca_t *acme_ca_pool_ca(acme_ca_pool_t *cas, apr_uint32_t route)
{
    return cas->routes[route].ca;
}

static client_t *make_client(acme_ca_pool_t *cas, apr_uint32_t route,
                             acme_result_t *res)
{
    route_slot_t *slot = &cas->routes[route];
    const acme_route_conf_t *way = &APR_ARRAY_IDX(cas->conf->routes, route,
                                                  acme_route_conf_t);
    const acme_http_conf_t conf = { .user_agent = cas->user_agent,
                                    .ca_file = way->roots,
                                    .roots = slot->roots,
                                    .proxy = way->proxy,
                                    .stop = cas->stop };
    client_t client = { .http = NULL }, *made;

    if (apr_pool_create(&client.p, cas->p)) {
        acme_fail(res, APR_ENOMEM, "libcurl: out of memory");
        return NULL;
    }
    if (acme_http_create(&client.http, &conf, res, client.p)) {
        apr_pool_destroy(client.p);
        return NULL;
    }
    made = apr_array_push(slot->clients);
    *made = client;
    return made;
}

/* The one that was used last, whose connection is most likely open. */
static client_t *find_idle(const apr_array_header_t *clients)
{
    client_t *found = NULL;
    int i;

    for (i = 0; i < clients->nelts; i++) {
        client_t *client = &APR_ARRAY_IDX(clients, i, client_t);

        if (!client->is_lent && (!found || client->since >= found->since)) {
            found = client;
        }
    }
    return found;
}

apr_status_t acme_ca_pool_borrow(acme_http_t **phttp, acme_ca_pool_t *cas,
                                 apr_uint32_t route, acme_result_t *res)
{
    client_t *client;

    apr_thread_mutex_lock(cas->mutex);
    client = find_idle(cas->routes[route].clients);
    if (!client) {
        client = make_client(cas, route, res);
    }
    if (client) {
        client->is_lent = 1;
    }
    *phttp = client ? client->http : NULL;
    apr_thread_mutex_unlock(cas->mutex);
    return client ? APR_SUCCESS : APR_ENOMEM;
}

void acme_ca_pool_return(acme_ca_pool_t *cas, apr_uint32_t route,
                         acme_http_t *http)
{
    const apr_array_header_t *clients = cas->routes[route].clients;
    int i;

    apr_thread_mutex_lock(cas->mutex);
    for (i = 0; i < clients->nelts; i++) {
        client_t *client = &APR_ARRAY_IDX(clients, i, client_t);

        if (client->http == http) {
            client->is_lent = 0;
            client->since = apr_time_now();
        }
    }
    apr_thread_mutex_unlock(cas->mutex);
}

static void close_idle(apr_array_header_t *clients, apr_time_t now)
{
    int i;

    for (i = clients->nelts; i-- > 0; ) {
        client_t *client = &APR_ARRAY_IDX(clients, i, client_t);

        if (!client->is_lent && (now - client->since > IDLE_MAX
                                 || client->since > now)) {
            apr_pool_destroy(client->p);
            *client = APR_ARRAY_IDX(clients, --clients->nelts, client_t);
        }
    }
}

void acme_ca_pool_close_idle(acme_ca_pool_t *cas, apr_time_t now)
{
    int i;

    apr_thread_mutex_lock(cas->mutex);
    for (i = 0; i < cas->conf->routes->nelts; i++) {
        close_idle(cas->routes[i].clients, now);
    }
    apr_thread_mutex_unlock(cas->mutex);
}

apr_uint32_t acme_ca_pool_choose(acme_ca_pool_t *cas,
                                 const acme_state_t *state,
                                 const acme_cert_conf_t *cert,
                                 const unsigned char *full, apr_time_t now)
{
    unsigned char open[ACME_CHOICE_MAX] = { 0 };
    int i, n = cert->cas->nelts < ACME_CHOICE_MAX ? cert->cas->nelts
                                                  : ACME_CHOICE_MAX;

    apr_thread_mutex_lock(cas->mutex);
    for (i = 0; i < n; i++) {
        open[i] = full[i] || acme_breaker_is_open(
            &cas->routes[acme_conf_route_index(cert, (apr_uint32_t)i)].breaker,
            now);
    }
    apr_thread_mutex_unlock(cas->mutex);
    return acme_timing_ca(state, now, n == cert->cas->nelts ? open : NULL);
}

static const char *breaker_text(const acme_ca_pool_t *cas, apr_uint32_t route,
                                apr_time_t now, apr_pool_t *p)
{
    return acme_breaker_text(&cas->routes[route].breaker,
                             cas->routes[route].host, now, p);
}

apr_time_t acme_ca_pool_next_at(const char **pwhy, acme_ca_pool_t *cas,
                                apr_uint32_t route, apr_time_t now,
                                apr_pool_t *p)
{
    const acme_breaker_t *breaker = &cas->routes[route].breaker;
    acme_breaker_e is;
    apr_time_t at;

    apr_thread_mutex_lock(cas->mutex);
    at = acme_breaker_next_at(breaker, now);
    is = acme_breaker_state(breaker, now);
    *pwhy = is == ACME_BREAKER_OPEN || is == ACME_BREAKER_PAUSED
        ? breaker_text(cas, route, now, p) : NULL;
    apr_thread_mutex_unlock(cas->mutex);
    return at;
}

int acme_ca_pool_allow(acme_ca_pool_t *cas, apr_uint32_t route,
                       apr_time_t now)
{
    int may;

    apr_thread_mutex_lock(cas->mutex);
    may = acme_breaker_allow(&cas->routes[route].breaker, now);
    apr_thread_mutex_unlock(cas->mutex);
    return may;
}

void acme_ca_pool_probe(acme_ca_pool_t *cas, apr_uint32_t route,
                        apr_time_t now)
{
    apr_thread_mutex_lock(cas->mutex);
    acme_breaker_probe(&cas->routes[route].breaker, now);
    apr_thread_mutex_unlock(cas->mutex);
}

/* No reply, none that could be read, or one that told of trouble there. */
static int is_ill(const acme_result_t *why)
{
    return why->retry == ACME_RETRY_SOON
        && (why->status == APR_EGENERAL || APR_STATUS_IS_TIMEUP(why->status))
        && (!why->problem[0] || acme_problem_is(why, "serverInternal"));
}

/*
 * It wants to be left in peace by all. A limit that one certificate met says
 * nothing about the others.
 */
static int is_pause(const acme_result_t *why, apr_time_t now)
{
    return why->retry == ACME_RETRY_LATER && why->retry_at > now
        && !APR_STATUS_IS_EAGAIN(why->status)
        && !acme_problem_is(why, "rateLimited");
}

/* One line when it begins to be left alone, and one when that is over. */
static void log_change(const acme_ca_pool_t *cas, apr_uint32_t route,
                       const acme_breaker_t *before, apr_time_t now,
                       apr_pool_t *p)
{
    const acme_breaker_t *breaker = &cas->routes[route].breaker;
    const char *text = breaker_text(cas, route, now, p);

    if (breaker->opened && !before->opened) {
        acme_log(cas->log, ACME_LOG_WARNING, "ca", "%s", text);
    }
    else if (breaker->paused_until > before->paused_until) {
        acme_log(cas->log, ACME_LOG_NOTICE, "ca", "%s", text);
    }
    else if (before->opened && !breaker->opened) {
        acme_log(cas->log, ACME_LOG_NOTICE, "ca", "%s: answers again",
                 cas->routes[route].host);
    }
}

void acme_ca_pool_report(acme_ca_pool_t *cas, apr_uint32_t route,
                         const acme_result_t *why,
                         apr_interval_time_t latency, apr_time_t now,
                         apr_pool_t *p)
{
    acme_breaker_t *breaker = &cas->routes[route].breaker;
    acme_breaker_t before;

    apr_thread_mutex_lock(cas->mutex);
    before = *breaker;
    if (why && is_pause(why, now)) {
        acme_breaker_pause(breaker, why->retry_at);
    }
    else if (why && is_ill(why)) {
        acme_breaker_failure(breaker, now, (int)(now % 1000));
    }
    else {
        acme_breaker_success(breaker, now, latency);
        acme_parallel_replied(&cas->routes[route].parallel, latency, now);
    }
    log_change(cas, route, &before, now, p);
    apr_thread_mutex_unlock(cas->mutex);
}

int acme_ca_pool_parallel(acme_ca_pool_t *cas, apr_uint32_t route)
{
    int limit;

    apr_thread_mutex_lock(cas->mutex);
    limit = cas->routes[route].parallel.limit;
    apr_thread_mutex_unlock(cas->mutex);
    return limit;
}

void acme_ca_pool_seen(acme_ca_pool_t *cas, apr_uint32_t route, int status,
                       apr_interval_time_t latency, apr_time_t now)
{
    acme_parallel_t *parallel = &cas->routes[route].parallel;

    if (status != 429 && status != 503) {
        return;
    }
    apr_thread_mutex_lock(cas->mutex);
    if (acme_parallel_refused(parallel, now - latency, now)) {
        acme_log(cas->log, ACME_LOG_NOTICE, "ca",
                 "%s: refuses requests (%d); at most %d orders are processed at a time now",
                 cas->routes[route].host, status, parallel->limit);
    }
    apr_thread_mutex_unlock(cas->mutex);
}

int acme_ca_pool_has_terms(acme_ca_pool_t *cas, apr_uint32_t ca,
                             const char *url)
{
    int known;

    apr_thread_mutex_lock(cas->mutex);
    known = !strcmp(cas->slots[ca].terms, url);
    apr_thread_mutex_unlock(cas->mutex);
    return known;
}

void acme_ca_pool_set_terms(acme_ca_pool_t *cas, apr_uint32_t ca,
                             const char *url)
{
    apr_thread_mutex_lock(cas->mutex);
    apr_cpystrn(cas->slots[ca].terms, url,
                sizeof(cas->slots[ca].terms));
    apr_thread_mutex_unlock(cas->mutex);
}

void acme_ca_pool_lock_account(acme_ca_pool_t *cas, apr_uint32_t ca)
{
    apr_thread_mutex_lock(cas->slots[ca].account);
}

void acme_ca_pool_unlock_account(acme_ca_pool_t *cas, apr_uint32_t ca)
{
    apr_thread_mutex_unlock(cas->slots[ca].account);
}
