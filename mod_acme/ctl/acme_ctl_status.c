/*
 * acme_ctl_status.c - acmectl status: what is managed, and until when.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme_ctl_nagios.h"
#include "acme_ctl_show.h"
#include "acme_ctl_status.h"

#define DAYS_MAX 3650

const acme_ctl_option_t acme_ctl_status_options[] = {
    ACME_CTL_OPTION_JSON,
    { "--nagios", NULL, "print one line for Nagios, and exit with 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN)" },
    { "-w", "DAYS", "with --nagios: warn of a certificate that expires within so many days; by default from AcmeWarnWindow on" },
    { "-c", "DAYS", "with --nagios: the same for CRITICAL; by default when it is expired, or in AcmeWarnWindow and failing" },
    ACME_CTL_OPTIONS_END
};

/* Whole days; 0 and a message: it is none. */
static int read_days(int *pdays, const acme_ctl_command_t *run,
                     const char *word)
{
    const char *text = acme_ctl_command_option(run, word);
    char *end;
    long days;

    if (!text) {
        return 1;
    }
    days = strtol(text, &end, 10);
    if (end == text || *end || days < 0 || days > DAYS_MAX) {
        acme_ctl_command_refuse("%s %s: not a number of days from 0 to %d",
                                word, text, DAYS_MAX);
        return 0;
    }
    *pdays = (int)days;
    return 1;
}

static int run_nagios(const acme_ctl_command_t *run)
{
    acme_ctl_health_days_t days = acme_ctl_health_no_days;
    acme_ctl_health_e health;

    if (!read_days(&days.warning, run, "-w")
        || !read_days(&days.critical, run, "-c")) {
        return ACME_CTL_HEALTH_UNKNOWN;
    }
    puts(acme_ctl_nagios_line(&health, run->certs, days, run->is_connected,
                              run->now, run->p));
    return (int)health;
}

int acme_ctl_status_fail(const acme_ctl_command_t *run,
                         const acme_result_t *res)
{
    if (!acme_ctl_command_option(run, "--nagios")) {
        return acme_ctl_command_fail(res);
    }
    puts(acme_ctl_nagios_unknown(res->detail, run->p));
    return ACME_CTL_HEALTH_UNKNOWN;
}

int acme_ctl_status_run(acme_ctl_command_t *run)
{
    json_t *array;
    int i, ill = !run->is_connected;

    if (acme_ctl_command_option(run, "--nagios")) {
        return run_nagios(run);
    }
    if (acme_ctl_command_option(run, "-w")
        || acme_ctl_command_option(run, "-c")) {
        return acme_ctl_command_refuse("status: -w and -c are for --nagios");
    }
    for (i = 0; i < run->certs->nelts; i++) {
        ill |= acme_status_rows_is_ill(
            &APR_ARRAY_IDX(run->certs, i, acme_ctl_cert_t).state, run->now);
    }
    if (acme_ctl_command_option(run, "--json")) {
        array = json_array();
        for (i = 0; i < run->certs->nelts; i++) {
            json_array_append_new(array, acme_ctl_show_object(
                &APR_ARRAY_IDX(run->certs, i, acme_ctl_cert_t), run->now,
                run->p));
        }
        acme_ctl_show_json(stdout, array, run->p);
    }
    else if (run->nargs) {
        for (i = 0; i < run->certs->nelts; i++) {
            acme_ctl_show_detail(
                stdout, &APR_ARRAY_IDX(run->certs, i, acme_ctl_cert_t),
                run->is_coloured, run->now, run->p);
        }
    }
    else {
        acme_ctl_show_table(stdout, run->certs, run->is_coloured, run->now,
                            run->p);
    }
    return ill ? ACME_CTL_FAILED : ACME_CTL_DONE;
}
