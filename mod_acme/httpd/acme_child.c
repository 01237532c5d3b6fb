/*
 * acme_child.c - a process beside the workers that httpd's parent forks, and
 * forks again when it died.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <apr_thread_proc.h>

#include <httpd.h>
#include <ap_mpm.h>
#include <http_log.h>

#include "acme_child.h"
#include "acme_fork.h"

APLOG_USE_MODULE(acme);

/* One that is told to stop and does not is killed. */
#define STOP_MAX apr_time_from_sec(1)
#define STOP_LOOK apr_time_from_msec(2)

/* One that lived less long is not started again at once: no loops. */
#define LIVED apr_time_from_sec(5)

struct acme_child_t {
    acme_child_conf_t conf;
    acme_child_t **place;       /* the caller's pointer to us */
    server_rec *s;
    pid_t parent;
    apr_proc_t proc;            /* pid 0: none runs */
    apr_time_t started;
    apr_pool_t *p;
};

static void on_event(int reason, void *data, int status);

static void fork_child(acme_child_t *child)
{
    const acme_child_conf_t *conf = &child->conf;
    pid_t pid;

    if (conf->before_fork) {
        conf->before_fork(conf->baton);
    }
    pid = acme_fork_keep();
    if (pid == 0) {
        conf->run(conf->baton, child->parent);
        _exit(0);               /* httpd's own exit handlers are not ours */
    }
    if (conf->after_fork) {
        conf->after_fork(conf->baton);
    }
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, child->s,
                     "acme: %s: cannot fork; trying again in a few seconds",
                     conf->what);
        return;
    }
    child->proc.pid = pid;
    child->started = apr_time_now();
    apr_proc_other_child_register(&child->proc, on_event, child, NULL,
                                  child->p);
}

static int is_stopping(void)
{
    int state = 0;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS
        && state == AP_MPMQ_STOPPING;
}

/* httpd tells of its other children in the parent's main thread. */
static void on_event(int reason, void *data, int status)
{
    acme_child_t *child = data;
    const apr_time_t lived = apr_time_now() - child->started;

    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    apr_proc_other_child_unregister(data);
    child->proc.pid = 0;
    if (is_stopping()) {
        return;
    }
    if (lived < LIVED) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, child->s,
                     "acme: %s: ended unexpectedly, wait status %d; restarting it in a few seconds",
                     child->conf.what, status);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, child->s,
                     "acme: %s: ended unexpectedly, wait status %d; restarting it now",
                     child->conf.what, status);
        fork_child(child);
    }
}

void acme_child_monitor(acme_child_t *child)
{
    if (is_stopping()) {
        return;
    }
    if (!child->proc.pid) {
        fork_child(child);
    }
    else if (child->conf.check) {
        child->conf.check(child->conf.baton, child->proc.pid);
    }
}

pid_t acme_child_pid(const acme_child_t *child)
{
    return child->proc.pid;
}

void acme_child_replace(acme_child_t *child)
{
    apr_proc_other_child_unregister(child);
    child->proc.pid = 0;
    fork_child(child);
}

/* Under -X we are not its user any more: it may not hear our signals. */
static int wait_for(pid_t pid, apr_interval_time_t most)
{
    apr_interval_time_t waited;
    pid_t done = 0;

    for (waited = 0; waited < most && !done; waited += STOP_LOOK) {
        done = waitpid(pid, NULL, WNOHANG);
        if (!done) {
            apr_sleep(STOP_LOOK);
        }
    }
    return done != 0;
}

/*
 * The configuration is about to be read again, or the server ends. APR has
 * unregistered the process already: that cleanup came after this one.
 */
static apr_status_t end_generation(void *data)
{
    acme_child_t *child = data;

    if (getpid() != child->parent) {
        return APR_SUCCESS;     /* a fork of the parent cleans up its copy */
    }
    *child->place = NULL;
    if (child->proc.pid > 0) {
        kill(child->proc.pid, SIGTERM);
        if (!wait_for(child->proc.pid, STOP_MAX)) {
            kill(child->proc.pid, SIGKILL);
            wait_for(child->proc.pid, STOP_MAX);
        }
        child->proc.pid = 0;
    }
    return APR_SUCCESS;
}

void acme_child_start(acme_child_t **pchild, const acme_child_conf_t *conf,
                      server_rec *s, apr_pool_t *p)
{
    acme_child_t *child = apr_pcalloc(p, sizeof(*child));

    child->conf = *conf;
    child->place = pchild;
    child->s = s;
    child->parent = getpid();
    child->p = p;
    *pchild = child;
    apr_pool_cleanup_register(p, child, end_generation,
                              apr_pool_cleanup_null);
    fork_child(child);
}

void acme_child_confine(pid_t parent)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    if (getppid() != parent) {
        raise(SIGTERM);         /* it ended before we could be told */
    }
}
