/*
 * acme_batch_state.c - what is known of a batch of validations, and its file.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_batch_file.h"
#include "acme_batch_state.h"
#include "acme_name.h"

const acme_cert_conf_t *acme_batch_state_cert(const struct acme_batch_t *batch,
                                              int cert)
{
    return acme_conf_cert(acme_registry_conf(batch->registry),
                          (apr_uint32_t)cert);
}

int acme_batch_state_certs(const struct acme_batch_t *batch)
{
    return acme_registry_conf(batch->registry)->certs->nelts;
}

void acme_batch_state_make_lists(struct acme_batch_t *batch)
{
    batch->ended = apr_array_make(batch->own, 2, sizeof(acme_batch_ended_t));
    batch->begun = apr_array_make(batch->own, 2, sizeof(const char *));
    batch->expected = apr_array_make(batch->own, 2, sizeof(const char *));
    batch->posts = apr_array_make(batch->own, 2, sizeof(acme_batch_post_t));
}

void acme_batch_state_reset(struct acme_batch_t *batch)
{
    apr_pool_clear(batch->own);
    acme_batch_state_make_lists(batch);
    memset(batch->places, 0,
           (apr_size_t)acme_batch_state_certs(batch) * sizeof(*batch->places));
    batch->phase = ACME_BATCH_CLOSED;
    batch->members = 0;
    batch->close_at = 0;
    batch->running = NULL;
    batch->failures = 0;
    batch->posts_begun = 0;
    batch->is_told = 0;
    batch->is_saved = 0;
}

/* Also when the file is damaged: then what it said was open is not known. */
static void load_all(struct acme_batch_t *batch, apr_time_t now)
{
    int i;

    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        batch->places[i].is_listed = 1;
    }
    batch->opened = now;
}

static void load_listed(struct acme_batch_t *batch,
                        const acme_batch_file_t *file)
{
    int i;

    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        batch->places[i].is_listed =
            acme_name_in(file->ids, acme_batch_state_cert(batch, i)->id);
    }
    for (i = 0; i < file->done->nelts; i++) {
        const acme_batch_ended_t ended = {
            .digest = apr_pstrdup(batch->own,
                                  APR_ARRAY_IDX(file->done, i, const char *))
        };

        APR_ARRAY_PUSH(batch->ended, acme_batch_ended_t) = ended;
    }
    for (i = 0; i < file->post->nelts; i++) {
        APR_ARRAY_PUSH(batch->expected, const char *) = apr_pstrdup(
            batch->own, APR_ARRAY_IDX(file->post, i, const char *));
    }
    for (i = 0; i < file->begun->nelts; i++) {
        APR_ARRAY_PUSH(batch->begun, const char *) = apr_pstrdup(
            batch->own, APR_ARRAY_IDX(file->begun, i, const char *));
    }
    batch->opened = file->opened;
    batch->is_told = file->is_told;
    batch->posts_begun = file->posts_begun;
}

apr_status_t acme_batch_state_load(struct acme_batch_t *batch, apr_time_t now,
                                   acme_result_t *res, apr_pool_t *p)
{
    acme_batch_file_t *file;
    const apr_status_t rv = acme_batch_file_load(
        &file, acme_registry_store(batch->registry), res, p);

    if (rv == APR_SUCCESS) {
        load_listed(batch, file);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        load_all(batch, now);
    }
    return rv;
}

apr_status_t acme_batch_state_save(struct acme_batch_t *batch,
                                   acme_result_t *res, apr_pool_t *p)
{
    acme_batch_file_t *file = acme_batch_file_make(p);
    apr_status_t rv;
    int i;

    if (batch->is_saved) {
        return APR_SUCCESS;
    }
    file->opened = batch->opened;
    file->post = batch->expected;
    file->begun = batch->begun;
    file->posts_begun = batch->posts_begun;
    file->is_told = batch->is_told;
    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        if (batch->places[i].is_listed) {
            APR_ARRAY_PUSH(file->ids, const char *) =
                acme_batch_state_cert(batch, i)->id;
        }
    }
    for (i = 0; i < batch->ended->nelts; i++) {
        const acme_batch_ended_t *ended =
            &APR_ARRAY_IDX(batch->ended, i, acme_batch_ended_t);

        if (!ended->failure) {
            APR_ARRAY_PUSH(file->done, const char *) = ended->digest;
        }
    }
    rv = acme_batch_file_save(acme_registry_store(batch->registry), file, res,
                              p);
    batch->is_saved = rv == APR_SUCCESS;
    return rv;
}

void acme_batch_state_forget_member(struct acme_batch_t *batch,
                                    acme_batch_place_t *place)
{
    batch->members -= place->is_member;
    place->is_member = 0;
    place->since = 0;
}
