/*
 * acme_live_index.c - the live certificates of the store, by their names.
 *
 * The names are those of meta.json, which is read in a fraction of the time of
 * a chain, else the chain's. Only the best of those that cover what is looked
 * for are tried as a server would load them, and there the leaf decides.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_live_index.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_self_signed.h"
#include "acme_time.h"

/* What is live under one id. */
typedef struct {
    const char *id;
    int n;
    apr_array_header_t *names;  /* const char * */
    apr_time_t not_after;
} row_t;

struct acme_live_index_t {
    acme_store_t *store;
    apr_hash_t *by_name;        /* name: apr_array_header_t * of row_t * */
    apr_pool_t *p;
};

/* One that covers what is looked for. */
typedef struct {
    const row_t *row;
    int others;                 /* its names that nobody asked for */
} candidate_t;

#define TIME_MAX 32             /* octets of RFC 3339 */

static void add_row(acme_live_index_t *index, const char *id, int n,
                    const apr_array_header_t *names, apr_time_t not_after)
{
    row_t *row = apr_palloc(index->p, sizeof(*row));
    int i;

    row->id = apr_pstrdup(index->p, id);
    row->n = n;
    row->not_after = not_after;
    row->names = apr_array_make(index->p, names->nelts, sizeof(const char *));
    for (i = 0; i < names->nelts; i++) {
        const char *name = apr_pstrdup(index->p,
                                       APR_ARRAY_IDX(names, i, const char *));
        apr_array_header_t *rows = apr_hash_get(index->by_name, name,
                                                APR_HASH_KEY_STRING);

        APR_ARRAY_PUSH(row->names, const char *) = name;
        if (!rows) {
            rows = apr_array_make(index->p, 1, sizeof(row_t *));
            apr_hash_set(index->by_name, name, APR_HASH_KEY_STRING, rows);
        }
        APR_ARRAY_PUSH(rows, row_t *) = row;
    }
}

static apr_status_t load_live(acme_chain_t **pchain,
                              const acme_live_index_t *index, const char *id,
                              int n, apr_pool_t *p)
{
    acme_result_t ignored;

    return acme_chain_load(
        pchain, apr_pstrcat(p, acme_archive_path(index->store, id, n, p),
                            "/fullchain.pem", NULL), &ignored, p);
}

/* False: there is none. */
static int read_meta(apr_array_header_t **pnames, apr_time_t *pnot_after,
                     const acme_live_index_t *index, const char *id,
                     apr_pool_t *p)
{
    const json_t *meta = acme_meta_live(index->store, id, p);
    const char *until = acme_json_string(
        json_array_get(json_object_get(meta, "certificates"), 0), "notAfter",
        TIME_MAX, p);

    *pnames = meta ? acme_json_strings(meta, "names", ACME_NAME_MAX, p) : NULL;
    *pnot_after = until ? acme_time_parse(until) : 0;
    return *pnames && *pnot_after;
}

static void read_live(acme_live_index_t *index, const char *id,
                      apr_time_t now, apr_pool_t *scratch)
{
    apr_array_header_t *names;
    apr_time_t not_after;
    acme_result_t ignored;
    acme_chain_t *chain;
    int n;

    if (acme_live_link_read(&n, index->store, id, &ignored, scratch)) {
        return;
    }
    if (!read_meta(&names, &not_after, index, id, scratch)) {
        if (load_live(&chain, index, id, n, scratch)) {
            return;
        }
        names = acme_chain_leaf(chain)->names;
        not_after = acme_chain_leaf(chain)->not_after;
    }
    if (now < not_after) {
        add_row(index, id, n, names, not_after);
    }
}

acme_live_index_t *acme_live_index_make(acme_store_t *store, apr_time_t now,
                                        apr_pool_t *p)
{
    acme_live_index_t *index = apr_palloc(p, sizeof(*index));
    apr_pool_t *scratch;
    apr_finfo_t info;
    apr_dir_t *dir;

    index->store = store;
    index->by_name = apr_hash_make(p);
    index->p = p;
    if (apr_dir_open(&dir, acme_store_path(store, "live", NULL, p), p)) {
        return index;
    }
    apr_pool_create(&scratch, p);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (acme_store_id(info.name, scratch)) {
            read_live(index, info.name, now, scratch);
        }
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    apr_dir_close(dir);
    return index;
}

static int count_others(const row_t *row, const apr_array_header_t *names)
{
    int i, others = 0;

    for (i = 0; i < row->names->nelts; i++) {
        others += !acme_name_in(names, APR_ARRAY_IDX(row->names, i,
                                                     const char *));
    }
    return others;
}

static void add_candidates(apr_array_header_t *candidates,
                           const acme_live_index_t *index, const char *key,
                           const char *id, const apr_array_header_t *names)
{
    const apr_array_header_t *rows = apr_hash_get(index->by_name, key,
                                                  APR_HASH_KEY_STRING);
    int i;

    for (i = 0; rows && i < rows->nelts; i++) {
        const row_t *row = APR_ARRAY_IDX(rows, i, const row_t *);

        if (strcmp(row->id, id) != 0
            && acme_name_all_covered(names, row->names)) {
            APR_ARRAY_PUSH(candidates, candidate_t) = (candidate_t) {
                .row = row, .others = count_others(row, names)
            };
        }
    }
}

static int compare_candidates(const void *a, const void *b)
{
    const candidate_t *one = a, *other = b;

    if (one->others != other->others) {
        return one->others < other->others ? -1 : 1;
    }
    if (one->row->not_after != other->row->not_after) {
        return one->row->not_after > other->row->not_after ? -1 : 1;
    }
    return strcmp(one->row->id, other->row->id);
}

static int is_leaf_good(const acme_cert_info_t *leaf,
                        const apr_array_header_t *names, apr_time_t now)
{
    return leaf->not_before <= now && now < leaf->not_after
        && acme_name_all_covered(names, leaf->names);
}

static int is_good(int *pis_same, const acme_live_index_t *index,
                   const row_t *row, const acme_archive_want_t *want,
                   const apr_array_header_t *names, apr_pool_t *p)
{
    const acme_archive_want_t other = { .id = row->id,
                                        .ciphers = want->ciphers,
                                        .now = want->now };
    const acme_cert_info_t *leaf;
    acme_result_t ignored;
    acme_chain_t *chain;

    if (acme_archive_check(index->store, &other, row->n, &ignored, p)
        || load_live(&chain, index, row->id, row->n, p)) {
        return 0;
    }
    leaf = acme_chain_leaf(chain);
    *pis_same = acme_name_all_in(names, leaf->names)
        && acme_name_all_in(leaf->names, names);
    return is_leaf_good(leaf, names, want->now) && !acme_self_signed_is(chain)
        && !acme_archive_is_void(index->store, row->id, row->n, p);
}

int acme_live_index_find(acme_live_found_t *found,
                         const acme_live_index_t *index,
                         const acme_archive_want_t *want,
                         const apr_array_header_t *names, apr_pool_t *scratch)
{
    apr_array_header_t *candidates = apr_array_make(scratch, 4,
                                                    sizeof(candidate_t));
    const char *first = names->nelts ? APR_ARRAY_IDX(names, 0, const char *)
                                     : "";
    const char *dot = strchr(first, '.');
    int i;

    add_candidates(candidates, index, first, want->id, names);
    if (dot) {
        add_candidates(candidates, index, apr_pstrcat(scratch, "*", dot, NULL),
                       want->id, names);
    }
    qsort(candidates->elts, (size_t)candidates->nelts, sizeof(candidate_t),
          compare_candidates);
    for (i = 0; i < candidates->nelts; i++) {
        const candidate_t *candidate = &APR_ARRAY_IDX(candidates, i,
                                                      candidate_t);

        if (is_good(&found->is_same, index, candidate->row, want, names,
                    scratch)) {
            found->id = candidate->row->id;
            found->n = candidate->row->n;
            return 1;
        }
    }
    return 0;
}
