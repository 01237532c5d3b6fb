/*
 * acme_rehearsal_visit.c - ports 80 and 443 of an address, as a CA's validator
 * comes there.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_alpn_cert.h"
#include "acme_http.h"
#include "acme_name.h"
#include "acme_peer_cert.h"
#include "acme_rehearsal_dns.h"
#include "acme_rehearsal_visit.h"

#define PROTOCOL "acme-tls/1"
#define PATH "/.well-known/acme-challenge/"
#define VISIT_MAX 4             /* seconds, of one request or handshake */
#define VISIT_MIN 2
#define BODY_MAX 512

apr_array_header_t *acme_rehearsal_visit_own(apr_pool_t *p)
{
    apr_array_header_t *own = apr_array_make(p, 8, sizeof(const char *));
    struct ifaddrs *all, *at;
    char text[INET6_ADDRSTRLEN];

    if (getifaddrs(&all)) {
        return own;
    }
    for (at = all; at; at = at->ifa_next) {
        const void *octets = NULL;

        if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET) {
            octets = &((struct sockaddr_in *)at->ifa_addr)->sin_addr;
        }
        else if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET6) {
            octets = &((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr;
        }
        if (octets && inet_ntop(at->ifa_addr->sa_family, octets, text,
                                sizeof(text))) {
            APR_ARRAY_PUSH(own, const char *) = apr_pstrdup(p, text);
        }
    }
    freeifaddrs(all);
    return own;
}

/* Whole seconds that a visit may take; 0: too few to say that nobody answers. */
static int seconds_left(const acme_rehearsal_visits_t *visits)
{
    const apr_interval_time_t left = visits->end - acme_dns_lookup_now();

    return left >= apr_time_from_sec(VISIT_MAX) ? VISIT_MAX
        : left >= apr_time_from_sec(VISIT_MIN) ? (int)apr_time_sec(left) : 0;
}

static apr_status_t get(acme_http_reply_t **preply, const char *url,
                        const char *address,
                        const acme_rehearsal_visits_t *visits,
                        acme_result_t *res, apr_pool_t *p)
{
    const acme_http_conf_t conf = {
        .user_agent = "mod_acme rehearsal of http-01",
        .stop = visits->env->stop, .stall = VISIT_MAX,
        .total = seconds_left(visits)
    };
    const acme_http_request_t request = { .method = ACME_HTTP_GET,
                                          .url = url, .plain = 1,
                                          .address = address,
                                          .body_max = BODY_MAX };
    acme_http_t *http;
    apr_status_t rv;

    *preply = NULL;
    if (!conf.total) {
        return acme_fail(res, APR_INCOMPLETE, "not within the time");
    }
    rv = acme_http_create(&http, &conf, res, p);
    return rv == APR_SUCCESS ? acme_http_send(preply, http, &request, res, p)
                             : rv;
}

/* "example.org" of a URL that was checked; an address without brackets. */
static const char *host_of(const char *url, apr_pool_t *p)
{
    const char *host = strstr(url, "://") + 3;

    return *host == '[' ? apr_pstrmemdup(p, host + 1, strcspn(host + 1, "]"))
                        : apr_pstrmemdup(p, host, strcspn(host, ":/?"));
}

/* The first of the addresses that a connection comes to, at *pat; else the last
   one. APR_INCOMPLETE: there was no time. */
static apr_status_t get_any(acme_http_reply_t **preply, const char **pat,
                            const char *url,
                            const apr_array_header_t *addresses,
                            const acme_rehearsal_visits_t *visits,
                            acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv = APR_INCOMPLETE;
    int i;

    *preply = NULL;
    for (i = 0; i < addresses->nelts && rv != APR_EINTR && !*preply; i++) {
        *pat = APR_ARRAY_IDX(addresses, i, const char *);
        rv = get(preply, url, *pat, visits, res, p);
    }
    return rv;
}

/* NULL: no address is visited, and finding says why. */
static apr_array_header_t *look_behind(acme_rehearsal_finding_t *finding,
                                       acme_rehearsal_target_t *target,
                                       const acme_rehearsal_visits_t *visits,
                                       apr_pool_t *p)
{
    apr_array_header_t *one = apr_array_make(p, 1, sizeof(const char *));

    if (acme_name_is_ip(target->host)) {
        APR_ARRAY_PUSH(one, const char *) = target->host;
        target->addresses = one;
    }
    else {
        target->addresses = acme_rehearsal_dns_addresses(
            &target->failed, target->host, &visits->env->dns, visits->end, p);
    }
    return acme_rehearsal_judge_target(finding, target, p);
}

static int is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307
        || status == 308;
}

static void set_redirect(acme_rehearsal_finding_t *finding,
                         const char *address, const char *why, apr_pool_t *p)
{
    finding->level = ACME_REHEARSAL_FAULT;
    finding->reason = ACME_REASON_REDIRECT_FAILED;
    finding->text = apr_psprintf(p, "port 80 of %s: %s", address, why);
}

apr_status_t acme_rehearsal_visit_80(acme_rehearsal_finding_t *finding,
                                     const char *name, const char *address,
                                     const acme_rehearsal_visits_t *visits,
                                     apr_pool_t *p)
{
    apr_array_header_t *seen = apr_array_make(p, 4, sizeof(const char *));
    apr_array_header_t *to = apr_array_make(p, 1, sizeof(const char *));
    acme_rehearsal_answer_t answer = {
        .address = acme_rehearsal_judge_address(address, visits->own),
        .expected = visits->answer,
        .is_published = visits->cert->http != NULL
    };
    acme_rehearsal_target_t target = { .address = address, .own = visits->own,
                                       .is_public_ca = visits->is_public_ca };
    acme_rehearsal_refusal_t refusal = { .has_pre = visits->has_pre };
    acme_rehearsal_address_t last;
    const char *next, *why;
    acme_http_reply_t *reply;
    acme_result_t res;
    apr_status_t rv;

    if (!acme_rehearsal_judge_is_visited(finding, address, 80, p)) {
        return APR_SUCCESS;
    }
    answer.url = apr_pstrcat(p, strchr(name, ':') ? "http://[" : "http://",
                             name, strchr(name, ':') ? "]" : "", PATH,
                             visits->token, NULL);
    target.at = address;
    APR_ARRAY_PUSH(to, const char *) = address;
    for (;;) {
        APR_ARRAY_PUSH(seen, const char *) = answer.url;
        rv = get_any(&reply, &target.at, answer.url, to, visits, &res, p);
        if (rv != APR_SUCCESS || !is_redirect(reply->status)) {
            break;
        }
        next = acme_rehearsal_judge_redirect(&why, answer.url,
                                             reply->location, seen, p);
        if (!next) {
            set_redirect(finding, address, why, p);
            return APR_SUCCESS;
        }
        target.host = host_of(next, p);
        apr_array_clear(to);
        APR_ARRAY_PUSH(to, const char *) = target.at;
        if (strcasecmp(target.host, host_of(answer.url, p))) {
            to = look_behind(finding, &target, visits, p);
        }
        if (!to) {
            return APR_SUCCESS;
        }
        answer.url = next;
        answer.redirects++;
    }
    last = acme_rehearsal_judge_address(target.at, visits->own);
    if (rv == APR_EINTR) {
        return rv;
    }
    if (rv == APR_INCOMPLETE) {
        acme_rehearsal_judge_late(finding, 80, address, p);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        answer.is_hidden = acme_rehearsal_judge_is_neighbour(&last);
        answer.status = reply->status;
        answer.server = reply->server;
        answer.body = reply->body;
        acme_rehearsal_judge_answer(finding, &answer, p);
        return rv;
    }
    refusal.address = last;
    refusal.port = acme_rehearsal_judge_port(answer.url);
    refusal.arrives_at = visits->ports[refusal.port == 443];
    refusal.status = rv;
    refusal.why = acme_text_clean(res.detail, 200, p);
    if (answer.redirects) {
        acme_rehearsal_judge_lost(finding, address, answer.url, &refusal, p);
        return APR_SUCCESS;
    }
    acme_rehearsal_judge_refusal(finding, &refusal, p);
    return rv;
}

/* The certificate that a visitor of the name gets; false: none. */
static int look_at_certificate(acme_rehearsal_hello_t *hello,
                               const acme_peer_t *peer,
                               const acme_rehearsal_visits_t *visits,
                               apr_pool_t *p)
{
    acme_peer_cert_t seen;
    acme_result_t res;

    if (acme_peer_cert_fetch(&seen, peer, &res, p)) {
        return 0;
    }
    hello->serial = seen.serial;
    hello->issuer = seen.issuer;
    hello->is_ours = seen.is_placeholder
        || (*visits->live && !strcmp(seen.serial, visits->live));
    return 1;
}

apr_status_t acme_rehearsal_visit_443(acme_rehearsal_finding_t *finding,
                                      const char *name, const char *address,
                                      const acme_rehearsal_visits_t *visits,
                                      apr_pool_t *p)
{
    acme_rehearsal_hello_t hello = {
        .address = acme_rehearsal_judge_address(address, visits->own)
    };
    acme_peer_t peer = {
        .address = address, .port = 443, .name = visits->sni,
        .protocol = PROTOCOL,
        .timeout = apr_time_from_sec(seconds_left(visits)),
        .stop = visits->env->stop
    };
    acme_peer_cert_t seen;
    acme_result_t res;
    apr_status_t rv;

    if (!acme_rehearsal_judge_is_visited(finding, address, 443, p)) {
        return APR_SUCCESS;
    }
    if (!peer.timeout) {
        acme_rehearsal_judge_late(finding, 443, address, p);
        return APR_SUCCESS;
    }
    rv = acme_peer_cert_fetch(&seen, &peer, &res, p);
    if (rv == APR_EINTR) {
        return rv;
    }
    if (rv != APR_SUCCESS && rv != APR_EGENERAL) {      /* no connection */
        acme_rehearsal_judge_refusal(finding, &(acme_rehearsal_refusal_t){
            .address = hello.address, .port = 443,
            .arrives_at = visits->ports[1], .has_pre = visits->has_pre,
            .status = rv,
            .why = res.detail }, p);
        return rv;
    }
    hello.is_answered = rv == APR_SUCCESS && seen.has_protocol
        && seen.is_self_signed;
    hello.why = rv == APR_SUCCESS ? "another protocol was chosen"
                                  : apr_pstrdup(p, res.detail);
    peer.protocol = NULL;
    peer.name = acme_name_is_ip(name) ? NULL : name;
    peer.timeout = apr_time_from_sec(seconds_left(visits));
    if (!hello.is_answered && peer.timeout) {
        look_at_certificate(&hello, &peer, visits, p);
    }
    acme_rehearsal_judge_hello(finding, &hello, p);
    return APR_SUCCESS;
}
