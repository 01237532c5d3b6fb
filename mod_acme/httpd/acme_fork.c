/*
 * acme_fork.c - what a fork of httpd's parent does not keep.
 *
 * pthread_atfork() is linked into each DSO, and tells the C library whose
 * handler it is: glibc and the BSDs remove it when httpd unloads us, as it does
 * between two loads, and musl unloads nothing. Then the statics say that it is
 * there, else they are new.
 */
#include <pthread.h>
#include <unistd.h>

#include "acme_fork.h"

static void (*forget_all)(void);

/* Which thread forks for us; other threads may fork at the same time. */
static pthread_t our_thread;
static volatile int keeps;

static void in_child(void)
{
    const int is_ours = keeps && pthread_equal(pthread_self(), our_thread);

    keeps = 0;
    if (!is_ours) {
        forget_all();
    }
}

apr_status_t acme_fork_watch(void (*forget)(void))
{
    const int is_watched = forget_all != NULL;

    forget_all = forget;
    return is_watched ? APR_SUCCESS : pthread_atfork(NULL, NULL, in_child);
}

pid_t acme_fork_keep(void)
{
    pid_t pid;

    our_thread = pthread_self();
    keeps = 1;
    pid = fork();
    keeps = 0;
    return pid;
}
