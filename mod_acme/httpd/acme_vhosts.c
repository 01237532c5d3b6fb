/*
 * acme_vhosts.c - the vhost watch.
 *
 * An administrator's mistake in one virtual host must not keep the others
 * from their certificates: it is logged with its place, and passed over.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_log.h>

#include "acme_cert_split_apply.h"
#include "acme_exports.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_scratch.h"
#include "acme_store.h"
#include "acme_vhost.h"
#include "acme_vhost_files.h"
#include "acme_vhosts.h"
#include "acme_vhosts_cas.h"
#include "acme_vhosts_cert.h"
#include "acme_vhosts_check.h"

APLOG_USE_MODULE(acme);

typedef struct {
    acme_conf_t *conf;          /* certs: one an id, until they are split */
    const acme_conf_tree_t *tree;
    const acme_conf_tree_facts_t *server;       /* of the server config */
    const acme_server_conf_t *server_conf;
    apr_hash_t *live_ids;       /* server_rec *: the id that its files name */
    apr_hash_t *wishes;         /* id: how many virtual hosts want it, and */
    const acme_cert_split_live_t *live; /* what is live: if there are live_ids;
                                           else empty and NULL */
    apr_array_header_t *users;  /* acme_vhost_t: with files of others */
    apr_hash_t *by_id;          /* id: index + 1 of the certificate */
    apr_hash_t *by_name;        /* name: the same, who has it first */
    apr_array_header_t *vhosts; /* apr_array_header_t *: acme_vhost_t, those of
                                   each certificate */
    apr_hash_t *roots;          /* what acme_vhosts_check_settings() found */
    acme_vhosts_log_e log;
    apr_pool_t *p;
    apr_pool_t *scratch;        /* gone when they are read */
} vhost_watch_t;

#define say acme_vhost_say

/* Is this SSLCertificateFile inherited from the server config? */
static int is_inherited(const vhost_watch_t *watch,
                        const apr_array_header_t *certs)
{
    const apr_array_header_t *servers = watch->server->certs;

    return servers && !strcmp(
        APR_ARRAY_IDX(certs, 0, acme_conf_tree_file_t).place,
        APR_ARRAY_IDX(servers, 0, acme_conf_tree_file_t).place);
}

/*
 * The id that its own SSLCertificateFiles name. Those of the server config are
 * each virtual host's, and name nothing.
 */
static const char *find_live_id(const vhost_watch_t *watch,
                                const acme_vhost_t *vhost)
{
    const acme_conf_tree_facts_t *facts = vhost->facts;

    return facts->tls == 1 && facts->certs && vhost->conf->engine
        && !(vhost->s->is_virtual && is_inherited(watch, facts->certs))
        ? acme_vhost_files_id(watch->conf->state_dir, facts->certs, watch->p)
        : NULL;
}

static const char *live_id_of(const vhost_watch_t *watch, const server_rec *s)
{
    return apr_hash_get(watch->live_ids, &s, sizeof(s));
}

/*
 * An SSLCertificateFile below live/ is the name of a managed certificate, so
 * that a virtual host needs no change but the path. From here on it is as one
 * without the files and with AcmeCertificate.
 */
static void use_live_files(const vhost_watch_t *watch, acme_vhost_t *vhost,
                           const char *id)
{
    const acme_conf_tree_facts_t *facts = vhost->facts;
    acme_server_found_t *server = acme_server_conf_found(vhost->s);
    acme_server_conf_t *conf = server->conf;

    if (conf->id && strcmp(conf->id, id) != 0) {
        say(vhost, APLOG_WARNING,
            "%s: has AcmeCertificate %s and an SSLCertificateFile of certificate %s, at %s; AcmeCertificate is used. Remove one of the two lines",
            facts->place, conf->id, id,
            APR_ARRAY_IDX(facts->certs, 0, acme_conf_tree_file_t).place);
        id = conf->id;
    }
    if (facts->keys && !acme_vhost_files_id(watch->conf->state_dir,
                                            facts->keys, watch->scratch)) {
        say(vhost, APLOG_WARNING,
            "%s: its SSLCertificateFile is a managed certificate; the SSLCertificateKeyFile at %s is not used. Remove that line",
            facts->place,
            APR_ARRAY_IDX(facts->keys, 0, acme_conf_tree_file_t).place);
    }
    conf = apr_pmemdup(watch->p, conf, sizeof(*conf));
    conf->id = id;              /* of this server alone */
    server->conf = conf;
    server->is_live_named = 1;
    vhost->conf = conf;
    acme_conf_tree_forget_files(watch->tree, vhost->s);
}

/* Its files would stay as they are, or vanish, when the certificate is
   renewed. 1: it was said. */
static int warn_stored(const vhost_watch_t *watch, const acme_vhost_t *vhost)
{
    const acme_conf_tree_file_t *file = acme_vhost_files_stored(
        watch->conf->state_dir, vhost->facts->certs, watch->scratch);

    if (file) {
        say(vhost, APLOG_WARNING,
            "%s: the SSLCertificateFile at %s is in AcmeStateDir, but the files of this virtual host are not those of one live/ID there; they are used as they are and not managed. Name live/ID/fullchain.pem alone, or remove the lines",
            vhost->facts->place, file->place);
    }
    return file != NULL;
}

/* Is it ours? The reasons why not are an administrator's only if he asked. */
static int is_managed(const vhost_watch_t *watch, const acme_vhost_t *vhost)
{
    const acme_conf_tree_facts_t *facts = vhost->facts;

    if (!vhost->conf->engine) {
        return 0;
    }
    if (facts->tls == 1 && facts->certs) {
        const int inherits = vhost->s->is_virtual
            && is_inherited(watch, facts->certs);

        if (!inherits && warn_stored(watch, vhost)) {
            return 0;
        }
        if (vhost->conf->engine_own && vhost->s->is_virtual) {
            say(vhost, APLOG_WARNING,
                "%s: has both AcmeEngine on and an SSLCertificateFile; the file is used and not managed",
                facts->place);
        }
        else if (inherits) {
            say(vhost, APLOG_WARNING,
                "%s: inherits the SSLCertificateFile at %s, so AcmeEngine on does nothing for it. Move that line into the virtual hosts that use it",
                facts->place,
                APR_ARRAY_IDX(facts->certs, 0, acme_conf_tree_file_t).place);
        }
        return 0;
    }
    if (facts->tls == 1 && facts->keys) {
        say(vhost, APLOG_WARNING,
            "%s: has no SSLCertificateFile; the SSLCertificateKeyFile at %s is not used: mod_acme manages certificate and key. Remove that line",
            facts->place,
            APR_ARRAY_IDX(facts->keys, 0, acme_conf_tree_file_t).place);
    }
    /* Without TLS only on an explicit wish: files for other daemons. */
    return facts->tls == 1
        || (vhost->conf->engine_own && vhost->s->is_virtual);
}

static void add_name(apr_array_header_t *names, const acme_vhost_t *vhost,
                     const char *text, apr_pool_t *p)
{
    acme_result_t res;
    const char *name;

    if (acme_name_normalise(&name, text, &res, p)) {
        say(vhost, APLOG_WARNING, "%s: %s; the name is skipped",
            vhost->facts->place, res.detail);
    }
    else if (acme_name_is_wildcard(name) || acme_name_is_ip(name)) {
        if (!acme_name_in(vhost->conf->names, name)) {
            say(vhost, APLOG_WARNING,
                "%s: %s is skipped: wildcards and IP addresses are not added automatically; list them in AcmeNames",
                vhost->facts->place, name);
        }
    }
    else {
        acme_name_add(names, name);
    }
}

static void add_aliases(apr_array_header_t *names, const acme_vhost_t *vhost,
                        apr_pool_t *p)
{
    const server_rec *s = vhost->s;
    acme_result_t res;
    const char *name;
    int i;

    for (i = 0; s->names && i < s->names->nelts; i++) {
        add_name(names, vhost, APR_ARRAY_IDX(s->names, i, char *), p);
    }
    for (i = 0; s->wild_names && i < s->wild_names->nelts; i++) {
        const char *alias = APR_ARRAY_IDX(s->wild_names, i, char *);

        if (acme_name_normalise(&name, alias, &res, p) == APR_SUCCESS) {
            add_name(names, vhost, name, p);
        }
        else {
            say(vhost, APLOG_WARNING,
                "%s: ServerAlias %s is skipped: a certificate cannot contain patterns",
                vhost->facts->place, alias);
        }
    }
}

static apr_array_header_t *names_of_vhost(const acme_vhost_t *vhost,
                                          apr_pool_t *p)
{
    const apr_array_header_t *wanted = vhost->conf->names;
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < wanted->nelts; i++) {
        const char *name = APR_ARRAY_IDX(wanted, i, const char *);

        if (strcmp(name, "auto") != 0) {
            acme_name_add(names, name);
        }
        else if (!vhost->facts->has_name) {
            say(vhost, APLOG_ERR,
                "%s: has no ServerName to order a certificate for",
                vhost->facts->place);
        }
        else {
            add_name(names, vhost, vhost->s->server_hostname, p);
            add_aliases(names, vhost, p);
        }
    }
    return names;
}

static acme_cert_conf_t *cert_at(const vhost_watch_t *watch, intptr_t number)
{
    return &APR_ARRAY_IDX(watch->conf->certs, number - 1, acme_cert_conf_t);
}

static intptr_t number_of(apr_hash_t *hash, const char *key)
{
    return (intptr_t)apr_hash_get(hash, key, APR_HASH_KEY_STRING);
}

static intptr_t make_cert(vhost_watch_t *watch, const acme_vhost_t *vhost,
                          const char *id)
{
    acme_cert_conf_t *cert = apr_array_push(watch->conf->certs);
    const intptr_t number = watch->conf->certs->nelts;
    const acme_cert_conf_t *before = number > 1 ? cert - 1 : NULL;

    cert->id = id;
    cert->names = apr_array_make(watch->scratch, 4, sizeof(const char *));
    cert->places = apr_array_make(watch->scratch, 2, sizeof(const char *));
    cert->ciphers = apr_array_make(watch->scratch, 1, sizeof(const char *));
    acme_vhosts_cas_find(cert, watch->conf, vhost->conf, before, watch->p,
                         watch->scratch);
    acme_vhosts_cert_settings(cert, vhost, before, watch->conf->state_dir,
                              watch->p);
    APR_ARRAY_PUSH(watch->vhosts, apr_array_header_t *) =
        apr_array_make(watch->scratch, 2, sizeof(acme_vhost_t));
    apr_hash_set(watch->by_id, id, APR_HASH_KEY_STRING, (void *)number);
    return number;
}

/* Names that another certificate has already stay with that one. */
static intptr_t leave_out_taken(vhost_watch_t *watch, const acme_vhost_t *vhost,
                                const char *id, apr_array_header_t *names)
{
    const intptr_t mine = number_of(watch->by_id, id);
    intptr_t other = 0;
    int i, kept = 0;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const intptr_t owner = number_of(watch->by_name, name);

        if (owner && owner != mine) {
            say(vhost, APLOG_WARNING,
                "%s: %s already belongs to certificate %s (%s) and is not added to %s. Set the same AcmeCertificate for both, or remove the name from one",
                vhost->facts->place, name, cert_at(watch, owner)->id,
                APR_ARRAY_IDX(cert_at(watch, owner)->places, 0, const char *),
                id);
            other = owner;
        }
        else {
            APR_ARRAY_IDX(names, kept++, const char *) = name;
        }
    }
    names->nelts = kept;
    return kept ? 0 : other;
}

/* The first virtual host of a certificate: its settings are used. */
static const acme_vhost_t *first_vhost(const vhost_watch_t *watch,
                                       intptr_t number)
{
    return &APR_ARRAY_IDX(APR_ARRAY_IDX(watch->vhosts, number - 1,
                                        apr_array_header_t *),
                          0, acme_vhost_t);
}

/*
 * Of what the security level of either refuses visitors get nothing: with
 * SSLCipherSuite alone mod_ssl does not load it, and by the level that is left
 * when each CipherString was set OpenSSL ends each handshake.
 */
static void join_ciphers(apr_array_header_t *lists,
                         const acme_conf_tree_facts_t *facts, apr_pool_t *p)
{
    const char *ciphers = facts->ciphers ? facts->ciphers : "";

    if (facts->tls != 1) {
        return;
    }
    acme_name_add(lists, ciphers);
    if (facts->command_ciphers) {
        acme_name_add(lists, *ciphers
                      ? apr_pstrcat(p, ciphers, ACME_PAIR_THEN,
                                    facts->command_ciphers, NULL)
                      : facts->command_ciphers);
    }
}

static void join_cert(vhost_watch_t *watch, const acme_vhost_t *vhost,
                      intptr_t number)
{
    acme_cert_conf_t *cert = cert_at(watch, number);
    int i;

    for (i = 0; i < vhost->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(vhost->names, i, const char *);

        if (!number_of(watch->by_name, name)) {
            APR_ARRAY_PUSH(cert->names, const char *) = name;
            apr_hash_set(watch->by_name, name, APR_HASH_KEY_STRING,
                         (void *)number);
        }
    }
    APR_ARRAY_PUSH(cert->places, const char *) = vhost->facts->place;
    join_ciphers(cert->ciphers, vhost->facts, watch->scratch);
    APR_ARRAY_PUSH(APR_ARRAY_IDX(watch->vhosts, number - 1,
                                 apr_array_header_t *), acme_vhost_t) = *vhost;
}

/* Those that the first of its virtual hosts allows. */
static int can_have_wildcards(const vhost_watch_t *watch, intptr_t number)
{
    const acme_cert_conf_t *cert = cert_at(watch, number);
    const acme_vhost_t *first = first_vhost(watch, number);
    int i;

    for (i = 0; i < cert->nchallenges; i++) {
        /* By default dns-persist-01 is only there in case it was set up. */
        if ((cert->challenges[i] == ACME_DNS_01 && cert->dns)
            || (cert->challenges[i] == ACME_DNS_PERSIST_01
                && first->conf->set[ACME_DIR_AcmeChallenges])) {
            return 1;
        }
    }
    return 0;
}

static void check_wildcards(vhost_watch_t *watch, const acme_vhost_t *vhost,
                            intptr_t number)
{
    int i;

    if (can_have_wildcards(watch, number)) {
        return;
    }
    for (i = 0; i < vhost->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(vhost->names, i, const char *);

        if (acme_name_is_wildcard(name)) {
            say(vhost, APLOG_WARNING,
                "%s: %s can only be validated by dns-01 or dns-persist-01: set AcmeDns, or create the record of dns-persist-01 and set AcmeChallenges dns-persist-01",
                vhost->facts->place, name);
        }
    }
}

/* Texts are the tree's, which is gone before the load's memory is. */
static apr_array_header_t *copy_lists(const apr_array_header_t *lists,
                                      apr_pool_t *p)
{
    apr_array_header_t *copy = apr_array_copy(p, lists);
    int i;

    for (i = 0; i < copy->nelts; i++) {
        APR_ARRAY_IDX(copy, i, const char *) =
            apr_pstrdup(p, APR_ARRAY_IDX(lists, i, const char *));
    }
    return copy;
}

static const apr_array_header_t *lists_of_unordered(
    const vhost_watch_t *watch, const acme_conf_tree_facts_t *facts)
{
    apr_array_header_t *lists = apr_array_make(watch->scratch, 2,
                                               sizeof(const char *));

    join_ciphers(lists, facts, watch->scratch);
    return copy_lists(lists, watch->p);
}

/* mod_ssl ends a server that has no certificate: it gets a placeholder. */
static void leave_unordered(const vhost_watch_t *watch,
                            const acme_vhost_t *vhost)
{
    if (vhost->facts->tls == 1) {
        acme_server_found_t *server = acme_server_conf_found(vhost->s);

        server->is_unordered = 1;
        server->ciphers = lists_of_unordered(watch, vhost->facts);
        server->place = apr_pstrdup(watch->p, vhost->facts->place);
        say(vhost, APLOG_WARNING,
            "%s: no certificate can be ordered for this virtual host; it gets a placeholder and answers 503",
            vhost->facts->place);
    }
}

/* When all names of all certificates are known. */
static void check_all_lacking(const vhost_watch_t *watch)
{
    int i, k;

    for (i = 0; i < watch->vhosts->nelts; i++) {
        const apr_array_header_t *vhosts = APR_ARRAY_IDX(
            watch->vhosts, i, apr_array_header_t *);

        for (k = 0; k < vhosts->nelts; k++) {
            acme_vhosts_check_names(&APR_ARRAY_IDX(vhosts, k, acme_vhost_t),
                          cert_at(watch, i + 1), watch->scratch);
        }
    }
}

static acme_vhost_t look_at(const vhost_watch_t *watch, server_rec *s)
{
    return (acme_vhost_t) {
        .s = s,
        .conf = acme_server_conf(s),
        .facts = acme_conf_tree_facts(watch->tree, s),
        .quiet = watch->log == ACME_VHOSTS_QUIET
    };
}

static const char *id_of_names(const vhost_watch_t *watch,
                               const acme_vhost_t *vhost,
                               const apr_array_header_t *names)
{
    if (vhost->conf->id) {
        return vhost->conf->id;
    }
    return names->nelts
        ? acme_store_id_of_name(APR_ARRAY_IDX(names, 0, const char *),
                                watch->scratch) : NULL;
}

/* What its files name, and else what it would order; NULL: neither. */
static const char *wish_of(const vhost_watch_t *watch, server_rec *s)
{
    acme_vhost_t vhost = look_at(watch, s);
    const char *live = live_id_of(watch, s);

    vhost.quiet = 1;
    if (live) {
        return vhost.conf->id ? vhost.conf->id : live;
    }
    return is_managed(watch, &vhost)
        ? id_of_names(watch, &vhost, names_of_vhost(&vhost, watch->scratch)) : NULL;
}

/* Before any is read: whose a certificate is depends on who else has it. */
static void find_live_ids(vhost_watch_t *watch,
                          const apr_array_header_t *servers)
{
    int i;

    for (i = 0; i < servers->nelts; i++) {
        server_rec **s = &APR_ARRAY_IDX(servers, i, server_rec *);
        const acme_vhost_t vhost = look_at(watch, *s);
        const char *id = find_live_id(watch, &vhost);

        if (id) {
            apr_hash_set(watch->live_ids, s, sizeof(*s), id);
        }
    }
    if (!apr_hash_count(watch->live_ids)) {
        return;
    }
    watch->live = acme_cert_split_live_scan(
        acme_store_at(watch->conf->state_dir, watch->scratch), watch->scratch);
    for (i = 0; i < servers->nelts; i++) {
        const char *id = wish_of(watch, APR_ARRAY_IDX(servers, i,
                                                      server_rec *));

        if (id) {
            apr_hash_set(watch->wishes, id, APR_HASH_KEY_STRING,
                         (void *)(number_of(watch->wishes, id) + 1));
        }
    }
}

/* Those of names that are in others as well. */
static apr_array_header_t *names_in(const apr_array_header_t *names,
                                    const apr_array_header_t *others,
                                    apr_pool_t *p)
{
    apr_array_header_t *found = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (acme_name_in(others, name)) {
            APR_ARRAY_PUSH(found, const char *) = name;
        }
    }
    return found;
}

/*
 * Are the names of a virtual host that has the files of id to be in that
 * certificate? If its administrator says so, or if it is alone with it. Not if
 * the certificate is for other names: it would be ordered anew, for what it is
 * not, and names of a site that few know would be in public logs.
 */
static int is_owner(const vhost_watch_t *watch, const acme_vhost_t *vhost,
                    const char *id)
{
    const acme_server_conf_t *conf = vhost->conf;
    const apr_array_header_t *live;
    acme_vhost_t quiet = *vhost;

    if (conf->id || (conf->set[ACME_DIR_AcmeNames]
                     && (!vhost->s->is_virtual
                         || conf->names != watch->server_conf->names))) {
        return 1;
    }
    if (number_of(watch->wishes, id) != 1) {
        return 0;
    }
    quiet.quiet = 1;
    live = acme_vhost_files_names(watch->live, id, watch->scratch);
    return !live->nelts
        || names_in(names_of_vhost(&quiet, watch->scratch), live,
                    watch->scratch)->nelts;
}

/*
 * One with the files of others: of its names those that the certificate has
 * already stay in it, so that nothing is ordered. After all others: whose
 * settings are used is not decided by it.
 */
static void add_user(vhost_watch_t *watch, const acme_vhost_t *vhost,
                     const char *id)
{
    acme_vhost_t *user = apr_array_push(watch->users);

    *user = *vhost;
    user->is_user = 1;
    user->wanted = names_of_vhost(user, watch->scratch);
    user->names = names_in(user->wanted,
                           acme_vhost_files_names(watch->live, id, watch->scratch),
                           watch->scratch);
}

static void join_or_make(vhost_watch_t *watch, const acme_vhost_t *vhost,
                         intptr_t number, const char *id)
{
    if (number) {
        acme_vhosts_check_shared(vhost, first_vhost(watch, number),
                                 cert_at(watch, number), watch->scratch);
    }
    else {
        number = make_cert(watch, vhost, id);
        acme_vhosts_check_settings(vhost, watch->roots, watch->scratch);
    }
    join_cert(watch, vhost, number);
    check_wildcards(watch, vhost, number);
}

static void read_user(vhost_watch_t *watch, acme_vhost_t *vhost)
{
    const char *id = live_id_of(watch, vhost->s);

    if (!vhost->names->nelts && !number_of(watch->by_id, id)) {
        say(vhost, APLOG_WARNING,
            "%s: its SSLCertificateFile at %s is certificate %s, which has other names, and no virtual host orders it; it is used as it is and not renewed. Set AcmeCertificate %s in the virtual host whose names it is to have",
            vhost->facts->place,
            APR_ARRAY_IDX(vhost->facts->certs, 0, acme_conf_tree_file_t).place,
            id, id);
        return;
    }
    use_live_files(watch, vhost, id);
    join_or_make(watch, vhost, number_of(watch->by_id, id), id);
}

/* Those that have names in it first: the certificate may be there by them. */
static void read_users(vhost_watch_t *watch)
{
    apr_array_header_t *others = apr_array_make(watch->scratch, 2,
                                                sizeof(acme_vhost_t *));
    int i;

    for (i = 0; i < watch->users->nelts; i++) {
        acme_vhost_t *user = &APR_ARRAY_IDX(watch->users, i, acme_vhost_t);

        leave_out_taken(watch, user, live_id_of(watch, user->s),
                        (apr_array_header_t *)user->names);
        if (user->names->nelts) {
            read_user(watch, user);
        }
        else {
            APR_ARRAY_PUSH(others, acme_vhost_t *) = user;
        }
    }
    for (i = 0; i < others->nelts; i++) {
        read_user(watch, APR_ARRAY_IDX(others, i, acme_vhost_t *));
    }
}

static void read_vhost(vhost_watch_t *watch, server_rec *s)
{
    acme_vhost_t vhost = look_at(watch, s);
    const char *id = live_id_of(watch, s);
    apr_array_header_t *names;
    intptr_t number;

    if (id && !is_owner(watch, &vhost, id)) {
        add_user(watch, &vhost, id);
        return;
    }
    if (id) {
        use_live_files(watch, &vhost, id);
    }
    if (!is_managed(watch, &vhost)) {
        return;
    }
    names = names_of_vhost(&vhost, watch->scratch);
    if (!names->nelts) {
        if (vhost.facts->has_name) {    /* else it was logged above */
            say(&vhost, APLOG_ERR,
                "%s: has only wildcard names or IP addresses, which are not added automatically; list them in AcmeNames",
                vhost.facts->place);
        }
        leave_unordered(watch, &vhost);
        return;
    }
    id = id_of_names(watch, &vhost, names);
    if (!id) {
        say(&vhost, APLOG_ERR,
            "%s: cannot derive a certificate id from %s; set AcmeCertificate",
            vhost.facts->place, APR_ARRAY_IDX(names, 0, const char *));
        leave_unordered(watch, &vhost);
        return;
    }
    vhost.wanted = apr_array_copy(watch->scratch, names);
    vhost.names = names;
    number = leave_out_taken(watch, &vhost, id, names);
    join_or_make(watch, &vhost,
                 number ? number : number_of(watch->by_id, id), id);
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

static int has_same_texts(const apr_array_header_t *a,
                          const apr_array_header_t *b)
{
    int i = 0;

    while (i < a->nelts && i < b->nelts
           && !strcmp(APR_ARRAY_IDX(a, i, const char *),
                      APR_ARRAY_IDX(b, i, const char *))) {
        i++;
    }
    return i == a->nelts && i == b->nelts;
}

/* Now that the list is complete. */
static void share_ciphers(const vhost_watch_t *watch, int i)
{
    acme_cert_conf_t *cert = cert_at(watch, i + 1);
    apr_array_header_t *mine = cert->ciphers;

    if (i && has_same_texts(mine, cert_at(watch, i)->ciphers)) {
        cert->ciphers = cert_at(watch, i)->ciphers;
        return;
    }
    cert->ciphers = copy_lists(mine, watch->p);
}

acme_conf_t *acme_vhosts_read(server_rec *base, const acme_conf_tree_t *tree,
                              acme_vhosts_log_e log, apr_pool_t *p)
{
    const acme_server_conf_t *server = acme_server_conf(base);
    acme_conf_t *conf = apr_palloc(p, sizeof(*conf));
    apr_array_header_t *servers;
    apr_pool_t *scratch = acme_scratch_create(p);
    int i, agreed = 1;
    vhost_watch_t watch;

    servers = in_order(base, scratch);
    *conf = (acme_conf_t) {
        .state_dir = ap_server_root_relative(p, server->state_dir),
        .cas = apr_array_make(p, 2, sizeof(acme_ca_conf_t)),
        .routes = apr_array_make(p, 2, sizeof(acme_route_conf_t)),
        .certs = apr_array_make(scratch, servers->nelts,
                                sizeof(acme_cert_conf_t)),
        .parallel = server->set[ACME_DIR_AcmeParallel] ? server->parallel
                                                       : ACME_PARALLEL_MAX,
        .parallel_first = server->parallel,
        .activate = server->activate,
        .reload_delay = server->reload_delay,
        .reload_guard = server->reload_guard
    };
    watch = (vhost_watch_t) {
        .conf = conf,
        .tree = tree,
        .server = acme_conf_tree_facts(tree, base),
        .server_conf = server,
        .live_ids = apr_hash_make(scratch),
        .wishes = apr_hash_make(scratch),
        .users = apr_array_make(scratch, 2, sizeof(acme_vhost_t)),
        .by_id = apr_hash_make(scratch),
        .by_name = apr_hash_make(scratch),
        .vhosts = apr_array_make(scratch, servers->nelts,
                                 sizeof(apr_array_header_t *)),
        .roots = apr_hash_make(scratch),
        .log = log,
        .p = p,
        .scratch = scratch
    };
    acme_server_conf_unshare(base, p);
    find_live_ids(&watch, servers);
    for (i = 0; i < servers->nelts; i++) {
        read_vhost(&watch, APR_ARRAY_IDX(servers, i, server_rec *));
    }
    read_users(&watch);
    check_all_lacking(&watch);
    if (log == ACME_VHOSTS_LOG && conf->certs->nelts && conf->state_dir) {
        acme_vhosts_check_state_dir(conf, base, p);
    }
    acme_cert_split_apply(conf, watch.vhosts, watch.by_id, p);
    conf->export_faults = acme_exports_find(conf, log == ACME_VHOSTS_LOG
                                                      ? base : NULL, p);
    for (i = 0; i < conf->certs->nelts; i++) {
        share_ciphers(&watch, i);
        agreed &= cert_at(&watch, i + 1)->agreed;
    }
    apr_pool_destroy(scratch);
    if (!agreed && log == ACME_VHOSTS_LOG) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, base,
                     "acme: no certificate is ordered without AcmeTermsOfService agree: read the CA's terms of service and add the directive");
    }
    return conf;
}

static const char *cas_text(const acme_conf_t *conf,
                            const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const char *text = "";
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)cert->cas->nelts; i++) {
        text = apr_pstrcat(p, text, i ? " " : "",
                           acme_conf_ca(conf, cert, i)->url, NULL);
    }
    return text;
}

void acme_vhosts_dump(const acme_conf_t *conf, apr_pool_t *p)
{
    int i, k;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        printf(
            "acme: certificate %s\n    names: %s\n    ca: %s\n    key: %s\n    challenges: %s\n    vhosts: %s\n",
            cert->id, apr_array_pstrcat(p, cert->names, ' '),
            cas_text(conf, cert, p), acme_conf_key_types(cert, p),
            acme_conf_challenges(cert, p),
            apr_array_pstrcat(p, cert->places, ' '));
        for (k = 0; cert->exports && k < cert->exports->nelts; k++) {
            printf("    export: %s\n",
                   APR_ARRAY_IDX(cert->exports, k, acme_export_conf_t).path);
        }
    }
    if (!conf->certs->nelts) {
        printf("acme: no certificate is managed\n");
    }
}
