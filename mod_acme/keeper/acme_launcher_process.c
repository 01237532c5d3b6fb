/*
 * acme_launcher_process.c - the launcher itself.
 *
 * It has one thread, so fork() and what follows it is safe here. A job is
 * waited for only when the keeper is done with it: until then its pid is not
 * given to another process. One that is killed may be unable to end, while it
 * waits for a file system that is dead: nothing here waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <apr_strings.h>

#include "acme_cert_reader_process.h"
#include "acme_descriptors.h"
#include "acme_export_job.h"
#include "acme_key_maker_process.h"
#include "acme_launcher_process.h"
#include "acme_launcher_request.h"
#include "acme_token_command.h"

#define NAME "acme-launcher"

/* 64 of AcmeHook, 64 of AcmeDns and AcmeHttp, a test of the configuration, what
   ended and the keeper has not looked at yet, and what cannot be killed. */
#define JOBS_MAX 320

/* When so many that were killed have not ended, no token and no copy is written,
   and when so many, no command of the administrator's is run either. A test of
   the configuration always is. */
#define KILLED_MAX_BUILT_IN 16
#define KILLED_MAX_COMMANDS 64

/* So long the launcher's own end waits for those that it killed then. */
#define END_MAX_MS 1000

#define DEFAULT_PATH \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

typedef struct {
    pid_t pid;                  /* 0: this place is free */
    int control;                /* -1: the job outlives the keeper */
    int outlives;
    int told;                   /* its wait status was sent */
    int is_killed;              /* and only has to be reaped */
} job_t;

/* A process that does one thing for the keeper, and is no job. */
typedef struct {
    void (*run)(int fd, const acme_launcher_rules_t *rules);
    pid_t pid;                  /* 0: there is none */
} helper_t;

typedef struct {
    int keeper;                 /* the socket */
    const acme_launcher_rules_t *rules;
    job_t jobs[JOBS_MAX];
    helper_t cert_reader;
    helper_t key_maker;
    sigset_t waiting;           /* the signal mask while polling */
    apr_pool_t *p;              /* of a request */
} launcher_t;

/* What executes a command: in a fork of the launcher. */

/* Handlers first: a signal that was blocked must not reach one of ours. */
static void default_signals(void)
{
    sigset_t none;
    int sig;

    for (sig = 1; sig < NSIG; sig++) {
        signal(sig, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void die(int code, const char *what)
{
    fprintf(stderr, "%s: cannot be run: %s\n", what, strerror(errno));
    fflush(stderr);
    _exit(code);
}

static void run_child(const acme_launcher_rules_t *rules,
                      const acme_launcher_command_t *command, char **env,
                      mode_t mask, int input, int output)
{
    const struct itimerval most = {
        .it_value = { .tv_sec = (time_t)apr_time_sec(command->alone),
                      .tv_usec = (suseconds_t)apr_time_usec(command->alone) }
    };

    setpgid(0, 0);
    default_signals();
    if (command->alone) {
        signal(SIGPIPE, SIG_IGN);
        setitimer(ITIMER_REAL, &most, NULL);    /* SIGALRM, after exec too */
    }
    umask(mask);
    input = acme_descriptors_above_standard(input);
    output = acme_descriptors_above_standard(output);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0
        || dup2(output, STDERR_FILENO) < 0) {
        _exit(126);
    }
    acme_descriptors_close_from(STDERR_FILENO + 1);
    if (command->export) {
        _exit(acme_export_job_run(rules->conf, command->export->cert,
                                  command->export->index));
    }
    /*
     * The folder that httpd was started in may be gone, or another user's.
     * Only a relative path on its command line depends on it.
     */
    if (chdir(command->cwd) && (env || chdir("/"))) {
        die(126, command->cwd);
    }
    if (env) {
        environ = env;
    }
    if (!strcmp(command->argv[0], ACME_TOKEN_COMMAND_WEBROOT)) {
        _exit(acme_token_command_run(command->argv));
    }
    execvp(command->argv[0], (char *const *)command->argv);
    die(127, command->argv[0]);
}

static const char *inherited(const char *name, const char *otherwise,
                             apr_pool_t *p)
{
    const char *value = getenv(name);

    if (!value) {
        value = otherwise;
    }
    return value ? apr_pstrcat(p, name, "=", value, NULL) : NULL;
}

static char **make_env(const apr_array_header_t *given, apr_pool_t *p)
{
    char **env = apr_pcalloc(p, ((apr_size_t)given->nelts + 4)
                             * sizeof(*env));
    const char *ours[3];
    int i, n = 0;

    ours[0] = inherited("PATH", DEFAULT_PATH, p);
    ours[1] = inherited("LANG", NULL, p);
    ours[2] = inherited("LC_ALL", NULL, p);
    for (i = 0; i < 3; i++) {
        if (ours[i]) {
            env[n++] = (char *)ours[i];
        }
    }
    for (i = 0; i < given->nelts; i++) {
        env[n++] = APR_ARRAY_IDX(given, i, char *);
    }
    return env;
}

/* in[0] is for the child, in[1] for the keeper, or -1: there is no input. */
static int open_input(int in[2], int has_input)
{
    if (has_input) {
        return acme_descriptors_pipe(in);
    }
    in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return in[0] < 0 ? -1 : 0;
}

/* The launcher's jobs. */

/* Reap it, or do that later. It is not waited for before this: nobody else has
   its pid. */
static void job_end(job_t *job)
{
    acme_descriptors_close(&job->control);
    job->is_killed = 1;
    if (waitpid(job->pid, NULL, WNOHANG) != 0) {
        job->pid = 0;
    }
}

static void job_kill(job_t *job)
{
    kill(-job->pid, SIGKILL);
    job_end(job);
}

/* Tell the keeper that it ended; without a keeper, only reap it. */
static void job_check(job_t *job)
{
    siginfo_t info;
    int status;

    info.si_pid = 0;
    if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT)
        || info.si_pid != job->pid) {
        return;
    }
    if (job->control < 0) {
        job_end(job);
        return;
    }
    status = info.si_code == CLD_EXITED ? info.si_status : -1;
    job->told = send(job->control, &status, sizeof(status),
                     MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(status);
}

static void job_obey(job_t *job)
{
    char what = 0;
    const ssize_t n = recv(job->control, &what, 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n == 1 && what == ACME_LAUNCHER_TERM) {
        kill(-job->pid, SIGTERM);
    }
    else if (n == 1 && what == ACME_LAUNCHER_DONE && job->told) {
        job_end(job);
    }
    else if (n <= 0 && job->outlives) {
        acme_descriptors_close(&job->control);
        job_check(job);
    }
    else {
        job_kill(job);
    }
}

static int count_killed(const launcher_t *launcher)
{
    int i, n = 0;

    for (i = 0; i < JOBS_MAX; i++) {
        n += launcher->jobs[i].pid && launcher->jobs[i].is_killed;
    }
    return n;
}

/* A dead file system costs no more processes than that. */
static int killed_max(const acme_launcher_command_t *command)
{
    if (command->export
        || !strcmp(command->argv[0], ACME_TOKEN_COMMAND_WEBROOT)) {
        return KILLED_MAX_BUILT_IN;
    }
    return command->env ? KILLED_MAX_COMMANDS : JOBS_MAX;
}

static job_t *free_place(launcher_t *launcher)
{
    int i;

    for (i = 0; i < JOBS_MAX; i++) {
        if (!launcher->jobs[i].pid) {
            return &launcher->jobs[i];
        }
    }
    return NULL;
}

/* error: errno, or a number of processes. */
static acme_launcher_reply_t fail(acme_launcher_step_e failed, int error)
{
    return (acme_launcher_reply_t) { .failed = failed, .error = error };
}

/* given are the keeper's descriptors, those not opened are -1. */
static acme_launcher_reply_t job_start(
    launcher_t *launcher, const acme_launcher_command_t *command,
    int given[ACME_LAUNCHER_DESCRIPTORS])
{
    job_t *job = free_place(launcher);
    int out[2] = { -1, -1 }, in[2] = { -1, -1 }, control[2] = { -1, -1 };
    acme_launcher_reply_t reply = { ACME_LAUNCHER_NOTHING, 0 };
    const int killed = count_killed(launcher);
    char **env;
    pid_t pid;

    if (!acme_launcher_rules_allow(launcher->rules, command, launcher->p)) {
        return fail(ACME_LAUNCHER_NOT_ALLOWED, EPERM);
    }
    if (killed >= killed_max(command)) {
        return fail(ACME_LAUNCHER_TOO_MANY_KILLED, killed);
    }
    if (!job) {
        return fail(ACME_LAUNCHER_TOO_MANY, EAGAIN);
    }
    env = command->env ? make_env(command->env, launcher->p) : NULL;
    if (acme_descriptors_pipe(out) || open_input(in, command->has_input)
        || acme_descriptors_pair(control, SOCK_SEQPACKET)) {
        reply = fail(ACME_LAUNCHER_NO_PIPES, errno);
        goto out;
    }
    pid = fork();
    if (pid == 0) {
        run_child(launcher->rules, command, env,
                  acme_launcher_rules_umask(launcher->rules, command), in[0],
                  out[1]);
    }
    if (pid < 0) {
        reply = fail(ACME_LAUNCHER_NO_PROCESS, errno);
        goto out;
    }
    setpgid(pid, pid);          /* here or in the child, whichever is first */
    *job = (job_t) { .pid = pid, .control = control[0],
                     .outlives = command->alone != 0 };
    given[ACME_LAUNCHER_OUTPUT] = out[0];
    given[ACME_LAUNCHER_CONTROL] = control[1];
    given[ACME_LAUNCHER_INPUT] = in[1];
    out[0] = in[1] = control[0] = control[1] = -1;
out:
    acme_descriptors_close(&out[0]);
    acme_descriptors_close(&out[1]);
    acme_descriptors_close(&in[0]);
    acme_descriptors_close(&in[1]);
    acme_descriptors_close(&control[0]);
    acme_descriptors_close(&control[1]);
    return reply;
}

/* The launcher's requests. */

/* The text at *pat, which moves behind it; NULL: there is no more. */
static const char *next_text(const char **pat, const char *end)
{
    const char *text = *pat;
    const char *nul = memchr(text, '\0', (apr_size_t)(end - text));

    if (nul) {
        *pat = nul + 1;
    }
    return nul ? text : NULL;
}

/* 0: the keeper does not say what it must. */
static int parse(acme_launcher_command_t *command,
                 const acme_launcher_request_t *request, const char *texts,
                 apr_pool_t *p)
{
    const char *const end = texts + request->texts;
    const char **argv;
    apr_array_header_t *env;
    apr_uint32_t i;

    if (request->argc == 0 || request->argc > ACME_LAUNCHER_WORDS_MAX
        || request->envc > ACME_LAUNCHER_WORDS_MAX) {
        return 0;
    }
    argv = apr_pcalloc(p, (request->argc + 1) * sizeof(*argv));
    env = apr_array_make(p, (int)request->envc + 1, sizeof(const char *));
    *command = (acme_launcher_command_t) {
        .argv = argv,
        .cwd = next_text(&texts, end),
        .env = request->own_env ? NULL : env,
        .has_input = request->has_input,
        .alone = request->alone
    };
    for (i = 0; i < request->argc; i++) {
        argv[i] = next_text(&texts, end);
        if (!argv[i]) {
            return 0;
        }
    }
    for (i = 0; i < request->envc; i++) {
        const char *text = next_text(&texts, end);

        if (!text) {
            return 0;
        }
        APR_ARRAY_PUSH(env, const char *) = text;
    }
    return command->cwd && texts == end && command->alone >= 0;
}

static void send_reply(int fd, const acme_launcher_reply_t *reply,
                       const int given[ACME_LAUNCHER_DESCRIPTORS])
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(ACME_LAUNCHER_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec iov = { (void *)reply, sizeof(*reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int n = 0;

    while (n < ACME_LAUNCHER_DESCRIPTORS && given[n] >= 0) {
        n++;
    }
    memset(&control, 0, sizeof(control));
    if (n) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
        memcpy(CMSG_DATA(&control.header), given, (size_t)n * sizeof(int));
    }
    while (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR) {
        continue;
    }
}

static acme_launcher_reply_t signal_httpd(const acme_server_t *server)
{
    if (!server || !server->reload_signal) {
        return fail(ACME_LAUNCHER_NOT_ALLOWED, EPERM);
    }
    if (kill(server->pid, server->reload_signal)) {
        return fail(ACME_LAUNCHER_NO_PROCESS, errno);
    }
    return fail(ACME_LAUNCHER_NOTHING, 0);
}

static void helper_end(launcher_t *launcher, helper_t *helper)
{
    job_t *place = free_place(launcher);

    if (helper->pid) {
        kill(helper->pid, SIGKILL);
        if (place) {            /* else it is reaped when the launcher ends */
            *place = (job_t) { .pid = helper->pid, .control = -1 };
            job_end(place);
        }
        helper->pid = 0;
    }
}

static acme_launcher_reply_t helper_start(
    launcher_t *launcher, helper_t *helper,
    int given[ACME_LAUNCHER_DESCRIPTORS])
{
    int fds[2];
    pid_t pid;

    helper_end(launcher, helper);
    if (acme_descriptors_pair(fds, SOCK_STREAM)) {
        return fail(ACME_LAUNCHER_NO_PIPES, errno);
    }
    pid = fork();
    if (pid == 0) {
        helper->run(fds[1], launcher->rules);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return fail(ACME_LAUNCHER_NO_PROCESS, errno);
    }
    helper->pid = pid;
    given[0] = fds[0];
    return fail(ACME_LAUNCHER_NOTHING, 0);
}

static void helper_reap(helper_t *helper)
{
    if (helper->pid && waitpid(helper->pid, NULL, WNOHANG) != 0) {
        helper->pid = 0;
    }
}

/* 0: the keeper ended, or broke the protocol. */
static int serve_request(launcher_t *launcher)
{
    int given[ACME_LAUNCHER_DESCRIPTORS] = { -1, -1, -1 };
    acme_launcher_command_t command;
    acme_launcher_request_t request;
    acme_launcher_export_t export;
    acme_launcher_reply_t reply;
    char *texts;
    int i;

    if (!acme_descriptors_receive(launcher->keeper, &request,
                                  sizeof(request), 0)
        || request.texts > ACME_LAUNCHER_TEXTS_MAX) {
        return 0;
    }
    texts = apr_palloc(launcher->p, request.texts + 1);
    if (!acme_descriptors_receive(launcher->keeper, texts, request.texts,
                                  0)) {
        return 0;
    }
    if (request.kind == ACME_LAUNCHER_RELOAD) {
        reply = signal_httpd(launcher->rules->server);
    }
    else if (request.kind == ACME_LAUNCHER_CERT_READER) {
        reply = helper_start(launcher, &launcher->cert_reader, given);
    }
    else if (request.kind == ACME_LAUNCHER_KEY_MAKER) {
        reply = helper_start(launcher, &launcher->key_maker, given);
    }
    else if (request.kind == ACME_LAUNCHER_EXPORT) {
        export = (acme_launcher_export_t) { request.cert, request.index };
        command = (acme_launcher_command_t) { .export = &export };
        reply = job_start(launcher, &command, given);
    }
    else if (request.kind == ACME_LAUNCHER_RUN
             && parse(&command, &request, texts, launcher->p)) {
        reply = job_start(launcher, &command, given);
    }
    else {
        return 0;
    }
    send_reply(launcher->keeper, &reply, given);
    for (i = 0; i < ACME_LAUNCHER_DESCRIPTORS; i++) {
        acme_descriptors_close(&given[i]);
    }
    return 1;
}

static void on_child(int sig)
{
    (void)sig;                  /* ends a poll */
}

/*
 * It ends when the keeper does, not at the signals of httpd's group. All are
 * blocked but while polling: one that a fork of it gets before exec is not
 * ignored then, but kept for the command.
 */
static void set_signals(sigset_t *waiting)
{
    struct sigaction action;
    sigset_t all;
    int sig;

    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_IGN;
    for (sig = 1; sig < NSIG; sig++) {
        sigaction(sig, &action, NULL);
    }
    action.sa_handler = SIG_DFL;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    action.sa_handler = on_child;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(waiting);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void check_jobs(launcher_t *launcher)
{
    int i;

    for (i = 0; i < JOBS_MAX; i++) {
        job_t *job = &launcher->jobs[i];

        if (job->pid && job->is_killed) {
            job_end(job);
        }
        else if (job->pid && !job->told) {
            job_check(job);
        }
    }
}

static void poll_once(launcher_t *launcher, int *pserving)
{
    struct pollfd fds[1 + JOBS_MAX];
    job_t *of[1 + JOBS_MAX];
    int i, n = 1;

    fds[0] = (struct pollfd) { launcher->keeper, POLLIN, 0 };
    for (i = 0; i < JOBS_MAX; i++) {
        job_t *job = &launcher->jobs[i];

        if (job->pid && job->control >= 0) {
            fds[n] = (struct pollfd) { job->control, POLLIN, 0 };
            of[n++] = job;
        }
    }
    if (ppoll(fds, (nfds_t)n, NULL, &launcher->waiting) < 0) {
        n = 0;
    }
    for (i = 1; i < n; i++) {
        if (fds[i].revents) {
            job_obey(of[i]);
        }
    }
    check_jobs(launcher);
    helper_reap(&launcher->cert_reader);
    helper_reap(&launcher->key_maker);
    *pserving = n == 0 || !fds[0].revents || serve_request(launcher);
}

/* The keeper has ended. What cannot be killed is left to init. */
static void end_jobs(launcher_t *launcher)
{
    const apr_time_t until = apr_time_now() + apr_time_from_msec(END_MAX_MS);
    struct timespec rest = { 0, 0 };
    apr_interval_time_t left;
    int i;

    for (i = 0; i < JOBS_MAX; i++) {
        job_t *job = &launcher->jobs[i];

        if (job->pid && !job->is_killed && !job->outlives) {
            job_kill(job);
        }
    }
    helper_end(launcher, &launcher->cert_reader);
    helper_end(launcher, &launcher->key_maker);
    while (count_killed(launcher)
           && (left = until - apr_time_now()) > 0
           && left <= apr_time_from_msec(END_MAX_MS)) {
        rest.tv_nsec = (long)(left % APR_USEC_PER_SEC) * 1000;
        ppoll(NULL, 0, &rest, &launcher->waiting);
        check_jobs(launcher);
    }
}

void acme_launcher_process_run(int fd, const acme_launcher_rules_t *rules)
{
    launcher_t *launcher;
    apr_pool_t *p;
    int serving = 1;

    apr_pool_create(&p, NULL);
    launcher = apr_pcalloc(p, sizeof(*launcher));
    launcher->cert_reader.run = acme_cert_reader_process_run;
    launcher->key_maker.run = acme_key_maker_process_run;

#ifdef __linux__
    prctl(PR_SET_NAME, NAME);
#endif
    if (rules->server && rules->server->title) {
        memset(rules->server->title, 0, rules->server->title_size);
        apr_cpystrn(rules->server->title, NAME ": commands of the keeper",
                    rules->server->title_size);
    }
    set_signals(&launcher->waiting);
    if (rules->live) {          /* before its number is another's */
        acme_live_pairs_forget_writer(rules->live);
    }
    fd = acme_descriptors_above_standard(fd);
    if (fd != STDERR_FILENO + 1 && dup2(fd, STDERR_FILENO + 1) >= 0) {
        fd = STDERR_FILENO + 1;
    }
    /* The keeper's, httpd's, and the other end. */
    acme_descriptors_close_from(fd + 1);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    launcher->keeper = fd;
    launcher->rules = rules;
    apr_pool_create(&launcher->p, p);
    while (serving) {
        apr_pool_clear(launcher->p);
        poll_once(launcher, &serving);
    }
    end_jobs(launcher);
    _exit(0);
}
