/*
 * acme_ctl_command.c - what the commands of acmectl have in common.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_command.h"
#include "acme_ctl_store.h"
#include "acme_ctl_term.h"

/* Only those that the command line names, in its order. */
static apr_status_t choose_certs(acme_ctl_command_t *run, acme_result_t *res)
{
    apr_array_header_t *all = run->certs;
    int i, k;

    run->certs = apr_array_make(run->p, run->nargs + 1,
                                sizeof(acme_ctl_cert_t));
    for (i = 0; i < run->nargs; i++) {
        for (k = 0; k < all->nelts; k++) {
            const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(all, k,
                                                         acme_ctl_cert_t);

            if (!strcmp(cert->id, run->args[i])) {
                APR_ARRAY_PUSH(run->certs, acme_ctl_cert_t) = *cert;
                break;
            }
        }
        if (k == all->nelts) {
            return acme_fail(res, APR_NOTFOUND,
                             "no certificate has the id %s; acmectl status lists them",
                             run->args[i]);
        }
    }
    return APR_SUCCESS;
}

/* Is there no socket, or nobody behind it? */
static int is_absent(apr_status_t rv)
{
    return APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ECONNREFUSED(rv);
}

apr_status_t acme_ctl_command_load(acme_ctl_command_t *run,
                                   acme_result_t *res)
{
    apr_status_t rv;

    run->keeper.timeout = run->timeout;
    rv = acme_ctl_keeper_connect(&run->keeper, run->state_dir, res, run->p);
    run->is_connected = rv == APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        rv = acme_ctl_keeper_list(&run->certs, &run->keeper, res);
    }
    else if (run->verb->need == ACME_CTL_KEEPER_IF_RUNNING && is_absent(rv)) {
        rv = acme_ctl_store_list(&run->certs, run->state_dir, res, run->p);
        if (rv == APR_SUCCESS && !acme_ctl_command_option(run, "--nagios")) {
            fputs("acmectl: no httpd that manages a certificate runs with AcmeStateDir ",
                  stderr);
            acme_ctl_term_put(stderr, run->state_dir);
            fputs("; this is what is stored there\n", stderr);
        }
        else if (APR_STATUS_IS_ENOENT(rv)) {
            acme_fail(res, rv, "%s: httpd manages no certificate, or does not run, or has another AcmeStateDir; a certificate is managed for each virtual host with AcmeEngine on, SSLEngine on and no SSLCertificateFile: see httpd -t -DDUMP_ACME",
                      run->state_dir);
        }
        else if (rv != APR_SUCCESS) {
            acme_result_prefix(res, "no httpd that manages a certificate runs here");
        }
    }
    if (rv == APR_SUCCESS && run->verb->arguments == ACME_CTL_IDS
        && run->nargs) {
        rv = choose_certs(run, res);
    }
    return rv;
}

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
