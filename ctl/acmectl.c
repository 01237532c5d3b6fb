/*
 * acmectl.c - the administrator's tool: asks the keeper through its control
 * socket, and shows what it answers.
 *
 * Exit codes: 0 done, all is well; 1 it could not be done, or a certificate
 * failed or expired; 2 the call was wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_json.h"
#include "acme_message.h"
#include "acme_schedule.h"

#define DONE 0
#define FAILED 1
#define WRONG_CALL 2

static const char usage[] =
    "usage: acmectl [--state-dir DIR] status [ID] [--json]\n"
    "       acmectl [--state-dir DIR] renew ID [--force]\n"
    "\n"
    "  status   what is managed, until when it is valid, what comes next\n"
    "  renew    order a new certificate if it is due or failing; with\n"
    "           --force in any case\n"
    "\n"
    "DIR is the AcmeStateDir of the server, by default " ACME_STATE_DIR ".\n";

typedef struct {
    const char *state_dir;
    const char *verb;
    const char *id;
    int json;
    int force;
    int fd;
    apr_pool_t *p;
} call_t;

/* One certificate as the keeper told it. */
typedef struct {
    acme_state_t state;
    const char *id;
    apr_array_header_t *names;      /* const char * */
} listed_t;

static int read_arguments(call_t *call, int argc, const char *const *argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--state-dir") && i + 1 < argc) {
            call->state_dir = argv[++i];
        }
        else if (!strcmp(argv[i], "--json")) {
            call->json = 1;
        }
        else if (!strcmp(argv[i], "--force")) {
            call->force = 1;
        }
        else if (argv[i][0] == '-') {
            return 0;
        }
        else if (!call->verb) {
            call->verb = argv[i];
        }
        else if (!call->id) {
            call->id = argv[i];
        }
        else {
            return 0;
        }
    }
    if (!call->verb) {
        return 0;
    }
    return !strcmp(call->verb, "status")
        || (!strcmp(call->verb, "renew") && call->id);
}

static int connect_to_keeper(call_t *call)
{
    const char *path = apr_pstrcat(call->p, call->state_dir,
                                   "/run/acme.sock", NULL);
    struct sockaddr_un addr;

    memset(&addr, 0, sizeof(addr));
    addr.sun_family = AF_UNIX;
    apr_cpystrn(addr.sun_path, path, sizeof(addr.sun_path));
    call->fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (call->fd < 0 || strlen(path) >= sizeof(addr.sun_path)
        || connect(call->fd, (struct sockaddr *)&addr, sizeof(addr))) {
        fprintf(stderr, "acmectl: %s: %s; does httpd run with mod_acme, and "
                "is this its AcmeStateDir?\n", path, strerror(errno));
        return 0;
    }
    return 1;
}

static apr_status_t ask(acme_message_t *reply, const call_t *call,
                        acme_message_e kind, apr_uint32_t cert,
                        acme_result_t *res)
{
    const acme_msg_cert_t body = { cert };
    const acme_message_t request = { kind, APR_SUCCESS, &body, NULL, 0 };
    apr_status_t rv;

    rv = acme_message_send(call->fd, &request, 0, -1, res);
    if (rv == APR_SUCCESS) {
        rv = acme_message_receive(reply, call->fd, 1, NULL, res, call->p);
    }
    if (rv == APR_SUCCESS && reply->status != APR_SUCCESS) {
        *res = *(const acme_result_t *)reply->body;
        rv = reply->status;
    }
    return rv;
}

static apr_status_t list_one(listed_t *listed, const call_t *call,
                             apr_uint32_t cert, acme_result_t *res)
{
    acme_message_t reply;
    char *line, *last;
    apr_status_t rv;

    rv = ask(&reply, call, ACME_MSG_LIST, cert, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    listed->state = *(const acme_state_t *)reply.body;
    listed->names = apr_array_make(call->p, 4, sizeof(const char *));
    listed->id = apr_strtok(apr_pstrdup(call->p, reply.tail), "\n", &last);
    while ((line = apr_strtok(NULL, "\n", &last))) {
        APR_ARRAY_PUSH(listed->names, const char *) = line;
    }
    return listed->id ? APR_SUCCESS
                      : acme_fail(res, APR_EGENERAL, "an answer without id");
}

static void set_time(json_t *json, const char *key, apr_time_t t,
                     apr_pool_t *p)
{
    json_object_set_new(json, key, t ? json_string(acme_time_rfc3339(t, p))
                                     : json_null());
}

static json_t *as_json(const listed_t *listed, apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = &listed->state;
    acme_next_t next = acme_schedule_next(state, now);
    json_t *json = json_object();
    json_t *names = json_array();
    int i;

    for (i = 0; i < listed->names->nelts; i++) {
        json_array_append_new(names, json_string(
            APR_ARRAY_IDX(listed->names, i, const char *)));
    }
    json_object_set_new(json, "id", json_string(listed->id));
    json_object_set_new(json, "names", names);
    json_object_set_new(json, "state",
                        json_string(acme_state_word(state, now)));
    json_object_set_new(json, "served", json_boolean(
        state->live && state->live == state->served));
    json_object_set_new(json, "serial", json_string(state->serial));
    json_object_set_new(json, "issuer", json_string(state->issuer));
    set_time(json, "validFrom", state->not_before, p);
    set_time(json, "validUntil", state->not_after, p);
    json_object_set_new(json, "nextStep",
                        json_string(acme_step_word(next.step)));
    set_time(json, "nextAt", next.at, p);
    json_object_set_new(json, "attempts",
                        json_integer((json_int_t)state->attempts));
    json_object_set_new(json, "problem", json_string(state->problem));
    json_object_set_new(json, "detail", json_string(state->detail));
    return json;
}

static void show(const listed_t *listed, apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = &listed->state;
    acme_next_t next = acme_schedule_next(state, now);

    printf("%s: %s\n    names: %s\n", listed->id,
           acme_state_word(state, now),
           apr_array_pstrcat(p, listed->names, ' '));
    if (state->live) {
        printf("    valid until: %s\n    serial: %s\n    issuer: %s\n",
               acme_time_text(state->not_after, p), state->serial,
               state->issuer);
        if (state->live != state->served) {
            printf("    served: after the next reload\n");
        }
    }
    printf("    next: %s", acme_step_word(next.step));
    if (next.at) {
        printf(" at %s", acme_time_text(next.at, p));
    }
    printf("\n");
    if (state->attempts) {
        printf("    failed: %u times: %s\n", state->attempts, state->detail);
    }
}

static int complain(const acme_result_t *res)
{
    fprintf(stderr, "acmectl: %s\n", res->detail);
    return FAILED;
}

static int no_such(const call_t *call)
{
    fprintf(stderr, "acmectl: no certificate %s is managed; acmectl status "
            "lists them\n", call->id);
    return FAILED;
}

/* All of them, or the one that was named; then *pn is 1 or 0. */
static apr_status_t list_all(apr_array_header_t **plisted, const call_t *call,
                             acme_result_t *res)
{
    apr_array_header_t *all = apr_array_make(call->p, 16, sizeof(listed_t));
    apr_uint32_t i;
    listed_t listed;
    apr_status_t rv;

    for (i = 0; !(rv = list_one(&listed, call, i, res)); i++) {
        if (!call->id || !strcmp(call->id, listed.id)) {
            APR_ARRAY_PUSH(all, listed_t) = listed;
        }
    }
    *plisted = all;
    return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
}

static int is_ill(const listed_t *listed, apr_time_t now)
{
    const acme_state_t *state = &listed->state;

    return state->attempts || !state->agreed
        || (state->live && state->not_after <= now);
}

static int status(const call_t *call, const apr_array_header_t *all)
{
    const apr_time_t now = apr_time_now();
    json_t *array = acme_json_own(json_array(), call->p);
    int i, ill = 0;

    for (i = 0; i < all->nelts; i++) {
        const listed_t *listed = &APR_ARRAY_IDX(all, i, listed_t);

        ill |= is_ill(listed, now);
        if (call->json) {
            json_array_append_new(array, as_json(listed, now, call->p));
        }
        else {
            show(listed, now, call->p);
        }
    }
    if (call->json) {
        printf("%s\n", acme_json_text(array, 2, call->p));
    }
    else if (!all->nelts) {
        printf("no certificate is managed\n");
    }
    return ill ? FAILED : DONE;
}

static int renew(const call_t *call, const listed_t *listed)
{
    const acme_state_t *state = &listed->state;
    acme_message_t reply;
    acme_result_t res;

    if (!call->force && !state->attempts
        && !acme_schedule_is_due(state, apr_time_now())) {
        printf("%s: not due, valid until %s; use --force to renew now\n",
               listed->id, acme_time_text(state->not_after, call->p));
        return FAILED;
    }
    if (ask(&reply, call, ACME_MSG_RENEW, state->cert, &res)) {
        return complain(&res);
    }
    printf("%s: is being renewed; see the error log, or acmectl status\n",
           listed->id);
    return DONE;
}

static int run(call_t *call)
{
    apr_array_header_t *all;
    acme_result_t res;

    if (!connect_to_keeper(call)) {
        return FAILED;
    }
    if (list_all(&all, call, &res)) {
        return complain(&res);
    }
    if (call->id && !all->nelts) {
        return no_such(call);
    }
    return !strcmp(call->verb, "renew")
        ? renew(call, &APR_ARRAY_IDX(all, 0, listed_t))
        : status(call, all);
}

int main(int argc, const char *const *argv)
{
    call_t call = { 0 };
    int code;

    if (apr_app_initialize(&argc, &argv, NULL)
        || apr_pool_create(&call.p, NULL)) {
        return FAILED;
    }
    call.state_dir = ACME_STATE_DIR;
    call.fd = -1;
    if (!read_arguments(&call, argc, argv)) {
        fputs(usage, stderr);
        code = WRONG_CALL;
    }
    else {
        code = run(&call);
    }
    apr_terminate();
    return code;
}
