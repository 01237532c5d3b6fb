/*
 * acme_job.c - a program that runs beside the keeper.
 *
 * The keeper has one thread, so fork() and what follows it is safe here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_job.h"

/* How often a job is looked at that closed its output but still runs. */
#define LINGER apr_time_from_msec(20)

#define READ_SIZE 4096

struct acme_job_t {
    pid_t pid;                  /* 0 once it was waited for */
    int fd;                     /* its output; -1 after the end of it */
    int exit;
    apr_time_t deadline;
    char *output;
    apr_size_t len;
    apr_size_t size;
    apr_pool_t *p;
};

static void job_close(acme_job_t *job)
{
    if (job->fd >= 0) {
        close(job->fd);
        job->fd = -1;
    }
}

static void job_kill(acme_job_t *job)
{
    if (job->pid) {
        kill(-job->pid, SIGKILL);
        while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) {
            continue;
        }
        job->pid = 0;
        job->exit = -1;
    }
    job_close(job);
}

static apr_status_t job_cleanup(void *data)
{
    job_kill(data);
    return APR_SUCCESS;
}

static void run(const char *const *argv, const char *cwd, int output)
{
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    if (chdir(cwd) || null < 0 || dup2(null, STDIN_FILENO) < 0
        || dup2(output, STDOUT_FILENO) < 0
        || dup2(output, STDERR_FILENO) < 0) {
        _exit(126);
    }
    if (null > STDERR_FILENO) {
        close(null);
    }
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

apr_status_t acme_job_start(acme_job_t **pjob, const char *const *argv,
                            const char *cwd, apr_time_t deadline,
                            acme_result_t *res, apr_pool_t *p)
{
    acme_job_t *job;
    int fds[2];

    *pjob = NULL;
    if (pipe(fds)) {
        return acme_fail_errno(res, errno, "%s: pipe", argv[0]);
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);

    job = apr_pcalloc(p, sizeof(*job));
    job->p = p;
    job->deadline = deadline;
    job->output = apr_pstrdup(p, "");
    job->size = 1;
    job->fd = fds[0];
    job->pid = fork();
    if (job->pid == 0) {
        run(argv, cwd, fds[1]);
    }
    close(fds[1]);
    if (job->pid < 0) {
        close(fds[0]);
        return acme_fail_errno(res, errno, "%s: cannot be started", argv[0]);
    }
    setpgid(job->pid, job->pid);        /* whoever of the two comes first */
    apr_pool_cleanup_register(p, job, job_cleanup, apr_pool_cleanup_null);
    *pjob = job;
    return APR_SUCCESS;
}

int acme_job_fd(const acme_job_t *job)
{
    return job->fd;
}

apr_time_t acme_job_wake(const acme_job_t *job, apr_time_t now)
{
    if (job->fd < 0 && now + LINGER < job->deadline) {
        return now + LINGER;
    }
    return job->deadline;
}

static void collect(acme_job_t *job, const char *data, apr_size_t n)
{
    if (job->len + n > ACME_JOB_OUTPUT_MAX) {
        return;
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

static void drain(acme_job_t *job)
{
    char buf[READ_SIZE];
    ssize_t n;

    while (job->fd >= 0) {
        n = read(job->fd, buf, sizeof(buf));
        if (n > 0) {
            collect(job, buf, (apr_size_t)n);
        }
        else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            job_close(job);
        }
        else if (errno == EAGAIN) {
            return;
        }
    }
}

int acme_job_step(acme_job_t *job, apr_time_t now)
{
    int status;

    drain(job);
    if (job->fd < 0 && job->pid
        && waitpid(job->pid, &status, WNOHANG) == job->pid) {
        job->pid = 0;
        job->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    if (job->pid && now >= job->deadline) {
        job_kill(job);
    }
    return job->pid == 0;
}

int acme_job_exit(const acme_job_t *job)
{
    return job->exit;
}

const char *acme_job_output(const acme_job_t *job)
{
    return job->output;
}
