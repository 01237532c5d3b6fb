/*
 * acme_key_maker_process.h - the process that makes keys, itself.
 *
 * It has no right, no file and one socket, and no key but the one that it
 * makes. It gets an acme_key_type_e as an apr_uint32_t, and replies with the number of
 * octets of a PEM text, and the text; 0: it failed.
 */
#ifndef ACME_KEY_MAKER_PROCESS_H
#define ACME_KEY_MAKER_PROCESS_H

#include <apr.h>

#include "acme_launcher_rules.h"

#define ACME_KEY_MAKER_PEM_MAX (16 * 1024)      /* octets */

/*
 * Be that process, for the keeper at the other end of the socket fd; exits when
 * the keeper ended. All other descriptors are closed.
 */
void acme_key_maker_process_run(int fd, const acme_launcher_rules_t *rules);

#endif
