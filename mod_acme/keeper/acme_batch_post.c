/*
 * acme_batch_post.c - the commands of AcmeHook post.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_batch_file.h"
#include "acme_batch_post.h"
#include "acme_name.h"
#include "acme_text.h"
#include "acme_time.h"

void acme_batch_post_expect(struct acme_batch_t *batch,
                            const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_POST, i)) != NULL;
         i++) {
        const char *digest = acme_conf_hook_digest(hook, p);

        if (!acme_name_in(batch->expected, digest)) {
            APR_ARRAY_PUSH(batch->expected, const char *) =
                apr_pstrdup(batch->own, digest);
        }
    }
}

/* The names (const char *) of those that ended so. */
static apr_array_header_t *names_of(const struct acme_batch_t *batch,
                                    acme_batch_outcome_e outcome,
                                    apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        const acme_batch_place_t *place = &batch->places[i];

        if (place->is_listed && place->outcome == outcome) {
            apr_array_cat(names, acme_batch_state_cert(batch, i)->names);
        }
    }
    return names;
}

/* The first of its commands of post that failed, and in *pcount how many did;
   NULL: none. */
static const acme_batch_post_t *first_failing(const struct acme_batch_t *batch,
                                              int cert, apr_uint32_t *pcount,
                                              apr_pool_t *p)
{
    const acme_batch_post_t *first = NULL;
    const acme_hook_conf_t *hook;
    int i, k;

    *pcount = 0;
    if (!batch->places[cert].is_listed || !batch->posts->nelts) {
        return NULL;
    }
    for (k = 0; (hook = acme_conf_hook(acme_batch_state_cert(batch, cert),
                                       ACME_HOOK_POST, k)) != NULL;
         k++) {
        const char *digest = acme_conf_hook_digest(hook, p);

        for (i = 0; i < batch->posts->nelts; i++) {
            const acme_batch_post_t *post =
                &APR_ARRAY_IDX(batch->posts, i, acme_batch_post_t);

            if (post->failure && !strcmp(post->digest, digest)) {
                ++*pcount;
                first = first ? first : post;
            }
        }
    }
    return first;
}

/* In the states of the certificates. */
static void publish(const struct acme_batch_t *batch, apr_pool_t *p)
{
    int i;

    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        acme_hooks_failing_t failing;
        const acme_batch_post_t *first;

        memset(&failing, 0, sizeof(failing));
        first = first_failing(batch, i, &failing.waiting, p);
        if (first) {
            failing.failures = batch->failures;
            failing.next_at = batch->repeat_at;
            apr_cpystrn(failing.failure, first->failure,
                        sizeof(failing.failure));
        }
        acme_registry_post_failing(batch->registry, (apr_uint32_t)i, &failing);
    }
}

static void finish(struct acme_batch_t *batch, apr_pool_t *p)
{
    acme_result_t res;

    if (acme_batch_file_remove(acme_registry_store(batch->registry), &res,
                               p)) {
        acme_log(batch->log, ACME_LOG_ERROR, "hooks",
                 "%s; post is run once more after a reload", res.detail);
    }
    if (batch->is_told) {
        acme_log(batch->log, ACME_LOG_NOTICE, "post",
                 "all commands have succeeded after failures");
    }
    acme_batch_state_reset(batch);
    publish(batch, p);
}

/* Forget all but the commands of post that failed, and the certificates that
   have one of them. */
static void keep_failing(struct acme_batch_t *batch, apr_pool_t *p)
{
    const apr_array_header_t *posts = batch->posts;
    apr_pool_t *before = batch->own;
    apr_uint32_t count;
    int i;

    apr_pool_create(&batch->own, batch->p);
    acme_batch_state_make_lists(batch);
    for (i = 0; i < posts->nelts; i++) {
        acme_batch_post_t post = APR_ARRAY_IDX(posts, i, acme_batch_post_t);

        if (post.failure) {
            post.digest = apr_pstrdup(batch->own, post.digest);
            post.failure = apr_pstrdup(batch->own, post.failure);
            APR_ARRAY_PUSH(batch->posts, acme_batch_post_t) = post;
        }
    }
    apr_pool_destroy(before);
    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        if (first_failing(batch, i, &count, p)) {
            acme_batch_post_expect(batch, acme_batch_state_cert(batch, i), p);
        }
        else {
            memset(&batch->places[i], 0, sizeof(batch->places[i]));
        }
    }
    batch->is_saved = 0;
}

/* One certificate's commands of notify, once until the batch is over. */
static void tell(struct acme_batch_t *batch, apr_pool_t *p)
{
    apr_uint32_t count;
    int i;

    for (i = 0; !batch->is_told && i < acme_batch_state_certs(batch); i++) {
        const acme_batch_post_t *post = first_failing(batch, i, &count, p);

        if (post
            && acme_conf_hook(acme_batch_state_cert(batch, i),
                              ACME_HOOK_NOTIFY, 0)) {
            acme_registry_send_event(
                batch->registry, (apr_uint32_t)i, ACME_EVENT_DEPLOY_FAILED,
                apr_pstrcat(p, "post: ", post->failure,
                            "; what pre has opened may still be open", NULL),
                p);
            break;
        }
    }
    batch->is_told = 1;
}

/* All of post have ended. */
static void settle(struct acme_batch_t *batch, apr_time_t now, apr_pool_t *p)
{
    acme_result_t res;
    int i;

    keep_failing(batch, p);
    if (!batch->posts->nelts) {
        finish(batch, p);
        return;
    }
    batch->phase = ACME_BATCH_UNCLOSED;
    batch->posts_begun = 0;
    batch->failures++;
    batch->repeat_at = now + acme_hook_run_pause(batch->failures);
    for (i = 0; i < batch->posts->nelts; i++) {
        acme_log(
            batch->log, ACME_LOG_ERROR, "post",
            "failed: attempt %u: %s; what pre has opened may still be open; next attempt at %s",
            batch->failures,
            APR_ARRAY_IDX(batch->posts, i, acme_batch_post_t).failure,
            acme_time_text(batch->repeat_at, p));
    }
    tell(batch, p);
    if (acme_batch_state_save(batch, &res, p)) {
        acme_log(batch->log, ACME_LOG_ERROR, "post", "%s", res.detail);
    }
    publish(batch, p);
}

static void post_ended(void *baton, apr_status_t status,
                       const acme_result_t *res, const char *output)
{
    struct acme_batch_t *batch = baton;
    acme_batch_post_t *post = &APR_ARRAY_IDX(
        batch->posts, batch->next_post - 1, acme_batch_post_t);

    (void)output;
    batch->post_runs = 0;
    post->failure =
        status == APR_SUCCESS
            ? NULL
            : acme_text_clean(res->detail, ACME_DETAIL_SIZE - 1, batch->own);
}

/* Before the first command of post: an order that comes now must run pre again,
   and one that ends this keeper must not end each one. */
static void note_post_begun(struct acme_batch_t *batch, apr_pool_t *p)
{
    acme_result_t res;

    apr_array_clear(batch->ended);
    batch->posts_begun++;
    batch->is_saved = 0;
    if (acme_batch_state_save(batch, &res, p)) {
        acme_log(batch->log, ACME_LOG_ERROR, "post", "%s", res.detail);
    }
}

void acme_batch_post_next(struct acme_batch_t *batch, apr_time_t now,
                          apr_pool_t *p)
{
    const acme_hook_event_t event = {
        .event = "post",
        .names = names_of(batch, ACME_BATCH_OUTCOME_DONE, p),
        .failed = names_of(batch, ACME_BATCH_OUTCOME_FAILED, p)
    };
    acme_hook_t hook = { .event = &event,
                         .outlives = 1,
                         .done = post_ended,
                         .baton = batch };
    const acme_batch_post_t *post;

    if (batch->next_post == batch->posts->nelts) {
        settle(batch, now, p);
        return;
    }
    if (batch->next_post == 0) {
        note_post_begun(batch, p);
    }
    post = &APR_ARRAY_IDX(batch->posts, batch->next_post, acme_batch_post_t);
    hook.command = post->hook->command;
    hook.timeout = post->timeout;
    batch->next_post++;
    batch->post_runs = 1;
    acme_hook_run_start(batch->hooks, &hook);
}

/* Of commands that were configured when their certificates joined. */
static void warn_of_missing(const struct acme_batch_t *batch,
                            const apr_array_header_t *configured)
{
    int i;

    for (i = 0; i < batch->expected->nelts; i++) {
        if (!acme_name_in(configured,
                          APR_ARRAY_IDX(batch->expected, i, const char *))) {
            acme_log(
                batch->log, ACME_LOG_WARNING, "post",
                "the configuration has changed: a command of AcmeHook post is not in it any more and was not run; what pre has opened may still be open");
            break;
        }
    }
}

void acme_batch_post_begin(struct acme_batch_t *batch, apr_pool_t *p)
{
    apr_array_header_t *seen = apr_array_make(p, 4, sizeof(const char *));
    const acme_hook_conf_t *hook;
    int i, k;

    batch->phase = ACME_BATCH_CLOSING;
    batch->next_post = 0;
    batch->failures = 0;
    apr_array_clear(batch->posts);
    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        const acme_cert_conf_t *cert = acme_batch_state_cert(batch, i);

        if (!batch->places[i].is_listed) {
            continue;
        }
        acme_batch_state_forget_member(batch, &batch->places[i]);
        for (k = 0; (hook = acme_conf_hook(cert, ACME_HOOK_POST, k)) != NULL;
             k++) {
            const char *digest = acme_conf_hook_digest(hook, p);

            if (!acme_name_in(seen, digest)) {
                const acme_batch_post_t post = {
                    .hook = hook,
                    .digest = apr_pstrdup(batch->own, digest),
                    .timeout = cert->hook_timeout
                };

                APR_ARRAY_PUSH(seen, const char *) = digest;
                APR_ARRAY_PUSH(batch->posts, acme_batch_post_t) = post;
            }
        }
    }
    warn_of_missing(batch, seen);
}
