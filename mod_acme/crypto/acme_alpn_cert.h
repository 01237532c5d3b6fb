/*
 * acme_alpn_cert.h - the certificate that answers tls-alpn-01. (8737, 3)
 *
 * It is shown to a CA's validator and to nobody else, and proves nothing but
 * that this server knows the key authorization.
 */
#ifndef ACME_ALPN_CERT_H
#define ACME_ALPN_CERT_H

#include "acme_key.h"
#include "acme_result.h"

#define ACME_ALPN_DIGEST_OCTETS 32

/*
 * The name that a validator sends as SNI for a name of a certificate: lower
 * case, and for an address its name below in-addr.arpa or ip6.arpa. (8738, 6)
 */
const char *acme_alpn_cert_sni(const char *name, apr_pool_t *p);

/* SHA-256 of a key authorization, into ACME_ALPN_DIGEST_OCTETS octets. */
apr_status_t acme_alpn_cert_digest(unsigned char *digest,
                                   const char *key_authorization,
                                   acme_result_t *res);

typedef struct {
    acme_key_t *key;
    const char *sni;
    const unsigned char *digest;        /* of the key authorization */
    apr_time_t now;
} acme_alpn_cert_t;

/*
 * A certificate for the name behind sni, as PEM in p: signed by key itself,
 * with that one name or address, and the digest in the critical extension
 * acmeIdentifier. Nothing else that a validator could stumble over.
 */
apr_status_t acme_alpn_cert_make(const char **ppem,
                                 const acme_alpn_cert_t *from,
                                 acme_result_t *res, apr_pool_t *p);

#endif
