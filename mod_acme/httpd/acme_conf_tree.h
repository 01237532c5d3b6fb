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

/* What SSLCertificateFile or SSLCertificateKeyFile names. */
typedef struct {
    const char *path;           /* NULL: it is not a file */
    const char *place;          /* "file:line" of the directive */
} acme_conf_tree_file_t;

/* What one virtual host, or the server config, says. */
typedef struct {
    const char *place;          /* "file:line" of its <VirtualHost> */
    int tls;                    /* SSLEngine: 1, 0, or -1: not said */
    int is_optional;            /* SSLEngine optional: mod_ssl loads nothing */
    int has_name;               /* ServerName */
    apr_array_header_t *certs;  /* acme_conf_tree_file_t; NULL: none */
    apr_array_header_t *keys;   /* the same of the keys: the nth goes with the
                                   nth of certs; one too few: the certificate
                                   file holds its key */
    int has_chain_file;         /* SSLCertificateChainFile */
    int has_command;            /* SSLOpenSSLConfCmd Certificate */
    const char *ciphers;        /* SSLCipherSuite, up to TLS 1.2; NULL */
    const char *command_ciphers;    /* each SSLOpenSSLConfCmd CipherString, in
                                   the order in which mod_ssl sets them, with
                                   ACME_PAIR_THEN between two; NULL. That is
                                   done when certificates are loaded, after
                                   SSLCipherSuite, and handshakes obey it */
} acme_conf_tree_facts_t;

/* A certificate and its key that mod_ssl loads and mod_acme does not manage. */
typedef struct {
    const char *cert;           /* paths */
    const char *key;
    int has_chain_file;         /* of cert mod_ssl reads the first one only */
    const char *place;          /* "file:line" of the directive */
    const apr_array_header_t *ciphers;  /* for acme_pair_check() */
} acme_conf_tree_pair_t;

typedef struct acme_conf_tree_t acme_conf_tree_t;

/* Read the tree that httpd has just built; it lives as long as p. */
acme_conf_tree_t *acme_conf_tree_read(apr_pool_t *p);

/* Of this server, with what it inherits as in mod_ssl; never NULL. */
const acme_conf_tree_facts_t *acme_conf_tree_facts(
    const acme_conf_tree_t *tree, const server_rec *s);

/*
 * The SSLCertificateFile and SSLCertificateKeyFile of this server name a
 * managed certificate: from now on they count as not written.
 */
void acme_conf_tree_forget_files(const acme_conf_tree_t *tree,
                                 const server_rec *s);

/* Is a name of this server one of MDomain's, and does mod_md look at it? */
int acme_conf_tree_in_mod_md(const acme_conf_tree_t *tree,
                             const server_rec *s);

/*
 * Does mod_ssl start TLS for this server? Then what it names must load. A
 * certificate it needs only where SSLEngine on is said.
 */
int acme_conf_tree_has_tls(const acme_conf_tree_t *tree, const server_rec *s);

/*
 * "SSLCryptoDevice (file:line)": the first directive that makes mod_ssl do
 * more at a load than to read files: to talk to a device, to run a program, to
 * make a mutex by the very name that a running server has; NULL: there is none.
 */
const char *acme_conf_tree_beyond_reading(const acme_conf_tree_t *tree);

/*
 * acme_conf_tree_file_t: the logs that httpd opens. A path with "|" before it
 * is that of a program.
 */
const apr_array_header_t *acme_conf_tree_logs(const acme_conf_tree_t *tree);

/* Does mod_ssl ask for pass phrases at a terminal (SSLPassPhraseDialog)? */
int acme_conf_tree_asks_at_terminal(const acme_conf_tree_t *tree);

/* Is there a directive that names the handler acme-status? */
int acme_conf_tree_has_page(const acme_conf_tree_t *tree);

/* const char *: the files that have directives. */
const apr_array_header_t *acme_conf_tree_files(const acme_conf_tree_t *tree);

/*
 * acme_conf_tree_pair_t, in p: the pairs that mod_ssl is told to load, of the
 * server s and all that follow it, each once.
 */
const apr_array_header_t *acme_conf_tree_pairs(const acme_conf_tree_t *tree,
                                               const server_rec *s,
                                               apr_pool_t *p);

#endif
