/*
 * acme_cert_split_live.c - the parts that are live in the store.
 *
 * One look at the folder live/ for all certificates: a start must not read
 * something for each virtual host.
 */
#include <stdint.h>

#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_cert_split.h"
#include "acme_cert_split_live.h"
#include "acme_meta.h"
#include "acme_name.h"

struct acme_cert_split_live_t {
    acme_store_t *store;
    apr_hash_t *last;           /* id: highest number */
};

int acme_cert_split_live_last(const acme_cert_split_live_t *live,
                              const char *id)
{
    const int last = (int)(intptr_t)apr_hash_get(live->last, id,
                                                 APR_HASH_KEY_STRING);

    return last ? last : 1;
}

static void add_part(acme_cert_split_live_t *live, const char *part,
                     apr_pool_t *p)
{
    apr_size_t len;
    const int number = acme_cert_split_number(part, &len);
    const char *id = apr_pstrmemdup(p, part, len);

    if (number > acme_cert_split_live_last(live, id)) {
        apr_hash_set(live->last, id, APR_HASH_KEY_STRING,
                     (void *)(intptr_t)number);
    }
}

acme_cert_split_live_t *acme_cert_split_live_scan(acme_store_t *store,
                                                  apr_pool_t *p)
{
    acme_cert_split_live_t *live = apr_palloc(p, sizeof(*live));
    apr_finfo_t info;
    apr_dir_t *dir;

    live->store = store;
    live->last = apr_hash_make(p);
    if (apr_dir_open(&dir, acme_store_path(store, "live", NULL, p), p)) {
        return live;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        add_part(live, info.name, p);
    }
    apr_dir_close(dir);
    return live;
}

apr_array_header_t *acme_cert_split_live_names(
    const acme_cert_split_live_t *live, const char *id, apr_pool_t *p)
{
    const int last = acme_cert_split_live_last(live, id);
    apr_array_header_t *names = apr_array_make(
        p, last, sizeof(const apr_array_header_t *));
    int i;

    for (i = 1; i <= last; i++) {
        const json_t *meta = acme_meta_live(
            live->store, acme_cert_split_id(id, i, p), p);

        APR_ARRAY_PUSH(names, const apr_array_header_t *) =
            meta ? acme_json_strings(meta, "names", ACME_NAME_MAX, p) : NULL;
    }
    return names;
}
