/*
 * acme_ctl_logs.c - acmectl logs: the journal of a certificate, which is read
 * from the store, so that it needs no httpd.
 */
#include <stdio.h>
#include <stdlib.h>

#include "acme_ctl_logs.h"
#include "acme_ctl_show.h"
#include "acme_ctl_store.h"
#include "acme_ctl_term.h"
#include "acme_explain.h"

const acme_ctl_option_t acme_ctl_logs_options[] = {
    { "--lines", "N", "only the last N events; the journal keeps 32" },
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

/* 1 to ACME_JOURNAL_EVENTS; 0 and a message: it is none. */
static int read_lines(int *plines, const char *text)
{
    char *end;
    long lines;

    *plines = ACME_JOURNAL_EVENTS;
    if (!text) {
        return 1;
    }
    lines = strtol(text, &end, 10);
    if (end == text || *end || lines < 1) {
        acme_ctl_command_refuse("--lines %s: not a number from 1", text);
        return 0;
    }
    *plines = lines < ACME_JOURNAL_EVENTS ? (int)lines : ACME_JOURNAL_EVENTS;
    return 1;
}

static void put_json(const acme_ctl_command_t *run,
                     const acme_journal_t *journal, int first)
{
    json_t *array = json_array();
    int i;

    for (i = first; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        json_array_append_new(array, json_pack(
            "{s:s, s:o, s:o, s:o, s:o, s:o}",
            "when", acme_time_rfc3339(event->when, run->p),
            "event", acme_json_from_text(event->event, 100, run->p),
            "detail", acme_json_from_text(event->detail, 2000, run->p),
            "ca", acme_json_from_text(event->ca, 300, run->p),
            "kind", acme_json_from_text(event->kind, 100, run->p),
            "about", acme_json_from_text(event->about, 300, run->p)));
    }
    acme_ctl_show_json(stdout, json_pack(
        "{s:s, s:o, s:i, s:s, s:o, s:o}", "id", run->args[0], "events", array,
        "attempts", (int)journal->attempts,
        "reason", acme_reason_about(journal->why)->code,
        "nextAt", journal->next_at
            ? json_string(acme_time_rfc3339(journal->next_at, run->p))
            : json_null(),
        "detail", acme_json_from_text(journal->detail, 2000, run->p)), run->p);
}

static void put_text(const acme_ctl_command_t *run,
                     const acme_journal_t *journal, int first)
{
    const acme_reason_t *why = acme_reason_about(journal->why);
    int i;

    for (i = first; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        printf("%s  %-12s  %-10s  ", acme_time_text(event->when, run->p),
               acme_explain_distance(event->when, run->now, run->p),
               acme_ctl_term_text(event->event, run->p));
        acme_ctl_term_put(stdout, event->detail);
        putchar('\n');
    }
    if (!journal->events->nelts) {
        puts("no event yet");
    }
    if (journal->attempts) {
        printf("\n%u failed attempt%s, %s: %s", journal->attempts,
               journal->attempts == 1 ? "" : "s", why->code, why->sentence);
        if (journal->next_at > run->now) {
            printf(" Next attempt %s.", acme_explain_time(journal->next_at,
                                                          run->now, run->p));
        }
        putchar('\n');
    }
}

int acme_ctl_logs_run(acme_ctl_command_t *run)
{
    acme_journal_t *journal;
    acme_result_t res;
    int lines, first;

    if (!read_lines(&lines, acme_ctl_command_option(run, "--lines"))) {
        return ACME_CTL_WRONG_CALL;
    }
    if (acme_ctl_store_journal(&journal, run->state_dir, run->args[0], &res,
                               run->p)) {
        return acme_ctl_command_fail(&res);
    }
    first = journal->events->nelts > lines ? journal->events->nelts - lines
                                           : 0;
    if (acme_ctl_command_option(run, "--json")) {
        put_json(run, journal, first);
    }
    else {
        put_text(run, journal, first);
    }
    return ACME_CTL_DONE;
}
