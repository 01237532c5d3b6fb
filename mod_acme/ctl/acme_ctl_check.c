/*
 * acme_ctl_check.c - acmectl check: each name as a CA would see it.
 *
 * The witness looks: this process runs as root, and parses nothing that comes
 * from a network. It asks for it, waits, and prints what the keeper has checked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_check.h"
#include "acme_ctl_term.h"
#include "acme_json.h"
#include "acme_rehearsal.h"

#define PAUSE apr_time_from_msec(100)
#define AT_ONCE 4               /* as many as the witness does side by side */
#define RECONNECTS_MAX 5        /* reloads of httpd meanwhile */

const acme_ctl_option_t acme_ctl_check_options[] = {
    ACME_CTL_OPTION_JSON,
    { "--verbose", NULL, "print of several certificates also what is as it should be" },
    ACME_CTL_OPTIONS_END
};

/* One certificate, and what came of it. */
typedef struct {
    const char *id;
    apr_uint32_t cert;          /* its index, until httpd is reloaded */
    enum { WAITS, ASKED, FOUND, FAILED } step;
    apr_time_t asked;
    acme_msg_findings_t said;
    apr_array_header_t *findings;       /* acme_rehearsal_finding_t */
    const char *failure;
} check_t;

/* A request whose reply does not stay in memory. */
static apr_status_t ask(acme_message_t *reply, const acme_ctl_command_t *run,
                        acme_message_e kind, const check_t *check,
                        acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_cert_t body = { .about.cert = check->cert };
    acme_ctl_keeper_t keeper = run->keeper;

    keeper.p = p;
    return acme_ctl_keeper_request(reply, &keeper, kind, &body, res);
}

/* Did the keeper end, as it does when httpd is reloaded? Else it has failed. */
static int is_gone(check_t *check, apr_status_t rv, const acme_result_t *res,
                   apr_pool_t *p)
{
    if (rv == APR_EOF || rv == EPIPE || rv == ECONNRESET) {
        return 1;
    }
    check->step = FAILED;
    check->failure = apr_pstrdup(p, res->detail);
    return 0;
}

/* False: the keeper is gone. */
static int begin(check_t *check, const acme_ctl_command_t *run,
                 apr_pool_t *scratch)
{
    acme_message_t reply;
    acme_result_t res;
    const apr_status_t rv = ask(&reply, run, ACME_MSG_REHEARSE, check, &res,
                                scratch);

    check->asked = apr_time_now();
    if (rv != APR_SUCCESS) {
        return !is_gone(check, rv, &res, run->p);
    }
    check->step = ASKED;
    return 1;
}

static int look(check_t *check, const acme_ctl_command_t *run,
                apr_pool_t *scratch)
{
    acme_message_t reply;
    acme_result_t res;
    const apr_status_t rv = ask(&reply, run, ACME_MSG_FINDINGS, check, &res,
                                scratch);

    if (rv != APR_SUCCESS) {
        return !is_gone(check, rv, &res, run->p);
    }
    check->said = *(const acme_msg_findings_t *)reply.body;
    if (!check->said.is_pending) {
        check->step = FOUND;
        check->findings = acme_rehearsal_parse(reply.tail, NULL, run->p);
    }
    else if (apr_time_now() - check->asked > run->timeout) {
        check->step = FAILED;
        check->failure = apr_psprintf(
            run->p, "no result within %d seconds; does the process acme-witness run? See the error log",
            (int)apr_time_sec(run->timeout));
    }
    return 1;
}

/* The next keeper knows nothing of what was asked, and may have other
   certificates. */
static void reconnect(check_t *checks, int n, acme_ctl_command_t *run)
{
    apr_array_header_t *certs = NULL;
    acme_result_t res;
    apr_status_t rv;
    int i, k;

    acme_ctl_keeper_close(&run->keeper);
    rv = acme_ctl_keeper_connect(&run->keeper, run->state_dir, &res, run->p);
    if (rv == APR_SUCCESS) {
        rv = acme_ctl_keeper_list(&certs, &run->keeper, &res);
    }
    for (i = 0; i < n; i++) {
        check_t *check = &checks[i];

        if (check->step >= FOUND) {
            continue;
        }
        check->step = FAILED;
        check->failure = rv == APR_SUCCESS
            ? "is not configured any more" : apr_pstrdup(run->p, res.detail);
        for (k = 0; rv == APR_SUCCESS && k < certs->nelts; k++) {
            const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, k,
                                                         acme_ctl_cert_t);

            if (!strcmp(cert->id, check->id)) {
                check->cert = cert->state.cert;
                check->step = WAITS;
            }
        }
    }
}

static int is_fault(const check_t *check)
{
    return check->step == FAILED
        || check->said.level == ACME_REHEARSAL_FAULT;
}

static int count(const check_t *check, acme_rehearsal_e level)
{
    int i, n = 0;

    for (i = 0; i < check->findings->nelts; i++) {
        n += APR_ARRAY_IDX(check->findings, i, acme_rehearsal_finding_t).level
            == level;
    }
    return n;
}

static void print_finding(const acme_rehearsal_finding_t *finding)
{
    const acme_reason_t *about = acme_reason_about(finding->reason);

    printf("    %-6s  ", acme_rehearsal_word(finding->level));
    if (*finding->name) {
        acme_ctl_term_put(stdout, finding->name);
        printf(": ");
    }
    if (finding->topic == ACME_TOPIC_HTTP_01
        || finding->topic == ACME_TOPIC_TLS_ALPN_01
        || finding->topic == ACME_TOPIC_DNS_01
        || finding->topic == ACME_TOPIC_DNS_PERSIST_01) {
        printf("%s: ", acme_rehearsal_topic(finding->topic));
    }
    acme_ctl_term_put(stdout, finding->text);
    printf("\n");
    if (finding->level == ACME_REHEARSAL_FAULT) {
        printf("            %s: %s\n", about->code, about->remedy);
    }
}

static void print_text(const check_t *check, int has_all)
{
    int faults, i;

    if (check->step == FAILED) {
        fprintf(stderr, "acmectl: %s: ", check->id);
        acme_ctl_term_put(stderr, check->failure);
        fprintf(stderr, "\n");
        return;
    }
    faults = count(check, ACME_REHEARSAL_FAULT);
    printf("%s: ", check->id);
    if (faults) {
        printf("%d fault%s\n", faults, faults == 1 ? "" : "s");
    }
    else {
        printf("no fault seen from this machine%s\n",
               count(check, ACME_REHEARSAL_UNSEEN)
                   ? "; not all of it can be seen from here" : "");
    }
    for (i = 0; i < check->findings->nelts; i++) {
        const acme_rehearsal_finding_t *finding =
            &APR_ARRAY_IDX(check->findings, i, acme_rehearsal_finding_t);

        if (has_all || finding->level != ACME_REHEARSAL_FINE) {
            print_finding(finding);
        }
    }
}

static json_t *finding_json(const acme_rehearsal_finding_t *finding)
{
    const acme_reason_t *about = acme_reason_about(finding->reason);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
                     "result", acme_rehearsal_word(finding->level),
                     "name", finding->name,
                     "check", acme_rehearsal_topic(finding->topic),
                     "detail", finding->text, "reason", about->code,
                     "fault", acme_reason_fault_word(about->fault),
                     "remedy", about->remedy);
}

static json_t *check_json(const check_t *check, apr_pool_t *p)
{
    json_t *findings = json_array();
    int i;

    for (i = 0; check->step == FOUND && i < check->findings->nelts; i++) {
        json_array_append_new(findings, finding_json(
            &APR_ARRAY_IDX(check->findings, i, acme_rehearsal_finding_t)));
    }
    return check->step == FOUND
        ? json_pack("{s:s, s:s, s:s, s:o}", "id", check->id,
                    "checkedAt", acme_time_rfc3339(check->said.when, p),
                    "result", acme_rehearsal_word(
                        (acme_rehearsal_e)check->said.level),
                    "findings", findings)
        : json_pack("{s:s, s:n, s:s, s:o, s:s}", "id", check->id,
                    "checkedAt", "result", "failed", "findings", findings,
                    "problem", check->failure);
}

/* Those in the window, a step each. False: the keeper is gone. */
static int make_steps(check_t *checks, int first, int n,
                      const acme_ctl_command_t *run, apr_pool_t *scratch)
{
    int i, busy = 0, is_there = 1;

    for (i = first; is_there && i < n && busy < AT_ONCE; i++) {
        if (checks[i].step == WAITS) {
            is_there = begin(&checks[i], run, scratch);
        }
        else if (checks[i].step == ASKED) {
            is_there = look(&checks[i], run, scratch);
        }
        busy += checks[i].step == ASKED;
        apr_pool_clear(scratch);
    }
    return is_there;
}

/* All of them, a few at once; with print each is printed in its turn. */
static void run_checks(check_t *checks, int n, acme_ctl_command_t *run,
                       void (*print)(const check_t *check, int has_all),
                       int has_all)
{
    int first = 0, reconnects = 0, i;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, run->p);
    while (first < n) {
        if (!make_steps(checks, first, n, run, scratch)) {
            if (reconnects++ < RECONNECTS_MAX) {
                reconnect(checks, n, run);
            }
            else {
                for (i = first; i < n; i++) {
                    if (checks[i].step < FOUND) {
                        checks[i].step = FAILED;
                        checks[i].failure = "httpd is reloaded again and again";
                    }
                }
            }
        }
        while (first < n && checks[first].step >= FOUND) {
            if (print) {
                print(&checks[first], has_all);
                fflush(stdout);
            }
            first++;
        }
        if (first < n) {
            apr_sleep(PAUSE);
        }
    }
}

int acme_ctl_check_run(acme_ctl_command_t *run)
{
    const int is_json = acme_ctl_command_option(run, "--json") != NULL;
    const int n = run->certs->nelts;
    check_t *checks = apr_pcalloc(run->p, (apr_size_t)(n + 1)
                                  * sizeof(*checks));
    json_t *array = acme_json_own(json_array(), run->p);
    int i, ill = 0;

    for (i = 0; i < n; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, i,
                                                     acme_ctl_cert_t);

        checks[i].id = cert->id;
        checks[i].cert = cert->state.cert;
    }
    run_checks(checks, n, run, is_json ? NULL : print_text,
               n == 1 || acme_ctl_command_option(run, "--verbose") != NULL);
    for (i = 0; i < n; i++) {
        ill |= is_fault(&checks[i]);
        if (is_json) {
            json_array_append_new(array, check_json(&checks[i], run->p));
        }
    }
    if (is_json) {
        printf("%s\n", acme_json_text(array, 2, run->p));
    }
    else if (!n) {
        printf("no certificate is managed\n");
    }
    return ill ? ACME_CTL_FAILED : ACME_CTL_DONE;
}
