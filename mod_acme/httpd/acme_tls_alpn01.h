/*
 * acme_tls_alpn01.h - tls-alpn-01 answered in the handshake. (8737)
 *
 * A connection is ours when its client offers acme-tls/1 and nothing else,
 * and when its SNI is on the board. All others go on as without us.
 */
#ifndef ACME_TLS_ALPN01_H
#define ACME_TLS_ALPN01_H

#include <httpd.h>

#include "acme_board.h"
#include "acme_conf.h"

/* Is it built in? It needs mod_ssl's header and OpenSSL's SSL_certs_clear. */
int acme_tls_alpn01_available(void);

/*
 * Before mod_ssl looks at its servers: when conf has certificates, acme-tls/1
 * is added to the Protocols of each TLS server.
 */
void acme_tls_alpn01_prepare(const acme_conf_t *conf);

/* From now on names on this board are answered. */
void acme_tls_alpn01_init(acme_board_t *board);

/* In a worker, before its threads. */
void acme_tls_alpn01_child_init(void);

void acme_tls_alpn01_hooks(apr_pool_t *p);

#endif
