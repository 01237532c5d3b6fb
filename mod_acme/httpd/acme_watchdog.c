/*
 * acme_watchdog.c - the renewal thread: a singleton of mod_watchdog.
 *
 * mod_watchdog does not stop its threads: the child's exit() runs under them,
 * and whoever is inside OpenSSL then crashes. So we leave when told, and the
 * child waits for it in a cleanup of its pool.
 */
#include <stdatomic.h>
#include <unistd.h>

#include <apr_optional.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include <httpd.h>
#include <http_log.h>
#include <mod_watchdog.h>

#include "acme_scheduler.h"
#include "acme_board_solver.h"
#include "acme_http.h"
#include "acme_keeper_start.h"
#include "acme_message.h"
#include "acme_watchdog.h"

APLOG_USE_MODULE(acme);

#define WATCHDOG_NAME "_mod_acme_"      /* a name shared is a thread shared */
#define INTERVAL_FIRST AP_WD_TM_SLICE

/* httpd kills children that take longer than 3 s to end. */
#define JOIN_MAX apr_time_from_msec(2500)

static ap_watchdog_t *watchdog;
static const acme_conf_t *conf;
static acme_board_t *board;
static server_rec *server;
static acme_solver_t solver;

/* In the one child that is the singleton. */
static _Atomic(acme_scheduler_t *) scheduler;
static apr_pool_t *scheduler_pool;

/* The watchdog's thread is in a callback of ours, or may not enter any more. */
static atomic_int stopping;
static apr_thread_mutex_t *mutex;
static apr_thread_cond_t *left;
static int inside;

/*
 * The pool is no child of the child's: a stuck thread must not block exit. It
 * shares the global allocator, which has a lock, for threads share the pool's.
 */
static void start_scheduler(void)
{
    acme_scheduler_conf_t scheduler_conf = { 0 };
    acme_scheduler_t *made;
    acme_result_t res;

    acme_result_clear(&res);
    if (atomic_load(&scheduler) || atomic_load(&stopping)) {
        return;
    }
    if (acme_http_init(&res)
        || apr_pool_create(&scheduler_pool, NULL)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                     "acme: renewal: cannot start in child %d: %s",
                     (int)getpid(), res.detail);
        return;
    }
    scheduler_conf = (acme_scheduler_conf_t) {
        .conf = conf,
        .duties = ACME_DUTY_ORDERS,
        .change = acme_board_changes,
        .change_baton = board,
        .solver = &solver,
        .log = acme_keeper_start_log(),
        .user_agent = "mod_acme/" ACME_VERSION,
        .keeper = acme_keeper_start_client(ACME_BY_WORKER)
    };
    if (acme_scheduler_create(&made, &scheduler_conf, &res, scheduler_pool)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server, "acme: %s",
                     res.detail);
        apr_pool_destroy(scheduler_pool);
        return;
    }
    atomic_store(&scheduler, made);
    acme_board_set_renewal_pid(board, getpid());
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server,
                 "acme: renewal: runs in child %d", (int)getpid());
}

static int enter_callback(void)
{
    int may;

    apr_thread_mutex_lock(mutex);
    may = !atomic_load(&stopping);
    inside = may;
    apr_thread_mutex_unlock(mutex);
    return may;
}

static void leave(void)
{
    apr_thread_mutex_lock(mutex);
    inside = 0;
    apr_thread_cond_signal(left);
    apr_thread_mutex_unlock(mutex);
}

static apr_status_t on_watchdog(int state, void *data, apr_pool_t *pool)
{
    acme_scheduler_t *mine;

    (void)data;
    (void)pool;
    /* Its word to stop comes after child_stopping's, and under exit(). */
    if (state == AP_WATCHDOG_STATE_STOPPING || !mutex || !enter_callback()) {
        return APR_SUCCESS;
    }
    if (state == AP_WATCHDOG_STATE_STARTING) {
        start_scheduler();
    }
    mine = atomic_load(&scheduler);
    /* mod_watchdog looks ten times a second, too late for the next order; and
       the thread has nothing else to do. */
    while (mine && state == AP_WATCHDOG_STATE_RUNNING
           && !atomic_load(&stopping)) {
        acme_scheduler_wait(mine, acme_scheduler_run(mine, apr_time_now()),
                            NULL);
    }
    leave();
    return APR_SUCCESS;
}

void acme_watchdog_register(const acme_conf_t *the_conf,
                            acme_board_t *the_board, server_rec *s,
                            apr_pool_t *p)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance;
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *register_callback;
    apr_status_t rv;

    get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    register_callback = APR_RETRIEVE_OPTIONAL_FN(
        ap_watchdog_register_callback);
    if (!get_instance || !register_callback) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: certificates are not renewed without mod_watchdog: add LoadModule watchdog_module");
        return;
    }

    conf = the_conf;
    board = the_board;
    server = s;
    solver = acme_board_solver_make(the_board);
    rv = get_instance(&watchdog, WATCHDOG_NAME, 0, 1, p);
    if (rv == APR_SUCCESS) {
        rv = register_callback(watchdog, INTERVAL_FIRST, NULL, on_watchdog);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "acme: renewal: mod_watchdog refused to register the thread");
    }
}

void acme_watchdog_stop(void)
{
    acme_scheduler_t *mine;

    atomic_store(&stopping, 1);
    mine = atomic_load(&scheduler);
    if (mine) {
        acme_scheduler_stop(mine);
    }
}

/* True when the watchdog's thread is in none of our callbacks any more. */
static int join_watchdog(apr_time_t end)
{
    apr_interval_time_t wait;
    int out;

    apr_thread_mutex_lock(mutex);
    while (inside && (wait = end - apr_time_now()) > 0) {
        apr_thread_cond_timedwait(left, mutex, wait);
    }
    out = !inside;
    apr_thread_mutex_unlock(mutex);
    return out;
}

static apr_status_t join_threads(void *data)
{
    const apr_time_t end = apr_time_now() + JOIN_MAX;
    acme_scheduler_t *mine;

    (void)data;
    acme_watchdog_stop();
    if (!join_watchdog(end)) {
        return APR_SUCCESS;
    }
    mine = atomic_load(&scheduler);
    if (!mine) {
        return APR_SUCCESS;
    }
    if (!acme_scheduler_join(mine, end - apr_time_now())) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "acme: renewal: an order did not stop in time");
        return APR_SUCCESS;
    }
    atomic_store(&scheduler, NULL);
    apr_pool_destroy(scheduler_pool);
    acme_http_term();
    return APR_SUCCESS;
}

/* The watchdog's thread may come as late as under exit(): never freed. */
void acme_watchdog_child_init(apr_pool_t *pchild)
{
    apr_pool_t *lasting;

    if (watchdog && !apr_pool_create_unmanaged_ex(&lasting, NULL, NULL)
        && !apr_thread_cond_create(&left, lasting)
        && !apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT,
                                    lasting)) {
        apr_pool_pre_cleanup_register(pchild, NULL, join_threads);
    }
}
