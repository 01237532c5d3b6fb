/*
 * acmectl.c - the administrator's tool: sends requests to the keeper through
 * its control socket, prints the replies and what is in the store.
 *
 * It runs as root, and so talks to nobody but the keeper.
 */
#include <string.h>

#include <apr_general.h>

#include "acme_ctl_call.h"
#include "acme_ctl_usage.h"
#include "acme_ctl_verbs.h"

/* Only those that the command line names, in its order. Returns the id that
   there is not, or NULL. */
static const char *choose_certs(acme_ctl_command_t *run)
{
    apr_array_header_t *all = run->certs;
    int i, k;

    run->certs = apr_array_make(run->p, run->nargs, sizeof(acme_ctl_cert_t));
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
            return run->args[i];
        }
    }
    return NULL;
}

static int run_verb(acme_ctl_command_t *run)
{
    const char *unknown = NULL;
    acme_result_t res;

    if (run->verb->need == ACME_CTL_KEEPER_NEVER) {
        return run->verb->run(run);
    }
    run->keeper.timeout = run->timeout;
    if (acme_ctl_keeper_connect(&run->keeper, run->state_dir, &res, run->p)
        || acme_ctl_keeper_list(&run->certs, &run->keeper, &res)) {
        return acme_ctl_command_fail(&res);
    }
    run->is_connected = 1;
    if (run->verb->arguments == ACME_CTL_IDS && run->nargs) {
        unknown = choose_certs(run);
    }
    if (unknown) {
        acme_ctl_command_refuse("no certificate has the id %s; acmectl status lists them",
                                unknown);
        return ACME_CTL_FAILED;
    }
    return run->verb->run(run);
}

int main(int argc, const char *const *argv)
{
    acme_ctl_command_t run = { .verbs = acme_ctl_verbs };
    int code;

    if (apr_app_initialize(&argc, &argv, NULL)
        || apr_pool_create(&run.p, NULL)) {
        return ACME_CTL_FAILED;
    }
    run.now = apr_time_now();
    if (!acme_ctl_call_read(&run, argc, argv)) {
        code = ACME_CTL_WRONG_CALL;
    }
    else if (run.is_help) {
        acme_ctl_usage_put_help(stdout, run.verbs, run.verb);
        code = ACME_CTL_DONE;
    }
    else {
        code = run_verb(&run);
    }
    apr_terminate();
    return code;
}
