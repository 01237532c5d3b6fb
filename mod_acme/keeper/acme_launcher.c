/*
 * acme_launcher.c - the process that executes what the keeper may not.
 *
 * It has one thread, so fork() and what follows it is safe here. A request is
 * a request_t and then its texts, each with its NUL; the reply has the job's
 * descriptors. A job is waited for only when the keeper is done with it: until
 * then its pid is not given to another process.
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
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <apr_strings.h>

#include "acme_launcher.h"

#define NAME "acme-launcher"

/* 64 of AcmeHook, 64 of AcmeDns, a test of the configuration, and what ended
   and the keeper has not looked at yet. */
#define JOBS_MAX 160

/* Octets of the texts of a request; arguments or variables in it. */
#define TEXTS_MAX (1024 * 1024)
#define WORDS_MAX 1024

/* A launcher that does not answer for so long is given up. */
#define REPLY_MAX_SECONDS 10

/* Closed one by one where the kernel has no call for it. */
#define DESCRIPTORS_MAX 65536

#define DEFAULT_PATH \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

typedef enum { RUN, RELOAD } request_e;

/* One that has a zero in it tells of nothing else. */
typedef struct {
    request_e kind;
    apr_uint32_t argc;
    apr_uint32_t envc;
    apr_uint32_t texts;         /* octets: cwd, arguments, variables */
    int own_env;                /* all of ours */
    int has_input;
    apr_interval_time_t alone;
} request_t;

typedef enum { NOTHING, NOT_ALLOWED, TOO_MANY, NO_PIPES, NO_PROCESS } step_e;

typedef struct {
    step_e failed;
    int error;                  /* errno */
} reply_t;

enum { OUTPUT, CONTROL, INPUT, DESCRIPTORS };

/* The keeper's side. */
static int to_launcher = -1;
static pid_t launcher_pid;

/* The launcher's side. */
typedef struct {
    pid_t pid;                  /* 0: this place is free */
    int control;                /* -1: the job outlives the keeper */
    int outlives;
    int told;                   /* its wait status was sent */
} job_t;

typedef struct {
    int keeper;                 /* the socket */
    const acme_launcher_rules_t *rules;
    job_t jobs[JOBS_MAX];
    sigset_t waiting;           /* the signal mask while polling */
    apr_pool_t *p;              /* of a request */
} launcher_t;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* What executes a command: in a fork of the launcher. */

/* No descriptor above standard error is inherited, whoever opened it. */
static void close_from(int first)
{
    long fd, most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) {
        return;
    }
#endif
    if (most < 0 || most > DESCRIPTORS_MAX) {
        most = DESCRIPTORS_MAX;
    }
    for (fd = first; fd < most; fd++) {
        close((int)fd);
    }
}

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

/* A pipe's end may be among 0 to 2 where httpd was started without them. */
static int above_standard(int fd)
{
    return fd > STDERR_FILENO ? fd : fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
}

static void run_child(const acme_launcher_command_t *command, char **env,
                      int input, int output)
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
    umask(077);
    input = above_standard(input);
    output = above_standard(output);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0
        || dup2(output, STDERR_FILENO) < 0) {
        _exit(126);
    }
    close_from(STDERR_FILENO + 1);
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

static int pipe_cloexec(int fds[2])
{
    if (pipe(fds)) {
        fds[0] = fds[1] = -1;
        return -1;
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

static int pair_cloexec(int fds[2], int type)
{
    if (socketpair(AF_UNIX, type, 0, fds)) {
        fds[0] = fds[1] = -1;
        return -1;
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

/* in[0] is for the child, in[1] for the keeper, or -1: there is no input. */
static int open_input(int in[2], int has_input)
{
    if (has_input) {
        return pipe_cloexec(in);
    }
    in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return in[0] < 0 ? -1 : 0;
}

/* The launcher's jobs. */

/* It is not waited for before this: nobody else has its pid. */
static void job_end(job_t *job, int signal)
{
    if (signal) {
        kill(-job->pid, signal);
    }
    while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) {
        continue;
    }
    close_fd(&job->control);
    job->pid = 0;
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
        job_end(job, 0);
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
        job_end(job, 0);
    }
    else if (n <= 0 && job->outlives) {
        close_fd(&job->control);
        job_check(job);
    }
    else {
        job_end(job, SIGKILL);
    }
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

static reply_t fail(step_e failed, int error)
{
    return (reply_t) { .failed = failed, .error = error };
}

/* given are the keeper's descriptors, those not opened are -1. */
static reply_t job_start(launcher_t *launcher,
                         const acme_launcher_command_t *command,
                         int given[DESCRIPTORS])
{
    job_t *job = free_place(launcher);
    int out[2] = { -1, -1 }, in[2] = { -1, -1 }, control[2] = { -1, -1 };
    reply_t reply = { NOTHING, 0 };
    char **env;
    pid_t pid;

    if (!acme_launcher_rules_allow(launcher->rules, command, launcher->p)) {
        return fail(NOT_ALLOWED, EPERM);
    }
    if (!job) {
        return fail(TOO_MANY, EAGAIN);
    }
    env = command->env ? make_env(command->env, launcher->p) : NULL;
    if (pipe_cloexec(out) || open_input(in, command->has_input)
        || pair_cloexec(control, SOCK_SEQPACKET)) {
        reply = fail(NO_PIPES, errno);
        goto out;
    }
    pid = fork();
    if (pid == 0) {
        run_child(command, env, in[0], out[1]);
    }
    if (pid < 0) {
        reply = fail(NO_PROCESS, errno);
        goto out;
    }
    setpgid(pid, pid);          /* here or in the child, whichever is first */
    *job = (job_t) { .pid = pid, .control = control[0],
                     .outlives = command->alone != 0 };
    given[OUTPUT] = out[0];
    given[CONTROL] = control[1];
    given[INPUT] = in[1];
    out[0] = in[1] = control[0] = control[1] = -1;
out:
    close_fd(&out[0]);
    close_fd(&out[1]);
    close_fd(&in[0]);
    close_fd(&in[1]);
    close_fd(&control[0]);
    close_fd(&control[1]);
    return reply;
}

/* The launcher's requests. */

static int receive_all(int fd, void *data, apr_size_t len)
{
    char *at = data;

    while (len > 0) {
        const ssize_t n = recv(fd, at, len, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return 0;
        }
        at += n;
        len -= (apr_size_t)n;
    }
    return 1;
}

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
static int parse(acme_launcher_command_t *command, const request_t *request,
                 const char *texts, apr_pool_t *p)
{
    const char *const end = texts + request->texts;
    const char **argv;
    apr_array_header_t *env;
    apr_uint32_t i;

    if (request->argc == 0 || request->argc > WORDS_MAX
        || request->envc > WORDS_MAX) {
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

static void send_reply(int fd, const reply_t *reply,
                       const int given[DESCRIPTORS])
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec iov = { (void *)reply, sizeof(*reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    const int n = given[INPUT] >= 0 ? DESCRIPTORS : INPUT;

    memset(&control, 0, sizeof(control));
    if (given[OUTPUT] >= 0) {
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

static reply_t signal_httpd(const acme_server_t *server)
{
    if (!server || !server->reload_signal) {
        return fail(NOT_ALLOWED, EPERM);
    }
    return kill(server->pid, server->reload_signal)
           ? fail(NO_PROCESS, errno) : fail(NOTHING, 0);
}

/* 0: the keeper ended, or broke the protocol. */
static int serve_request(launcher_t *launcher)
{
    int given[DESCRIPTORS] = { -1, -1, -1 };
    acme_launcher_command_t command;
    request_t request;
    reply_t reply;
    char *texts;
    int i;

    if (!receive_all(launcher->keeper, &request, sizeof(request))
        || request.texts > TEXTS_MAX) {
        return 0;
    }
    texts = apr_palloc(launcher->p, request.texts + 1);
    if (!receive_all(launcher->keeper, texts, request.texts)) {
        return 0;
    }
    if (request.kind == RELOAD) {
        reply = signal_httpd(launcher->rules->server);
    }
    else if (request.kind == RUN
             && parse(&command, &request, texts, launcher->p)) {
        reply = job_start(launcher, &command, given);
    }
    else {
        return 0;
    }
    send_reply(launcher->keeper, &reply, given);
    for (i = 0; i < DESCRIPTORS; i++) {
        close_fd(&given[i]);
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
    for (i = 0; i < JOBS_MAX; i++) {
        if (launcher->jobs[i].pid && !launcher->jobs[i].told) {
            job_check(&launcher->jobs[i]);
        }
    }
    *pserving = n == 0 || !fds[0].revents || serve_request(launcher);
}

static void be_launcher(int fd, const acme_launcher_rules_t *rules)
{
    launcher_t *launcher;
    apr_pool_t *p;
    int i, serving = 1;

    apr_pool_create(&p, NULL);
    launcher = apr_pcalloc(p, sizeof(*launcher));

#ifdef __linux__
    prctl(PR_SET_NAME, NAME);
#endif
    if (rules->server && rules->server->title) {
        memset(rules->server->title, 0, rules->server->title_size);
        apr_cpystrn(rules->server->title, NAME ": commands of the keeper",
                    rules->server->title_size);
    }
    set_signals(&launcher->waiting);
    fd = above_standard(fd);
    if (fd != STDERR_FILENO + 1 && dup2(fd, STDERR_FILENO + 1) >= 0) {
        fd = STDERR_FILENO + 1;
    }
    close_from(fd + 1);         /* the keeper's, httpd's, and the other end */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    launcher->keeper = fd;
    launcher->rules = rules;
    apr_pool_create(&launcher->p, p);
    while (serving) {
        apr_pool_clear(launcher->p);
        poll_once(launcher, &serving);
    }
    for (i = 0; i < JOBS_MAX; i++) {
        if (launcher->jobs[i].pid && !launcher->jobs[i].outlives) {
            job_end(&launcher->jobs[i], SIGKILL);
        }
    }
    _exit(0);
}

/* The keeper's side. */

static apr_status_t stop_launcher(void *unused)
{
    (void)unused;
    close_fd(&to_launcher);
    while (launcher_pid && waitpid(launcher_pid, NULL, 0) < 0
           && errno == EINTR) {
        continue;
    }
    launcher_pid = 0;
    return APR_SUCCESS;
}

apr_status_t acme_launcher_start(const acme_launcher_rules_t *rules,
                                 acme_result_t *res, apr_pool_t *p)
{
    const struct timeval most = { .tv_sec = REPLY_MAX_SECONDS };
    int fds[2];

    stop_launcher(NULL);
    if (pair_cloexec(fds, SOCK_STREAM)) {
        return acme_fail_errno(
            res, errno,
            "the socket to the process that runs commands cannot be opened");
    }
    launcher_pid = fork();
    if (launcher_pid == 0) {
        close(fds[0]);          /* else it would never see the keeper's end */
        be_launcher(fds[1], rules);
    }
    close(fds[1]);
    if (launcher_pid < 0) {
        launcher_pid = 0;
        close(fds[0]);
        return acme_fail_errno(
            res, errno, "the process that runs commands cannot be started");
    }
    setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
    to_launcher = fds[0];
    apr_pool_cleanup_register(p, NULL, stop_launcher, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

int acme_launcher_is_gone(void)
{
    int status;

    if (launcher_pid && waitpid(launcher_pid, &status, WNOHANG) != 0) {
        launcher_pid = 0;
        close_fd(&to_launcher);
    }
    return to_launcher < 0;
}

static apr_status_t is_silent(acme_result_t *res)
{
    const int error = errno;

    close_fd(&to_launcher);     /* never use a reply to another request */
    launcher_pid = 0;           /* nor wait for one that hangs */
    return acme_fail_errno(res, error ? error : EPIPE,
                           "the process that runs commands does not answer");
}

static int send_all(const void *data, apr_size_t len)
{
    const char *at = data;

    while (len > 0) {
        const ssize_t n = send(to_launcher, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return 0;
        }
        at += n;
        len -= (apr_size_t)n;
    }
    return 1;
}

static int wait_for_reply(void)
{
    struct pollfd fd = { to_launcher, POLLIN, 0 };
    int n;

    do {
        n = poll(&fd, 1, REPLY_MAX_SECONDS * 1000);
    } while (n < 0 && errno == EINTR);
    errno = n == 0 ? ETIMEDOUT : errno;
    return n > 0;
}

static void take_descriptors(int taken[DESCRIPTORS], struct msghdr *msg)
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(msg);
    size_t n;
    int i;

    if (!header || header->cmsg_level != SOL_SOCKET
        || header->cmsg_type != SCM_RIGHTS) {
        return;
    }
    n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(taken, CMSG_DATA(header),
           (n < DESCRIPTORS ? n : DESCRIPTORS) * sizeof(int));
    for (i = 0; i < DESCRIPTORS; i++) {
        if (taken[i] >= 0) {
            fcntl(taken[i], F_SETFD, FD_CLOEXEC);
            fcntl(taken[i], F_SETFL, O_NONBLOCK);
        }
    }
}

static apr_status_t call(reply_t *reply, int taken[DESCRIPTORS],
                         const request_t *request, const char *texts,
                         acme_result_t *res)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec iov = { reply, sizeof(*reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    ssize_t n;

    errno = 0;
    if (to_launcher < 0 || !send_all(request, sizeof(*request))
        || !send_all(texts, request->texts) || !wait_for_reply()) {
        return is_silent(res);
    }
    do {
        n = recvmsg(to_launcher, &msg, 0);
    } while (n < 0 && errno == EINTR);
    if (n != sizeof(*reply)) {
        return is_silent(res);
    }
    take_descriptors(taken, &msg);
    return APR_SUCCESS;
}

static void add_text(char **pat, const char *text)
{
    const apr_size_t len = strlen(text) + 1;

    memcpy(*pat, text, len);
    *pat += len;
}

/* The texts of a request, whose lengths are in it. */
static char *write_texts(request_t *request,
                         const acme_launcher_command_t *command,
                         apr_pool_t *p)
{
    const int envc = command->env ? command->env->nelts : 0;
    apr_size_t len = strlen(command->cwd) + 1;
    char *texts, *at;
    int i, argc;

    for (argc = 0; command->argv[argc]; argc++) {
        len += strlen(command->argv[argc]) + 1;
    }
    for (i = 0; i < envc; i++) {
        len += strlen(APR_ARRAY_IDX(command->env, i, const char *)) + 1;
    }
    if (len > TEXTS_MAX || argc > WORDS_MAX || envc > WORDS_MAX) {
        return NULL;
    }
    texts = at = apr_palloc(p, len);
    add_text(&at, command->cwd);
    for (i = 0; i < argc; i++) {
        add_text(&at, command->argv[i]);
    }
    for (i = 0; i < envc; i++) {
        add_text(&at, APR_ARRAY_IDX(command->env, i, const char *));
    }
    request->argc = (apr_uint32_t)argc;
    request->envc = (apr_uint32_t)envc;
    request->texts = (apr_uint32_t)len;
    return texts;
}

static apr_status_t explain(const reply_t *reply, const char *program,
                            acme_result_t *res)
{
    switch (reply->failed) {
    case NOTHING:
        return APR_SUCCESS;
    case NOT_ALLOWED:
        return acme_fail(
            res, EPERM,
            "%s: not a command of the configuration that httpd has loaded, so it is not run",
            program);
    case TOO_MANY:
        return acme_fail(res, APR_EAGAIN,
                         "%s: not run, because too many commands run already",
                         program);
    case NO_PIPES:
        return acme_fail_errno(
            res, reply->error,
            "%s: the pipes for input and output cannot be opened", program);
    case NO_PROCESS:
        break;
    }
    return acme_fail_errno(res, reply->error, "%s: cannot be started",
                           program);
}

apr_status_t acme_launcher_run(acme_launcher_job_t *job,
                               const acme_launcher_command_t *command,
                               acme_result_t *res, apr_pool_t *p)
{
    int taken[DESCRIPTORS] = { -1, -1, -1 };
    request_t request;
    reply_t reply;
    const char *texts;
    apr_status_t rv;

    *job = (acme_launcher_job_t) { -1, -1, -1 };
    memset(&request, 0, sizeof(request));
    request.kind = RUN;
    request.own_env = !command->env;
    request.has_input = command->has_input;
    request.alone = command->alone;
    texts = write_texts(&request, command, p);
    if (!texts) {
        return acme_fail(
            res, E2BIG,
            "%s: its arguments and environment are longer than %d octets",
            command->argv[0], TEXTS_MAX);
    }
    rv = call(&reply, taken, &request, texts, res);
    if (rv == APR_SUCCESS) {
        rv = explain(&reply, command->argv[0], res);
    }
    if (rv == APR_SUCCESS) {
        job->output = taken[OUTPUT];
        job->control = taken[CONTROL];
        job->input = taken[INPUT];
    }
    return rv;
}

apr_status_t acme_launcher_reload(acme_result_t *res)
{
    int taken[DESCRIPTORS] = { -1, -1, -1 };
    request_t request;
    reply_t reply;
    apr_status_t rv;

    memset(&request, 0, sizeof(request));
    request.kind = RELOAD;
    rv = call(&reply, taken, &request, "", res);
    if (rv == APR_SUCCESS && reply.failed) {
        rv = acme_fail_errno(res, reply.error, "httpd cannot be signalled");
    }
    return rv;
}
