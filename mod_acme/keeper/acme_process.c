/*
 * acme_process.c - a program that runs beside the keeper.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_launcher.h"
#include "acme_process.h"
#include "acme_text.h"

/* From SIGTERM to SIGKILL. */
#define GRACE apr_time_from_sec(2)

/* After its deadline, for a job whose keeper has ended. */
#define LATE_ALONE apr_time_from_sec(5)

/* A job that writes without end must not keep the keeper from the others. */
#define READ_SIZE 4096
#define READS_A_STEP 16

struct acme_process_t {
    int control;                /* the launcher's, who has its process; -1
                                   once that has ended */
    int fd;                     /* its output; -1 after the end of it */
    int in;                     /* its input; -1: all is written */
    const char *input;          /* what is left to be written */
    int exit;
    apr_time_t deadline;
    int late;                   /* it got its SIGTERM */
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

/* what: an octet of acme_launcher.h, after which its process is not ours. */
static void job_leave(acme_process_t *job, char what)
{
    send(job->control, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close_fd(&job->control);
    close_fd(&job->fd);
    close_fd(&job->in);
}

static void job_kill(acme_process_t *job)
{
    job->exit = -1;
    job_leave(job, ACME_LAUNCHER_KILL);
}

/* The launcher kills it, or lets it outlive us. */
static apr_status_t job_cleanup(void *data)
{
    acme_process_t *job = data;

    close_fd(&job->control);
    close_fd(&job->fd);
    close_fd(&job->in);
    return APR_SUCCESS;
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
    const acme_launcher_command_t command = {
        .export = conf->export,
        .argv = conf->argv,
        .cwd = conf->cwd ? conf->cwd : "/",
        .env = conf->env,
        .has_input = conf->input != NULL,
        .alone = time_alone(conf)
    };
    acme_process_t *job = job_make(conf, p);
    acme_launcher_job_t made;
    apr_status_t rv;

    *pjob = NULL;
    rv = acme_launcher_run(&made, &command, res, job->scratch);
    apr_pool_clear(job->scratch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    job->control = made.control;
    job->fd = made.output;
    job->in = made.input;
    apr_pool_cleanup_register(p, job, job_cleanup, apr_pool_cleanup_null);
    *pjob = job;
    return APR_SUCCESS;
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
    return job->fd >= 0 ? job->fd : job->control;
}

int acme_process_poll(const acme_process_t *job,
                      struct pollfd fds[ACME_PROCESS_FDS])
{
    int n = 0;

    if (acme_process_fd(job) >= 0) {
        fds[n].fd = acme_process_fd(job);
        fds[n++].events = POLLIN;
    }
    if (job->in >= 0) {
        fds[n].fd = job->in;
        fds[n++].events = POLLOUT;
    }
    return n;
}

apr_time_t acme_process_wake(const acme_process_t *job)
{
    return job->late ? job->deadline + GRACE : job->deadline;
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

/* Of a late job the whole process group is killed at its end. */
static void read_status(acme_process_t *job)
{
    int status;
    const ssize_t n = recv(job->control, &status, sizeof(status),
                           MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (job->late || n != sizeof(status)) {
        job_kill(job);          /* without a launcher there is nobody to */
        return;
    }
    job->exit = status;
    job_leave(job, ACME_LAUNCHER_DONE);
}

int acme_process_step(acme_process_t *job, apr_time_t now)
{
    const char term = ACME_LAUNCHER_TERM;

    write_input(job);
    read_output(job);
    if (job->fd < 0 && job->control >= 0) {
        read_status(job);
    }
    if (job->control >= 0 && now >= job->deadline && !job->late) {
        job->late = 1;
        send(job->control, &term, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (job->control >= 0 && now >= job->deadline + GRACE) {
        end_output(job);
        job_kill(job);
    }
    return job->control < 0;
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
