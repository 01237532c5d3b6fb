/*
 * acme_vhosts_cert.c - the settings of a certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <ap_listen.h>
#include <http_log.h>

#include "acme_tls_alpn01.h"
#include "acme_vhosts_cert.h"
#include "acme_vhosts_check.h"

APLOG_USE_MODULE(acme);

#define say acme_vhost_say

static int is_listened_on(int port)
{
    const ap_listen_rec *listener;

    for (listener = ap_listeners; listener; listener = listener->next) {
        if (listener->bind_addr->port == port) {
            return 1;
        }
    }
    return 0;
}

/* Can the CA's validators reach us by it, or whom AcmeHttp tells? */
static int can_work(const acme_server_conf_t *conf, int has_http, int type)
{
    switch (type) {
    case ACME_HTTP_01:
        return has_http
               || (conf->ports.http && is_listened_on(conf->ports.http));
    case ACME_TLS_ALPN_01:
        return acme_tls_alpn01_available() && conf->ports.https
               && is_listened_on(conf->ports.https);
    case ACME_DNS_01:
        return conf->dns != NULL;
    default:
        return 1;
    }
}

/*
 * Those that can work, as wanted. Without any the first one that is wanted is
 * tried nevertheless: ports may be redirected in ways that we can't see.
 * dns-persist-01 alone is enough only for those who asked for it.
 */
static void choose_challenges(acme_cert_conf_t *cert,
                              const acme_vhost_t *vhost)
{
    const acme_challenges_t *wanted = &vhost->conf->challenges;
    int i, some = vhost->conf->set[ACME_DIR_AcmeChallenges];

    for (i = 0; i < wanted->n; i++) {
        if (can_work(vhost->conf, cert->http != NULL, wanted->types[i])) {
            cert->challenges[cert->nchallenges++] = wanted->types[i];
            some |= wanted->types[i] != ACME_DNS_PERSIST_01;
        }
    }
    if (!cert->nchallenges || !some) {
        cert->nchallenges = 0;
        cert->challenges[cert->nchallenges++] = wanted->types[0];
        say(vhost, APLOG_WARNING,
            "%s: none of the AcmeChallenges can work on this server; %s is tried anyway. http-01 requires a Listen on port %d or AcmeHttp, tls-alpn-01 one on port %d (see AcmePorts), dns-01 requires AcmeDns",
            vhost->facts->place,
            acme_challenge_name((acme_challenge_e)wanted->types[0]),
            vhost->conf->ports.http ? vhost->conf->ports.http : 80,
            vhost->conf->ports.https ? vhost->conf->ports.https : 443);
    }
}

/* The commands alone; NULL: there are none. */
static const apr_array_header_t *commands_of(const apr_array_header_t *hooks,
                                             apr_pool_t *p)
{
    apr_array_header_t *commands = NULL;
    int i;

    for (i = 0; hooks && i < hooks->nelts; i++) {
        const acme_hook_conf_t *hook = &APR_ARRAY_IDX(hooks, i,
                                                      acme_hook_conf_t);

        if (hook->command) {
            if (!commands) {
                commands = apr_array_make(p, 2, sizeof(acme_hook_conf_t));
            }
            APR_ARRAY_PUSH(commands, acme_hook_conf_t) = *hook;
        }
    }
    return commands;
}

void acme_vhosts_cert_settings(acme_cert_conf_t *cert,
                               const acme_vhost_t *vhost,
                               const acme_cert_conf_t *before,
                               const char *state_dir, apr_pool_t *p)
{
    const acme_server_conf_t *conf = vhost->conf;
    acme_token_conf_t *http;
    acme_dns_conf_t *dns;
    char ports[4 * 12];

    cert->agreed = conf->agreed;
    cert->key_types = conf->key_types;
    cert->key_reuse = conf->key_reuse.how;
    cert->next_key_age = conf->key_reuse.age;
    cert->must_staple = conf->must_staple;
    cert->profile = conf->profile.name;
    cert->profile_required = conf->profile.required;
    cert->preferred_chain = conf->preferred_chain;
    cert->renewal_info = conf->renewal_info;
    if (conf->dns) {
        dns = apr_pmemdup(p, conf->dns, sizeof(*dns));
        dns->timeout = conf->hook_timeout;
        cert->dns = dns;
    }
    if (acme_vhosts_check_webroot(vhost, state_dir, p)) {
        http = apr_pmemdup(p, conf->http, sizeof(*http));
        http->timeout = conf->hook_timeout;
        cert->http = http;
    }
    cert->hooks = commands_of(conf->hooks, p);
    cert->hook_timeout = conf->hook_timeout;
    cert->exports = conf->exports;
    choose_challenges(cert, vhost);
    apr_snprintf(ports, sizeof(ports), "%d %d %d %d", conf->ports.http,
                 is_listened_on(conf->ports.http), conf->ports.https,
                 is_listened_on(conf->ports.https));
    cert->ports = before && !strcmp(before->ports, ports)
        ? before->ports : apr_pstrdup(p, ports);
    if (conf->set[ACME_DIR_AcmeRenewWindow]) {
        cert->renew = conf->renew;  /* else empty: the schedule's default */
    }
    cert->warn = conf->warn;
}
