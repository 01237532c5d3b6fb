/*
 * acme_launcher.c - the process that executes what the keeper may not: the
 * keeper's side. Its own is acme_launcher_process.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme_descriptors.h"
#include "acme_launcher.h"
#include "acme_launcher_process.h"

/* A launcher that does not answer for so long is given up. */
#define REPLY_MAX apr_time_from_sec(10)

static int to_launcher = -1;
static pid_t launcher_pid;

static apr_status_t stop_launcher(void *unused)
{
    (void)unused;
    acme_descriptors_close(&to_launcher);
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
    int fds[2];

    stop_launcher(NULL);
    if (acme_descriptors_pair(fds, SOCK_STREAM)) {
        return acme_fail_errno(
            res, errno,
            "the socket to the process that runs commands cannot be opened");
    }
    launcher_pid = fork();
    if (launcher_pid == 0) {
        close(fds[0]);          /* else it would never see the keeper's end */
        acme_launcher_process_run(fds[1], rules);
    }
    close(fds[1]);
    if (launcher_pid < 0) {
        launcher_pid = 0;
        close(fds[0]);
        return acme_fail_errno(
            res, errno, "the process that runs commands cannot be started");
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    to_launcher = fds[0];
    apr_pool_cleanup_register(p, NULL, stop_launcher, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

int acme_launcher_is_gone(void)
{
    int status;

    if (launcher_pid && waitpid(launcher_pid, &status, WNOHANG) != 0) {
        launcher_pid = 0;
        acme_descriptors_close(&to_launcher);
    }
    return to_launcher < 0;
}

static apr_status_t is_silent(acme_result_t *res)
{
    const int error = errno;

    /* Never use a reply to another request, nor wait for one that hangs. */
    acme_descriptors_close(&to_launcher);
    launcher_pid = 0;
    return acme_fail_errno(res, error ? error : EPIPE,
                           "the process that runs commands does not answer");
}

static void take_descriptors(int taken[ACME_LAUNCHER_DESCRIPTORS],
                             struct msghdr *msg)
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(msg);
    size_t n;
    int i;

    if (!header || header->cmsg_level != SOL_SOCKET
        || header->cmsg_type != SCM_RIGHTS) {
        return;
    }
    n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (n > ACME_LAUNCHER_DESCRIPTORS) {
        n = ACME_LAUNCHER_DESCRIPTORS;
    }
    memcpy(taken, CMSG_DATA(header), n * sizeof(int));
    for (i = 0; i < ACME_LAUNCHER_DESCRIPTORS; i++) {
        if (taken[i] >= 0) {
            fcntl(taken[i], F_SETFD, FD_CLOEXEC);
            fcntl(taken[i], F_SETFL, O_NONBLOCK);
        }
    }
}

static apr_status_t call(acme_launcher_reply_t *reply,
                         int taken[ACME_LAUNCHER_DESCRIPTORS],
                         const acme_launcher_request_t *request,
                         const char *texts, acme_result_t *res)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(ACME_LAUNCHER_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec iov = { reply, sizeof(*reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    const apr_time_t until = apr_time_now() + REPLY_MAX;
    ssize_t n;

    errno = 0;
    if (to_launcher < 0
        || !acme_descriptors_send(to_launcher, request, sizeof(*request),
                                  until)
        || !acme_descriptors_send(to_launcher, texts, request->texts, until)
        || !acme_descriptors_wait(to_launcher, POLLIN, until)) {
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
static char *write_texts(acme_launcher_request_t *request,
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
    if (len > ACME_LAUNCHER_TEXTS_MAX || argc > ACME_LAUNCHER_WORDS_MAX
        || envc > ACME_LAUNCHER_WORDS_MAX) {
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

static apr_status_t explain(const acme_launcher_reply_t *reply,
                            const char *program, acme_result_t *res)
{
    switch (reply->failed) {
    case ACME_LAUNCHER_NOTHING:
        return APR_SUCCESS;
    case ACME_LAUNCHER_NOT_ALLOWED:
        return acme_fail(
            res, EPERM,
            "%s: not a command of the configuration that httpd has loaded, so it is not run",
            program);
    case ACME_LAUNCHER_TOO_MANY:
        return acme_fail(res, APR_EAGAIN,
                         "%s: not run, because too many commands run already",
                         program);
    case ACME_LAUNCHER_TOO_MANY_KILLED:
        return acme_fail(
            res, APR_EAGAIN,
            "%s: not run, because %d processes that were killed have not ended: a file system that they use does not answer; look for processes in state D, and mend or unmount it",
            program, reply->error);
    case ACME_LAUNCHER_NO_PIPES:
        return acme_fail_errno(
            res, reply->error,
            "%s: the pipes for input and output cannot be opened", program);
    case ACME_LAUNCHER_NO_PROCESS:
        break;
    }
    return acme_fail_errno(res, reply->error, "%s: cannot be started",
                           program);
}

apr_status_t acme_launcher_run(acme_launcher_job_t *job,
                               const acme_launcher_command_t *command,
                               acme_result_t *res, apr_pool_t *p)
{
    int taken[ACME_LAUNCHER_DESCRIPTORS] = { -1, -1, -1 };
    acme_launcher_request_t request;
    acme_launcher_reply_t reply;
    const char *texts;
    apr_status_t rv;

    *job = (acme_launcher_job_t) { -1, -1, -1 };
    memset(&request, 0, sizeof(request));
    if (command->export) {
        request.kind = ACME_LAUNCHER_EXPORT;
        request.cert = command->export->cert;
        request.index = command->export->index;
        texts = "";
    }
    else {
        request.kind = ACME_LAUNCHER_RUN;
        request.own_env = !command->env;
        request.has_input = command->has_input;
        request.alone = command->alone;
        texts = write_texts(&request, command, p);
    }
    if (!texts) {
        return acme_fail(
            res, E2BIG,
            "%s: its arguments and environment are longer than %d octets",
            command->argv[0], ACME_LAUNCHER_TEXTS_MAX);
    }
    rv = call(&reply, taken, &request, texts, res);
    if (rv == APR_SUCCESS) {
        rv = explain(&reply, command->argv[0], res);
    }
    if (rv == APR_SUCCESS) {
        job->output = taken[ACME_LAUNCHER_OUTPUT];
        job->control = taken[ACME_LAUNCHER_CONTROL];
        job->input = taken[ACME_LAUNCHER_INPUT];
    }
    return rv;
}

/* A request that has nothing but its kind; *pfd is the descriptor that is
   returned, or -1. */
static apr_status_t call_plain(int *pfd, acme_launcher_request_e kind,
                               const char *failed, acme_result_t *res)
{
    int taken[ACME_LAUNCHER_DESCRIPTORS] = { -1, -1, -1 };
    acme_launcher_request_t request;
    acme_launcher_reply_t reply;
    apr_status_t rv;

    memset(&request, 0, sizeof(request));
    request.kind = kind;
    rv = call(&reply, taken, &request, "", res);
    if (rv == APR_SUCCESS && reply.failed) {
        rv = acme_fail_errno(res, reply.error, "%s", failed);
    }
    *pfd = rv == APR_SUCCESS ? taken[0] : -1;
    return rv;
}

apr_status_t acme_launcher_reload(acme_result_t *res)
{
    int none;

    return call_plain(&none, ACME_LAUNCHER_RELOAD,
                      "httpd cannot be signalled", res);
}

apr_status_t acme_launcher_cert_reader(int *pfd, acme_result_t *res)
{
    return call_plain(
        pfd, ACME_LAUNCHER_CERT_READER,
        "the process that parses certificates cannot be started", res);
}

apr_status_t acme_launcher_key_maker(int *pfd, acme_result_t *res)
{
    return call_plain(pfd, ACME_LAUNCHER_KEY_MAKER,
                      "the process that makes keys cannot be started", res);
}
