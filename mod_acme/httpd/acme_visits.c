/*
 * acme_visits.c - where visitors get the certificates.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <ap_listen.h>

#include "acme_name.h"
#include "acme_scratch.h"
#include "acme_self_check.h"
#include "acme_server_conf.h"
#include "acme_visits.h"

typedef struct {
    acme_conf_t *conf;
    apr_hash_t *claimed;        /* "address port" of virtual hosts; "" */
    apr_hash_t *places;         /* "address port": acme_visit_place_t * */
    apr_pool_t *p;
    apr_pool_t *scratch;
} fill_t;

static const char *ip_of(const apr_sockaddr_t *addr, apr_pool_t *p)
{
    char text[INET6_ADDRSTRLEN + sizeof("%interface-name-x")];

    return apr_sockaddr_ip_getbuf(text, sizeof(text), (apr_sockaddr_t *)addr)
               == APR_SUCCESS ? apr_pstrdup(p, text) : "";
}

static const char *key_of(const char *ip, int port, apr_pool_t *p)
{
    return apr_psprintf(p, "%s %d", ip, port);
}

/* Addresses of their own; "*" is what is left. */
static void claim_addresses(fill_t *fill, const server_rec *s)
{
    const server_addr_rec *addr;

    for (; s; s = s->next) {
        for (addr = s->is_virtual ? s->addrs : NULL; addr; addr = addr->next) {
            const char *ip = apr_sockaddr_is_wildcard(addr->host_addr)
                ? "*" : ip_of(addr->host_addr, fill->scratch);

            apr_hash_set(fill->claimed,
                         key_of(ip, addr->host_port, fill->scratch),
                         APR_HASH_KEY_STRING, "");
        }
    }
}

static int is_claimed(const fill_t *fill, const char *ip, int port)
{
    return apr_hash_get(fill->claimed, key_of(ip, port, fill->scratch),
                        APR_HASH_KEY_STRING)
        || apr_hash_get(fill->claimed, key_of(ip, 0, fill->scratch),
                        APR_HASH_KEY_STRING);
}

/* One object a place: visits of the same have the same. */
static const acme_visit_place_t *find_place(fill_t *fill, const char *ip,
                                            const ap_listen_rec *listener)
{
    const int port = listener->bind_addr->port;
    const int is_any = apr_sockaddr_is_wildcard(listener->bind_addr);
    const int is_six = strchr(ip, ':') != NULL;
    const char *key = key_of(ip, port, fill->scratch);
    acme_visit_place_t *place = apr_hash_get(fill->places, key,
                                             APR_HASH_KEY_STRING);

    if (!place) {
        place = apr_pcalloc(fill->p, sizeof(*place));
        place->address = apr_pstrdup(fill->p, ip);
        place->port = port;
        if (is_any && is_six && !strcmp(ip, "::1")) {
            place->spare = "127.0.0.1"; /* one socket may be for both */
        }
        place->text = apr_psprintf(fill->p, is_six ? "[%s]:%d" : "%s:%d", ip,
                                   port);
        apr_hash_set(fill->places, key, APR_HASH_KEY_STRING, place);
    }
    return place;
}

/* How a visitor who comes to this virtual host by this address and listener
   gets there; NULL: nobody does. */
static const acme_visit_place_t *find_way(fill_t *fill,
                                          const server_addr_rec *addr,
                                          const ap_listen_rec *listener)
{
    const apr_sockaddr_t *bound = listener->bind_addr;
    const int is_any = apr_sockaddr_is_wildcard(bound);
    const int is_six = bound->family != APR_INET;
    const char *ip;

    if (addr && addr->host_port && addr->host_port != bound->port) {
        return NULL;
    }
    if (addr && !apr_sockaddr_is_wildcard(addr->host_addr)) {
        const int is_there = is_any
            ? is_six || addr->host_addr->family == APR_INET
            : apr_sockaddr_equal(bound, addr->host_addr);

        ip = ip_of(addr->host_addr, fill->scratch);
        return is_there ? find_place(fill, ip, listener) : NULL;
    }
    ip = !is_any ? ip_of(bound, fill->scratch) : is_six ? "::1" : "127.0.0.1";
    /* The server config has what no virtual host has. */
    if (is_claimed(fill, ip, bound->port)
        || (!addr && is_claimed(fill, "*", bound->port))) {
        return NULL;
    }
    return find_place(fill, ip, listener);
}

static void add_ways(apr_array_header_t *places, fill_t *fill,
                     const server_addr_rec *addr)
{
    const ap_listen_rec *listener;
    int i;

    for (listener = ap_listeners; listener; listener = listener->next) {
        const acme_visit_place_t *place = find_way(fill, addr, listener);

        for (i = 0; place && i < places->nelts; i++) {
            if (APR_ARRAY_IDX(places, i, const acme_visit_place_t *)
                == place) {
                place = NULL;
            }
        }
        if (place) {
            APR_ARRAY_PUSH(places, const acme_visit_place_t *) = place;
        }
    }
}

static acme_cert_conf_t *cert_at(const fill_t *fill, int index)
{
    return &APR_ARRAY_IDX(fill->conf->certs, index, acme_cert_conf_t);
}

/* Of the certificates of a virtual host, the one that serves the name: one
   that has it, else one with a wildcard for it. */
static acme_cert_conf_t *find_cert(const fill_t *fill,
                                   const apr_array_header_t *certs,
                                   const char *name)
{
    acme_cert_conf_t *covering = NULL;
    int i;

    for (i = 0; i < certs->nelts; i++) {
        acme_cert_conf_t *cert = cert_at(fill, APR_ARRAY_IDX(certs, i, int));

        if (acme_name_in(cert->names, name)) {
            return cert;
        }
        if (!covering && acme_name_covered(cert->names, name)) {
            covering = cert;
        }
    }
    return covering;
}

/* The certificate's own text, nearly always: one copy will do. */
static const char *keep_name(const acme_cert_conf_t *cert, const char *name,
                             apr_pool_t *p)
{
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        const char *own = APR_ARRAY_IDX(cert->names, i, const char *);

        if (!strcmp(own, name)) {
            return own;
        }
    }
    return apr_pstrdup(p, name);
}

static void add_visits(fill_t *fill, const server_rec *s, const char *written,
                       const apr_array_header_t *places)
{
    acme_result_t ignored;
    acme_cert_conf_t *cert;
    apr_array_header_t *visits;
    const char *name;
    int i;

    if (acme_name_normalise(&name, written, &ignored, fill->scratch)) {
        return;                 /* a pattern, or none that a CA knows */
    }
    cert = find_cert(fill, acme_server_conf_found(s)->certs, name);
    if (!cert || !places->nelts) {
        return;
    }
    name = keep_name(cert, name, fill->p);
    if (!cert->visits) {
        cert->visits = apr_array_make(fill->p, places->nelts,
                                      sizeof(acme_visit_t));
    }
    visits = (apr_array_header_t *)cert->visits;
    for (i = 0; i < places->nelts && visits->nelts < ACME_VISITS_MAX; i++) {
        acme_visit_t *visit = apr_array_push(visits);

        visit->at = APR_ARRAY_IDX(places, i, const acme_visit_place_t *);
        visit->name = name;
    }
}

static void add_names(fill_t *fill, const server_rec *s,
                      const apr_array_header_t *names,
                      const apr_array_header_t *places)
{
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        add_visits(fill, s, APR_ARRAY_IDX(names, i, const char *), places);
    }
}

static void add_server(fill_t *fill, const server_rec *s)
{
    apr_array_header_t *places =
        apr_array_make(fill->scratch, 2, sizeof(const acme_visit_place_t *));
    const server_addr_rec *addr;

    if (!s->is_virtual) {
        add_ways(places, fill, NULL);
    }
    for (addr = s->is_virtual ? s->addrs : NULL; addr; addr = addr->next) {
        add_ways(places, fill, addr);
    }
    if (s->server_hostname) {
        add_visits(fill, s, s->server_hostname, places);
    }
    add_names(fill, s, s->names, places);
    add_names(fill, s, s->wild_names, places);
}

void acme_visits_fill(acme_conf_t *conf, const acme_conf_tree_t *tree,
                      server_rec *base, apr_pool_t *p)
{
    fill_t fill = { .conf = conf, .p = p };
    const server_rec *s;
    int i;

    fill.scratch = acme_scratch_create(p);
    fill.claimed = apr_hash_make(fill.scratch);
    fill.places = apr_hash_make(fill.scratch);
    claim_addresses(&fill, base);
    for (s = base; s; s = s->next) {
        const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

        if (acme_server_conf_found(s)->certs && facts->tls == 1
            && !facts->is_optional) {
            add_server(&fill, s);
        }
    }
    for (i = 0; i < conf->certs->nelts; i++) {
        acme_cert_conf_t *cert = cert_at(&fill, i);

        cert->visits_digest = acme_conf_visits_digest(cert, p);
    }
    apr_pool_destroy(fill.scratch);
}
