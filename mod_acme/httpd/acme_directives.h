/*
 * acme_directives.h - the directives: one table, and what it fills.
 *
 * A row is name, syntax, default, where, parser, field, meaning, example. The
 * parser, the merge, the defaults, httpd's own table and the manual read it.
 */
#ifndef ACME_DIRECTIVES_H
#define ACME_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

#include "acme_conf.h"

extern module AP_MODULE_DECLARE_DATA acme_module;

typedef enum { ACME_HTTPS_OFF, ACME_HTTPS_TEMPORARY, ACME_HTTPS_PERMANENT }
    acme_require_https_e;

typedef struct {
    int http;                   /* local port behind the outside's 80; 0: none */
    int https;
} acme_ports_t;

typedef struct {
    const char *kid;                    /* NULL: none */
    const char *hmac;                   /* inline, */
    const char *hmac_file;              /* or in a file */
} acme_external_account_t;

typedef struct {
    int types[ACME_CHALLENGES];         /* acme_challenge_e */
    int n;
} acme_challenges_t;

typedef struct {
    const char *name;                   /* NULL: the CA's default */
    int required;
} acme_profile_conf_t;

/* ACME_VHOST: server config and virtual host. ACME_SERVER: the server's alone. */
#define ACME_VHOST  0
#define ACME_SERVER 1

#define ACME_DIRECTIVES(X) \
    X(AcmeEngine, "on|off", "off", ACME_VHOST, flag, engine, \
      "Manage this virtual host. In the server config: every TLS virtual " \
      "host that has no SSLCertificateFile.", \
      "AcmeEngine on") \
    X(AcmeTermsOfService, "agree", NULL, ACME_VHOST, agree, agreed, \
      "Agree to the CA's terms of service. Without it nothing is ordered, " \
      "and log and pages say so.", \
      "AcmeTermsOfService agree") \
    X(AcmeCA, "name|url ...", "letsencrypt", ACME_VHOST, cas, cas, \
      "The CA: letsencrypt, letsencrypt-staging, zerossl, google, sslcom, " \
      "actalis or the URL of a directory. With several, the next one is " \
      "tried when the first fails, in time before anything expires.", \
      "AcmeCA letsencrypt https://ca.example.org/directory") \
    X(AcmeContact, "address ...", NULL, ACME_VHOST, contacts, contacts, \
      "Contacts of the account: e-mail addresses.", \
      "AcmeContact admin@example.org") \
    X(AcmeExternalAccount, "kid hmac|file:path", NULL, ACME_VHOST, \
      external_account, external_account, \
      "External account binding: the key identifier and the HMAC key " \
      "(base64url) that the CA gave you; better in a file of mode 0600. A " \
      "changed key identifier makes a new account.", \
      "AcmeExternalAccount kid-1 file:/etc/acme/hmac.key") \
    X(AcmeCertificate, "id", NULL, ACME_VHOST, id, id, \
      "Virtual hosts with the same id share one certificate. Default: the " \
      "ServerName.", \
      "AcmeCertificate shop.example.org") \
    X(AcmeNames, "auto|name ...", "auto", ACME_VHOST, names, names, \
      "The names of the certificate. auto: ServerName and the plain ones of " \
      "ServerAlias. Wildcards, which need dns-01 or dns-persist-01, and IP " \
      "addresses are listed.", \
      "AcmeNames auto *.example.org") \
    X(AcmeChallenges, "type ...", "http-01 tls-alpn-01 dns-01 " \
      "dns-persist-01", ACME_VHOST, challenges, challenges, \
      "The challenges that may be answered. Those that can work here are " \
      "tried in this order; after a failure the next one.", \
      "AcmeChallenges tls-alpn-01 http-01") \
    X(AcmeDns, "exec command [cleanup-command] | rfc2136 server=host[:port] key=file " \
      "[zone=auto|name]", NULL, ACME_VHOST, dns, dns, \
      "Who sets the TXT records of dns-01. exec: a command, called with " \
      "present or cleanup, the record's name and its value; a second " \
      "command cleans up instead. exec:mod_md and exec:dehydrated call " \
      "it as those do. rfc2136: dynamic updates with nsupdate and a TSIG " \
      "key.", \
      "AcmeDns rfc2136 server=192.0.2.53 key=/etc/acme/tsig.key") \
    X(AcmeHook, "event command ...", NULL, ACME_VHOST, hook, hooks, \
      "A command for an event; may be repeated. The event of this version " \
      "is notify: something happened that an administrator may want to " \
      "know. ACME_EVENT in its environment says what: installed, failed, " \
      "expiring, revoked, window-moved, terms-changed, stuck.", \
      "AcmeHook notify /usr/local/sbin/tell-me") \
    X(AcmeHookTimeout, "duration", "60s", ACME_VHOST, duration, \
      hook_timeout, \
      "A command that runs longer is ended, with what it started.", \
      "AcmeHookTimeout 5m") \
    X(AcmePorts, "http:port https:port", "http:80 https:443", ACME_VHOST, \
      ports, ports, \
      "The local ports behind the outside's 80 and 443; - is none.", \
      "AcmePorts http:8080 https:8443") \
    X(AcmeKeyTypes, "type ...", "p256", ACME_VHOST, key_types, key_types, \
      "The certificate's key: p256, p384, rsa2048, rsa3072 or rsa4096. With " \
      "several there is a certificate of each, renewed as one.", \
      "AcmeKeyTypes p256 rsa2048") \
    X(AcmeKeyReuse, "on|off", "off", ACME_VHOST, flag, key_reuse, \
      "Keep the key when the certificate is renewed.", \
      "AcmeKeyReuse on") \
    X(AcmeProfile, "name [required]", NULL, ACME_VHOST, profile, profile, \
      "The CA's profile. One that it does not offer is left out with a " \
      "warning; with required nothing is ordered then.", \
      "AcmeProfile shortlived required") \
    X(AcmePreferredChain, "name", NULL, ACME_VHOST, text, preferred_chain, \
      "Of the chains that the CA offers, the one whose topmost issuer has " \
      "this common name; its first one when none has.", \
      "AcmePreferredChain \"ISRG Root X1\"") \
    X(AcmeMustStaple, "on|off", "off", ACME_VHOST, flag, must_staple, \
      "Ask for a certificate that is good only with a stapled OCSP answer. " \
      "Turn SSLUseStapling on as well.", \
      "AcmeMustStaple on") \
    X(AcmeRenewalInfo, "on|off", "on", ACME_VHOST, flag, renewal_info, \
      "Renew when the CA suggests it.", \
      "AcmeRenewalInfo off") \
    X(AcmeRenewWindow, "duration|percent", "33%", ACME_VHOST, window, renew, \
      "Renew when this much of the lifetime is left. Lifetimes below 10 " \
      "days have 50% unless this is set.", \
      "AcmeRenewWindow 20d") \
    X(AcmeWarnWindow, "duration|percent", "10%", ACME_VHOST, window, warn, \
      "Warn, and be less careful with reloads, from here on.", \
      "AcmeWarnWindow 5d") \
    X(AcmeParallel, "number", "8", ACME_SERVER, parallel, parallel, \
      "Orders side by side, 1 to 64. One that waits for the DNS leaves its " \
      "place to another meanwhile.", \
      "AcmeParallel 4") \
    X(AcmeActivate, "graceful|live|none", "graceful", ACME_SERVER, activate, \
      activate, \
      "How a new certificate goes live: by a graceful reload that we ask " \
      "for, or when you reload the server. live is graceful in this version.", \
      "AcmeActivate none") \
    X(AcmeReloadDelay, "duration", "5s", ACME_SERVER, duration, \
      reload_delay, \
      "Collect finished certificates this long before a reload.", \
      "AcmeReloadDelay 30s") \
    X(AcmeReloadGuard, "on|off", "on", ACME_SERVER, flag, reload_guard, \
      "Try the configuration and all certificates before a reload, and hold " \
      "it back while a configuration file has changed since the last load.", \
      "AcmeReloadGuard off") \
    X(AcmeRequireHttps, "off|temporary|permanent", "off", ACME_VHOST, \
      require_https, require_https, \
      "Redirect names that have their certificate to https; permanent adds " \
      "Strict-Transport-Security. Challenges are answered before it.", \
      "AcmeRequireHttps temporary") \
    X(AcmeServerStatus, "on|off", "on", ACME_SERVER, flag, server_status, \
      "The section in server-status.", \
      "AcmeServerStatus off") \
    X(AcmeStateDir, "path", ACME_STATE_DIR, ACME_SERVER, path, state_dir, \
      "The store of keys and certificates. A relative path begins at the " \
      "ServerRoot.", \
      "AcmeStateDir /var/lib/acme") \
    X(AcmeCACertificateFile, "path", NULL, ACME_VHOST, path, roots, \
      "PEM roots that the CA's own https is checked against; default: the " \
      "system's.", \
      "AcmeCACertificateFile conf/company-root.pem") \
    X(AcmeProxy, "url", NULL, ACME_VHOST, proxy, proxy, \
      "The proxy that leads to the CA: http://host:port.", \
      "AcmeProxy http://proxy.example.org:3128")

#define ACME_DIRECTIVE_INDEX(name, syntax, dflt, where, parse, field, text, \
                             example) \
    ACME_DIR_##name,
typedef enum {
    ACME_DIRECTIVES(ACME_DIRECTIVE_INDEX)
    ACME_DIR_COUNT
} acme_directive_e;
#undef ACME_DIRECTIVE_INDEX

/* A server's configuration: the fields of the table, and what was found. */
typedef struct {
    char set[ACME_DIR_COUNT];           /* written here or in a base of it */
    int engine;
    int engine_own;                     /* AcmeEngine on in this very vhost */
    int agreed;
    apr_array_header_t *cas;            /* const char *: directory URLs */
    apr_array_header_t *contacts;       /* const char *: mailto:... */
    acme_external_account_t external_account;
    const char *id;
    apr_array_header_t *names;          /* const char *, "auto" among them */
    acme_challenges_t challenges;
    acme_dns_conf_t *dns;
    apr_array_header_t *hooks;          /* acme_hook_conf_t; NULL: none */
    apr_interval_time_t hook_timeout;
    acme_ports_t ports;
    apr_array_header_t *key_types;      /* acme_key_type_e */
    int key_reuse;
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

    apr_array_header_t *certs;          /* the vhost watch: int, indexes of
                                           its certificates, that of its first
                                           name first; NULL: not managed */
    int given;                          /* mod_ssl serves the first of them */
} acme_server_conf_t;

extern const command_rec acme_commands[];

void *acme_server_conf_create(apr_pool_t *p, server_rec *s);
void *acme_server_conf_merge(apr_pool_t *p, void *base, void *add);

acme_server_conf_t *acme_server_conf(const server_rec *s);

#endif
