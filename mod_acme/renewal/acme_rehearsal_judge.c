/*
 * acme_rehearsal_judge.c - what the observations of a rehearsal mean.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_rehearsal_judge.h"
#include "acme_text.h"
#include "acme_url.h"

#define BODY_SHOWN 80           /* octets of a stranger's answer */
#define SERVER_SHOWN 40
#define URL_SHOWN 160
#define BLANK " \t\r\n"

/*
 * Networks, by their first octets and the bits that count. Those of IPv6 that
 * have an IPv4 address within may lead to any: 6to4, Teredo, NAT64.
 */
static const struct {
    int len;                    /* of an address: 4 or 16 */
    unsigned char octets[12];
    int bits;
    acme_rehearsal_scope_e scope;
} networks[] = {
    { 4, { 127 }, 8, ACME_SCOPE_LOOPBACK },
    { 4, { 10 }, 8, ACME_SCOPE_PRIVATE },
    { 4, { 172, 16 }, 12, ACME_SCOPE_PRIVATE },
    { 4, { 192, 168 }, 16, ACME_SCOPE_PRIVATE },
    { 4, { 100, 64 }, 10, ACME_SCOPE_PRIVATE },
    { 4, { 198, 18 }, 15, ACME_SCOPE_PRIVATE },
    { 4, { 192, 0, 0 }, 24, ACME_SCOPE_OTHER },
    { 4, { 169, 254 }, 16, ACME_SCOPE_OTHER },
    { 4, { 0 }, 8, ACME_SCOPE_OTHER },
    { 4, { 224 }, 3, ACME_SCOPE_OTHER },
    { 16, { 0xfc }, 7, ACME_SCOPE_PRIVATE },
    { 16, { 0xfe, 0xc0 }, 10, ACME_SCOPE_PRIVATE },
    { 16, { 0xfe, 0x80 }, 10, ACME_SCOPE_OTHER },
    { 16, { 0xff }, 8, ACME_SCOPE_OTHER },
    { 16, { 0 }, 96, ACME_SCOPE_OTHER },
    { 16, { 0, 0x64, 0xff, 0x9b }, 96, ACME_SCOPE_OTHER },
    { 16, { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, ACME_SCOPE_OTHER },
    { 16, { 0x20, 0x01, 0, 0 }, 32, ACME_SCOPE_OTHER },
    { 16, { 0x20, 0x02 }, 16, ACME_SCOPE_OTHER }
};

static int is_within(const unsigned char *address, const unsigned char *network,
                     int bits)
{
    const int whole = bits / 8, rest = bits % 8;
    const unsigned mask = rest ? 0xffu << (8 - rest) & 0xffu : 0;

    return !memcmp(address, network, (size_t)whole)
        && (!rest || (address[whole] & mask) == (network[whole] & mask));
}

acme_rehearsal_scope_e acme_rehearsal_judge_scope(const char *address)
{
    static const unsigned char zeros[15], mapped[12] = { [10] = 0xff, 0xff };
    unsigned char octets[16];
    int len = acme_name_ip_octets(octets, address);
    apr_size_t i;

    if (len == 16 && !memcmp(octets, mapped, sizeof(mapped))) {
        memmove(octets, octets + 12, 4);
        len = 4;
    }
    if (len == 16 && !memcmp(octets, zeros, sizeof(zeros))) {
        return octets[15] == 1 ? ACME_SCOPE_LOOPBACK : ACME_SCOPE_OTHER;
    }
    for (i = 0; i < sizeof(networks) / sizeof(*networks); i++) {
        if (networks[i].len == len
            && is_within(octets, networks[i].octets, networks[i].bits)) {
            return networks[i].scope;
        }
    }
    return len ? ACME_SCOPE_PUBLIC : ACME_SCOPE_OTHER;
}

static int is_six(const char *address)
{
    return strchr(address, ':') != NULL;
}

acme_rehearsal_address_t acme_rehearsal_judge_address(
    const char *address, const apr_array_header_t *own)
{
    acme_rehearsal_address_t made = { .text = address, .is_behind_nat = 1 };
    int i;

    made.is_own = acme_name_in(own, address)
        || acme_rehearsal_judge_scope(address) == ACME_SCOPE_LOOPBACK;
    for (i = 0; i < own->nelts; i++) {
        const char *text = APR_ARRAY_IDX(own, i, const char *);

        if (is_six(text) == is_six(address)
            && acme_rehearsal_judge_scope(text) == ACME_SCOPE_PUBLIC) {
            made.is_behind_nat = 0;
        }
    }
    return made;
}

int acme_rehearsal_judge_is_neighbour(const acme_rehearsal_address_t *address)
{
    return !address->is_own
        && acme_rehearsal_judge_scope(address->text) != ACME_SCOPE_PUBLIC;
}

int acme_rehearsal_judge_suits(acme_challenge_e type, const char *name)
{
    return type == ACME_DNS_01 || type == ACME_DNS_PERSIST_01
        ? !acme_name_is_ip(name) : !acme_name_is_wildcard(name);
}

int acme_rehearsal_judge_first(const acme_cert_conf_t *cert, const char *name)
{
    int i;

    for (i = 0; i < cert->nchallenges; i++) {
        if (acme_rehearsal_judge_suits((acme_challenge_e)cert->challenges[i],
                                       name)) {
            return i;
        }
    }
    return -1;
}

static void set(acme_rehearsal_finding_t *finding, acme_rehearsal_e level,
                acme_reason_e reason, const char *text)
{
    finding->level = level;
    finding->reason = level == ACME_REHEARSAL_FAULT ? reason
                                                    : ACME_REASON_NONE;
    finding->text = text;
}

int acme_rehearsal_judge_is_visited(acme_rehearsal_finding_t *finding,
                                    const char *address, int port,
                                    apr_pool_t *p)
{
    if (acme_rehearsal_judge_scope(address) != ACME_SCOPE_OTHER) {
        return 1;
    }
    set(finding, ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
        apr_psprintf(p, "port %d of %s: not visited, the address is a reserved one",
                     port, address));
    return 0;
}

void acme_rehearsal_judge_late(acme_rehearsal_finding_t *finding, int port,
                               const char *address, apr_pool_t *p)
{
    set(finding, ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
        apr_psprintf(p, "port %d of %s: not visited within the time of a check",
                     port, address));
}

/* For people, behind an address; "": nothing is remarkable. */
static const char *remark(const acme_rehearsal_address_t *address)
{
    switch (acme_rehearsal_judge_scope(address->text)) {
    case ACME_SCOPE_LOOPBACK:
        return " (loopback)";
    case ACME_SCOPE_PRIVATE:
        return " (private)";
    case ACME_SCOPE_OTHER:
        return " (reserved)";
    default:
        return address->is_own ? ""
                               : " (not of this machine: a load balancer, NAT or another server)";
    }
}

void acme_rehearsal_judge_lookup(acme_rehearsal_finding_t *finding,
                                 const acme_rehearsal_lookup_t *lookup,
                                 apr_pool_t *p)
{
    const acme_rehearsal_e fault =
        lookup->is_needed ? ACME_REHEARSAL_FAULT : ACME_REHEARSAL_NOTE;
    const char *text = "addresses:";
    int i, remarkable = 0, visible = 0;

    if (lookup->failed.why) {
        set(finding, lookup->failed.is_ours ? ACME_REHEARSAL_UNSEEN : fault,
            ACME_REASON_DNS_FAILED,
            apr_psprintf(p, "its addresses cannot be looked up: %s",
                         lookup->failed.why));
        return;
    }
    if (lookup->is_nxdomain) {
        set(finding, fault, ACME_REASON_DNS_NXDOMAIN,
            "does not exist in the DNS (NXDOMAIN)");
        return;
    }
    if (!lookup->addresses->nelts) {
        set(finding, fault, ACME_REASON_DNS_NO_ADDRESS,
            "has neither an A nor an AAAA record");
        return;
    }
    for (i = 0; i < lookup->addresses->nelts; i++) {
        const acme_rehearsal_address_t *address =
            &APR_ARRAY_IDX(lookup->addresses, i, acme_rehearsal_address_t);
        const int is_public = acme_rehearsal_judge_scope(address->text)
            == ACME_SCOPE_PUBLIC;

        visible += is_public;
        remarkable += !is_public;
        text = apr_pstrcat(p, text, i ? ", " : " ", address->text,
                           remark(address), NULL);
    }
    if (lookup->left_out) {
        text = apr_psprintf(p, "%s and %d more, which are not looked at", text,
                            lookup->left_out);
    }
    if (!visible && lookup->is_needed && lookup->is_public_ca) {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_DNS_NO_ADDRESS,
            apr_pstrcat(p, "has no address that a CA of the Internet can reach; ",
                        text, NULL));
        return;
    }
    set(finding, remarkable || lookup->left_out ? ACME_REHEARSAL_NOTE
                                                : ACME_REHEARSAL_FINE,
        ACME_REASON_NONE, text);
}

void acme_rehearsal_judge_caa(acme_rehearsal_finding_t *finding,
                              const acme_rehearsal_caa_t *caa, apr_pool_t *p)
{
    const char *why;

    if (caa->failed.why) {
        set(finding, caa->is_checked && !caa->failed.is_ours
                         ? ACME_REHEARSAL_FAULT : ACME_REHEARSAL_UNSEEN,
            ACME_REASON_DNS_FAILED,
            apr_psprintf(p, caa->is_checked
                                ? "its CAA records cannot be looked up, and no CA issues where it cannot either: %s"
                                : "its CAA records cannot be looked up: %s",
                         caa->failed.why));
        return;
    }
    if (!caa->at) {
        set(finding, ACME_REHEARSAL_FINE, ACME_REASON_NONE,
            "no CAA records: every CA is allowed");
        return;
    }
    switch (acme_caa_decide(&why, caa->records, &caa->issuer, p)) {
    case ACME_CAA_ALLOWED:
        set(finding, ACME_REHEARSAL_FINE, ACME_REASON_NONE,
            apr_psprintf(p, "the CAA records of %s allow this CA", caa->at));
        break;
    case ACME_CAA_UNKNOWN:
        set(finding, ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
            apr_psprintf(p, "whether the CAA records of %s allow this CA is not known: %s",
                         caa->at, why));
        break;
    default:
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_CAA_FORBIDDEN,
            apr_psprintf(p, "the CAA records of %s forbid this CA: %s",
                         caa->at, why));
    }
}

static const char *refusal_words(const acme_rehearsal_refusal_t *refusal)
{
    switch (refusal->status) {
    case ECONNREFUSED:
        return "refuses connections";
    case APR_TIMEUP:
    case ETIMEDOUT:
        return "does not answer";
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
        return "has no route from this machine";
    default:
        return NULL;
    }
}

static int is_closed(const acme_rehearsal_refusal_t *refusal)
{
    return refusal->status == ECONNREFUSED || refusal->status == APR_TIMEUP
        || refusal->status == ETIMEDOUT;
}

static int is_without_route(const acme_rehearsal_refusal_t *refusal)
{
    return refusal->status == ENETUNREACH || refusal->status == EHOSTUNREACH
        || refusal->status == EADDRNOTAVAIL;
}

void acme_rehearsal_judge_refusal(acme_rehearsal_finding_t *finding,
                                  const acme_rehearsal_refusal_t *refusal,
                                  apr_pool_t *p)
{
    const acme_rehearsal_address_t *address = &refusal->address;
    const char *words = refusal_words(refusal);
    const char *text = apr_psprintf(p, "port %d of %s %s%s", refusal->port,
                                    address->text, words ? words : "failed: ",
                                    words ? "" : refusal->why);
    const acme_reason_e reason = refusal->port == 80
        ? ACME_REASON_PORT_80_UNREACHABLE : ACME_REASON_PORT_443_UNREACHABLE;

    if (address->is_own && refusal->arrives_at != refusal->port) {
        set(finding, ACME_REHEARSAL_UNSEEN, reason,
            apr_psprintf(p, "%s on this machine; AcmePorts says that connections from the Internet arrive at port %d: that cannot be seen from here",
                         text, refusal->arrives_at));
    }
    else if (refusal->has_pre && is_closed(refusal)) {
        set(finding, ACME_REHEARSAL_UNSEEN, reason,
            apr_psprintf(p, "%s; AcmeHook pre may open it for a validation, and is not run here",
                         text));
    }
    else if (address->is_own) {
        set(finding, ACME_REHEARSAL_FAULT, reason,
            apr_psprintf(p, "%s, though it is an address of this machine: httpd does not listen there, or a firewall is in the way",
                         text));
    }
    else if (is_without_route(refusal)) {
        set(finding, ACME_REHEARSAL_UNSEEN, reason,
            apr_psprintf(p, "%s: whether a CA reaches it cannot be seen from here",
                         text));
    }
    else if (address->is_behind_nat
             && acme_rehearsal_judge_scope(address->text)
                    == ACME_SCOPE_PUBLIC) {
        set(finding, ACME_REHEARSAL_UNSEEN, reason,
            apr_psprintf(p, "%s from this machine, which has no public address itself: whether a CA reaches it cannot be seen from here (a router may not lead its own network back, \"hairpin NAT\")",
                         text));
    }
    else {
        set(finding, ACME_REHEARSAL_FAULT, reason,
            apr_psprintf(p, "%s; it is not an address of this machine",
                         text));
    }
}

/* A CA ignores white space at the end. (8555, 8.3) */
static int is_expected(const acme_rehearsal_answer_t *answer)
{
    const apr_size_t len = strlen(answer->expected);

    return answer->status == 200
        && !strncmp(answer->body, answer->expected, len)
        && answer->body[len + strspn(answer->body + len, BLANK)] == '\0';
}

/* " (nginx), status 404, "<html>"" */
static const char *describe(const acme_rehearsal_answer_t *answer,
                            apr_pool_t *p)
{
    const char *body = answer->body + strspn(answer->body, BLANK);
    const char *text = apr_psprintf(p, "status %d", answer->status);

    if (answer->is_hidden) {
        return text;
    }
    if (answer->server && *answer->server) {
        text = apr_pstrcat(p, "(",
                           acme_text_clean(answer->server, SERVER_SHOWN, p),
                           "), ", text, NULL);
    }
    return *body ? apr_pstrcat(p, text, ", \"",
                               acme_text_clean(body, BODY_SHOWN, p), "\"",
                               NULL) : text;
}

void acme_rehearsal_judge_answer(acme_rehearsal_finding_t *finding,
                                 const acme_rehearsal_answer_t *answer,
                                 apr_pool_t *p)
{
    const char *at = answer->address.text;
    const char *url = answer->redirects
        ? acme_text_clean(answer->url, URL_SHOWN, p) : NULL;

    if (is_expected(answer)) {
        set(finding, ACME_REHEARSAL_FINE, ACME_REASON_NONE,
            url ? apr_psprintf(p, "port 80 of %s leads to this server, after a redirect to %s",
                               at, url)
                : apr_psprintf(p, "port 80 of %s leads to this server", at));
    }
    else if (answer->is_published) {
        set(finding, ACME_REHEARSAL_NOTE, ACME_REASON_NONE,
            apr_psprintf(p, "port 80 of %s answers: %s; AcmeHttp publishes the tokens elsewhere, which was not tried",
                         at, describe(answer, p)));
    }
    else if (url) {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_REDIRECT_FAILED,
            apr_psprintf(p, "port 80 of %s redirects to %s, where the token is not found: %s",
                         at, url, describe(answer, p)));
    }
    else {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
            apr_psprintf(p, answer->address.is_own
                                 ? "port 80 of %s is answered by another program of this machine%s%s"
                                 : "port 80 of %s is answered by another server%s%s",
                         at, answer->server && *answer->server
                                 && !answer->is_hidden ? " " : ": ",
                         describe(answer, p)));
    }
}

/* The port of a URL that acme_url_check_plain() allows, and what follows it. */
static const char *port_of(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    const apr_size_t len = strcspn(host, "/?");
    const char *end = *host == '[' ? strchr(host, ']') : host;
    const char *colon = end ? memchr(end, ':', len - (apr_size_t)(end - host))
                            : NULL;

    return colon ? colon + 1
                 : !strncasecmp(url, "https", 5) ? "443" : "80";
}

int acme_rehearsal_judge_port(const char *url)
{
    return atoi(port_of(url));
}

/* "127.1", "0x7f000001": programs differ in which address that is. Only four
   decimal numbers are one for all. */
static int is_odd_number(const char *url, apr_pool_t *p)
{
    const char *at = strstr(url, "://") + 3;
    char *host = apr_pstrmemdup(p, at, strcspn(at, ":/?"));
    apr_size_t len = strlen(host);
    const char *label;

    if (*host == '[' || acme_name_is_ip(host)) {
        return 0;
    }
    while (len && host[len - 1] == '.') {
        host[--len] = '\0';
    }
    label = strrchr(host, '.') ? strrchr(host, '.') + 1 : host;
    return !label[strspn(label, "0123456789")]
        || (!strncasecmp(label, "0x", 2)
            && !label[2 + strspn(label + 2, "0123456789abcdefABCDEF")]);
}

/* Against from, as far as browsers and CAs meet it. (3986, 5.2) */
static const char *resolve(const char *from, const char *location,
                           apr_pool_t *p)
{
    const char *host = strstr(from, "://") + 3;
    const char *path = host + strcspn(host, "/?#"), *end;

    if (strstr(location, "://")
        && strstr(location, "://") < location + strcspn(location, "/?#") + 1) {
        return apr_pstrdup(p, location);
    }
    if (location[0] == '/' && location[1] == '/') {
        return apr_pstrcat(p, apr_pstrmemdup(p, from, host - 2 - from),
                           location, NULL);
    }
    if (location[0] == '/') {
        return apr_pstrcat(p, apr_pstrmemdup(p, from, path - from), location,
                           NULL);
    }
    end = path + strcspn(path, "?");
    if (location[0] == '#' || location[0] == '?') {
        return apr_pstrcat(p, location[0] == '#'
                                  ? from : apr_pstrmemdup(p, from, end - from),
                           location, NULL);
    }
    while (end > path && end[-1] != '/') {
        end--;
    }
    return apr_pstrcat(p, apr_pstrmemdup(p, from, end - from),
                       end == path ? "/" : "", location, NULL);
}

const char *acme_rehearsal_judge_redirect(const char **pwhy, const char *from,
                                          const char *location,
                                          const apr_array_header_t *seen,
                                          apr_pool_t *p)
{
    acme_result_t ignored;
    const char *shown, *port;
    char *to;
    int i;

    *pwhy = NULL;
    if (!location || !*location || strlen(location) > ACME_URL_MAX) {
        *pwhy = "a redirect without a usable Location";
        return NULL;
    }
    to = apr_pstrdup(p, resolve(from, location, p));
    to[strcspn(to, "#")] = '\0';
    shown = acme_text_clean(to, URL_SHOWN, p);
    if (acme_url_check_plain(to, &ignored, p)) {
        *pwhy = apr_psprintf(p, "a redirect to %s, which is not a URL of http or https",
                             shown);
        return NULL;
    }
    if (is_odd_number(to, p)) {
        *pwhy = apr_psprintf(p, "a redirect to %s, whose host is neither a name nor an IP address",
                             shown);
        return NULL;
    }
    port = port_of(to);
    if (atoi(port) != 80 && atoi(port) != 443) {
        *pwhy = apr_psprintf(p, "a redirect to %s, and CAs follow to ports 80 and 443 only",
                             shown);
        return NULL;
    }
    for (i = 0; i < seen->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(seen, i, const char *), to)) {
            *pwhy = apr_psprintf(p, "a redirect loop: it leads to %s again",
                                 shown);
            return NULL;
        }
    }
    if (seen->nelts > ACME_REHEARSAL_REDIRECTS_MAX) {
        *pwhy = apr_psprintf(p, "more than %d redirects, the last to %s",
                             ACME_REHEARSAL_REDIRECTS_MAX, shown);
        return NULL;
    }
    return to;
}

static int is_followed(const acme_rehearsal_target_t *target,
                       const char *address)
{
    return acme_rehearsal_judge_scope(address) == ACME_SCOPE_PUBLIC
        || (acme_rehearsal_judge_scope(address) != ACME_SCOPE_OTHER
            && acme_rehearsal_judge_scope(target->at) != ACME_SCOPE_PUBLIC
            && acme_rehearsal_judge_address(address, target->own).is_own);
}

apr_array_header_t *acme_rehearsal_judge_target(
    acme_rehearsal_finding_t *finding, const acme_rehearsal_target_t *target,
    apr_pool_t *p)
{
    apr_array_header_t *to = apr_array_make(p, 4, sizeof(const char *));
    const char *text = apr_psprintf(
        p, "port 80 of %s: a redirect to %s, ", target->address,
        acme_text_clean(target->host, ACME_NAME_MAX, p));
    int i;

    for (i = 0; i < target->addresses->nelts
                && to->nelts < ACME_REHEARSAL_TARGETS_MAX; i++) {
        const char *address = APR_ARRAY_IDX(target->addresses, i,
                                            const char *);

        if (is_followed(target, address)) {
            APR_ARRAY_PUSH(to, const char *) = address;
        }
    }
    if (to->nelts) {
        return to;
    }
    if (target->addresses->nelts) {
        set(finding, target->is_public_ca ? ACME_REHEARSAL_FAULT
                                          : ACME_REHEARSAL_UNSEEN,
            ACME_REASON_REDIRECT_FAILED,
            apr_psprintf(p, target->is_public_ca
                                ? "%swhich has no address that a CA of the Internet can reach (%s)"
                                : "%snot followed: a private address (%s)",
                         text, APR_ARRAY_IDX(target->addresses, 0,
                                             const char *)));
    }
    else if (target->failed.why) {
        set(finding, target->failed.is_ours ? ACME_REHEARSAL_UNSEEN
                                            : ACME_REHEARSAL_FAULT,
            ACME_REASON_REDIRECT_FAILED,
            apr_psprintf(p, "%swhose addresses cannot be looked up: %s", text,
                         target->failed.why));
    }
    else {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_REDIRECT_FAILED,
            apr_psprintf(p, "%swhich has neither an A nor an AAAA record",
                         text));
    }
    return NULL;
}

void acme_rehearsal_judge_lost(acme_rehearsal_finding_t *finding,
                               const char *address, const char *url,
                               const acme_rehearsal_refusal_t *refusal,
                               apr_pool_t *p)
{
    const char *shown = acme_text_clean(url, URL_SHOWN, p);

    if (refusal_words(refusal)) {
        acme_rehearsal_judge_refusal(finding, refusal, p);
        finding->text = apr_psprintf(p, "port 80 of %s: a redirect to %s: %s",
                                     address, shown, finding->text);
    }
    else {                      /* somebody is there */
        finding->level = ACME_REHEARSAL_FAULT;
        finding->text = apr_psprintf(
            p, "port 80 of %s: a redirect to %s, which fails: %s", address,
            shown, refusal->why);
    }
    finding->reason = finding->level == ACME_REHEARSAL_FAULT
        ? ACME_REASON_REDIRECT_FAILED : ACME_REASON_NONE;
}

void acme_rehearsal_judge_hello(acme_rehearsal_finding_t *finding,
                                const acme_rehearsal_hello_t *hello,
                                apr_pool_t *p)
{
    const char *at = hello->address.text;

    if (hello->is_answered) {
        set(finding, ACME_REHEARSAL_FINE, ACME_REASON_NONE,
            apr_psprintf(p, "port 443 of %s leads to this server, which answers acme-tls/1",
                         at));
    }
    else if (hello->is_ours) {
        set(finding, ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
            apr_psprintf(p, "port 443 of %s shows the certificate of this server, but did not answer acme-tls/1 for a name of the rehearsal (%s): what is in between may go by the name",
                         at, hello->why));
    }
    else if (hello->serial
             && acme_rehearsal_judge_is_neighbour(&hello->address)) {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
            apr_psprintf(p, "port 443 of %s is answered by another server, which does not answer acme-tls/1",
                         at));
    }
    else if (hello->serial) {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
            apr_psprintf(p, "port 443 of %s is answered by another server, which does not answer acme-tls/1: its certificate has the serial %s, issued by %s",
                         at, hello->serial, hello->issuer));
    }
    else {
        set(finding, ACME_REHEARSAL_FAULT, ACME_REASON_OTHER_SERVER,
            apr_psprintf(p, "port 443 of %s does not answer with TLS: %s", at,
                         hello->why));
    }
}

static acme_topic_e topic_of(int type)
{
    return type == ACME_HTTP_01 ? ACME_TOPIC_HTTP_01
        : type == ACME_TLS_ALPN_01 ? ACME_TOPIC_TLS_ALPN_01
        : type == ACME_DNS_01 ? ACME_TOPIC_DNS_01 : ACME_TOPIC_DNS_PERSIST_01;
}

/* FAULT: this type cannot validate the name; FINE: it does; UNSEEN. */
static acme_rehearsal_e weigh(const apr_array_header_t *findings, int type,
                              const char *name)
{
    const int is_port = type == ACME_HTTP_01 || type == ACME_TLS_ALPN_01;
    acme_rehearsal_e level = type == ACME_DNS_PERSIST_01
        ? ACME_REHEARSAL_FAULT : ACME_REHEARSAL_UNSEEN; /* no record */
    int i;

    for (i = 0; i < findings->nelts; i++) {
        const acme_rehearsal_finding_t *finding =
            &APR_ARRAY_IDX(findings, i, acme_rehearsal_finding_t);

        if (strcmp(finding->name, name)) {
            continue;
        }
        if (finding->level == ACME_REHEARSAL_FAULT
            && (finding->topic == topic_of(type)
                || (is_port && finding->topic == ACME_TOPIC_DNS))) {
            return ACME_REHEARSAL_FAULT;
        }
        if (finding->topic == topic_of(type)
            && level != ACME_REHEARSAL_FINE) {
            level = finding->level == ACME_REHEARSAL_FINE
                ? ACME_REHEARSAL_FINE : ACME_REHEARSAL_UNSEEN;
        }
    }
    return level;
}

/* The position of its type in cert->challenges; -1: it is of none. */
static int position_of(const acme_rehearsal_finding_t *finding,
                       const acme_cert_conf_t *cert)
{
    int i = cert->nchallenges;

    while (--i >= 0 && topic_of(cert->challenges[i]) != finding->topic) {
        continue;
    }
    return i;
}

void acme_rehearsal_judge_name(apr_array_header_t *findings,
                               const acme_cert_conf_t *cert, const char *name,
                               unsigned forbidden, apr_pool_t *p)
{
    const int first = acme_rehearsal_judge_first(cert, name);
    acme_rehearsal_e best = ACME_REHEARSAL_FAULT;
    int by = first, i;
    const char *type;

    if (first < 0) {
        return;
    }
    for (i = first; i < cert->nchallenges; i++) {
        const int at = cert->challenges[i];
        const acme_rehearsal_e level =
            !acme_rehearsal_judge_suits((acme_challenge_e)at, name)
                    || (forbidden & 1u << at)
                ? ACME_REHEARSAL_FAULT : weigh(findings, at, name);

        if (level < best) {
            best = level;
            by = i;
        }
    }
    type = acme_challenge_name((acme_challenge_e)cert->challenges[by]);
    for (i = 0; i < findings->nelts; i++) {
        acme_rehearsal_finding_t *finding =
            &APR_ARRAY_IDX(findings, i, acme_rehearsal_finding_t);
        const int at = position_of(finding, cert);

        if (finding->level != ACME_REHEARSAL_FAULT
            || strcmp(finding->name, name)
            || (best == ACME_REHEARSAL_FAULT && at <= by)) {
            continue;
        }
        finding->level = at <= by && best == ACME_REHEARSAL_UNSEEN
            ? ACME_REHEARSAL_UNSEEN : ACME_REHEARSAL_NOTE;
        finding->reason = ACME_REASON_NONE;
        finding->text = apr_psprintf(
            p, at > by ? "%s (%s is tried before)"
               : best == ACME_REHEARSAL_FINE ? "%s (%s can validate it)"
               : "%s (whether %s can validate it cannot be seen from here)",
            finding->text, type);
    }
}

void acme_rehearsal_judge_first_ca(acme_rehearsal_finding_t *finding,
                                   const acme_cert_conf_t *cert,
                                   apr_pool_t *p)
{
    if (finding->level == ACME_REHEARSAL_FAULT && cert->cas->nelts > 1) {
        finding->level = ACME_REHEARSAL_NOTE;
        finding->reason = ACME_REASON_NONE;
        finding->text = apr_psprintf(p, "%s (of the first CA; AcmeCA names %d more, which are not looked at)",
                                     finding->text, cert->cas->nelts - 1);
    }
}
