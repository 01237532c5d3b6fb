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
    const apr_interval_time_t left = visits->end - apr_time_now();

    return left >= apr_time_from_sec(VISIT_MAX) ? VISIT_MAX
        : left >= apr_time_from_sec(VISIT_MIN) ? (int)apr_time_sec(left) : 0;
}

static void set_late(acme_rehearsal_finding_t *finding, int port,
                     const char *address, apr_pool_t *p)
{
    finding->level = ACME_REHEARSAL_UNSEEN;
    finding->reason = ACME_REASON_NONE;
    finding->text = apr_psprintf(p, "port %d of %s: not looked at within the time of a rehearsal",
                                 port, address);
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
        return acme_fail(res, APR_TIMEUP, "not within the time");
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

/*
 * The address behind a redirect; NULL: none. Another server must not have us
 * look at what only this machine can reach, and no CA: that is followed only
 * where the names are in a network of one's own anyway, and to this machine.
 */
static const char *address_behind(const char *to, const char *from,
                                  const char *address,
                                  const acme_rehearsal_visits_t *visits,
                                  apr_pool_t *p)
{
    const char *host = host_of(to, p);
    acme_rehearsal_dns_failure_t failed;
    acme_rehearsal_address_t found;
    apr_array_header_t *all;

    if (!strcasecmp(host, host_of(from, p))) {
        return address;
    }
    all = acme_rehearsal_dns_addresses(&failed, host, &visits->env->dns,
                                       visits->end, p);
    found.text = acme_name_is_ip(host) ? host
        : all->nelts ? APR_ARRAY_IDX(all, 0, const char *) : NULL;
    if (!found.text) {
        return NULL;
    }
    found = acme_rehearsal_judge_address(found.text, visits->own);
    if (acme_rehearsal_judge_scope(found.text) == ACME_SCOPE_PUBLIC) {
        return found.text;
    }
    return found.is_own
        && acme_rehearsal_judge_scope(address) != ACME_SCOPE_PUBLIC
        ? found.text : NULL;
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
    acme_rehearsal_answer_t answer = {
        .address = acme_rehearsal_judge_address(address, visits->own),
        .expected = visits->answer,
        .is_published = visits->cert->http != NULL
    };
    const char *at = address, *next, *why, *moved;
    acme_http_reply_t *reply;
    acme_result_t res;
    apr_status_t rv;

    if (!acme_rehearsal_judge_is_visited(finding, address, 80, p)) {
        return APR_SUCCESS;
    }
    answer.url = apr_pstrcat(p, strchr(name, ':') ? "http://[" : "http://",
                             name, strchr(name, ':') ? "]" : "", PATH,
                             visits->token, NULL);
    for (;;) {
        if (!seconds_left(visits)) {
            set_late(finding, 80, address, p);
            return APR_SUCCESS;
        }
        APR_ARRAY_PUSH(seen, const char *) = answer.url;
        rv = get(&reply, answer.url, at, visits, &res, p);
        if (rv != APR_SUCCESS || !is_redirect(reply->status)) {
            break;
        }
        next = acme_rehearsal_judge_redirect(&why, answer.url,
                                             reply->location, seen, p);
        if (!next) {
            set_redirect(finding, address, why, p);
            return APR_SUCCESS;
        }
        moved = address_behind(next, answer.url, at, visits, p);
        if (!moved) {
            set_redirect(finding, address, apr_psprintf(
                p, "a redirect to %s, which has no address that a CA reaches",
                acme_text_clean(host_of(next, p), ACME_NAME_MAX, p)), p);
            return APR_SUCCESS;
        }
        at = moved;
        answer.url = next;
        answer.redirects++;
    }
    if (rv == APR_EINTR) {
        return rv;
    }
    if (rv == APR_SUCCESS) {
        const acme_rehearsal_address_t last =
            acme_rehearsal_judge_address(at, visits->own);

        answer.is_hidden = acme_rehearsal_judge_is_neighbour(&last);
        answer.status = reply->status;
        answer.server = reply->server;
        answer.body = reply->body;
        acme_rehearsal_judge_answer(finding, &answer, p);
        return rv;
    }
    if (answer.redirects) {
        set_redirect(finding, address, apr_psprintf(
            p, "a redirect to %s, which fails: %s",
            acme_text_clean(answer.url, 160, p),
            acme_text_clean(res.detail, 200, p)), p);
        return APR_SUCCESS;
    }
    acme_rehearsal_judge_refusal(finding, &(acme_rehearsal_refusal_t){
        .address = answer.address, .port = 80,
        .arrives_at = visits->ports[0], .status = rv, .why = res.detail }, p);
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
        set_late(finding, 443, address, p);
        return APR_SUCCESS;
    }
    rv = acme_peer_cert_fetch(&seen, &peer, &res, p);
    if (rv == APR_EINTR) {
        return rv;
    }
    if (rv != APR_SUCCESS && rv != APR_EGENERAL) {      /* no connection */
        acme_rehearsal_judge_refusal(finding, &(acme_rehearsal_refusal_t){
            .address = hello.address, .port = 443,
            .arrives_at = visits->ports[1], .status = rv,
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
