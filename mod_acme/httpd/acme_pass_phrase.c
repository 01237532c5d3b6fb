/*
 * acme_pass_phrase.c - keys whose pass phrase somebody typed at the start.
 *
 * mod_ssl knows a key that it keeps by the virtual host's name and port, and
 * its number there. It takes that one also when the file has changed, so what
 * decides is whether the certificate still goes with it.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>

#include "acme_digest.h"
#include "acme_pair.h"
#include "acme_define.h"
#include "acme_pass_phrase.h"

/* In the process pool, as mod_ssl's keys: an apr_hash_t of ids. */
#define KEPT "mod_acme_pass_phrases"

#define ID_OCTETS 8

/* An argument has at most 128 kB. */
#define IDS_MAX 4000

typedef struct {
    const char *id;             /* ID_OCTETS as hex digits */
    const acme_conf_tree_file_t *file;
} locked_t;

/* Thousands of virtual hosts may share a key. */
static int is_locked(const char *path, apr_hash_t *seen, apr_pool_t *p)
{
    int *locked = apr_hash_get(seen, path, APR_HASH_KEY_STRING);

    if (!locked) {
        locked = apr_palloc(p, sizeof(*locked));
        *locked = acme_pair_has_pass_phrase(path);
        apr_hash_set(seen, path, APR_HASH_KEY_STRING, locked);
    }
    return *locked;
}

static void find_in_server(apr_array_header_t *found,
                           const acme_conf_tree_facts_t *facts,
                           const server_rec *s, apr_hash_t *seen,
                           apr_pool_t *p)
{
    int i;

    for (i = 0; facts->certs && i < facts->certs->nelts; i++) {
        const acme_conf_tree_file_t *cert =
            &APR_ARRAY_IDX(facts->certs, i, acme_conf_tree_file_t);
        const acme_conf_tree_file_t *key = facts->keys && i < facts->keys->nelts
            ? &APR_ARRAY_IDX(facts->keys, i, acme_conf_tree_file_t) : cert;
        const char *text;

        if (cert->path && key->path && is_locked(key->path, seen, p)) {
            text = apr_psprintf(p, "%s:%u:%d:%s", s->server_hostname, s->port,
                                i, acme_pair_public_key(cert->path, p));
            APR_ARRAY_PUSH(found, locked_t) = (locked_t) {
                .id = acme_digest_hex(text, strlen(text), ID_OCTETS, p),
                .file = key
            };
        }
    }
}

/* locked_t: all that mod_ssl would ask for at a terminal. */
static apr_array_header_t *find_locked(const acme_conf_tree_t *tree,
                                       const server_rec *s, apr_pool_t *p)
{
    apr_array_header_t *found = apr_array_make(p, 2, sizeof(locked_t));
    apr_hash_t *seen = apr_hash_make(p);

    for (; s && acme_conf_tree_asks_at_terminal(tree); s = s->next) {
        if (acme_conf_tree_has_tls(tree, s)) {
            find_in_server(found, acme_conf_tree_facts(tree, s), s, seen, p);
        }
    }
    return found;
}

const char *acme_pass_phrase_define(const acme_conf_tree_t *tree,
                                    const server_rec *s, apr_pool_t *p)
{
    const apr_array_header_t *found = find_locked(tree, s, p);
    apr_pool_t *process = s->process->pool;
    apr_array_header_t *ids;
    apr_hash_index_t *at;
    apr_hash_t *kept;
    void *data = NULL;
    int i;

    apr_pool_userdata_get(&data, KEPT, process);
    kept = data ? data : apr_hash_make(process);
    apr_pool_userdata_set(kept, KEPT, NULL, process);
    for (i = 0; i < found->nelts; i++) {
        const char *id = APR_ARRAY_IDX(found, i, locked_t).id;

        if (!apr_hash_get(kept, id, APR_HASH_KEY_STRING)) {
            id = apr_pstrdup(process, id);
            apr_hash_set(kept, id, APR_HASH_KEY_STRING, id);
        }
    }
    if (apr_hash_count(kept) > IDS_MAX) {
        return NULL;
    }
    ids = apr_array_make(p, 16, sizeof(const char *));
    for (at = apr_hash_first(p, kept); at; at = apr_hash_next(at)) {
        APR_ARRAY_PUSH(ids, const char *) = apr_hash_this_key(at);
    }
    return apr_pstrcat(p, "-D" ACME_PASS_PHRASE_DEFINE,
                       apr_array_pstrcat(p, ids, ','), ",", NULL);
}

/* What the define has; NULL: there is none. */
static const char *kept_ids(void)
{
    return acme_define_value(ACME_PASS_PHRASE_DEFINE);
}

const char *acme_pass_phrase_missing(const char **pplace,
                                     const acme_conf_tree_t *tree,
                                     const server_rec *s, apr_pool_t *p)
{
    const char *ids = kept_ids();
    const apr_array_header_t *found;
    int i;

    *pplace = NULL;
    if (!ids) {
        return NULL;
    }
    found = find_locked(tree, s, p);
    for (i = 0; i < found->nelts; i++) {
        const locked_t *key = &APR_ARRAY_IDX(found, i, locked_t);

        if (!strstr(ids, key->id)) {
            *pplace = key->file->place;
            return key->file->path;
        }
    }
    return NULL;
}
