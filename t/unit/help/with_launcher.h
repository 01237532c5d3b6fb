/*
 * with_launcher.h - a launcher for the commands of a test, and the process that
 * parses certificates.
 */
#ifndef WITH_LAUNCHER_H
#define WITH_LAUNCHER_H

#include <sys/types.h>

#include "acme_launcher.h"

/*
 * It executes any command, with the environment of now, until the pool ends;
 * an earlier one ends. server lives as long; NULL: nobody is signalled.
 */
void with_launcher(const acme_server_t *server);

/* The process that parses certificates for this keeper, which has a launcher. */
pid_t reader_of(pid_t keeper);

#endif
