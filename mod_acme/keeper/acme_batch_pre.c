/*
 * acme_batch_pre.c - the commands of AcmeHook pre.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_batch_pre.h"

/* The result of this command of pre; NULL: it has not ended. */
static const acme_batch_ended_t *find_ended(const struct acme_batch_t *batch,
                                            const char *digest)
{
    int i;

    for (i = 0; i < batch->ended->nelts; i++) {
        const acme_batch_ended_t *ended =
            &APR_ARRAY_IDX(batch->ended, i, acme_batch_ended_t);

        if (!strcmp(ended->digest, digest)) {
            return ended;
        }
    }
    return NULL;
}

static int count_begun(const struct acme_batch_t *batch, const char *digest)
{
    int i, n = 0;

    for (i = 0; i < batch->begun->nelts; i++) {
        n += !strcmp(APR_ARRAY_IDX(batch->begun, i, const char *), digest);
    }
    return n;
}

static void forget_begun(struct acme_batch_t *batch, const char *digest)
{
    int i, kept = 0;

    for (i = 0; i < batch->begun->nelts; i++) {
        const char *begun = APR_ARRAY_IDX(batch->begun, i, const char *);

        if (strcmp(begun, digest) != 0) {
            APR_ARRAY_IDX(batch->begun, kept++, const char *) = begun;
        }
    }
    batch->begun->nelts = kept;
}

static void pre_ended(void *baton, apr_status_t status,
                      const acme_result_t *res, const char *output)
{
    struct acme_batch_t *batch = baton;
    acme_batch_ended_t *ended = apr_array_push(batch->ended);
    acme_result_t ignored;
    apr_pool_t *scratch;

    (void)output;
    ended->digest = batch->running;
    ended->failure = NULL;
    forget_begun(batch, batch->running);
    batch->running = NULL;
    batch->is_saved = 0;
    if (status != APR_SUCCESS) {
        ended->failure = apr_pstrdup(batch->own, res->detail);
        acme_log(batch->log, ACME_LOG_ERROR, "pre", "%s", res->detail);
    }
    /* Without it the command is run again after a crash, and nothing else. */
    apr_pool_create(&scratch, batch->p);
    (void)acme_batch_state_save(batch, &ignored, scratch);
    apr_pool_destroy(scratch);
}

static void start_pre(struct acme_batch_t *batch, const acme_cert_conf_t *cert,
                      const acme_hook_conf_t *command, const char *digest)
{
    const acme_hook_event_t event = { .event = "pre",
                                      .id = cert->id,
                                      .names = cert->names };
    const acme_hook_t hook = { .event = &event,
                               .command = command->command,
                               .timeout = cert->hook_timeout,
                               .outlives = 1,
                               .done = pre_ended,
                               .baton = batch };

    batch->running = apr_pstrdup(batch->own, digest);
    acme_hook_run_start(batch->hooks, &hook);
}

const acme_batch_ended_t *acme_batch_pre_find_failed(
    const struct acme_batch_t *batch, const acme_cert_conf_t *cert,
    apr_pool_t *p)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_PRE, i)) != NULL; i++) {
        const acme_batch_ended_t *ended = find_ended(batch,
                                          acme_conf_hook_digest(hook, p));

        if (ended && ended->failure) {
            return ended;
        }
    }
    return NULL;
}

int acme_batch_pre_run(struct acme_batch_t *batch,
                       const acme_cert_conf_t *cert, acme_result_t *res,
                       apr_pool_t *p)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_PRE, i)) != NULL; i++) {
        const char *digest = acme_conf_hook_digest(hook, p);

        if (find_ended(batch, digest)) {
            continue;
        }
        if (batch->running) {
            return 1;
        }
        if (count_begun(batch, digest) < ACME_BATCH_INTERRUPTED_MAX) {
            APR_ARRAY_PUSH(batch->begun, const char *) = apr_pstrdup(batch->own,
                                                                     digest);
            batch->is_saved = 0;
            /* Else it may be run once more. */
            (void)acme_batch_state_save(batch, res, p);
            start_pre(batch, cert, hook, digest);
            return 1;
        }
        forget_begun(batch, digest);
        *(acme_batch_ended_t *)apr_array_push(batch->ended) =
            (acme_batch_ended_t){ .digest = apr_pstrdup(batch->own, digest) };
        batch->is_saved = 0;
        acme_log(
            batch->log, ACME_LOG_ERROR, "pre",
            "the keeper ended twice while %s was running, so it counts as done; it must not reload httpd",
            APR_ARRAY_IDX(hook->command, 0, const char *));
    }
    return 0;
}
