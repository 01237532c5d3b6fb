/*
 * acme_scheduler.c - what is due, and the threads that do it.
 */
#include <stdatomic.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_pool.h>

#include "acme_scheduler.h"
#include "acme_live_check.h"
#include "acme_client.h"
#include "acme_rate_limits.h"
#include "acme_schedule.h"

#define LOOK_EVERY apr_time_from_sec(1)
#define SILENT_REST apr_time_from_sec(10)
#define LOOK_SOON apr_time_from_msec(100)   /* something runs or has ended */

/*
 * Orders that wait for a DNS, beside AcmeParallel. Each has a channel to the
 * keeper, which takes 128.
 */
#define AWAY_MAX 48

/*
 * An order that ended is not begun again before the keeper's word of how it
 * ended was heard: ENDED is cleared by the look that hears it.
 */
typedef enum { AT_REST, RUNNING, ENDED } run_e;

/* What a thread does with a certificate. */
typedef void task_t(const acme_workshop_t *shop, acme_turn_t *turn,
                    apr_pool_t *p);

typedef struct {
    struct acme_scheduler_t *agenda;
    acme_state_t state;         /* as last heard of */
    acme_turn_t turn;           /* the running task's own */
    task_t *task;
    atomic_int run;             /* run_e */
    apr_time_t rest_until;      /* after an order that told nothing */
} entry_t;

struct acme_scheduler_t {
    acme_scheduler_conf_t conf;
    acme_workshop_t shop;
    acme_stop_t *stop;
    acme_client_t *client;      /* the looking thread's; NULL: none yet */
    apr_pool_t *client_pool;
    apr_int32_t keeper_pid;     /* whose changes we counted */
    apr_thread_pool_t *threads;
    entry_t *entries;           /* one for each certificate */
    acme_rate_limits_t *quota;  /* the looking thread's: CAs' limits */
    apr_uint64_t heard;         /* the latest change */
    int deaf;                   /* told the log that the keeper is silent */

    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *left;
    int first;                  /* whose turn it is: those at the end of the
                                   list must not wait for ever */
    int busy;                   /* orders under way */
    char *marked;               /* a look's own: which had ended before it */
    apr_pool_t *scratch;        /* a look's own */
};

static void enter(acme_scheduler_t *agenda)
{
    apr_thread_mutex_lock(agenda->mutex);
    agenda->busy++;
    apr_thread_mutex_unlock(agenda->mutex);
}

static void leave(acme_scheduler_t *agenda)
{
    apr_thread_mutex_lock(agenda->mutex);
    agenda->busy--;
    apr_thread_cond_broadcast(agenda->left);
    apr_thread_mutex_unlock(agenda->mutex);
}

static void *APR_THREAD_FUNC run_task(apr_thread_t *thread, void *data)
{
    entry_t *entry = data;
    acme_scheduler_t *agenda = entry->agenda;
    apr_allocator_t *allocator = NULL;
    apr_pool_t *p = NULL;

    (void)thread;
    /* Memory of its own: no lock is shared, and it goes back when it ends. */
    if (!acme_stop_is(agenda->stop)
        && apr_allocator_create(&allocator) == APR_SUCCESS
        && apr_pool_create_ex(&p, NULL, NULL, allocator) == APR_SUCCESS) {
        apr_allocator_owner_set(allocator, p);
        entry->task(&agenda->shop, &entry->turn, p);
        apr_pool_destroy(p);
    }
    atomic_store(&entry->run, ENDED);
    leave(agenda);
    return NULL;
}

static void begin(acme_scheduler_t *agenda, entry_t *entry)
{
    entry->turn.state = entry->state;
    atomic_store(&entry->run, RUNNING);
    enter(agenda);
    if (apr_thread_pool_push(agenda->threads, run_task, entry, 0, agenda)) {
        atomic_store(&entry->run, AT_REST);
        acme_rate_limits_end(agenda->quota, entry->state.cert);
        leave(agenda);
    }
}

static int connect_to_keeper(acme_scheduler_t *agenda, acme_result_t *res)
{
    if (agenda->client) {
        return 1;
    }
    apr_pool_clear(agenda->client_pool);
    return acme_client_open(&agenda->client, agenda->conf.keeper,
                            agenda->stop, res, agenda->client_pool)
        == APR_SUCCESS;
}

/* Hear of one change. ENOENT: there is none more. */
static apr_status_t hear_change(acme_scheduler_t *agenda, acme_result_t *res,
                                apr_pool_t *p)
{
    acme_msg_after_t after = { agenda->heard };
    const acme_state_t *state;
    acme_message_t reply;
    apr_status_t rv;

    rv = acme_client_call(&reply, agenda->client, ACME_MSG_CHANGES, &after,
                          res, p);
    if (acme_client_welcome(agenda->client)->pid != agenda->keeper_pid) {
        /* A new keeper counts its changes anew: hear all of them. */
        agenda->keeper_pid = acme_client_welcome(agenda->client)->pid;
        agenda->heard = 0;
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    state = reply.body;
    if (!acme_conf_cert(agenda->conf.conf, state->cert)) {
        return acme_fail(res, APR_EINVAL, "keeper: its configuration is not "
                         "ours");
    }
    agenda->entries[state->cert].state = *state;
    /* The clock of now: it may have happened since the look began. */
    acme_rate_limits_hear(agenda->quota, state, apr_time_now());
    agenda->heard = state->change;
    return APR_SUCCESS;
}

/* Hear of all that changed. False when the keeper can't be heard. */
static int listen_to_keeper(acme_scheduler_t *agenda)
{
    acme_result_t res;
    apr_status_t rv;

    if (!connect_to_keeper(agenda, &res)) {
        rv = res.status;
    }
    else {
        do {
            rv = hear_change(agenda, &res, agenda->scratch);
            apr_pool_clear(agenda->scratch);
        } while (rv == APR_SUCCESS);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        agenda->deaf = 0;
        return 1;
    }
    if (!agenda->deaf && !acme_stop_is(agenda->stop) && rv != APR_EOF) {
        acme_log(agenda->conf.log, ACME_LOG_ERROR, "renewal", "%s",
                 res.detail);
        agenda->deaf = 1;
    }
    return 0;
}

/* Those that had ended before we listened: now their end was heard of. */
static void rest_those_marked(acme_scheduler_t *agenda, const char *marked,
                              apr_time_t now)
{
    int i;

    for (i = 0; i < agenda->conf.conf->certs->nelts; i++) {
        entry_t *entry = &agenda->entries[i];

        if (marked[i]) {
            atomic_store(&entry->run, AT_REST);
            acme_rate_limits_end(agenda->quota, (apr_uint32_t)i);
            entry->rest_until = entry->state.change
                == entry->turn.state.change ? now + SILENT_REST : 0;
        }
    }
}

/* How many have a place now; *paway: how many are away from theirs. */
static int count_running(int *paway, acme_scheduler_t *agenda)
{
    int i, running = 0;

    *paway = 0;
    for (i = 0; i < agenda->conf.conf->certs->nelts; i++) {
        entry_t *entry = &agenda->entries[i];

        if (atomic_load(&entry->run) != AT_REST) {
            running += !atomic_load(&entry->turn.away);
            *paway += atomic_load(&entry->turn.away);
        }
    }
    return running;
}

static void mark_ended(acme_scheduler_t *agenda, char *marked)
{
    int i;

    for (i = 0; i < agenda->conf.conf->certs->nelts; i++) {
        marked[i] = atomic_load(&agenda->entries[i].run) == ENDED;
    }
}

static int is_to_be_asked_about(const acme_state_t *state, apr_time_t now)
{
    const apr_time_t at = acme_schedule_ask_at(state, now);

    return at && at <= now;
}

/* It waits, and people are told until when and why. */
static void wait_for_limit(acme_scheduler_t *agenda, const entry_t *entry,
                           apr_time_t until, const char *why, apr_time_t now)
{
    acme_msg_note_t note = { 0 };
    acme_result_t res;

    note.about.cert = entry->state.cert;
    note.about.ca = entry->turn.ca;
    note.note = ACME_NOTE_LIMIT;
    note.next_at = until;
    note.why = ACME_REASON_RATE_LIMITED;
    apr_cpystrn(note.detail, why, sizeof(note.detail));
    acme_client_call(NULL, agenda->client, ACME_MSG_NOTE, &note, &res,
                     agenda->scratch);
    acme_rate_limits_wait(agenda->quota, &entry->state, entry->turn.ca, why,
                          now);
}

/* May it be ordered now? From a CA whose limits let it, if there is one. */
static int choose_ca(acme_scheduler_t *agenda, entry_t *entry, apr_time_t now)
{
    const acme_state_t *state = &entry->state;
    unsigned char full[ACME_CHOICE_MAX];
    const char *why;
    apr_time_t at;

    acme_rate_limits_full(full, agenda->quota, state, now, agenda->scratch);
    entry->turn.ca = acme_ca_pool_choose(
        agenda->shop.cas, state,
        acme_conf_cert(agenda->conf.conf, state->cert), full, now);
    if (!state->wanted
        && acme_ca_pool_is_open(
            agenda->shop.cas,
            acme_conf_ca_index(acme_conf_cert(agenda->conf.conf, state->cert),
                               entry->turn.ca),
            now)) {
        return 0;
    }
    at = acme_rate_limits_next(&why, agenda->quota, state, entry->turn.ca, now,
                               agenda->scratch);
    if (why) {
        wait_for_limit(agenda, entry, at, why, now);
    }
    else if (at <= now) {
        acme_rate_limits_begin(agenda->quota, state, entry->turn.ca, now);
    }
    apr_pool_clear(agenda->scratch);
    return at <= now;
}

static int can_order(acme_scheduler_t *agenda, entry_t *entry, apr_time_t now)
{
    const acme_state_t *state = &entry->state;

    switch (state->wanted) {
    case ACME_WANT_NOTHING:
    case ACME_WANT_RENEWAL:
        return choose_ca(agenda, entry, now);
    case ACME_WANT_CHAIN:
    case ACME_WANT_REVOCATION:
    case ACME_WANT_DELETION:
        entry->turn.ca = state->issued_by == ACME_NO_CA ? 0 : state->issued_by;
        return 1;
    default:
        entry->turn.ca = state->wanted_ca < state->cas ? state->wanted_ca : 0;
        return 1;
    }
}

/* What there is to do with it now, if it can be done. */
static int find_task(acme_scheduler_t *agenda, entry_t *entry, apr_time_t now)
{
    const acme_state_t *state = &entry->state;

    if (acme_next_step_is_due(state, now) && can_order(agenda, entry, now)) {
        entry->task = acme_renewal_run;
        return 1;
    }
    entry->task = acme_live_check_run;
    entry->turn.ca = state->issued_by;
    return is_to_be_asked_about(state, now);
}

static void tell_of_limits(acme_scheduler_t *agenda, apr_time_t now)
{
    const char *text;

    while (
        (text = acme_rate_limits_news(agenda->quota, now, agenda->scratch))) {
        acme_log(agenda->conf.log, ACME_LOG_NOTICE, "renewal", "%s", text);
    }
    apr_pool_clear(agenda->scratch);
}

/* False when nothing is under way. */
static int begin_due(acme_scheduler_t *agenda, apr_time_t now)
{
    const int n = agenda->conf.conf->certs->nelts;
    const int parallel = agenda->conf.conf->parallel, first = agenda->first;
    int away, running = count_running(&away, agenda), i;

    for (i = 0; i < n && running < parallel
         && running + away < parallel + AWAY_MAX; i++) {
        const int at = (first + i) % n;
        entry_t *entry = &agenda->entries[at];

        if (atomic_load(&entry->run) == AT_REST && now >= entry->rest_until
            && find_task(agenda, entry, now)) {
            begin(agenda, entry);
            agenda->first = at + 1;
            running++;
        }
    }
    tell_of_limits(agenda, now);
    return running + away;
}

apr_interval_time_t acme_scheduler_run(acme_scheduler_t *agenda,
                                       apr_time_t now)
{
    int busy = 0;

    mark_ended(agenda, agenda->marked);
    if (listen_to_keeper(agenda)) {
        acme_rate_limits_settle(agenda->quota, apr_time_now());
        rest_those_marked(agenda, agenda->marked, now);
        busy = begin_due(agenda, now);
    }
    return busy ? LOOK_SOON : LOOK_EVERY;
}

void acme_scheduler_stop(acme_scheduler_t *agenda)
{
    acme_stop_now(agenda->stop);
}

int acme_scheduler_join(acme_scheduler_t *agenda, apr_interval_time_t most)
{
    const apr_time_t end = apr_time_now() + most;
    apr_interval_time_t wait;
    int busy;

    apr_thread_mutex_lock(agenda->mutex);
    while (agenda->busy && (wait = end - apr_time_now()) > 0) {
        apr_thread_cond_timedwait(agenda->left, agenda->mutex, wait);
    }
    busy = agenda->busy;
    apr_thread_mutex_unlock(agenda->mutex);
    return !busy;
}

static apr_status_t make_parts(acme_scheduler_t *agenda, acme_result_t *res,
                               apr_pool_t *p)
{
    const acme_conf_t *conf = agenda->conf.conf;
    const apr_size_t threads = (apr_size_t)conf->parallel + AWAY_MAX;
    apr_status_t rv;

    rv = acme_stop_create(&agenda->stop, p);
    if (rv == APR_SUCCESS) {
        rv = acme_ca_pool_create(&agenda->shop.cas, conf, agenda->conf.log,
                                 agenda->conf.user_agent, agenda->stop, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&agenda->mutex,
                                     APR_THREAD_MUTEX_DEFAULT, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&agenda->left, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_pool_create(&agenda->threads, 0, threads, p);
    }
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "renewal: cannot begin");
    }
    return APR_SUCCESS;
}

apr_status_t acme_scheduler_create(acme_scheduler_t **pagenda,
                                   const acme_scheduler_conf_t *conf,
                                   acme_result_t *res, apr_pool_t *p)
{
    acme_scheduler_t *agenda = apr_pcalloc(p, sizeof(*agenda));
    apr_size_t n = (apr_size_t)conf->conf->certs->nelts;
    apr_status_t rv;
    apr_size_t i;

    *pagenda = NULL;
    agenda->conf = *conf;
    rv = make_parts(agenda, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    agenda->quota = acme_rate_limits_create(conf->conf, p);
    agenda->shop.conf = conf->conf;
    agenda->shop.solver = conf->solver;
    agenda->shop.keeper = conf->keeper;
    agenda->shop.stop = agenda->stop;
    agenda->entries = apr_pcalloc(p, (n + 1) * sizeof(*agenda->entries));
    agenda->marked = apr_pcalloc(p, n + 1);
    for (i = 0; i < n; i++) {
        agenda->entries[i].agenda = agenda;
    }
    apr_pool_create(&agenda->client_pool, p);
    apr_pool_create(&agenda->scratch, p);
    *pagenda = agenda;
    return APR_SUCCESS;
}
