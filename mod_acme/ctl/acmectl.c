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
#include "acme_next_step.h"
#include "acme_revoke_reason.h"

#define DONE 0
#define FAILED 1
#define WRONG_CALL 2

#define KEEPER_WAIT apr_time_from_sec(2)
#define KEEPER_LOOK apr_time_from_msec(50)

static const char usage[] =
    "usage: acmectl [--state-dir DIR] status [ID] [--json]\n"
    "       acmectl [--state-dir DIR] renew ID [--force | --chain]\n"
    "       acmectl [--state-dir DIR] revoke ID [--reason R] [--delete]\n"
    "       acmectl [--state-dir DIR] dns-persist ID [--until TIME]\n"
    "       acmectl [--state-dir DIR] account show\n"
    "       acmectl [--state-dir DIR] account update|rollover|deactivate\n"
    "               [CA]\n"
    "\n"
    "  status   what is managed, until when it is valid, what comes next\n"
    "  renew    order a new certificate if it is due or failing; with\n"
    "           --force in any case; with --chain only fetch its chain anew\n"
    "  revoke   revoke it at the CA, and order a new one; with --delete\n"
    "           nothing is ordered. R: keyCompromise, superseded, ...\n"
    "  dns-persist  the TXT records for dns-persist-01, which you set once;\n"
    "           TIME, when they end, is like 2027-11-21T00:00:00Z or 365d\n"
    "  account  the accounts at the CAs: tell the contacts, change the key,\n"
    "           give it up. CA is a part of its URL, needed where there are\n"
    "           several\n"
    "\n"
    "DIR is the AcmeStateDir of the server, by default " ACME_STATE_DIR ".\n";

typedef struct {
    const char *state_dir;
    const char *verb;
    const char *id;             /* or what to do with accounts */
    const char *ca;             /* part of its URL; NULL: any */
    const char *until;          /* of records; NULL: for ever */
    int reason;                 /* of a revocation, ACME_REVOKE_REASON_NONE */
    int json;
    int force;
    int chain;
    int delete;
    int fd;
    apr_pool_t *p;
} call_t;

/* One certificate as the keeper told it. */
typedef struct {
    acme_state_t state;
    const char *id;
    apr_array_header_t *cas;        /* const char *: URLs of directories */
    apr_array_header_t *names;      /* const char * */
} listed_t;

static const struct verb *find_verb(const call_t *call);

static int read_reason(call_t *call, const char *text)
{
    acme_result_t res;

    if (acme_revoke_reason_parse(&call->reason, text, &res)) {
        fprintf(stderr, "acmectl: %s\n", res.detail);
        return 0;
    }
    return 1;
}

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
        else if (!strcmp(argv[i], "--chain")) {
            call->chain = 1;
        }
        else if (!strcmp(argv[i], "--delete")) {
            call->delete = 1;
        }
        else if (!strcmp(argv[i], "--reason") && i + 1 < argc) {
            if (!read_reason(call, argv[++i])) {
                return 0;
            }
        }
        else if (!strcmp(argv[i], "--until") && i + 1 < argc) {
            call->until = argv[++i];
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
        else if (!call->ca && !strcmp(call->verb, "account")) {
            call->ca = argv[i];
        }
        else {
            return 0;
        }
    }
    return call->verb && find_verb(call) != NULL;
}

/*
 * Each load of httpd has a keeper of its own: at a reload there is none for
 * a moment, and its socket is there, but nobody behind it.
 */
static int connect_soon(int fd, const struct sockaddr_un *addr)
{
    const apr_time_t end = apr_time_now() + KEEPER_WAIT;
    int rc;

    while ((rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
           && errno == ECONNREFUSED && apr_time_now() < end) {
        apr_sleep(KEEPER_LOOK);
    }
    return rc;
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
        || connect_soon(call->fd, &addr)) {
        fprintf(stderr, "acmectl: %s: %s; does httpd run with mod_acme, and "
                "is this its AcmeStateDir?\n", path, strerror(errno));
        return 0;
    }
    return 1;
}

static apr_status_t ask(acme_message_t *reply, const call_t *call,
                        acme_message_e kind, const void *body,
                        acme_result_t *res)
{
    const acme_message_t request = { kind, APR_SUCCESS, body, NULL, 0 };
    apr_status_t rv;

    rv = acme_message_send_request(call->fd, &request, res);
    if (rv == APR_SUCCESS) {
        rv = acme_message_receive_reply(reply, call->fd, res, call->p);
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
    const acme_msg_cert_t body = { { cert, 0, 0 } };
    acme_message_t reply;
    char *line, *last;
    apr_status_t rv;

    rv = ask(&reply, call, ACME_MSG_LIST, &body, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    listed->state = *(const acme_state_t *)reply.body;
    listed->cas = apr_array_make(call->p, 2, sizeof(const char *));
    listed->names = apr_array_make(call->p, 4, sizeof(const char *));
    listed->id = apr_strtok(apr_pstrdup(call->p, reply.tail), "\n", &last);
    while ((line = apr_strtok(NULL, "\n", &last))) {
        APR_ARRAY_PUSH(strchr(line, '/') ? listed->cas : listed->names,
                       const char *) = line;
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
    acme_next_t next = acme_next_step(state, now);
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
    json_object_set_new(json, "revoked", json_boolean(state->revoked));
    json_object_set_new(json, "deleted", json_boolean(state->deleted));
    set_time(json, "validFrom", state->not_before, p);
    set_time(json, "validUntil", state->not_after, p);
    json_object_set_new(json, "nextStep",
                        json_string(acme_next_step_word(next.step)));
    set_time(json, "nextAt", next.at, p);
    json_object_set_new(json, "limit", json_string(
        next.step == ACME_STEP_LIMIT ? state->limit : ""));
    json_object_set_new(json, "leftOut",
                        json_integer((json_int_t)state->left_out));
    set_time(json, "leftOutUntil", state->names_again_at, p);
    json_object_set_new(json, "attempts",
                        json_integer((json_int_t)state->attempts));
    json_object_set_new(json, "problem", json_string(state->problem));
    json_object_set_new(json, "detail", json_string(state->detail));
    return json;
}

static void show(const listed_t *listed, apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = &listed->state;
    acme_next_t next = acme_next_step(state, now);

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
    if (state->deleted) {
        printf("    revoked, and nothing is ordered: acmectl renew %s --force "
               "gets a new one\n", listed->id);
    }
    else if (state->revoked) {
        printf("    revoked: a new one is ordered\n");
    }
    printf("    next: %s", acme_next_step_word(next.step));
    if (next.at) {
        printf(" at %s", acme_time_text(next.at, p));
    }
    printf("\n");
    if (next.step == ACME_STEP_LIMIT) {
        printf("    limit: %s\n", state->limit);
    }
    if (state->left_out) {
        printf("    left out: %u of its names, as they keep failing; tried "
               "again at %s\n", state->left_out,
               acme_time_text(state->names_again_at, p));
    }
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

/* All of them, or the one with this id. */
static apr_status_t list_all(apr_array_header_t **plisted, const call_t *call,
                             const char *id, acme_result_t *res)
{
    apr_array_header_t *all = apr_array_make(call->p, 16, sizeof(listed_t));
    apr_uint32_t i;
    listed_t listed;
    apr_status_t rv;

    for (i = 0; !(rv = list_one(&listed, call, i, res)); i++) {
        if (!id || !strcmp(id, listed.id)) {
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
        || (state->revoked && !state->deleted)
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

/* Ask for what; said: what the administrator is told then. */
static int want(const call_t *call, const acme_state_t *state,
                apr_uint32_t ca, acme_want_e what, int reason,
                const char *said)
{
    const acme_msg_want_t body = {
        { state->cert, ca, 0 }, (apr_uint32_t)what, reason
    };
    acme_message_t reply;
    acme_result_t res;

    if (ask(&reply, call, ACME_MSG_WANT, &body, &res)) {
        return complain(&res);
    }
    printf("%s; see the error log, or acmectl status\n", said);
    return DONE;
}

static int renew(const call_t *call, const apr_array_header_t *all)
{
    const listed_t *listed = &APR_ARRAY_IDX(all, 0, listed_t);
    const acme_state_t *state = &listed->state;

    if (call->chain && !state->live) {
        printf("%s: has no certificate yet\n", listed->id);
        return FAILED;
    }
    if (call->chain) {
        return want(call, state, 0, ACME_WANT_CHAIN, ACME_REVOKE_REASON_NONE,
                    apr_pstrcat(call->p, listed->id, ": its chain is being "
                                "fetched anew", NULL));
    }
    if (!call->force && !state->attempts && !state->left_out
        && !acme_next_step_is_due(state, apr_time_now())) {
        printf("%s: not due, valid until %s; use --force to renew now\n",
               listed->id, acme_time_text(state->not_after, call->p));
        return FAILED;
    }
    return want(call, state, 0, ACME_WANT_RENEWAL, ACME_REVOKE_REASON_NONE,
                apr_pstrcat(call->p, listed->id, ": is being renewed", NULL));
}

static int revoke_one(const call_t *call, const apr_array_header_t *all)
{
    const listed_t *listed = &APR_ARRAY_IDX(all, 0, listed_t);

    if (!listed->state.live) {
        printf("%s: has no certificate to revoke\n", listed->id);
        return FAILED;
    }
    return want(call, &listed->state, 0, call->delete
                ? ACME_WANT_DELETION : ACME_WANT_REVOCATION, call->reason,
                apr_pstrcat(call->p, listed->id, ": is being revoked",
                            NULL));
}

/* A point in time from now on, or how long from now on. */
static int parse_until(apr_time_t *puntil, const call_t *call)
{
    const apr_time_t now = apr_time_now();
    apr_interval_time_t d;
    acme_result_t res;

    *puntil = call->until ? acme_time_parse(call->until) : 0;
    if (call->until && !*puntil
        && !acme_time_duration_parse(&d, call->until, &res)) {
        *puntil = now + d;
    }
    if (call->until && *puntil <= now) {
        fprintf(stderr, "acmectl: --until %s: no time to come, like "
                "2027-11-21T00:00:00Z or 365d\n", call->until);
        return 0;
    }
    return 1;
}

/* The records at all of its CAs that have told what theirs look like. */
static int dns_persist(const call_t *call, const apr_array_header_t *all)
{
    const listed_t *listed = &APR_ARRAY_IDX(all, 0, listed_t);
    acme_msg_txt_t body = { { listed->state.cert, 0, 0 }, 0 };
    acme_message_t reply;
    acme_result_t res;
    int printed = 0;

    if (!parse_until(&body.until, call)) {
        return WRONG_CALL;
    }
    for (; body.about.ca < (apr_uint32_t)listed->cas->nelts;
         body.about.ca++) {
        if (!ask(&reply, call, ACME_MSG_TXT, &body, &res)) {
            printf("%.*s", (int)reply.tail_len, reply.tail ? reply.tail : "");
            printed = 1;
        }
    }
    return printed ? DONE : complain(&res);
}

/* What the keeper says of the accounts, a line each. */
static int account_show(const call_t *call)
{
    static const acme_msg_none_t none;
    acme_message_t reply;
    acme_result_t res;

    if (ask(&reply, call, ACME_MSG_ACCOUNTS, &none, &res)) {
        return complain(&res);
    }
    printf("%.*s", (int)reply.tail_len, reply.tail ? reply.tail : "");
    return DONE;
}

static const struct {
    const char *word;
    acme_want_e want;
    const char *said;
} account_verbs[] = {
    { "update", ACME_WANT_UPDATE, "the CA is being told the contacts" },
    { "rollover", ACME_WANT_ROLLOVER, "the account gets a new key" },
    { "deactivate", ACME_WANT_DEACTIVATION, "the account is being given up" }
};

/*
 * The certificate, and the position in its list, that have the one account
 * that is meant. Returns how many different ones there are.
 */
static int find_account(apr_uint32_t *pcert, apr_uint32_t *pca,
                        const call_t *call, const apr_array_header_t *all)
{
    const char *first = NULL;
    int i, found = 0;

    for (i = 0; i < all->nelts; i++) {
        const listed_t *listed = &APR_ARRAY_IDX(all, i, listed_t);
        int k;

        for (k = 0; k < listed->cas->nelts; k++) {
            const char *url = APR_ARRAY_IDX(listed->cas, k, const char *);

            if (call->ca && !strstr(url, call->ca)) {
                continue;
            }
            if (!first) {
                *pcert = listed->state.cert;
                *pca = (apr_uint32_t)k;
                first = url;
                found = 1;
            }
            found += strcmp(url, first) != 0;
        }
    }
    return found;
}

static int account(const call_t *call, const apr_array_header_t *all)
{
    apr_uint32_t cert = 0, ca = 0;
    acme_state_t state = { 0 };
    apr_size_t i;
    int found;

    if (!strcmp(call->id, "show")) {
        return account_show(call);
    }
    found = find_account(&cert, &ca, call, all);
    if (found != 1) {
        fprintf(stderr, "acmectl: %s; acmectl account show lists them\n",
                found ? "there are several accounts: add a part of the CA's "
                "URL that only one has"
                : "no account at such a CA is configured");
        return found ? WRONG_CALL : FAILED;
    }
    state.cert = cert;
    for (i = 0; i < sizeof(account_verbs) / sizeof(*account_verbs); i++) {
        if (!strcmp(call->id, account_verbs[i].word)) {
            return want(call, &state, ca, account_verbs[i].want,
                        ACME_REVOKE_REASON_NONE, account_verbs[i].said);
        }
    }
    fputs(usage, stderr);
    return WRONG_CALL;
}

typedef int verb_t(const call_t *call, const apr_array_header_t *all);

static const struct verb {
    const char *word;
    int needs_id;
    verb_t *run;
} verbs[] = {
    { "status", 0, status },
    { "renew", 1, renew },
    { "revoke", 1, revoke_one },
    { "dns-persist", 1, dns_persist },
    { "account", 1, account }
};

static const struct verb *find_verb(const call_t *call)
{
    apr_size_t i;

    for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (!strcmp(call->verb, verbs[i].word)) {
            return call->id || !verbs[i].needs_id ? &verbs[i] : NULL;
        }
    }
    return NULL;
}

static int run(call_t *call)
{
    const struct verb *verb = find_verb(call);
    const int by_id = call->id && verb->run != account;
    apr_array_header_t *all;
    acme_result_t res;

    if (!connect_to_keeper(call)) {
        return FAILED;
    }
    if (list_all(&all, call, by_id ? call->id : NULL, &res)) {
        return complain(&res);
    }
    if (by_id && !all->nelts) {
        return no_such(call);
    }
    return verb->run(call, all);
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
    call.reason = ACME_REVOKE_REASON_NONE;
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
