/*
 * acme_batch.c - which orders are members of a batch, and when it ends.
 */
#include "acme_batch.h"
#include "acme_batch_file.h"
#include "acme_batch_post.h"
#include "acme_batch_pre.h"

/* So many batches at once, then one in this time: see acme_event.c. */
#define BURST 5
#define PACE apr_time_from_sec(60)

/* How often members are looked at. */
#define LOOK apr_time_from_sec(60)

/* Its post has ended this keeper and the one before it. */
static void give_up_post(acme_batch_t *batch, apr_pool_t *p)
{
    acme_result_t res;

    acme_log(
        batch->log, ACME_LOG_ERROR, "post",
        "the keeper ended twice while commands of AcmeHook post were running, so they count as done; they must not reload httpd; what pre has opened may still be open");
    if (acme_batch_file_remove(acme_registry_store(batch->registry), &res,
                               p)) {
        acme_log(batch->log, ACME_LOG_ERROR, "hooks", "%s", res.detail);
    }
    acme_batch_state_reset(batch);
}

acme_batch_t *acme_batch_create(acme_registry_t *registry,
                                acme_hook_runner_t *hooks, apr_time_t now,
                                apr_pool_t *p)
{
    acme_batch_t *batch = apr_pcalloc(p, sizeof(*batch));
    apr_pool_t *scratch;
    acme_result_t res;
    apr_status_t rv;

    batch->registry = registry;
    batch->hooks = hooks;
    batch->log = acme_registry_log(registry);
    batch->p = p;
    apr_pool_create(&batch->own, p);
    batch->places =
        apr_pcalloc(p, ((apr_size_t)acme_batch_state_certs(batch) + 1)
                           * sizeof(*batch->places));
    acme_batch_state_reset(batch);
    apr_pool_create(&scratch, p);
    rv = acme_batch_state_load(batch, now, &res, scratch);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        acme_log(
            batch->log, ACME_LOG_ERROR, "hooks",
            "%s; the commands of AcmeHook post are run for all certificates",
            res.detail);
    }
    if (batch->posts_begun >= ACME_BATCH_INTERRUPTED_MAX) {
        give_up_post(batch, scratch);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        batch->phase = ACME_BATCH_OPEN;
        batch->is_saved = rv == APR_SUCCESS;
        batch->close_at = now + ACME_BATCH_RESUME;
        acme_log(
            batch->log, ACME_LOG_NOTICE, "hooks",
            "validations were under way when the last keeper ended, or a command of AcmeHook post had failed; all of post are run when no validation is under way");
    }
    apr_pool_destroy(scratch);
    return batch;
}

/* Of a batch that hasn't members any more: when post is run. One whose end
   nobody knows will be gone on with. */
static void plan_end(acme_batch_t *batch, apr_time_t now)
{
    const apr_time_t paced = batch->paid_until - (BURST - 1) * PACE;
    apr_interval_time_t wait = ACME_BATCH_QUIET;
    int i;

    if (batch->members) {
        batch->close_at = 0;
        return;
    }
    for (i = 0; i < acme_batch_state_certs(batch); i++) {
        if (batch->places[i].is_listed
            && batch->places[i].outcome == ACME_BATCH_OUTCOME_NONE) {
            wait = ACME_BATCH_RESUME;
        }
    }
    batch->close_at = now + wait;
    if (paced > batch->close_at && paced <= now + PACE) {
        batch->close_at = paced;
    }
}

/* One that is unclosed becomes part of the new batch, whose post closes both.
 */
static void add_member(acme_batch_t *batch, apr_uint32_t cert,
                       apr_uint64_t channel, apr_time_t now, apr_pool_t *p)
{
    acme_batch_place_t *place = &batch->places[cert];

    if (batch->phase != ACME_BATCH_OPEN) {
        batch->phase = ACME_BATCH_OPEN;
        batch->is_saved = 0;
        batch->opened = now;
        batch->paid_until =
            PACE
            + (batch->paid_until > now && batch->paid_until < now + BURST * PACE
                   ? batch->paid_until : now);
    }
    if (!place->is_listed) {
        place->is_listed = 1;
        acme_batch_post_expect(batch,
                               acme_batch_state_cert(batch, (int)cert), p);
        batch->is_saved = 0;
    }
    if (!place->is_member) {
        place->is_member = 1;
        place->since = now;
        batch->members++;
    }
    place->channel = channel;
    place->outcome = ACME_BATCH_OUTCOME_NONE;
    batch->close_at = 0;
}

apr_status_t acme_batch_join(int *pis_open, acme_batch_t *batch,
                             apr_uint32_t cert, apr_uint64_t channel,
                             apr_time_t now, acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = acme_batch_state_cert(batch, (int)cert);
    const acme_batch_ended_t *failed;
    apr_status_t rv;

    *pis_open = 0;
    if (!acme_conf_hook(conf, ACME_HOOK_PRE, 0)
        && !acme_conf_hook(conf, ACME_HOOK_POST, 0)) {
        *pis_open = 1;
        return APR_SUCCESS;
    }
    if (batch->phase == ACME_BATCH_CLOSING) {
        return APR_SUCCESS;             /* the next batch begins behind it */
    }
    failed = acme_batch_pre_find_failed(batch, conf, p);
    if (failed) {
        /* Who comes now must not keep this batch from its end. */
        acme_fail(
            res, APR_EGENERAL,
            "%s: not validated, because a command of AcmeHook pre failed: %s",
            conf->id, failed->failure);
        res->reason = ACME_REASON_HOOK_FAILED;
        if (batch->places[cert].is_member) {
            acme_batch_leave(batch, cert, 0, now);
        }
        else {
            batch->places[cert].is_listed = 1;
            batch->places[cert].outcome = ACME_BATCH_OUTCOME_FAILED;
        }
        return res->status;
    }
    add_member(batch, cert, channel, now, p);
    rv = acme_batch_state_save(batch, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(
            res,
            "the commands of AcmeHook pre were not run, because it cannot be stored that they have to be undone");
        res->reason = ACME_REASON_STORE_UNWRITABLE;
        acme_batch_leave(batch, cert, 0, now);
        return rv;
    }
    *pis_open = !acme_batch_pre_run(batch, conf, res, p);
    return APR_SUCCESS;
}

void acme_batch_leave(acme_batch_t *batch, apr_uint32_t cert, int is_done,
                      apr_time_t now)
{
    acme_batch_place_t *place = &batch->places[cert];

    /* It may have joined the keeper before this one. */
    if (batch->phase == ACME_BATCH_OPEN && place->is_listed
        && (place->is_member || place->outcome == ACME_BATCH_OUTCOME_NONE)) {
        place->outcome = is_done ? ACME_BATCH_OUTCOME_DONE
                                 : ACME_BATCH_OUTCOME_FAILED;
        acme_batch_state_forget_member(batch, place);
        plan_end(batch, now);
    }
}

/* Of members whose worker has ended, or that stay too long. */
static void look_at_members(acme_batch_t *batch, acme_batch_open_cb *is_open,
                            void *baton, apr_time_t now)
{
    int i, lost = 0;

    for (i = 0; batch->members && i < acme_batch_state_certs(batch); i++) {
        acme_batch_place_t *place = &batch->places[i];

        if (!place->is_member) {
            continue;
        }
        if (!is_open(baton, place->channel) || place->since > now
            || now - place->since >= ACME_BATCH_MEMBER_MAX) {
            acme_batch_state_forget_member(batch, place);
            lost = 1;
        }
    }
    if (lost) {
        plan_end(batch, now);
    }
}

apr_time_t acme_batch_step(acme_batch_t *batch, acme_batch_open_cb *is_open,
                           void *baton, apr_time_t now, apr_pool_t *p)
{
    if (batch->phase == ACME_BATCH_OPEN) {
        look_at_members(batch, is_open, baton, now);
        if (batch->opened > now) {
            batch->opened = now;        /* the clock was set back */
        }
        if (batch->close_at > now + PACE) {
            batch->close_at = now + PACE;
        }
        if (!batch->running
            && ((batch->close_at && batch->close_at <= now)
                || now - batch->opened >= ACME_BATCH_MAX)) {
            acme_batch_post_begin(batch, p);
        }
    }
    if (batch->phase == ACME_BATCH_UNCLOSED) {
        if (batch->repeat_at > now + ACME_HOOK_PAUSE_MAX) {
            batch->repeat_at = now + ACME_HOOK_PAUSE_MAX;       /* so was it */
        }
        if (batch->repeat_at <= now) {
            batch->phase = ACME_BATCH_CLOSING;
            batch->next_post = 0;
        }
    }
    if (batch->phase == ACME_BATCH_CLOSING && !batch->post_runs) {
        acme_batch_post_next(batch, now, p);
    }
    if (batch->phase == ACME_BATCH_UNCLOSED) {
        return batch->repeat_at;
    }
    if (batch->phase != ACME_BATCH_OPEN) {
        return 0;
    }
    /* The end of a command of pre wakes the keeper anyway. */
    return batch->close_at && !batch->running ? batch->close_at : now + LOOK;
}

int acme_batch_is_open(const acme_batch_t *batch)
{
    return batch->phase == ACME_BATCH_OPEN
        || batch->phase == ACME_BATCH_CLOSING;
}
