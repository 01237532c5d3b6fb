/*
 * acme_batch.c - AcmeHook pre and post.
 *
 * The rule: while a command of pre may have had an effect, the file is there;
 * it is removed when all of post have ended, and by nothing else.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_batch.h"
#include "acme_batch_file.h"
#include "acme_text.h"

/* So many batches at once, then one in this time: see acme_event.c. */
#define BURST 5
#define PACE apr_time_from_sec(60)

/* How often members are looked at. */
#define LOOK apr_time_from_sec(60)

typedef enum { CLOSED, OPEN, CLOSING } phase_e;

typedef enum { OUTCOME_NONE, OUTCOME_DONE, OUTCOME_FAILED } outcome_e;

/* A certificate and its order. */
typedef struct {
    int is_listed;              /* it is in the file: post is run for it */
    int is_member;
    apr_uint64_t channel;
    apr_time_t since;           /* it joined; 0: it is no member */
    outcome_e outcome;
} place_t;

/* A command of pre that has ended. */
typedef struct {
    const char *digest;
    const char *failure;        /* NULL: it succeeded */
} ended_t;

struct acme_batch_t {
    acme_batch_conf_t with;
    phase_e phase;
    place_t *places;            /* by certificate */
    int members;
    apr_time_t opened;
    apr_time_t close_at;        /* without members; 0: not known */
    apr_time_t paid_until;      /* see PACE */
    const char *running;        /* digest of the command of pre; NULL: none */
    apr_array_header_t *ended;  /* ended_t */
    apr_array_header_t *expected;       /* const char *: digests of post that
                                           were configured as they joined */
    apr_array_header_t *posts;  /* const acme_hook_conf_t *, while closing, */
    apr_array_header_t *timeouts;       /*   apr_interval_time_t of each, */
    int next_post;              /*   and which of them is the next one */
    int post_runs;
    int is_saved;               /* the file has all of the above */
    apr_pool_t *p;
    apr_pool_t *own;            /* of this batch; cleared after it */
};

static const acme_cert_conf_t *cert_of(const acme_batch_t *batch, int cert)
{
    return &APR_ARRAY_IDX(batch->with.conf->certs, cert, acme_cert_conf_t);
}

static int cert_count(const acme_batch_t *batch)
{
    return batch->with.conf->certs->nelts;
}

static int has_text(const apr_array_header_t *texts, const char *text)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(texts, i, const char *), text)) {
            return 1;
        }
    }
    return 0;
}

/* Nothing is open. */
static void reset(acme_batch_t *batch)
{
    apr_pool_clear(batch->own);
    memset(batch->places, 0,
           (apr_size_t)cert_count(batch) * sizeof(*batch->places));
    batch->phase = CLOSED;
    batch->members = 0;
    batch->close_at = 0;
    batch->running = NULL;
    batch->ended = apr_array_make(batch->own, 2, sizeof(ended_t));
    batch->expected = apr_array_make(batch->own, 2, sizeof(const char *));
    batch->is_saved = 0;
}

/* Also when the file is damaged: then what it said was open is not known. */
static void load_all(acme_batch_t *batch, apr_time_t now)
{
    int i;

    for (i = 0; i < cert_count(batch); i++) {
        batch->places[i].is_listed = 1;
    }
    batch->opened = now;
}

static void load_listed(acme_batch_t *batch, const acme_batch_file_t *file)
{
    int i;

    for (i = 0; i < cert_count(batch); i++) {
        batch->places[i].is_listed = has_text(file->ids, cert_of(batch, i)->id);
    }
    for (i = 0; i < file->done->nelts; i++) {
        const ended_t ended = {
            .digest = apr_pstrdup(batch->own,
                                  APR_ARRAY_IDX(file->done, i, const char *))
        };

        APR_ARRAY_PUSH(batch->ended, ended_t) = ended;
    }
    for (i = 0; i < file->post->nelts; i++) {
        APR_ARRAY_PUSH(batch->expected, const char *) = apr_pstrdup(
            batch->own, APR_ARRAY_IDX(file->post, i, const char *));
    }
    batch->opened = file->opened;
}

acme_batch_t *acme_batch_create(const acme_batch_conf_t *conf, apr_time_t now,
                                apr_pool_t *p)
{
    acme_batch_t *batch = apr_pcalloc(p, sizeof(*batch));
    acme_batch_file_t *file;
    apr_pool_t *scratch;
    acme_result_t res;
    apr_status_t rv;

    batch->with = *conf;
    batch->p = p;
    apr_pool_create(&batch->own, p);
    batch->places = apr_pcalloc(p, ((apr_size_t)conf->conf->certs->nelts + 1)
                                       * sizeof(*batch->places));
    reset(batch);
    apr_pool_create(&scratch, p);
    rv = acme_batch_file_load(&file, conf->store, &res, scratch);
    if (rv == APR_SUCCESS) {
        load_listed(batch, file);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        acme_log(
            conf->log, ACME_LOG_ERROR, "hooks",
            "%s; the commands of AcmeHook post are run for all certificates",
            res.detail);
        load_all(batch, now);
    }
    if (!APR_STATUS_IS_ENOENT(rv)) {
        batch->phase = OPEN;
        batch->is_saved = rv == APR_SUCCESS;
        batch->close_at = now + ACME_BATCH_RESUME;
        acme_log(
            conf->log, ACME_LOG_NOTICE, "hooks",
            "validations were under way when the last keeper ended; the commands of AcmeHook post are run when they are over");
    }
    apr_pool_destroy(scratch);
    return batch;
}

static apr_status_t save(acme_batch_t *batch, acme_result_t *res,
                         apr_pool_t *p)
{
    acme_batch_file_t *file = acme_batch_file_make(p);
    apr_status_t rv;
    int i;

    if (batch->is_saved) {
        return APR_SUCCESS;
    }
    file->opened = batch->opened;
    file->post = batch->expected;
    for (i = 0; i < cert_count(batch); i++) {
        if (batch->places[i].is_listed) {
            APR_ARRAY_PUSH(file->ids, const char *) = cert_of(batch, i)->id;
        }
    }
    for (i = 0; i < batch->ended->nelts; i++) {
        const ended_t *ended = &APR_ARRAY_IDX(batch->ended, i, ended_t);

        if (!ended->failure) {
            APR_ARRAY_PUSH(file->done, const char *) = ended->digest;
        }
    }
    rv = acme_batch_file_save(batch->with.store, file, res, p);
    batch->is_saved = rv == APR_SUCCESS;
    return rv;
}

/* The result of this command of pre; NULL: it has not ended. */
static const ended_t *find_ended(const acme_batch_t *batch, const char *digest)
{
    int i;

    for (i = 0; i < batch->ended->nelts; i++) {
        const ended_t *ended = &APR_ARRAY_IDX(batch->ended, i, ended_t);

        if (!strcmp(ended->digest, digest)) {
            return ended;
        }
    }
    return NULL;
}

static void pre_ended(void *baton, apr_status_t status,
                      const acme_result_t *res, const char *output)
{
    acme_batch_t *batch = baton;
    ended_t *ended = apr_array_push(batch->ended);
    acme_result_t ignored;
    apr_pool_t *scratch;

    (void)output;
    ended->digest = batch->running;
    ended->failure = NULL;
    batch->running = NULL;
    batch->is_saved = 0;
    if (status != APR_SUCCESS) {
        ended->failure = apr_pstrdup(batch->own, res->detail);
        acme_log(batch->with.log, ACME_LOG_ERROR, "pre", "%s", res->detail);
    }
    /* Without it the command is run again after a crash, and nothing else. */
    apr_pool_create(&scratch, batch->p);
    (void)save(batch, &ignored, scratch);
    apr_pool_destroy(scratch);
}

static void start_pre(acme_batch_t *batch, const acme_cert_conf_t *cert,
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
    acme_hook_run_start(batch->with.hooks, &hook);
}

static void forget_member(acme_batch_t *batch, place_t *place)
{
    batch->members -= place->is_member;
    place->is_member = 0;
    place->since = 0;
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
    for (i = 0; i < cert_count(batch); i++) {
        if (batch->places[i].is_listed
            && batch->places[i].outcome == OUTCOME_NONE) {
            wait = ACME_BATCH_RESUME;
        }
    }
    batch->close_at = now + wait;
    if (paced > batch->close_at && paced <= now + PACE) {
        batch->close_at = paced;
    }
}

/* Its digests of post: later it is logged if they are not configured any more.
 */
static void expect_post(acme_batch_t *batch, const acme_cert_conf_t *cert)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_POST, i)) != NULL;
         i++) {
        const char *digest = acme_conf_hook_digest(hook, batch->own);

        if (!has_text(batch->expected, digest)) {
            APR_ARRAY_PUSH(batch->expected, const char *) = digest;
        }
    }
}

static void add_member(acme_batch_t *batch, apr_uint32_t cert,
                       apr_uint64_t channel, apr_time_t now)
{
    place_t *place = &batch->places[cert];

    if (batch->phase == CLOSED) {
        batch->phase = OPEN;
        batch->opened = now;
        batch->paid_until =
            PACE
            + (batch->paid_until > now && batch->paid_until < now + BURST * PACE
                   ? batch->paid_until : now);
    }
    if (!place->is_listed) {
        place->is_listed = 1;
        expect_post(batch, cert_of(batch, (int)cert));
        batch->is_saved = 0;
    }
    if (!place->is_member) {
        place->is_member = 1;
        place->since = now;
        batch->members++;
    }
    place->channel = channel;
    place->outcome = OUTCOME_NONE;
    batch->close_at = 0;
}

apr_status_t acme_batch_join(int *pis_open, acme_batch_t *batch,
                             apr_uint32_t cert, apr_uint64_t channel,
                             apr_time_t now, acme_result_t *res,
                             apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(batch, (int)cert);
    const acme_hook_conf_t *hook;
    apr_status_t rv;
    int i;

    *pis_open = 0;
    if (!acme_conf_hook(conf, ACME_HOOK_PRE, 0)
        && !acme_conf_hook(conf, ACME_HOOK_POST, 0)) {
        *pis_open = 1;
        return APR_SUCCESS;
    }
    if (batch->phase == CLOSING) {
        return APR_SUCCESS;             /* the next batch begins behind it */
    }
    add_member(batch, cert, channel, now);
    rv = save(batch, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(
            res,
            "the commands of AcmeHook pre were not run, because it cannot be stored that they have to be undone");
        res->reason = ACME_REASON_STORE_UNWRITABLE;
        acme_batch_leave(batch, cert, 0, now);
        return rv;
    }
    for (i = 0; (hook = acme_conf_hook(conf, ACME_HOOK_PRE, i)) != NULL; i++) {
        const char *digest = acme_conf_hook_digest(hook, p);
        const ended_t *ended = find_ended(batch, digest);

        if (!ended) {
            if (!batch->running) {
                start_pre(batch, conf, hook, digest);
            }
            return APR_SUCCESS;
        }
        if (ended->failure) {
            acme_fail(
                res, APR_EGENERAL,
                "%s: not validated, because a command of AcmeHook pre failed: %s",
                conf->id, ended->failure);
            res->reason = ACME_REASON_HOOK_FAILED;
            acme_batch_leave(batch, cert, 0, now);
            return res->status;
        }
    }
    *pis_open = 1;
    return APR_SUCCESS;
}

void acme_batch_leave(acme_batch_t *batch, apr_uint32_t cert, int is_done,
                      apr_time_t now)
{
    place_t *place = &batch->places[cert];

    /* It may have joined the keeper before this one. */
    if (batch->phase == OPEN && place->is_listed
        && (place->is_member || place->outcome == OUTCOME_NONE)) {
        place->outcome = is_done ? OUTCOME_DONE : OUTCOME_FAILED;
        forget_member(batch, place);
        plan_end(batch, now);
    }
}

/* The names (const char *) of those that ended so. */
static apr_array_header_t *names_of(const acme_batch_t *batch,
                                    outcome_e outcome, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < cert_count(batch); i++) {
        const place_t *place = &batch->places[i];

        if (place->is_listed && place->outcome == outcome) {
            apr_array_cat(names, cert_of(batch, i)->names);
        }
    }
    return names;
}

static void finish(acme_batch_t *batch)
{
    apr_pool_t *scratch;
    acme_result_t res;

    apr_pool_create(&scratch, batch->p);
    if (acme_batch_file_remove(batch->with.store, &res, scratch)) {
        acme_log(batch->with.log, ACME_LOG_ERROR, "hooks",
                 "%s; post is run once more after a reload", res.detail);
    }
    apr_pool_destroy(scratch);
    reset(batch);
}

static void post_ended(void *baton, apr_status_t status,
                       const acme_result_t *res, const char *output)
{
    acme_batch_t *batch = baton;

    (void)output;
    batch->post_runs = 0;
    if (status != APR_SUCCESS) {
        acme_log(batch->with.log, ACME_LOG_ERROR, "post",
                 "%s; what pre has opened may still be open", res->detail);
    }
}

static void start_next_post(acme_batch_t *batch, apr_pool_t *p)
{
    const acme_hook_event_t event = {
        .event = "post",
        .names = names_of(batch, OUTCOME_DONE, p),
        .failed = names_of(batch, OUTCOME_FAILED, p)
    };
    acme_hook_t hook = { .event = &event,
                         .outlives = 1,
                         .done = post_ended,
                         .baton = batch };

    if (batch->next_post == batch->posts->nelts) {
        finish(batch);
        return;
    }
    hook.command = APR_ARRAY_IDX(batch->posts, batch->next_post,
                                 const acme_hook_conf_t *)->command;
    hook.timeout = APR_ARRAY_IDX(batch->timeouts, batch->next_post,
                                 apr_interval_time_t);
    batch->next_post++;
    batch->post_runs = 1;
    acme_hook_run_start(batch->with.hooks, &hook);
}

/* Each command of post of the certificates that joined, once. */
static void begin_post(acme_batch_t *batch, apr_pool_t *p)
{
    apr_array_header_t *seen = apr_array_make(p, 4, sizeof(const char *));
    const acme_hook_conf_t *hook;
    int i, k;

    batch->phase = CLOSING;
    batch->next_post = 0;
    batch->posts = apr_array_make(batch->own, 2,
                                  sizeof(const acme_hook_conf_t *));
    batch->timeouts = apr_array_make(batch->own, 2,
                                     sizeof(apr_interval_time_t));
    for (i = 0; i < cert_count(batch); i++) {
        const acme_cert_conf_t *cert = cert_of(batch, i);

        if (!batch->places[i].is_listed) {
            continue;
        }
        forget_member(batch, &batch->places[i]);
        for (k = 0; (hook = acme_conf_hook(cert, ACME_HOOK_POST, k)) != NULL;
             k++) {
            const char *digest = acme_conf_hook_digest(hook, p);

            if (!has_text(seen, digest)) {
                APR_ARRAY_PUSH(seen, const char *) = digest;
                APR_ARRAY_PUSH(batch->posts, const acme_hook_conf_t *) = hook;
                APR_ARRAY_PUSH(batch->timeouts, apr_interval_time_t) =
                    cert->hook_timeout;
            }
        }
    }
    for (i = 0; i < batch->expected->nelts; i++) {
        if (!has_text(seen, APR_ARRAY_IDX(batch->expected, i, const char *))) {
            acme_log(
                batch->with.log, ACME_LOG_WARNING, "post",
                "the configuration has changed: a command of AcmeHook post is not in it any more and was not run; what pre has opened may still be open");
            break;
        }
    }
}

/* Of members whose worker has ended, or that stay too long. */
static void look_at_members(acme_batch_t *batch, acme_batch_open_cb *is_open,
                            void *baton, apr_time_t now)
{
    int i, lost = 0;

    for (i = 0; batch->members && i < cert_count(batch); i++) {
        place_t *place = &batch->places[i];

        if (!place->is_member) {
            continue;
        }
        if (!is_open(baton, place->channel) || place->since > now
            || now - place->since >= ACME_BATCH_MEMBER_MAX) {
            forget_member(batch, place);
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
    if (batch->phase == OPEN) {
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
            begin_post(batch, p);
        }
    }
    if (batch->phase == CLOSING && !batch->post_runs) {
        start_next_post(batch, p);
    }
    if (batch->phase != OPEN) {
        return 0;
    }
    return batch->close_at ? batch->close_at : now + LOOK;
}

int acme_batch_is_open(const acme_batch_t *batch)
{
    return batch->phase != CLOSED;
}
