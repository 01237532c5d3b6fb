/*
 * acme_jwk_key.h - private keys that are not plain PEM: in JWK (7517), as
 * certbot keeps them, and in PEM with a pass phrase.
 */
#ifndef ACME_JWK_KEY_H
#define ACME_JWK_KEY_H

#include "acme_json.h"
#include "acme_key.h"

/*
 * The private key in a JWK: RSA with all its primes (7518, 6.3.2), or EC on
 * P-256 or P-384 (6.2.2), whose numbers belong together. *pkey is in p, what
 * names the key in res. Fails as acme_key_parse() does.
 */
apr_status_t acme_jwk_key_parse(acme_key_t **pkey, const json_t *jwk,
                                const char *what, acme_result_t *res,
                                apr_pool_t *p);

/*
 * As acme_key_parse(), of a PEM text whose pass phrase is known: any octets,
 * at most 1024. A key without one is read as well.
 */
apr_status_t acme_jwk_key_decrypt(acme_key_t **pkey, const char *pem,
                                  acme_octets_t pass, const char *what,
                                  acme_result_t *res, apr_pool_t *p);

#endif
