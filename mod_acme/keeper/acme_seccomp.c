/*
 * acme_seccomp.c - the filter of system calls.
 *
 * A list of what is allowed to the keeper: files, memory, descriptors that are
 * open, clocks, its own end. Not in it: execve, fork, socket, connect, bind,
 * ptrace, mount, setuid and their like, ioctl, kill of others. Names of other
 * machines and of other releases are left out by the #ifdef of each. The
 * process that parses certificates has a much shorter list.
 *
 * Modes of files are limited as well: a keeper that was taken over must not
 * leave a program with the set-user-ID bit in the store, nor open a file of
 * root's to everybody's writing; Landlock says nothing of chmod(2).
 */
#include <errno.h>

#include <apr.h>

#include "acme_seccomp.h"

#ifdef __linux__

#include <stddef.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define MACHINE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64 && defined(AUDIT_ARCH_RISCV64)
#define MACHINE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define MACHINE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define MACHINE AUDIT_ARCH_S390X
#elif defined(__loongarch64) && defined(AUDIT_ARCH_LOONGARCH64)
#define MACHINE AUDIT_ARCH_LOONGARCH64
#endif

#endif

#ifdef MACHINE

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW  4
#define HIGH 0
#else
#define LOW  0
#define HIGH 4
#endif

/* Calls from here on have one number on all machines; an unknown one is new. */
#define NEW_CALLS 424

/* The other call interface of x86-64, which has its own numbers. */
#define X32_BIT 0x40000000

#define MODE_SPECIAL  07000             /* set-user-ID and its like */
#define MODE_NOT_OURS (07777 & ~0755)

/* socketcall(2): 1 to 4 are socket, bind, connect, listen. */
#define SOCKETCALL_FIRST 5

/* From 9 on they send and receive, or set options. (8 is socketpair.) */
#define SOCKETCALL_TRANSFER 9

#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define REFUSE(error)  RETURN(SECCOMP_RET_ERRNO | ((error) & SECCOMP_RET_DATA))
#define ALLOW_ALWAYS   RETURN(SECCOMP_RET_ALLOW)

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define LOAD_NUMBER  LOAD(offsetof(struct seccomp_data, nr))
#define ARGUMENT(n)  (offsetof(struct seccomp_data, args) + 8 * (n))

/* Skip so many instructions unless it is this call. */
#define UNLESS(call, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, skip)

#define ALLOW(call) UNLESS(call, 1), ALLOW_ALWAYS

/* Allowed without any of these bits in the low half of an argument. */
#define ALLOW_WITHOUT(call, n, bits)                                         \
    UNLESS(call, 4), LOAD(ARGUMENT(n) + LOW),                                \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, 1), REFUSE(EPERM),   \
        ALLOW_ALWAYS

/* Allowed with this value in the low half of an argument. */
#define ALLOW_WITH(call, n, value)                                           \
    UNLESS(call, 4), LOAD(ARGUMENT(n) + LOW),                                \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0), REFUSE(EPERM),   \
        ALLOW_ALWAYS

#ifdef __x86_64__
#define REFUSE_X32                                                           \
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1), REFUSE(EPERM),
#else
#define REFUSE_X32
#endif

/* Before the calls and behind them. */
#define FILTER_BEGIN                                                         \
    LOAD(offsetof(struct seccomp_data, arch)),                               \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0), REFUSE(EPERM),   \
        LOAD_NUMBER, REFUSE_X32
#define FILTER_END                                                           \
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, NEW_CALLS, 0, 1), REFUSE(ENOSYS),    \
        REFUSE(EPERM)

static int install(struct sock_filter *filter, apr_size_t len)
{
    const struct sock_fprog program = { .len = (unsigned short)len,
                                        .filter = filter };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? errno : 0;
}

int acme_seccomp_install(void)
{
    const apr_uint32_t self = (apr_uint32_t)getpid();
    struct sock_filter filter[] = {
        FILTER_BEGIN
#include "acme_seccomp_common_calls.h"
#include "acme_seccomp_calls.h"
        FILTER_END
    };

    return install(filter, sizeof(filter) / sizeof(*filter));
}

int acme_seccomp_install_parser(void)
{
    const apr_uint32_t self = (apr_uint32_t)getpid();
    struct sock_filter filter[] = {
        FILTER_BEGIN
#include "acme_seccomp_common_calls.h"
#include "acme_seccomp_parser_calls.h"
        FILTER_END
    };

    return install(filter, sizeof(filter) / sizeof(*filter));
}

#else

int acme_seccomp_install(void)
{
    return ENOSYS;
}

int acme_seccomp_install_parser(void)
{
    return ENOSYS;
}

#endif
