/*
 * acme_landlock.c - Linux's Landlock.
 *
 * The C library has no calls for it, and a header may be older than the
 * kernel: so the numbers of its interface are here. The rights that a kernel
 * does not know must not be asked for.
 */
#include <errno.h>

#include <apr.h>

#include "acme_landlock.h"

#ifdef __linux__

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since 5.13 numbers are the same everywhere, but for two with an offset. */
#if !defined(SYS_landlock_create_ruleset) && !defined(__mips__)               \
    && !defined(__alpha__)
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#endif                          /* __linux__ */

#ifdef SYS_landlock_create_ruleset

#define WANT_VERSION 1
#define RULE_PATH_BENEATH 1

#define FS(n)          ((apr_uint64_t)1 << (n))
#define FS_EXECUTE     FS(0)
#define FS_WRITE_FILE  FS(1)
#define FS_READ_FILE   FS(2)
#define FS_READ_DIR    FS(3)
#define FS_REMOVE_DIR  FS(4)
#define FS_REMOVE_FILE FS(5)
#define FS_MAKE_DIR    FS(7)
#define FS_MAKE_REG    FS(8)
#define FS_MAKE_SYM    FS(12)
#define FS_REFER       FS(13)           /* version 2 */
#define FS_TRUNCATE    FS(14)           /* version 3 */
#define FS_IOCTL_DEV   FS(15)           /* version 5 */
#define FS_VERSION_1   (FS(13) - 1)

#define NET_TCP 3                       /* version 4: bind and connect */
#define SCOPE   3                       /* version 6: abstract UNIX sockets,
                                           and signals */

#define READ  (FS_READ_FILE | FS_READ_DIR)
#define WRITE (READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE          \
               | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM | FS_REFER           \
               | FS_TRUNCATE)

typedef struct {
    apr_uint64_t fs;
    apr_uint64_t net;
    apr_uint64_t scoped;
} ruleset_t;

typedef struct {
    apr_uint64_t allowed;
    apr_int32_t fd;
} __attribute__((packed)) path_rule_t;

static ruleset_t handled_by(int version)
{
    ruleset_t set = { .fs = FS_VERSION_1 | FS_REFER };

    if (version >= 3) {
        set.fs |= FS_TRUNCATE;
    }
    if (version >= 4) {
        set.net = NET_TCP;
    }
    if (version >= 5) {
        set.fs |= FS_IOCTL_DEV;
    }
    if (version >= 6) {
        set.scoped = SCOPE;
    }
    return set;
}

static int allow(int rules, const char *path, apr_uint64_t rights)
{
    path_rule_t rule = { .allowed = rights };
    int error = 0;

    rule.fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.fd < 0) {
        return errno;
    }
    if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0)) {
        error = errno;
    }
    close(rule.fd);
    return error;
}

int acme_landlock_restrict(const char *folder)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
                                 WANT_VERSION);
    ruleset_t set;
    int rules, error;

    if (version < 0) {
        return errno;
    }
    if (version < 2) {
        return ENOSYS;
    }
    set = handled_by((int)version);
    rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
    if (rules < 0) {
        return errno;
    }
    error = folder ? allow(rules, "/", READ) : 0;
    if (folder && !error) {
        error = allow(rules, folder, WRITE & set.fs);
    }
    if (!error && syscall(SYS_landlock_restrict_self, rules, 0)) {
        error = errno;
    }
    close(rules);
    return error;
}

#else

int acme_landlock_restrict(const char *folder)
{
    (void)folder;
    return ENOSYS;
}

#endif
