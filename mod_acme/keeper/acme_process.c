/*
 * acme_process.c - a program that runs beside the keeper.
 *
 * The keeper has one thread, so fork() and what follows it is safe here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_process.h"
#include "acme_text.h"

/* How often a job is checked that closed its output but still runs. */
#define LINGER apr_time_from_msec(20)

/* From SIGTERM to SIGKILL. */
#define GRACE apr_time_from_sec(2)

/* After its deadline, for a job whose keeper has ended. */
#define LATE_ALONE apr_time_from_sec(5)

/* A job that writes without end must not keep the keeper from the others. */
#define READ_SIZE 4096
#define READS_A_STEP 16

/* Closed one by one where the kernel has no call for it. */
#define DESCRIPTORS_MAX 65536

#define DEFAULT_PATH \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

struct acme_process_t {
    pid_t pid;                  /* 0 once it was waited for */
    int fd;                     /* its output; -1 after the end of it */
    int in;                     /* its input; -1: all is written */
    const char *input;          /* what is left to be written */
    int exit;
    apr_time_t deadline;
    int late;                   /* it got its SIGTERM */
    int outlives;               /* it is not ended with p */
    char *output;
    apr_size_t len;
    apr_size_t size;
    apr_size_t max;

    acme_process_line_cb *on_line;
    void *baton;
    char line[ACME_PROCESS_LINE_MAX + 1];   /* its beginning, so far */
    apr_size_t line_len;
    apr_pool_t *scratch;
    apr_pool_t *p;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Only here and in reap() a job is waited for: until then its pid is not
   given to another process. */
static void job_kill(acme_process_t *job)
{
    if (job->pid) {
        kill(-job->pid, SIGKILL);
        while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) {
            continue;
        }
        job->pid = 0;
        job->exit = -1;
    }
    close_fd(&job->fd);
    close_fd(&job->in);
}

static apr_status_t job_cleanup(void *data)
{
    acme_process_t *job = data;

    if (job->outlives) {
        job->pid = 0;           /* init waits for it */
    }
    job_kill(job);
    return APR_SUCCESS;
}

/* No descriptor above standard error is inherited, whoever opened it. */
static void close_others(void)
{
    long fd, most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0) {
        return;
    }
#endif
    if (most < 0 || most > DESCRIPTORS_MAX) {
        most = DESCRIPTORS_MAX;
    }
    for (fd = STDERR_FILENO + 1; fd < most; fd++) {
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

/* In the child. env NULL: ours; alone: as of time_alone(). */
static void run_child(const char *const *argv, const char *cwd, char **env,
                      int input, int output, apr_interval_time_t alone)
{
    const struct itimerval most = {
        .it_value = { .tv_sec = (time_t)apr_time_sec(alone),
                      .tv_usec = (suseconds_t)apr_time_usec(alone) }
    };

    setpgid(0, 0);
    default_signals();
    if (alone) {
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
    close_others();
    if (chdir(cwd)) {
        die(126, cwd);
    }
    if (env) {
        environ = env;
    }
    execvp(argv[0], (char *const *)argv);
    die(127, argv[0]);
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

/* in[0] is for the child, in[1] for us, or -1 when there is no input. */
static int open_input(int in[2], const char *input)
{
    if (input) {
        if (pipe_cloexec(in)) {
            return -1;
        }
        fcntl(in[1], F_SETFL, O_NONBLOCK);
        return 0;
    }
    in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return in[0] < 0 ? -1 : 0;
}

static acme_process_t *job_make(const acme_process_conf_t *conf, apr_pool_t *p)
{
    acme_process_t *job = apr_pcalloc(p, sizeof(*job));

    job->p = p;
    job->deadline = conf->deadline;
    job->input = conf->input;
    job->max = conf->output_max;
    job->on_line = conf->line;
    job->baton = conf->baton;
    job->outlives = conf->outlives;
    job->output = apr_pstrdup(p, "");
    job->size = 1;
    apr_pool_create(&job->scratch, p);
    return job;
}

/* How long it may run when the keeper has ended; 0: not at all. */
static apr_interval_time_t time_alone(const acme_process_conf_t *conf)
{
    const apr_interval_time_t most =
        conf->deadline + LATE_ALONE - apr_time_now();

    return !conf->outlives ? 0 : most > 0 ? most : 1;
}

apr_status_t acme_process_launch(acme_process_t **pjob,
                                 const acme_process_conf_t *conf,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_process_t *job = job_make(conf, p);
    char **env = conf->env ? make_env(conf->env, p) : NULL;
    int out[2] = { -1, -1 }, in[2] = { -1, -1 };
    apr_status_t rv = APR_SUCCESS;

    *pjob = NULL;
    if (pipe_cloexec(out) || open_input(in, conf->input)) {
        rv = acme_fail_errno(
            res, errno, "%s: the pipes for input and output cannot be opened",
            conf->argv[0]);
        goto out;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);

    job->pid = fork();
    if (job->pid == 0) {
        run_child(conf->argv, conf->cwd ? conf->cwd : "/", env, in[0], out[1],
                  time_alone(conf));
    }
    if (job->pid < 0) {
        rv = acme_fail_errno(res, errno, "%s: cannot be started",
                             conf->argv[0]);
        goto out;
    }
    setpgid(job->pid, job->pid); /* here or in the child, whichever is first */
    job->fd = out[0];
    job->in = in[1];
    out[0] = in[1] = -1;
    apr_pool_cleanup_register(p, job, job_cleanup, apr_pool_cleanup_null);
    *pjob = job;
out:
    close_fd(&out[0]);
    close_fd(&out[1]);
    close_fd(&in[0]);
    close_fd(&in[1]);
    return rv;
}

apr_status_t acme_process_start(acme_process_t **pjob, const char *const *argv,
                                const char *cwd, apr_time_t deadline,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_process_conf_t conf = { 0 };

    conf.argv = argv;
    conf.cwd = cwd;
    conf.deadline = deadline;
    conf.output_max = ACME_PROCESS_OUTPUT_MAX;
    return acme_process_launch(pjob, &conf, res, p);
}

int acme_process_fd(const acme_process_t *job)
{
    return job->fd;
}

int acme_process_poll(const acme_process_t *job,
                      struct pollfd fds[ACME_PROCESS_FDS])
{
    int n = 0;

    if (job->fd >= 0) {
        fds[n].fd = job->fd;
        fds[n++].events = POLLIN;
    }
    if (job->in >= 0) {
        fds[n].fd = job->in;
        fds[n++].events = POLLOUT;
    }
    return n;
}

apr_time_t acme_process_wake(const acme_process_t *job, apr_time_t now)
{
    const apr_time_t end = job->late ? job->deadline + GRACE : job->deadline;

    return job->fd < 0 && now + LINGER < end ? now + LINGER : end;
}

static void collect(acme_process_t *job, const char *data, apr_size_t n)
{
    if (n > job->max - job->len) {
        n = job->max - job->len;
    }
    if (job->len + n + 1 > job->size) {
        char *larger;

        job->size = 2 * (job->len + n + 1);
        larger = apr_palloc(job->p, job->size);
        memcpy(larger, job->output, job->len);
        job->output = larger;
    }
    memcpy(job->output + job->len, data, n);
    job->len += n;
    job->output[job->len] = '\0';
}

static void report_line(acme_process_t *job)
{
    job->line[job->line_len] = '\0';
    if (job->line_len) {
        job->on_line(
            job->baton,
            acme_text_clean(job->line, ACME_PROCESS_LINE_MAX, job->scratch));
        apr_pool_clear(job->scratch);
    }
    job->line_len = 0;
}

/* The end of a long line is dropped, and so is NUL, which would end it. */
static void report_lines(acme_process_t *job, const char *data, apr_size_t n)
{
    apr_size_t i;

    for (i = 0; job->on_line && i < n; i++) {
        if (data[i] == '\n') {
            report_line(job);
        }
        else if (job->line_len < ACME_PROCESS_LINE_MAX && data[i] != '\r'
                 && data[i] != '\0') {
            job->line[job->line_len++] = data[i];
        }
    }
}

static void end_output(acme_process_t *job)
{
    if (job->on_line && job->fd >= 0) {
        report_line(job);
    }
    close_fd(&job->fd);
}

static void read_output(acme_process_t *job)
{
    char buf[READ_SIZE];
    ssize_t n;
    int i;

    for (i = 0; job->fd >= 0 && i < READS_A_STEP; i++) {
        n = read(job->fd, buf, sizeof(buf));
        if (n > 0) {
            collect(job, buf, (apr_size_t)n);
            report_lines(job, buf, (apr_size_t)n);
        }
        else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            end_output(job);
        }
        else if (errno == EAGAIN) {
            return;
        }
    }
}

/* A job that closes its input (EPIPE) does not fail for that. */
static void write_input(acme_process_t *job)
{
    ssize_t n;

    while (job->in >= 0) {
        const apr_size_t left = strlen(job->input);

        n = left ? write(job->in, job->input, left) : 0;
        if (n > 0) {
            job->input += n;
        }
        else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            close_fd(&job->in);
        }
        else if (errno == EAGAIN) {
            return;
        }
    }
}

/* The whole process group of a late job is killed before it is reaped. */
static void reap(acme_process_t *job)
{
    siginfo_t info;
    int status;

    info.si_pid = 0;
    if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT)
        || info.si_pid != job->pid) {
        return;
    }
    if (job->late) {
        job_kill(job);
    }
    else if (waitpid(job->pid, &status, 0) == job->pid) {
        job->pid = 0;
        job->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        close_fd(&job->in);
    }
}

int acme_process_step(acme_process_t *job, apr_time_t now)
{
    write_input(job);
    read_output(job);
    if (job->fd < 0 && job->pid) {
        reap(job);
    }
    if (job->pid && now >= job->deadline && !job->late) {
        job->late = 1;
        kill(-job->pid, SIGTERM);
    }
    if (job->pid && now >= job->deadline + GRACE) {
        end_output(job);
        job_kill(job);
    }
    return job->pid == 0;
}

int acme_process_exit(const acme_process_t *job)
{
    return job->exit;
}

int acme_process_late(const acme_process_t *job)
{
    return job->late;
}

const char *acme_process_output(const acme_process_t *job)
{
    return job->output;
}
