/*
 * acme_seccomp.h - Linux's seccomp: which system calls the keeper may make
 * after its start, and the process that parses certificates.
 */
#ifndef ACME_SECCOMP_H
#define ACME_SECCOMP_H

/*
 * Install the filter for good; this process has set PR_SET_NO_NEW_PRIVS. A call
 * that is not allowed fails with EPERM, or with ENOSYS when it is newer than
 * Linux 5.1: a C library then takes an older one.
 *
 * Returns 0 or an errno: ENOSYS where the filter does not know the machine,
 * EINVAL where the kernel has no filters.
 */
int acme_seccomp_install(void);

/* The same, of the filter that leaves little more than reading and writing. */
int acme_seccomp_install_parser(void);

#endif
