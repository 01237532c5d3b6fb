/*
 * acme_confine.h - what the keeper gives up: rights that it has as root and
 * does not need; and the process that parses certificates, which needs none.
 * (docs/design.md, Confinement)
 *
 * Each measure is taken where the system has it. One that fails is logged, and
 * keeps the keeper from nothing.
 */
#ifndef ACME_CONFINE_H
#define ACME_CONFINE_H

#include <sys/types.h>

#include <apr_pools.h>

#include "acme_log.h"

/*
 * At the beginning, for this process and those that it forks: no core file, no
 * debugger of the same user, umask 077; and for this one, SIGTERM when its
 * parent ends. False when the parent has ended already.
 */
int acme_confine_begin(pid_t parent);

typedef struct {
    const char *state_dir;      /* the only folder to write in */
    int descriptors;            /* that may be opened, beside those open now */
    const acme_log_t *log;
} acme_confine_t;

/*
 * For the time after the start. From here on: no other process is executed,
 * forked, traced or signalled; no socket is made or connected; files are read
 * anywhere and written below state_dir only; memory, descriptors and
 * capabilities are limited. What is open stays as it is.
 */
void acme_confine_finish(const acme_confine_t *confine, apr_pool_t *p);

/*
 * For a process that has all open that it needs, and that parses what strangers
 * made: it is "nobody", whom no worker may signal, or else of the workers'
 * user, without groups and capabilities; it opens nothing, has no standard
 * input, output and error, and is killed with its parent. What fails is not
 * logged: it has no log.
 */
void acme_confine_parser(uid_t workers);

#endif
