/*
 * test_call.c - the command line of acmectl, and its table of commands.
 */
#include "acme_ctl_call.h"
#include "acme_ctl_usage.h"
#include "acme_ctl_verbs.h"
#include "pool.h"

#define ARGS_MAX 16

/* Read "status --json", words with a space between them. */
static int read_call(acme_ctl_command_t *run, const char *line)
{
    const char *argv[ARGS_MAX] = { "acmectl" };
    char *last, *word;
    int argc = 1;

    *run = (acme_ctl_command_t){ .verbs = acme_ctl_verbs, .p = pool };
    for (word = apr_strtok(apr_pstrdup(pool, line), " ", &last);
         word && argc < ARGS_MAX - 1; word = apr_strtok(NULL, " ", &last)) {
        argv[argc++] = word;
    }
    return acme_ctl_call_read(run, argc, argv);
}

static void what_is_wrong_is_refused(void **unused)
{
    static const char *const lines[] = {
        "", "dance", "--json", "status a b", "revoke", "status -x",
        "status --force", "revoke a --json", "status --timeout",
        "status --timeout 0", "status --timeout -1", "status --timeout 86401",
        "status --timeout 5x", "status --color blue", "revoke a --reason",
        "renew a --force=yes", "account", "account show a b", "logs",
        "logs a b", "version now", "--state-dir", "--until 3d", "explain",
        "export", "export a b", "export a --password x", "export a --out"
    };
    acme_ctl_command_t run;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(lines); i++) {
        if (read_call(&run, lines[i])) {
            fail_msg("\"%s\" is taken", lines[i]);
        }
    }
}

static void options_may_stand_anywhere(void **unused)
{
    static const char *const lines[] = {
        "--state-dir /x --timeout 3 revoke www --reason superseded --delete",
        "revoke --state-dir=/x --reason=superseded www --timeout=3 --delete",
        "--reason superseded --delete revoke www --timeout 3 --state-dir /x",
        "revoke --timeout 3 --state-dir /x --delete --reason superseded -- www"
    };
    acme_ctl_command_t run;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(lines); i++) {
        assert_true(read_call(&run, lines[i]));
        assert_string_equal(run.verb->word, "revoke");
        assert_string_equal(run.state_dir, "/x");
        assert_int_equal(run.timeout, apr_time_from_sec(3));
        assert_int_equal(run.nargs, 1);
        assert_string_equal(run.args[0], "www");
        assert_string_equal(acme_ctl_command_option(&run, "--reason"),
                            "superseded");
        assert_string_equal(acme_ctl_command_option(&run, "--delete"), "");
    }
}

static void what_is_not_given_is_a_default(void **unused)
{
    acme_ctl_command_t run;

    (void)unused;
    assert_true(read_call(&run, "status"));
    assert_string_equal(run.state_dir, ACME_STATE_DIR);
    assert_int_equal(run.timeout, ACME_CTL_TIMEOUT);
    assert_string_equal(run.color, "auto");
    assert_int_equal(run.nargs, 0);
    assert_null(acme_ctl_command_option(&run, "--json"));
    assert_null(acme_ctl_command_option(&run, "--delete"));
}

static void an_id_may_look_like_an_option(void **unused)
{
    acme_ctl_command_t run;

    (void)unused;
    assert_true(read_call(&run, "status -- --json"));
    assert_int_equal(run.nargs, 1);
    assert_string_equal(run.args[0], "--json");
    assert_null(acme_ctl_command_option(&run, "--json"));
}

static void help_needs_no_arguments(void **unused)
{
    acme_ctl_command_t run;

    (void)unused;
    assert_true(read_call(&run, "--help"));
    assert_true(run.is_help && !run.verb);
    assert_true(read_call(&run, "renew -h"));
    assert_true(run.is_help);
    assert_string_equal(run.verb->word, "renew");
}

static void a_row(const acme_ctl_verb_t *verb)
{
    const acme_ctl_option_t *option = verb->options, *other;
    int n = 0;

    assert_non_null(verb->usage);
    assert_true(verb->text && strlen(verb->text) > 10);
    assert_non_null(verb->run);
    assert_true(verb->least <= verb->most);
    /* Without certificates, ids mean nothing. */
    assert_true(verb->need != ACME_CTL_KEEPER_NEVER
                || verb->arguments == ACME_CTL_WORDS);
    for (; option && option->word; option++, n++) {
        assert_true(option->word[0] == '-' && option->word[1]);
        assert_true(option->text && *option->text);
        for (other = verb->options; other < option; other++) {
            assert_string_not_equal(option->word, other->word);
        }
    }
    assert_true(n <= ACME_CTL_OPTIONS_MAX);
}

static void the_table_is_sound(void **unused)
{
    const acme_ctl_verb_t *verb, *other;

    (void)unused;
    for (verb = acme_ctl_verbs; verb->word; verb++) {
        a_row(verb);
        for (other = acme_ctl_verbs; other < verb; other++) {
            assert_string_not_equal(verb->word, other->word);
        }
    }
}

/* Whatever a row says fits a terminal. */
static void the_help_fits_a_terminal(void **unused)
{
    const acme_ctl_verb_t *verb;
    char line[400];
    FILE *file = tmpfile();

    (void)unused;
    assert_non_null(file);
    acme_ctl_usage_put(file, acme_ctl_verbs, NULL);
    acme_ctl_usage_put_help(file, acme_ctl_verbs, NULL);
    for (verb = acme_ctl_verbs; verb->word; verb++) {
        acme_ctl_usage_put(file, acme_ctl_verbs, verb);
        acme_ctl_usage_put_help(file, acme_ctl_verbs, verb);
    }
    rewind(file);
    while (fgets(line, sizeof(line), file)) {
        if (strlen(line) > 80) {
            fail_msg("too long: %s", line);
        }
    }
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(what_is_wrong_is_refused),
        POOL_TEST(options_may_stand_anywhere),
        POOL_TEST(what_is_not_given_is_a_default),
        POOL_TEST(an_id_may_look_like_an_option),
        POOL_TEST(help_needs_no_arguments),
        POOL_TEST(the_table_is_sound),
        POOL_TEST(the_help_fits_a_terminal)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
