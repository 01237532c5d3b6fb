/*
 * acme_conf.h - the certificates and CAs of the configuration.
 *
 * Made by httpd/acme_vhosts in the parent before the keeper is forked. Keeper
 * and workers have the same one, so a certificate is named by its index, and
 * a worker cannot name one that is not configured.
 */
#ifndef ACME_CONF_H
#define ACME_CONF_H

#include <sys/types.h>

#include <apr_tables.h>

#include "acme_challenge.h"
#include "acme_export_format.h"
#include "acme_hook_event.h"
#include "acme_key.h"
#include "acme_text.h"
#include "acme_time.h"

/* AcmeDns: who sets the TXT records of dns-01. */
typedef enum { ACME_DNS_EXEC, ACME_DNS_RFC2136 } acme_dns_e;

/* How a command of AcmeDns exec is called. */
typedef enum {
    ACME_DNS_CALL_PLAIN,        /* present|cleanup RECORD VALUE */
    ACME_DNS_CALL_MOD_MD,       /* setup|teardown DOMAIN VALUE */
    ACME_DNS_CALL_DEHYDRATED    /* deploy_challenge|clean_challenge DOMAIN
                                   TOKEN VALUE */
} acme_dns_call_e;

typedef struct {
    acme_dns_e how;
    acme_dns_call_e call;
    apr_array_header_t *present;        /* const char *: absolute path, args */
    apr_array_header_t *cleanup;        /* the same; NULL: present's */
    const char *server;                 /* rfc2136: host */
    const char *port;                   /* "53" */
    const char *key_file;               /* for nsupdate -k; absolute path */
    const char *zone;                   /* NULL: nsupdate finds it */
    int stay;                           /* CNAMEs are not followed */
    apr_interval_time_t timeout;        /* AcmeHookTimeout */
} acme_dns_conf_t;

/* AcmeHttp: who publishes the tokens of http-01, beside this server. */
typedef enum { ACME_TOKEN_EXEC, ACME_TOKEN_WEBROOT } acme_token_e;

typedef struct {
    acme_token_e how;
    apr_array_header_t *present;        /* const char *: absolute path */
    apr_array_header_t *cleanup;        /* the same; NULL: nothing is run */
    const char *root;                   /* webroot: absolute path */
    apr_interval_time_t timeout;        /* AcmeHookTimeout */
} acme_token_conf_t;

/* AcmeHook: a command of the administrator's for an event. */
typedef struct {
    acme_hook_e kind;
    apr_array_header_t *command;        /* const char *: absolute path, args.
                                           NULL, while directives are read:
                                           those of this kind that are inherited
                                           are not run */
} acme_hook_conf_t;

/* A copy of a certificate for other programs. */
typedef struct {
    const char *path;                   /* absolute; ends in '/': a folder for
                                           each generation */
    acme_export_e format;
    const char *password_file;          /* absolute path, with PKCS12 */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    apr_uint32_t part;                  /* of the certificate's key types */
    const char *place;                  /* "file:line" of the directive */
    const char *no_owner;               /* why uid and gid are not known, and */
    const char *no_password;            /*   the password was not, when httpd
                                           was loaded; NULL: they are */
} acme_export_conf_t;

/* A CA and a key identifier; each has one account and its rate limits. */
typedef struct {
    const char *url;                    /* of the directory */
    const char *folder;                 /* of the account in the store */
    apr_array_header_t *contacts;       /* const char *: mailto:... */
    const char *kid;                    /* EAB; NULL: none */
    const char *hmac;                   /* its secret (base64url), or NULL */
    const char *hmac_file;              /* its path, read by the keeper only */
    int is_for_dry_runs;                /* the staging environment of one, and
                                           in the list of no certificate */
} acme_ca_conf_t;

/* A live certificate of another id, served while one's own is missing. */
typedef struct {
    const char *id;                     /* NULL: none */
    int n;                              /* its archive */
    int is_same;                        /* it has exactly the names: the keeper
                                           takes it over */
} acme_stand_in_t;

/* Where httpd listens, as a visitor from this machine gets there. */
typedef struct {
    const char *address;                /* "127.0.0.1", "::1" */
    const char *spare;                  /* when that is refused; NULL: none */
    int port;
    const char *text;                   /* for people: "*:443" */
} acme_visit_place_t;

/* A place and a name whose visitors get the certificate: what the self check
   looks at. */
typedef struct {
    const acme_visit_place_t *at;
    const char *name;                   /* a host's, or an IP address */
} acme_visit_t;

/* A way to a CA: connections, and how well it answers, are those of one. */
typedef struct {
    apr_uint32_t ca;                    /* index in acme_conf_t.cas */
    const char *roots;                  /* PEM file; NULL: the system's */
    const char *proxy;                  /* URL or NULL */
} acme_route_conf_t;

/* AcmeKeyReuse: which key a renewal gets. */
typedef enum {
    ACME_KEY_REUSE_OFF,         /* a new one */
    ACME_KEY_REUSE_ON,          /* that of the live certificate */
    ACME_KEY_REUSE_NEXT         /* one that was made ahead (acme_next_key.h) */
} acme_key_reuse_e;

typedef struct {
    const char *id;                     /* also its folder in the store */
    apr_array_header_t *names;          /* const char *, see acme_name.h */
    apr_array_header_t *places;         /* const char *: "file:line" of vhosts */
    apr_array_header_t *ciphers;        /* const char *: each SSLCipherSuite of
                                           theirs, alone and with what
                                           SSLOpenSSLConfCmd CipherString sets
                                           after it, for acme_pair_check() */
    apr_array_header_t *cas;            /* apr_uint32_t: in acme_conf_t.cas,
                                           tried in this order */
    apr_array_header_t *routes;         /* apr_uint32_t: in acme_conf_t.routes,
                                           the way to each of cas */
    const apr_array_header_t *dry_run_cas;      /* apr_uint32_t: where the dry
                                           run for each of cas is made: its
                                           staging environment, or itself. NULL:
                                           nowhere */
    const apr_array_header_t *dry_run_routes;   /* and the way there */
    int agreed;                         /* to the CA's terms of service */
    apr_array_header_t *key_types;      /* acme_key_type_e: a certificate of
                                           each, in one archive */
    acme_key_reuse_e key_reuse;
    apr_interval_time_t next_key_age;   /* of the next key, before a renewal
                                           uses it */
    int must_staple;
    const char *profile;                /* NULL: the CA's default */
    int profile_required;
    const char *preferred_chain;        /* CN of the topmost issuer, or NULL */
    int renewal_info;                   /* AcmeRenewalInfo */
    int challenges[ACME_CHALLENGES];    /* acme_challenge_e: those that can
                                           work here, in order of preference */
    int nchallenges;
    const char *ports;                  /* AcmePorts, and which of them are
                                           listened on; NULL: not known */
    const acme_dns_conf_t *dns;         /* NULL: no dns-01 */
    const acme_token_conf_t *http;       /* NULL: this server alone answers */
    const apr_array_header_t *hooks;    /* acme_hook_conf_t; NULL: none */
    apr_interval_time_t hook_timeout;
    const apr_array_header_t *exports;  /* acme_export_conf_t; NULL: none */
    acme_window_t renew;
    acme_window_t warn;
    int served;                         /* archive that this load serves; 0:
                                           the placeholder, */
    acme_stand_in_t stand_in;           /*   or this one instead of both */
    int is_activated;                   /* in the keeper: served was given to
                                           running workers since */
    int is_hidden;                      /* visitors of a name of it get what
                                           another virtual host or module has */
    int is_stapled;                     /* by mod_ssl, for a virtual host */
    const apr_array_header_t *visits;   /* acme_visit_t; NULL: none */
    const char *visits_digest;          /* 16 hex digits that change with them
                                           and with served; NULL: no visits */
    const char *digest;                 /* acme_conf_digest() */
    const char *settings;               /* acme_conf_settings() */
} acme_cert_conf_t;

typedef enum {
    ACME_ACTIVATE_GRACEFUL,
    ACME_ACTIVATE_NONE,
    ACME_ACTIVATE_LIVE          /* running workers use the new certificate */
} acme_activate_e;

#define ACME_PARALLEL_MAX 64            /* orders side by side */

typedef struct {
    const char *state_dir;
    apr_array_header_t *cas;            /* acme_ca_conf_t */
    apr_array_header_t *routes;         /* acme_route_conf_t */
    apr_array_header_t *certs;          /* acme_cert_conf_t */
    int parallel;                       /* orders side by side, at the most, */
    int parallel_first;                 /* and at first */
    acme_activate_e activate;
    apr_interval_time_t reload_delay;
    int reload_guard;
    int export_faults;                  /* copies of AcmeExport that are not
                                           made, as their paths are another's,
                                           or cannot be made now */
} acme_conf_t;

/* The certificate with this index; NULL: there are fewer. */
const acme_cert_conf_t *acme_conf_cert(const acme_conf_t *conf,
                                       apr_uint32_t index);

/* The n-th command of this kind, in their order; NULL: there are fewer. */
const acme_hook_conf_t *acme_conf_hook(const acme_cert_conf_t *cert,
                                       acme_hook_e kind, int n);

/* 16 hex digits of its command line, in p: equal ones are one command. */
const char *acme_conf_hook_digest(const acme_hook_conf_t *hook, apr_pool_t *p);

/*
 * The CA at this position of the certificate's list; NULL: it has fewer. The
 * positions that follow those of the list, as many again, are those of dry runs
 * (acmectl renew --dry-run): acme_conf_dry_run_ca().
 */
const acme_ca_conf_t *acme_conf_ca(const acme_conf_t *conf,
                                   const acme_cert_conf_t *cert,
                                   apr_uint32_t ca);

/* The position of the dry run for the CA at a position of the list. */
apr_uint32_t acme_conf_dry_run_ca(const acme_cert_conf_t *cert,
                                  apr_uint32_t ca);

/* Is this position one of a dry run? */
int acme_conf_is_dry_run(const acme_cert_conf_t *cert, apr_uint32_t ca);

/* The index in acme_conf_t.cas of a position that acme_conf_ca() knows. */
apr_uint32_t acme_conf_ca_index(const acme_cert_conf_t *cert,
                                apr_uint32_t ca);

/* The index in acme_conf_t.routes of the way to it, and that way. */
apr_uint32_t acme_conf_route_index(const acme_cert_conf_t *cert,
                                   apr_uint32_t ca);
const acme_route_conf_t *acme_conf_route(const acme_conf_t *conf,
                                         const acme_cert_conf_t *cert,
                                         apr_uint32_t ca);

/* A certificate has a part for each key type: their number, and the key type
   of a part that is within the list. */
apr_uint32_t acme_conf_parts(const acme_cert_conf_t *cert);
acme_key_type_e acme_conf_key_type(const acme_cert_conf_t *cert,
                                   apr_uint32_t part);

/* The suffix of a part's files in the archive, a literal: "" for part 0, else
   "-rsa", "-p256" or "-p384". */
const char *acme_conf_suffix(const acme_cert_conf_t *cert, apr_uint32_t part);

/*
 * Has a part the first key of its kind, EC or RSA? OpenSSL has room for one of
 * each, so the others are not served.
 */
int acme_conf_is_first_of_kind(const acme_cert_conf_t *cert,
                               apr_uint32_t part);

/* 16 hex digits, in p, that change with visits and served; NULL: no visits. */
const char *acme_conf_visits_digest(const acme_cert_conf_t *cert,
                                    apr_pool_t *p);

/* "p256 rsa2048", in p */
const char *acme_conf_key_types(const acme_cert_conf_t *cert, apr_pool_t *p);

/* "http-01 dns-01", in p: those that can work here, in order of preference. */
const char *acme_conf_challenges(const acme_cert_conf_t *cert, apr_pool_t *p);

/*
 * 16 hex digits, in p, that change when the CSR of a part changes: the names,
 * the key type, must-staple. Pending keys belong to one such digest.
 */
const char *acme_conf_request(const acme_cert_conf_t *cert, apr_uint32_t part,
                              const apr_array_header_t *names, apr_pool_t *p);

/* The same of the whole certificate: its CAs, names, parts and profile. */
const char *acme_conf_digest(const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_pool_t *p);

/*
 * acme_conf_digest(), '-' and 16 digits that change with all other settings
 * that can cause a failure: contacts, proxy, ports, ... Of files the time and
 * size count too: one that was mended is tried.
 */
const char *acme_conf_settings(const acme_conf_t *conf,
                               const acme_cert_conf_t *cert, apr_pool_t *p);

/* Set digest and settings of each certificate: what orders are made for. */
void acme_conf_set_digests(acme_conf_t *conf, apr_pool_t *p);

/* Do these settings, of before, ask the same CAs for the same certificate? */
int acme_conf_settings_ask_same(const char *settings,
                                const acme_cert_conf_t *cert);

#endif
