/*
 * acme_scheduler.h - what is due, and the threads that do it.
 *
 * One in the child that has the singleton of mod_watchdog, whose thread only
 * looks, and one in the witness. What they begin runs in threads of its own,
 * side by side.
 */
#ifndef ACME_SCHEDULER_H
#define ACME_SCHEDULER_H

#include <signal.h>

#include "acme_log.h"
#include "acme_task.h"

/*
 * What this process does: bits. Orders need who answers challenges, a worker.
 * All that the keeper has to believe is asked by the witness: the requests of
 * an administrator, what the CA says of live certificates and of our account.
 */
#define ACME_DUTY_ORDERS  1
#define ACME_DUTY_WITNESS 2

/*
 * A number that is another one when the keeper may have something new to tell.
 * It costs a read of memory, where asking the keeper wakes it. It may come from
 * where anybody can write: who is not asked by it is asked after some seconds.
 */
typedef apr_uint32_t acme_scheduler_change_cb(const void *baton);

typedef struct {
    const acme_conf_t *conf;
    int duties;                 /* ACME_DUTY_... */
    acme_scheduler_change_cb *change;   /* NULL: each run asks the keeper */
    const void *change_baton;
    const acme_solver_t *solver;        /* NULL: no orders, and no visits in
                                           rehearsals */
    const acme_log_t *log;
    const char *user_agent;
    const acme_keeper_address_t *keeper;        /* lives as long */
    const acme_task_waits_t *waits;     /* NULL: acme_task_waits */
    const char *dns_servers;    /* NULL: as the system has them */
} acme_scheduler_conf_t;

typedef struct acme_scheduler_t acme_scheduler_t;

/*
 * conf is copied. p may be destroyed only when acme_scheduler_join() was true:
 * the threads live in it.
 */
apr_status_t acme_scheduler_create(acme_scheduler_t **pscheduler,
                                   const acme_scheduler_conf_t *conf,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * Begin what is due; returns quickly. The result is how long to wait until the
 * next call.
 */
apr_interval_time_t acme_scheduler_run(acme_scheduler_t *scheduler,
                                       apr_time_t now);

/*
 * Until the next run: at most for most, which is what a run returned. It
 * returns as soon as a task has ended, as its place is the next one's, and when
 * the scheduler is stopped. signals are blocked meanwhile, as ppoll(2) does it;
 * NULL: those that are. One that is handled ends the wait.
 */
void acme_scheduler_wait(acme_scheduler_t *scheduler, apr_interval_time_t most,
                         const sigset_t *signals);

/* Begin nothing more, leave every wait and transfer. Async-signal-safe. */
void acme_scheduler_stop(acme_scheduler_t *scheduler);

/*
 * After a stop, and not beside a run: wait for all tasks to have left, at most
 * so long. True when they have.
 */
int acme_scheduler_join(acme_scheduler_t *scheduler, apr_interval_time_t most);

#endif
