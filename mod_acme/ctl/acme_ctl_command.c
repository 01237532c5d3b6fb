/*
 * acme_ctl_command.c - what the commands of acmectl have in common.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_command.h"
#include "acme_ctl_term.h"

const char *acme_ctl_command_option(const acme_ctl_command_t *run,
                                    const char *word)
{
    const acme_ctl_option_t *options = run->verb->options;
    int i;

    for (i = 0; options && options[i].word; i++) {
        if (!strcmp(options[i].word, word)) {
            return run->values[i];
        }
    }
    return NULL;
}

const acme_ctl_cert_t *acme_ctl_command_cert(const acme_ctl_command_t *run)
{
    return &APR_ARRAY_IDX(run->certs, 0, acme_ctl_cert_t);
}

int acme_ctl_command_fail(const acme_result_t *res)
{
    fputs("acmectl: ", stderr);
    acme_ctl_term_put(stderr, res->detail);
    fputs("\n", stderr);
    return ACME_CTL_FAILED;
}

int acme_ctl_command_refuse(const char *fmt, ...)
{
    char text[ACME_DETAIL_SIZE];
    va_list args;

    va_start(args, fmt);
    apr_vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fputs("acmectl: ", stderr);
    acme_ctl_term_put(stderr, text);
    fputs("\n", stderr);
    return ACME_CTL_WRONG_CALL;
}

int acme_ctl_command_want(const acme_ctl_command_t *run,
                          const acme_msg_want_t *body, const char *subject,
                          const char *begun)
{
    acme_message_t reply;
    acme_result_t res;

    if (acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_WANT, body,
                                &res)) {
        return acme_ctl_command_fail(&res);
    }
    acme_ctl_term_put(stdout, subject);
    printf(": %s; see the error log, or acmectl status\n", begun);
    return ACME_CTL_DONE;
}
