/*
 * acme_server_conf.h - a server's configuration: what the directives fill, and
 * what a virtual host inherits.
 */
#ifndef ACME_SERVER_CONF_H
#define ACME_SERVER_CONF_H

#include <httpd.h>
#include <http_config.h>

#include "acme_conf.h"
#include "acme_directives.h"

extern module AP_MODULE_DECLARE_DATA acme_module;

typedef enum { ACME_HTTPS_OFF, ACME_HTTPS_TEMPORARY, ACME_HTTPS_PERMANENT }
    acme_require_https_e;

typedef struct {
    int http;                   /* local port behind 80 of outside; 0: none */
    int https;
} acme_ports_t;

typedef struct {
    const char *kid;                    /* NULL: none */
    const char *hmac;                   /* inline, */
    const char *hmac_file;              /* or in a file */
    const char *ca;                     /* URL of its CA; NULL: each of those
                                           that are set where it stands */
} acme_external_account_t;

typedef struct {
    int types[ACME_CHALLENGES];         /* acme_challenge_e */
    int n;
} acme_challenges_t;

typedef struct {
    const char *name;                   /* NULL: the CA's default */
    int required;
} acme_profile_conf_t;

typedef struct {
    acme_key_reuse_e how;
    apr_interval_time_t age;            /* of the next key; 0 without one */
} acme_key_reuse_t;

/* The fields of the table. Many servers may have the same one. */
typedef struct {
    char *set;                          /* of each directive: written here or
                                           in a base of it, */
    const char **written;               /* as this; NULL: as default. An HMAC
                                           key is not in it */
    int engine;
    int engine_own;                     /* AcmeEngine on in this very vhost */
    int agreed;
    apr_array_header_t *cas;            /* const char *: directory URLs */
    apr_array_header_t *contacts;       /* const char *: mailto:... */
    apr_array_header_t *external_accounts;      /* acme_external_account_t;
                                                   NULL: none */
    const char *id;
    apr_array_header_t *names;          /* const char *, "auto" among them */
    acme_challenges_t challenges;
    acme_dns_conf_t *dns;
    acme_token_conf_t *http;
    apr_array_header_t *hooks;          /* acme_hook_conf_t; NULL: none. With
                                           rows that take back inherited
                                           ones of an event */
    apr_interval_time_t hook_timeout;
    apr_array_header_t *exports;        /* acme_export_conf_t, with placeholders
                                           in its paths; NULL: none */
    acme_ports_t ports;
    apr_array_header_t *key_types;      /* acme_key_type_e */
    acme_key_reuse_t key_reuse;
    acme_profile_conf_t profile;
    const char *preferred_chain;
    int must_staple;
    int renewal_info;
    acme_window_t renew;
    acme_window_t warn;
    int parallel;
    acme_activate_e activate;
    apr_interval_time_t reload_delay;
    int reload_guard;
    acme_require_https_e require_https;
    int server_status;
    const char *state_dir;              /* as written, like all paths */
    const char *roots;
    const char *proxy;

    int is_hooks_reset;                 /* AcmeHook none: of those of the
                                           server config none is inherited */
    int is_exports_reset;               /* the same of AcmeExport */
    const apr_array_header_t *external_cas;     /* URLs of the CAs of external
                                                   accounts without one; NULL:
                                                   all */
} acme_server_conf_t;

/* A server: its configuration, and what this load found out about it. */
typedef struct {
    acme_server_conf_t *conf;
    apr_array_header_t *certs;          /* the vhost watch: int, indexes of
                                           its certificates, that of its first
                                           name first; NULL: not managed */
    const apr_array_header_t *ciphers;  /* of one that is_unordered: as an
                                           acme_cert_conf_t has them, */
    const char *place;                  /*   and "file:line" of its start */
    struct acme_cert_vhost_t *handshakes;       /* with a certificate callback
                                           of ours; NULL: there is none */
    unsigned is_unordered : 1;          /* managed, but there is no name to
                                           order: always a placeholder */
    unsigned is_live_named : 1;         /* its SSLCertificateFile is below
                                           live/: mod_ssl gets the archive's */
    unsigned given : 1;                 /* mod_ssl serves the first of certs */
    unsigned is_without_tls13 : 1;      /* SSLProtocol, as mod_ssl has it */
} acme_server_found_t;

/* The module's configuration of this server; httpd has the former. */
acme_server_found_t *acme_server_conf_found(const server_rec *s);
acme_server_conf_t *acme_server_conf(const server_rec *s);

/* The name of the file where this server starts, in p: httpd's own is gone after
   the load if a macro made the server. last, if that is the same text; NULL as
   httpd's. */
const char *acme_server_conf_file(const server_rec *s, const char *last,
                                  apr_pool_t *p);

/* httpd's, of two acme_server_found_t: add over base. Each field of the table
   is inherited; commands of AcmeHook and copies of AcmeExport add to those of
   base. */
void *acme_server_conf_merge(apr_pool_t *p, void *base, void *add);

/*
 * Append the commands (acme_hook_conf_t) in from to hooks, but for those of
 * the reset's kind, and those that are there already. reset NULL: all.
 */
void acme_server_conf_add_hooks(apr_array_header_t *hooks,
                                const apr_array_header_t *from,
                                const acme_hook_conf_t *reset);

/*
 * "AcmeDns, AcmeHook": the directives of which two virtual hosts that share a
 * certificate should have the same value, and have not, in p. NULL: none.
 */
const char *acme_server_conf_differences(const acme_server_conf_t *a,
                                         const acme_server_conf_t *b,
                                         apr_pool_t *p);

/*
 * httpd gives virtual hosts without a directive of ours the struct of base, the
 * server config: from now on each has one of its own, and all of them the same
 * configuration.
 */
void acme_server_conf_unshare(server_rec *base, apr_pool_t *p);

#endif
