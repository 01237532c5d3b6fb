/*
 * acme_keeper_start.c - the parent forks the keeper, and forks it again.
 *
 * The socket pair is made before the first fork and kept: a keeper that died
 * is followed by one that hears the same workers, without a reload.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <apr_getopt.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include <httpd.h>
#include <ap_listen.h>
#include <ap_mpm.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <mpm_common.h>

#include "acme_conf_trial.h"
#include "acme_file.h"
#include "acme_keeper.h"
#include "acme_keeper_start.h"
#include "acme_message.h"

APLOG_USE_MODULE(acme);

/* How httpd was started, kept in the process pool over reloads. */
#define START_KEY "mod_acme_start"

#define TITLE "acme-keeper"
#define TITLE_MAX 4096

/* A keeper ends between two messages; one that does not is killed. */
#define STOP_MAX apr_time_from_sec(1)
#define STOP_LOOK apr_time_from_msec(2)

/* A keeper that lived less long is not started again at once: no loops. */
#define LIVED apr_time_from_sec(5)

typedef struct {
    const char **test;          /* argv of a configuration test, */
    const char **list;          /*   and of a list of the files read */
    const char *cwd;
    char *title;                /* the memory of argv, for ps */
    apr_size_t title_size;
} start_t;

/* This generation's; the memory goes with pconf, the statics with the DSO. */
typedef struct {
    server_rec *s;
    start_t *start;
    acme_board_t *board;
    acme_keeper_t keeper;
    acme_server_t server;
    acme_log_t log;
    int fds[2];                 /* workers' end, keeper's end */
    apr_proc_t proc;            /* pid 0: none runs */
    apr_time_t started;
    apr_pool_t *p;
} parent_t;

static parent_t *parent;

static void write_line(void *baton, acme_log_e level, const char *line)
{
    static const int levels[] = {
        APLOG_ERR, APLOG_WARNING, APLOG_NOTICE, APLOG_INFO
    };

    ap_log_error(APLOG_MARK, levels[level], 0, (server_rec *)baton,
                 "acme: %s", line);
}

static const char *own_binary(const char *argv0, apr_pool_t *p)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n > 0) {
        path[n] = '\0';
        if (!access(path, X_OK)) {
            return apr_pstrdup(p, path);
        }
    }
    return apr_pstrdup(p, argv0);   /* no /proc, or replaced by an upgrade */
}

/* Those of httpd's options that say what to read; not those how to run. */
static int is_for_test(char option, const char *value)
{
    static const char *const modes[] = {
        "FOREGROUND", "NO_DETACH", "DEBUG", "ONE_PROCESS"
    };
    apr_size_t i;

    if (option != 'D') {
        return strchr("Ccdf", option) != NULL;
    }
    for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (!strcmp(value, modes[i])) {
            return 0;
        }
    }
    return strncmp(value, "DUMP_", 5) != 0;
}

/* They outlive us: httpd unloads us, with our literals, at each pass. */
static const char **test_arguments(const process_rec *process,
                                   const char *define, apr_pool_t *p)
{
    apr_array_header_t *argv = apr_array_make(p, 16, sizeof(const char *));
    apr_getopt_t *opt;
    const char *value;
    char option;

    APR_ARRAY_PUSH(argv, const char *) = own_binary(process->argv[0], p);
    apr_getopt_init(&opt, p, process->argc, process->argv);
    opt->errfn = NULL;
    while (apr_getopt(opt, AP_SERVER_BASEARGS, &option, &value)
           == APR_SUCCESS) {
        if (is_for_test(option, value)) {
            APR_ARRAY_PUSH(argv, const char *) = apr_psprintf(p, "-%c",
                                                              option);
            APR_ARRAY_PUSH(argv, const char *) = apr_pstrdup(p, value);
        }
    }
    APR_ARRAY_PUSH(argv, const char *) = apr_pstrdup(p, "-t");
    if (define) {
        APR_ARRAY_PUSH(argv, const char *) = apr_pstrdup(p, define);
    }
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (const char **)argv->elts;
}

/*
 * argv lies in one piece of memory, so a fork of us can write its own title
 * there. httpd keeps pointers of its own; what the kernel shows tells how far
 * it reaches.
 */
static void find_title(start_t *start, const process_rec *process,
                       apr_pool_t *p)
{
    const char *shown;
    apr_size_t len;
    acme_result_t res;

    if (acme_file_read(&shown, &len, "/proc/self/cmdline", TITLE_MAX, &res, p)
            == APR_SUCCESS
        && len && !strncmp(process->argv[0], shown, len)) {
        start->title = (char *)process->argv[0];
        start->title_size = len;
    }
}

static start_t *find_start(server_rec *s)
{
    process_rec *process = s->process;
    char cwd[4096];
    void *data = NULL;
    start_t *start;

    apr_pool_userdata_get(&data, START_KEY, process->pool);
    if (data) {
        return data;
    }
    start = apr_pcalloc(process->pool, sizeof(*start));
    start->test = test_arguments(process, "-D" ACME_CONF_TRIAL_DEFINE,
                                 process->pool);
    start->list = test_arguments(process, "-DDUMP_INCLUDES", process->pool);
    start->cwd = apr_pstrdup(process->pool, getcwd(cwd, sizeof(cwd)) ? cwd
                                                                     : "/");
    find_title(start, process, process->pool);
    apr_pool_userdata_set(start, START_KEY, NULL, process->pool);
    return start;
}

void acme_keeper_start_save_argv(server_rec *s)
{
    find_start(s);
}

static void show_title(const start_t *start)
{
#ifdef __linux__
    prctl(PR_SET_NAME, TITLE);
    if (start->title) {
        memset(start->title, 0, start->title_size);
        apr_cpystrn(start->title, TITLE ": keys and certificates of httpd",
                    start->title_size);
    }
#elif defined(HAVE_SETPROCTITLE)
    (void)start;
    setproctitle("-" TITLE);
#else
    (void)start;
#endif
}

static void publish(void *baton, const acme_state_t *state)
{
    acme_board_publish(((parent_t *)baton)->board, state);
}

static void held(void *baton, const char *reason)
{
    acme_board_hold(((parent_t *)baton)->board, reason);
}

static void be_keeper(void)
{
    apr_pool_t *p;

    close(parent->fds[0]);
    ap_close_listeners();
    show_title(parent->start);
    acme_board_set_keeper_pid(parent->board, getpid());
    if (apr_pool_create(&p, NULL) == APR_SUCCESS) {
        acme_keeper_run(&parent->keeper, p);
        apr_pool_destroy(p);    /* ends a configuration test that runs */
    }
    _exit(0);                   /* httpd's own exit handlers are not ours */
}

static void on_event(int reason, void *data, int status);

static void fork_keeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        be_keeper();
    }
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, parent->s,
                     "acme: keeper: cannot fork; trying again in a few seconds");
        return;
    }
    parent->proc.pid = pid;
    parent->started = apr_time_now();
    apr_proc_other_child_register(&parent->proc, on_event, parent, NULL,
                                  parent->p);
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
    const apr_time_t lived = apr_time_now() - parent->started;

    (void)data;
    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        apr_proc_other_child_unregister(data);
        parent->proc.pid = 0;
        if (is_stopping()) {
            break;
        }
        if (lived < LIVED) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, parent->s,
                         "acme: keeper: ended unexpectedly, wait status %d; restarting it in a few seconds",
                         status);
        }
        else {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, parent->s,
                         "acme: keeper: ended unexpectedly, wait status %d; restarting it now",
                         status);
            fork_keeper();
        }
        break;
    case APR_OC_REASON_RESTART:
    case APR_OC_REASON_UNREGISTER:
    default:
        break;
    }
}

void acme_keeper_start_monitor(void)
{
    if (parent && !parent->proc.pid && !is_stopping()) {
        fork_keeper();
    }
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

static void stop_keeper(parent_t *old)
{
    if (old->proc.pid <= 0) {
        return;
    }
    kill(old->proc.pid, SIGTERM);
    if (!wait_for(old->proc.pid, STOP_MAX)) {
        kill(old->proc.pid, SIGKILL);
        wait_for(old->proc.pid, STOP_MAX);
    }
    old->proc.pid = 0;
}

/*
 * The configuration is about to be read again, or the server ends. APR has
 * unregistered the keeper already: that cleanup came after this one.
 */
static apr_status_t end_generation(void *data)
{
    parent_t *old = data;

    if (getpid() != old->server.pid) {
        return APR_SUCCESS;     /* a fork of the parent cleans up its copy */
    }
    close(old->fds[0]);         /* where nobody else has it, this is enough */
    if (old->fds[1] >= 0) {
        close(old->fds[1]);
    }
    stop_keeper(old);
    if (parent == old) {
        parent = NULL;
    }
    return APR_SUCCESS;
}

static int can_reload(void)
{
    return !ap_exists_config_define("DEBUG")
        && !ap_exists_config_define("ONE_PROCESS");
}

void acme_keeper_start(const acme_conf_t *conf, acme_board_t *board,
                       const acme_conf_tree_t *tree, apr_time_t loaded_at,
                       server_rec *s, apr_pool_t *p)
{
    acme_result_t res;

    parent = apr_palloc(p, sizeof(*parent));
    *parent = (parent_t) {
        .s = s,
        .start = find_start(s),
        .board = board,
        .log = { .write = write_line, .baton = s },
        .p = p
    };
    if (acme_message_pair(parent->fds, &res)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "acme: %s", res.detail);
        parent = NULL;
        return;
    }
    parent->server = (acme_server_t) {
        .pid = getpid(),
        .reload_signal = can_reload() ? AP_SIG_GRACEFUL : 0,
        .test = parent->start->test,
        .list = parent->start->list,
        .cwd = parent->start->cwd,
        .baseline = acme_conf_snapshot_make(acme_conf_tree_files(tree),
                                            loaded_at, p)
    };
    parent->keeper = (acme_keeper_t) {
        .conf = conf,
        .server = &parent->server,
        .log = &parent->log,
        .fd = parent->fds[1],
        .publish = publish,
        .held = held,
        .baton = parent
    };

    apr_pool_cleanup_register(p, parent, end_generation,
                              apr_pool_cleanup_null);
    fork_keeper();
}

int acme_keeper_start_worker_fd(void)
{
    return parent ? parent->fds[0] : -1;
}

void acme_keeper_start_child_init(void)
{
    if (parent) {
        close(parent->fds[1]);
        parent->fds[1] = -1;
    }
}

const acme_log_t *acme_keeper_start_log(void)
{
    return &parent->log;
}
