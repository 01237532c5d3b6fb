/*
 * acme_page_load.c - what the status page knows of a load, read in the parent.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>

#include "acme_page_load.h"
#include "acme_page_others.h"
#include "acme_page_view.h"
#include "acme_scratch.h"
#include "acme_server_conf.h"

static void add_vhost(const apr_array_header_t **plist, const server_rec *s,
                      const char *file, apr_pool_t *p)
{
    apr_array_header_t *list = (apr_array_header_t *)*plist;
    acme_page_vhost_t *vhost;

    if (!list) {
        list = apr_array_make(p, 1, sizeof(*vhost));
        *plist = list;
    }
    vhost = apr_array_push(list);
    vhost->name = s->server_hostname ? s->server_hostname : "";
    vhost->file = file;
    vhost->line = s->defn_line_number;
    vhost->port = s->addrs ? s->addrs->host_port : s->port;
}

/* httpd's list of servers is the configuration's backwards. */
static void reverse(const apr_array_header_t *list)
{
    acme_page_vhost_t *rows = list ? (void *)list->elts : NULL;
    int i, n = list ? list->nelts : 0;

    for (i = 0; i < n / 2; i++) {
        const acme_page_vhost_t row = rows[i];

        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = row;
    }
}

static void read_vhosts(acme_page_view_t *view, const server_rec *s,
                        apr_pool_t *p)
{
    const int n = view->conf->certs->nelts;
    const char *file = NULL;
    int i;

    view->vhosts = apr_pcalloc(p, sizeof(*view->vhosts)
                                  * (apr_size_t)(n ? n : 1));
    for (; s; s = s->next) {
        const acme_server_found_t *server = acme_server_conf_found(s);

        file = acme_server_conf_file(s, file, p);
        view->engines += server->conf->engine != 0;
        for (i = 0; server->certs && i < server->certs->nelts; i++) {
            add_vhost(&view->vhosts[APR_ARRAY_IDX(server->certs, i, int)], s,
                      file, p);
        }
    }
    for (i = 0; i < n; i++) {
        if (!view->vhosts[i]) {
            view->vhosts[i] = apr_array_make(p, 1, sizeof(acme_page_vhost_t));
        }
        reverse(view->vhosts[i]);
    }
}

/* The ids of the certificates that are managed. */
static apr_hash_t *ids_of(const acme_conf_t *conf, apr_pool_t *p)
{
    apr_hash_t *ids = apr_hash_make(p);
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const char *id = APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t).id;

        apr_hash_set(ids, id, APR_HASH_KEY_STRING, id);
    }
    return ids;
}

/* What is managed, and where it lies. */
typedef struct {
    apr_hash_t *ids;
    const char *store;          /* AcmeStateDir without links; NULL: none */
} managed_t;

/* Without links; NULL: it is not there. */
static const char *real_path(const char *path, apr_pool_t *p)
{
    char *real = realpath(path, NULL);
    const char *copy = real ? apr_pstrdup(p, real) : NULL;

    free(real);
    return copy;
}

static managed_t managed_of(const acme_conf_t *conf, apr_pool_t *p)
{
    return (managed_t) {
        .ids = ids_of(conf, p),
        .store = conf->state_dir ? real_path(conf->state_dir, p) : NULL
    };
}

/* Is it "<id>/..." of one that is managed? */
static int is_id(const char *path, apr_hash_t *ids)
{
    const char *end = strchr(path, '/');

    return end && apr_hash_get(ids, path, end - path) != NULL;
}

/*
 * Is it "<AcmeStateDir>/live/<id>/..." of one that is managed, however it is
 * written? By what the links lead to, which is in archive/; where there is no
 * file yet, by the folder that its name has before live/.
 */
static int is_ours(const char *path, const managed_t *managed, apr_pool_t *p)
{
    static const char live[] = "/live/", archive[] = "/archive/";
    const apr_size_t len = managed->store ? strlen(managed->store) : 0;
    const char *real = len ? real_path(path, p) : NULL;
    const char *at;

    if (real) {
        return !strncmp(real, managed->store, len)
            && !strncmp(real + len, archive, sizeof(archive) - 1)
            && is_id(real + len + sizeof(archive) - 1, managed->ids);
    }
    for (at = len ? strstr(path, live) : NULL; at; at = strstr(at + 1, live)) {
        const char *folder = real_path(apr_pstrmemdup(p, path,
                                                      (apr_size_t)(at - path)),
                                       p);
        const char *id = at + sizeof(live) - 1;

        if (folder && !strcmp(folder, managed->store)
            && is_id(id + strspn(id, "/"), managed->ids)) {
            return 1;
        }
    }
    return 0;
}

/*
 * What mod_ssl loads for servers of which we have no certificate. A server has
 * few such files; thousands of servers may have the same one.
 */
static const apr_array_header_t *read_others(const acme_conf_t *conf,
                                             const acme_conf_tree_t *tree,
                                             const server_rec *s,
                                             apr_pool_t *p)
{
    apr_array_header_t *found, *others;
    static acme_page_other_t ours;      /* in by_path: it is not shown */
    acme_page_others_t *files = acme_page_others_begin(apr_time_now(),
                                                     s->process->pool);
    apr_pool_t *lists = acme_scratch_create(p);
    apr_hash_t *by_path = apr_hash_make(lists);
    const managed_t managed = managed_of(conf, lists);
    const char *file_name = NULL;
    apr_pool_t *scratch;
    int i;

    found = apr_array_make(lists, 4, sizeof(acme_page_other_t *));
    apr_pool_create(&scratch, lists);
    for (; s; s = s->next) {
        const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

        for (i = 0; acme_conf_tree_has_tls(tree, s) && facts->certs
                    && i < facts->certs->nelts; i++) {
            const acme_conf_tree_file_t *file =
                &APR_ARRAY_IDX(facts->certs, i, acme_conf_tree_file_t);
            acme_page_other_t *other = file->path
                ? apr_hash_get(by_path, file->path, APR_HASH_KEY_STRING) : NULL;

            if (!file->path || other == &ours) {
                continue;       /* the key of a token is not in a file */
            }
            if (!other && is_ours(file->path, &managed, scratch)) {
                apr_hash_set(by_path, file->path, APR_HASH_KEY_STRING, &ours);
                apr_pool_clear(scratch);
                continue;
            }
            if (!other) {
                other = apr_palloc(lists, sizeof(*other));
                *other = acme_page_others_read(files, file->path,
                                              facts->has_chain_file);
                other->place = apr_pstrdup(p, file->place);
                apr_hash_set(by_path, other->path, APR_HASH_KEY_STRING, other);
                APR_ARRAY_PUSH(found, acme_page_other_t *) = other;
                apr_pool_clear(scratch);
            }
            file_name = acme_server_conf_file(s, file_name, p);
            add_vhost(&other->vhosts, s, file_name, p);
        }
    }
    acme_page_others_end(files);
    others = apr_array_make(p, found->nelts, sizeof(acme_page_other_t));
    for (i = found->nelts; i > 0; i--) {
        APR_ARRAY_PUSH(others, acme_page_other_t) =
            *APR_ARRAY_IDX(found, i - 1, acme_page_other_t *);
        reverse(APR_ARRAY_IDX(others, others->nelts - 1,
                              acme_page_other_t).vhosts);
    }
    apr_pool_destroy(lists);
    return others;
}

void acme_page_load(const acme_conf_t *conf, const acme_conf_tree_t *tree,
                    const server_rec *s, apr_pool_t *p)
{
    acme_page_view_t *view = apr_pcalloc(p, sizeof(*view));

    view->conf = conf;
    read_vhosts(view, s, p);
    if (acme_conf_tree_has_page(tree)) {
        view->others = read_others(conf, tree, s, p);
    }
    acme_page_view_set(view);
}
