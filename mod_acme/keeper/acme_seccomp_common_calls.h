/*
 * acme_seccomp_common_calls.h - the calls that both filters allow, a part of
 * their arrays; see acme_seccomp.c, which alone includes it. None of them opens
 * a file or makes a socket.
 */

/* Its socket */
#ifdef __NR_recv
ALLOW(__NR_recv),
#endif
#ifdef __NR_recvfrom
ALLOW(__NR_recvfrom),
#endif
#ifdef __NR_recvmsg
ALLOW(__NR_recvmsg),
#endif
#ifdef __NR_read
ALLOW(__NR_read),
#endif
#ifdef __NR_send
ALLOW(__NR_send),
#endif
#ifdef __NR_sendto
ALLOW(__NR_sendto),
#endif
#ifdef __NR_sendmsg
ALLOW(__NR_sendmsg),
#endif
#ifdef __NR_write
ALLOW(__NR_write),
#endif

/* Memory */
#ifdef __NR_brk
ALLOW(__NR_brk),
#endif
#ifdef __NR_munmap
ALLOW(__NR_munmap),
#endif
#ifdef __NR_mremap
ALLOW(__NR_mremap),
#endif
#ifdef __NR_madvise
ALLOW(__NR_madvise),
#endif

/* What the C library and OpenSSL need */
#ifdef __NR_futex
ALLOW(__NR_futex),
#endif
#ifdef __NR_futex_time64
ALLOW(__NR_futex_time64),
#endif
#ifdef __NR_sched_yield
ALLOW(__NR_sched_yield),
#endif
#ifdef __NR_clock_gettime
ALLOW(__NR_clock_gettime),
#endif
#ifdef __NR_clock_gettime64
ALLOW(__NR_clock_gettime64),
#endif
#ifdef __NR_gettimeofday
ALLOW(__NR_gettimeofday),
#endif
#ifdef __NR_time
ALLOW(__NR_time),
#endif
#ifdef __NR_getrandom
ALLOW(__NR_getrandom),
#endif
#ifdef __NR_getpid
ALLOW(__NR_getpid),
#endif
#ifdef __NR_gettid
ALLOW(__NR_gettid),
#endif

/* Its own end */
#ifdef __NR_rt_sigaction
ALLOW(__NR_rt_sigaction),
#endif
#ifdef __NR_rt_sigprocmask
ALLOW(__NR_rt_sigprocmask),
#endif
#ifdef __NR_rt_sigreturn
ALLOW(__NR_rt_sigreturn),
#endif
#ifdef __NR_sigreturn
ALLOW(__NR_sigreturn),
#endif
#ifdef __NR_sigaltstack
ALLOW(__NR_sigaltstack),
#endif
#ifdef __NR_restart_syscall
ALLOW(__NR_restart_syscall),
#endif
#ifdef __NR_exit
ALLOW(__NR_exit),
#endif
#ifdef __NR_exit_group
ALLOW(__NR_exit_group),
#endif

/* No memory becomes a program. */
#ifdef __NR_mmap
ALLOW_WITHOUT(__NR_mmap, 2, PROT_EXEC),
#endif
#ifdef __NR_mmap2
ALLOW_WITHOUT(__NR_mmap2, 2, PROT_EXEC),
#endif
#ifdef __NR_mprotect
ALLOW_WITHOUT(__NR_mprotect, 2, PROT_EXEC),
#endif

/* A signal to itself, as abort(3) sends it. */
#ifdef __NR_kill
ALLOW_WITH(__NR_kill, 0, self),
#endif
#ifdef __NR_tkill
ALLOW_WITH(__NR_tkill, 0, self),
#endif
#ifdef __NR_tgkill
ALLOW_WITH(__NR_tgkill, 0, self),
#endif
