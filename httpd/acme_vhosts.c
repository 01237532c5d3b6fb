/*
 * acme_vhosts.c - the vhost watch.
 *
 * An administrator's mistake in one virtual host must not keep the others
 * from their certificates: it is told with its place, and passed over.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <ap_listen.h>
#include <http_log.h>

#include "acme_account_file.h"
#include "acme_name.h"
#include "acme_store.h"
#include "acme_vhosts.h"

APLOG_USE_MODULE(acme);

typedef struct {
    acme_conf_t *conf;
    const acme_tree_t *tree;
    apr_hash_t *by_id;          /* id: index + 1 of the certificate */
    apr_hash_t *by_name;        /* name: the same, who has it first */
    int quiet;
    apr_pool_t *p;
} watch_t;

/* One virtual host while it is looked at. */
typedef struct {
    server_rec *s;
    const acme_server_conf_t *conf;
    const acme_facts_t *facts;
    int quiet;
} vhost_t;

#define say(vhost, level, ...) \
    do { \
        if (!(vhost)->quiet) { \
            ap_log_error(APLOG_MARK, level, 0, (vhost)->s, \
                         "acme: " __VA_ARGS__); \
        } \
    } while (0)

/* Is it ours? The reasons why not are an administrator's only if he asked. */
static int is_managed(const vhost_t *vhost)
{
    const acme_facts_t *facts = vhost->facts;

    if (!vhost->conf->engine) {
        return 0;
    }
    if (facts->tls == 1 && facts->has_certificate) {
        if (vhost->conf->engine_own && vhost->s->is_virtual) {
            say(vhost, APLOG_WARNING, "%s: has both AcmeEngine on and an "
                "SSLCertificateFile; the file is used, nothing is managed",
                facts->place);
        }
        return 0;
    }
    /* Without TLS only on an explicit wish: files for other daemons. */
    return facts->tls == 1
        || (vhost->conf->engine_own && vhost->s->is_virtual);
}

static void add_name(apr_array_header_t *names, const vhost_t *vhost,
                     const char *text, apr_pool_t *p)
{
    acme_result_t res;
    const char *name;

    if (acme_name_normalise(&name, text, &res, p)) {
        say(vhost, APLOG_WARNING, "%s: %s; it is left out",
            vhost->facts->place, res.detail);
    }
    else if (acme_name_is_wildcard(name) || acme_name_is_ip(name)) {
        say(vhost, APLOG_INFO, "%s: %s is left out; wildcards and addresses "
            "are listed in AcmeNames", vhost->facts->place, name);
    }
    else if (!acme_name_in(names, name)) {
        APR_ARRAY_PUSH(names, const char *) = name;
    }
}

static void add_aliases(apr_array_header_t *names, const vhost_t *vhost,
                        apr_pool_t *p)
{
    const server_rec *s = vhost->s;
    int i;

    for (i = 0; s->names && i < s->names->nelts; i++) {
        add_name(names, vhost, APR_ARRAY_IDX(s->names, i, char *), p);
    }
    for (i = 0; s->wild_names && i < s->wild_names->nelts; i++) {
        say(vhost, APLOG_INFO, "%s: the pattern %s of ServerAlias is left "
            "out; a certificate has names only", vhost->facts->place,
            APR_ARRAY_IDX(s->wild_names, i, char *));
    }
}

static apr_array_header_t *names_of(const vhost_t *vhost, apr_pool_t *p)
{
    const apr_array_header_t *wanted = vhost->conf->names;
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < wanted->nelts; i++) {
        const char *name = APR_ARRAY_IDX(wanted, i, const char *);

        if (strcmp(name, "auto") != 0) {
            if (!acme_name_in(names, name)) {
                APR_ARRAY_PUSH(names, const char *) = name;
            }
        }
        else if (!vhost->facts->has_name) {
            say(vhost, APLOG_ERR, "%s: has no ServerName, so it is not known "
                "what its certificate is for; it is not managed",
                vhost->facts->place);
        }
        else {
            add_name(names, vhost, vhost->s->server_hostname, p);
            add_aliases(names, vhost, p);
        }
    }
    return names;
}

static apr_uint32_t find_ca(watch_t *watch, const acme_server_conf_t *conf)
{
    apr_array_header_t *cas = watch->conf->cas;
    acme_ca_conf_t *ca;
    int i, k;

    for (i = 0; i < cas->nelts; i++) {
        ca = &APR_ARRAY_IDX(cas, i, acme_ca_conf_t);
        if (!strcmp(ca->url, conf->ca)) {
            break;
        }
    }
    if (i == cas->nelts) {
        ca = apr_array_push(cas);
        ca->url = conf->ca;
        ca->folder = acme_account_folder(conf->ca, NULL, watch->p);
        ca->proxy = conf->proxy;
        ca->roots = conf->roots ? ap_server_root_relative(watch->p,
                                                          conf->roots) : NULL;
        ca->contacts = apr_array_make(watch->p, 2, sizeof(const char *));
    }
    ca = &APR_ARRAY_IDX(cas, i, acme_ca_conf_t);
    for (k = 0; conf->contacts && k < conf->contacts->nelts; k++) {
        const char *contact = APR_ARRAY_IDX(conf->contacts, k, const char *);

        if (!acme_name_in(ca->contacts, contact)) {
            APR_ARRAY_PUSH(ca->contacts, const char *) = contact;
        }
    }
    return (apr_uint32_t)i;
}

static acme_cert_conf_t *cert_at(const watch_t *watch, intptr_t number)
{
    return &APR_ARRAY_IDX(watch->conf->certs, number - 1, acme_cert_conf_t);
}

static intptr_t make_cert(watch_t *watch, const vhost_t *vhost,
                              const char *id)
{
    const acme_server_conf_t *conf = vhost->conf;
    acme_cert_conf_t *cert = apr_array_push(watch->conf->certs);
    intptr_t number = watch->conf->certs->nelts;

    cert->id = id;
    cert->names = apr_array_make(watch->p, 4, sizeof(const char *));
    cert->places = apr_array_make(watch->p, 2, sizeof(const char *));
    cert->ca = find_ca(watch, conf);
    cert->agreed = conf->agreed;
    cert->key_type = conf->key_type;
    if (conf->set[ACME_DIR_AcmeRenewWindow]) {
        cert->renew = conf->renew;  /* else empty: the schedule's default */
    }
    cert->warn = conf->warn;
    apr_hash_set(watch->by_id, id, APR_HASH_KEY_STRING, (void *)number);
    return number;
}

/* Names that another certificate has already stay with that one. */
static intptr_t leave_out_taken(watch_t *watch, const vhost_t *vhost,
                                    const char *id,
                                    apr_array_header_t *names)
{
    intptr_t mine = (intptr_t)apr_hash_get(watch->by_id, id,
                                                   APR_HASH_KEY_STRING);
    intptr_t other = 0;
    int i, kept = 0;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        intptr_t owner = (intptr_t)apr_hash_get(
            watch->by_name, name, APR_HASH_KEY_STRING);

        if (owner && owner != mine) {
            say(vhost, APLOG_WARNING, "%s: %s belongs to certificate %s "
                "already (%s); it is left out of %s. Give both the same "
                "AcmeCertificate, or remove the name from one",
                vhost->facts->place, name, cert_at(watch, owner)->id,
                APR_ARRAY_IDX(cert_at(watch, owner)->places, 0,
                              const char *), id);
            other = owner;
        }
        else {
            APR_ARRAY_IDX(names, kept++, const char *) = name;
        }
    }
    names->nelts = kept;
    return kept ? 0 : other;
}

static void check_same(const watch_t *watch, const vhost_t *vhost,
                       const acme_cert_conf_t *cert)
{
    const acme_server_conf_t *conf = vhost->conf;
    const acme_ca_conf_t *ca = acme_conf_ca(watch->conf, cert);

    if (strcmp(ca->url, conf->ca) || cert->key_type != conf->key_type) {
        say(vhost, APLOG_WARNING, "%s: shares certificate %s with %s, but "
            "has another AcmeCA or AcmeKeyTypes; those of the first are used",
            vhost->facts->place, cert->id,
            APR_ARRAY_IDX(cert->places, 0, const char *));
    }
}

static void join(watch_t *watch, const vhost_t *vhost, intptr_t number,
                 const apr_array_header_t *names)
{
    acme_cert_conf_t *cert = cert_at(watch, number);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!acme_name_in(cert->names, name)) {
            APR_ARRAY_PUSH(cert->names, const char *) = name;
        }
        apr_hash_set(watch->by_name, name, APR_HASH_KEY_STRING,
                     (void *)number);
    }
    APR_ARRAY_PUSH(cert->places, const char *) = vhost->facts->place;
    acme_server_conf(vhost->s)->cert = (int)number - 1;
}

static int is_listened_on(int port)
{
    const ap_listen_rec *listener;

    for (listener = ap_listeners; listener; listener = listener->next) {
        if (listener->bind_addr->port == port) {
            return 1;
        }
    }
    return 0;
}

/* http-01 is the one challenge of this version: can it work? */
static void check_challenge(const vhost_t *vhost)
{
    const int port = vhost->conf->ports.http;

    if (!vhost->conf->challenges) {
        say(vhost, APLOG_WARNING, "%s: AcmeChallenges is without http-01, "
            "the one challenge of this version; it is tried nevertheless",
            vhost->facts->place);
    }
    if (!port || !is_listened_on(port)) {
        say(vhost, APLOG_WARNING, "%s: nothing listens on port %d, where the "
            "CA's http-01 arrives; add a Listen, or name the local port with "
            "AcmePorts", vhost->facts->place, port ? port : 80);
    }
}

static void look_at(watch_t *watch, server_rec *s)
{
    vhost_t vhost;
    apr_array_header_t *names;
    intptr_t number;
    const char *id;

    vhost.s = s;
    vhost.quiet = watch->quiet;
    vhost.conf = acme_server_conf(s);
    vhost.facts = acme_tree_facts(watch->tree, s, watch->p);
    if (!is_managed(&vhost)) {
        return;
    }
    names = names_of(&vhost, watch->p);
    if (!names->nelts) {
        return;
    }
    id = vhost.conf->id ? vhost.conf->id
        : acme_store_id(APR_ARRAY_IDX(names, 0, const char *), watch->p);
    if (!id) {
        say(&vhost, APLOG_ERR, "%s: %s makes no id; set AcmeCertificate",
            vhost.facts->place, APR_ARRAY_IDX(names, 0, const char *));
        return;
    }
    check_challenge(&vhost);

    number = leave_out_taken(watch, &vhost, id, names);
    if (!number) {
        number = (intptr_t)apr_hash_get(watch->by_id, id,
                                            APR_HASH_KEY_STRING);
        if (number) {
            check_same(watch, &vhost, cert_at(watch, number));
        }
        else {
            number = make_cert(watch, &vhost, id);
        }
    }
    join(watch, &vhost, number, names);
}

/* A vhost without a directive of ours has the server's struct, not a copy. */
static void own_conf(server_rec *s, server_rec *base, apr_pool_t *p)
{
    if (s != base && acme_server_conf(s) == acme_server_conf(base)) {
        ap_set_module_config(s->module_config, &acme_module,
                             acme_server_conf_merge(
                                 p, acme_server_conf(base),
                                 acme_server_conf_create(p, s)));
    }
}

/* httpd's list of servers is the configuration's backwards. */
static apr_array_header_t *in_order(server_rec *base, apr_pool_t *p)
{
    apr_array_header_t *servers = apr_array_make(p, 16,
                                                 sizeof(server_rec *));
    int i, n;

    for (; base; base = base->next) {
        APR_ARRAY_PUSH(servers, server_rec *) = base;
    }
    n = servers->nelts;
    for (i = 1; i < n - i; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);

        APR_ARRAY_IDX(servers, i, server_rec *) =
            APR_ARRAY_IDX(servers, n - i, server_rec *);
        APR_ARRAY_IDX(servers, n - i, server_rec *) = s;
    }
    return servers;
}

static void finish(watch_t *watch, server_rec *base)
{
    acme_conf_t *conf = watch->conf;
    int i, agreed = 1;

    for (i = 0; i < conf->certs->nelts; i++) {
        acme_cert_conf_t *cert = cert_at(watch, i + 1);

        cert->digest = acme_conf_digest(conf, cert, watch->p);
        cert->settings = acme_conf_settings(conf, cert, watch->p);
        agreed &= cert->agreed;
    }
    if (!agreed && !watch->quiet) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, base, "acme: nothing is "
                     "ordered without AcmeTermsOfService agree: read the "
                     "terms of the CA and add the directive");
    }
}

acme_conf_t *acme_vhosts_read(server_rec *base, const acme_tree_t *tree,
                              int quiet, apr_pool_t *p)
{
    const acme_server_conf_t *server = acme_server_conf(base);
    acme_conf_t *conf = apr_pcalloc(p, sizeof(*conf));
    apr_array_header_t *servers = in_order(base, p);
    watch_t watch;
    int i;

    conf->state_dir = ap_server_root_relative(p, server->state_dir);
    conf->cas = apr_array_make(p, 2, sizeof(acme_ca_conf_t));
    conf->certs = apr_array_make(p, servers->nelts,
                                 sizeof(acme_cert_conf_t));
    conf->parallel = server->parallel;
    conf->activate = server->activate;
    conf->reload_delay = server->reload_delay;
    conf->reload_guard = server->reload_guard;

    watch.conf = conf;
    watch.tree = tree;
    watch.by_id = apr_hash_make(p);
    watch.by_name = apr_hash_make(p);
    watch.quiet = quiet;
    watch.p = p;
    for (i = 0; i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);

        own_conf(s, base, p);
        look_at(&watch, s);
    }
    finish(&watch, base);
    return conf;
}

void acme_vhosts_dump(const acme_conf_t *conf, apr_pool_t *p)
{
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        printf("acme: certificate %s\n    names: %s\n    ca: %s\n"
               "    key: %s\n    vhosts: %s\n", cert->id,
               apr_array_pstrcat(p, cert->names, ' '),
               acme_conf_ca(conf, cert)->url,
               acme_key_type_name(cert->key_type),
               apr_array_pstrcat(p, cert->places, ' '));
    }
    if (!conf->certs->nelts) {
        printf("acme: no certificate is managed\n");
    }
}
