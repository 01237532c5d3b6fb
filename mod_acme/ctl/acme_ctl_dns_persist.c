/*
 * acme_ctl_dns_persist.c - acmectl dns-persist: the records of dns-persist-01.
 */
#include "acme_ctl_dns_persist.h"
#include "acme_ctl_term.h"

const acme_ctl_option_t acme_ctl_dns_persist_options[] = {
    { "--until", "TIME", "when the records expire, as 2027-11-21T00:00:00Z or 365d; by default never" },
    ACME_CTL_OPTIONS_END
};

/* A time in the future, or a duration from now; 0 and a message: neither. */
static int parse_until(apr_time_t *puntil, const char *text, apr_time_t now)
{
    apr_interval_time_t d;
    acme_result_t res;

    *puntil = text ? acme_time_parse(text) : 0;
    if (text && !*puntil && !acme_time_duration_parse(&d, text, &res)) {
        *puntil = now + d;
    }
    if (text && *puntil <= now) {
        acme_ctl_command_refuse("--until %s: not a time in the future, like 2027-11-21T00:00:00Z or 365d",
                                text);
        return 0;
    }
    return 1;
}

/* The records for each of its CAs whose form is known. */
int acme_ctl_dns_persist_run(acme_ctl_command_t *run)
{
    const acme_ctl_cert_t *cert = acme_ctl_command_cert(run);
    acme_msg_txt_t body = { .about.cert = cert->state.cert };
    acme_message_t reply;
    acme_result_t res;
    int printed = 0;

    if (!parse_until(&body.until, acme_ctl_command_option(run, "--until"),
                     run->now)) {
        return ACME_CTL_WRONG_CALL;
    }
    for (; body.about.ca < (apr_uint32_t)cert->cas->nelts; body.about.ca++) {
        if (!acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_TXT, &body,
                                     &res)) {
            acme_ctl_term_put_lines(stdout, reply.tail, reply.tail_len);
            printed = 1;
        }
    }
    return printed ? ACME_CTL_DONE : acme_ctl_command_fail(&res);
}
