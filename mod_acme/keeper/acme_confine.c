/*
 * acme_confine.c - what the keeper gives up.
 *
 * The order matters: limits and capabilities while they may be set, Landlock
 * while a folder may be opened, the filter of system calls last.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_confine.h"
#include "acme_landlock.h"
#include "acme_seccomp.h"

/* Octets of address space beyond that of the start. What a keeper needs for
   10,000 certificates is a twentieth of it. */
#define MEMORY_MORE (512 * 1024 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1             /* its shadow memory has no limit, and its */
#elif defined(__has_feature)    /*   reports are files */
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* valgrind does its work in this process: it makes code that is executed, has
   memory of its own, and writes its findings to files. */
static int is_in_valgrind(void)
{
    const char *loaded = getenv("LD_PRELOAD");

    return loaded && strstr(loaded, "vgpreload") != NULL;
}

static void complain(const acme_confine_t *confine, const char *what,
                     int error)
{
    acme_log(
        confine->log, ACME_LOG_WARNING, "keeper",
        "%s: %s; the keeper works without this protection", what,
        strerror(error));
}

int acme_confine_begin(pid_t parent)
{
    const struct rlimit none = { 0, 0 };

    umask(077);
    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    return getppid() == parent;
}

/* Both limits, so that it cannot be raised again. Never above what it is. */
static void limit(const acme_confine_t *confine, int resource, rlim_t most,
                  const char *name)
{
    struct rlimit now;

    if (getrlimit(resource, &now) == 0
        && (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > most)) {
        now.rlim_cur = most;
    }
    now.rlim_max = now.rlim_cur;
    if (setrlimit(resource, &now)) {
        complain(confine, name, errno);
    }
}

/* "." and "..", and the descriptor that the folder is read by. */
#define ENTRIES_MORE 3

/* How many descriptors are open; 0: this system does not tell. */
static int count_descriptors(apr_pool_t *p)
{
    apr_finfo_t entry;
    apr_dir_t *dir;
    int n = 0;

    if (apr_dir_open(&dir, "/dev/fd", p) != APR_SUCCESS) {
        return 0;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        n++;
    }
    apr_dir_close(dir);
    return n - ENTRIES_MORE;
}

/* Octets of address space in use; 0: this system does not tell. */
static rlim_t address_space(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f) {
        if (fscanf(f, "%llu", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    return (rlim_t)(pages * (unsigned long long)sysconf(_SC_PAGESIZE));
}

/*
 * Files have no limit of size: the keeper writes to httpd's error log itself,
 * and that may be of any size.
 */
static void limit_resources(const acme_confine_t *confine, apr_pool_t *p)
{
    const int open_now = count_descriptors(p);
    const rlim_t space = address_space();

    if (open_now) {
        limit(confine, RLIMIT_NOFILE,
              (rlim_t)(open_now + confine->descriptors), "RLIMIT_NOFILE");
    }
    if (space && !SANITIZED && !is_in_valgrind()) {
        limit(confine, RLIMIT_AS, space + MEMORY_MORE, "RLIMIT_AS");
    }
#ifdef RLIMIT_NPROC
    limit(confine, RLIMIT_NPROC, 0, "RLIMIT_NPROC");
#endif
}

#ifdef __linux__

/*
 * Root's files are readable to it as their owner. This one is for what the
 * guard of a reload reads: certificates, keys and configuration of any user.
 */
#define KEPT CAP_DAC_READ_SEARCH

static void drop_capabilities(const acme_confine_t *confine)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    apr_uint32_t kept;
    int cap;

    memset(data, 0, sizeof(data));
    if (syscall(SYS_capget, &header, data)) {
        complain(confine, "capget", errno);
        return;
    }
    if (data[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP)) {
        for (cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
            if (prctl(PR_CAPBSET_DROP, cap)) {
                complain(confine, "PR_CAPBSET_DROP", errno);
                break;
            }
        }
    }
#ifdef PR_CAP_AMBIENT
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
#endif
    kept = data[CAP_TO_INDEX(KEPT)].permitted & CAP_TO_MASK(KEPT);
    memset(data, 0, sizeof(data));
    data[CAP_TO_INDEX(KEPT)].effective = kept;
    data[CAP_TO_INDEX(KEPT)].permitted = kept;
    if (syscall(SYS_capset, &header, data)) {
        complain(confine, "capset", errno);
    }
}

static void confine_by_kernel(const acme_confine_t *confine)
{
    int error;

    drop_capabilities(confine);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        complain(confine, "PR_SET_NO_NEW_PRIVS", errno);
        return;                 /* Landlock and seccomp demand it */
    }
    if (is_in_valgrind()) {
        return;
    }
    error = SANITIZED ? 0 : acme_landlock_restrict(confine->state_dir);
    if (error && error != ENOSYS && error != EOPNOTSUPP) {
        complain(confine, "Landlock", error);
    }
    error = acme_seccomp_install();
    if (error && error != ENOSYS && error != EINVAL) {
        complain(confine, "seccomp", error);
    }
}

#elif defined(__OpenBSD__)

static void confine_by_kernel(const acme_confine_t *confine)
{
    if (unveil("/", "r") || unveil(confine->state_dir, "rwc")
        || unveil(NULL, NULL)) {
        complain(confine, "unveil", errno);
    }
    if (pledge("stdio rpath wpath cpath fattr flock unix recvfd", NULL)) {
        complain(confine, "pledge", errno);
    }
}

#else

static void confine_by_kernel(const acme_confine_t *confine)
{
    (void)confine;
}

#endif

void acme_confine_finish(const acme_confine_t *confine, apr_pool_t *p)
{
    apr_pool_t *scratch;

    apr_pool_create(&scratch, p);
    limit_resources(confine, scratch);
    confine_by_kernel(confine);
    apr_pool_destroy(scratch);
}
