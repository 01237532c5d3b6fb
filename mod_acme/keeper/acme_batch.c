/*
 * acme_batch.c - AcmeHook pre and post.
 *
 * The rule: while a command of pre may have had an effect, the file is there;
 * it is removed when all of post have succeeded, and by nothing else.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_batch.h"
#include "acme_batch_file.h"
#include "acme_text.h"
#include "acme_time.h"

/* So many batches at once, then one in this time: see acme_event.c. */
#define BURST 5
#define PACE apr_time_from_sec(60)

/* A command that ends its own keeper, by a reload of httpd, may do so this
   often; then it counts as done. */
#define INTERRUPTED_MAX 2

/* How often members are looked at. */
#define LOOK apr_time_from_sec(60)

typedef enum {
    CLOSED,
    OPEN,
    CLOSING,                    /* commands of post run */
    UNCLOSED                    /* some have failed, and will be repeated */
} phase_e;

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

/* A command of post. */
typedef struct {
    const acme_hook_conf_t *hook;
    const char *digest;
    apr_interval_time_t timeout;
    const char *failure;        /* of its last run; NULL: none */
} post_t;

struct acme_batch_t {
    acme_registry_t *registry;
    acme_hook_runner_t *hooks;
    const acme_log_t *log;
    phase_e phase;
    place_t *places;            /* by certificate */
    int members;
    apr_time_t opened;
    apr_time_t close_at;        /* without members; 0: not known */
    apr_time_t paid_until;      /* see PACE */
    const char *running;        /* digest of the command of pre; NULL: none */
    apr_array_header_t *ended;  /* ended_t */
    apr_array_header_t *begun;  /* const char *: digests of commands of pre whose
                                   end is not known, once for each start */
    int posts_begun;            /* how often post began, and its end is not
                                   known */
    apr_array_header_t *expected;       /* const char *: digests of post that
                                           were configured as they joined */
    apr_array_header_t *posts;  /* post_t: while closing those to be run, */
    int next_post;              /*   and which of them is the next one; */
    int post_runs;              /*   while unclosed those that failed */
    apr_uint32_t failures;      /* of post, in a row */
    apr_time_t repeat_at;       /* while unclosed */
    int is_told;                /* notify was told of a failure */
    int is_saved;               /* the file has all of the above */
    apr_pool_t *p;
    apr_pool_t *own;            /* of this batch; cleared after it */
};

static const acme_cert_conf_t *cert_of(const acme_batch_t *batch, int cert)
{
    return acme_conf_cert(acme_registry_conf(batch->registry),
                          (apr_uint32_t)cert);
}

static int cert_count(const acme_batch_t *batch)
{
    return acme_registry_conf(batch->registry)->certs->nelts;
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

static void make_lists(acme_batch_t *batch)
{
    batch->ended = apr_array_make(batch->own, 2, sizeof(ended_t));
    batch->begun = apr_array_make(batch->own, 2, sizeof(const char *));
    batch->expected = apr_array_make(batch->own, 2, sizeof(const char *));
    batch->posts = apr_array_make(batch->own, 2, sizeof(post_t));
}

/* Nothing is open. */
static void reset(acme_batch_t *batch)
{
    apr_pool_clear(batch->own);
    make_lists(batch);
    memset(batch->places, 0,
           (apr_size_t)cert_count(batch) * sizeof(*batch->places));
    batch->phase = CLOSED;
    batch->members = 0;
    batch->close_at = 0;
    batch->running = NULL;
    batch->failures = 0;
    batch->posts_begun = 0;
    batch->is_told = 0;
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
    for (i = 0; i < file->begun->nelts; i++) {
        APR_ARRAY_PUSH(batch->begun, const char *) = apr_pstrdup(
            batch->own, APR_ARRAY_IDX(file->begun, i, const char *));
    }
    batch->opened = file->opened;
    batch->is_told = file->is_told;
    batch->posts_begun = file->posts_begun;
}

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
    reset(batch);
}

acme_batch_t *acme_batch_create(acme_registry_t *registry,
                                acme_hook_runner_t *hooks, apr_time_t now,
                                apr_pool_t *p)
{
    acme_batch_t *batch = apr_pcalloc(p, sizeof(*batch));
    acme_batch_file_t *file;
    apr_pool_t *scratch;
    acme_result_t res;
    apr_status_t rv;

    batch->registry = registry;
    batch->hooks = hooks;
    batch->log = acme_registry_log(registry);
    batch->p = p;
    apr_pool_create(&batch->own, p);
    batch->places = apr_pcalloc(p, ((apr_size_t)cert_count(batch) + 1)
                                       * sizeof(*batch->places));
    reset(batch);
    apr_pool_create(&scratch, p);
    rv = acme_batch_file_load(&file, acme_registry_store(registry), &res,
                              scratch);
    if (rv == APR_SUCCESS) {
        load_listed(batch, file);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        acme_log(
            batch->log, ACME_LOG_ERROR, "hooks",
            "%s; the commands of AcmeHook post are run for all certificates",
            res.detail);
        load_all(batch, now);
    }
    if (batch->posts_begun >= INTERRUPTED_MAX) {
        give_up_post(batch, scratch);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        batch->phase = OPEN;
        batch->is_saved = rv == APR_SUCCESS;
        batch->close_at = now + ACME_BATCH_RESUME;
        acme_log(
            batch->log, ACME_LOG_NOTICE, "hooks",
            "validations were under way when the last keeper ended, or a command of AcmeHook post had failed; all of post are run when no validation is under way");
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
    file->begun = batch->begun;
    file->posts_begun = batch->posts_begun;
    file->is_told = batch->is_told;
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
    rv = acme_batch_file_save(acme_registry_store(batch->registry), file, res,
                              p);
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

static int count_begun(const acme_batch_t *batch, const char *digest)
{
    int i, n = 0;

    for (i = 0; i < batch->begun->nelts; i++) {
        n += !strcmp(APR_ARRAY_IDX(batch->begun, i, const char *), digest);
    }
    return n;
}

static void forget_begun(acme_batch_t *batch, const char *digest)
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
    acme_batch_t *batch = baton;
    ended_t *ended = apr_array_push(batch->ended);
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
    acme_hook_run_start(batch->hooks, &hook);
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
static void expect_post(acme_batch_t *batch, const acme_cert_conf_t *cert,
                        apr_pool_t *p)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_POST, i)) != NULL;
         i++) {
        const char *digest = acme_conf_hook_digest(hook, p);

        if (!has_text(batch->expected, digest)) {
            APR_ARRAY_PUSH(batch->expected, const char *) =
                apr_pstrdup(batch->own, digest);
        }
    }
}

/* One that is unclosed becomes part of the new batch, whose post closes both.
 */
static void add_member(acme_batch_t *batch, apr_uint32_t cert,
                       apr_uint64_t channel, apr_time_t now, apr_pool_t *p)
{
    place_t *place = &batch->places[cert];

    if (batch->phase != OPEN) {
        batch->phase = OPEN;
        batch->is_saved = 0;
        batch->opened = now;
        batch->paid_until =
            PACE
            + (batch->paid_until > now && batch->paid_until < now + BURST * PACE
                   ? batch->paid_until : now);
    }
    if (!place->is_listed) {
        place->is_listed = 1;
        expect_post(batch, cert_of(batch, (int)cert), p);
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

/* A command of pre of this certificate that failed; NULL: none has. */
static const ended_t *find_failed(const acme_batch_t *batch,
                                  const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_PRE, i)) != NULL; i++) {
        const ended_t *ended = find_ended(batch,
                                          acme_conf_hook_digest(hook, p));

        if (ended && ended->failure) {
            return ended;
        }
    }
    return NULL;
}

/* Start the next command of pre; 0: all of the certificate have succeeded. */
static int run_pre(acme_batch_t *batch, const acme_cert_conf_t *cert,
                   acme_result_t *res, apr_pool_t *p)
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
        if (count_begun(batch, digest) < INTERRUPTED_MAX) {
            APR_ARRAY_PUSH(batch->begun, const char *) = apr_pstrdup(batch->own,
                                                                     digest);
            batch->is_saved = 0;
            (void)save(batch, res, p);  /* else it may be run once more */
            start_pre(batch, cert, hook, digest);
            return 1;
        }
        forget_begun(batch, digest);
        *(ended_t *)apr_array_push(batch->ended) =
            (ended_t){ .digest = apr_pstrdup(batch->own, digest) };
        batch->is_saved = 0;
        acme_log(
            batch->log, ACME_LOG_ERROR, "pre",
            "the keeper ended twice while %s was running, so it counts as done; it must not reload httpd",
            APR_ARRAY_IDX(hook->command, 0, const char *));
    }
    return 0;
}

apr_status_t acme_batch_join(int *pis_open, acme_batch_t *batch,
                             apr_uint32_t cert, apr_uint64_t channel,
                             apr_time_t now, acme_result_t *res,
                             apr_pool_t *p)
{
    const acme_cert_conf_t *conf = cert_of(batch, (int)cert);
    const ended_t *failed;
    apr_status_t rv;

    *pis_open = 0;
    if (!acme_conf_hook(conf, ACME_HOOK_PRE, 0)
        && !acme_conf_hook(conf, ACME_HOOK_POST, 0)) {
        *pis_open = 1;
        return APR_SUCCESS;
    }
    if (batch->phase == CLOSING) {
        return APR_SUCCESS;             /* the next batch begins behind it */
    }
    failed = find_failed(batch, conf, p);
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
            batch->places[cert].outcome = OUTCOME_FAILED;
        }
        return res->status;
    }
    add_member(batch, cert, channel, now, p);
    rv = save(batch, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(
            res,
            "the commands of AcmeHook pre were not run, because it cannot be stored that they have to be undone");
        res->reason = ACME_REASON_STORE_UNWRITABLE;
        acme_batch_leave(batch, cert, 0, now);
        return rv;
    }
    *pis_open = !run_pre(batch, conf, res, p);
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

/* The first of its commands of post that failed, and in *pcount how many did;
   NULL: none. */
static const post_t *first_failing(const acme_batch_t *batch, int cert,
                                   apr_uint32_t *pcount, apr_pool_t *p)
{
    const post_t *first = NULL;
    const acme_hook_conf_t *hook;
    int i, k;

    *pcount = 0;
    if (!batch->places[cert].is_listed || !batch->posts->nelts) {
        return NULL;
    }
    for (k = 0; (hook = acme_conf_hook(cert_of(batch, cert), ACME_HOOK_POST,
                                       k)) != NULL;
         k++) {
        const char *digest = acme_conf_hook_digest(hook, p);

        for (i = 0; i < batch->posts->nelts; i++) {
            const post_t *post = &APR_ARRAY_IDX(batch->posts, i, post_t);

            if (post->failure && !strcmp(post->digest, digest)) {
                ++*pcount;
                first = first ? first : post;
            }
        }
    }
    return first;
}

/* In the states of the certificates. */
static void publish(const acme_batch_t *batch, apr_pool_t *p)
{
    int i;

    for (i = 0; i < cert_count(batch); i++) {
        acme_hooks_failing_t failing;
        const post_t *first;

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

static void finish(acme_batch_t *batch, apr_pool_t *p)
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
    reset(batch);
    publish(batch, p);
}

/* Forget all but the commands of post that failed, and the certificates that
   have one of them. */
static void keep_failing(acme_batch_t *batch, apr_pool_t *p)
{
    const apr_array_header_t *posts = batch->posts;
    apr_pool_t *before = batch->own;
    apr_uint32_t count;
    int i;

    apr_pool_create(&batch->own, batch->p);
    make_lists(batch);
    for (i = 0; i < posts->nelts; i++) {
        post_t post = APR_ARRAY_IDX(posts, i, post_t);

        if (post.failure) {
            post.digest = apr_pstrdup(batch->own, post.digest);
            post.failure = apr_pstrdup(batch->own, post.failure);
            APR_ARRAY_PUSH(batch->posts, post_t) = post;
        }
    }
    apr_pool_destroy(before);
    for (i = 0; i < cert_count(batch); i++) {
        if (first_failing(batch, i, &count, p)) {
            expect_post(batch, cert_of(batch, i), p);
        }
        else {
            memset(&batch->places[i], 0, sizeof(batch->places[i]));
        }
    }
    batch->is_saved = 0;
}

/* One certificate's commands of notify, once until the batch is over. */
static void tell(acme_batch_t *batch, apr_pool_t *p)
{
    apr_uint32_t count;
    int i;

    for (i = 0; !batch->is_told && i < cert_count(batch); i++) {
        const post_t *post = first_failing(batch, i, &count, p);

        if (post && acme_conf_hook(cert_of(batch, i), ACME_HOOK_NOTIFY, 0)) {
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
static void settle(acme_batch_t *batch, apr_time_t now, apr_pool_t *p)
{
    acme_result_t res;
    int i;

    keep_failing(batch, p);
    if (!batch->posts->nelts) {
        finish(batch, p);
        return;
    }
    batch->phase = UNCLOSED;
    batch->posts_begun = 0;
    batch->failures++;
    batch->repeat_at = now + acme_hook_run_pause(batch->failures);
    for (i = 0; i < batch->posts->nelts; i++) {
        acme_log(
            batch->log, ACME_LOG_ERROR, "post",
            "failed: attempt %u: %s; what pre has opened may still be open; next attempt at %s",
            batch->failures, APR_ARRAY_IDX(batch->posts, i, post_t).failure,
            acme_time_text(batch->repeat_at, p));
    }
    tell(batch, p);
    if (save(batch, &res, p)) {
        acme_log(batch->log, ACME_LOG_ERROR, "post", "%s", res.detail);
    }
    publish(batch, p);
}

static void post_ended(void *baton, apr_status_t status,
                       const acme_result_t *res, const char *output)
{
    acme_batch_t *batch = baton;
    post_t *post = &APR_ARRAY_IDX(batch->posts, batch->next_post - 1, post_t);

    (void)output;
    batch->post_runs = 0;
    post->failure =
        status == APR_SUCCESS
            ? NULL
            : acme_text_clean(res->detail, ACME_DETAIL_SIZE - 1, batch->own);
}

/* Before the first command of post: an order that comes now must run pre again,
   and one that ends this keeper must not end each one. */
static void note_post_begun(acme_batch_t *batch, apr_pool_t *p)
{
    acme_result_t res;

    apr_array_clear(batch->ended);
    batch->posts_begun++;
    batch->is_saved = 0;
    if (save(batch, &res, p)) {
        acme_log(batch->log, ACME_LOG_ERROR, "post", "%s", res.detail);
    }
}

static void start_next_post(acme_batch_t *batch, apr_time_t now,
                            apr_pool_t *p)
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
    const post_t *post;

    if (batch->next_post == batch->posts->nelts) {
        settle(batch, now, p);
        return;
    }
    if (batch->next_post == 0) {
        note_post_begun(batch, p);
    }
    post = &APR_ARRAY_IDX(batch->posts, batch->next_post, post_t);
    hook.command = post->hook->command;
    hook.timeout = post->timeout;
    batch->next_post++;
    batch->post_runs = 1;
    acme_hook_run_start(batch->hooks, &hook);
}

/* Of commands that were configured when their certificates joined. */
static void warn_of_missing(const acme_batch_t *batch,
                            const apr_array_header_t *configured)
{
    int i;

    for (i = 0; i < batch->expected->nelts; i++) {
        if (!has_text(configured,
                      APR_ARRAY_IDX(batch->expected, i, const char *))) {
            acme_log(
                batch->log, ACME_LOG_WARNING, "post",
                "the configuration has changed: a command of AcmeHook post is not in it any more and was not run; what pre has opened may still be open");
            break;
        }
    }
}

/* Each command of post of the certificates that joined, once. */
static void begin_post(acme_batch_t *batch, apr_pool_t *p)
{
    apr_array_header_t *seen = apr_array_make(p, 4, sizeof(const char *));
    const acme_hook_conf_t *hook;
    int i, k;

    batch->phase = CLOSING;
    batch->next_post = 0;
    batch->failures = 0;
    apr_array_clear(batch->posts);
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
                const post_t post = {
                    .hook = hook,
                    .digest = apr_pstrdup(batch->own, digest),
                    .timeout = cert->hook_timeout
                };

                APR_ARRAY_PUSH(seen, const char *) = digest;
                APR_ARRAY_PUSH(batch->posts, post_t) = post;
            }
        }
    }
    warn_of_missing(batch, seen);
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
    if (batch->phase == UNCLOSED) {
        if (batch->repeat_at > now + ACME_HOOK_PAUSE_MAX) {
            batch->repeat_at = now + ACME_HOOK_PAUSE_MAX;       /* so was it */
        }
        if (batch->repeat_at <= now) {
            batch->phase = CLOSING;
            batch->next_post = 0;
        }
    }
    if (batch->phase == CLOSING && !batch->post_runs) {
        start_next_post(batch, now, p);
    }
    if (batch->phase == UNCLOSED) {
        return batch->repeat_at;
    }
    if (batch->phase != OPEN) {
        return 0;
    }
    /* The end of a command of pre wakes the keeper anyway. */
    return batch->close_at && !batch->running ? batch->close_at : now + LOOK;
}

int acme_batch_is_open(const acme_batch_t *batch)
{
    return batch->phase == OPEN || batch->phase == CLOSING;
}
