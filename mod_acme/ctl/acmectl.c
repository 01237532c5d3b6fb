/*
 * acmectl.c - the administrator's tool: sends requests to the keeper through
 * its control socket, and prints the replies.
 *
 * Exit codes: 0 the command succeeded; 1 it failed, or a certificate failed or
 * expired; 2 the command line is invalid.
 */
#include <stdio.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_ctl_call.h"
#include "acme_ctl_keeper.h"
#include "acme_ctl_show.h"
#include "acme_next_step.h"
#include "acme_revoke_reason.h"
#include "acme_status_rows.h"

#define DONE 0
#define FAILED 1
#define WRONG_CALL 2

/* The command line, the keeper, and the certificates that it is about. */
typedef struct {
    acme_ctl_call_t call;
    acme_ctl_keeper_t keeper;
    apr_array_header_t *certs;      /* acme_ctl_cert_t: all, or the one */
    apr_pool_t *p;
} command_t;

static int print_failure(const acme_result_t *res)
{
    fprintf(stderr, "acmectl: %s\n", res->detail);
    return FAILED;
}

static int show_status(const command_t *run)
{
    const apr_time_t now = apr_time_now();
    int i, ill = 0;

    for (i = 0; i < run->certs->nelts; i++) {
        ill |= acme_status_rows_is_ill(
            &APR_ARRAY_IDX(run->certs, i, acme_ctl_cert_t).state, now);
    }
    if (run->call.json) {
        acme_ctl_show_json(run->certs, now, run->p);
    }
    else {
        acme_ctl_show_text(run->certs, now, run->p);
    }
    return ill ? FAILED : DONE;
}

/* Send a request, and print the sentence about its start. */
static int send_request(const command_t *run, const acme_msg_want_t *body,
                        const char *begun)
{
    acme_message_t reply;
    acme_result_t res;

    if (acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_WANT, body,
                                &res)) {
        return print_failure(&res);
    }
    printf("%s; see the error log, or acmectl status\n", begun);
    return DONE;
}

static int renew_certificate(const command_t *run)
{
    const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, 0,
                                                 acme_ctl_cert_t);
    const acme_state_t *state = &cert->state;
    const acme_msg_want_t body = {
        .about.cert = state->cert,
        .want = run->call.chain ? ACME_WANT_CHAIN : ACME_WANT_RENEWAL,
        .reason = ACME_REVOKE_REASON_NONE
    };

    if (run->call.chain) {
        if (!state->live) {
            printf("%s: has no certificate yet\n", cert->id);
            return FAILED;
        }
        return send_request(run, &body, apr_pstrcat(
            run->p, cert->id, ": the chain is being downloaded again", NULL));
    }
    if (!run->call.force && !state->attempts && !state->left_out
        && !acme_next_step_is_due(state, apr_time_now())) {
        printf("%s: not due, valid until %s; use --force to renew now\n",
               cert->id, acme_time_text(state->not_after, run->p));
        return FAILED;
    }
    return send_request(run, &body, apr_pstrcat(run->p, cert->id,
                                                ": is being renewed", NULL));
}

static int revoke_certificate(const command_t *run)
{
    const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, 0,
                                                 acme_ctl_cert_t);
    const acme_msg_want_t body = {
        .about.cert = cert->state.cert,
        .want = run->call.delete ? ACME_WANT_DELETION : ACME_WANT_REVOCATION,
        .reason = run->call.reason
    };

    if (!cert->state.live) {
        printf("%s: has no certificate to revoke\n", cert->id);
        return FAILED;
    }
    return send_request(run, &body, apr_pstrcat(run->p, cert->id,
                                                ": is being revoked", NULL));
}

/* A time in the future, or a duration from now; 0 and a message: neither. */
static int parse_until(apr_time_t *puntil, const char *text)
{
    const apr_time_t now = apr_time_now();
    apr_interval_time_t d;
    acme_result_t res;

    *puntil = text ? acme_time_parse(text) : 0;
    if (text && !*puntil && !acme_time_duration_parse(&d, text, &res)) {
        *puntil = now + d;
    }
    if (text && *puntil <= now) {
        fprintf(stderr, "acmectl: --until %s: not a time in the future, like 2027-11-21T00:00:00Z or 365d\n",
                text);
        return 0;
    }
    return 1;
}

/* The records for each of its CAs whose form is known. */
static int print_records(const command_t *run)
{
    const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, 0,
                                                 acme_ctl_cert_t);
    acme_msg_txt_t body = { .about.cert = cert->state.cert };
    acme_message_t reply;
    acme_result_t res;
    int printed = 0;

    if (!parse_until(&body.until, run->call.until)) {
        return WRONG_CALL;
    }
    for (; body.about.ca < (apr_uint32_t)cert->cas->nelts; body.about.ca++) {
        if (!acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_TXT, &body,
                                     &res)) {
            printf("%.*s", (int)reply.tail_len, reply.tail ? reply.tail : "");
            printed = 1;
        }
    }
    return printed ? DONE : print_failure(&res);
}

/* The accounts as the keeper lists them, a line each. */
static int list_accounts(const command_t *run)
{
    static const acme_msg_none_t none;
    acme_message_t reply;
    acme_result_t res;

    if (acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_ACCOUNTS, &none,
                                &res)) {
        return print_failure(&res);
    }
    printf("%.*s", (int)reply.tail_len, reply.tail ? reply.tail : "");
    return DONE;
}

static const struct {
    const char *word;
    acme_want_e want;
    const char *begun;
} account_verbs[] = {
    { "update", ACME_WANT_UPDATE, "the contacts are being sent to the CA" },
    { "rollover", ACME_WANT_ROLLOVER, "the key of the account is being replaced" },
    { "deactivate", ACME_WANT_DEACTIVATION,
      "the account is being deactivated" }
};

/*
 * The account that the command line names: a certificate, and the position in
 * its list of CAs. Returns the number of different accounts that match.
 */
static int find_account(acme_target_t *about, const command_t *run)
{
    const char *first = NULL;
    int i, k, found = 0;

    for (i = 0; i < run->certs->nelts; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, i,
                                                     acme_ctl_cert_t);

        for (k = 0; k < cert->cas->nelts; k++) {
            const char *url = APR_ARRAY_IDX(cert->cas, k, const char *);

            if (run->call.ca && !strstr(url, run->call.ca)) {
                continue;
            }
            if (!first) {
                about->cert = cert->state.cert;
                about->ca = (apr_uint32_t)k;
                first = url;
                found = 1;
            }
            found += strcmp(url, first) != 0;
        }
    }
    return found;
}

static int run_account(const command_t *run)
{
    acme_msg_want_t body = { .reason = ACME_REVOKE_REASON_NONE };
    apr_size_t i;
    int found;

    if (!strcmp(run->call.id, "show")) {
        return list_accounts(run);
    }
    found = find_account(&body.about, run);
    if (found > 1) {
        fprintf(stderr, "acmectl: several accounts match: add a part of the CA's URL that only one has; acmectl account show lists them\n");
        return WRONG_CALL;
    }
    if (!found) {
        fprintf(stderr, "acmectl: no configured CA matches; acmectl account show lists the accounts\n");
        return FAILED;
    }
    for (i = 0; i < sizeof(account_verbs) / sizeof(*account_verbs); i++) {
        if (!strcmp(run->call.id, account_verbs[i].word)) {
            body.want = account_verbs[i].want;
            return send_request(run, &body, account_verbs[i].begun);
        }
    }
    acme_ctl_call_usage();
    return WRONG_CALL;
}

static const struct verb {
    const char *word;
    int needs_id;
    int (*run)(const command_t *run);
} verbs[] = {
    { "status", 0, show_status },
    { "renew", 1, renew_certificate },
    { "revoke", 1, revoke_certificate },
    { "dns-persist", 1, print_records },
    { "account", 1, run_account }
};

/* NULL: the command is unknown, or its id is missing. */
static const struct verb *find_verb(const acme_ctl_call_t *call)
{
    apr_size_t i;

    for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (!strcmp(call->verb, verbs[i].word)) {
            return call->id || !verbs[i].needs_id ? &verbs[i] : NULL;
        }
    }
    return NULL;
}

static int run_verb(command_t *run, const struct verb *verb)
{
    const char *id = verb->run == run_account ? NULL : run->call.id;
    acme_result_t res;

    run->keeper.timeout = run->call.timeout;
    if (acme_ctl_keeper_connect(&run->keeper, run->call.state_dir, &res,
                                run->p)
        || acme_ctl_keeper_list(&run->certs, &run->keeper, id, &res)) {
        return print_failure(&res);
    }
    if (id && !run->certs->nelts) {
        fprintf(stderr, "acmectl: no certificate has the id %s; acmectl status lists them\n",
                id);
        return FAILED;
    }
    return verb->run(run);
}

int main(int argc, const char *const *argv)
{
    const struct verb *verb = NULL;
    command_t run = { 0 };
    int code;

    if (apr_app_initialize(&argc, &argv, NULL)
        || apr_pool_create(&run.p, NULL)) {
        return FAILED;
    }
    if (acme_ctl_call_read(&run.call, argc, argv)) {
        verb = find_verb(&run.call);
    }
    if (verb) {
        code = run_verb(&run, verb);
    }
    else {
        acme_ctl_call_usage();
        code = WRONG_CALL;
    }
    apr_terminate();
    return code;
}
