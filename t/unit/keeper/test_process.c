/*
 * test_process.c - a program beside the keeper: no shell, bounded, and ended
 * with all that it started.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>

#include "acme_process.h"
#include "open_registry.h"
#include "with_launcher.h"

#define HANGS_AFTER 300         /* seconds */
#define LONG apr_time_from_sec(50)
#define GRACE apr_time_from_sec(2)      /* between SIGTERM and SIGKILL */
#define ALONE apr_time_from_sec(5)      /* after the deadline, to SIGALRM */

static acme_process_t *job;

static int setup(void **state)
{
    alarm(HANGS_AFTER);
    signal(SIGPIPE, SIG_IGN);   /* as the keeper does */
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);   /* an init may take its time */
#endif
    if (scratch_setup(state)) {
        return -1;
    }
    with_launcher(NULL);
    return 0;
}

static void start_in(const char *const *argv, const char *cwd,
                     apr_interval_time_t time)
{
    if (acme_process_start(&job, argv, cwd, apr_time_now() + time, &res,
                           pool)) {
        fail_msg("%s", res.detail);
    }
}

static apr_interval_time_t ahead;       /* the job's clock of the machine's */

static apr_time_t clock_now(void)
{
    return apr_time_now() + ahead;
}

/* Until it ends, as the keeper does it: woken by poll or by time. */
static int run_to_its_end(void)
{
    while (!acme_process_step(job, clock_now())) {
        apr_time_t now = clock_now();
        const apr_time_t wake = acme_process_wake(job);
        struct pollfd fds[ACME_PROCESS_FDS];
        int n = acme_process_poll(job, fds);

        assert_true(wake > 0);
        poll(fds, (nfds_t)n,
             wake > now ? (int)apr_time_as_msec(wake - now) + 1 : 0);
    }
    assert_int_equal(acme_process_fd(job), -1);
    assert_true(acme_process_step(job, clock_now()));
    return acme_process_exit(job);
}

static int shell(const char *script, apr_interval_time_t time)
{
    const char *const argv[] = { "sh", "-c", script, NULL };

    start_in(argv, scratch_dir, time);
    return run_to_its_end();
}

/*
 * A script that is late once it has written the file "pid", and late for good
 * when it has ignored SIGTERM: the clock says so then.
 */
static int shell_too_late(const char *script, int ignores_sigterm)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    const char *text = NULL;
    int code;

    unlink(at("pid"));
    start_in(argv, scratch_dir, LONG);
    while (!text || !strchr(text, '\n')) {
        struct pollfd fds[ACME_PROCESS_FDS];

        poll(fds, (nfds_t)acme_process_poll(job, fds), 10);
        assert_false(acme_process_step(job, apr_time_now()));
        text = text_of(at("pid"));
    }
    ahead = LONG;
    if (ignores_sigterm) {
        assert_false(acme_process_step(job, clock_now()));
        ahead += GRACE;
    }
    code = run_to_its_end();
    ahead = 0;
    return code;
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
            || strcmp(acme_process_output(job), rows[i].output)) {
            fail_msg("%s: exit %d, \"%s\"", rows[i].name, code,
                     acme_process_output(job));
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
    assert_string_equal(acme_process_output(job), "$HOME; touch x `id` * \n");
    assert_int_equal(count(scratch_dir), 0);
}

static void what_can_not_be_run_ends_at_once(void **state)
{
    static const char *const none[] = { "/none/there", NULL };
    static const char *const good[] = { "true", NULL };

    (void)state;
    start_in(none, "/", LONG);
    assert_int_equal(run_to_its_end(), 127);
    /* The folder that httpd was started in may be gone. */
    start_in(good, at("none"), LONG);
    assert_int_equal(run_to_its_end(), 0);
}

static void output_has_a_bound(void **state)
{
    const char *output;

    (void)state;
    assert_int_equal(shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 4",
                           LONG), 4);
    output = acme_process_output(job);
    assert_in_range(strlen(output), 1, ACME_PROCESS_OUTPUT_MAX);
    assert_int_equal(strspn(output, "x"), strlen(output));
}

/* Is the process gone whose number a script wrote there? */
static void assert_ended(const char *path)
{
    pid_t pid = (pid_t)atoi(text_of(path));
    int i;

    assert_true(pid > 1);
    for (i = 0; i < 100 && kill(pid, 0) == 0; i++) {
        waitpid(pid, NULL, WNOHANG);    /* ours when its parent has ended */
        usleep(20000);
    }
    assert_int_equal(kill(pid, 0), -1);
}

static void too_late_is_ended_with_all_that_it_started(void **state)
{
    static const struct {
        const char *script;
        int ignores_sigterm;
    } rows[] = {
        { "sleep 50 & echo $! >pid; wait", 0 },
        { "trap '' TERM; sleep 50 & echo $! >pid; wait", 1 },
        { "exec >&- 2>&-; sleep 50 & echo $! >pid; wait", 0 },
        { "yes & echo $! >pid; wait", 0 },
        { "sleep 50 & echo $! >pid", 0 }    /* its child holds the output */
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const apr_time_t begun = apr_time_now();

        assert_int_equal(shell_too_late(rows[i].script,
                                        rows[i].ignores_sigterm), -1);
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
    apr_pool_create(&p, pool);
    assert_int_equal(acme_process_start(&job, argv, scratch_dir,
                                        apr_time_now() + LONG, &res, p),
                     0);
    fd.fd = acme_process_fd(job);
    assert_int_equal(poll(&fd, 1, 10000), 1);
    apr_pool_destroy(p);
    assert_ended(at("pid"));
}

/* An alarm after its deadline ends it, or it ends by itself. */
static void what_outlives_its_pool_ends_after_all(void **state)
{
    static const struct {
        const char *script;
        apr_interval_time_t left;       /* for it alone */
        int status;
    } rows[] = {
        { "echo $$; until [ -e go ]; do sleep 0.01; done; echo; exit 3",
          ALONE, 3 << 8 },
        { "echo $$; exec sleep 50", apr_time_from_sec(1), SIGALRM }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *const argv[] = { "sh", "-c", rows[i].script, NULL };
        acme_process_conf_t conf = { .argv = argv, .cwd = scratch_dir,
                                 .deadline = apr_time_now() + rows[i].left
                                             - ALONE,
                                 .output_max = 100, .outlives = 1 };
        int status;
        pid_t pid;
        apr_pool_t *p;

        apr_pool_create(&p, pool);
        assert_int_equal(acme_process_launch(&job, &conf, &res, p), 0);
        assert_int_equal(
            poll(&(struct pollfd){ acme_process_fd(job), POLLIN, 0 }, 1,
                 10000),
            1);
        acme_process_step(job, conf.deadline - 1);
        pid = (pid_t)atoi(acme_process_output(job));
        apr_pool_destroy(p);
        with_launcher(NULL);    /* the end of its own */
        put(at("go"), "");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, rows[i].status);
    }
}

/* Not even one that nobody marked. */
static void no_descriptor_is_inherited(void **state)
{
    int fds[4], i;

    (void)state;
    for (i = 0; i < (int)COUNT(fds); i++) {
        fds[i] = open("/dev/null", O_RDWR);
        assert_int_equal(fcntl(fds[i], F_GETFD), 0);
    }
    assert_int_equal(shell("for fd in 3 4 5 6 7 8 9; do"
                           " ( : >&$fd ) 2>/dev/null && echo $fd; done; :",
                           LONG), 0);
    assert_string_equal(acme_process_output(job), "");
    for (i = 0; i < (int)COUNT(fds); i++) {
        close(fds[i]);
    }
}

static void it_runs_where_standard_descriptors_are_closed(void **state)
{
    int saved[3], fd, code;

    (void)state;
    for (fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD, 10);
        close(fd);
    }
    code = shell("echo out; echo err >&2; cat", LONG);
    for (fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    assert_int_equal(code, 0);
    assert_string_equal(acme_process_output(job), "out\nerr\n");
}

static void on_usr1(int sig)
{
    (void)sig;
}

/* What a daemon's child usually gets wrong. */
static void signals_umask_and_folder_are_its_own(void **state)
{
    static const char *const argv[] = {
        "sh", "-c", "pwd; umask; grep -E 'Sig(Blk|Ign)' /proc/self/status",
        NULL
    };
    unsigned long long blocked, ignored;
    acme_process_conf_t conf = { 0 };
    sigset_t all;

    (void)state;
    if (access("/proc/self/status", R_OK)) {
        return;
    }
    umask(0);
    signal(SIGUSR1, on_usr1);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    sigprocmask(SIG_BLOCK, &all, NULL);
    conf.argv = argv;
    conf.deadline = apr_time_now() + LONG;
    conf.output_max = 4096;
    assert_int_equal(acme_process_launch(&job, &conf, &res, pool), 0);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    assert_int_equal(run_to_its_end(), 0);
    assert_int_equal(sscanf(acme_process_output(job),
                            "/\n0077\n"
                            "SigBlk:\t%llx\nSigIgn:\t%llx\n",
                            &blocked, &ignored),
                     2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & 0x7fffffff, 0);  /* libc keeps 32 and 33 */
}

static void its_environment_is_small(void **state)
{
    static const char *const argv[] = { "env", NULL };
    acme_process_conf_t conf = { 0 };
    char *line, *last;

    (void)state;
    setenv("SECRET", "x", 1);
    setenv("LC_ALL", "C", 1);
    with_launcher(NULL);        /* which has that too */
    conf.argv = argv;
    conf.env = words("ACME_EVENT=deploy ACME_ID=");
    conf.deadline = apr_time_now() + LONG;
    conf.output_max = 4096;
    assert_int_equal(acme_process_launch(&job, &conf, &res, pool), 0);
    assert_int_equal(run_to_its_end(), 0);
    assert_non_null(strstr(acme_process_output(job), "ACME_EVENT=deploy\n"));
    assert_non_null(strstr(acme_process_output(job), "ACME_ID=\n"));
    assert_non_null(strstr(acme_process_output(job), "LC_ALL=C\n"));
    for (line = apr_strtok(apr_pstrdup(pool, acme_process_output(job)), "\n",
                           &last);
         line; line = apr_strtok(NULL, "\n", &last)) {
        if (strncmp(line, "PATH=", 5) && strncmp(line, "LC_ALL=", 7)
            && strncmp(line, "LANG=", 5) && strncmp(line, "ACME_", 5)) {
            fail_msg("%s", line);
        }
    }
    unsetenv("SECRET");
}

/* Standard input, of any length, to programs that care and that don't */

#define LARGE (3 * 1024 * 1024)

static void give(const char *script, const char *input)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    acme_process_conf_t conf = { 0 };

    conf.argv = argv;
    conf.cwd = scratch_dir;
    conf.input = input;
    conf.deadline = apr_time_now() + LONG;
    conf.output_max = 100;
    assert_int_equal(acme_process_launch(&job, &conf, &res, pool), 0);
}

static void its_input_reaches_it(void **state)
{
    static const struct {
        const char *name, *script;
        int large, exit;
        const char *output;
    } rows[] = {
        { "none", "cat", -1, 0, "" },
        { "a word", "cat", 0, 0, "word" },
        { "much", "wc -c | tr -d ' '", 1, 0, "3145728\n" },
        { "much, read late", "sleep 0.2; wc -c | tr -d ' '", 1, 0,
          "3145728\n" },
        { "much, and nobody reads", "exit 3", 1, 3, "" },
        { "much, and closed", "exec <&-; sleep 0.2; echo x", 1, 0, "x\n" },
        { "much, and echoed", "cat | tail -c 3", 1, 0, "xxx" }
    };
    char *large = apr_palloc(pool, LARGE + 1);
    size_t i;

    (void)state;
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    for (i = 0; i < COUNT(rows); i++) {
        int code;

        give(rows[i].script, rows[i].large < 0 ? ""
                             : rows[i].large ? large : "word");
        code = run_to_its_end();
        if (code != rows[i].exit
            || strcmp(acme_process_output(job), rows[i].output)) {
            fail_msg("%s: exit %d, \"%s\"", rows[i].name, code,
                     acme_process_output(job));
        }
    }
}

static void who_does_not_read_blocks_nobody(void **state)
{
    char *large = apr_palloc(pool, LARGE + 1);
    const apr_time_t begun = apr_time_now();

    (void)state;
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    give("sleep 50", large);
    assert_false(acme_process_step(job, apr_time_now()));
    assert_true(apr_time_now() - begun < apr_time_from_sec(5));
}

/* Lines, as they come */

static apr_array_header_t *told;

static void on_line(void *baton, const char *line)
{
    assert_ptr_equal(baton, &told);
    APR_ARRAY_PUSH(told, const char *) = apr_pstrdup(pool, line);
}

static void its_lines_are_told_clean_and_bounded(void **state)
{
    static const struct {
        const char *script, *lines;
    } rows[] = {
        { ":", "" },
        { "echo one; echo two >&2", "one|two" },
        { "printf 'no end'", "no end" },
        { "printf '\\n\\n\\none\\r\\n\\n'", "one" },
        { "printf 'a\\033[31mb\\377\\n'", "a\\x1b[31mb\\xff" },
        { "printf 'a\\000b\\n'", "ab" },
        { "printf 'o'; sleep 0.1; printf 'ne\\ntw'; sleep 0.1; echo o",
          "one|two" }
    };
    acme_process_conf_t conf = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows) + 1; i++) {
        const char *const argv[] = {
            "sh", "-c", i < COUNT(rows) ? rows[i].script
            : "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end", NULL
        };

        told = apr_array_make(pool, 4, sizeof(const char *));
        conf.argv = argv;
        conf.deadline = apr_time_now() + LONG;
        conf.line = on_line;
        conf.baton = &told;
        assert_int_equal(acme_process_launch(&job, &conf, &res, pool), 0);
        assert_int_equal(run_to_its_end(), 0);
        assert_string_equal(acme_process_output(job), "");
        if (i < COUNT(rows)) {
            assert_string_equal(apr_array_pstrcat(pool, told, '|'),
                                rows[i].lines);
        }
    }
    assert_int_equal(told->nelts, 2);
    assert_int_equal(strlen(APR_ARRAY_IDX(told, 0, const char *)),
                     ACME_PROCESS_LINE_MAX);
    assert_string_equal(APR_ARRAY_IDX(told, 1, const char *), "end");
}

/* TERM first, so that it can tidy up; then KILL */

static void it_may_tidy_up_when_it_is_late(void **state)
{
    (void)state;
    assert_int_equal(shell_too_late("trap 'echo tidy; exit 0' TERM;"
                                    " echo begun; (sleep 50) 2>/dev/null &"
                                    " echo $! >pid; wait", 0), -1);
    assert_true(acme_process_late(job));
    assert_string_equal(acme_process_output(job), "begun\ntidy\n");
    assert_int_equal(shell("exit 0", LONG), 0);
    assert_false(acme_process_late(job));
}

static void what_it_leaves_behind_when_late_is_ended(void **state)
{
    (void)state;
    assert_int_equal(shell_too_late("(trap '' TERM; exec >&- 2>&-;"
                                    " : >ready; exec sleep 50) &"
                                    " until [ -e ready ]; do sleep 0.01; done;"
                                    " echo $! >pid; sleep 50", 0), -1);
    assert_ended(at("pid"));
}

static void one_that_writes_without_end_is_left_in_time(void **state)
{
    static const char *const argv[] = { "yes", NULL };
    apr_time_t begun;
    int i;

    (void)state;
    start_in(argv, "/", LONG);
    for (i = 0; i < 50; i++) {
        begun = apr_time_now();
        assert_false(acme_process_step(job, begun));
        assert_true(apr_time_now() - begun < apr_time_from_sec(2));
    }
}

static void the_deadline_is_when_to_look(void **state)
{
    static const char *const argv[] = { "sleep", "50", NULL };
    const apr_time_t now = apr_time_now();

    (void)state;
    start_in(argv, "/", apr_time_from_sec(7));
    assert_true(acme_process_fd(job) >= 0);
    assert_in_range(acme_process_wake(job) - now, apr_time_from_sec(7),
                    apr_time_from_sec(9));
    assert_false(acme_process_step(job, now));
    while (!acme_process_step(job, now + apr_time_from_sec(9))) {
        assert_true(apr_time_now() - now < apr_time_from_sec(5));
        apr_sleep(1000);        /* a signal takes its time */
    }
    assert_int_equal(acme_process_exit(job), -1);
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
        TEST(what_outlives_its_pool_ends_after_all),
        TEST(no_descriptor_is_inherited),
        TEST(it_runs_where_standard_descriptors_are_closed),
        TEST(signals_umask_and_folder_are_its_own),
        TEST(its_environment_is_small),
        TEST(its_input_reaches_it),
        TEST(who_does_not_read_blocks_nobody),
        TEST(its_lines_are_told_clean_and_bounded),
        TEST(it_may_tidy_up_when_it_is_late),
        TEST(what_it_leaves_behind_when_late_is_ended),
        TEST(one_that_writes_without_end_is_left_in_time),
        TEST(the_deadline_is_when_to_look)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
