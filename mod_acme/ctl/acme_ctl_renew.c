/*
 * acme_ctl_renew.c - acmectl renew: order certificates now, or try whether that
 * would work.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_call.h"
#include "acme_ctl_renew.h"
#include "acme_ctl_term.h"
#include "acme_ctl_wait.h"
#include "acme_json.h"
#include "acme_revoke_reason.h"
#include "acme_url.h"

#define WAIT_MAX apr_time_from_sec(30 * 60)     /* without --timeout */

const acme_ctl_option_t acme_ctl_renew_options[] = {
    { "--all", NULL, "all certificates; without --force those that are due or whose last order failed" },
    { "--due", NULL, "those that are due" },
    { "--force", NULL, "order a new certificate in any case" },
    { "--chain", NULL, "only download the chain again" },
    { "--dry-run", NULL, "only try whether an order would succeed: nothing is issued or installed" },
    { "--wait", NULL, "wait until the new certificate is served, or has failed; show each step. --timeout bounds all of it, by default 30 minutes" },
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

/* What a dry run does not do, whatever came of it. */
static const char not_tried[] =
    "not tried: the finalization of the order, the installation, the reload, AcmeHook deploy and notify, AcmeExport";
static const char tried[] =
    "tried: the account, an order for all names, the challenges, AcmeHook pre and post, and AcmeHttp and AcmeDns where they are used";
static const char left_behind[] =
    "the order stays at that CA until it expires there, and its authorizations stay valid";

typedef struct {
    acme_ctl_command_t *run;
    acme_want_e want;
    int is_force;
    int is_wait;
    int is_json;
} renew_t;

/* The lines of the keeper about the limits of the CA that it would be ordered
   from; "" when none are known. */
static const char *read_costs(const renew_t *renew,
                              const acme_ctl_cert_t *cert)
{
    const acme_state_t *state = &cert->state;
    const acme_msg_cert_t body = {
        { state->cert, state->issued_by < state->cas ? state->issued_by : 0,
          0 }
    };
    acme_message_t reply;
    acme_result_t ignored;

    if (acme_ctl_keeper_request(&reply, &renew->run->keeper, ACME_MSG_COSTS,
                                &body, &ignored) || !reply.tail) {
        return "";
    }
    return reply.tail;
}

/* The certificates that the options name, each once. */
static apr_array_header_t *choose(const renew_t *renew)
{
    const acme_ctl_command_t *run = renew->run;
    const int is_due = acme_ctl_command_option(run, "--due") != NULL;
    apr_array_header_t *chosen =
        apr_array_make(run->p, run->certs->nelts, sizeof(acme_ctl_cert_t *));
    int i, k;

    for (i = 0; i < run->certs->nelts; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, i,
                                                     acme_ctl_cert_t);

        for (k = 0; k < chosen->nelts; k++) {
            if (APR_ARRAY_IDX(chosen, k, acme_ctl_cert_t *)->state.cert
                == cert->state.cert) {
                break;
            }
        }
        if (k == chosen->nelts
            && (!is_due || acme_renew_due(&cert->state, run->now)
                               == ACME_RENEW_DUE_NOW)) {
            APR_ARRAY_PUSH(chosen, const acme_ctl_cert_t *) = cert;
        }
    }
    return chosen;
}

/* Why nothing is asked for; NULL: it is. */
static const char *why_skipped(const renew_t *renew,
                               const acme_ctl_cert_t *cert)
{
    if (renew->want == ACME_WANT_CHAIN) {
        return cert->state.live ? NULL : "has no certificate yet";
    }
    if (renew->want == ACME_WANT_DRY_RUN || renew->is_force
        || acme_renew_due(&cert->state, renew->run->now)
               != ACME_RENEW_DUE_NOT) {
        return NULL;
    }
    return acme_renew_due_text(&cert->state, renew->run->now, renew->run->p);
}

static void request(acme_ctl_wait_t *wait, const renew_t *renew,
                    const acme_ctl_cert_t *cert)
{
    const acme_msg_want_t body = { .about.cert = cert->state.cert,
                                   .want = renew->want,
                                   .reason = ACME_REVOKE_REASON_NONE };
    const int is_named = renew->run->nargs != 0;
    const char *skipped = why_skipped(renew, cert);
    acme_message_t reply;
    acme_result_t res;

    acme_ctl_wait_begin(wait, renew->run, cert, renew->want);
    if (renew->want == ACME_WANT_RENEWAL && is_named
        && (skipped || renew->is_force)) {
        wait->costs = read_costs(renew, cert);
    }
    if (skipped) {
        wait->result = "skipped";
        wait->detail = skipped;
        wait->is_bad = is_named;
        return;
    }
    if (acme_ctl_keeper_request(&reply, &renew->run->keeper, ACME_MSG_WANT,
                                &body, &res)) {
        wait->result = "refused";
        wait->detail = apr_pstrdup(renew->run->p, res.detail);
        wait->is_bad = 1;
        return;
    }
    if (!renew->is_wait) {
        wait->result = "requested";
        wait->detail = renew->want == ACME_WANT_CHAIN
            ? "the chain is being downloaded again; see the error log, or acmectl status"
            : "is being renewed; see the error log, or acmectl status";
    }
}

static void put_line(const char *indent, const char *text)
{
    printf("%s", indent);
    acme_ctl_term_put(stdout, text);
    printf("\n");
}

/* The limits that a forced order uses up, or would. */
static void put_costs(const renew_t *renew, const acme_ctl_wait_t *wait)
{
    const acme_state_t *state = &wait->cert->state;
    const apr_uint32_t ca = state->issued_by < state->cas ? state->issued_by
                                                          : 0;
    const int is_skipped = !strcmp(wait->result ? wait->result : "",
                                   "skipped");
    apr_pool_t *p = renew->run->p;
    char *line, *last;

    if (!*wait->costs) {
        const char *url = ca < (apr_uint32_t)wait->cert->cas->nelts
            ? APR_ARRAY_IDX(wait->cert->cas, (int)ca, const char *) : "";

        put_line("    ",
                 apr_psprintf(p, "%s: no rate limits of %s are known here",
                              is_skipped ? "--force would renew it now"
                                         : "forced",
                              *url ? acme_url_host(url, p) : "the CA"));
        return;
    }
    put_line("    ", is_skipped
                         ? "--force would renew it now; left of the CA's rate limits:"
                         : "forced; left of the CA's rate limits:");
    for (line = apr_strtok(apr_pstrdup(p, wait->costs), "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        put_line("      ", line);
    }
}

static int has_costs(const renew_t *renew, const acme_ctl_wait_t *wait)
{
    return renew->want == ACME_WANT_RENEWAL && renew->run->nargs
        && (renew->is_force || !strcmp(wait->result ? wait->result : "",
                                       "skipped"))
        && wait->cert->state.agreed;
}

static void put_result(const renew_t *renew, const acme_ctl_wait_t *wait)
{
    FILE *file = !strcmp(wait->result, "refused") ? stderr : stdout;

    if (file == stderr) {
        fputs("acmectl: ", file);
    }
    else {
        acme_ctl_term_put(file, wait->cert->id);
        fputs(": ", file);
    }
    acme_ctl_term_put(file, wait->detail);
    fputs("\n", file);
    if (renew->want != ACME_WANT_DRY_RUN) {
        return;
    }
    if (!strcmp(wait->result, "passed")) {
        put_line("    ", tried);
        put_line("    ", not_tried);
        put_line("    ", left_behind);
    }
    else if (!strcmp(wait->result, "failed")) {
        put_line("    ", "nothing was installed; this counts as no attempt, and delays no order");
    }
}

static json_t *list_json(const char *text, const char *ends, apr_pool_t *p)
{
    apr_array_header_t *lines = apr_array_make(p, 4, sizeof(const char *));
    char *line, *last;

    for (line = apr_strtok(apr_pstrdup(p, text), ends, &last); line;
         line = apr_strtok(NULL, ends, &last)) {
        APR_ARRAY_PUSH(lines, const char *) = line;
    }
    return acme_json_array(lines);
}

static void put_json(const apr_array_header_t *waits, apr_pool_t *p)
{
    json_t *array = acme_json_own(json_array(), p);
    int i;

    for (i = 0; i < waits->nelts; i++) {
        const acme_ctl_wait_t *wait = &APR_ARRAY_IDX(waits, i,
                                                     acme_ctl_wait_t);

        json_array_append_new(array, json_pack(
            "{s:o, s:s, s:b, s:o, s:s, s:o, s:o}",
            "id", acme_json_from_text(wait->cert->id, ACME_DETAIL_SIZE, p),
            "result", wait->result, "succeeded", !wait->is_bad,
            "detail", acme_json_from_text(wait->detail, 2 * ACME_DETAIL_SIZE,
                                          p),
            "reason", acme_reason_about(wait->reason)->code,
            "limits", list_json(wait->costs, "\n", p),
            "leftOut", list_json(wait->left_out, ", ", p)));
    }
    printf("%s\n", acme_json_text(array, 2, p));
}

/* What the options do not allow together; the exit code of a right call. */
static int check_call(const acme_ctl_command_t *run)
{
    const int is_all = acme_ctl_command_option(run, "--all") != NULL;
    const int is_due = acme_ctl_command_option(run, "--due") != NULL;

    if (is_all + is_due + (run->nargs != 0) != 1) {
        return acme_ctl_command_refuse(
            "renew: which certificates? Give their ids, or --all, or --due");
    }
    if (acme_ctl_command_option(run, "--chain")
        && (acme_ctl_command_option(run, "--dry-run")
            || acme_ctl_command_option(run, "--force"))) {
        return acme_ctl_command_refuse(
            "renew: --chain orders nothing, and goes with neither --force nor --dry-run");
    }
    return ACME_CTL_DONE;
}

int acme_ctl_renew_fail(const acme_ctl_command_t *run,
                        const acme_result_t *res)
{
    const int code = check_call(run);

    return code == ACME_CTL_DONE ? acme_ctl_command_fail(res) : code;
}

int acme_ctl_renew_run(acme_ctl_command_t *run)
{
    renew_t renew = {
        .run = run,
        .want = acme_ctl_command_option(run, "--chain") ? ACME_WANT_CHAIN
            : acme_ctl_command_option(run, "--dry-run") ? ACME_WANT_DRY_RUN
                                                        : ACME_WANT_RENEWAL,
        .is_force = acme_ctl_command_option(run, "--force") != NULL,
        .is_json = acme_ctl_command_option(run, "--json") != NULL
    };
    apr_array_header_t *chosen, *waits;
    int i, is_bad = 0, code = check_call(run);

    if (code != ACME_CTL_DONE) {
        return code;
    }
    renew.is_wait = renew.want == ACME_WANT_DRY_RUN
        || acme_ctl_command_option(run, "--wait") != NULL;
    chosen = choose(&renew);
    waits = apr_array_make(run->p, chosen->nelts + 1, sizeof(acme_ctl_wait_t));
    for (i = 0; i < chosen->nelts; i++) {
        acme_ctl_wait_t *wait = apr_array_push(waits);

        request(wait, &renew, APR_ARRAY_IDX(chosen, i, acme_ctl_cert_t *));
        if (!renew.is_json && wait->result) {
            put_result(&renew, wait);
        }
        if (!renew.is_json && has_costs(&renew, wait)) {
            if (!wait->result) {
                put_line("", apr_pstrcat(run->p, wait->cert->id,
                                         ": is being renewed", NULL));
            }
            put_costs(&renew, wait);
        }
    }
    fflush(stdout);
    if (renew.is_wait) {
        apr_array_header_t *open =
            apr_array_make(run->p, waits->nelts + 1, sizeof(int));

        for (i = 0; i < waits->nelts; i++) {
            APR_ARRAY_PUSH(open, int) =
                !APR_ARRAY_IDX(waits, i, acme_ctl_wait_t).result;
        }
        acme_ctl_wait_all(waits, run,
                          run->timeout == ACME_CTL_TIMEOUT ? WAIT_MAX
                                                           : run->timeout,
                          renew.is_json);
        for (i = 0; !renew.is_json && i < waits->nelts; i++) {
            if (APR_ARRAY_IDX(open, i, int)) {
                put_result(&renew, &APR_ARRAY_IDX(waits, i, acme_ctl_wait_t));
            }
        }
    }
    for (i = 0; i < waits->nelts; i++) {
        is_bad |= APR_ARRAY_IDX(waits, i, acme_ctl_wait_t).is_bad;
    }
    if (renew.is_json) {
        put_json(waits, run->p);
    }
    else if (!waits->nelts) {
        printf("no certificate is %s\n",
               acme_ctl_command_option(run, "--due") ? "due" : "managed");
    }
    return is_bad ? ACME_CTL_FAILED : ACME_CTL_DONE;
}
