/*
 * acme_conf_tree.c - what httpd's configuration tree tells that no API does.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <ap_listen.h>
#include <http_config.h>
#include <http_core.h>

#include "acme_conf_tree.h"
#include "acme_pair.h"

#define KNOCK_OUT 3             /* one a kind of key, as in older versions */
#define ENGINE "pkcs11:"        /* how the name of what is no file begins */
#define PAGE "acme-status"      /* of SetHandler, RewriteRule ... */

struct acme_conf_tree_t {
    acme_conf_tree_facts_t server;
    apr_hash_t *vhosts;         /* "file:line": apr_array_header_t * of
                                   acme_conf_tree_facts_t *, as a file or a
                                   macro may be included several times */
    apr_hash_t *seen;           /* names of files */
    apr_array_header_t *files;
    apr_array_header_t *md_names;       /* const char *: of MDomain */
    int md_base;                /* MDBaseServer on */
    const char *beyond;         /* acme_conf_tree_beyond_reading() */
    apr_array_header_t *logs;   /* acme_conf_tree_logs() */
    int has_dialog;             /* SSLPassPhraseDialog, not builtin */
    int has_page;               /* acme_conf_tree_has_page() */
    apr_hash_t *facts;          /* const server_rec *: what was found of it */
    apr_pool_t *p;
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
    file->path = strncmp(word, ENGINE, sizeof(ENGINE) - 1)
        ? ap_server_root_relative(p, word) : NULL;
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

/* "MDomain name ... [auto|manual]", and "<MDomainSet name ...>". */
static void see_md_names(acme_conf_tree_t *tree, const ap_directive_t *node,
                         apr_pool_t *p)
{
    const char *args = apr_pstrndup(p, node->args, strcspn(node->args, ">"));
    const char *name;

    while (*(name = ap_getword_conf(p, &args))) {
        APR_ARRAY_PUSH(tree->md_names, const char *) = name;
    }
}

/* Both may be NULL. */
static const char *join_lists(const char *first, const char *then,
                              apr_pool_t *p)
{
    return !first ? then
        : !then ? first : apr_pstrcat(p, first, ACME_PAIR_THEN, then, NULL);
}

/* "SSLOpenSSLConfCmd command value" */
static void see_command(acme_conf_tree_facts_t *facts,
                        const ap_directive_t *node, apr_pool_t *p)
{
    const char *args = node->args;
    const char *command = ap_getword_conf(p, &args);

    if (!apr_cstr_casecmp(command, "Certificate")) {
        facts->has_command = 1;
    }
    else if (!apr_cstr_casecmp(command, "CipherString")) {
        facts->command_ciphers = join_lists(facts->command_ciphers,
                                            ap_getword_conf(p, &args), p);
    }
}

/* Directives of mod_ssl that give it a certificate, or say how it is read. */
static void see_pair(acme_conf_tree_facts_t *facts,
                     const ap_directive_t *node, apr_pool_t *p)
{
    if (is(node, "SSLCertificateFile")) {
        add_file(&facts->certs, node, p);
    }
    else if (is(node, "SSLCertificateKeyFile")) {
        add_file(&facts->keys, node, p);
    }
    else if (is(node, "SSLCertificateChainFile")) {
        facts->has_chain_file = 1;
    }
    else if (is(node, "SSLOpenSSLConfCmd")) {
        see_command(facts, node, p);
    }
}

static int has_word(const char *args, const char *wanted, apr_pool_t *p)
{
    const char *word;

    while (*(word = ap_getword_conf(p, &args))) {
        if (!apr_cstr_casecmp(word, wanted)) {
            return 1;
        }
    }
    return 0;
}

/*
 * ErrorLog, CustomLog and TransferLog: "file", "|program ...", "||program ...";
 * "|$..." is a shell's, which starts in any case, and others are not files.
 */
static void see_log(acme_conf_tree_t *tree, const ap_directive_t *node,
                    apr_pool_t *p)
{
    const char *args = first_word(node, p);
    const char *path;
    acme_conf_tree_file_t *log;

    if (args[0] == '|') {
        args += args[1] == '|' ? 2 : 1;
        path = ap_getword_conf(p, &args);
        path = path[0] == '/' ? apr_pstrcat(p, "|", path, NULL) : NULL;
    }
    else {
        path = args[0] == '/' ? args : NULL;
    }
    if (path) {
        log = apr_array_push(tree->logs);
        log->path = path;
        log->place = place_of(node->filename, (unsigned)node->line_num, p);
    }
}

static int is_beyond_reading(const ap_directive_t *node, apr_pool_t *p)
{
    if (is(node, "SSLCryptoDevice")) {
        return apr_cstr_casecmp(first_word(node, p), "builtin") != 0;
    }
    if (is(node, "SSLRandomSeed")) {
        return strstr(node->args, "exec:") || strstr(node->args, "egd:");
    }
    return is(node, "Mutex") && has_word(node->args, "OmitPID", p);
}

static void read_nodes(acme_conf_tree_t *tree, acme_conf_tree_facts_t *facts,
                       const ap_directive_t *node, apr_pool_t *p)
{
    for (; node; node = node->next) {
        see_file(tree, node, p);
        tree->has_page |= node->args && strstr(node->args, PAGE) != NULL;
        if (!tree->beyond && is_beyond_reading(node, p)) {
            tree->beyond = apr_psprintf(p, "%s (%s:%d)", node->directive,
                                        node->filename, node->line_num);
        }
        if (is(node, "<VirtualHost")) {
            read_nodes(tree, add_vhost(tree, node, p), node->first_child, p);
        }
        else if (is(node, "SSLEngine")) {
            const char *engine = first_word(node, p);

            facts->tls = apr_cstr_casecmp(engine, "off") != 0;
            facts->is_optional = !apr_cstr_casecmp(engine, "optional");
        }
        else if (is(node, "ServerName")) {
            facts->has_name = 1;
        }
        else if (is(node, "SSLCipherSuite")) {
            see_ciphers(facts, node, p);
        }
        else if (is(node, "ErrorLog") || is(node, "CustomLog")
                 || is(node, "TransferLog")) {
            see_log(tree, node, p);
        }
        else if (is(node, "SSLPassPhraseDialog")) {
            tree->has_dialog = apr_cstr_casecmp(first_word(node, p),
                                                "builtin") != 0;
        }
        else if (is(node, "MDBaseServer")) {
            tree->md_base = !apr_cstr_casecmp(first_word(node, p), "on");
        }
        else if (is(node, "MDomain") || is(node, "ManagedDomain")
                 || is(node, "<MDomainSet") || is(node, "<ManagedDomain")) {
            see_md_names(tree, node, p);
        }
        else if (!node->first_child) {
            see_pair(facts, node, p);
        }
        else {
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
    tree->logs = apr_array_make(p, 8, sizeof(acme_conf_tree_file_t));
    tree->md_names = apr_array_make(p, 4, sizeof(const char *));
    tree->facts = apr_hash_make(p);
    tree->p = p;
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
    apr_array_header_t *files;
    int i;

    if (!own && !base) {
        return NULL;
    }
    files = apr_array_make(p, 2, sizeof(acme_conf_tree_file_t));
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

static acme_conf_tree_facts_t *find_facts(const acme_conf_tree_t *tree,
                                          const server_rec *s, apr_pool_t *p)
{
    const acme_conf_tree_facts_t *server = &tree->server;
    const acme_conf_tree_facts_t *own = server;
    acme_conf_tree_facts_t *facts = apr_pcalloc(p, sizeof(*facts));
    apr_pool_t *scratch;

    if (s->is_virtual) {
        apr_pool_create(&scratch, p);
        own = find_vhost(tree, s, scratch);
        apr_pool_destroy(scratch);
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
        facts->tls = server->tls;
        facts->is_optional = server->is_optional;
    }
    if (s->is_virtual) {
        facts->certs = merge(server->certs, facts->certs, p);
        facts->keys = merge(server->keys, facts->keys, p);
        facts->command_ciphers = join_lists(
            server->command_ciphers, own ? own->command_ciphers : NULL, p);
    }
    facts->has_chain_file |= server->has_chain_file;
    facts->has_command |= server->has_command;
    if (!facts->ciphers) {
        facts->ciphers = server->ciphers;
    }
    return facts;
}

static acme_conf_tree_facts_t *keep_facts(const acme_conf_tree_t *tree,
                                          const server_rec *s)
{
    acme_conf_tree_facts_t *facts = apr_hash_get(tree->facts, &s, sizeof(s));

    if (!facts) {
        const server_rec **key = apr_pmemdup(tree->p, &s, sizeof(s));

        facts = find_facts(tree, s, tree->p);
        apr_hash_set(tree->facts, key, sizeof(s), facts);
    }
    return facts;
}

const acme_conf_tree_facts_t *acme_conf_tree_facts(
    const acme_conf_tree_t *tree, const server_rec *s)
{
    return keep_facts(tree, s);
}

void acme_conf_tree_forget_files(const acme_conf_tree_t *tree,
                                 const server_rec *s)
{
    acme_conf_tree_facts_t *facts = keep_facts(tree, s);

    facts->certs = NULL;
    facts->keys = NULL;
}

static int is_name_of(const server_rec *s, const char *name)
{
    const apr_array_header_t *lists[] = { s->names, s->wild_names };
    const char *parent = strchr(s->server_hostname ? s->server_hostname : "",
                                '.');
    int i, k;

    if (s->server_hostname && !apr_cstr_casecmp(s->server_hostname, name)) {
        return 1;
    }
    if (parent && name[0] == '*' && !apr_cstr_casecmp(parent, name + 1)) {
        return 1;
    }
    for (k = 0; k < 2; k++) {
        for (i = 0; lists[k] && i < lists[k]->nelts; i++) {
            if (!apr_cstr_casecmp(APR_ARRAY_IDX(lists[k], i, char *), name)) {
                return 1;
            }
        }
    }
    return 0;
}

int acme_conf_tree_in_mod_md(const acme_conf_tree_t *tree,
                             const server_rec *s)
{
    int i;

    for (i = 0; i < tree->md_names->nelts; i++) {
        if (is_name_of(s, APR_ARRAY_IDX(tree->md_names, i, const char *))) {
            return s->is_virtual || tree->md_base;
        }
    }
    return 0;
}

const char *acme_conf_tree_beyond_reading(const acme_conf_tree_t *tree)
{
    return tree->beyond;
}

const apr_array_header_t *acme_conf_tree_logs(const acme_conf_tree_t *tree)
{
    return tree->logs;
}

int acme_conf_tree_asks_at_terminal(const acme_conf_tree_t *tree)
{
    return !tree->has_dialog;
}

int acme_conf_tree_has_page(const acme_conf_tree_t *tree)
{
    return tree->has_page;
}

const apr_array_header_t *acme_conf_tree_files(const acme_conf_tree_t *tree)
{
    return tree->files;
}

/* By the first Listen of its port, as httpd decides it after this. */
static int is_https(const server_rec *s)
{
    const char *protocol = ap_get_server_protocol((server_rec *)s);
    const ap_listen_rec *listener;
    const server_addr_rec *addr;

    if (protocol) {
        return !apr_cstr_casecmp(protocol, "https");
    }
    for (addr = s->addrs; addr; addr = addr->next) {
        for (listener = ap_listeners; listener; listener = listener->next) {
            if (listener->bind_addr->port == addr->host_port) {
                return listener->protocol
                    && !apr_cstr_casecmp(listener->protocol, "https");
            }
        }
    }
    return 0;
}

int acme_conf_tree_has_tls(const acme_conf_tree_t *tree, const server_rec *s)
{
    const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

    return facts->tls < 0 ? is_https(s) : facts->tls && !facts->is_optional;
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
        pair = apr_pstrcat(p, cert->path, "\n", key->path, "\n", list,
                           facts->has_chain_file ? "\nchain" : "", NULL);
        if (!apr_hash_get(seen, pair, APR_HASH_KEY_STRING)) {
            apr_hash_set(seen, pair, APR_HASH_KEY_STRING, pair);
            APR_ARRAY_PUSH(pairs, acme_conf_tree_pair_t) =
                (acme_conf_tree_pair_t) {
                    .cert = cert->path, .key = key->path,
                    .has_chain_file = facts->has_chain_file,
                    .place = cert->place, .ciphers = ciphers
                };
        }
    }
}

const apr_array_header_t *acme_conf_tree_pairs(const acme_conf_tree_t *tree,
                                               const server_rec *s,
                                               apr_pool_t *p)
{
    apr_array_header_t *pairs = apr_array_make(p, 8,
                                               sizeof(acme_conf_tree_pair_t));
    apr_hash_t *seen = apr_hash_make(p);

    for (; s; s = s->next) {
        if (acme_conf_tree_has_tls(tree, s)) {
            add_pairs(pairs, seen, acme_conf_tree_facts(tree, s), p);
        }
    }
    return pairs;
}
