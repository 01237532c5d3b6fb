/*
 * test_job.c - a program beside the keeper: no shell, bounded, and ended with
 * all that it started.
 */
#include <poll.h>
#include <signal.h>

#include "acme_job.h"
#include "keeper.h"

#define HANGS_AFTER 60          /* seconds */
#define LONG apr_time_from_sec(50)

static acme_job_t *job;

static int setup(void **state)
{
    alarm(HANGS_AFTER);
    return scratch_setup(state);
}

static void start_in(const char *const *argv, const char *cwd,
                     apr_interval_time_t time)
{
    if (acme_job_start(&job, argv, cwd, apr_time_now() + time, &res,
                       scratch_pool)) {
        fail_msg("%s", res.detail);
    }
}

/* Until it ends, as the keeper does it: woken by poll or by time. */
static int run_to_its_end(void)
{
    while (!acme_job_step(job, apr_time_now())) {
        apr_time_t now = apr_time_now();
        apr_time_t wake = acme_job_wake(job, now);
        struct pollfd fd = { acme_job_fd(job), POLLIN, 0 };

        assert_true(wake > 0);
        poll(&fd, 1, wake > now ? (int)apr_time_as_msec(wake - now) + 1 : 0);
    }
    assert_int_equal(acme_job_fd(job), -1);
    assert_true(acme_job_step(job, apr_time_now()));
    return acme_job_exit(job);
}

static int shell(const char *script, apr_interval_time_t time)
{
    const char *const argv[] = { "sh", "-c", script, NULL };

    start_in(argv, scratch_dir, time);
    return run_to_its_end();
}

static void its_exit_and_its_output_are_told(void **state)
{
    static const struct {
        const char *name, *script;
        int exit;
        const char *output;
    } rows[] = {
        { "no word", ":", 0, "" },
        { "a word", "echo word", 0, "word\n" },
        { "both outputs", "echo out; echo err >&2", 0, "out\nerr\n" },
        { "an error", "echo no; exit 3", 3, "no\n" },
        { "a signal", "kill -KILL $$", -1, "" },
        { "SIGTERM is not blocked", "kill -TERM $$; echo alive", -1, "" },
        { "SIGPIPE is not ignored", "kill -PIPE $$; echo alive", -1, "" },
        { "no input", "read line || echo end", 0, "end\n" },
        { "its folder", "[ -d store ] || ls -d .", 0, ".\n" },
        { "outputs closed early", "exec >&- 2>&-; sleep 0.1; exit 5", 5, "" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        int code = shell(rows[i].script, LONG);

        if (code != rows[i].exit
            || strcmp(acme_job_output(job), rows[i].output)) {
            fail_msg("%s: exit %d, \"%s\"", rows[i].name, code,
                     acme_job_output(job));
        }
    }
}

static void there_is_no_shell(void **state)
{
    static const char *const argv[] = {
        "echo", "$HOME; touch x", "`id`", "*", "", NULL
    };

    (void)state;
    start_in(argv, scratch_dir, LONG);
    assert_int_equal(run_to_its_end(), 0);
    assert_string_equal(acme_job_output(job), "$HOME; touch x `id` * \n");
    assert_int_equal(count(scratch_dir), 0);
}

static void what_can_not_be_run_ends_at_once(void **state)
{
    static const char *const none[] = { "/none/there", NULL };
    static const char *const good[] = { "true", NULL };

    (void)state;
    start_in(none, "/", LONG);
    assert_int_equal(run_to_its_end(), 127);
    start_in(good, at("none"), LONG);
    assert_int_equal(run_to_its_end(), 126);
}

static void output_has_a_bound(void **state)
{
    const char *output;

    (void)state;
    assert_int_equal(shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 4",
                           LONG), 4);
    output = acme_job_output(job);
    assert_in_range(strlen(output), 1, ACME_JOB_OUTPUT_MAX);
    assert_int_equal(strspn(output, "x"), strlen(output));
}

/* Is the process gone whose number a script wrote there? */
static void assert_ended(const char *path)
{
    pid_t pid = (pid_t)atoi(text_of(path));
    int i;

    assert_true(pid > 1);
    for (i = 0; i < 100 && kill(pid, 0) == 0; i++) {
        usleep(20000);
    }
    assert_int_equal(kill(pid, 0), -1);
}

static void too_late_is_ended_with_all_that_it_started(void **state)
{
    static const char *const scripts[] = {
        "sleep 50 & echo $! >pid; wait",
        "trap '' TERM; sleep 50 & echo $! >pid; wait",
        "exec >&- 2>&-; sleep 50 & echo $! >pid; wait",
        "yes & echo $! >pid; wait",
        "sleep 50 & echo $! >pid"       /* its child holds the output */
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(scripts); i++) {
        const apr_time_t begun = apr_time_now();

        assert_int_equal(shell(scripts[i], apr_time_from_msec(300)), -1);
        assert_true(apr_time_now() - begun < apr_time_from_sec(10));
        assert_ended(at("pid"));
    }
}

static void it_ends_with_its_pool(void **state)
{
    static const char *const argv[] = {
        "sh", "-c", "sleep 50 & echo $! >pid; echo; wait", NULL
    };
    struct pollfd fd = { -1, POLLIN, 0 };
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, scratch_pool);
    assert_int_equal(acme_job_start(&job, argv, scratch_dir,
                                    apr_time_now() + LONG, &res, p), 0);
    fd.fd = acme_job_fd(job);
    assert_int_equal(poll(&fd, 1, 10000), 1);
    apr_pool_destroy(p);
    assert_ended(at("pid"));
}

/* The job's own pipe stays here; who runs the tests may have left others. */
static void no_descriptor_is_inherited(void **state)
{
    int fd;

    (void)state;
    for (fd = 3; fd < 10; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    assert_int_equal(shell("for fd in 3 4 5 6 7 8 9; do"
                           " ( : >&$fd ) 2>/dev/null && echo $fd; done; :",
                           LONG), 0);
    assert_string_equal(acme_job_output(job), "");
}

static void the_deadline_is_when_to_look(void **state)
{
    static const char *const argv[] = { "sleep", "50", NULL };
    const apr_time_t now = apr_time_now();

    (void)state;
    start_in(argv, "/", apr_time_from_sec(7));
    assert_true(acme_job_fd(job) >= 0);
    assert_in_range(acme_job_wake(job, now) - now, apr_time_from_sec(7),
                    apr_time_from_sec(9));
    assert_false(acme_job_step(job, now));
    assert_true(acme_job_step(job, now + apr_time_from_sec(9)));
    assert_int_equal(acme_job_exit(job), -1);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_exit_and_its_output_are_told),
        TEST(there_is_no_shell),
        TEST(what_can_not_be_run_ends_at_once),
        TEST(output_has_a_bound),
        TEST(too_late_is_ended_with_all_that_it_started),
        TEST(it_ends_with_its_pool),
        TEST(no_descriptor_is_inherited),
        TEST(the_deadline_is_when_to_look)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
