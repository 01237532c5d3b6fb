/*
 * acme_conf_tree.c - what httpd's configuration tree tells that no API does.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>

#include "acme_conf_tree.h"
#include "acme_server.h"

#define KNOCK_OUT 3             /* one a kind of key, as in older versions */

struct acme_conf_tree_t {
    acme_conf_tree_facts_t server;
    apr_hash_t *vhosts;         /* "file:line": apr_array_header_t * of
                                   acme_conf_tree_facts_t *, as a file or a
                                   macro may be included several times */
    apr_hash_t *seen;           /* names of files */
    apr_array_header_t *files;
};

static const char *place_of(const char *file, unsigned line, apr_pool_t *p)
{
    return apr_psprintf(p, "%s:%u", file, line);
}

static int is(const ap_directive_t *node, const char *name)
{
    return !apr_cstr_casecmp(node->directive, name);
}

static const char *first_word(const ap_directive_t *node, apr_pool_t *p)
{
    const char *args = node->args;

    return ap_getword_conf(p, &args);
}

/* "SSLCipherSuite [SSL] list"; that of TLSv1.3 has no security level. */
static void see_ciphers(acme_conf_tree_facts_t *facts,
                        const ap_directive_t *node, apr_pool_t *p)
{
    const char *args = node->args;
    const char *first = ap_getword_conf(p, &args);
    const char *second = ap_getword_conf(p, &args);

    if (!*second) {
        facts->ciphers = first;
    }
    else if (!apr_cstr_casecmp(first, "SSL")) {
        facts->ciphers = second;
    }
}

static void see_file(acme_conf_tree_t *tree, const ap_directive_t *node,
                     apr_pool_t *p)
{
    /* Directives of a macro or of -c come from no file of their own. */
    if (node->filename && node->filename[0] == '/'
        && !apr_hash_get(tree->seen, node->filename, APR_HASH_KEY_STRING)) {
        const char *file = apr_pstrdup(p, node->filename);

        apr_hash_set(tree->seen, file, APR_HASH_KEY_STRING, file);
        APR_ARRAY_PUSH(tree->files, const char *) = file;
    }
}

static void add_file(apr_array_header_t **files, const ap_directive_t *node,
                     apr_pool_t *p)
{
    const char *word = first_word(node, p);
    acme_conf_tree_file_t *file;

    if (!*files) {
        *files = apr_array_make(p, 2, sizeof(acme_conf_tree_file_t));
    }
    file = apr_array_push(*files);
    /* pkcs11: and its like are no files. */
    file->path = strchr(word, ':') ? NULL : ap_server_root_relative(p, word);
    file->place = place_of(node->filename, (unsigned)node->line_num, p);
}

static acme_conf_tree_facts_t *add_vhost(acme_conf_tree_t *tree,
                                         const ap_directive_t *node,
                                         apr_pool_t *p)
{
    acme_conf_tree_facts_t *vhost = apr_pcalloc(p, sizeof(*vhost));
    apr_array_header_t *same;

    vhost->tls = -1;
    vhost->place = place_of(node->filename, (unsigned)node->line_num, p);
    same = apr_hash_get(tree->vhosts, vhost->place, APR_HASH_KEY_STRING);
    if (!same) {
        same = apr_array_make(p, 1, sizeof(acme_conf_tree_facts_t *));
        apr_hash_set(tree->vhosts, vhost->place, APR_HASH_KEY_STRING, same);
    }
    APR_ARRAY_PUSH(same, acme_conf_tree_facts_t *) = vhost;
    return vhost;
}

static void read_nodes(acme_conf_tree_t *tree, acme_conf_tree_facts_t *facts,
                       const ap_directive_t *node, apr_pool_t *p)
{
    for (; node; node = node->next) {
        see_file(tree, node, p);
        if (is(node, "<VirtualHost")) {
            read_nodes(tree, add_vhost(tree, node, p), node->first_child, p);
        }
        else if (is(node, "SSLEngine")) {
            facts->tls = apr_cstr_casecmp(first_word(node, p), "off") != 0;
        }
        else if (is(node, "ServerName")) {
            facts->has_name = 1;
        }
        else if (is(node, "SSLCertificateFile")) {
            add_file(&facts->certs, node, p);
        }
        else if (is(node, "SSLCertificateKeyFile")) {
            add_file(&facts->keys, node, p);
        }
        else if (is(node, "SSLCipherSuite")) {
            see_ciphers(facts, node, p);
        }
        else if (node->first_child) {
            /* Of a folder or location it says nothing about the server. */
            const char *ciphers = facts->ciphers;

            read_nodes(tree, facts, node->first_child, p);
            facts->ciphers = ciphers;
        }
    }
}

acme_conf_tree_t *acme_conf_tree_read(apr_pool_t *p)
{
    acme_conf_tree_t *tree = apr_pcalloc(p, sizeof(*tree));

    tree->vhosts = apr_hash_make(p);
    tree->seen = apr_hash_make(p);
    tree->files = apr_array_make(p, 32, sizeof(const char *));
    tree->server.tls = -1;
    tree->server.place = "the server config";
    read_nodes(tree, &tree->server, ap_conftree, p);
    return tree;
}

/*
 * Files of the server config and of a virtual host, as mod_ssl merges them:
 * the virtual host's first three stand in the place of the server's.
 */
static apr_array_header_t *merge(const apr_array_header_t *base,
                                 const apr_array_header_t *own, apr_pool_t *p)
{
    apr_array_header_t *files = apr_array_make(p, 2,
                                               sizeof(acme_conf_tree_file_t));
    int i;

    for (i = 0; own && i < own->nelts && i < KNOCK_OUT; i++) {
        APR_ARRAY_PUSH(files, acme_conf_tree_file_t) =
            APR_ARRAY_IDX(own, i, acme_conf_tree_file_t);
    }
    for (; base && i < base->nelts; i++) {
        APR_ARRAY_PUSH(files, acme_conf_tree_file_t) =
            APR_ARRAY_IDX(base, i, acme_conf_tree_file_t);
    }
    for (i = KNOCK_OUT; own && i < own->nelts; i++) {
        APR_ARRAY_PUSH(files, acme_conf_tree_file_t) =
            APR_ARRAY_IDX(own, i, acme_conf_tree_file_t);
    }
    return files->nelts ? files : NULL;
}

static int is_same_place(const server_rec *a, const server_rec *b)
{
    return a->defn_line_number == b->defn_line_number && a->defn_name
        && b->defn_name && !strcmp(a->defn_name, b->defn_name);
}

/* NULL: no directive of the tree made it. */
static const acme_conf_tree_facts_t *find_vhost(const acme_conf_tree_t *tree,
                                                const server_rec *s,
                                                apr_pool_t *p)
{
    const apr_array_header_t *same = apr_hash_get(
        tree->vhosts, place_of(s->defn_name ? s->defn_name : "?",
                               s->defn_line_number, p),
        APR_HASH_KEY_STRING);
    const server_rec *before;
    int n = 0;

    /* httpd's list is the configuration's backwards. */
    for (before = same && same->nelts > 1 ? s->next : NULL; before;
         before = before->next) {
        n += is_same_place(before, s);
    }
    return same && n < same->nelts
        ? APR_ARRAY_IDX(same, n, const acme_conf_tree_facts_t *) : NULL;
}

const acme_conf_tree_facts_t *acme_conf_tree_facts(
    const acme_conf_tree_t *tree, const server_rec *s, apr_pool_t *p)
{
    const acme_conf_tree_facts_t *own = &tree->server;
    acme_conf_tree_facts_t *facts = apr_pcalloc(p, sizeof(*facts));

    if (s->is_virtual) {
        own = find_vhost(tree, s, p);
    }
    if (own) {
        *facts = *own;
    }
    else {
        facts->tls = -1;
        facts->has_name = 1;
        facts->place = place_of(s->defn_name ? s->defn_name : "?",
                                s->defn_line_number, p);
    }
    if (facts->tls < 0) {
        facts->tls = tree->server.tls;
    }
    if (s->is_virtual) {
        facts->certs = merge(tree->server.certs, facts->certs, p);
        facts->keys = merge(tree->server.keys, facts->keys, p);
    }
    if (!facts->ciphers) {
        facts->ciphers = tree->server.ciphers;
    }
    return facts;
}

const apr_array_header_t *acme_conf_tree_files(const acme_conf_tree_t *tree)
{
    return tree->files;
}

/* Will mod_ssl load what this server names? It must then be able to. */
static int is_loaded(const server_rec *s, const acme_conf_tree_facts_t *facts)
{
    const char *protocol;

    if (facts->tls < 0) {       /* not said: as its Listen says */
        protocol = ap_get_server_protocol((server_rec *)s);
        return protocol && !strcmp(protocol, "https");
    }
    return facts->tls;
}

/* Each once: thousands of virtual hosts may share a certificate. */
static void add_pairs(apr_array_header_t *pairs, apr_hash_t *seen,
                      const acme_conf_tree_facts_t *facts, apr_pool_t *p)
{
    const char *list = facts->ciphers ? facts->ciphers : "";
    apr_array_header_t *ciphers = apr_array_make(p, 1, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(ciphers, const char *) = list;
    for (i = 0; facts->certs && i < facts->certs->nelts; i++) {
        const acme_conf_tree_file_t *cert =
            &APR_ARRAY_IDX(facts->certs, i, acme_conf_tree_file_t);
        const acme_conf_tree_file_t *key = facts->keys && i < facts->keys->nelts
            ? &APR_ARRAY_IDX(facts->keys, i, acme_conf_tree_file_t) : cert;

        const char *pair;

        if (!cert->path || !key->path) {
            continue;
        }
        pair = apr_pstrcat(p, cert->path, "\n", key->path, "\n", list, NULL);
        if (!apr_hash_get(seen, pair, APR_HASH_KEY_STRING)) {
            apr_hash_set(seen, pair, APR_HASH_KEY_STRING, pair);
            APR_ARRAY_PUSH(pairs, acme_server_pair_t) =
                (acme_server_pair_t) { .cert = cert->path, .key = key->path,
                                       .place = cert->place,
                                       .ciphers = ciphers };
        }
    }
}

const apr_array_header_t *acme_conf_tree_pairs(const acme_conf_tree_t *tree,
                                               const server_rec *s,
                                               apr_pool_t *p)
{
    apr_array_header_t *pairs = apr_array_make(p, 8,
                                               sizeof(acme_server_pair_t));
    apr_hash_t *seen = apr_hash_make(p);

    for (; s; s = s->next) {
        const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s, p);

        if (is_loaded(s, facts)) {
            add_pairs(pairs, seen, facts, p);
        }
    }
    return pairs;
}
