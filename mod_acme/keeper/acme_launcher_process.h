/*
 * acme_launcher_process.h - the launcher itself, in a process of its own.
 */
#ifndef ACME_LAUNCHER_PROCESS_H
#define ACME_LAUNCHER_PROCESS_H

#include "acme_launcher_rules.h"

/*
 * Be the launcher, for the keeper at the other end of the socket fd; exits when
 * the keeper ended. All other descriptors above standard error are closed.
 */
void acme_launcher_process_run(int fd, const acme_launcher_rules_t *rules)
    __attribute__((noreturn));

#endif
