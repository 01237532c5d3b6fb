/*
 * acme_seccomp_parser_calls.h - what the filter of the process that parses
 * certificates allows beside acme_seccomp_common_calls.h, a part of its array;
 * see acme_seccomp.c, which alone includes it.
 */

/* All calls for sockets in one, on some machines; of them none that makes or
   connects one. */
#ifdef __NR_socketcall
UNLESS(__NR_socketcall, 4), LOAD(ARGUMENT(0) + LOW),
BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SOCKETCALL_TRANSFER, 1, 0), REFUSE(EPERM),
ALLOW_ALWAYS,
#endif
