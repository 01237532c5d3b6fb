/*
 * acme_hidden.c - managed virtual hosts whose certificate visitors do not get.
 */
#include <stdint.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_log.h>

#include "acme_ciphers.h"
#include "acme_hidden.h"
#include "acme_name.h"
#include "acme_server_conf.h"

APLOG_USE_MODULE(acme);

/* The virtual hosts of one address and port, of which httpd takes the first
   that has a name; the first of all before a name is known. */
typedef struct {
    const server_rec *first;
    apr_hash_t *by_name;        /* exact: server_rec *, the first */
    apr_array_header_t *wild;   /* server_rec *: those with patterns */
} place_t;

typedef struct {
    acme_conf_t *conf;
    const acme_conf_tree_t *tree;
    acme_hidden_e when;
    apr_hash_t *places;         /* "address port": place_t * */
    apr_hash_t *order;          /* const server_rec *: its number */
    apr_pool_t *p;
} check_t;

static const char *key_of(const server_addr_rec *addr, apr_pool_t *p)
{
    return apr_psprintf(p, "%pI %d", (void *)addr->host_addr,
                        (int)addr->host_port);
}

static void add_name(place_t *place, const char *text, const server_rec *s,
                     apr_pool_t *p)
{
    char *name = apr_pstrdup(p, text);

    ap_str_tolower(name);
    if (!apr_hash_get(place->by_name, name, APR_HASH_KEY_STRING)) {
        apr_hash_set(place->by_name, name, APR_HASH_KEY_STRING, s);
    }
}

static void add_to_place(check_t *check, const server_addr_rec *addr,
                         const server_rec *s)
{
    const char *key = key_of(addr, check->p);
    place_t *place = apr_hash_get(check->places, key, APR_HASH_KEY_STRING);
    int i;

    if (!place) {
        place = apr_palloc(check->p, sizeof(*place));
        place->first = s;
        place->by_name = apr_hash_make(check->p);
        place->wild = apr_array_make(check->p, 2, sizeof(server_rec *));
        apr_hash_set(check->places, key, APR_HASH_KEY_STRING, place);
    }
    if (s->server_hostname) {
        add_name(place, s->server_hostname, s, check->p);
    }
    for (i = 0; s->names && i < s->names->nelts; i++) {
        add_name(place, APR_ARRAY_IDX(s->names, i, const char *), s,
                 check->p);
    }
    if (s->wild_names && s->wild_names->nelts) {
        APR_ARRAY_PUSH(place->wild, const server_rec *) = s;
    }
}

static intptr_t number_of(const check_t *check, const server_rec *s)
{
    return (intptr_t)apr_hash_get(check->order, &s, sizeof(s));
}

static int has_pattern_for(const server_rec *s, const char *name)
{
    int i;

    for (i = 0; i < s->wild_names->nelts; i++) {
        if (!ap_strcasecmp_match(name, APR_ARRAY_IDX(s->wild_names, i,
                                                     const char *))) {
            return 1;
        }
    }
    return 0;
}

/* Which virtual host mod_ssl takes for this name (6066, 3). */
static const server_rec *find_server(const check_t *check,
                                     const place_t *place, const char *name)
{
    const server_rec *found = apr_hash_get(place->by_name, name,
                                           APR_HASH_KEY_STRING);
    int i;

    for (i = 0; i < place->wild->nelts; i++) {
        const server_rec *s = APR_ARRAY_IDX(place->wild, i,
                                            const server_rec *);

        if (found && number_of(check, s) >= number_of(check, found)) {
            return found;
        }
        if (has_pattern_for(s, name)) {
            return s;
        }
    }
    return found ? found : place->first;
}

/* Is it exactly a name of this virtual host? Patterns are not ordered. */
static int is_name_of(const server_rec *s, const char *name)
{
    int i;

    if (s->server_hostname && !apr_cstr_casecmp(s->server_hostname, name)) {
        return 1;
    }
    for (i = 0; s->names && i < s->names->nelts; i++) {
        if (!apr_cstr_casecmp(APR_ARRAY_IDX(s->names, i, const char *),
                              name)) {
            return 1;
        }
    }
    return 0;
}

static int has_cert(const server_rec *s, int index)
{
    const apr_array_header_t *certs = acme_server_conf_found(s)->certs;
    int i;

    for (i = 0; certs && i < certs->nelts; i++) {
        if (APR_ARRAY_IDX(certs, i, int) == index) {
            return 1;
        }
    }
    return 0;
}

/* Without SSLEngine, mod_ssl wants https in the Listen and a certificate. */
static int starts_tls(const check_t *check, const server_rec *s)
{
    const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(check->tree,
                                                               s);

    return acme_conf_tree_has_tls(check->tree, s)
        && (facts->tls == 1 || facts->certs || facts->has_command);
}

static acme_cert_conf_t *cert_at(const check_t *check, int index)
{
    return &APR_ARRAY_IDX(check->conf->certs, index, acme_cert_conf_t);
}

static const char *place_text(const check_t *check, const server_rec *s)
{
    return acme_conf_tree_facts(check->tree, s)->place;
}

#define warn(s, ...) \
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "acme: " __VA_ARGS__)

/* One warning of a kind is enough for a virtual host: a pattern hides many. */
static void check_names(const check_t *check, const server_rec *s,
                        const place_t *place, int index)
{
    acme_cert_conf_t *cert = cert_at(check, index);
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);
        const server_rec *other = is_name_of(s, name)
            ? find_server(check, place, name) : s;

        if (other != s && !has_cert(other, index)) {
            cert->is_hidden = 1;
            warn(s, "%s: visitors of %s get the virtual host at %s, which comes first and has this name or a pattern for it; the certificate %s is not served for it. Put this virtual host first, or change the ServerAlias there",
                 place_text(check, s), name, place_text(check, other),
                 cert->id);
            return;
        }
    }
}

static void check_address(const check_t *check, const server_rec *s,
                          const server_addr_rec *addr)
{
    const place_t *place = apr_hash_get(check->places,
                                        key_of(addr, check->p),
                                        APR_HASH_KEY_STRING);
    const apr_array_header_t *certs = acme_server_conf_found(s)->certs;
    int i;

    if (!starts_tls(check, place->first)) {
        for (i = 0; i < certs->nelts; i++) {
            cert_at(check, APR_ARRAY_IDX(certs, i, int))->is_hidden = 1;
        }
        warn(s, "%s: visitors get no TLS, because the first virtual host of this address and port, at %s, has none (SSLEngine on), and httpd decides by the first. Add SSLEngine on there, or put it behind this one",
             place_text(check, s), place_text(check, place->first));
        return;
    }
    for (i = 0; i < certs->nelts; i++) {
        check_names(check, s, place, APR_ARRAY_IDX(certs, i, int));
    }
}

/* Is there a cipher for a key of its certificates, up to TLS 1.2? */
static int has_cipher(const acme_cert_conf_t *cert, const char *ciphers)
{
    apr_uint32_t i;

    for (i = 0; i < acme_conf_parts(cert); i++) {
        if (acme_ciphers_have_key(ciphers, acme_conf_key_type(cert, i))) {
            return 1;
        }
    }
    return 0;
}

static void check_ciphers(const check_t *check, const server_rec *s)
{
    const acme_server_found_t *server = acme_server_conf_found(s);
    const char *ciphers = acme_conf_tree_facts(check->tree, s)->ciphers;
    acme_cert_conf_t *cert = cert_at(check, APR_ARRAY_IDX(server->certs, 0,
                                                          int));

    if (!ciphers || has_cipher(cert, ciphers)) {
        return;
    }
    cert->is_hidden |= server->is_without_tls13;
    warn(s, "%s: SSLCipherSuite has no cipher for keys of type %s (AcmeKeyTypes): visitors without TLS 1.3 cannot connect. Add ciphers for such keys, or another type to AcmeKeyTypes",
         place_text(check, s), acme_conf_key_types(cert, check->p));
}

/* What another module or its own configuration keeps from mod_ssl. */
static int is_kept_from_mod_ssl(const check_t *check, const server_rec *s)
{
    const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(check->tree,
                                                               s);
    const int is_given = acme_server_conf_found(s)->given;

    if (facts->is_optional) {
        warn(s, "%s: SSLEngine optional: mod_ssl starts no TLS for this virtual host, so no certificate is served; set SSLEngine on",
             facts->place);
        return 1;
    }
    if (acme_conf_tree_in_mod_md(check->tree, s)) {
        warn(s, "%s: mod_md manages this virtual host as well (MDomain): both order certificates, and visitors get one of them. Remove its names from MDomain, or set AcmeEngine off",
             facts->place);
        return check->when == ACME_HIDDEN_AT_LOAD && !is_given;
    }
    if (check->when == ACME_HIDDEN_AT_LOAD && !is_given) {
        warn(s, "%s: mod_ssl took a certificate of another module for this virtual host; the one of mod_acme is not served",
             facts->place);
        return 1;
    }
    return 0;
}

static void check_server(const check_t *check, const server_rec *s)
{
    const apr_array_header_t *certs = acme_server_conf_found(s)->certs;
    const server_addr_rec *addr;
    int i;

    if (is_kept_from_mod_ssl(check, s)) {
        for (i = 0; i < certs->nelts; i++) {
            cert_at(check, APR_ARRAY_IDX(certs, i, int))->is_hidden = 1;
        }
        return;
    }
    check_ciphers(check, s);
    for (addr = s->is_virtual ? s->addrs : NULL; addr; addr = addr->next) {
        check_address(check, s, addr);
    }
}

/* httpd's list of servers is the configuration's backwards. */
static void fill_places(check_t *check, server_rec *base)
{
    apr_array_header_t *servers = apr_array_make(check->p, 16,
                                                 sizeof(server_rec *));
    const server_addr_rec *addr;
    int i;

    for (; base; base = base->next) {
        APR_ARRAY_PUSH(servers, server_rec *) = base;
    }
    for (i = servers->nelts; i-- > 0; ) {
        server_rec **s = &APR_ARRAY_IDX(servers, i, server_rec *);

        apr_hash_set(check->order, s, sizeof(*s),
                     (void *)(intptr_t)(servers->nelts - i));
        for (addr = (*s)->is_virtual ? (*s)->addrs : NULL; addr;
             addr = addr->next) {
            add_to_place(check, addr, *s);
        }
    }
}

void acme_hidden_check(acme_conf_t *conf, const acme_conf_tree_t *tree,
                       server_rec *base, acme_hidden_e when, apr_pool_t *p)
{
    check_t check = {
        .conf = conf,
        .tree = tree,
        .when = when,
        .places = apr_hash_make(p),
        .order = apr_hash_make(p),
        .p = p
    };
    const server_rec *s;

    fill_places(&check, base);
    for (s = base; s; s = s->next) {
        if (acme_server_conf_found(s)->certs
            && acme_conf_tree_facts(tree, s)->tls == 1) {
            check_server(&check, s);
        }
    }
}
