/*
 * acme_conf_tree.h - what httpd's configuration tree tells that no API does:
 * which virtual hosts are TLS ones, what they load, and from which files.
 *
 * mod_ssl's own configuration is private, and its hook comes only in
 * post_config, which httpd -t never reaches.
 */
#ifndef ACME_CONF_TREE_H
#define ACME_CONF_TREE_H

#include <apr_tables.h>
#include <httpd.h>

/* What one virtual host, or the server config, says itself. */
typedef struct {
    const char *place;          /* "file:line" of its <VirtualHost> */
    int tls;                    /* SSLEngine: 1, 0, or -1: not said */
    int has_name;               /* ServerName */
    int has_certificate;        /* SSLCertificateFile */
    const char *key_place;      /* "file:line" of its SSLCertificateKeyFile;
                                   NULL: it has none */
    const char *ciphers;        /* SSLCipherSuite, up to TLS 1.2; NULL */
} acme_conf_tree_facts_t;

typedef struct acme_conf_tree_t acme_conf_tree_t;

/* Read the tree that httpd has just built. */
acme_conf_tree_t *acme_conf_tree_read(apr_pool_t *p);

/* Of this server, with what it inherits; never NULL. */
const acme_conf_tree_facts_t *acme_conf_tree_facts(
    const acme_conf_tree_t *tree, const server_rec *s, apr_pool_t *p);

/* const char *: the files that have directives. */
const apr_array_header_t *acme_conf_tree_files(const acme_conf_tree_t *tree);

/* acme_server_pair_t: the certificates that mod_ssl is told to load. */
const apr_array_header_t *acme_conf_tree_pairs(const acme_conf_tree_t *tree);

#endif
