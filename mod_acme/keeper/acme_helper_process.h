/*
 * acme_helper_process.h - how a process begins that does one thing for the
 * keeper, with one socket to it.
 */
#ifndef ACME_HELPER_PROCESS_H
#define ACME_HELPER_PROCESS_H

#include "acme_launcher_rules.h"

/*
 * In a fork of the launcher: name the process, close all descriptors but
 * standard ones and the socket fd, and forget what the configuration has of
 * secrets. Returns the socket's new number.
 */
int acme_helper_process_begin(int fd, const char *name, const char *purpose,
                              const acme_launcher_rules_t *rules);

#endif
