/*
 * acme_keeper_start.c - the parent forks the keeper, and forks it again.
 *
 * The socket listens from before the first fork to the end of the generation: a
 * keeper that died is followed by one that hears the same workers, without a
 * reload. The parent itself never talks to anybody there.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <apr_file_info.h>
#include <apr_getopt.h>
#include <apr_strings.h>

#include <httpd.h>
#include <ap_listen.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <mpm_common.h>
#include <unixd.h>

#include "acme_child.h"
#include "acme_cleanse.h"
#include "acme_conf_trial.h"
#include "acme_fork.h"
#include "acme_hmac_wipe.h"
#include "acme_keeper.h"
#include "acme_keeper_start.h"
#include "acme_live.h"
#include "acme_message.h"
#include "acme_pass_phrase.h"
#include "acme_trial_limit.h"

APLOG_USE_MODULE(acme);

/* How httpd was started, kept in the process pool over reloads. */
#define START_KEY "mod_acme_start"

#define TITLE "acme-keeper"
#define TITLE_MAX 4096

/* The keeper gives a sign of life each second, or after five when idle; the
   longest that it does in between is a wait for the disk. */
#define PULSE_MAX 60            /* seconds */
#define PULSE_LOOKS 4           /* of the parent, which may have slept itself */

#define SOCKET_PREFIX "acme-"
#define SOCKET_SUFFIX ".sock"

typedef struct {
    const char **test;          /* argv of a configuration test, */
    const char **list;          /*   and of a list of the files read */
    const char *cwd;
    char *title;                /* the memory of argv, for ps */
    apr_size_t title_size;
    unsigned generation;        /* counts the sockets */
} start_t;

typedef struct {
    int fd;                     /* the reading end; -1: none */
    time_t heard;               /* of a clock that nobody sets */
    int looks;                  /* since then */
    int killed;                 /* because of its silence */
} pulse_t;

/* This generation's; the memory goes with pconf, the statics with the DSO. */
typedef struct {
    server_rec *s;
    start_t *start;
    acme_board_t *board;
    acme_keeper_t keeper;
    acme_server_t server;
    acme_log_t log;
    acme_keeper_address_t worker;       /* of each role: one path */
    acme_keeper_address_t witness;
    int listener;
    pulse_t pulse;
    acme_child_t *child;
} parent_t;

static parent_t *parent;

/* Of acme_keeper_start_read(). */
static apr_interval_time_t test_limit;
static const char *const *test;
static const acme_conf_snapshot_t *baseline;

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
 * The test knows by it what the running server has: which ports are not another
 * program's, which pass phrases need not be typed, how long a load takes.
 */
static const char *const *add_running(const char *const *argv,
                                      const acme_conf_tree_t *tree,
                                      const server_rec *s, apr_pool_t *p)
{
    const char *listens = "-D" ACME_CONF_TRIAL_LISTENS;
    const char *keys = acme_pass_phrase_define(tree, s, p);
    const ap_listen_rec *listener;
    apr_array_header_t *more = apr_array_make(p, 16, sizeof(const char *));

    for (listener = ap_listeners; listener; listener = listener->next) {
        listens = apr_psprintf(p, "%s%pI,", listens, listener->bind_addr);
    }
    for (; *argv; argv++) {
        APR_ARRAY_PUSH(more, const char *) = *argv;
    }
    APR_ARRAY_PUSH(more, const char *) = listens;
    APR_ARRAY_PUSH(more, const char *) = acme_trial_limit_define(test_limit,
                                                                 p);
    if (keys) {
        APR_ARRAY_PUSH(more, const char *) = keys;
    }
    APR_ARRAY_PUSH(more, const char *) = NULL;
    return (const char *const *)more->elts;
}

/*
 * argv lies in one piece of memory, so a fork of us can write its own title
 * there. httpd keeps pointers of its own; what the kernel shows tells how far
 * it reaches.
 */
static void find_title(start_t *start, const process_rec *process)
{
    char shown[TITLE_MAX];
    FILE *file = fopen("/proc/self/cmdline", "re");
    const size_t len = file ? fread(shown, 1, sizeof(shown), file) : 0;

    if (file) {
        fclose(file);
    }
    if (len && !shown[len - 1] && !strcmp(process->argv[0], shown)) {
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
    find_title(start, process);
    apr_pool_userdata_set(start, START_KEY, NULL, process->pool);
    return start;
}

void acme_keeper_start_save_argv(server_rec *s)
{
    find_start(s);
}

void acme_keeper_start_show_title(const char *name, const char *title)
{
#ifdef __linux__
    const start_t *start = parent->start;

    prctl(PR_SET_NAME, name);
    if (start->title) {
        memset(start->title, 0, start->title_size);
        apr_cpystrn(start->title, title, start->title_size);
    }
#elif defined(HAVE_SETPROCTITLE)
    (void)title;
    setproctitle("-%s", name);
#else
    (void)name;
    (void)title;
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

/* In a process without rights that needs no secret. */
static void forget(void *baton)
{
    parent_t *mine = baton;

    acme_hmac_wipe_worker();
    acme_cleanse(mine->worker.token, sizeof(mine->worker.token));
    acme_cleanse(mine->witness.token, sizeof(mine->witness.token));
}

static void be_keeper(void *baton, pid_t pid)
{
    apr_pool_t *p;

    (void)baton;
    (void)pid;
    close(parent->pulse.fd);
    ap_close_listeners();
    acme_keeper_start_show_title(TITLE,
                                 TITLE ": keys and certificates of httpd");
    acme_board_set_keeper_pid(parent->board, getpid());
    if (apr_pool_create(&p, NULL) == APR_SUCCESS) {
        acme_keeper_run(&parent->keeper, p);
        apr_pool_destroy(p);    /* ends a configuration test that runs */
    }
}

static time_t clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void pulse_close(pulse_t *pulse)
{
    if (pulse->fd >= 0) {
        close(pulse->fd);
        pulse->fd = -1;
    }
}

/* A pipe, for workers could write to shared memory. Without one the keeper is
   not watched. Returns the keeper's end, or -1. */
static int pulse_open(pulse_t *pulse)
{
    int i, fds[2];

    pulse_close(pulse);
    *pulse = (pulse_t) { .fd = -1, .heard = clock_seconds() };
    if (pipe(fds)) {
        return -1;
    }
    for (i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    pulse->fd = fds[0];
    return fds[1];
}

static void open_pulse(void *baton)
{
    parent_t *mine = baton;

    mine->keeper.pulse = pulse_open(&mine->pulse);
}

static void close_keepers_end(void *baton)
{
    parent_t *mine = baton;

    if (mine->keeper.pulse >= 0) {
        close(mine->keeper.pulse);
    }
}

/*
 * A keeper that hangs, in the file system or wherever, is killed, and the next
 * one begins when its end is known. One that does not even end when it is
 * killed is left to the kernel.
 */
static void check_pulse(void *baton, pid_t pid)
{
    parent_t *mine = baton;
    pulse_t *pulse = &mine->pulse;
    const time_t now = clock_seconds();
    char octets[64];
    int is_alive = 0;

    while (pulse->fd >= 0 && read(pulse->fd, octets, sizeof(octets)) > 0) {
        is_alive = 1;
    }
    if (is_alive || pulse->fd < 0) {
        pulse->heard = now;
        pulse->looks = 0;
    }
    else if (pulse->killed) {
        acme_child_replace(mine->child);
    }
    else if (++pulse->looks >= PULSE_LOOKS && now - pulse->heard > PULSE_MAX) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, mine->s,
                     "acme: keeper: process %d has hung for more than %d seconds, so it is killed and replaced; check the file system of AcmeStateDir",
                     (int)pid, PULSE_MAX);
        kill(pid, SIGKILL);
        pulse->killed = 1;
    }
}

void acme_keeper_start_monitor(void)
{
    if (parent) {
        acme_child_monitor(parent->child);
    }
}

/*
 * Nobody connects from now on. What hostile processes may have sent to the
 * socket is closed with its last holder: that is a process which exits, and
 * does not wait then, never the parent.
 */
static void stop_listening(parent_t *old)
{
    pid_t pid = -1;

    if (old->worker.path[0] != '@') {
        unlink(old->worker.path);
    }
    shutdown(old->listener, SHUT_RDWR);
    if (!acme_child_pid(old->child)) {
        int fds[2] = { -1, -1 };
        char octet;

        pid = pipe(fds) ? -1 : acme_fork_keep();
        if (pid == 0) {
            acme_live_forget_writer();
            close(fds[1]);
            if (acme_fork_keep() == 0) {
                (void)!read(fds[0], &octet, 1); /* until ours is closed */
            }
            _exit(0);
        }
        close(old->listener);
        close(fds[0]);
        close(fds[1]);
        if (pid > 0) {
            waitpid(pid, NULL, 0);
        }
        return;
    }
    close(old->listener);
}

/* The configuration is about to be read again, or the server ends. The keeper
   is stopped after this: that cleanup was there before. */
static apr_status_t end_generation(void *data)
{
    parent_t *old = data;

    if (getpid() != old->server.pid) {
        return APR_SUCCESS;     /* a fork of the parent cleans up its copy */
    }
    stop_listening(old);
    pulse_close(&old->pulse);
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

/* Sockets of parents that were killed. */
static void remove_left(const char *folder, apr_pool_t *p)
{
    apr_finfo_t entry;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, folder, p)) {
        return;
    }
    while (!apr_dir_read(&entry, APR_FINFO_NAME, dir)) {
        const char *path = apr_pstrcat(p, folder, "/", entry.name, NULL);
        const char *suffix = strrchr(entry.name, '.');

        if (!strncmp(entry.name, SOCKET_PREFIX, strlen(SOCKET_PREFIX))
            && suffix && !strcmp(suffix, SOCKET_SUFFIX)
            && acme_keeper_address_is_left(path)) {
            unlink(path);
        }
    }
    apr_dir_close(dir);
}

static uid_t user_of_workers(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

/*
 * In httpd's own folder for such files; on Linux without a file where workers
 * cannot reach that one, or where it cannot be made.
 */
static apr_status_t start_listening(acme_result_t *res, apr_pool_t *p)
{
    const char *name = apr_psprintf(p, SOCKET_PREFIX "%d-%u" SOCKET_SUFFIX,
                                    (int)getpid(),
                                    ++parent->start->generation);
    apr_status_t rv = APR_ENOENT;
    apr_pool_t *scratch;

    parent->listener = -1;
    if (!ap_unixd_config.chroot_dir) {
        apr_pool_create(&scratch, p);
        remove_left(ap_runtime_dir_relative(scratch, ""), scratch);
        apr_pool_destroy(scratch);
        parent->worker.path = ap_runtime_dir_relative(p, name);
        rv = acme_keeper_address_listen(&parent->listener, parent->worker.path,
                                        user_of_workers(),
                                        ACME_KEEPER_BACKLOG, res);
    }
#ifdef __linux__
    if (rv != APR_SUCCESS) {
        unsigned char salt[8];  /* so that nobody else takes the name first */
        char *text = apr_palloc(p, 2 * sizeof(salt) + 1);
        apr_size_t i;

        apr_generate_random_bytes(salt, sizeof(salt));
        for (i = 0; i < sizeof(salt); i++) {
            apr_snprintf(text + 2 * i, 3, "%02x", salt[i]);
        }
        parent->worker.path = apr_pstrcat(p, "@", name, ".", text, NULL);
        rv = acme_keeper_address_listen(&parent->listener, parent->worker.path,
                                        user_of_workers(),
                                        ACME_KEEPER_BACKLOG, res);
    }
#endif
    if (rv == APR_SUCCESS) {
        rv = apr_generate_random_bytes(parent->worker.token,
                                       sizeof(parent->worker.token));
        parent->witness.path = parent->worker.path;
    }
    if (rv == APR_SUCCESS) {
        rv = apr_generate_random_bytes(parent->witness.token,
                                       sizeof(parent->witness.token));
    }
    return rv;
}

void acme_keeper_start_read(const acme_conf_tree_t *tree, apr_time_t loaded_at,
                            server_rec *s, apr_pool_t *p)
{
    test_limit = acme_trial_limit(apr_time_now() - loaded_at);
    test = add_running(find_start(s)->test, tree, s, p);
    baseline = acme_conf_snapshot_make(acme_conf_tree_files(tree), loaded_at,
                                       p);
}

void acme_keeper_start(const acme_conf_t *conf, acme_board_t *board,
                       server_rec *s, apr_pool_t *p)
{
    acme_child_conf_t child;
    acme_result_t res;

    parent = apr_palloc(p, sizeof(*parent));
    *parent = (parent_t) {
        .s = s,
        .start = find_start(s),
        .board = board,
        .log = { .write = write_line, .baton = s },
        .pulse.fd = -1
    };
    acme_result_clear(&res);
    if (start_listening(&res, p)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: %s; certificates are not renewed; set DefaultRuntimeDir to a folder with a shorter path that the server can write to",
                     res.detail);
        parent = NULL;
        return;
    }
    parent->server = (acme_server_t) {
        .pid = getpid(),
        .reload_signal = can_reload() ? AP_SIG_GRACEFUL : 0,
        .test = test,
        .test_limit = test_limit,
        .list = parent->start->list,
        .cwd = parent->start->cwd,
        .title = parent->start->title,
        .title_size = parent->start->title_size,
        .baseline = baseline
    };
    parent->keeper = (acme_keeper_t) {
        .conf = conf,
        .server = &parent->server,
        .log = &parent->log,
        .listener = parent->listener,
        .user = user_of_workers(),
        .roles = { { ACME_BY_WORKER, parent->worker.token },
                   { ACME_BY_WITNESS, parent->witness.token } },
        .live = acme_live_pairs(),
        .publish = publish,
        .held = held,
        .forget = forget,
        .baton = parent
    };

    child = (acme_child_conf_t) {
        .what = "keeper",
        .baton = parent,
        .run = be_keeper,
        .before_fork = open_pulse,
        .after_fork = close_keepers_end,
        .check = check_pulse
    };
    acme_child_start(&parent->child, &child, s, p);
    apr_pool_cleanup_register(p, parent, end_generation,
                              apr_pool_cleanup_null);
}

const acme_keeper_address_t *acme_keeper_start_client(int who)
{
    return !parent ? NULL
           : who == ACME_BY_WITNESS ? &parent->witness : &parent->worker;
}

/* Not under -X: parent and worker are one process then. */
void acme_keeper_start_drop_privileges(void)
{
    if (parent && getpid() != parent->server.pid) {
        if (parent->listener >= 0) {
            close(parent->listener);
            parent->listener = -1;
        }
        pulse_close(&parent->pulse);
    }
}

void acme_keeper_start_child_init(void)
{
    acme_keeper_start_drop_privileges();
    if (parent && getpid() != parent->server.pid) {
        acme_cleanse(parent->witness.token, sizeof(parent->witness.token));
    }
}

/*
 * Workers are forked while the MPM runs, and by the parent itself. Daemons that
 * other modules fork then look the same from here.
 */
static int may_be_worker(void)
{
    return getppid() == parent->server.pid
        && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_RUN_MPM;
}

void acme_keeper_start_forget(void)
{
    acme_keeper_start_child_init();
    if (parent && !may_be_worker()) {
        acme_cleanse(parent->worker.token, sizeof(parent->worker.token));
    }
}

const acme_log_t *acme_keeper_start_log(void)
{
    return &parent->log;
}
