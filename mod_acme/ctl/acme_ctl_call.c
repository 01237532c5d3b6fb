/*
 * acme_ctl_call.c - the command line of acmectl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_call.h"
#include "acme_ctl_usage.h"

/* Those of all commands. */
static const acme_ctl_option_t common[] = {
    { "--state-dir", "DIR", NULL },
    { "--timeout", "SECONDS", NULL },
    { "--color", "WHEN", NULL },
    { "--help", NULL, NULL },
    { "-h", NULL, NULL },
    ACME_CTL_OPTIONS_END
};

/* The length of an argument up to a '='. */
static apr_size_t word_length(const char *arg)
{
    return strcspn(arg, "=");
}

static const acme_ctl_option_t *find_option(const acme_ctl_option_t *options,
                                            const char *arg)
{
    const apr_size_t len = word_length(arg);

    for (; options && options->word; options++) {
        if (strlen(options->word) == len
            && !strncmp(options->word, arg, len)) {
            return options;
        }
    }
    return NULL;
}

/* Of any command: before the command is known, its options may have values. */
static const acme_ctl_option_t *find_any(const acme_ctl_verb_t *verbs,
                                         const char *arg)
{
    const acme_ctl_option_t *option = find_option(common, arg);

    for (; !option && verbs->word; verbs++) {
        option = find_option(verbs->options, arg);
    }
    return option;
}

/* The command is the first argument that is neither an option nor the value
   of one. Returns its position, or argc. */
static int find_verb(acme_ctl_command_t *run, int argc,
                     const char *const *argv)
{
    const acme_ctl_option_t *option;
    int i;

    for (i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            break;
        }
        option = find_any(run->verbs, argv[i]);
        i += option && option->value && !argv[i][word_length(argv[i])];
    }
    if (i >= argc) {
        return argc;
    }
    for (run->verb = run->verbs; run->verb->word; run->verb++) {
        if (!strcmp(run->verb->word, argv[i])) {
            return i;
        }
    }
    run->verb = NULL;
    return i;
}

/* Whole seconds up to a day. */
static int read_timeout(apr_interval_time_t *ptimeout, const char *text)
{
    char *end;
    const long seconds = strtol(text, &end, 10);

    if (end == text || *end || seconds < 1 || seconds > 86400) {
        acme_ctl_command_refuse("--timeout %s: not a number of seconds from 1 to 86400",
                                text);
        return 0;
    }
    *ptimeout = apr_time_from_sec(seconds);
    return 1;
}

static int set_common(acme_ctl_command_t *run, const char *word,
                      const char *value)
{
    if (!strcmp(word, "--state-dir")) {
        run->state_dir = value;
        return 1;
    }
    if (!strcmp(word, "--timeout")) {
        return read_timeout(&run->timeout, value);
    }
    if (!strcmp(word, "--color")) {
        run->color = value;
        if (strcmp(value, "auto") && strcmp(value, "always")
            && strcmp(value, "never")) {
            acme_ctl_command_refuse("--color %s: auto, always or never",
                                    value);
            return 0;
        }
        return 1;
    }
    run->is_help = 1;
    return 1;
}

/* The option at argv[*pi], and its value, which may be the next argument. */
static int read_option(acme_ctl_command_t *run, int *pi, int argc,
                       const char *const *argv)
{
    const char *arg = argv[*pi], *value = NULL;
    const acme_ctl_option_t *own =
        run->verb ? find_option(run->verb->options, arg) : NULL;
    const acme_ctl_option_t *option = own ? own : find_option(common, arg);

    if (!option) {
        acme_ctl_command_refuse(run->verb ? "%s: %s has no such option"
                                          : "%s: no such option",
                                arg, run->verb ? run->verb->word : "");
        return 0;
    }
    if (arg[word_length(arg)]) {
        value = arg + word_length(arg) + 1;
    }
    else if (option->value && *pi + 1 < argc) {
        value = argv[++*pi];
    }
    if (!value != !option->value) {
        acme_ctl_command_refuse(option->value ? "%s: its %s is missing"
                                              : "%s: it has no value",
                                option->word, option->value);
        return 0;
    }
    if (!own) {
        return set_common(run, option->word, value);
    }
    run->values[own - run->verb->options] = value ? value : "";
    return 1;
}

static int read_arguments(acme_ctl_command_t *run, int verb_at, int argc,
                          const char *const *argv)
{
    const char **args = apr_pcalloc(run->p, sizeof(*args) * (argc + 1));
    int i, are_options_over = 0;

    run->args = args;
    for (i = 1; i < argc; i++) {
        if (i == verb_at) {
            continue;
        }
        if (!are_options_over && !strcmp(argv[i], "--")) {
            are_options_over = 1;
        }
        else if (!are_options_over && argv[i][0] == '-') {
            if (!read_option(run, &i, argc, argv)) {
                return 0;
            }
        }
        else {
            args[run->nargs++] = argv[i];
        }
    }
    return 1;
}

int acme_ctl_call_read(acme_ctl_command_t *run, int argc,
                       const char *const *argv)
{
    int verb_at, is_good;

    run->state_dir = ACME_STATE_DIR;
    run->timeout = ACME_CTL_TIMEOUT;
    run->color = "auto";
    verb_at = find_verb(run, argc, argv);
    if (verb_at < argc && !run->verb) {
        acme_ctl_command_refuse("%s: no such command", argv[verb_at]);
        acme_ctl_usage_put(stderr, run->verbs, NULL);
        return 0;
    }
    is_good = read_arguments(run, verb_at, argc, argv);
    if (is_good && run->is_help) {
        return 1;
    }
    if (is_good && run->verb && run->nargs >= run->verb->least
        && run->nargs <= run->verb->most) {
        return 1;
    }
    acme_ctl_usage_put(stderr, run->verbs, run->verb);
    return 0;
}
