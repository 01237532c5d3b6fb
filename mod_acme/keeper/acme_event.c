/*
 * acme_event.c - AcmeHook notify.
 *
 * A worker causes events, and may be hostile. So an event waits in one place of
 * its own for each certificate: one that comes while its equal waits replaces
 * it. Few commands run at once, and an event that comes again and again is
 * delivered once a minute. What a command did not deliver stays in the same
 * place, and on disk.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_event.h"
#include "acme_hook_run.h"
#include "acme_text.h"
#include "acme_time.h"
#include "acme_undelivered_file.h"

#define WORD(name, word) word,
static const char *const words[ACME_EVENTS] = { ACME_HOOK_EVENTS(WORD) };

/* Commands at once. */
#define COMMANDS_MAX 8

/* The same event of a certificate: so many at once, then one in this time. */
#define BURST 5
#define PACE apr_time_from_sec(60)

/* Then nobody wants to know it any more. */
#define KEEP_MAX apr_time_from_sec(3 * 24 * 3600)

/* A command may outlive its keeper by what its timeout has left, and this. */
#define AFTER_TIMEOUT apr_time_from_sec(10)

/* A command that has httpd reloaded ends its keeper, which never hears how the
   command ended. As often as that it is run again; then it counts as done. */
#define INTERRUPTED_MAX 2

/* Files that are written in a turn of the loop because an event waits. */
#define SAVES_MAX 16

typedef struct place_t place_t;
typedef struct run_t run_t;

/* An event of a certificate, kept for the next time. */
struct place_t {
    place_t *next; /* that waits after it */
    acme_event_sink_t *sink;
    apr_uint32_t cert;
    acme_event_e event;
    apr_uint32_t number; /* counts up with each event */
    int waiting;
    int again;             /* it came once more while it is started */
    int next_hook;         /* of those of the certificate */
    int is_starting;       /* before the keeper ends */
    int running;           /* commands: */
    run_t *runs;
    int has_failed;        /* one of them, since the first of them began */
    apr_time_t paid_until; /* see PACE */
    apr_time_t since;
    int live; /* of the state, as when the event came */
    apr_time_t not_after;
    char problem[ACME_PROBLEM_SIZE];
    char detail[ACME_DETAIL_SIZE];

    /* What was not delivered of it. */
    apr_array_header_t *missed; /* const char *: digests of commands, in own;
                                   NULL: nothing is */
    apr_uint32_t failures;      /* in a row */
    apr_time_t retry_at;
    char failure[ACME_DETAIL_SIZE];
    apr_uint32_t interrupted;   /* runs in a row whose end nobody heard */
    int is_stored;              /* the file has it, or an earlier one: */
    apr_uint32_t stored;        /* this number */
    apr_pool_t *own;            /* only while there is something: 8 KB */
};

/* A command that runs. */
struct run_t {
    run_t *next;
    place_t *place;
    apr_uint32_t number; /* of the event */
    const char *digest;  /* in p */
    int counts_as_done;
    apr_pool_t *p;
};

struct acme_event_sink_t {
    const acme_conf_t *conf;
    acme_store_t *store;
    acme_hook_runner_t *hooks;
    const acme_log_t *log;
    place_t **places; /* by certificate and event; NULL: not used */
    place_t *first;   /* that waits */
    int running;
    int missed; /* places that have something undelivered */
    int unsaved; /* one that waits may have to be saved */
    acme_event_failing_cb *failing;
    void *failing_baton;
    apr_pool_t *p;
};

static const acme_cert_conf_t *conf_of(const place_t *place)
{
    return acme_conf_cert(place->sink->conf, place->cert);
}

static place_t *place_of(acme_event_sink_t *sink, apr_uint32_t cert,
                         acme_event_e event)
{
    place_t **pplace = &sink->places[cert * ACME_EVENTS + event];

    if (!*pplace) {
        *pplace = apr_pcalloc(sink->p, sizeof(**pplace));
        (*pplace)->sink = sink;
        (*pplace)->cert = cert;
        (*pplace)->event = event;
    }
    return *pplace;
}

/* The command of notify with this digest; NULL: there is none any more. */
static const acme_hook_conf_t *find_hook(const acme_cert_conf_t *cert,
                                         const char *digest, apr_pool_t *p)
{
    const acme_hook_conf_t *hook;
    int i;

    for (i = 0; (hook = acme_conf_hook(cert, ACME_HOOK_NOTIFY, i)) != NULL;
         i++) {
        if (!strcmp(acme_conf_hook_digest(hook, p), digest)) {
            return hook;
        }
    }
    return NULL;
}

/* Nothing of it is undelivered; on disk it may be until the next save. */
static void forget_missed(place_t *place)
{
    if (place->missed) {
        place->sink->missed--;
        place->missed = NULL;
        apr_pool_destroy(place->own);
    }
    place->failures = 0;
    place->retry_at = 0;
    place->interrupted = 0;
}

static int has(const apr_array_header_t *digests, const char *digest)
{
    int i;

    for (i = 0; i < digests->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(digests, i, const char *), digest)) {
            return 1;
        }
    }
    return 0;
}

static void add_missed(place_t *place, const char *digest)
{
    if (!place->missed) {
        place->sink->missed++;
        apr_pool_create(&place->own, place->sink->p);
        place->missed = apr_array_make(place->own, 2, sizeof(const char *));
    }
    if (!has(place->missed, digest)) {
        APR_ARRAY_PUSH(place->missed, const char *) =
            apr_pstrdup(place->own, digest);
    }
}

static void remove_missed(place_t *place, const char *digest)
{
    int i, kept = 0;

    for (i = 0; place->missed && i < place->missed->nelts; i++) {
        const char *other = APR_ARRAY_IDX(place->missed, i, const char *);

        if (strcmp(other, digest) != 0) {
            APR_ARRAY_IDX(place->missed, kept++, const char *) = other;
        }
    }
    if (kept == 0) {
        forget_missed(place);
    }
    else {
        place->missed->nelts = kept;
    }
}

/* What of this certificate was not delivered: for the state. */
static void publish(acme_event_sink_t *sink, apr_uint32_t cert)
{
    acme_hooks_failing_t failing;
    const place_t *first = NULL;
    int event;

    memset(&failing, 0, sizeof(failing));
    for (event = 0; event < ACME_EVENTS; event++) {
        const place_t *place = sink->places[cert * ACME_EVENTS + event];

        if (place && place->missed) {
            failing.waiting++;
            if (!first || place->retry_at < first->retry_at) {
                first = place;
            }
        }
    }
    if (first) {
        failing.failures = first->failures;
        failing.next_at = first->retry_at;
        apr_cpystrn(failing.failure, first->failure, sizeof(failing.failure));
    }
    if (sink->failing) {
        sink->failing(sink->failing_baton, cert, &failing);
    }
}

void acme_event_watch(acme_event_sink_t *sink, acme_event_failing_cb *failing,
                      void *baton)
{
    int i;

    if (!sink) {
        return;
    }
    sink->failing = failing;
    sink->failing_baton = baton;
    for (i = 0; sink->missed && i < sink->conf->certs->nelts; i++) {
        publish(sink, (apr_uint32_t)i);
    }
}

/* Does a command run that is about what the place has now? */
static int is_run_of(const run_t *run, const place_t *place)
{
    return run->number == place->number && !run->counts_as_done;
}

/* Digests of all commands that have not delivered it, as far as we know: also
   of those that run, and that wait. */
static apr_array_header_t *not_delivered_by(const place_t *place,
                                            apr_pool_t *p)
{
    apr_array_header_t *digests = place->missed
        ? apr_array_copy(p, place->missed)
        : apr_array_make(p, 2, sizeof(const char *));
    const acme_hook_conf_t *hook;
    const run_t *run;
    int i = place->again ? 0 : place->next_hook;

    for (run = place->runs; run; run = run->next) {
        if (is_run_of(run, place) && !has(digests, run->digest)) {
            APR_ARRAY_PUSH(digests, const char *) = run->digest;
        }
    }
    while (place->waiting
           && (hook = acme_conf_hook(conf_of(place), ACME_HOOK_NOTIFY, i++))
                  != NULL) {
        const char *digest = acme_conf_hook_digest(hook, p);

        if (!has(digests, digest)) {
            APR_ARRAY_PUSH(digests, const char *) = digest;
        }
    }
    return digests;
}

/* When the next keeper tries it again: what runs may outlive this one. */
static apr_time_t next_keeper_at(const place_t *place, apr_time_t now)
{
    const apr_time_t over =
        now + conf_of(place)->hook_timeout + AFTER_TIMEOUT;

    return (place->running || place->is_starting) && over > place->retry_at
               ? over : place->retry_at;
}

static void save_place(apr_array_header_t *events, place_t *place,
                       apr_time_t now, apr_pool_t *p)
{
    const acme_undelivered_t kept = {
        .event = words[place->event],
        .since = place->since,
        .next_at = next_keeper_at(place, now),
        .failures = place->failures,
        .interrupted = place->interrupted,
        .commands = not_delivered_by(place, p),
        .live = place->live,
        .not_after = place->not_after,
        .problem = place->problem,
        .detail = place->detail,
        .failure = place->failure
    };

    place->is_stored = kept.commands->nelts > 0;
    place->stored = place->number;
    if (place->is_stored) {
        APR_ARRAY_PUSH(events, acme_undelivered_t) = kept;
    }
}

/* Those of a certificate, on disk and in its state. */
static void save(acme_event_sink_t *sink, apr_uint32_t cert, apr_time_t now)
{
    apr_array_header_t *events;
    acme_result_t res;
    apr_pool_t *p;
    int event;

    apr_pool_create(&p, sink->p);
    events = apr_array_make(p, ACME_EVENTS, sizeof(acme_undelivered_t));
    for (event = 0; event < ACME_EVENTS; event++) {
        place_t *place = sink->places[cert * ACME_EVENTS + event];

        if (place) {
            save_place(events, place, now, p);
        }
    }
    if (acme_undelivered_file_save(sink->store,
                                   acme_conf_cert(sink->conf, cert)->id,
                                   events, &res, p)) {
        acme_log(sink->log, ACME_LOG_ERROR, "notify", "%s", res.detail);
    }
    apr_pool_destroy(p);
    publish(sink, cert);
}

/* What a command of today may still deliver. */
static void load_event(acme_event_sink_t *sink, apr_uint32_t cert,
                       const acme_undelivered_t *kept, apr_pool_t *p)
{
    place_t *place;
    int i, event = 0;

    while (event < ACME_EVENTS && strcmp(words[event], kept->event) != 0) {
        event++;
    }
    if (event == ACME_EVENTS) {
        return;
    }
    place = place_of(sink, cert, (acme_event_e)event);
    for (i = 0; i < kept->commands->nelts; i++) {
        const char *digest = APR_ARRAY_IDX(kept->commands, i, const char *);

        if (find_hook(conf_of(place), digest, p)) {
            add_missed(place, digest);
        }
    }
    place->since = kept->since;
    place->retry_at = kept->next_at;
    place->failures = kept->failures;
    place->interrupted = kept->interrupted;
    place->live = kept->live;
    place->not_after = kept->not_after;
    apr_cpystrn(place->problem, kept->problem, sizeof(place->problem));
    apr_cpystrn(place->detail, kept->detail, sizeof(place->detail));
    apr_cpystrn(place->failure, kept->failure, sizeof(place->failure));
    place->is_stored = 1;
}

static void load_all(acme_event_sink_t *sink)
{
    apr_array_header_t *events;
    acme_result_t res;
    apr_pool_t *p;
    int i, k;

    apr_pool_create(&p, sink->p);
    for (i = 0; i < sink->conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert =
            acme_conf_cert(sink->conf, (apr_uint32_t)i);

        if (!acme_conf_hook(cert, ACME_HOOK_NOTIFY, 0)) {
            continue;
        }
        if (acme_undelivered_file_load(&events, sink->store, cert->id, &res,
                                       p)) {
            acme_log(sink->log, ACME_LOG_WARNING, "notify", "%s", res.detail);
        }
        for (k = 0; k < events->nelts; k++) {
            load_event(sink, (apr_uint32_t)i,
                       &APR_ARRAY_IDX(events, k, acme_undelivered_t), p);
        }
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
}

acme_event_sink_t *acme_event_sink_create(const acme_conf_t *conf,
                                          acme_store_t *store,
                                          acme_hook_runner_t *hooks,
                                          const acme_log_t *log, apr_pool_t *p)
{
    acme_event_sink_t *sink = apr_pcalloc(p, sizeof(*sink));

    sink->conf = conf;
    sink->store = store;
    sink->hooks = hooks;
    sink->log = log;
    sink->places = apr_pcalloc(p, ((apr_size_t)conf->certs->nelts + 1)
                                      * ACME_EVENTS * sizeof(place_t *));
    sink->p = p;
    load_all(sink);
    return sink;
}

/* All commands of it have ended that were started. */
static void settle(place_t *place, apr_time_t now)
{
    const int has_failed = place->has_failed;

    place->has_failed = 0;
    place->interrupted = 0;
    if (!place->missed) {
        return;
    }
    if (has_failed) {
        place->failures++;
        place->retry_at = now + acme_hook_run_pause(place->failures);
    }
    if (now - place->since >= KEEP_MAX) {
        acme_log(
            place->sink->log, ACME_LOG_ERROR, "notify",
            "%s: the event %s could not be delivered within three days and is dropped: %s",
            conf_of(place)->id, words[place->event], place->failure);
        forget_missed(place);
    }
}

/* Of an event that a newer one follows this says nothing any more. */
static void note_end(const run_t *run, apr_status_t status,
                     const acme_result_t *res)
{
    place_t *place = run->place;

    if (run->number != place->number) {
        return;
    }
    if (status == APR_SUCCESS) {
        remove_missed(place, run->digest);
        return;
    }
    add_missed(place, run->digest);
    place->has_failed = 1;
    apr_cpystrn(place->failure,
                acme_text_clean(res->detail, sizeof(place->failure) - 1,
                                run->p),
                sizeof(place->failure));
}

/* The output is in the log already; a failure is logged here. */
static void hook_ended(void *baton, apr_status_t status,
                       const acme_result_t *res, const char *output)
{
    run_t *run = baton, **at;
    place_t *place = run->place;
    acme_event_sink_t *sink = place->sink;
    const apr_time_t now = apr_time_now();

    (void)output;
    sink->running--;
    place->running--;
    for (at = &place->runs; *at != run; at = &(*at)->next) {
        continue;
    }
    *at = run->next;
    if (status != APR_SUCCESS) {
        acme_log(sink->log, ACME_LOG_WARNING, "notify", "%s", res->detail);
    }
    note_end(run, status, res);
    if (!place->running && !place->waiting) {
        settle(place, now);
    }
    if (place->missed || place->is_stored) {
        save(sink, place->cert, now);
    }
    apr_pool_destroy(run->p);
}

/* Everything is copied, so it is gone after the call. */
static void start_hook(place_t *place, const acme_hook_conf_t *command,
                       apr_pool_t *p)
{
    acme_event_sink_t *sink = place->sink;
    const acme_cert_conf_t *cert = conf_of(place);
    acme_hook_event_t fields = { .event = words[place->event],
                                 .id = cert->id,
                                 .names = cert->names,
                                 .problem = place->problem,
                                 .detail = place->detail };
    acme_hook_t hook = { .event = &fields,
                         .command = command->command,
                         .timeout = cert->hook_timeout,
                         .outlives = 1,
                         .done = hook_ended };
    apr_pool_t *own;
    run_t *run;

    if (place->live) {
        fields.live = acme_store_path(sink->store, "live", cert->id, p);
        fields.cert = acme_store_live(sink->store, cert->id, "cert.pem", p);
        fields.chain = acme_store_live(sink->store, cert->id, "chain.pem", p);
        fields.fullchain =
            acme_store_live(sink->store, cert->id, "fullchain.pem", p);
        fields.privkey =
            acme_store_live(sink->store, cert->id, "privkey.pem", p);
        fields.not_after = place->not_after;
    }
    apr_pool_create(&own, sink->p);
    run = apr_palloc(own, sizeof(*run));
    *run = (run_t){ .next = place->runs,
                    .place = place,
                    .number = place->number,
                    .digest = acme_conf_hook_digest(command, own),
                    .p = own };
    place->runs = run;
    hook.baton = run;
    sink->running++;
    place->running++;
    acme_hook_run_start(sink->hooks, &hook);
}

/* When it may be started; a clock that was set back delays nothing. */
static apr_time_t start_at(const place_t *place, apr_time_t now)
{
    const apr_time_t at = place->paid_until - (BURST - 1) * PACE;

    return place->next_hook || at > now + PACE ? now : at;
}

static void enqueue(acme_event_sink_t *sink, place_t *place)
{
    place_t **end = &sink->first;

    while (*end) {
        end = &(*end)->next;
    }
    *end = place;
    place->next = NULL;
    place->waiting = 1;
    place->next_hook = 0;
    place->again = 0;
}

/* Start those whose time has come, as long as less than most run. */
static void start_hooks(acme_event_sink_t *sink, int most, apr_time_t now,
                        apr_pool_t *p)
{
    place_t **at = &sink->first;

    while (*at && sink->running < most) {
        place_t *place = *at;
        const acme_cert_conf_t *cert = acme_conf_cert(sink->conf, place->cert);

        if (start_at(place, now) > now) {
            at = &place->next;
            continue;
        }
        if (place->next_hook == 0) {
            place->paid_until =
                PACE
                + (place->paid_until > now
                           && place->paid_until < now + BURST * PACE
                       ? place->paid_until
                       : now);
        }
        start_hook(place,
                   acme_conf_hook(cert, ACME_HOOK_NOTIFY, place->next_hook++),
                   p);
        if (!acme_conf_hook(cert, ACME_HOOK_NOTIFY, place->next_hook)) {
            *at = place->next;
            place->waiting = 0;
            place->is_starting = 0;
            if (place->again) {
                enqueue(sink, place);
            }
        }
    }
}

/* When what was not delivered is tried again; 0: nothing of it, or it runs. */
static apr_time_t retry_at(const place_t *place, apr_time_t now)
{
    apr_time_t latest;

    if (!place || !place->missed || place->waiting || place->running) {
        return 0;
    }
    latest = now + ACME_HOOK_PAUSE_MAX + conf_of(place)->hook_timeout
        + AFTER_TIMEOUT;        /* unless the clock was set back */
    return place->retry_at > latest || !place->retry_at ? now
                                                        : place->retry_at;
}

static void retry(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p)
{
    const apr_size_t count =
        (apr_size_t)sink->conf->certs->nelts * ACME_EVENTS;
    apr_size_t i;
    int k;

    for (i = 0; sink->missed && i < count && sink->running < COMMANDS_MAX;
         i++) {
        place_t *place = sink->places[i];
        const apr_time_t at = retry_at(place, now);

        for (k = 0; at && at <= now && k < place->missed->nelts; k++) {
            const acme_hook_conf_t *command =
                find_hook(conf_of(place),
                          APR_ARRAY_IDX(place->missed, k, const char *), p);

            start_hook(place, command, p);
        }
    }
}

void acme_event_send(acme_event_sink_t *sink, const acme_state_t *state,
                     acme_event_e event, const char *detail, apr_pool_t *p)
{
    place_t *place;

    if (!sink
        || !acme_conf_hook(acme_conf_cert(sink->conf, state->cert),
                           ACME_HOOK_NOTIFY, 0)) {
        return;
    }
    place = place_of(sink, state->cert, event);
    place->number++;
    forget_missed(place);
    place->since = apr_time_now();
    place->live = state->live != 0;
    place->not_after = state->not_after;
    apr_cpystrn(place->problem, state->problem, sizeof(place->problem));
    apr_cpystrn(place->detail, detail ? detail : "", sizeof(place->detail));
    if (!place->waiting) {
        enqueue(sink, place);
    }
    else {
        place->again = place->next_hook > 0;
    }
    start_hooks(sink, COMMANDS_MAX, apr_time_now(), p);
    sink->unsaved |= place->waiting;
}

static int is_saved(const place_t *place)
{
    return place->is_stored && place->stored == place->number;
}

/* A keeper may be killed while an event waits. */
static void save_waiting(acme_event_sink_t *sink, apr_time_t now)
{
    const place_t *place;
    int n = 0;

    for (place = sink->unsaved ? sink->first : NULL; place;
         place = place->next) {
        if (!is_saved(place)) {
            if (n++ == SAVES_MAX) {
                return;
            }
            save(sink, place->cert, now);
        }
    }
    sink->unsaved = 0;
}

void acme_event_step(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p)
{
    start_hooks(sink, COMMANDS_MAX, now, p);
    retry(sink, now, p);
    save_waiting(sink, now);
}

apr_time_t acme_event_wake(const acme_event_sink_t *sink, apr_time_t now)
{
    const apr_size_t count =
        (apr_size_t)sink->conf->certs->nelts * ACME_EVENTS;
    const place_t *place;
    apr_time_t wake = 0;
    apr_size_t i;

    if (sink->unsaved) {
        return now;
    }
    if (sink->running >= COMMANDS_MAX) {
        return 0;
    }
    for (place = sink->first; place; place = place->next) {
        const apr_time_t at = start_at(place, now);

        if (!wake || at < wake) {
            wake = at;
        }
    }
    for (i = 0; sink->missed && i < count; i++) {
        wake = acme_time_earlier(wake, retry_at(sink->places[i], now));
    }
    return wake;
}

/* Which of those that wait start_hooks() will start. */
static void note_starting(acme_event_sink_t *sink, int most, apr_time_t now)
{
    place_t *place;
    int n = sink->running;

    for (place = sink->first; place && n < most; place = place->next) {
        int i = place->next_hook;

        place->is_starting = start_at(place, now) <= now;
        while (place->is_starting
               && acme_conf_hook(conf_of(place), ACME_HOOK_NOTIFY, i++)) {
            n++;
        }
    }
}

/* Does one run whose end will not be heard? The first time it is run again. */
static int note_interrupted(place_t *place)
{
    run_t *run;
    int count = 0;

    for (run = place->runs; run; run = run->next) {
        count += is_run_of(run, place);
    }
    if (!count || ++place->interrupted < INTERRUPTED_MAX) {
        return count;
    }
    acme_log(
        place->sink->log, ACME_LOG_WARNING, "notify",
        "%s: httpd was reloaded twice while a command of AcmeHook notify ran for the event %s, so it counts as delivered; a command of notify need not reload httpd",
        conf_of(place)->id, words[place->event]);
    for (run = place->runs; run; run = run->next) {
        if (is_run_of(run, place)) {
            run->counts_as_done = 1;
            remove_missed(place, run->digest);
        }
    }
    return count;
}

/* Before the commands are started: little time is left then. */
static void save_unended(acme_event_sink_t *sink, apr_time_t now)
{
    int i, event;

    for (i = 0; i < sink->conf->certs->nelts; i++) {
        int is_due = 0;

        for (event = 0; event < ACME_EVENTS; event++) {
            place_t *place = sink->places[i * ACME_EVENTS + event];

            if (place) {
                is_due |= note_interrupted(place) || place->is_starting
                    || (place->waiting && !is_saved(place));
            }
        }
        if (is_due) {
            save(sink, (apr_uint32_t)i, now);
        }
    }
}

void acme_event_flush(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p)
{
    note_starting(sink, ACME_HOOKS_MAX, now);
    save_unended(sink, now);
    start_hooks(sink, ACME_HOOKS_MAX, now, p);
    acme_hook_run_step(sink->hooks, now); /* writes what they read */
    if (sink->first) {
        acme_log(
            sink->log, ACME_LOG_NOTICE, "notify",
            "some events came too often, so that their commands were not run before the keeper ended; they are run later");
    }
}
