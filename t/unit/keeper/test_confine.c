/*
 * test_confine.c - what a keeper that was taken over would try is refused. Each
 * try is a process of its own that gave up its rights, as the keeper does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#endif

#include "acme_confine.h"
#include "acme_live_pairs.h"
#include "child.h"
#include "open_registry.h"

#define MORE_FDS 20

static char command[] = "/bin/true";

static int is_refused(int failed)
{
    return failed && (errno == EPERM || errno == EACCES || errno == ENOSYS);
}

static int confine(void)
{
    const acme_confine_t how = { .state_dir = at("store"),
                                 .descriptors = MORE_FDS,
                                 .log = &test_log };

    keep_log_open();
    CHECK(acme_confine_begin(getppid()));
    acme_confine_finish(&how, pool);
    return 0;
}

/* Is there a filter, where there should be one? */
static int has_filter(void)
{
#ifdef __linux__
    return prctl(PR_GET_SECCOMP) == 2 || errno == EPERM;
#else
    return 0;
#endif
}

static int has_landlock(void)
{
#if defined(__linux__) && defined(SYS_landlock_create_ruleset)               \
    && !defined(__SANITIZE_ADDRESS__)
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 3;
#else
    return 0;
#endif
}

static int try_processes(void *unused)
{
    char *const argv[] = { command, NULL };
    char *const env[] = { NULL };

    (void)unused;
    if (confine() || !has_filter()) {
        return CHILD_SKIP;
    }
    CHECK(is_refused(execve(command, argv, env)));
    CHECK(is_refused(fork() < 0));
    CHECK(is_refused(kill(getppid(), 0)));
    CHECK(kill(getpid(), 0) == 0);
#ifdef __linux__
    CHECK(is_refused(syscall(SYS_execveat, -1, command, argv, env, 0) < 0));
    CHECK(is_refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0));
    CHECK(is_refused(prctl(PR_SET_DUMPABLE, 1)));
    CHECK(is_refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0));
    CHECK(is_refused(syscall(SYS_bpf, 0, NULL, 0) < 0));
    CHECK(is_refused(syscall(SYS_mount, "", "/", "tmpfs", 0, NULL) < 0));
#endif
    return 0;
}

static int try_sockets(void *unused)
{
    static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
    int pair[2];
    size_t i;

    (void)unused;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    if (confine() || !has_filter()) {
        return CHILD_SKIP;
    }
    for (i = 0; i < COUNT(families); i++) {
        CHECK(is_refused(socket(families[i], SOCK_STREAM, 0) < 0));
    }
    CHECK(send(pair[0], "x", 1, 0) == 1);
    return 0;
}

/* What workers read is still written, with the address space that is left. */
static int try_giving(void *data)
{
    const acme_live_pair_t pair = { "chain", "key" };
    acme_live_pairs_t *live = data;
    acme_live_pairs_read_t read;

    if (confine() || !has_filter()) {
        return CHILD_SKIP;
    }
    CHECK(!acme_live_pairs_publish(live, 9999, 1, &pair, 1, &res));
    CHECK(!acme_live_pairs_read(&read, live, 9999, pool));
    acme_live_pairs_withdraw(live, 9999);
    CHECK(!acme_live_pairs_generation(live, 9999));
    return 0;
}

/* Nor does new memory become a program. */
static int try_memory(void *unused)
{
    (void)unused;
    if (confine() || !has_filter()) {
        return CHILD_SKIP;
    }
#ifdef __linux__
    {
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        CHECK(page != MAP_FAILED);
        CHECK(is_refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)));
        CHECK(is_refused(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                         == MAP_FAILED));
    }
#endif
    return 0;
}

static int try_rights(void *unused)
{
    (void)unused;
    if (confine() || !has_filter()) {
        return CHILD_SKIP;
    }
    CHECK(is_refused(setuid(12345)));
    CHECK(is_refused(chown(at("theirs"), 12345, -1)));
    CHECK(is_refused(chmod(at("theirs"), 0666)));
    CHECK(is_refused(chmod(at("store/ours"), 04755)));
    CHECK(chmod(at("store/ours"), 0644) == 0);
    CHECK(is_refused(open(at("store/new"), O_WRONLY | O_CREAT, 04755) < 0));
    return 0;
}

static int try_files(void *unused)
{
    const char *outside = at("theirs"), *inside = at("store/ours");

    (void)unused;
    if (!has_landlock() || confine()) {
        return CHILD_SKIP;
    }
    CHECK(open(outside, O_RDONLY) >= 0);
    CHECK(is_refused(open(outside, O_WRONLY) < 0));
    CHECK(is_refused(truncate(outside, 0)));
    CHECK(is_refused(open(at("new"), O_WRONLY | O_CREAT, 0600) < 0));
    CHECK(is_refused(unlink(outside)));
    CHECK(rename(outside, at("store/theirs")) != 0);
    CHECK(rename(inside, at("ours")) != 0);
    CHECK(is_refused(mkdir(at("folder"), 0700)));
    CHECK(is_refused(symlink("x", at("link"))));

    CHECK(open(inside, O_WRONLY) >= 0);
    CHECK(mkdir(at("store/folder"), 0700) == 0);
    CHECK(rename(inside, at("store/folder/ours")) == 0);
    CHECK(symlink("x", at("store/link")) == 0);
    return 0;
}

static int try_limits(void *unused)
{
    struct rlimit now;
    int i, n = 0;

    (void)unused;
    for (i = 3; i < 1024; i++) {
        close(i);               /* else those below the limit are free */
    }
    CHECK(confine() == 0);
    while (open("/dev/null", O_RDONLY) >= 0 && n <= 2 * MORE_FDS) {
        n++;
    }
    CHECK(errno == EMFILE && n > 0 && n <= MORE_FDS);
    CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_max == 0);
    CHECK(getrlimit(RLIMIT_NPROC, &now) == 0 && now.rlim_max == 0);
#ifndef __SANITIZE_ADDRESS__
    CHECK(getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_max != RLIM_INFINITY);
    CHECK(malloc(1024 * 1024 * 1024) == NULL);
    CHECK(malloc(64 * 1024 * 1024) != NULL);
#endif
    return 0;
}

/* What parses certificates has nothing. */
static int try_parser(void *unused)
{
    char *const argv[] = { command, NULL };
    char *const env[] = { NULL };
    struct rlimit now;
    int pair[2];

    (void)unused;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    acme_confine_parser(12345);
    fflush(stdout);
    CHECK(geteuid() != 0 && getuid() != 0);
    if (!has_filter()) {
        return CHILD_SKIP;
    }
    CHECK(open(at("theirs"), O_RDONLY) < 0);
    CHECK(open("/dev/null", O_RDONLY) < 0);
    CHECK(open("/etc/passwd", O_RDONLY) < 0);
    CHECK(is_refused(socket(AF_UNIX, SOCK_STREAM, 0) < 0));
    CHECK(is_refused(dup(pair[0]) < 0));
    CHECK(is_refused(fork() < 0));
    CHECK(is_refused(execve(command, argv, env)));
    CHECK(is_refused(kill(getppid(), 0)));
    CHECK(is_refused(getrlimit(RLIMIT_CORE, &now)));
    CHECK(is_refused(setuid(0)));
    CHECK(send(pair[0], "x", 1, 0) == 1);
#ifndef __SANITIZE_ADDRESS__
    CHECK(malloc(256 * 1024 * 1024) == NULL);
#endif
    CHECK(malloc(8 * 1024 * 1024) != NULL);
    return 0;
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    mkdir(at("store"), 0755);
    put(at("store/ours"), "ours");
    put(at("theirs"), "theirs");
    return rc;
}

#define TRY(what) \
    static void what##_are_confined(void **state) \
    { \
        (void)state; \
        assert_child(try_##what, NULL); \
        assert_string_equal(logged(), ""); \
    }

TRY(processes)
TRY(sockets)
TRY(memory)
TRY(rights)
TRY(files)
TRY(limits)
TRY(parser)

static void workers_are_still_given_certificates(void **state)
{
    acme_live_pairs_t *live;

    (void)state;
    if (acme_live_pairs_create(&live, 10000, &res, pool)) {
        skip();
    }
    assert_child(try_giving, live);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(processes_are_confined), TEST(sockets_are_confined),
        TEST(memory_are_confined),    TEST(rights_are_confined),
        TEST(files_are_confined),     TEST(limits_are_confined),
        TEST(parser_are_confined),
        TEST(workers_are_still_given_certificates)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
