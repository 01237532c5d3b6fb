/*
 * acme_activation.c - which certificate a load of the configuration serves.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_ssl.h>

#include "acme_activation.h"
#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_digest.h"
#include "acme_server_conf.h"
#include "acme_file.h"
#include "acme_lasting.h"
#include "acme_live.h"
#include "acme_live_index.h"
#include "acme_live_mend.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_placeholder.h"
#include "acme_scratch.h"
#include "acme_state.h"
#include "acme_trials.h"

APLOG_USE_MODULE(acme);

/* What was served before this load: in the process pool, over reloads. Counts
   up with what is kept there. */
#define SERVED_KEY "mod_acme served 2"

/* The same of what no virtual host uses any more. */
#define UNUSED_KEY "mod_acme_unused"

/* Of the placeholder for servers that have no name. (2606, 2) */
#define NO_NAME "no-name.invalid"

/* Digests: thousands are kept for one comparison each. */
typedef struct {
    apr_uint64_t id;
    apr_uint64_t serial;        /* of the last that was served; 0: none */
} served_t;

typedef struct {
    apr_pool_t *p;              /* of rows; NULL: this is the first load */
    served_t *rows;             /* in the order of their ids */
    apr_size_t n;
} kept_t;

static acme_activation_files_t *files;     /* by the index of the certificate */
static const char **serials;               /* the same; until reported */
static apr_pool_t *serials_p;
static acme_activation_files_t unordered;  /* where there is none to order */
static const acme_conf_t *loaded;
static const apr_array_header_t no_names = { .elt_size = sizeof(char *) };

/* While a load is prepared. */
typedef struct {
    acme_store_t *store;
    const char *placeholders;   /* their folder */
    acme_live_index_t *index;   /* NULL: nobody needed it yet */
    const acme_cert_info_t *leaf;       /* of what was tried last, in scratch;
                                           NULL: it cannot be read */
    server_rec *s;
    apr_pool_t *p;
    apr_pool_t *scratch;        /* of one certificate */
} load_t;

static void add_files(acme_activation_files_t *found, const char *cert,
                      const char *key)
{
    APR_ARRAY_PUSH(found->certs, const char *) = cert;
    APR_ARRAY_PUSH(found->keys, const char *) = key;
}

/*
 * Not by the link: it may be swapped between two reads. The first part was
 * found to be good; of the others, those that are.
 */
static void find_parts(acme_activation_files_t *found,
                       const acme_cert_conf_t *cert, int n,
                       const load_t *load)
{
    const char *archive = acme_archive_path(load->store, cert->id, n,
                                            load->scratch);
    const acme_cert_info_t *leaf;
    acme_result_t ignored;
    apr_pool_t *p = load->p;
    apr_uint32_t i;

    for (i = 0; i < acme_conf_parts(cert); i++) {
        const acme_trials_pair_t pair = { .id = cert->id, .n = n,
                                          .suffix = acme_conf_suffix(cert, i),
                                          .ciphers = cert->ciphers };

        if (!acme_conf_is_first_of_kind(cert, i)) {
            continue;
        }
        if (i > 0 && acme_trials_check(&leaf, load->store, &pair, &ignored,
                                       load->scratch)) {
            return;             /* a key type that was added since */
        }
        add_files(found,
                  apr_pstrcat(p, archive, "/fullchain", pair.suffix, ".pem",
                              NULL),
                  apr_pstrcat(p, archive, "/privkey", pair.suffix, ".pem",
                              NULL));
    }
}

static int is_rsa(const char *key_path, apr_pool_t *p)
{
    acme_key_type_e type = ACME_KEY_P256;
    acme_result_t ignored;
    acme_key_t *key;

    return !acme_key_load(&key, key_path, &ignored, p)
        && !acme_key_type(&type, key, &ignored) && type >= ACME_KEY_RSA2048;
}

/* What another id has there, whatever key types are configured here: a pair of
   each kind of key that loads. The first is known to. */
static void find_all_parts(acme_activation_files_t *found,
                           const acme_cert_conf_t *cert, const char *archive,
                           const load_t *load)
{
    int has[2] = { 0, 0 };
    acme_result_t ignored;
    int i;

    for (i = 0; i < ACME_ARCHIVE_SUFFIXES; i++) {
        const char *chain = apr_pstrcat(load->p, archive, "/fullchain",
                                        acme_archive_suffixes[i], ".pem", NULL);
        const char *key = apr_pstrcat(load->p, archive, "/privkey",
                                      acme_archive_suffixes[i], ".pem", NULL);
        int kind;

        if (i > 0 && acme_pair_check(chain, key, cert->ciphers, &ignored)) {
            continue;
        }
        kind = is_rsa(key, load->scratch);
        if (!has[kind]) {
            has[kind] = 1;
            add_files(found, chain, key);
        }
    }
}

static apr_status_t try_archive(apr_time_t *pnot_after,
                                const acme_archive_want_t *want,
                                const char *folder, acme_result_t *res,
                                apr_pool_t *p)
{
    const acme_trials_pair_t pair = { .id = want->id,
                                      .n = acme_archive_number_of(folder),
                                      .suffix = "",
                                      .ciphers = want->ciphers };
    load_t *load = want->baton;
    const apr_status_t rv = acme_trials_check(&load->leaf, load->store, &pair,
                                              res, p);

    *pnot_after = load->leaf ? load->leaf->not_after : 0;
    return rv;
}

static acme_archive_want_t want_of(const acme_cert_conf_t *cert, load_t *load)
{
    return (acme_archive_want_t) { .id = cert->id, .ciphers = cert->ciphers,
                                   .now = apr_time_now(), .try = try_archive,
                                   .baton = load };
}

static int has_names(const apr_array_header_t *names,
                     const apr_array_header_t *others)
{
    int i;

    for (i = 0; i < names->nelts && i < others->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *),
                   APR_ARRAY_IDX(others, i, const char *)) != 0) {
            return 0;
        }
    }
    return names->nelts == others->nelts;
}

/* What visitors see of the pair that was tried last. */
static void note_leaf(acme_activation_files_t *found,
                      const acme_cert_conf_t *cert, const load_t *load)
{
    const acme_cert_info_t *leaf = load->leaf;
    int i;

    if (!leaf) {
        return;
    }
    serials[found - files] = apr_pstrdup(serials_p, leaf->serial);
    found->not_after = leaf->not_after;
    if (has_names(cert->names, leaf->names)) {
        found->names = cert->names;     /* nearly always: one copy will do */
        return;
    }
    found->names = apr_array_make(load->p, leaf->names->nelts,
                                  sizeof(const char *));
    for (i = 0; i < leaf->names->nelts; i++) {
        APR_ARRAY_PUSH((apr_array_header_t *)found->names, const char *) =
            apr_pstrdup(load->p, APR_ARRAY_IDX(leaf->names, i, const char *));
    }
}

static void clear_files(acme_activation_files_t *found)
{
    apr_array_clear(found->certs);
    apr_array_clear(found->keys);
    found->names = &no_names;
    serials[found - files] = NULL;
    found->not_after = 0;
}

/* APR_ENOENT: it has none; another failure: why none can be served, in res. */
static apr_status_t find_live(acme_activation_files_t *found,
                              acme_cert_conf_t *cert, load_t *load,
                              acme_result_t *res)
{
    const acme_archive_want_t want = want_of(cert, load);
    apr_status_t rv;
    int live, n;

    rv = acme_live_mend_adopt(load->store, &want, res, load->scratch);
    if (res->detail[0]) {
        ap_log_error(APLOG_MARK, rv ? APLOG_ERR : APLOG_WARNING, 0, load->s,
                     "acme: %s: %s", cert->id, res->detail);
    }
    rv = acme_archive_find_good(&n, &live, load->store, &want, res,
                                load->scratch);
    if (rv == APR_SUCCESS && n != live) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, load->s,
                     live ? "acme: %s: %s; the certificate before it, archive/%s/%d, is served until a new one is installed"
                          : "acme: %s: %s; archive/%s/%d is served",
                     cert->id, res->detail, cert->id, n);
    }
    if (rv == APR_SUCCESS) {
        cert->served = n;
        note_leaf(found, cert, load);
        find_parts(found, cert, n, load);
    }
    return rv;
}

/* A visitor of any of its names is satisfied with it. */
static int is_enough(const acme_activation_files_t *found,
                     const acme_cert_conf_t *cert, apr_time_t now)
{
    return acme_name_all_covered(cert->names, found->names)
        && found->not_after > now;
}

/*
 * The store is read only when a certificate is missing, and then once: there
 * may be thousands in it.
 */
static int find_stand_in(acme_activation_files_t *found,
                         acme_cert_conf_t *cert, load_t *load)
{
    const acme_archive_want_t want = want_of(cert, load);
    acme_trials_pair_t pair = { .suffix = "", .ciphers = cert->ciphers };
    acme_live_found_t other;
    acme_result_t ignored;

    if (!load->index) {
        load->index = acme_live_index_make(load->store, want.now, load->p);
    }
    if (!acme_live_index_find(&other, load->index, &want, cert->names,
                              load->scratch)) {
        return 0;
    }
    pair.id = other.id;
    pair.n = other.n;
    cert->stand_in = (acme_stand_in_t) { .id = other.id, .n = other.n,
                                         .is_same = other.is_same };
    clear_files(found);
    find_all_parts(found, cert, acme_archive_path(load->store, other.id,
                                                  other.n, load->p), load);
    (void)acme_trials_check(&load->leaf, load->store, &pair, &ignored,
                            load->scratch);
    note_leaf(found, cert, load);
    return 1;
}

/*
 * Without a store there is no place for placeholders either, and mod_ssl
 * would end the server: httpd's runtime folder must do.
 */
static const char *spare_folder(server_rec *s, apr_pool_t *p)
{
    const char *path = ap_runtime_dir_relative(p, "acme-placeholder");
    acme_result_t res;

    if (acme_file_dir_make(path, 0700, &res, p)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "acme: %s", res.detail);
    }
    return path;
}

static void find_placeholder(acme_activation_files_t *found,
                             const acme_cert_conf_t *cert,
                             const char *folder, server_rec *s,
                             apr_pool_t *p)
{
    const apr_time_t now = apr_time_now();
    acme_placeholder_t made;
    acme_result_t res;
    apr_status_t rv;

    rv = acme_placeholder_find(&made, folder, cert, now, &res, p);
    if (rv != APR_SUCCESS && rv != APR_EINVAL) {
        rv = acme_placeholder_find(&made, spare_folder(s, p), cert, now, &res,
                                   p);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: %s: %s: cannot create a placeholder: %s",
                     apr_array_pstrcat(p, cert->places, ' '), cert->id,
                     res.detail);
        return;
    }
    add_files(found, made.cert, made.key);
}

static void make_files(acme_activation_files_t *empty, apr_pool_t *p)
{
    empty->certs = apr_array_make(p, 1, sizeof(const char *));
    empty->keys = apr_array_make(p, 1, sizeof(const char *));
    empty->names = &no_names;
}

static void find_files(acme_activation_files_t *found, acme_cert_conf_t *cert,
                       load_t *load)
{
    acme_result_t res;
    apr_status_t rv;

    make_files(found, load->p);
    rv = find_live(found, cert, load, &res);
    if (rv == APR_SUCCESS && is_enough(found, cert, apr_time_now())) {
        return;
    }
    if (find_stand_in(found, cert, load) || rv == APR_SUCCESS) {
        return;
    }
    if (!APR_STATUS_IS_ENOENT(rv)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, load->s,
                     "acme: %s: %s; the placeholder is served until a new certificate is installed",
                     cert->id, res.detail);
    }
    find_placeholder(found, cert, load->placeholders, load->s, load->p);
}

/* NULL: there is a certificate to order for all of them. */
static acme_cert_conf_t *find_unordered(const server_rec *s, apr_pool_t *p)
{
    acme_cert_conf_t *none = NULL;
    int i;

    for (; s; s = s->next) {
        const acme_server_found_t *server = acme_server_conf_found(s);

        if (!server->is_unordered) {
            continue;
        }
        if (!none) {
            none = apr_pcalloc(p, sizeof(*none));
            none->id = NO_NAME;
            none->names = apr_array_make(p, 1, sizeof(const char *));
            none->places = apr_array_make(p, 1, sizeof(const char *));
            none->ciphers = apr_array_make(p, 1, sizeof(const char *));
            APR_ARRAY_PUSH(none->names, const char *) = NO_NAME;
        }
        APR_ARRAY_PUSH(none->places, const char *) = server->place;
        for (i = 0; i < server->ciphers->nelts; i++) {
            acme_name_add(none->ciphers,
                          APR_ARRAY_IDX(server->ciphers, i, const char *));
        }
    }
    return none;
}

void acme_activation_prepare(acme_conf_t *conf, server_rec *s, apr_pool_t *p)
{
    load_t load = { .store = acme_store_at(conf->state_dir, p), .s = s,
                    .p = p };
    const acme_cert_conf_t *none = find_unordered(s, p);
    acme_store_t *opened;
    acme_result_t res;
    int i;

    load.placeholders = acme_store_path(load.store, "placeholder", NULL, p);
    loaded = conf;
    files = apr_pcalloc(p, (apr_size_t)(conf->certs->nelts + 1)
                        * sizeof(*files));
    serials_p = acme_scratch_create(p);
    serials = apr_pcalloc(serials_p, (apr_size_t)(conf->certs->nelts + 1)
                                     * sizeof(*serials));
    make_files(&unordered, p);
    if (!conf->certs->nelts && !none) {
        return;
    }
    if (acme_store_open(&opened, conf->state_dir, &res, p)
        || res.detail[0]) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "acme: %s", res.detail);
    }
    acme_trials_begin(load.store, apr_time_now(), s->process->pool);
    load.scratch = acme_scratch_create(p);
    for (i = 0; i < conf->certs->nelts; i++) {
        load.leaf = NULL;
        find_files(&files[i], &APR_ARRAY_IDX(conf->certs, i,
                                             acme_cert_conf_t), &load);
        apr_pool_clear(load.scratch);
    }
    apr_pool_destroy(load.scratch);
    acme_trials_end();
    if (none) {
        find_placeholder(&unordered, none, load.placeholders, s, p);
    }
}

const acme_activation_files_t *acme_activation_files(int cert)
{
    return &files[cert];
}

int acme_activation_is_served(int cert)
{
    const acme_cert_conf_t *conf;

    if (cert < 0) {
        return 0;
    }
    conf = acme_conf_cert(loaded, (apr_uint32_t)cert);
    return conf->served || conf->stand_in.id;
}

static int is_valid_for(const apr_array_header_t *names, apr_time_t not_after,
                        const char *name)
{
    return not_after > apr_time_now() && acme_name_covered(names, name);
}

int acme_activation_has_name(int cert, const char *host)
{
    char name[ACME_NAME_MAX + 1];
    const apr_size_t len = strlen(host);
    const acme_live_cert_t *live;
    apr_size_t i;
    int has;

    if (cert < 0 || !files[cert].is_given || len >= sizeof(name)
        || acme_conf_cert(loaded, (apr_uint32_t)cert)->is_hidden) {
        return 0;
    }
    for (i = 0; i <= len; i++) {
        name[i] = (char)apr_tolower(host[i]);
    }
    live = acme_live_take(cert);
    has = live && !acme_live_cache_is_refused(live)
        ? is_valid_for(live->names, live->not_after, name)
        : is_valid_for(files[cert].names, files[cert].not_after, name);
    acme_live_cache_release(live);
    return has;
}

/* One of a kind of key is all that mod_ssl takes: that of the first name. */
static int add_cert_files(server_rec *s, apr_pool_t *p,
                          apr_array_header_t *cert_files,
                          apr_array_header_t *key_files)
{
    acme_server_found_t *server = acme_server_conf_found(s);
    const acme_activation_files_t *first;
    int i;

    (void)p;
    if (!(server->certs || server->is_unordered)
        || (cert_files->nelts && !server->is_live_named)) {
        return DECLINED;
    }
    first = server->certs
        ? acme_activation_files(APR_ARRAY_IDX(server->certs, 0, int))
        : &unordered;
    if (!first->certs->nelts) {
        return DECLINED;
    }
    /* A key that was left behind without its certificate belongs to none of
       ours, and mod_ssl takes the first for the first. */
    apr_array_clear(key_files);
    apr_array_clear(cert_files);        /* by the link, which may be swapped */
    apr_array_cat(cert_files, first->certs);
    apr_array_cat(key_files, first->keys);
    server->given = server->certs != NULL;
    for (i = 0; server->certs && i < server->certs->nelts; i++) {
        files[APR_ARRAY_IDX(server->certs, i, int)].is_given = 1;
    }
    return DONE;
}

/* 0: of none, which no digest is. */
static apr_uint64_t digest_of(const char *text)
{
    unsigned char digest[ACME_DIGEST_OCTETS];
    apr_uint64_t found = 0;

    if (text && acme_digest_make(digest, text, strlen(text))) {
        memcpy(&found, digest, sizeof(found));
    }
    return text ? found | 1 : 0;
}

static int compare_served(const void *a, const void *b)
{
    const served_t *one = a, *two = b;

    return one->id < two->id ? -1 : one->id > two->id;
}

static apr_uint64_t served_before(const kept_t *kept, apr_uint64_t id)
{
    const served_t wanted = { .id = id };
    const served_t *found = kept->n
        ? bsearch(&wanted, kept->rows, kept->n, sizeof(wanted), compare_served)
        : NULL;

    return found ? found->serial : 0;
}

/* Is it new to visitors? Of what none of them gets nobody must think that it
   is served. */
static int is_news(const acme_cert_conf_t *cert, int i, apr_uint64_t before)
{
    return !cert->stand_in.id && serials[i] && !cert->is_hidden
        && files[i].is_given && before != digest_of(serials[i]);
}

static void report_served(const acme_conf_t *conf, server_rec *s,
                          apr_pool_t *p)
{
    apr_pool_t *process = s->process->pool;
    kept_t *kept = acme_lasting_memory(SERVED_KEY, sizeof(*kept), process);
    kept_t now = { .p = acme_scratch_create(process) };
    int i;

    now.rows = apr_palloc(now.p, (apr_size_t)conf->certs->nelts
                                 * sizeof(*now.rows));
    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);
        served_t *row = &now.rows[now.n++];

        row->id = digest_of(cert->id);
        row->serial = served_before(kept, row->id);
        if (cert->stand_in.id) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                         "acme: %s: has no certificate of its own for all its names yet; archive/%s/%d, a certificate of %s that covers them, is served until it has",
                         cert->id, cert->stand_in.id, cert->stand_in.n,
                         cert->stand_in.id);
        }
        if (!is_news(cert, i, row->serial)) {
            continue;
        }
        row->serial = digest_of(serials[i]);
        if (kept->p && !acme_live_was_served(cert->id, cert->served, s)) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                         "acme: %s: reloaded: now served, serial %s, valid until %s",
                         cert->id, serials[i],
                         acme_time_text(files[i].not_after, p));
        }
    }
    qsort(now.rows, now.n, sizeof(*now.rows), compare_served);
    if (kept->p) {
        apr_pool_destroy(kept->p);
    }
    *kept = now;
}

/* Ids of what this load uses: those of the configuration, and stand-ins. */
static apr_hash_t *used_ids(const acme_conf_t *conf, apr_pool_t *p)
{
    apr_hash_t *used = apr_hash_make(p);
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        apr_hash_set(used, cert->id, APR_HASH_KEY_STRING, cert);
        if (cert->stand_in.id && !cert->stand_in.is_same) {
            apr_hash_set(used, cert->stand_in.id, APR_HASH_KEY_STRING, cert);
        }
    }
    return used;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each is told once: to remove them is the administrator's, or to leave them
   for what will need them. */
static void report_unused(const acme_conf_t *conf, server_rec *s,
                          apr_pool_t *p)
{
    apr_pool_t *process = s->process->pool;
    apr_hash_t *told = acme_lasting_hash(UNUSED_KEY, process);
    apr_hash_t *used = used_ids(conf, p);
    apr_array_header_t *ids = apr_array_make(p, 4, sizeof(const char *));
    apr_finfo_t info;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, acme_store_path(acme_store_at(conf->state_dir, p),
                                           "live", NULL, p), p)) {
        return;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (acme_store_id(info.name, p)
            && !apr_hash_get(used, info.name, APR_HASH_KEY_STRING)
            && !apr_hash_get(told, info.name, APR_HASH_KEY_STRING)) {
            const char *id = apr_pstrdup(process, info.name);

            apr_hash_set(told, id, APR_HASH_KEY_STRING, id);
            APR_ARRAY_PUSH(ids, const char *) = id;
        }
    }
    apr_dir_close(dir);
    if (ids->nelts) {
        qsort(ids->elts, (size_t)ids->nelts, sizeof(const char *),
              compare_ids);
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "acme: no virtual host uses these certificates any more, and they are not renewed: %s; they stay in %s, where live/ID, archive/ID and journal/ID.json of each can be removed",
                     acme_name_list_text(ids, p), conf->state_dir);
    }
}

void acme_activation_report(const acme_conf_t *conf, server_rec *s,
                            apr_pool_t *p)
{
    report_served(conf, s, p);
    report_unused(conf, s, p);
    acme_trials_save(acme_store_at(conf->state_dir, p), p);
    acme_trials_release();
    serials = NULL;
    apr_pool_destroy(serials_p);
}

void acme_activation_hooks(apr_pool_t *p)
{
    ap_hook_ssl_add_cert_files(add_cert_files, NULL, NULL, APR_HOOK_MIDDLE);
    (void)p;
}
