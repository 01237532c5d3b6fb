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
 * The name that a validator sends as SNI for name, one of a certificate: in p,
 * lower case, and for an address its name below in-addr.arpa or ip6.arpa.
 * (8738, 6) Never NULL.
 */
const char *acme_alpn_cert_sni(const char *name, apr_pool_t *p);

/*
 * SHA-256 of a key authorization (8555, 8.1) into digest, which has room for
 * ACME_ALPN_DIGEST_OCTETS. Fails with APR_EGENERAL when OpenSSL does.
 */
apr_status_t acme_alpn_cert_digest(unsigned char *digest,
                                   const char *key_authorization,
                                   acme_result_t *res);

/* The caller's; only read. */
typedef struct {
    acme_key_t *key;
    const char *sni;                    /* as acme_alpn_cert_sni() makes it */
    const unsigned char *digest;        /* ACME_ALPN_DIGEST_OCTETS of the key
                                           authorization */
    apr_time_t now;
} acme_alpn_cert_t;

/*
 * A certificate for the name or address behind sni, as PEM in p: signed by key
 * itself, valid from an hour before now to a day after it, with that one name
 * and the digest in the critical extension acmeIdentifier (8737, 3), and
 * with no other extension that a validator could refuse. On failure *ppem is
 * NULL and the status APR_EGENERAL, with OpenSSL's reason.
 */
apr_status_t acme_alpn_cert_make(const char **ppem,
                                 const acme_alpn_cert_t *from,
                                 acme_result_t *res, apr_pool_t *p);

#endif
