/*
 * acme_ctl_help.c - acmectl help: what acmectl can do.
 */
#include <stdio.h>
#include <string.h>

#include "acme_ctl_help.h"
#include "acme_ctl_usage.h"

const acme_ctl_option_t acme_ctl_help_options[] = {
    { "--words", NULL, "only the commands, or the options of COMMAND, a word a line: for the completion of shells" },
    ACME_CTL_OPTIONS_END
};

static void put_words(const acme_ctl_verb_t *verbs,
                      const acme_ctl_verb_t *verb)
{
    const acme_ctl_option_t *option = verb ? verb->options : NULL;

    for (; option && option->word; option++) {
        puts(option->word);
    }
    for (; !verb && verbs->word; verbs++) {
        puts(verbs->word);
    }
}

int acme_ctl_help_run(acme_ctl_command_t *run)
{
    const acme_ctl_verb_t *verb = run->nargs ? run->verbs : NULL;

    while (verb && verb->word && strcmp(verb->word, run->args[0])) {
        verb++;
    }
    if (verb && !verb->word) {
        return acme_ctl_command_refuse("%s: no such command; acmectl help lists them",
                                       run->args[0]);
    }
    if (acme_ctl_command_option(run, "--words")) {
        put_words(run->verbs, verb);
    }
    else {
        acme_ctl_usage_put_help(stdout, run->verbs, verb);
    }
    return ACME_CTL_DONE;
}
