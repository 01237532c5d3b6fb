/*
 * acme_page_view.c - what the page, ?json and ?metrics know.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>

#include "acme_archive.h"
#include "acme_cert_file.h"
#include "acme_meta.h"
#include "acme_page_view.h"
#include "acme_server_conf.h"
#include "acme_text.h"
#include "acme_time.h"
#include "acme_url.h"

#define TEXT_MAX 1024           /* octets of a text in meta.json */
#define PARTS_MAX 8

static acme_page_view_t *view;

static const char *place_of(const server_rec *s, apr_pool_t *p)
{
    return s->defn_name ? apr_psprintf(p, "%s:%u", s->defn_name,
                                       s->defn_line_number)
                        : "the server config";
}

static void add_vhost(const apr_array_header_t **plist, const server_rec *s,
                      apr_pool_t *p)
{
    apr_array_header_t *list = (apr_array_header_t *)*plist;
    acme_page_vhost_t *vhost;

    if (!list) {
        list = apr_array_make(p, 1, sizeof(*vhost));
        *plist = list;
    }
    vhost = apr_array_push(list);
    vhost->name = s->server_hostname ? s->server_hostname : "";
    vhost->place = place_of(s, p);
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

static void read_vhosts(const server_rec *s, apr_pool_t *p)
{
    const int n = view->conf->certs->nelts;
    int i;

    view->vhosts = apr_pcalloc(p, sizeof(*view->vhosts)
                                  * (apr_size_t)(n ? n : 1));
    for (; s; s = s->next) {
        const acme_server_conf_t *conf = acme_server_conf(s);

        view->engines += conf->engine != 0;
        for (i = 0; conf->certs && i < conf->certs->nelts; i++) {
            add_vhost(&view->vhosts[APR_ARRAY_IDX(conf->certs, i, int)], s, p);
        }
    }
    for (i = 0; i < n; i++) {
        if (!view->vhosts[i]) {
            view->vhosts[i] = apr_array_make(p, 1, sizeof(acme_page_vhost_t));
        }
        reverse(view->vhosts[i]);
    }
}

static const apr_array_header_t *copy_names(const apr_array_header_t *names,
                                            apr_pool_t *p)
{
    apr_array_header_t *copy = apr_array_make(p, names->nelts,
                                              sizeof(const char *));
    int i;

    for (i = 0; i < names->nelts; i++) {
        APR_ARRAY_PUSH(copy, const char *) =
            apr_pstrdup(p, APR_ARRAY_IDX(names, i, const char *));
    }
    return copy;
}

/* Once for each path, with what it is about copied into p. */
static acme_page_other_t *read_other(const acme_conf_tree_file_t *from,
                                     int has_chain_file, apr_time_t now,
                                     apr_pool_t *scratch, apr_pool_t *p)
{
    acme_page_other_t *other = apr_pcalloc(p, sizeof(*other));
    const acme_cert_file_t *file;

    acme_cert_file_read(&file, from->path, has_chain_file, now, scratch);
    *other = (acme_page_other_t) {
        .path = from->path, .place = from->place,
        .names = copy_names(file->leaf.names, p),
        .issuer = apr_pstrdup(p, file->leaf.issuer),
        .serial = apr_pstrdup(p, file->leaf.serial),
        .not_before = file->leaf.not_before,
        .not_after = file->leaf.not_after,
        .problem = apr_pstrdup(p, file->is_self_signed && !file->problem[0]
                                      ? "It is self-signed: visitors do not trust it."
                                      : file->problem)
    };
    return other;
}

/*
 * What mod_ssl loads for servers of which we have no certificate. A server has
 * few such files; thousands of servers may have the same one.
 */
static void read_others(const acme_conf_tree_t *tree, const server_rec *s,
                        apr_pool_t *p)
{
    apr_array_header_t *found = apr_array_make(p, 4,
                                               sizeof(acme_page_other_t *));
    apr_array_header_t *others;
    apr_hash_t *by_path = apr_hash_make(p);
    const apr_time_t now = apr_time_now();
    apr_pool_t *scratch;
    int i;

    apr_pool_create(&scratch, p);
    for (; s; s = s->next) {
        const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

        for (i = 0; acme_conf_tree_has_tls(tree, s) && facts->certs
                    && i < facts->certs->nelts; i++) {
            const acme_conf_tree_file_t *file =
                &APR_ARRAY_IDX(facts->certs, i, acme_conf_tree_file_t);
            acme_page_other_t *other = file->path
                ? apr_hash_get(by_path, file->path, APR_HASH_KEY_STRING) : NULL;

            if (!file->path) {
                continue;       /* of a token: it is no file */
            }
            if (!other) {
                other = read_other(file, facts->has_chain_file, now, scratch,
                                   p);
                apr_hash_set(by_path, file->path, APR_HASH_KEY_STRING, other);
                APR_ARRAY_PUSH(found, acme_page_other_t *) = other;
                apr_pool_clear(scratch);
            }
            add_vhost(&other->vhosts, s, p);
        }
    }
    apr_pool_destroy(scratch);
    others = apr_array_make(p, found->nelts, sizeof(acme_page_other_t));
    for (i = found->nelts; i > 0; i--) {
        APR_ARRAY_PUSH(others, acme_page_other_t) =
            *APR_ARRAY_IDX(found, i - 1, acme_page_other_t *);
        reverse(APR_ARRAY_IDX(others, others->nelts - 1,
                              acme_page_other_t).vhosts);
    }
    view->others = others;
}

void acme_page_view_read(const acme_conf_t *conf, const acme_conf_tree_t *tree,
                         const server_rec *s, apr_pool_t *p)
{
    view = apr_pcalloc(p, sizeof(*view));
    view->conf = conf;
    read_vhosts(s, p);
    if (acme_conf_tree_has_page(tree)) {
        read_others(tree, s, p);
    }
}

void acme_page_view_set_board(acme_board_t *board)
{
    view->board = board;
}

const acme_page_view_t *acme_page_view(void)
{
    return view;
}

static void end_text(char *text, apr_size_t size)
{
    text[size - 1] = '\0';
}

#define END_TEXT(text) end_text(text, sizeof(text))

int acme_page_view_state(const acme_page_view_t *of, int i,
                         acme_state_t *state)
{
    if (!of->board || !acme_board_state(of->board, i, state)) {
        return 0;
    }
    END_TEXT(state->serial);
    END_TEXT(state->issuer);
    END_TEXT(state->cert_id);
    END_TEXT(state->explanation);
    END_TEXT(state->limit);
    END_TEXT(state->check_places);
    END_TEXT(state->check_detail);
    END_TEXT(state->problem);
    END_TEXT(state->detail);
    END_TEXT(state->post.failure);
    END_TEXT(state->deploy.failure);
    END_TEXT(state->notify.failure);
    END_TEXT(state->export_failure);
    state->why = acme_reason_bound((unsigned long)state->why);
    state->limit_why = acme_reason_bound((unsigned long)state->limit_why);
    return 1;
}

acme_status_cert_t acme_page_view_cert(const acme_page_view_t *of, int i,
                                       acme_state_t *state, const char *held)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(of->conf->certs, i,
                                                  acme_cert_conf_t);
    const acme_status_cert_t shown = {
        .id = cert->id, .names = cert->names,
        .state = acme_page_view_state(of, i, state) ? state : NULL,
        .is_reload_held = held[0] != '\0'
    };

    return shown;
}

const char *acme_page_view_held(const acme_page_view_t *of, apr_pool_t *p)
{
    char held[ACME_DETAIL_SIZE];

    if (!of->board) {
        return "";
    }
    acme_board_held(of->board, held, sizeof(held));
    return apr_pstrdup(p, held);
}

static const char *text_of(const json_t *json, const char *key, apr_pool_t *p)
{
    const char *text = acme_json_string(json, key, TEXT_MAX, p);

    return text ? text : "";
}

static apr_time_t time_of(const json_t *json, const char *key)
{
    return acme_time_parse(json_string_value(json_object_get(json, key)));
}

/* The chain of a part: "chain-rsa.pem" is the intermediates' file. */
static void read_chain(acme_page_live_t *live, const char **pproblem,
                       const char *path, apr_pool_t *p)
{
    apr_array_header_t *chain = apr_array_make(p, 2, sizeof(const char *));
    const acme_cert_file_t *file;
    int i;

    acme_cert_file_read(&file, path, 0, 0, p);
    if (!file->subjects->nelts && file->problem[0]) {
        *pproblem = file->problem;
    }
    for (i = 1; i < file->subjects->nelts; i++) {
        APR_ARRAY_PUSH(chain, const char *) =
            APR_ARRAY_IDX(file->subjects, i, const char *);
    }
    live->chain = chain;
    live->topmost = file->topmost;
}

static const char *chain_path(const acme_store_t *store,
                              const acme_cert_conf_t *cert,
                              const char *key_type, int i, apr_pool_t *p)
{
    const char *suffix = "";
    apr_uint32_t part;

    /* That of the key type, if it is configured still. */
    for (part = 0; i > 0 && part < acme_conf_parts(cert); part++) {
        if (!strcmp(acme_key_type_name(acme_conf_key_type(cert, part)),
                    key_type)) {
            suffix = acme_conf_suffix(cert, part);
        }
    }
    return acme_store_live(store, cert->id,
                           apr_pstrcat(p, "fullchain", suffix, ".pem", NULL),
                           p);
}

const acme_page_files_t *acme_page_view_files(const acme_page_view_t *of,
                                              int i, acme_page_chains_e chains,
                                              apr_pool_t *p)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(of->conf->certs, i,
                                                  acme_cert_conf_t);
    acme_store_t *store = acme_store_at(of->conf->state_dir, p);
    acme_page_files_t *files = apr_pcalloc(p, sizeof(*files));
    apr_array_header_t *lives = apr_array_make(p, 2, sizeof(acme_page_live_t));
    const json_t *meta = acme_meta_live(store, cert->id, p);
    const json_t *parts = json_object_get(meta, "certificates");
    size_t k;

    files->problem = meta ? "" : apr_psprintf(
        p, "%s cannot be read: there is no certificate yet, or the user of httpd's workers may not read it.",
        acme_store_live(store, cert->id, "meta.json", p));
    files->folder = acme_store_path(store, "live", cert->id, p);
    files->ca = text_of(meta, "ca", p);
    files->profile = text_of(meta, "profile", p);
    files->installed = time_of(meta, "installed");
    files->lives = lives;
    for (k = 0; k < json_array_size(parts) && k < PARTS_MAX; k++) {
        const json_t *part = json_array_get(parts, k);
        acme_page_live_t *live = apr_array_push(lives);

        live->key_type = text_of(part, "keyType", p);
        live->serial = text_of(part, "serial", p);
        live->issuer = text_of(part, "issuer", p);
        live->not_before = time_of(part, "notBefore");
        live->not_after = time_of(part, "notAfter");
        live->topmost = "";
        live->chain = apr_array_make(p, 2, sizeof(const char *));
        if (chains == ACME_PAGE_WITH_CHAINS) {
            read_chain(live, &files->problem,
                       chain_path(store, cert, live->key_type, (int)k, p), p);
        }
    }
    return files;
}

const acme_journal_t *acme_page_view_journal(const char **pproblem,
                                             const acme_page_view_t *of,
                                             int i, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(of->conf->certs, i,
                                                  acme_cert_conf_t);
    acme_journal_t *journal;
    acme_result_t res;

    *pproblem = "";
    if (acme_journal_look(&journal, acme_store_at(of->conf->state_dir, p),
                          cert->id, &res, p)) {
        *pproblem = apr_pstrdup(p, res.detail);
        return NULL;
    }
    return journal;
}
