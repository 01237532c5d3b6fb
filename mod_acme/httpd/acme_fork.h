/*
 * acme_fork.h - what a fork of httpd's parent does not keep.
 *
 * Modules fork daemons whenever they like, without any of httpd's hooks, and
 * code of visitors' applications runs in them.
 */
#ifndef ACME_FORK_H
#define ACME_FORK_H

#include <sys/types.h>

#include <apr_errno.h>

/*
 * In httpd's parent, before there is anything to forget: from now on forget()
 * is called in each fork of this process, and in theirs, before fork() returns
 * there. It ends with the DSO. forget() takes no lock. ENOMEM: it cannot be.
 */
apr_status_t acme_fork_watch(void (*forget)(void));

/* fork(), but the new process forgets nothing; its own forks do. */
pid_t acme_fork_keep(void);

#endif
