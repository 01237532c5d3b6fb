/*
 * acme_peer_cert.h - the certificate that a TLS server shows to a visitor.
 *
 * Nothing is verified, and nothing is asked for: the server's answer is to be
 * compared, whoever it is. It may be hostile, so all is within bounds.
 */
#ifndef ACME_PEER_CERT_H
#define ACME_PEER_CERT_H

#include <apr_pools.h>
#include <apr_time.h>

#include "acme_chain.h"
#include "acme_digest.h"
#include "acme_stop.h"

/* Whose signatures the visitor can check. */
typedef enum {
    ACME_PEER_ANY_KEY,
    ACME_PEER_EC_KEY,
    ACME_PEER_RSA_KEY
} acme_peer_key_e;

typedef struct {
    const char *address;        /* an IP address: "127.0.0.1", "::1" */
    int port;
    const char *name;           /* SNI (6066, 3); NULL: none */
    acme_peer_key_e key;
    const char *protocol;       /* the one that is offered (7301); NULL: none */
    apr_interval_time_t timeout;        /* for all of it */
    acme_stop_t *stop;
} acme_peer_t;

/* A leaf, in the pool of the call. */
typedef struct {
    unsigned char digest[ACME_DIGEST_OCTETS];   /* SHA-256 of its DER */
    const char *serial;         /* hex, lower case; cut at 40 digits */
    const char *issuer;         /* as in acme_cert_info_t */
    int is_self_signed;         /* it names itself as its issuer */
    int is_placeholder;         /* of acme_self_signed_make(), as it says */
    int has_protocol;           /* the one that was offered was taken */
} acme_peer_cert_t;

/*
 * Connect, have the server show its certificate, and take leave. A handshake
 * that fails after that is a success: the server may want one of ours.
 *
 * On failure *cert is cleared: the errno of connect(2), such as ECONNREFUSED;
 * APR_TIMEUP; APR_EINTR when stopped; APR_EGENERAL when no TLS came of it, or
 * this process may not parse certificates. res says it in words that are the
 * same each time.
 */
apr_status_t acme_peer_cert_fetch(acme_peer_cert_t *cert,
                                  const acme_peer_t *peer, acme_result_t *res,
                                  apr_pool_t *p);

/* The leaf of a chain, to compare with; 0 when OpenSSL fails. */
int acme_peer_cert_of_chain(acme_peer_cert_t *cert, const acme_chain_t *chain,
                            apr_pool_t *p);

/* Are they one and the same certificate? */
int acme_peer_cert_is_same(const acme_peer_cert_t *a,
                           const acme_peer_cert_t *b);

#endif
