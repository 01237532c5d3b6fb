/*
 * acme_ctl_call.h - the command line of acmectl.
 */
#ifndef ACME_CTL_CALL_H
#define ACME_CTL_CALL_H

#include "acme_ctl_command.h"

/* Longer than the parent of httpd takes to replace a keeper that hangs. */
#define ACME_CTL_TIMEOUT apr_time_from_sec(70)

/*
 * Read the arguments into run, of which verbs and p are set and all else is
 * zero. Options may stand anywhere, "--option=VALUE" is one too, and "--" ends
 * them. Returns 0 for an invalid command line, which is explained on stderr
 * then, with the usage.
 */
int acme_ctl_call_read(acme_ctl_command_t *run, int argc,
                       const char *const *argv);

#endif
