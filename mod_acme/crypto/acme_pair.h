/*
 * acme_pair.h - a trial of the pair that mod_ssl would load at a restart.
 *
 * The pair may be an administrator's own: any kind of key that OpenSSL reads.
 */
#ifndef ACME_PAIR_H
#define ACME_PAIR_H

#include <apr_tables.h>

#include "acme_chain.h"
#include "acme_octets.h"
#include "acme_result.h"

#define ACME_PAIR_THEN "|"

/*
 * Would mod_ssl load this pair? Reads both files, the chain in cert_path
 * as well, compares the keys, and loads them into a TLS server of OpenSSL's.
 * An encrypted key is neither compared nor loaded. Both may be the same file.
 *
 * ciphers: the SSLCipherSuite (const char *) of each server that loads the
 * pair, "" where it has none, for such a list can set the security level; NULL
 * or empty: OpenSSL's default level. Where a server sets several, one after the
 * other, ACME_PAIR_THEN is between two: OpenSSL refuses a list that has it.
 *
 * APR_EINVAL, for good, when mod_ssl would not load them: res has the file and
 * its fault. When a file cannot be read, as acme_openssl_file() has it.
 */
apr_status_t acme_pair_check(const char *cert_path, const char *key_path,
                             const apr_array_header_t *ciphers,
                             acme_result_t *res);

/*
 * The same where the chain has a file of its own (SSLCertificateChainFile):
 * of cert_path mod_ssl reads the first certificate only.
 */
apr_status_t acme_pair_check_leaf(const char *cert_path, const char *key_path,
                                  const apr_array_header_t *ciphers,
                                  acme_result_t *res);

/*
 * The same of the certificates alone, PEM of at most ACME_PEM_FILE_MAX octets:
 * *pkey is the public key of the leaf, in p, for acme_public_key_is_same();
 * none where there is no leaf. That the key is the right one is not checked.
 * Which certificates they are is not in res.
 */
apr_status_t acme_pair_check_certs(acme_octets_t *pkey, acme_octets_t certs,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * Servers with these lists of ciphers, as acme_pair_check() has them, in which
 * many pairs are tried: OpenSSL needs as long for one as for a certificate.
 * They go with p.
 */
typedef struct acme_pair_servers_t acme_pair_servers_t;
acme_pair_servers_t *acme_pair_servers(const apr_array_header_t *ciphers,
                                       apr_pool_t *p);

/*
 * acme_pair_check() of a chain that was loaded from cert_path: of the two files
 * that of the key is read.
 */
apr_status_t acme_pair_check_chain(const acme_chain_t *chain,
                                   const char *cert_path, const char *key_path,
                                   const acme_pair_servers_t *servers,
                                   acme_result_t *res);

/*
 * What the result of acme_pair_check() depends on beside the files, as hex
 * digits in p, at most ACME_PAIR_SCENE_MAX: the lists of ciphers, the security
 * level of each here, and OpenSSL. A pair that was good is good while it is the
 * same.
 */
#define ACME_PAIR_SCENE_MAX 32
const char *acme_pair_scene(const apr_array_header_t *ciphers, apr_pool_t *p);

/* Does the first private key in this file have a pass phrase? */
int acme_pair_has_pass_phrase(const char *key_path);

/*
 * A name for the public key of the first certificate in this file, hex digits
 * in p: equal for certificates that go with the same private key. "" when
 * there is none that can be read.
 */
const char *acme_pair_public_key(const char *cert_path, apr_pool_t *p);

/*
 * Would mod_ssl take this SSLCipherSuite (up to TLS 1.2)? APR_EINVAL, for
 * good, when OpenSSL refuses it.
 */
apr_status_t acme_pair_check_ciphers(const char *list, acme_result_t *res);

#endif
