/*
 * acme_conf_tree.c - what httpd's configuration tree tells that no API does.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>

#include "acme_conf_tree.h"
#include "acme_server.h"

struct acme_conf_tree_t {
    acme_conf_tree_facts_t server;
    apr_hash_t *vhosts;         /* "file:line": apr_array_header_t * of
                                   acme_conf_tree_facts_t *, as a file or a
                                   macro may be included several times */
    apr_hash_t *seen;           /* names of files */
    apr_array_header_t *files;
    apr_array_header_t *pairs;  /* acme_server_pair_t */
    apr_array_header_t *owners; /* const acme_conf_tree_facts_t *: of each */
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

/*
 * The nth SSLCertificateFile goes with the nth SSLCertificateKeyFile, or
 * holds its key itself.
 */
static void see_pair(acme_conf_tree_t *tree,
                     const acme_conf_tree_facts_t *facts,
                     const ap_directive_t *node, int *first_without_key,
                     apr_pool_t *p)
{
    const char *path = ap_server_root_relative(p, first_word(node, p));
    int i;

    if (!path || strchr(first_word(node, p), ':')) {
        return;                 /* pkcs11: and its like are no files */
    }
    if (is(node, "SSLCertificateFile")) {
        APR_ARRAY_PUSH(tree->pairs, acme_server_pair_t) =
            (acme_server_pair_t) {
                .cert = path,
                .key = path,
                .place = place_of(node->filename, (unsigned)node->line_num,
                                  p)
            };
        APR_ARRAY_PUSH(tree->owners, const acme_conf_tree_facts_t *) = facts;
        return;
    }
    i = (*first_without_key)++;
    if (i < tree->pairs->nelts) {
        APR_ARRAY_IDX(tree->pairs, i, acme_server_pair_t).key = path;
    }
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
                       const ap_directive_t *node, int *first_without_key,
                       apr_pool_t *p)
{
    for (; node; node = node->next) {
        see_file(tree, node, p);
        if (is(node, "<VirtualHost")) {
            acme_conf_tree_facts_t *vhost = add_vhost(tree, node, p);
            int first = tree->pairs->nelts;

            read_nodes(tree, vhost, node->first_child, &first, p);
        }
        else if (is(node, "SSLEngine")) {
            facts->tls = apr_cstr_casecmp(first_word(node, p), "off") != 0;
        }
        else if (is(node, "ServerName")) {
            facts->has_name = 1;
        }
        else if (is(node, "SSLCertificateFile")) {
            facts->has_certificate = 1;
            see_pair(tree, facts, node, first_without_key, p);
        }
        else if (is(node, "SSLCertificateKeyFile")) {
            facts->key_place = place_of(node->filename,
                                        (unsigned)node->line_num, p);
            see_pair(tree, facts, node, first_without_key, p);
        }
        else if (is(node, "SSLCipherSuite")) {
            see_ciphers(facts, node, p);
        }
        else if (node->first_child) {
            /* Of a folder or location it says nothing about the server. */
            const char *ciphers = facts->ciphers;

            read_nodes(tree, facts, node->first_child, first_without_key, p);
            facts->ciphers = ciphers;
        }
    }
}

/* Known only at the end: the server's own may come last. */
static void add_ciphers(acme_conf_tree_t *tree, apr_pool_t *p)
{
    int i;

    for (i = 0; i < tree->pairs->nelts; i++) {
        const acme_conf_tree_facts_t *owner = APR_ARRAY_IDX(
            tree->owners, i, const acme_conf_tree_facts_t *);
        const char *ciphers = owner->ciphers ? owner->ciphers
                                             : tree->server.ciphers;
        apr_array_header_t *list = apr_array_make(p, 1, sizeof(const char *));

        if (ciphers) {
            APR_ARRAY_PUSH(list, const char *) = ciphers;
        }
        APR_ARRAY_IDX(tree->pairs, i, acme_server_pair_t).ciphers = list;
    }
}

acme_conf_tree_t *acme_conf_tree_read(apr_pool_t *p)
{
    acme_conf_tree_t *tree = apr_pcalloc(p, sizeof(*tree));
    int first_without_key = 0;

    tree->vhosts = apr_hash_make(p);
    tree->seen = apr_hash_make(p);
    tree->files = apr_array_make(p, 32, sizeof(const char *));
    tree->pairs = apr_array_make(p, 8, sizeof(acme_server_pair_t));
    tree->owners = apr_array_make(p, 8, sizeof(acme_conf_tree_facts_t *));
    tree->server.tls = -1;
    tree->server.place = "the server config";
    read_nodes(tree, &tree->server, ap_conftree, &first_without_key, p);
    add_ciphers(tree, p);
    return tree;
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
    for (before = s->next; before; before = before->next) {
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
    facts->has_certificate |= tree->server.has_certificate;
    if (!facts->key_place) {
        facts->key_place = tree->server.key_place;
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

const apr_array_header_t *acme_conf_tree_pairs(const acme_conf_tree_t *tree)
{
    return tree->pairs;
}
