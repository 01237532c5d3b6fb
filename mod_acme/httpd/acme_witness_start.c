/*
 * acme_witness_start.c - the process that asks the CAs what the keeper has to
 * believe.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <httpd.h>
#include <ap_listen.h>
#include <http_config.h>
#include <http_log.h>
#include <mpm_common.h>

#include "acme_board_solver.h"
#include "acme_child.h"
#include "acme_hmac_wipe.h"
#include "acme_http.h"
#include "acme_keeper_start.h"
#include "acme_live.h"
#include "acme_message.h"
#include "acme_scheduler.h"
#include "acme_witness_start.h"

APLOG_USE_MODULE(acme);

#define NAME "acme-witness"

/* After the word to stop, its threads leave at once; httpd waits for that. */
#define JOIN_MAX apr_time_from_msec(800)

static acme_child_t *child;
static const acme_conf_t *conf;
static const acme_board_t *board;
static acme_solver_t solver;
static server_rec *server;

static volatile sig_atomic_t term_received;

static void on_term(int number)
{
    (void)number;
    term_received = 1;
}

/* httpd's handlers are not ours; SIGTERM is let in only while we wait. */
static void set_signals(sigset_t *waiting)
{
    static const int ignored[] = { SIGHUP,  SIGINT,   SIGUSR1,
                                   SIGUSR2, SIGWINCH, SIGPIPE };
    struct sigaction action;
    sigset_t term;
    apr_size_t i;

    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_IGN;
    for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++) {
        sigaction(ignored[i], &action, NULL);
    }
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = on_term;
    sigaction(SIGTERM, &action, NULL);

    sigemptyset(waiting);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_SETMASK, &term, NULL);
}

static void wait_for(apr_interval_time_t wait, const sigset_t *waiting)
{
    const struct timespec ts = { .tv_sec = (time_t)apr_time_sec(wait),
                                 .tv_nsec = (long)apr_time_usec(wait) * 1000 };

    ppoll(NULL, 0, &ts, waiting);
}

/* Until SIGTERM, or the parent is gone. */
static void run_scheduler(const sigset_t *waiting, pid_t parent,
                          apr_pool_t *p)
{
    const acme_scheduler_conf_t scheduler_conf = {
        .conf = conf,
        .duties = ACME_DUTY_WITNESS,
        .change = acme_board_changes,
        .change_baton = board,
        .solver = &solver,
        .log = acme_keeper_start_log(),
        .user_agent = "mod_acme/" ACME_VERSION,
        .keeper = acme_keeper_start_client(ACME_BY_WITNESS)
    };
    acme_scheduler_t *scheduler;
    acme_result_t res;

    acme_result_clear(&res);
    if (acme_http_init(&res)
        || acme_scheduler_create(&scheduler, &scheduler_conf, &res, p)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                     "acme: witness: cannot start: %s", res.detail);
        wait_for(apr_time_from_sec(10), waiting);
        return;
    }
    while (!term_received && getppid() == parent) {
        acme_scheduler_wait(scheduler,
                            acme_scheduler_run(scheduler, apr_time_now()),
                            waiting);
    }
    acme_scheduler_stop(scheduler);
    acme_scheduler_join(scheduler, JOIN_MAX);
}

/* As a worker drops them; but no other process of that user reads us. */
static int drop_privileges(pid_t parent, apr_pool_t *p)
{
    if (ap_run_drop_privileges(p, server)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                     "acme: witness: cannot become the workers' user");
        return 0;
    }
    acme_child_confine(parent);
    return 1;
}

static void be_witness(void *baton, pid_t parent)
{
    sigset_t waiting;
    apr_pool_t *p;

    (void)baton;
    acme_live_forget_writer();
    acme_hmac_wipe_worker();
    ap_close_listeners();
    acme_keeper_start_show_title(NAME, NAME ": asks the CAs");
    set_signals(&waiting);
    if (apr_pool_create(&p, NULL) == APR_SUCCESS
        && drop_privileges(parent, p)) {
        run_scheduler(&waiting, parent, p);
    }
}

void acme_witness_start(const acme_conf_t *the_conf, acme_board_t *the_board,
                        server_rec *s, apr_pool_t *p)
{
    const acme_child_conf_t child_conf = { .what = "witness",
                                           .run = be_witness };

    conf = the_conf;
    board = the_board;
    solver = acme_board_solver_make(the_board);
    server = s;
    acme_child_start(&child, &child_conf, s, p);
}

void acme_witness_start_monitor(void)
{
    if (child) {
        acme_child_monitor(child);
    }
}
