/*
 * acme_trials.c - pairs of the store that were tried.
 *
 * All memory is in a pool of the process's that is made anew by each load, so
 * nothing is kept of what is gone. httpd unloads us in between: no pointer to a
 * literal or a function of ours may stay in it.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_file.h"
#include "acme_file_stamp.h"
#include "acme_lasting.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_scratch.h"
#include "acme_trials.h"

/* Counts up with the shape of what is kept there; the file's first line with
   that of the file. */
#define LASTING_KEY "mod_acme trials 2"
#define FILE_FIRST "mod_acme trials 1"
#define FILE_LAST "end"
#define FILE_MAX (32 * 1024 * 1024)     /* octets */

#define SERIAL_MAX 64           /* octets in the file */
#define ISSUER_MAX 512
#define NAMES_MAX 1000

typedef struct {
    const char *name;           /* "<id>/<n><suffix>" */
    acme_file_stamp_t chain, key;
    const char *scene;          /* acme_pair_scene() */
    apr_time_t not_before, not_after;
    const char *serial;         /* "": nothing is known of the leaf */
    const char *issuer;
    const char *cert_id;        /* "": it has none */
    const char *names;          /* with a space between two */
} trial_t;

typedef struct {
    const char *text;           /* acme_pair_scene() */
    const acme_pair_servers_t *servers; /* NULL: none was needed yet */
} scene_t;

typedef struct {
    apr_pool_t *lasting;
    apr_pool_t *p;              /* of trials, NULL: none yet */
    apr_hash_t *trials;         /* by name: trial_t * */
    apr_pool_t *old_p;          /* of the load before, while one is prepared */
    apr_hash_t *old;
    const char *root;           /* of the store that they are of */
    apr_hash_t *texts;          /* those of scenes and issuers are few */
    apr_hash_t *scenes;         /* by the lists of ciphers: scene_t *, of this
                                   load */
    apr_pool_t *scenes_p;
    apr_pool_t *servers_p;      /* of those in scenes, while one is prepared */
    apr_time_t now;             /* when this load began */
    int is_new;                 /* not as in the file */
} kept_t;

static kept_t *kept;

static void make_fresh(void)
{
    kept->p = acme_scratch_create(kept->lasting);
    kept->trials = apr_hash_make(kept->p);
    kept->texts = apr_hash_make(kept->p);
}

/* One copy of each text. */
static const char *intern(const char *text)
{
    const char *found = apr_hash_get(kept->texts, text, APR_HASH_KEY_STRING);

    if (!found) {
        found = apr_pstrdup(kept->p, text);
        apr_hash_set(kept->texts, found, APR_HASH_KEY_STRING, found);
    }
    return found;
}

static void keep(const trial_t *found)
{
    trial_t *trial = apr_pmemdup(kept->p, found, sizeof(*found));

    trial->name = apr_pstrdup(kept->p, found->name);
    trial->scene = intern(found->scene);
    trial->issuer = intern(found->issuer);
    trial->serial = apr_pstrdup(kept->p, found->serial);
    trial->cert_id = apr_pstrdup(kept->p, found->cert_id);
    trial->names = apr_pstrdup(kept->p, found->names);
    apr_hash_set(kept->trials, trial->name, APR_HASH_KEY_STRING, trial);
}

/* The file */

static const char *file_path(const acme_store_t *store, apr_pool_t *p)
{
    return acme_store_path(store, "run", "tried", p);
}

/* The text up to the next tab; NULL: there is none, or it is longer. */
static char *next_text(char **pat, apr_size_t max)
{
    char *text = *pat, *end = text ? strchr(text, '\t') : NULL;

    if (!end || (apr_size_t)(end - text) > max) {
        *pat = NULL;
        return NULL;
    }
    *end = '\0';
    *pat = end + 1;
    return text;
}

static apr_int64_t next_number(char **pat)
{
    char *text = next_text(pat, 20), *end;
    apr_int64_t number = text ? apr_strtoi64(text, &end, 10) : 0;

    if (text && (*end || !*text)) {
        *pat = NULL;
    }
    return number;
}

static acme_file_stamp_t next_stamp(char **pat)
{
    acme_file_stamp_t stamp;

    stamp.inode = next_number(pat);
    stamp.size = next_number(pat);
    stamp.modified = next_number(pat);
    stamp.changed = next_number(pat);
    return stamp;
}

/* 0: it is not one of ours. */
static int read_line(char *line)
{
    char *at = line;
    trial_t trial;

    trial.name = next_text(&at, ACME_ID_MAX + 32);
    trial.chain = next_stamp(&at);
    trial.key = next_stamp(&at);
    trial.scene = next_text(&at, ACME_PAIR_SCENE_MAX);
    trial.not_before = next_number(&at);
    trial.not_after = next_number(&at);
    trial.serial = next_text(&at, SERIAL_MAX);
    trial.cert_id = next_text(&at, ACME_CERT_ID_MAX);
    trial.issuer = next_text(&at, ISSUER_MAX);
    trial.names = at;
    if (!at || strlen(at) > (apr_size_t)NAMES_MAX * (ACME_NAME_MAX + 1)) {
        return 0;
    }
    keep(&trial);
    return 1;
}

static int read_lines(char *text)
{
    char *line, *last;

    line = apr_strtok(text, "\n", &last);
    if (!line || strcmp(line, FILE_FIRST) != 0) {
        return 0;
    }
    while ((line = apr_strtok(NULL, "\n", &last)) != NULL
           && strcmp(line, FILE_LAST) != 0) {
        if (!read_line(line)) {
            return 0;
        }
    }
    return line != NULL;
}

static void load_file(const acme_store_t *store)
{
    acme_result_t ignored;
    apr_pool_t *scratch;
    const char *text;
    apr_size_t len;

    scratch = acme_scratch_create(kept->lasting);
    if (acme_file_read(&text, &len, file_path(store, scratch), FILE_MAX,
                       &ignored, scratch)
        || strlen(text) != len || !read_lines((char *)text)) {
        apr_pool_destroy(kept->p);      /* what was read of it, too */
        make_fresh();
    }
    apr_pool_destroy(scratch);
}

static void add_number(apr_array_header_t *parts, apr_int64_t number)
{
    APR_ARRAY_PUSH(parts, const char *) =
        apr_psprintf(parts->pool, "%" APR_INT64_T_FMT, number);
}

static void add_stamp(apr_array_header_t *parts, const acme_file_stamp_t *stamp)
{
    add_number(parts, stamp->inode);
    add_number(parts, stamp->size);
    add_number(parts, stamp->modified);
    add_number(parts, stamp->changed);
}

static const char *line_of(const trial_t *trial, apr_pool_t *p)
{
    apr_array_header_t *parts = apr_array_make(p, 16, sizeof(const char *));

    APR_ARRAY_PUSH(parts, const char *) = trial->name;
    add_stamp(parts, &trial->chain);
    add_stamp(parts, &trial->key);
    APR_ARRAY_PUSH(parts, const char *) = trial->scene;
    add_number(parts, trial->not_before);
    add_number(parts, trial->not_after);
    APR_ARRAY_PUSH(parts, const char *) = trial->serial;
    APR_ARRAY_PUSH(parts, const char *) = trial->cert_id;
    APR_ARRAY_PUSH(parts, const char *) = trial->issuer;
    APR_ARRAY_PUSH(parts, const char *) = trial->names;
    return apr_array_pstrcat(p, parts, '\t');
}

void acme_trials_save(const acme_store_t *store, apr_pool_t *p)
{
    apr_array_header_t *lines;
    acme_result_t ignored;
    apr_hash_index_t *hi;
    const char *text;
    apr_pool_t *scratch;

    if (!kept || !kept->p || !kept->is_new) {
        return;
    }
    scratch = acme_scratch_create(p);
    lines = apr_array_make(scratch, (int)apr_hash_count(kept->trials) + 3,
                           sizeof(const char *));
    APR_ARRAY_PUSH(lines, const char *) = FILE_FIRST;
    for (hi = apr_hash_first(scratch, kept->trials); hi;
         hi = apr_hash_next(hi)) {
        void *trial;

        apr_hash_this(hi, NULL, NULL, &trial);
        APR_ARRAY_PUSH(lines, const char *) = line_of(trial, scratch);
    }
    APR_ARRAY_PUSH(lines, const char *) = FILE_LAST "\n";
    text = apr_array_pstrcat(scratch, lines, '\n');
    if (strlen(text) <= FILE_MAX
        && acme_file_replace(file_path(store, scratch), text, strlen(text),
                             0600, &ignored, scratch) == APR_SUCCESS) {
        kept->is_new = 0;
    }
    apr_pool_destroy(scratch);
}

/* A load */

static const char *root_of(const acme_store_t *store, apr_pool_t *p)
{
    return acme_store_path(store, "archive", NULL, p);
}

static void set_root(const char *root)
{
    if (!kept->root || strcmp(kept->root, root) != 0) {
        kept->root = apr_pstrdup(kept->lasting, root);
    }
}

void acme_trials_begin(const acme_store_t *store, apr_time_t now,
                       apr_pool_t *lasting)
{
    kept = acme_lasting_memory(LASTING_KEY, sizeof(*kept), lasting);
    kept->lasting = lasting;
    if (kept->p && strcmp(kept->root, root_of(store, kept->p)) != 0) {
        apr_pool_destroy(kept->p);
        kept->p = NULL;
    }
    if (!kept->p) {
        make_fresh();
        load_file(store);
        set_root(root_of(store, kept->p));
        kept->is_new = 0;
    }
    kept->now = now;
    kept->old_p = kept->p;
    kept->old = kept->trials;
    make_fresh();
    if (kept->scenes_p) {
        apr_pool_destroy(kept->scenes_p);
    }
    apr_pool_create(&kept->scenes_p, lasting);
    kept->scenes = apr_hash_make(kept->scenes_p);
    apr_pool_create(&kept->servers_p, lasting);
}

void acme_trials_end(void)
{
    if (kept && kept->old_p) {
        kept->is_new |=
            apr_hash_count(kept->trials) != apr_hash_count(kept->old);
        apr_pool_destroy(kept->old_p);
        kept->old_p = NULL;
        kept->old = NULL;
        apr_pool_destroy(kept->servers_p);
    }
}

void acme_trials_release(void)
{
    if (kept && kept->p && !kept->is_new) {
        apr_pool_destroy(kept->p);
        kept->p = NULL;
        kept->trials = NULL;
    }
}

void acme_trials_recall(const acme_store_t *store)
{
    if (kept && !kept->p) {
        make_fresh();
        load_file(store);
    }
}

/* Pairs */

typedef struct {
    const char *name;           /* as trial_t's */
    const char *chain_path, *key_path;
    acme_file_stamp_t chain, key_stamp;
    int is_there;               /* both files can be read */
} files_t;

static files_t find_files(const acme_store_t *store,
                          const acme_trials_pair_t *pair, apr_pool_t *p)
{
    const char *folder = acme_archive_path(store, pair->id, pair->n, p);
    files_t files;

    files.name = apr_psprintf(p, "%s/%d%s", pair->id, pair->n, pair->suffix);
    files.chain_path = apr_pstrcat(p, folder, "/fullchain", pair->suffix,
                                   ".pem", NULL);
    files.key_path = apr_pstrcat(p, folder, "/privkey", pair->suffix, ".pem",
                                 NULL);
    files.is_there = acme_file_stamp_read(&files.chain, files.chain_path)
                     && acme_file_stamp_read(&files.key_stamp, files.key_path);
    return files;
}

static const char *lists_of(const apr_array_header_t *ciphers, apr_pool_t *p)
{
    return !ciphers ? ""
        : ciphers->nelts == 1 ? APR_ARRAY_IDX(ciphers, 0, const char *)
                              : apr_array_pstrcat(p, ciphers, '\n');
}

/* Found once a load: OpenSSL makes a context for each list. */
static scene_t *find_scene(const apr_array_header_t *ciphers, apr_pool_t *p)
{
    const char *lists = lists_of(ciphers, p);
    scene_t *scene = apr_hash_get(kept->scenes, lists, APR_HASH_KEY_STRING);

    if (!scene) {
        scene = apr_pcalloc(kept->scenes_p, sizeof(*scene));
        scene->text = acme_pair_scene(ciphers, kept->scenes_p);
        apr_hash_set(kept->scenes, apr_pstrdup(kept->scenes_p, lists),
                     APR_HASH_KEY_STRING, scene);
    }
    return scene;
}

static const acme_pair_servers_t *servers_of(scene_t *scene,
                                             const apr_array_header_t *ciphers)
{
    if (!scene->servers) {
        scene->servers = acme_pair_servers(ciphers, kept->servers_p);
    }
    return scene->servers;
}

static int is_as_it_was(const trial_t *trial, const files_t *files,
                        const char *scene)
{
    return trial && files->is_there
        && acme_file_stamp_is_same(&trial->chain, &files->chain)
        && acme_file_stamp_is_same(&trial->key, &files->key_stamp)
        && !strcmp(trial->scene, scene);
}

/* NULL: nothing is known of it. */
static const acme_cert_info_t *leaf_of(const trial_t *trial, apr_pool_t *p)
{
    acme_cert_info_t *leaf;
    char *names, *name, *last;

    if (!trial->serial[0]) {
        return NULL;
    }
    leaf = apr_pcalloc(p, sizeof(*leaf));
    leaf->names = apr_array_make(p, 4, sizeof(const char *));
    names = apr_pstrdup(p, trial->names);
    for (name = apr_strtok(names, " ", &last); name;
         name = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(leaf->names, const char *) = name;
    }
    leaf->not_before = trial->not_before;
    leaf->not_after = trial->not_after;
    leaf->serial = apr_pstrdup(p, trial->serial);
    leaf->issuer = apr_pstrdup(p, trial->issuer);
    leaf->cert_id = trial->cert_id[0] ? apr_pstrdup(p, trial->cert_id) : NULL;
    return leaf;
}

static trial_t trial_of(const files_t *files, const char *scene,
                        const acme_cert_info_t *leaf, apr_pool_t *p)
{
    trial_t trial = { .name = files->name, .chain = files->chain, .key = files->key_stamp,
                      .scene = scene, .serial = "", .issuer = "",
                      .cert_id = "", .names = "" };

    if (leaf) {
        trial.not_before = leaf->not_before;
        trial.not_after = leaf->not_after;
        trial.serial = leaf->serial;
        trial.issuer = leaf->issuer;
        trial.cert_id = leaf->cert_id ? leaf->cert_id : "";
        trial.names = apr_array_pstrcat(p, leaf->names, ' ');
    }
    return trial;
}

/* They were the same before and after it was tried, and for a while before. */
static void note(const files_t *before, const files_t *after,
                 const char *scene, const acme_cert_info_t *leaf,
                 apr_pool_t *p)
{
    const trial_t trial = trial_of(before, scene, leaf, p);

    if (before->is_there && is_as_it_was(&trial, after, scene)
        && acme_file_stamp_is_settled(&before->chain, kept->now)
        && acme_file_stamp_is_settled(&before->key_stamp, kept->now)) {
        keep(&trial);
        kept->is_new = 1;
    }
}

/*
 * OpenSSL needs longer to read a certificate or a key than for all else: each is
 * read once. A file that has more than certificates is left to mod_ssl's way of
 * reading it, and nothing is known of its leaf.
 */
static apr_status_t try_files(const acme_cert_info_t **pleaf,
                              const files_t *files,
                              const apr_array_header_t *ciphers,
                              scene_t *scene, acme_result_t *res,
                              apr_pool_t *p)
{
    acme_result_t ignored;
    acme_chain_t *chain;
    apr_status_t rv;

    *pleaf = NULL;
    if (acme_chain_load(&chain, files->chain_path, &ignored, p)) {
        return acme_pair_check(files->chain_path, files->key_path, ciphers,
                               res);
    }
    rv = acme_pair_check_chain(chain, files->chain_path, files->key_path,
                               scene ? servers_of(scene, ciphers)
                                     : acme_pair_servers(ciphers, p), res);
    if (rv == APR_SUCCESS) {
        *pleaf = acme_chain_leaf(chain);
    }
    return rv;
}

apr_status_t acme_trials_check(const acme_cert_info_t **pleaf,
                               const acme_store_t *store,
                               const acme_trials_pair_t *pair,
                               acme_result_t *res, apr_pool_t *p)
{
    const files_t files = find_files(store, pair, p);
    const trial_t *trial = NULL;
    scene_t *scene;
    files_t after;
    apr_status_t rv;

    *pleaf = NULL;
    if (!kept || !kept->old) {
        return try_files(pleaf, &files, pair->ciphers, NULL, res, p);
    }
    scene = find_scene(pair->ciphers, p);
    trial = apr_hash_get(kept->trials, files.name, APR_HASH_KEY_STRING);
    if (!is_as_it_was(trial, &files, scene->text)) {
        trial = apr_hash_get(kept->old, files.name, APR_HASH_KEY_STRING);
        if (is_as_it_was(trial, &files, scene->text)) {
            keep(trial);
        }
        else {
            trial = NULL;
        }
    }
    if (trial) {
        *pleaf = leaf_of(trial, p);
        return APR_SUCCESS;
    }
    rv = try_files(pleaf, &files, pair->ciphers, scene, res, p);
    if (rv == APR_SUCCESS) {
        after = find_files(store, pair, p);
        note(&files, &after, scene->text, *pleaf, p);
    }
    return rv;
}

const acme_cert_info_t *acme_trials_known(const acme_store_t *store,
                                          const acme_trials_pair_t *pair,
                                          apr_pool_t *p)
{
    const trial_t *trial;
    const scene_t *scene;
    files_t files;

    if (!kept || !kept->p) {
        return NULL;
    }
    files = find_files(store, pair, p);
    trial = apr_hash_get(kept->trials, files.name, APR_HASH_KEY_STRING);
    scene = apr_hash_get(kept->scenes, lists_of(pair->ciphers, p),
                         APR_HASH_KEY_STRING);
    return scene && is_as_it_was(trial, &files, scene->text)
        ? leaf_of(trial, p) : NULL;
}
