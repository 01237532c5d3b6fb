/*
 * acme_pair.h - a trial of what mod_ssl would load at the next restart.
 *
 * The pair may be an administrator's own: any kind of key that OpenSSL reads.
 */
#ifndef ACME_PAIR_H
#define ACME_PAIR_H

#include <apr_tables.h>

#include "acme_result.h"

/*
 * Would mod_ssl load this pair? Reads both PEM files, the chain in cert_path
 * as well, compares the keys, and loads them into a TLS server of OpenSSL's.
 * An encrypted key is only seen to be one. Both may be the same file.
 *
 * ciphers: the SSLCipherSuite (const char *) of each server that is to load
 * it, "" where it has none, for such a list can set the security level; NULL
 * or empty: OpenSSL's default level. Fails with what the file is or lacks, for
 * good; ENOENT and the like when a file can't be read.
 */
apr_status_t acme_pair_check(const char *cert_path, const char *key_path,
                             const apr_array_header_t *ciphers,
                             acme_result_t *res);

/* The same of PEM texts that are no files yet; what: of what, for messages. */
apr_status_t acme_pair_check_pem(const char *certs, const char *key,
                                 const char *what,
                                 const apr_array_header_t *ciphers,
                                 acme_result_t *res);

#endif
