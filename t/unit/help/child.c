/*
 * child.c - a fork, and a mount namespace of its own where there are such.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#include "child.h"
#include "pool.h"

int in_child(int (*step)(void *data), void *data)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int code = step(data);

        fflush(NULL);
        _exit(code);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void assert_child(int (*step)(void *data), void *data)
{
    int code = in_child(step, data);

    if (code == CHILD_SKIP) {
        skip();                 /* build/tap makes it none that failed */
    }
    assert_int_equal(code, 0);
}

int mount_small(const char *path, const char *options)
{
#ifdef __linux__
    return unshare(CLONE_NEWNS) == 0
           && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0
           && mount("none", path, "tmpfs", 0, options) == 0;
#else
    (void)path;
    (void)options;
    return 0;
#endif
}

int mount_read_only(const char *path)
{
#ifdef __linux__
    return mount("none", path, "tmpfs", MS_REMOUNT | MS_RDONLY, "") == 0;
#else
    (void)path;
    return 0;
#endif
}
