/*
 * acmectl.c - the administrator's tool: sends requests to the keeper through
 * its control socket, prints the replies and what is in the store.
 *
 * It runs as root, and so talks to nobody but the keeper.
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>

#include "acme_ctl_call.h"
#include "acme_ctl_term.h"
#include "acme_ctl_usage.h"
#include "acme_ctl_verbs.h"

static int run_verb(acme_ctl_command_t *run)
{
    acme_result_t res;

    if (run->verb->need != ACME_CTL_KEEPER_NEVER
        && acme_ctl_command_load(run, &res)) {
        return run->verb->fail ? run->verb->fail(run, &res)
                               : acme_ctl_command_fail(&res);
    }
    return run->verb->run(run);
}

int main(int argc, const char *const *argv)
{
    acme_ctl_command_t run = { .verbs = acme_ctl_verbs, .keeper.fd = -1 };
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
        run.is_coloured = acme_ctl_term_is_coloured(
            stdout, run.color, getenv("NO_COLOR"), getenv("TERM"));
        code = run_verb(&run);
    }
    apr_terminate();
    /* A full disk or a closed pipe: nobody has read it all. */
    return fflush(stdout) && code == ACME_CTL_DONE ? ACME_CTL_FAILED : code;
}
