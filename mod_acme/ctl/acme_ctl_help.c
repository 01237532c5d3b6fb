/*
 * acme_ctl_help.c - acmectl help: what acmectl can do.
 */
#include <string.h>

#include "acme_ctl_help.h"
#include "acme_ctl_usage.h"

const acme_ctl_option_t acme_ctl_help_options[] = {
    ACME_CTL_OPTIONS_END
};

int acme_ctl_help_run(acme_ctl_command_t *run)
{
    const acme_ctl_verb_t *verb = run->verbs;

    if (!run->nargs) {
        acme_ctl_usage_put_help(stdout, run->verbs, NULL);
        return ACME_CTL_DONE;
    }
    while (verb->word && strcmp(verb->word, run->args[0])) {
        verb++;
    }
    if (!verb->word) {
        return acme_ctl_command_refuse("%s: no such command; acmectl help lists them",
                                       run->args[0]);
    }
    acme_ctl_usage_put_help(stdout, run->verbs, verb);
    return ACME_CTL_DONE;
}
