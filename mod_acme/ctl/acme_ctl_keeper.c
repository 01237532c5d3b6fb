/*
 * acme_ctl_keeper.c - requests to the keeper, through its control socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_ctl_keeper.h"

#define CONNECT_TIME apr_time_from_sec(2)
#define CONNECT_PAUSE apr_time_from_msec(50)

static apr_status_t fail_late(const acme_ctl_keeper_t *keeper,
                              acme_result_t *res)
{
    return acme_fail(
        res, APR_TIMEUP,
        "the keeper has not answered for %d seconds; it may hang in the file system of AcmeStateDir, and httpd replaces it then: see the error log, or use --timeout",
        (int)apr_time_sec(keeper->timeout));
}

/* During a reload the socket exists for a moment before its keeper accepts.
   With a keeper that hangs its queue is full. */
static int connect_soon(const acme_ctl_keeper_t *keeper,
                        const struct sockaddr_un *addr)
{
    const apr_time_t begun = apr_time_now();
    int rc;

    fcntl(keeper->fd, F_SETFL, O_NONBLOCK);
    while ((rc = connect(keeper->fd, (const struct sockaddr *)addr,
                         sizeof(*addr)))
           && ((errno == ECONNREFUSED && apr_time_now() < begun + CONNECT_TIME)
               || (errno == EAGAIN
                   && apr_time_now() < begun + keeper->timeout))) {
        apr_sleep(CONNECT_PAUSE);
    }
    fcntl(keeper->fd, F_SETFL, 0);
    return rc;
}

apr_status_t acme_ctl_keeper_connect(acme_ctl_keeper_t *keeper,
                                     const char *state_dir,
                                     acme_result_t *res, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, state_dir, "/run/acme.sock", NULL);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int error;

    keeper->p = p;
    keeper->fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (strlen(path) >= sizeof(addr.sun_path)) {
        acme_ctl_keeper_close(keeper);
        return acme_fail(res, ENAMETOOLONG,
                         "%s: the path of this socket is longer than %d octets; use a shorter AcmeStateDir",
                         path, (int)sizeof(addr.sun_path) - 1);
    }
    apr_cpystrn(addr.sun_path, path, sizeof(addr.sun_path));
    if (keeper->fd < 0 || connect_soon(keeper, &addr)) {
        error = errno;
        acme_ctl_keeper_close(keeper);
        if (error == EAGAIN) {
            return fail_late(keeper, res);
        }
        return acme_fail(res, error,
                         "%s: %s; does httpd run with mod_acme, and is this its AcmeStateDir?",
                         path, strerror(error));
    }
    return APR_SUCCESS;
}

void acme_ctl_keeper_close(acme_ctl_keeper_t *keeper)
{
    if (keeper->fd >= 0) {
        close(keeper->fd);
    }
    keeper->fd = -1;
}

static apr_status_t wait_readable(const acme_ctl_keeper_t *keeper,
                                  acme_result_t *res)
{
    const apr_time_t end = apr_time_now() + keeper->timeout;
    struct pollfd ready = { .fd = keeper->fd, .events = POLLIN };
    apr_interval_time_t left;
    int n;

    do {
        left = end - apr_time_now();
        n = left <= 0 ? 0
                      : poll(&ready, 1, (int)apr_time_as_msec(left) + 1);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? APR_SUCCESS : fail_late(keeper, res);
}

apr_status_t acme_ctl_keeper_request(acme_message_t *reply,
                                     const acme_ctl_keeper_t *keeper,
                                     acme_message_e kind, const void *body,
                                     acme_result_t *res)
{
    const acme_message_t request = { .kind = kind, .body = body };
    apr_status_t rv;

    rv = acme_message_send_request(keeper->fd, &request, res);
    if (rv == APR_SUCCESS) {
        rv = wait_readable(keeper, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_message_receive_reply(reply, keeper->fd, res, keeper->p);
    }
    if (rv == APR_SUCCESS && reply->status != APR_SUCCESS) {
        *res = *(const acme_result_t *)reply->body;
        rv = reply->status;
    }
    return rv;
}

static apr_status_t list_one(acme_ctl_cert_t *found,
                             const acme_ctl_keeper_t *keeper,
                             apr_uint32_t cert, acme_result_t *res)
{
    const acme_msg_cert_t body = { { cert, 0, 0 } };
    const acme_msg_listed_t *listed;
    acme_message_t reply;
    char *line, *last;
    apr_status_t rv;

    rv = acme_ctl_keeper_request(&reply, keeper, ACME_MSG_LIST, &body, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    listed = reply.body;
    memset(found, 0, sizeof(*found));
    found->state = listed->state;
    found->challenges = listed->challenges;
    found->is_reload_held = (int)listed->is_reload_held;
    found->cas = apr_array_make(keeper->p, 2, sizeof(const char *));
    found->names = apr_array_make(keeper->p, 4, sizeof(const char *));
    found->id = apr_strtok(apr_pstrdup(keeper->p, reply.tail), "\n", &last);
    while ((line = apr_strtok(NULL, "\n", &last))) {
        APR_ARRAY_PUSH(strchr(line, '/') ? found->cas : found->names,
                       const char *) = line;
    }
    return found->id ? APR_SUCCESS
                     : acme_fail(res, APR_EGENERAL,
                                 "keeper: a certificate without an id");
}

apr_status_t acme_ctl_keeper_list(apr_array_header_t **pcerts,
                                  const acme_ctl_keeper_t *keeper,
                                  acme_result_t *res)
{
    apr_array_header_t *all = apr_array_make(keeper->p, 16,
                                             sizeof(acme_ctl_cert_t));
    acme_ctl_cert_t found;
    apr_uint32_t i;
    apr_status_t rv;

    for (i = 0; !(rv = list_one(&found, keeper, i, res)); i++) {
        APR_ARRAY_PUSH(all, acme_ctl_cert_t) = found;
    }
    *pcerts = all;
    return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
}
