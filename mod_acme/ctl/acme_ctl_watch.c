/*
 * acme_ctl_watch.c - acmectl watch: running orders, live.
 *
 * The keeper is asked once a second what has changed. A reload of httpd
 * replaces it, after each installation for example; then it is connected anew.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_ctl_show.h"
#include "acme_ctl_store.h"
#include "acme_ctl_term.h"
#include "acme_ctl_watch.h"
#include "acme_explain.h"
#include "acme_next_step.h"

#define PAUSE_MS 1000
#define RELOAD_TIME apr_time_from_sec(5)        /* of most; then it is said */

/* When a terminal does not say its size. */
#define LINES 24
#define COLUMNS 80

const acme_ctl_option_t acme_ctl_watch_options[] = {
    { "--until-done", NULL, "end when no order runs; the exit code is 1 if a certificate needs the administrator then" },
    ACME_CTL_OPTIONS_END
};

typedef struct {
    acme_ctl_command_t *run;
    const char **printed;       /* of each certificate: the line that was
                                   printed last, malloc()ed; "": its next one
                                   is printed in any case; NULL: none is */
    int nprinted;
    apr_uint64_t change;        /* the last one that is known */
    int is_terminal;
    int height;                 /* lines that were drawn */
    apr_pool_t *scratch;        /* cleared with each look */
} watch_t;

static int is_running(const acme_state_t *state, apr_time_t now)
{
    const acme_step_e step = acme_next_step(state, now).step;

    return state->ordering || step == ACME_STEP_ORDER
        || step == ACME_STEP_FINISH;
}

/* "waiting until the CA has validated the names", "installed: archive/..." */
static const char *step_text(const watch_t *watch, const acme_ctl_cert_t *cert)
{
    const acme_state_t *state = &cert->state;
    const apr_array_header_t *events;
    const acme_journal_event_t *last = NULL, *step = NULL;
    acme_journal_t *journal;
    acme_result_t res;

    if (acme_ctl_store_journal(&journal, watch->run->state_dir, cert->id, &res,
                               watch->scratch) == APR_SUCCESS) {
        events = journal->events;
        last = events->nelts ? &APR_ARRAY_IDX(events, events->nelts - 1,
                                              acme_journal_event_t) : NULL;
        step = acme_journal_step(journal, state->ordering_since);
    }
    if (state->ordering) {
        return acme_explain_step(step ? step->event : NULL);
    }
    if (is_running(state, apr_time_now())) {
        return "starts within seconds";
    }
    if (state->attempts) {
        return state->detail;
    }
    return last ? apr_pstrcat(watch->scratch, last->event, ": ", last->detail,
                              NULL) : "";
}

/* "www.example.org  ordering  waiting until ..." */
static const char *line_of(const watch_t *watch, const acme_ctl_cert_t *cert)
{
    const apr_time_t now = apr_time_now();

    return apr_psprintf(watch->scratch, "%-30s  %-11s  %s",
                        acme_ctl_term_text(cert->id, watch->scratch),
                        acme_state_word(&cert->state, now),
                        acme_ctl_term_text(step_text(watch, cert),
                                           watch->scratch));
}

static void print_changes(watch_t *watch)
{
    const apr_array_header_t *certs = watch->run->certs;
    const apr_time_t now = apr_time_now();
    int i;

    for (i = 0; i < certs->nelts; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, i,
                                                     acme_ctl_cert_t);
        const char *line;

        if (!is_running(&cert->state, now) && !watch->printed[i]) {
            continue;
        }
        line = line_of(watch, cert);
        if (!watch->printed[i] || strcmp(line, watch->printed[i])) {
            printf("%s  %s\n", acme_time_text(now, watch->scratch), line);
            free((void *)watch->printed[i]);
            watch->printed[i] = strdup(line);
        }
        if (!is_running(&cert->state, now)) {
            free((void *)watch->printed[i]);
            watch->printed[i] = NULL;
        }
    }
    fflush(stdout);
}

/* Over what was drawn before: each line once, none longer than the terminal. */
static void draw(watch_t *watch)
{
    const apr_array_header_t *certs = watch->run->certs;
    const apr_time_t now = apr_time_now();
    struct winsize size = { 0 };
    int i, running = 0, rows, columns;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row
        || !size.ws_col) {
        size.ws_row = LINES;
        size.ws_col = COLUMNS;
    }
    rows = size.ws_row - 2;
    columns = size.ws_col - 1;
    if (watch->height) {
        printf("\033[%dA", watch->height);
    }
    fputs("\r\033[J", stdout);
    watch->height = 1;
    for (i = 0; i < certs->nelts; i++) {
        running += is_running(&APR_ARRAY_IDX(certs, i, acme_ctl_cert_t).state,
                              now);
    }
    printf("%.*s\n", columns,
           apr_psprintf(watch->scratch, "%s  %d of %d certificates in progress",
                        acme_time_text(now, watch->scratch), running,
                        certs->nelts));
    for (i = 0; i < certs->nelts && watch->height < rows; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, i,
                                                     acme_ctl_cert_t);
        const acme_state_t *state = &cert->state;

        if (!is_running(state, now) && !watch->printed[i]) {
            continue;
        }
        if (!watch->printed[i]) {       /* from now on, also when it is over */
            watch->printed[i] = strdup("");
        }
        printf("%.*s\n", columns, apr_psprintf(
            watch->scratch, "%-30s  %-11s  %8s  %s",
            acme_ctl_term_text(cert->id, watch->scratch),
            acme_state_word(state, now),
            state->ordering && state->ordering_since
                ? acme_time_interval_text(now - state->ordering_since,
                                          watch->scratch) : "",
            acme_ctl_term_text(step_text(watch, cert), watch->scratch)));
        watch->height++;
    }
    fflush(stdout);
}

static void forget_printed(watch_t *watch)
{
    while (watch->nprinted > 0) {
        free((void *)watch->printed[--watch->nprinted]);
    }
    free(watch->printed);
}

/* An order may begin and end between two looks: what came of it is shown. */
static void note_change(watch_t *watch, int i, const acme_state_t *before)
{
    const acme_state_t *state = &APR_ARRAY_IDX(watch->run->certs, i,
                                               acme_ctl_cert_t).state;

    if (!watch->printed[i] && (state->live != before->live
                               || state->attempts > before->attempts)) {
        watch->printed[i] = strdup("");
    }
}

/* Which certificates there are, and their states; before: those of the load
   before, or none. */
static void begin(watch_t *watch, const apr_array_header_t *before)
{
    const apr_array_header_t *certs = watch->run->certs;
    const int n = certs->nelts;
    int i, k;

    if (n != watch->nprinted) {         /* another configuration */
        forget_printed(watch);
        watch->printed = calloc((size_t)n + 1, sizeof(*watch->printed));
        watch->nprinted = n;
    }
    watch->change = 0;
    for (i = 0; i < n; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, i,
                                                     acme_ctl_cert_t);

        if (cert->state.change > watch->change) {
            watch->change = cert->state.change;
        }
        for (k = 0; before && k < before->nelts; k++) {
            /* Most often they are the same, in the same order. */
            const acme_ctl_cert_t *old = &APR_ARRAY_IDX(
                before, (i + k) % before->nelts, acme_ctl_cert_t);

            if (!strcmp(old->id, cert->id)) {
                note_change(watch, i, &old->state);
                break;
            }
        }
    }
}

static void set_state(watch_t *watch, const acme_state_t *state)
{
    const apr_array_header_t *certs = watch->run->certs;
    int i;

    for (i = 0; i < certs->nelts; i++) {
        acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, i, acme_ctl_cert_t);

        if (cert->state.cert == state->cert) {
            const acme_state_t before = cert->state;

            cert->state = *state;
            note_change(watch, i, &before);
        }
    }
}

/* All changes since the last look. */
static apr_status_t look(watch_t *watch, acme_result_t *res)
{
    acme_ctl_keeper_t keeper = watch->run->keeper;
    acme_msg_after_t body;
    acme_message_t reply;
    apr_status_t rv;

    keeper.p = watch->scratch;
    for (;;) {
        body.change = watch->change;
        rv = acme_ctl_keeper_request(&reply, &keeper, ACME_MSG_CHANGES, &body,
                                     res);
        if (rv != APR_SUCCESS) {
            return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
        }
        watch->change = ((const acme_state_t *)reply.body)->change;
        set_state(watch, reply.body);
    }
}

/* To the keeper of the next load, which may take its time, or not have the
   certificate any more. */
static apr_status_t reconnect(watch_t *watch, acme_result_t *res)
{
    acme_ctl_command_t *run = watch->run;
    const apr_array_header_t *before = run->certs;
    const apr_time_t begun = apr_time_now();
    const apr_time_t end = begun + run->timeout;
    int is_told = 0;
    apr_status_t rv;

    do {
        acme_ctl_keeper_close(&run->keeper);
        rv = acme_ctl_command_load(run, res);
        if (rv == APR_SUCCESS) {
            begin(watch, before);
            return APR_SUCCESS;
        }
        if (!is_told && apr_time_now() > begun + RELOAD_TIME) {
            is_told = 1;
            fprintf(stderr, "acmectl: no httpd answers; waiting up to %d seconds for one\n",
                    (int)apr_time_sec(run->timeout));
            watch->height = 0;          /* drawn below that */
        }
        poll(NULL, 0, PAUSE_MS);
    } while (apr_time_now() < end && rv != APR_NOTFOUND);
    return rv;
}

/* Until the pause is over or the keeper ends. */
static void pause_watch(const watch_t *watch)
{
    struct pollfd ready = { .fd = watch->run->keeper.fd, .events = POLLIN };

    poll(&ready, 1, PAUSE_MS);
}

static int count_running(const watch_t *watch)
{
    const apr_array_header_t *certs = watch->run->certs;
    const apr_time_t now = apr_time_now();
    int i, n = 0;

    for (i = 0; i < certs->nelts; i++) {
        n += is_running(&APR_ARRAY_IDX(certs, i, acme_ctl_cert_t).state, now);
    }
    return n;
}

static int exit_code(const watch_t *watch)
{
    const apr_array_header_t *certs = watch->run->certs;
    int i, ill = 0;

    for (i = 0; i < certs->nelts; i++) {
        ill |= acme_status_rows_is_ill(
            &APR_ARRAY_IDX(certs, i, acme_ctl_cert_t).state, apr_time_now());
    }
    return ill ? ACME_CTL_FAILED : ACME_CTL_DONE;
}

int acme_ctl_watch_run(acme_ctl_command_t *run)
{
    const int is_bounded = acme_ctl_command_option(run, "--until-done")
                               != NULL;
    watch_t watch = { .run = run, .is_terminal = isatty(STDOUT_FILENO) };
    acme_result_t res;
    int code;

    apr_pool_create(&watch.scratch, run->p);
    begin(&watch, NULL);
    for (;;) {
        if (watch.is_terminal) {
            draw(&watch);
        }
        else {
            print_changes(&watch);
        }
        if (is_bounded && !count_running(&watch)) {
            code = exit_code(&watch);
            break;
        }
        apr_pool_clear(watch.scratch);
        pause_watch(&watch);
        if (look(&watch, &res) && reconnect(&watch, &res)) {
            code = acme_ctl_command_fail(&res);
            break;
        }
    }
    forget_printed(&watch);
    return code;
}
