/*
 * acme_confine.c - what the keeper gives up, and its parser of certificates.
 *
 * The order matters: limits and capabilities while they may be set, Landlock
 * while a folder may be opened, the filter of system calls last.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
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

/* The same of the parser: for a chain and what OpenSSL makes of it. */
#define MEMORY_MORE_PARSER (128 * 1024 * 1024)

#define NOBODY "nobody"

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
    if (confine->log) {
        acme_log(
            confine->log, ACME_LOG_WARNING, "keeper",
            "%s: %s; the keeper works without this protection", what,
            strerror(error));
    }
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

/* NOBODY, else the workers' user; not root. NULL: there is neither. */
static const struct passwd *find_user(uid_t workers)
{
    const struct passwd *user = getpwnam(NOBODY);

    if (!user || !user->pw_uid || user->pw_uid == workers) {
        user = getpwuid(workers);
    }
    return user && user->pw_uid ? user : NULL;
}

/* A container may not know one of them: setuid(2) fails then. */
static void change_user(uid_t workers)
{
    const struct passwd *user = geteuid() == 0 ? find_user(workers) : NULL;

    if (user) {
        (void)!setgroups(0, NULL);
        (void)!setgid(user->pw_gid);
        if (setuid(user->pw_uid)) {
            (void)!setuid(workers);
        }
    }
}

static void limit_parser(const acme_confine_t *confine, rlim_t space)
{
    limit(confine, RLIMIT_CORE, 0, "RLIMIT_CORE");
    if (space && !SANITIZED) {
        limit(confine, RLIMIT_AS, space + MEMORY_MORE_PARSER, "RLIMIT_AS");
    }
    limit(confine, RLIMIT_FSIZE, 0, "RLIMIT_FSIZE");
#ifdef RLIMIT_NPROC
    limit(confine, RLIMIT_NPROC, 0, "RLIMIT_NPROC");
#endif
    limit(confine, RLIMIT_NOFILE, 0, "RLIMIT_NOFILE");
}

#ifdef __linux__

/*
 * Root's files are readable to it as their owner. This one is for what the
 * guard of a reload reads: certificates, keys and configuration of any user.
 */
#define KEPT CAP_DAC_READ_SEARCH

typedef struct __user_cap_data_struct capabilities_t[_LINUX_CAPABILITY_U32S_3];

static struct __user_cap_header_struct of_this_process(void)
{
    return (struct __user_cap_header_struct) {
        .version = _LINUX_CAPABILITY_VERSION_3
    };
}

/* 0: it failed. */
static int read_capabilities(const acme_confine_t *confine,
                             capabilities_t data)
{
    struct __user_cap_header_struct header = of_this_process();

    memset(data, 0, sizeof(capabilities_t));
    if (syscall(SYS_capget, &header, data)) {
        complain(confine, "capget", errno);
        return 0;
    }
    return 1;
}

static void empty_bounding_set(const acme_confine_t *confine)
{
    capabilities_t data;
    int cap;

    if (!read_capabilities(confine, data)
        || !(data[CAP_TO_INDEX(CAP_SETPCAP)].effective
             & CAP_TO_MASK(CAP_SETPCAP))) {
        return;
    }
    for (cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap)) {
            complain(confine, "PR_CAPBSET_DROP", errno);
            break;
        }
    }
}

/* All but those of mask, which are in the word of KEPT. */
static void drop_capabilities(const acme_confine_t *confine, apr_uint32_t mask)
{
    struct __user_cap_header_struct header = of_this_process();
    capabilities_t data;
    apr_uint32_t kept;

    if (!read_capabilities(confine, data)) {
        return;
    }
#ifdef PR_CAP_AMBIENT
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
#endif
    kept = data[CAP_TO_INDEX(KEPT)].permitted & mask;
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

    empty_bounding_set(confine);
    drop_capabilities(confine, CAP_TO_MASK(KEPT));
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

static void confine_parser(const acme_confine_t *confine, uid_t workers,
                           rlim_t space)
{
    empty_bounding_set(confine);
    change_user(workers);
    prctl(PR_SET_DUMPABLE, 0);          /* another user has neither of both */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    drop_capabilities(confine, 0);
    if (is_in_valgrind()) {
        return;
    }
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);   /* both demand it */
    if (!SANITIZED) {
        (void)acme_landlock_restrict(NULL);     /* opens a descriptor */
    }
    limit_parser(confine, space);
    (void)acme_seccomp_install_parser();
}

#elif defined(__OpenBSD__)

static void confine_parser(const acme_confine_t *confine, uid_t workers,
                           rlim_t space)
{
    change_user(workers);
    limit_parser(confine, space);
    (void)pledge("stdio", NULL);
}

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

static void confine_parser(const acme_confine_t *confine, uid_t workers,
                           rlim_t space)
{
    change_user(workers);
    limit_parser(confine, space);
}

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

void acme_confine_parser(uid_t workers)
{
    const acme_confine_t without_log = { .log = NULL };

    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if (!SANITIZED) {
        close(STDERR_FILENO);
    }
    confine_parser(&without_log, workers, address_space());
}
