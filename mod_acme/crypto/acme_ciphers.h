/*
 * acme_ciphers.h - what an SSLCipherSuite allows.
 */
#ifndef ACME_CIPHERS_H
#define ACME_CIPHERS_H

#include "acme_key.h"

/*
 * Does the list, up to TLS 1.2, have a cipher that a server with a key of this
 * type can use? A list that OpenSSL refuses does: mod_ssl reports it. TLS 1.3
 * has no such lists.
 */
int acme_ciphers_have_key(const char *list, acme_key_type_e type);

#endif
