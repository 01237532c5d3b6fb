/*
 * acme_seccomp_calls.h - what the keeper's filter allows beside
 * acme_seccomp_common_calls.h, a part of its array; see acme_seccomp.c, which
 * alone includes it.
 */

/* Files */
#ifdef __NR_readv
ALLOW(__NR_readv),
#endif
#ifdef __NR_pread64
ALLOW(__NR_pread64),
#endif
#ifdef __NR_preadv
ALLOW(__NR_preadv),
#endif
#ifdef __NR_preadv2
ALLOW(__NR_preadv2),
#endif
#ifdef __NR_writev
ALLOW(__NR_writev),
#endif
#ifdef __NR_pwrite64
ALLOW(__NR_pwrite64),
#endif
#ifdef __NR_pwritev
ALLOW(__NR_pwritev),
#endif
#ifdef __NR_pwritev2
ALLOW(__NR_pwritev2),
#endif
#ifdef __NR_lseek
ALLOW(__NR_lseek),
#endif
#ifdef __NR__llseek
ALLOW(__NR__llseek),
#endif
#ifdef __NR_close
ALLOW(__NR_close),
#endif
#ifdef __NR_close_range
ALLOW(__NR_close_range),
#endif
#ifdef __NR_stat
ALLOW(__NR_stat),
#endif
#ifdef __NR_stat64
ALLOW(__NR_stat64),
#endif
#ifdef __NR_lstat
ALLOW(__NR_lstat),
#endif
#ifdef __NR_lstat64
ALLOW(__NR_lstat64),
#endif
#ifdef __NR_fstat
ALLOW(__NR_fstat),
#endif
#ifdef __NR_fstat64
ALLOW(__NR_fstat64),
#endif
#ifdef __NR_newfstatat
ALLOW(__NR_newfstatat),
#endif
#ifdef __NR_fstatat64
ALLOW(__NR_fstatat64),
#endif
#ifdef __NR_statx
ALLOW(__NR_statx),
#endif
#ifdef __NR_statfs
ALLOW(__NR_statfs),
#endif
#ifdef __NR_statfs64
ALLOW(__NR_statfs64),
#endif
#ifdef __NR_fstatfs
ALLOW(__NR_fstatfs),
#endif
#ifdef __NR_fstatfs64
ALLOW(__NR_fstatfs64),
#endif
#ifdef __NR_access
ALLOW(__NR_access),
#endif
#ifdef __NR_faccessat
ALLOW(__NR_faccessat),
#endif
#ifdef __NR_faccessat2
ALLOW(__NR_faccessat2),
#endif
#ifdef __NR_readlink
ALLOW(__NR_readlink),
#endif
#ifdef __NR_readlinkat
ALLOW(__NR_readlinkat),
#endif
#ifdef __NR_getdents
ALLOW(__NR_getdents),
#endif
#ifdef __NR_getdents64
ALLOW(__NR_getdents64),
#endif
#ifdef __NR_getcwd
ALLOW(__NR_getcwd),
#endif
#ifdef __NR_rename
ALLOW(__NR_rename),
#endif
#ifdef __NR_renameat
ALLOW(__NR_renameat),
#endif
#ifdef __NR_renameat2
ALLOW(__NR_renameat2),
#endif
#ifdef __NR_symlink
ALLOW(__NR_symlink),
#endif
#ifdef __NR_symlinkat
ALLOW(__NR_symlinkat),
#endif
#ifdef __NR_unlink
ALLOW(__NR_unlink),
#endif
#ifdef __NR_unlinkat
ALLOW(__NR_unlinkat),
#endif
#ifdef __NR_mkdir
ALLOW(__NR_mkdir),
#endif
#ifdef __NR_mkdirat
ALLOW(__NR_mkdirat),
#endif
#ifdef __NR_rmdir
ALLOW(__NR_rmdir),
#endif
#ifdef __NR_ftruncate
ALLOW(__NR_ftruncate),
#endif
#ifdef __NR_ftruncate64
ALLOW(__NR_ftruncate64),
#endif
#ifdef __NR_fsync
ALLOW(__NR_fsync),
#endif
#ifdef __NR_fdatasync
ALLOW(__NR_fdatasync),
#endif
#ifdef __NR_syncfs
ALLOW(__NR_syncfs),
#endif
#ifdef __NR_fadvise64
ALLOW(__NR_fadvise64),
#endif
#ifdef __NR_fadvise64_64
ALLOW(__NR_fadvise64_64),
#endif
#ifdef __NR_flock
ALLOW(__NR_flock),
#endif

/* Descriptors */
#ifdef __NR_fcntl
ALLOW(__NR_fcntl),
#endif
#ifdef __NR_fcntl64
ALLOW(__NR_fcntl64),
#endif
#ifdef __NR_dup
ALLOW(__NR_dup),
#endif
#ifdef __NR_dup2
ALLOW(__NR_dup2),
#endif
#ifdef __NR_dup3
ALLOW(__NR_dup3),
#endif
#ifdef __NR_pipe
ALLOW(__NR_pipe),
#endif
#ifdef __NR_pipe2
ALLOW(__NR_pipe2),
#endif
#ifdef __NR_eventfd2
ALLOW(__NR_eventfd2),
#endif
#ifdef __NR_poll
ALLOW(__NR_poll),
#endif
#ifdef __NR_ppoll
ALLOW(__NR_ppoll),
#endif
#ifdef __NR_ppoll_time64
ALLOW(__NR_ppoll_time64),
#endif
#ifdef __NR_select
ALLOW(__NR_select),
#endif
#ifdef __NR__newselect
ALLOW(__NR__newselect),
#endif
#ifdef __NR_pselect6
ALLOW(__NR_pselect6),
#endif
#ifdef __NR_pselect6_time64
ALLOW(__NR_pselect6_time64),
#endif

/* Sockets that are open */
#ifdef __NR_accept
ALLOW(__NR_accept),
#endif
#ifdef __NR_accept4
ALLOW(__NR_accept4),
#endif
#ifdef __NR_socketpair
ALLOW(__NR_socketpair),
#endif
#ifdef __NR_shutdown
ALLOW(__NR_shutdown),
#endif
#ifdef __NR_sendmmsg
ALLOW(__NR_sendmmsg),
#endif
#ifdef __NR_recvmmsg
ALLOW(__NR_recvmmsg),
#endif
#ifdef __NR_recvmmsg_time64
ALLOW(__NR_recvmmsg_time64),
#endif
#ifdef __NR_getsockopt
ALLOW(__NR_getsockopt),
#endif
#ifdef __NR_setsockopt
ALLOW(__NR_setsockopt),
#endif
#ifdef __NR_getsockname
ALLOW(__NR_getsockname),
#endif
#ifdef __NR_getpeername
ALLOW(__NR_getpeername),
#endif

/* Memory */
#ifdef __NR_mlock
ALLOW(__NR_mlock),
#endif
#ifdef __NR_mlock2
ALLOW(__NR_mlock2),
#endif
#ifdef __NR_munlock
ALLOW(__NR_munlock),
#endif

/* The process itself, and the end of the launcher */
#ifdef __NR_rt_sigpending
ALLOW(__NR_rt_sigpending),
#endif
#ifdef __NR_getppid
ALLOW(__NR_getppid),
#endif
#ifdef __NR_getpgrp
ALLOW(__NR_getpgrp),
#endif
#ifdef __NR_getuid
ALLOW(__NR_getuid),
#endif
#ifdef __NR_getuid32
ALLOW(__NR_getuid32),
#endif
#ifdef __NR_geteuid
ALLOW(__NR_geteuid),
#endif
#ifdef __NR_geteuid32
ALLOW(__NR_geteuid32),
#endif
#ifdef __NR_getgid
ALLOW(__NR_getgid),
#endif
#ifdef __NR_getgid32
ALLOW(__NR_getgid32),
#endif
#ifdef __NR_getegid
ALLOW(__NR_getegid),
#endif
#ifdef __NR_getegid32
ALLOW(__NR_getegid32),
#endif
#ifdef __NR_getrlimit
ALLOW(__NR_getrlimit),
#endif
#ifdef __NR_ugetrlimit
ALLOW(__NR_ugetrlimit),
#endif
#ifdef __NR_getrusage
ALLOW(__NR_getrusage),
#endif
#ifdef __NR_uname
ALLOW(__NR_uname),
#endif
#ifdef __NR_sysinfo
ALLOW(__NR_sysinfo),
#endif
#ifdef __NR_sched_getaffinity
ALLOW(__NR_sched_getaffinity),
#endif
#ifdef __NR_set_robust_list
ALLOW(__NR_set_robust_list),
#endif
#ifdef __NR_rseq
ALLOW(__NR_rseq),
#endif
#ifdef __NR_membarrier
ALLOW(__NR_membarrier),
#endif
#ifdef __NR_wait4
ALLOW(__NR_wait4),
#endif
#ifdef __NR_waitid
ALLOW(__NR_waitid),
#endif
#ifdef __NR_waitpid
ALLOW(__NR_waitpid),
#endif

/* Clocks */
#ifdef __NR_clock_getres
ALLOW(__NR_clock_getres),
#endif
#ifdef __NR_clock_getres_time64
ALLOW(__NR_clock_getres_time64),
#endif
#ifdef __NR_clock_nanosleep
ALLOW(__NR_clock_nanosleep),
#endif
#ifdef __NR_clock_nanosleep_time64
ALLOW(__NR_clock_nanosleep_time64),
#endif
#ifdef __NR_nanosleep
ALLOW(__NR_nanosleep),
#endif
#ifdef __NR_times
ALLOW(__NR_times),
#endif
#ifdef __NR_getitimer
ALLOW(__NR_getitimer),
#endif
#ifdef __NR_setitimer
ALLOW(__NR_setitimer),
#endif
#ifdef __NR_alarm
ALLOW(__NR_alarm),
#endif

/* New files have no special bits; an open one is made no wider than 0755. */
#ifdef __NR_open
ALLOW_WITHOUT(__NR_open, 2, MODE_SPECIAL),
#endif
#ifdef __NR_openat
ALLOW_WITHOUT(__NR_openat, 3, MODE_SPECIAL),
#endif
#ifdef __NR_creat
ALLOW_WITHOUT(__NR_creat, 1, MODE_SPECIAL),
#endif
#ifdef __NR_chmod
ALLOW_WITHOUT(__NR_chmod, 1, MODE_NOT_OURS),
#endif
#ifdef __NR_fchmod
ALLOW_WITHOUT(__NR_fchmod, 1, MODE_NOT_OURS),
#endif
#ifdef __NR_fchmodat
ALLOW_WITHOUT(__NR_fchmodat, 2, MODE_NOT_OURS),
#endif
#ifdef __NR_fchmodat2
ALLOW_WITHOUT(__NR_fchmodat2, 2, MODE_NOT_OURS),
#endif

/* Limits are read, of itself. */
#ifdef __NR_prlimit64
UNLESS(__NR_prlimit64, 8), LOAD(ARGUMENT(0) + LOW),
BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5), LOAD(ARGUMENT(2) + LOW),
BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3), LOAD(ARGUMENT(2) + HIGH),
BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ALLOW_ALWAYS, REFUSE(EPERM),
#endif

/* All calls for sockets in one, on some machines. */
#ifdef __NR_socketcall
UNLESS(__NR_socketcall, 4), LOAD(ARGUMENT(0) + LOW),
BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SOCKETCALL_FIRST, 1, 0), REFUSE(EPERM),
ALLOW_ALWAYS,
#endif
