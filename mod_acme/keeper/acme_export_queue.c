/*
 * acme_export_queue.c - the copies of AcmeExport, from the keeper's side.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_export_job.h"
#include "acme_export_queue.h"
#include "acme_time.h"

/* A file system of another machine that hangs costs a place, no more. */
#define JOB_TIMEOUT apr_time_from_sec(60)

#define RETRY_MIN apr_time_from_sec(3)
#define RETRY_MAX apr_time_from_sec(3600)

#define OUTPUT_MAX ACME_DETAIL_SIZE

/* Places for directives that do not answer, together: others have the rest. */
#define SLOW_AT_ONCE (ACME_EXPORTS_AT_ONCE - 1)

/* How long a command of deploy waits for copies that fail. */
#define COPIES_WAIT apr_time_from_sec(600)

/* An AcmeExport, with the copies of all certificates that have it: its folder
   may be another machine's, which does not answer. */
typedef struct {
    int is_quick;               /* its last job ended before its deadline */
    int is_slow;                /* it did not. Both 0: none has ended */
    int running;
} directive_t;

typedef struct {
    apr_uint32_t cert;
    apr_uint32_t index;         /* of the certificate's exports */
    directive_t *directive;
    apr_time_t due;             /* 0: it is there, or is being written */
    apr_interval_time_t wait;   /* after the next failure */
    acme_process_t *job;        /* NULL: it is not being written */
    apr_pool_t *job_pool;
    char *failure;              /* the last one; NULL: none */
    int is_there;
    int is_outdated;            /* what is being written is of an archive that
                                   is served no longer */
} copy_t;

struct acme_export_queue_t {
    acme_registry_t *registry;
    apr_array_header_t *copies; /* copy_t */
    apr_hash_t *by_place;       /* directive_t, by where it stands */
    int *missing;               /* by certificate: copies that are not there, */
    int *served;                /*   the archive that they are of, */
    apr_time_t *begun;          /*   and since when */
    apr_uint64_t change;        /* of states, that was looked at last */
    int running;
    int running_slow;           /* of directives that are slow */
    apr_uint64_t changes;
    apr_pool_t *p;
};

static copy_t *copy_at(const acme_export_queue_t *queue, int i)
{
    return &APR_ARRAY_IDX(queue->copies, i, copy_t);
}

static const acme_export_conf_t *conf_of(const acme_export_queue_t *queue,
                                         const copy_t *copy)
{
    return acme_export_job_find(acme_registry_conf(queue->registry),
                                copy->cert, copy->index);
}

static const char *id_of(const acme_export_queue_t *queue, const copy_t *copy)
{
    return acme_conf_cert(acme_registry_conf(queue->registry),
                          copy->cert)->id;
}

/* The directive at a place, which all certificates share that inherit it. */
static directive_t *find_directive(acme_export_queue_t *queue,
                                   const char *place)
{
    directive_t *directive = apr_hash_get(queue->by_place, place,
                                          APR_HASH_KEY_STRING);

    if (!directive) {
        directive = apr_pcalloc(queue->p, sizeof(*directive));
        apr_hash_set(queue->by_place, place, APR_HASH_KEY_STRING, directive);
    }
    return directive;
}

/* All copies of a certificate are to be written, of what is served now. */
static void begin_cert(acme_export_queue_t *queue, apr_uint32_t cert,
                       apr_time_t now)
{
    const acme_conf_t *conf = acme_registry_conf(queue->registry);
    const acme_export_conf_t *export;
    apr_uint32_t k;

    queue->served[cert] = acme_conf_cert(conf, cert)->served;
    queue->begun[cert] = now;
    for (k = 0; (export = acme_export_job_find(conf, cert, k)) != NULL; k++) {
        APR_ARRAY_PUSH(queue->copies, copy_t) = (copy_t) {
            .cert = cert, .index = k, .due = 1, .wait = RETRY_MIN,
            .directive = find_directive(queue, export->place)
        };
        queue->missing[cert]++;
    }
}

/* Running workers were given another archive: the same copies, of that. */
static void begin_cert_again(acme_export_queue_t *queue, apr_uint32_t cert,
                             apr_time_t now)
{
    int i, n = 0;

    for (i = 0; i < queue->copies->nelts; i++) {
        copy_t *copy = copy_at(queue, i);

        if (copy->cert == cert) {
            queue->missing[cert] += copy->is_there;
            copy->is_there = 0;
            copy->is_outdated = copy->job != NULL;
            copy->due = copy->job ? 0 : 1;
            copy->wait = RETRY_MIN;
            n++;
        }
    }
    if (!n) {
        begin_cert(queue, cert, now);   /* there was a placeholder */
        return;
    }
    queue->served[cert] =
        acme_conf_cert(acme_registry_conf(queue->registry), cert)->served;
    queue->begun[cert] = now;
}

static void look_at_served(acme_export_queue_t *queue, apr_time_t now)
{
    const acme_conf_t *conf = acme_registry_conf(queue->registry);
    int i;

    if (acme_registry_last_change(queue->registry) == queue->change) {
        return;
    }
    queue->change = acme_registry_last_change(queue->registry);
    for (i = 0; i < conf->certs->nelts; i++) {
        if (acme_conf_cert(conf, (apr_uint32_t)i)->served
            != queue->served[i]) {
            begin_cert_again(queue, (apr_uint32_t)i, now);
        }
    }
}

acme_export_queue_t *acme_export_queue_create(acme_registry_t *registry,
                                              apr_pool_t *p)
{
    const acme_conf_t *conf = acme_registry_conf(registry);
    const apr_size_t n = (apr_size_t)conf->certs->nelts + 1;
    acme_export_queue_t *queue = apr_pcalloc(p, sizeof(*queue));
    const apr_time_t now = apr_time_now();
    apr_uint32_t i;

    queue->registry = registry;
    queue->copies = apr_array_make(p, 4, sizeof(copy_t));
    queue->by_place = apr_hash_make(p);
    queue->p = p;
    queue->missing = apr_pcalloc(p, n * sizeof(*queue->missing));
    queue->served = apr_pcalloc(p, n * sizeof(*queue->served));
    queue->begun = apr_pcalloc(p, n * sizeof(*queue->begun));
    for (i = 0; i + 1 < n; i++) {
        begin_cert(queue, i, now);
    }
    return queue;
}

/* What is shown of a certificate: its first failure, and how many there are. */
static void show_failures(const acme_export_queue_t *queue, apr_uint32_t cert,
                          apr_pool_t *p)
{
    const char *text = "";
    int i, n = 0;

    for (i = 0; i < queue->copies->nelts; i++) {
        const copy_t *copy = copy_at(queue, i);

        if (copy->cert == cert && copy->failure && n++ == 0) {
            text = copy->failure;
        }
    }
    if (n > 1) {
        text = apr_psprintf(p, "%s (and %d more)", text, n - 1);
    }
    acme_registry_exported(queue->registry, cert, text);
}

/* A sentence is logged when it is new, not with each attempt. */
static void note_failure(acme_export_queue_t *queue, copy_t *copy,
                         const char *why, apr_time_t now, apr_pool_t *p)
{
    const acme_export_conf_t *conf = conf_of(queue, copy);
    const char *text = apr_psprintf(p, "AcmeExport at %s: %s", conf->place,
                                    why);
    const int is_first = !copy->failure;

    copy->due = now + copy->wait;
    copy->wait = copy->wait * 2 < RETRY_MAX ? copy->wait * 2 : RETRY_MAX;
    if (!is_first && !strcmp(copy->failure, text)) {
        return;
    }
    if (is_first) {
        copy->failure = apr_palloc(queue->p, ACME_DETAIL_SIZE);
    }
    apr_cpystrn(copy->failure, text, ACME_DETAIL_SIZE);
    acme_log(acme_registry_log(queue->registry), ACME_LOG_ERROR,
             id_of(queue, copy), "%s; retried until it succeeds",
             copy->failure);
    show_failures(queue, copy->cert, p);
    if (is_first) {
        acme_registry_send_event(queue->registry, copy->cert,
                                 ACME_EVENT_EXPORT_FAILED, copy->failure, p);
    }
}

static void note_success(acme_export_queue_t *queue, copy_t *copy,
                         int was_written, apr_pool_t *p)
{
    copy->due = 0;
    if (!copy->is_there) {
        copy->is_there = 1;
        if (!--queue->missing[copy->cert]) {
            queue->changes++;
        }
    }
    if (was_written) {
        acme_log(acme_registry_log(queue->registry), ACME_LOG_NOTICE,
                 id_of(queue, copy), "exported: %s",
                 conf_of(queue, copy)->path);
    }
    if (copy->failure) {
        copy->failure = NULL;
        show_failures(queue, copy->cert, p);
    }
}

static void give_place_back(acme_export_queue_t *queue, const copy_t *copy)
{
    directive_t *directive = copy->directive;

    queue->running_slow -= directive->is_slow ? directive->running : 0;
    queue->running--;
    directive->running--;
    directive->is_slow = acme_process_late(copy->job);
    directive->is_quick = !directive->is_slow;
    queue->running_slow += directive->is_slow ? directive->running : 0;
}

/* A directive with a dead folder has one job, and one that is not known to
   answer begins with one, too. */
static int has_place(const acme_export_queue_t *queue,
                     const directive_t *directive)
{
    return queue->running < ACME_EXPORTS_AT_ONCE
           && (directive->is_quick || !directive->running)
           && (!directive->is_slow || queue->running_slow < SLOW_AT_ONCE);
}

static void end_job(acme_export_queue_t *queue, copy_t *copy, apr_time_t now,
                    apr_pool_t *p)
{
    const char *output = acme_process_output(copy->job);

    if (acme_process_exit(copy->job) == 0) {
        note_success(queue, copy, !strcmp(output, ACME_EXPORT_JOB_WRITTEN),
                     p);
    }
    else if (*output) {
        note_failure(queue, copy,
                     apr_pstrmemdup(p, output, strcspn(output, "\n")), now, p);
    }
    else {
        note_failure(queue, copy,
                     apr_psprintf(p, "%s: %s", conf_of(queue, copy)->path,
                                  acme_process_late(copy->job)
                                      ? "the file system did not answer in time"
                                      : "the process that writes it was killed"),
                     now, p);
    }
    give_place_back(queue, copy);
    copy->job = NULL;
    apr_pool_destroy(copy->job_pool);
}

/* Whatever came of it: it is begun anew. */
static void drop_job(acme_export_queue_t *queue, copy_t *copy)
{
    give_place_back(queue, copy);
    copy->is_outdated = 0;
    copy->due = 1;
    copy->job = NULL;
    apr_pool_destroy(copy->job_pool);
}

static void start_job(acme_export_queue_t *queue, copy_t *copy, apr_time_t now,
                      apr_pool_t *p)
{
    static const char *const argv[] = { "AcmeExport", NULL };
    const acme_launcher_export_t export = { copy->cert, copy->index };
    const acme_process_conf_t conf = { .argv = argv,
                                       .export = &export,
                                       .deadline = now + JOB_TIMEOUT,
                                       .output_max = OUTPUT_MAX };
    acme_result_t res;

    apr_pool_create(&copy->job_pool, queue->p);
    if (acme_process_launch(&copy->job, &conf, &res, copy->job_pool)) {
        apr_pool_destroy(copy->job_pool);
        note_failure(queue, copy, res.detail, now, p);
        return;
    }
    queue->running++;
    copy->directive->running++;
    queue->running_slow += copy->directive->is_slow;
    copy->due = 0;
}

int acme_export_queue_poll(const acme_export_queue_t *queue,
                           struct pollfd *fds)
{
    int i, n = 0;

    for (i = 0; queue->running && i < queue->copies->nelts; i++) {
        if (copy_at(queue, i)->job) {
            n += acme_process_poll(copy_at(queue, i)->job, fds + n);
        }
    }
    return n;
}

apr_time_t acme_export_queue_wake(const acme_export_queue_t *queue,
                                  apr_time_t now)
{
    apr_time_t wake = 0;
    int i;

    for (i = 0; i < queue->copies->nelts; i++) {
        const copy_t *copy = copy_at(queue, i);

        wake = acme_time_earlier(
            wake, copy->job ? acme_process_wake(copy->job)
                : has_place(queue, copy->directive) ? copy->due : 0);
    }
    /* A clock that was set back delays nothing for long. */
    return wake > now + RETRY_MAX ? now + RETRY_MAX : wake;
}

apr_time_t acme_export_queue_wait(const acme_export_queue_t *queue,
                                  apr_uint32_t cert)
{
    return queue->missing[cert] ? queue->begun[cert] + COPIES_WAIT : 0;
}

apr_uint64_t acme_export_queue_changes(const acme_export_queue_t *queue)
{
    return queue->changes;
}

void acme_export_queue_step(acme_export_queue_t *queue, apr_time_t now,
                            apr_pool_t *p)
{
    int i;

    look_at_served(queue, now);
    for (i = 0; i < queue->copies->nelts; i++) {
        copy_t *copy = copy_at(queue, i);

        if (queue->begun[copy->cert] > now) {
            queue->begun[copy->cert] = now;     /* the clock was set back */
        }
        if (copy->job && acme_process_step(copy->job, now)) {
            if (copy->is_outdated) {
                drop_job(queue, copy);
            }
            else {
                end_job(queue, copy, now, p);
            }
        }
        if (copy->due > now + RETRY_MAX) {
            copy->due = now;
        }
        if (copy->due && copy->due <= now
            && has_place(queue, copy->directive)) {
            start_job(queue, copy, now, p);
        }
    }
}
