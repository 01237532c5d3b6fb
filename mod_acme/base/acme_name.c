/*
 * acme_name.c - names in their one form.
 *
 * ASCII is never given to libidn2: it refuses names that exist, such as
 * "r3---sn.example.org", and what is in the DNS is for the CA to judge.
 */
#include <arpa/inet.h>
#include <string.h>

#include <apr_strings.h>
#include <idn2.h>

#include "acme_name.h"
#include "acme_text.h"

#define LABEL_MAX 63                    /* octets (1035, 2.3.4) */
#define TEXT_MAX (4 * ACME_NAME_MAX)    /* octets: UTF-8 of the longest name */
#define NAMES_SHOWN 3

#define DIGITS "0123456789"
#define HEX DIGITS "abcdef"
#define LOWER_LDH "abcdefghijklmnopqrstuvwxyz" DIGITS "-"

int acme_name_ip_octets(unsigned char *buf, const char *name)
{
    if (inet_pton(AF_INET, name, buf) == 1) {
        return 4;
    }
    return inet_pton(AF_INET6, name, buf) == 1 ? 16 : 0;
}

/* The canonical text of an address, or NULL when text is not one. */
static const char *address_text(const char *text, apr_pool_t *p)
{
    unsigned char octets[16];
    char buf[INET6_ADDRSTRLEN];
    apr_size_t len = strlen(text);
    int in_brackets = len > 2 && *text == '[' && text[len - 1] == ']';
    int n;

    if (in_brackets) {
        text = apr_pstrmemdup(p, text + 1, len - 2);
    }
    n = acme_name_ip_octets(octets, text);
    if (n == 0 || (n == 4 && in_brackets)) {
        return NULL;
    }
    inet_ntop(n == 4 ? AF_INET : AF_INET6, octets, buf, sizeof(buf));
    return apr_pstrdup(p, buf);
}

/* Why a host cannot have this name of A-labels, or NULL. (1123, 2.1) */
static const char *dns_fault(const char *name)
{
    apr_size_t len;

    if (strchr(name, '*')) {
        return "a wildcard must be the whole leftmost label, as in *.example.org";
    }
    for (;;) {
        len = strcspn(name, ".");
        if (len == 0) {
            return "a label is empty";
        }
        if (len > LABEL_MAX) {
            return "a label is longer than 63 octets";
        }
        if (strspn(name, LOWER_LDH) < len) {
            return "a label contains something other than letters, digits and hyphens";
        }
        if (name[0] == '-' || name[len - 1] == '-') {
            return "a label begins or ends with a hyphen";
        }
        if (name[len] == '\0') {
            break;
        }
        name += len + 1;
    }
    /* Others would read it as an address: "1.2.3", "127.1". */
    return strspn(name, DIGITS) == len
           ? "it ends with a number, but is not an IP address" : NULL;
}

/*
 * Fill *pname with text in its one form, with a wildcard or without, and return
 * NULL; or return the fault of text.
 */
static const char *to_dns_name(const char **pname, const char *text,
                               apr_pool_t *p)
{
    const char *star = acme_name_is_wildcard(text) ? "*." : "";
    char *ascii = NULL, *name;
    const char *fault, *at;
    apr_size_t len;
    int rc;

    text += strlen(star);
    if (*text == '\0') {
        return "it is empty";
    }
    if (strlen(text) > TEXT_MAX) {
        return "it is too long";
    }
    for (at = text; *at && (unsigned char)*at < 0x80; at++) {
    }
    if (*at == '\0') {
        name = acme_text_lower(text, strlen(text), p);
    }
    else {
        rc = idn2_to_ascii_8z(text, &ascii,
                              IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (rc != IDN2_OK) {
            return idn2_strerror(rc);
        }
        name = apr_pstrdup(p, ascii);
        idn2_free(ascii);
    }

    len = strlen(name);
    if (len > 0 && name[len - 1] == '.') {
        name[--len] = '\0';
    }
    if (strlen(star) + len > ACME_NAME_MAX) {
        return "it is longer than 253 octets";
    }
    fault = dns_fault(name);
    if (!fault) {
        *pname = apr_pstrcat(p, star, name, NULL);
    }
    return fault;
}

apr_status_t acme_name_normalise(const char **pname, const char *text,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *fault;

    *pname = address_text(text, p);
    if (*pname) {
        return APR_SUCCESS;
    }
    fault = to_dns_name(pname, text, p);
    if (fault) {
        return acme_fail_never(res, APR_EINVAL,
                               "\"%s\": not a name for a certificate: %s",
                               acme_text_clean(text, ACME_NAME_MAX, p), fault);
    }
    return APR_SUCCESS;
}

int acme_name_is_ip(const char *name)
{
    unsigned char octets[16];

    return acme_name_ip_octets(octets, name) != 0;
}

int acme_name_is_wildcard(const char *name)
{
    return name[0] == '*' && name[1] == '.';
}

const char *acme_name_base(const char *name)
{
    return acme_name_is_wildcard(name) ? name + 2 : name;
}

const char *acme_name_arpa(const char *ip, apr_pool_t *p)
{
    unsigned char octets[16];
    char nibbles[2 * 2 * sizeof(octets) + 1], *to = nibbles;
    int i, n = acme_name_ip_octets(octets, ip);

    if (n == 0) {
        return NULL;
    }
    if (n == 4) {
        return apr_psprintf(p, "%d.%d.%d.%d.in-addr.arpa", octets[3],
                            octets[2], octets[1], octets[0]);
    }
    for (i = n - 1; i >= 0; i--) {
        *to++ = HEX[octets[i] & 15];
        *to++ = '.';
        *to++ = HEX[octets[i] >> 4];
        *to++ = '.';
    }
    *to = '\0';
    return apr_pstrcat(p, nibbles, "ip6.arpa", NULL);
}

int acme_name_in(const apr_array_header_t *names, const char *name)
{
    int i;

    for (i = 0; i < names->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(names, i, const char *), name)) {
            return 1;
        }
    }
    return 0;
}

void acme_name_add(apr_array_header_t *names, const char *name)
{
    if (!acme_name_in(names, name)) {
        APR_ARRAY_PUSH(names, const char *) = name;
    }
}

int acme_name_all_in(const apr_array_header_t *a,
                     const apr_array_header_t *b)
{
    int i;

    for (i = 0; i < a->nelts; i++) {
        if (!acme_name_in(b, APR_ARRAY_IDX(a, i, const char *))) {
            return 0;
        }
    }
    return 1;
}

/* Is it "*" and the rest of name from its first dot on? */
static int is_wildcard_of(const char *wildcard, const char *name)
{
    const char *dot = strchr(name, '.');

    return dot && dot > name && acme_name_is_wildcard(wildcard)
        && !strcmp(wildcard + 1, dot);
}

int acme_name_covered(const apr_array_header_t *names, const char *name)
{
    int i;

    if (acme_name_in(names, name)) {
        return 1;
    }
    if (acme_name_is_wildcard(name) || acme_name_is_ip(name)) {
        return 0;
    }
    for (i = 0; i < names->nelts; i++) {
        if (is_wildcard_of(APR_ARRAY_IDX(names, i, const char *), name)) {
            return 1;
        }
    }
    return 0;
}

int acme_name_all_covered(const apr_array_header_t *a,
                          const apr_array_header_t *b)
{
    int i;

    for (i = 0; i < a->nelts; i++) {
        if (!acme_name_covered(b, APR_ARRAY_IDX(a, i, const char *))) {
            return 0;
        }
    }
    return 1;
}

const char *acme_name_list_text(const apr_array_header_t *names, apr_pool_t *p)
{
    /* Not "and 1 more": that one is shown. */
    int shown = names->nelts <= NAMES_SHOWN ? names->nelts : NAMES_SHOWN - 1;
    const char *text = "";
    int i;

    for (i = 0; i < shown; i++) {
        text = apr_pstrcat(p, text, i > 0 ? ", " : "",
                           APR_ARRAY_IDX(names, i, const char *), NULL);
    }
    if (shown < names->nelts) {
        text = apr_psprintf(p, "%s and %d more", text, names->nelts - shown);
    }
    return text;
}
