/*
 * acme_scheduler.c - what is due, and the threads that do it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_pool.h>

#include "acme_admin_task.h"
#include "acme_counters.h"
#include "acme_dry_run.h"
#include "acme_keeper_client.h"
#include "acme_live_check.h"
#include "acme_look_up.h"
#include "acme_next_step.h"
#include "acme_rate_limits.h"
#include "acme_rehearsal.h"
#include "acme_rehearsal_task.h"
#include "acme_renewal.h"
#include "acme_self_check.h"
#include "acme_self_check_task.h"
#include "acme_task_pool.h"
#include "acme_timing.h"
#include "acme_scheduler.h"

#define RUN_EVERY apr_time_from_sec(1)
#define RUN_SOON apr_time_from_msec(100)    /* something runs */

/* The keeper is asked when it has news, while something runs, and after this. */
#define ASK_AGAIN apr_time_from_sec(10)

/* A certificate is looked at when something of it is due, and after this. */
#define LOOK_AGAIN apr_time_from_sec(600)

/* After a task that reported nothing. */
#define SILENT_REST apr_time_from_sec(10)

/* A limit that ends earlier than it was told by less is not told again. */
#define LIMIT_SLACK apr_time_from_sec(60)

/*
 * Orders that wait for DNS, beside AcmeParallel. Each has a channel to the
 * keeper, which takes 128 of a process.
 */
#define DNS_WAITERS_MAX 48

/*
 * Of the certificates that are ordered side by side: each name may have a row
 * on the board, which has 2048, until its order ends.
 */
#define NAMES_MAX 1024

/*
 * Visits to httpd are short, and nobody waits for them: few at once, so that
 * thousands that are due after a load are no burden to it, and beside what is
 * asked of CAs, so that this does not wait for them.
 */
#define CHECKS_MAX 4

/* Somebody waits for those, and each has threads of its own. */
#define REHEARSALS_MAX 4

/*
 * An administrator may want one of each certificate, and each may wait for a
 * validation that hangs: few at once, and beside AcmeParallel, so that no
 * renewal waits for them.
 */
#define DRY_RUNS_MAX 2

/*
 * A task that ended is not begun again before the keeper's state of it was
 * read: ENDED is cleared by the run that reads it.
 */
typedef enum { AT_REST, RUNNING, ENDED } run_e;

/* What a thread does with a certificate. */
typedef void task_run_t(const acme_task_env_t *env,
                        acme_task_request_t *request, apr_pool_t *p);

typedef struct {
    struct acme_scheduler_t *scheduler;
    acme_state_t state;         /* the latest that was read */
    acme_task_request_t request;        /* the running task's own */
    task_run_t *task;
    atomic_int run;             /* run_e */
    int has_ended;              /* when this run of the scheduler began */
    apr_time_t rest_until;      /* after a task that reported nothing */
} entry_t;

/* How many tasks there are of each kind. */
typedef struct {
    int orders;                 /* and what the witness asks */
    int dns_waiters;            /* orders that count no more */
    int checks;
    int rehearsals;
    int dry_runs;
    int names;                  /* of orders, those that wait for DNS too */
    int *at_route;              /* orders, by route */
} under_way_t;

struct acme_scheduler_t {
    acme_scheduler_conf_t conf;
    acme_task_env_t env;
    acme_keeper_client_t *client;      /* the scheduler's own; NULL: none yet */
    apr_pool_t *client_pool;
    apr_int32_t keeper_pid;     /* whose changes we counted */
    apr_thread_pool_t *threads;
    entry_t *entries;           /* one for each certificate */
    int certs;                  /* how many */
    apr_time_t *wakes;          /* of each: nothing is due before; 0: look */
    apr_time_t next_wake;       /* the earliest of them */
    apr_uint32_t news;          /* acme_scheduler_change_cb, when the keeper was */
    apr_time_t asked_at;        /*   asked last; 0: it is to be asked */
    apr_time_t looked_at;       /* in the run before */
    int *active;                /* those that are not at rest: indexes */
    int nactive;
    acme_rate_limits_t *limits; /* the scheduler's own */
    apr_uint64_t change;        /* the latest that was read */
    int is_logged;              /* that the keeper does not answer */
    int first;                  /* which one is begun first: those at the end
                                   of the list must not wait for ever */
    under_way_t under_way;
    apr_pool_t *scratch;        /* of one run */

    int ends[2];                /* an octet in this pipe: tasks have ended */

    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *left;
    int busy;                   /* tasks under way */
};

/* Full is as good: who reads it takes all. */
static void tell_end(const acme_scheduler_t *scheduler)
{
    (void)!write(scheduler->ends[1], "", 1);
}

/* Before the ends are looked at: one that comes meanwhile is told again. */
static void take_ends(const acme_scheduler_t *scheduler)
{
    char octets[256];

    while (read(scheduler->ends[0], octets, sizeof(octets)) > 0) {
        continue;
    }
}

static apr_status_t close_ends(void *data)
{
    const acme_scheduler_t *scheduler = data;

    close(scheduler->ends[0]);
    close(scheduler->ends[1]);
    return APR_SUCCESS;
}

static apr_status_t open_ends(acme_scheduler_t *scheduler, apr_pool_t *p)
{
    if (pipe2(scheduler->ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno;
    }
    apr_pool_cleanup_register(p, scheduler, close_ends,
                              apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static void count_busy(acme_scheduler_t *scheduler, int more)
{
    apr_thread_mutex_lock(scheduler->mutex);
    scheduler->busy += more;
    apr_thread_cond_broadcast(scheduler->left);
    apr_thread_mutex_unlock(scheduler->mutex);
}

static void *APR_THREAD_FUNC run_task(apr_thread_t *thread, void *data)
{
    entry_t *entry = data;
    acme_scheduler_t *scheduler = entry->scheduler;
    apr_pool_t *p;

    (void)thread;
    if (!acme_stop_is(scheduler->env.stop)
        && (p = acme_task_pool_make()) != NULL) {
        entry->task(&scheduler->env, &entry->request, p);
        apr_pool_destroy(p);
    }
    atomic_store(&entry->run, ENDED);
    tell_end(scheduler);
    count_busy(scheduler, -1);
    return NULL;
}

/*
 * A push that fails because no thread can be made leaves the task in the queue,
 * for a thread that is there; where there is none it is taken out again.
 */
static int push(acme_scheduler_t *scheduler, entry_t *entry)
{
    apr_thread_pool_t *threads = scheduler->threads;

    if (!apr_thread_pool_push(threads, run_task, entry, 0, scheduler)
        || apr_thread_pool_threads_count(threads)) {
        return 1;
    }
    apr_thread_pool_tasks_cancel(threads, scheduler);
    return 0;
}

static void begin_task(acme_scheduler_t *scheduler, entry_t *entry,
                       apr_time_t now)
{
    entry->request.state = entry->state;
    if (entry->task == acme_renewal_run
        && entry->state.wanted == ACME_WANT_DRY_RUN) {
        /* An order that does not wait for it is not what was requested. */
        entry->request.state.wanted = ACME_WANT_NOTHING;
    }
    atomic_store(&entry->run, RUNNING);
    scheduler->active[scheduler->nactive++] =
        (int)(entry - scheduler->entries);
    count_busy(scheduler, 1);
    if (!push(scheduler, entry)) {
        atomic_store(&entry->run, AT_REST);
        entry->rest_until = now + SILENT_REST;
        scheduler->nactive--;
        acme_rate_limits_end(scheduler->limits, entry->state.cert);
        count_busy(scheduler, -1);
    }
}

/* One state that changed. ENOENT: there is none more. */
static apr_status_t read_change(acme_scheduler_t *scheduler,
                                acme_result_t *res)
{
    acme_msg_after_t after = { scheduler->change };
    const acme_state_t *state;
    acme_message_t reply;
    apr_status_t rv;

    rv = acme_keeper_client_call(&reply, scheduler->client, ACME_MSG_CHANGES,
                                 &after, res, scheduler->scratch);
    if (acme_keeper_client_welcome(scheduler->client)->pid
        != scheduler->keeper_pid) {
        /* A new keeper counts its changes anew: all of them are read. */
        scheduler->keeper_pid =
            acme_keeper_client_welcome(scheduler->client)->pid;
        scheduler->change = 0;
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    state = reply.body;
    if (!acme_conf_cert(scheduler->conf.conf, state->cert)) {
        return acme_fail(
            res, APR_EINVAL,
            "keeper: its configuration differs from that of this process");
    }
    scheduler->entries[state->cert].state = *state;
    scheduler->wakes[state->cert] = 0;
    /* The clock of now: it may have happened since the run began. */
    acme_rate_limits_read(scheduler->limits, state, apr_time_now());
    scheduler->change = state->change;
    return APR_SUCCESS;
}

/* All that changed. False when the keeper does not answer. */
static int read_changes(acme_scheduler_t *scheduler)
{
    acme_result_t res;
    apr_status_t rv = APR_SUCCESS;

    if (!scheduler->client) {
        apr_pool_clear(scheduler->client_pool);
        rv = acme_keeper_client_open(
            &scheduler->client, scheduler->conf.keeper, scheduler->env.stop,
            &res, scheduler->client_pool);
    }
    while (rv == APR_SUCCESS) {
        rv = read_change(scheduler, &res);
        apr_pool_clear(scheduler->scratch);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        scheduler->is_logged = 0;
        return 1;
    }
    if (!scheduler->is_logged && !acme_stop_is(scheduler->env.stop)
        && rv != APR_EOF) {
        acme_log(scheduler->conf.log, ACME_LOG_ERROR, "renewal", "%s",
                 res.detail);
        scheduler->is_logged = 1;
    }
    return 0;
}

/* The order is postponed: people can read until when and why. */
static void note_postponed(acme_scheduler_t *scheduler, const entry_t *entry,
                           apr_time_t until, acme_reason_e reason,
                           const char *why)
{
    acme_msg_note_t note = { .about = { .cert = entry->state.cert,
                                        .ca = entry->request.ca },
                             .note = ACME_NOTE_LIMIT,
                             .next_at = until,
                             .why = reason };
    acme_result_t ignored;

    apr_cpystrn(note.detail, why, sizeof(note.detail));
    acme_keeper_client_call(NULL, scheduler->client, ACME_MSG_NOTE, &note,
                            &ignored, scheduler->scratch);
}

/*
 * No CA can take it now: that which can first. What is shown is its time, and
 * each run looks at all of them again.
 */
static apr_uint32_t find_first_ca(acme_scheduler_t *scheduler,
                                  const acme_state_t *state, apr_time_t now)
{
    const acme_cert_conf_t *cert = acme_conf_cert(scheduler->conf.conf,
                                                  state->cert);
    apr_time_t paused[ACME_CHOICE_MAX] = { 0 };
    const char *ignored;
    apr_uint32_t i;

    for (i = 0; i < state->cas && i < ACME_CHOICE_MAX; i++) {
        paused[i] = acme_ca_pool_next_at(&ignored, scheduler->env.cas,
                                         acme_conf_route_index(cert, i), now,
                                         scheduler->scratch);
    }
    return acme_rate_limits_first(scheduler->limits, state, paused, now,
                                  scheduler->scratch);
}

/* Is this told already, as well as it is known? It may only get better. */
static int is_limit_known(const acme_state_t *state, apr_time_t at,
                          apr_time_t now)
{
    return state->limit_why == ACME_REASON_RATE_LIMITED
        && state->limit_until > now && at > state->limit_until - LIMIT_SLACK;
}

/* An entry's way to its CA. */
static apr_uint32_t route_of(const acme_scheduler_t *scheduler,
                             const entry_t *entry)
{
    return acme_conf_route_index(acme_conf_cert(scheduler->conf.conf,
                                                entry->state.cert),
                                 entry->request.ca);
}

/* Is there one more place for an order at this CA? */
static int has_place(const acme_scheduler_t *scheduler, apr_uint32_t route)
{
    return scheduler->under_way.at_route[route]
           < acme_ca_pool_parallel(scheduler->env.cas, route);
}

/* Is there one more place at any CA? */
static int has_room(const acme_scheduler_t *scheduler)
{
    const under_way_t *under_way = &scheduler->under_way;
    const int most = scheduler->conf.conf->parallel;
    apr_uint32_t i;

    if (under_way->orders >= most
        || under_way->orders + under_way->dns_waiters
           >= most + DNS_WAITERS_MAX) {
        return 0;
    }
    for (i = 0; i < (apr_uint32_t)scheduler->conf.conf->routes->nelts; i++) {
        if (has_place(scheduler, i)) {
            return 1;
        }
    }
    return 0;
}

/* One that has more names than that by itself is ordered alone. */
static int has_room_for_names(const acme_scheduler_t *scheduler,
                              const entry_t *entry)
{
    const int n = acme_conf_cert(scheduler->conf.conf,
                                 entry->state.cert)->names->nelts;

    return !scheduler->under_way.names
        || scheduler->under_way.names + n <= NAMES_MAX;
}

/*
 * Can it be ordered now? From a CA that answers, has a place, and whose limits
 * allow it, if there is one.
 */
static int choose_ca(acme_scheduler_t *scheduler, entry_t *entry,
                     apr_time_t now)
{
    const acme_state_t *state = &entry->state;
    const acme_cert_conf_t *cert = acme_conf_cert(scheduler->conf.conf,
                                                  state->cert);
    acme_ca_pool_t *cas = scheduler->env.cas;
    unsigned char full[ACME_CHOICE_MAX];
    const char *why;
    apr_time_t at;

    acme_rate_limits_full(full, scheduler->limits, state, now,
                          scheduler->scratch);
    entry->request.ca = acme_ca_pool_choose(cas, state, cert, full, now);
    if (entry->request.ca < ACME_CHOICE_MAX && full[entry->request.ca]) {
        entry->request.ca = find_first_ca(scheduler, state, now);
    }
    if (!has_place(scheduler, route_of(scheduler, entry))) {
        apr_pool_clear(scheduler->scratch);
        return 0;
    }
    at = acme_ca_pool_next_at(&why, cas, route_of(scheduler, entry), now,
                              scheduler->scratch);
    if (state->wanted != ACME_WANT_RENEWAL && at > now) {
        /* For people only, and once: it is chosen again at each run. */
        if (why && (state->limit_why != ACME_REASON_CA_PAUSED
                    || state->limit_until <= now)) {
            note_postponed(scheduler, entry, at, ACME_REASON_CA_PAUSED, why);
        }
        apr_pool_clear(scheduler->scratch);
        return 0;
    }
    at = acme_rate_limits_next(&why, scheduler->limits, state,
                               entry->request.ca, now, scheduler->scratch);
    if (why) {
        if (!is_limit_known(state, at, now)) {
            note_postponed(scheduler, entry, at, ACME_REASON_RATE_LIMITED,
                           why);
        }
        acme_rate_limits_wait(scheduler->limits, state, entry->request.ca, why,
                              now);
    }
    else if (at <= now) {
        acme_rate_limits_begin(scheduler->limits, state, entry->request.ca,
                               now);
    }
    apr_pool_clear(scheduler->scratch);
    return at <= now;
}

/* The order that is due now; false: none. It does not wait for a dry run that
   has no place yet. */
static int find_order(acme_scheduler_t *scheduler, entry_t *entry,
                      apr_time_t now)
{
    const acme_state_t *state = &entry->state;

    entry->task = acme_renewal_run;
    return (state->wanted <= ACME_WANT_RENEWAL
            || state->wanted == ACME_WANT_DRY_RUN)
        && acme_next_step_is_due(state, now)
        && has_room_for_names(scheduler, entry)
        && choose_ca(scheduler, entry, now);
}

/* The dry run that an administrator waits for; false: none. */
static int find_dry_run(const acme_scheduler_t *scheduler, entry_t *entry)
{
    const acme_state_t *state = &entry->state;
    const acme_cert_conf_t *cert = acme_conf_cert(scheduler->conf.conf,
                                                  state->cert);

    entry->task = acme_dry_run_run;
    entry->request.ca = acme_conf_dry_run_ca(cert, state->wanted_ca);
    return (scheduler->conf.duties & ACME_DUTY_ORDERS)
        && state->wanted == ACME_WANT_DRY_RUN
        && acme_conf_ca(scheduler->conf.conf, cert, entry->request.ca) != NULL;
}

/* What to ask the CA now; false: nothing. */
static int find_question(const acme_scheduler_t *scheduler, entry_t *entry,
                         apr_time_t now)
{
    const acme_state_t *state = &entry->state;
    const acme_conf_t *conf = scheduler->conf.conf;
    apr_time_t ask_at;

    if (state->wanted > ACME_WANT_RENEWAL && state->wanted != ACME_WANT_DRY_RUN
        && acme_next_step_is_due(state, now)) {
        const apr_uint32_t ca = state->wanted <= ACME_WANT_DELETION
            ? state->issued_by : state->wanted_ca;

        entry->task = acme_admin_task_run;
        entry->request.ca = ca < state->cas ? ca : 0;
        return 1;
    }
    if (state->look_up) {
        entry->task = acme_look_up_run;
        entry->request.ca = acme_conf_ca(conf, acme_conf_cert(conf, state->cert),
                                         state->look_up_ca)
            ? state->look_up_ca : 0;
        return 1;
    }
    entry->task = acme_live_check_run;
    entry->request.ca = state->issued_by;
    ask_at = acme_timing_ask_at(state, now);
    return ask_at && ask_at <= now;
}

/* What to do with the certificate now; false: nothing. */
static int find_task(acme_scheduler_t *scheduler, entry_t *entry,
                     apr_time_t now)
{
    const int duties = scheduler->conf.duties;

    return ((duties & ACME_DUTY_ORDERS) && find_order(scheduler, entry, now))
        || ((duties & ACME_DUTY_WITNESS)
            && find_question(scheduler, entry, now)
            && has_place(scheduler, route_of(scheduler, entry)));
}

static int find_check(const acme_scheduler_t *scheduler, entry_t *entry,
                      apr_time_t now)
{
    entry->task = acme_self_check_task_run;
    return (scheduler->conf.duties & ACME_DUTY_WITNESS)
        && acme_self_check_is_due(&entry->state, now);
}

static int find_rehearsal(const acme_scheduler_t *scheduler, entry_t *entry)
{
    entry->task = acme_rehearsal_task_run;
    return (scheduler->conf.duties & ACME_DUTY_WITNESS)
        && acme_rehearsal_is_due(&entry->state);
}

static void count_order(acme_scheduler_t *scheduler, const entry_t *entry)
{
    under_way_t *under_way = &scheduler->under_way;

    under_way->names += acme_conf_cert(scheduler->conf.conf,
                                       entry->state.cert)->names->nelts;
    if (atomic_load(&entry->request.waits_for_dns)) {
        under_way->dns_waiters++;
        return;
    }
    under_way->orders++;
    under_way->at_route[route_of(scheduler, entry)]++;
}

static void count_under_way(acme_scheduler_t *scheduler)
{
    int *at_route = scheduler->under_way.at_route;
    int i;

    memset(at_route, 0, (apr_size_t)scheduler->conf.conf->routes->nelts
                        * sizeof(*at_route));
    scheduler->under_way = (under_way_t) { .at_route = at_route };
    for (i = 0; i < scheduler->nactive; i++) {
        const entry_t *entry = &scheduler->entries[scheduler->active[i]];

        if (entry->task == acme_self_check_task_run) {
            scheduler->under_way.checks++;
        }
        else if (entry->task == acme_rehearsal_task_run) {
            scheduler->under_way.rehearsals++;
        }
        else if (entry->task == acme_dry_run_run) {
            scheduler->under_way.dry_runs++;
        }
        else {
            count_order(scheduler, entry);
        }
    }
}

/*
 * When we may have to do something of a certificate of which nothing is begun
 * now; 0: that is not known, as what is due waits for a place, or a CA. The
 * thousands of which nothing is due must not be looked at each second.
 */
static apr_time_t wake_of(const acme_state_t *state, int duties,
                          apr_time_t now)
{
    const int is_witness = duties & ACME_DUTY_WITNESS;
    const int is_question = state->wanted > ACME_WANT_RENEWAL
        && state->wanted != ACME_WANT_DRY_RUN;
    const int is_ours = is_question ? is_witness : duties & ACME_DUTY_ORDERS;
    const apr_time_t times[] = {
        is_ours ? acme_next_step(state, now).at : 0,
        is_witness ? acme_timing_ask_at(state, now) : 0,
        is_witness && state->live && state->live == state->served
            ? state->check_at : 0
    };
    apr_time_t wake = now + LOOK_AGAIN;
    size_t i;

    if ((is_ours && (state->wanted == ACME_WANT_DRY_RUN
                     || acme_next_step_is_due(state, now)))
        || (is_witness && (state->look_up || acme_rehearsal_is_due(state)))) {
        return 0;
    }
    for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
        if (times[i] && times[i] < wake) {
            wake = times[i];
        }
    }
    return wake;
}

/* True when something is under way. */
static int begin_due(acme_scheduler_t *scheduler, apr_time_t now)
{
    under_way_t *under_way = &scheduler->under_way;
    const int first = scheduler->first;
    int i, is_room;
    const char *news;

    count_under_way(scheduler);
    is_room = has_room(scheduler);
    for (i = 0; i < scheduler->certs; i++) {
        const int at = (first + i) % scheduler->certs;
        entry_t *entry;

        if (!is_room && under_way->checks >= CHECKS_MAX
            && under_way->rehearsals >= REHEARSALS_MAX
            && under_way->dry_runs >= DRY_RUNS_MAX) {
            break;
        }
        if (now < scheduler->wakes[at]) {
            continue;
        }
        entry = &scheduler->entries[at];
        if (atomic_load(&entry->run) != AT_REST || now < entry->rest_until) {
            continue;
        }
        if (under_way->rehearsals < REHEARSALS_MAX
            && find_rehearsal(scheduler, entry)) {
            begin_task(scheduler, entry, now);
            under_way->rehearsals++;
        }
        else if (under_way->dry_runs < DRY_RUNS_MAX
                 && find_dry_run(scheduler, entry)) {
            begin_task(scheduler, entry, now);
            under_way->dry_runs++;
        }
        else if (is_room && find_task(scheduler, entry, now)) {
            count_order(scheduler, entry);
            begin_task(scheduler, entry, now);
            scheduler->first = at + 1;
            is_room = has_room(scheduler);
        }
        else if (under_way->checks < CHECKS_MAX
                 && find_check(scheduler, entry, now)) {
            begin_task(scheduler, entry, now);
            under_way->checks++;
        }
        else {
            scheduler->wakes[at] = wake_of(&entry->state,
                                              scheduler->conf.duties, now);
        }
    }

    scheduler->next_wake = now + LOOK_AGAIN;
    for (i = 0; i < scheduler->certs; i++) {
        if (scheduler->wakes[i] < scheduler->next_wake) {
            scheduler->next_wake = scheduler->wakes[i];
        }
    }
    while ((news = acme_rate_limits_news(scheduler->limits, now,
                                         scheduler->scratch))) {
        acme_log(scheduler->conf.log, ACME_LOG_NOTICE, "renewal", "%s", news);
    }
    apr_pool_clear(scheduler->scratch);
    return under_way->orders + under_way->dns_waiters + under_way->checks
               + under_way->rehearsals + under_way->dry_runs > 0;
}

/* A run in which nothing is to be done, as nearly each is. */
static int is_idle(const acme_scheduler_t *scheduler, apr_time_t now)
{
    const acme_scheduler_conf_t *conf = &scheduler->conf;

    return conf->change && !scheduler->nactive && scheduler->asked_at
        && scheduler->asked_at <= now && now < scheduler->asked_at + ASK_AGAIN
        && now < scheduler->next_wake
        && conf->change(conf->change_baton) == scheduler->news;
}

/* Those that had ended before: what they reported was read just now. */
static void rest_ended(acme_scheduler_t *scheduler, apr_time_t now)
{
    int i, kept = 0;

    for (i = 0; i < scheduler->nactive; i++) {
        const int at = scheduler->active[i];
        entry_t *entry = &scheduler->entries[at];

        if (!entry->has_ended) {
            scheduler->active[kept++] = at;
            continue;
        }
        entry->has_ended = 0;
        atomic_store(&entry->run, AT_REST);
        acme_rate_limits_end(scheduler->limits, (apr_uint32_t)at);
        entry->rest_until = entry->state.change
            == entry->request.state.change ? now + SILENT_REST : 0;
        scheduler->wakes[at] = 0;
    }
    scheduler->nactive = kept;
}

apr_interval_time_t acme_scheduler_run(acme_scheduler_t *scheduler,
                                       apr_time_t now)
{
    int i;

    acme_counters_pulse(scheduler->conf.duties & ACME_DUTY_ORDERS
                            ? ACME_PULSE_RENEWAL : ACME_PULSE_WITNESS, now);
    acme_ca_pool_close_idle(scheduler->env.cas, apr_time_now());
    take_ends(scheduler);
    if (is_idle(scheduler, now)) {
        return RUN_EVERY;
    }
    if (now < scheduler->looked_at) {   /* the clock was set back */
        memset(scheduler->wakes, 0,
               (size_t)scheduler->certs * sizeof(*scheduler->wakes));
    }
    scheduler->looked_at = now;
    for (i = 0; i < scheduler->nactive; i++) {
        entry_t *entry = &scheduler->entries[scheduler->active[i]];

        entry->has_ended = atomic_load(&entry->run) == ENDED;
    }
    /* Read before it is asked: what comes meanwhile is news of the next run. */
    if (scheduler->conf.change) {
        scheduler->news =
            scheduler->conf.change(scheduler->conf.change_baton);
    }
    scheduler->asked_at = 0;
    if (!read_changes(scheduler)) {
        return RUN_EVERY;
    }
    scheduler->asked_at = now;
    acme_rate_limits_count(scheduler->limits, apr_time_now());
    rest_ended(scheduler, now);
    return begin_due(scheduler, now) ? RUN_SOON : RUN_EVERY;
}

void acme_scheduler_wait(acme_scheduler_t *scheduler, apr_interval_time_t most,
                         const sigset_t *signals)
{
    struct pollfd fds[] = {
        { .fd = scheduler->ends[0], .events = POLLIN },
        { .fd = acme_stop_fd(scheduler->env.stop), .events = POLLIN }
    };
    const struct timespec ts = { .tv_sec = (time_t)apr_time_sec(most),
                                 .tv_nsec = (long)apr_time_usec(most) * 1000 };

    ppoll(fds, sizeof(fds) / sizeof(*fds), &ts, signals);
}

void acme_scheduler_stop(acme_scheduler_t *scheduler)
{
    acme_stop_now(scheduler->env.stop);
}

int acme_scheduler_join(acme_scheduler_t *scheduler, apr_interval_time_t most)
{
    const apr_time_t end = apr_time_now() + most;
    apr_interval_time_t wait;
    int busy;

    apr_thread_mutex_lock(scheduler->mutex);
    while (scheduler->busy && (wait = end - apr_time_now()) > 0) {
        apr_thread_cond_timedwait(scheduler->left, scheduler->mutex, wait);
    }
    busy = scheduler->busy;
    apr_thread_mutex_unlock(scheduler->mutex);
    return !busy;
}

apr_status_t acme_scheduler_create(acme_scheduler_t **pscheduler,
                                   const acme_scheduler_conf_t *conf,
                                   acme_result_t *res, apr_pool_t *p)
{
    acme_scheduler_t *scheduler = apr_pcalloc(p, sizeof(*scheduler));
    const apr_size_t threads = (apr_size_t)conf->conf->parallel
        + DNS_WAITERS_MAX + CHECKS_MAX + REHEARSALS_MAX + DRY_RUNS_MAX;
    acme_task_env_t *env = &scheduler->env;
    apr_status_t rv;
    int i;

    *pscheduler = NULL;

    scheduler->conf = *conf;
    scheduler->certs = conf->conf->certs->nelts;
    rv = acme_stop_create(&env->stop, p);
    if (rv == APR_SUCCESS) {
        rv = open_ends(scheduler, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_ca_pool_create(&env->cas, conf->conf, conf->log,
                                 conf->user_agent, env->stop, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&scheduler->mutex,
                                     APR_THREAD_MUTEX_DEFAULT, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&scheduler->left, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_pool_create(&scheduler->threads, 0, threads, p);
    }
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "renewal: cannot begin");
    }
    env->conf = conf->conf;
    env->solver = conf->solver;
    env->keeper = conf->keeper;
    env->waits = conf->waits ? conf->waits : &acme_task_waits;
    env->dns.stop = env->stop;
    env->dns.servers = conf->dns_servers;
    scheduler->limits = acme_rate_limits_create(conf->conf, p);
    scheduler->under_way.at_route = apr_pcalloc(
        p, (apr_size_t)(conf->conf->routes->nelts + 1)
           * sizeof(*scheduler->under_way.at_route));
    scheduler->entries = apr_pcalloc(p, (apr_size_t)(scheduler->certs + 1)
                                     * sizeof(*scheduler->entries));
    scheduler->wakes = apr_pcalloc(p, (apr_size_t)(scheduler->certs + 1)
                                   * sizeof(*scheduler->wakes));
    scheduler->active = apr_pcalloc(p, (apr_size_t)(scheduler->certs + 1)
                                    * sizeof(*scheduler->active));
    for (i = 0; i < scheduler->certs; i++) {
        scheduler->entries[i].scheduler = scheduler;
    }
    apr_pool_create(&scheduler->client_pool, p);
    apr_pool_create(&scheduler->scratch, p);

    *pscheduler = scheduler;
    return APR_SUCCESS;
}
