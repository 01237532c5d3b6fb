/*
 * acme_dns_message.c - the wire format of RFC 1035, 4, as far as we need it.
 *
 * Every read is checked against the end; a compressed name may only point
 * further to the front than it has been, so that each one comes to an end.
 */
#include <string.h>

#include <arpa/inet.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_dns_message.h"
#include "acme_name.h"

#define HEADER_SIZE 12
#define FLAG_AUTHORITATIVE 0x0400
#define CLASS_IN 1
#define POINTER 0xc0            /* the two bits that make a pointer */
#define RECORDS_MAX 512         /* taken of one message */

/* at is never beyond len. */
typedef struct {
    const unsigned char *data;
    apr_size_t len;
    apr_size_t at;
} reader_t;

typedef struct {
    char text[ACME_NAME_MAX + 1];
    int usable;
} name_t;

static int read_integer(apr_uint32_t *pn, reader_t *r, apr_size_t octets)
{
    *pn = 0;
    if (octets > r->len - r->at) {
        return 0;
    }
    while (octets--) {
        *pn = *pn << 8 | r->data[r->at++];
    }
    return 1;
}

/* A label and the dot before it; returns the new length, or 0. */
static apr_size_t add_label(name_t *name, apr_size_t len,
                            const unsigned char *label, apr_size_t n)
{
    if (len + n + (len > 0) > ACME_NAME_MAX) {
        return 0;
    }
    if (len > 0) {
        name->text[len++] = '.';
    }
    while (n--) {
        int c = apr_tolower(*label);

        name->usable &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                        || c == '-' || c == '_';
        name->text[len++] = (char)c;
        label++;
    }
    return len;
}

/* Where the pointer at r->at leads, or r->len when it must not. */
static apr_size_t read_pointer(reader_t *r, apr_size_t before)
{
    apr_uint32_t to;

    if (!read_integer(&to, r, 2)) {
        return r->len;
    }
    to &= 0x3fff;
    return to < before ? to : r->len;
}

/* Read a name, compressed or not; r is behind it then. (1035, 4.1.4) */
static int read_name(name_t *name, reader_t *r)
{
    reader_t part = *r;
    apr_size_t begin = r->at, len = 0;
    apr_uint32_t n;
    int jumped = 0;

    name->usable = 1;
    while (part.at < part.len) {
        if ((part.data[part.at] & POINTER) == POINTER) {
            begin = read_pointer(&part, begin);
            if (!jumped) {
                r->at = part.at;
            }
            jumped = 1;
            part.at = begin;
            continue;
        }
        if (!read_integer(&n, &part, 1) || n & POINTER
            || n > part.len - part.at) {
            return 0;
        }
        if (n == 0) {
            name->text[len] = '\0';
            if (!jumped) {
                r->at = part.at;
            }
            return 1;
        }
        len = add_label(name, len, part.data + part.at, n);
        if (len == 0) {
            return 0;
        }
        part.at += n;
    }
    return 0;
}

/*
 * The following functions read the data of a record, which r is bounded to,
 * into rr: 0 when the message is malformed. An unusable value stays NULL.
 */
static int read_name_value(acme_dns_rr_t *rr, reader_t *r, apr_pool_t *p)
{
    name_t name;

    if (!read_name(&name, r)) {
        return 0;
    }
    if (name.usable) {
        rr->value = apr_pstrdup(p, name.text);
    }
    return 1;
}

static int read_address(acme_dns_rr_t *rr, reader_t *r, apr_pool_t *p)
{
    const int family = rr->type == ACME_RR_A ? AF_INET : AF_INET6;
    const apr_size_t size = family == AF_INET ? 4 : 16;
    char text[INET6_ADDRSTRLEN];

    if (r->len - r->at != size
        || !inet_ntop(family, r->data + r->at, text, sizeof(text))) {
        return 0;
    }
    rr->value = apr_pstrdup(p, text);
    return 1;
}

/* The joined strings are shorter than the data by an octet each. */
static int read_txt(acme_dns_rr_t *rr, reader_t *r, apr_pool_t *p)
{
    char *text = apr_palloc(p, r->len - r->at + 1);
    apr_size_t len = 0, i;
    apr_uint32_t n;
    int usable = 1;

    while (r->at < r->len) {
        if (!read_integer(&n, r, 1) || n > r->len - r->at) {
            return 0;
        }
        for (i = 0; i < n; i++) {
            text[len] = (char)r->data[r->at++];
            usable &= text[len] >= 0x20 && text[len] <= 0x7e;
            len++;
        }
    }
    text[len] = '\0';
    if (usable && len <= ACME_TXT_MAX) {
        rr->value = text;
    }
    return 1;
}

/*
 * One that cannot be used still counts: it may be what forbids. An octet that
 * no value may have becomes one that is as invalid. (8659, 4.1)
 */
static int read_caa(acme_dns_rr_t *rr, reader_t *r, apr_pool_t *p)
{
    apr_uint32_t flags, tag_len;
    apr_size_t i, len;
    char *text;

    if (!read_integer(&flags, r, 1) || !read_integer(&tag_len, r, 1)
        || tag_len == 0 || tag_len > r->len - r->at) {
        return 0;
    }
    len = r->len - r->at;
    if (len > ACME_TXT_MAX) {
        len = ACME_TXT_MAX;
    }
    text = apr_pstrmemdup(p, (const char *)r->data + r->at, len);
    r->at = r->len;
    for (i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e
            || (i < tag_len && !apr_isalnum(text[i]))) {
            text[i] = '?';
        }
        if (i < tag_len) {
            text[i] = (char)apr_tolower(text[i]);
        }
    }
    rr->value = apr_psprintf(p, "%u %.*s %s", flags, (int)tag_len, text,
                             len > tag_len ? text + tag_len : "");
    return 1;
}

/*
 * How long a negative answer may be cached: the lesser of TTL and minimum.
 * (2308, 5) BIND sends a TTL of 0 when the query was for the SOA, as ours is:
 * that says nothing of other types.
 */
static int read_soa(acme_dns_rr_t *rr, reader_t *r)
{
    apr_uint32_t minimum;
    name_t name;
    int i;

    if (!read_name(&name, r) || !read_name(&name, r)) {
        return 0;
    }
    for (i = 0; i < 5; i++) {       /* the minimum is the last */
        if (!read_integer(&minimum, r, 4)) {
            return 0;
        }
    }
    if (rr->ttl == 0 || apr_time_from_sec(minimum) < rr->ttl) {
        rr->ttl = apr_time_from_sec(minimum);
    }
    rr->value = "";
    return 1;
}

static int read_data(acme_dns_rr_t *rr, reader_t *r, apr_pool_t *p)
{
    switch (rr->type) {
    case ACME_RR_A:
    case ACME_RR_AAAA:
        return read_address(rr, r, p);
    case ACME_RR_NS:
    case ACME_RR_CNAME:
        return read_name_value(rr, r, p);
    case ACME_RR_SOA:
        return read_soa(rr, r);
    case ACME_RR_TXT:
        return read_txt(rr, r, p);
    case ACME_RR_CAA:
        return read_caa(rr, r, p);
    default:
        return 1;
    }
}

static int read_record(apr_array_header_t *records, reader_t *r, apr_pool_t *p)
{
    apr_uint32_t type, class, ttl, len;
    acme_dns_rr_t rr = { 0 };
    reader_t data;
    name_t owner;

    if (!read_name(&owner, r) || !read_integer(&type, r, 2)
        || !read_integer(&class, r, 2) || !read_integer(&ttl, r, 4)
        || !read_integer(&len, r, 2) || len > r->len - r->at) {
        return 0;
    }
    data = *r;
    data.len = r->at + len;
    r->at += len;
    if (class != CLASS_IN || !owner.usable) {
        return 1;
    }
    rr.type = (acme_dns_rr_e)type;
    rr.ttl = apr_time_from_sec(ttl);
    if (!read_data(&rr, &data, p)) {
        return 0;
    }
    if (rr.value) {
        rr.owner = apr_pstrdup(p, owner.text);
        APR_ARRAY_PUSH(records, acme_dns_rr_t) = rr;
    }
    return 1;
}

/* The additional section is left out: no query was for it. */
apr_status_t acme_dns_message_parse(acme_dns_message_t **panswer,
                                    const unsigned char *message,
                                    apr_size_t len, apr_pool_t *p)
{
    reader_t r = { .data = message, .len = len };
    acme_dns_message_t *answer = apr_palloc(p, sizeof(*answer));
    apr_uint32_t flags, counts[3], kind, count;
    name_t name;
    int good;

    *panswer = NULL;

    answer->answers = apr_array_make(p, 8, sizeof(acme_dns_rr_t));
    answer->authority = apr_array_make(p, 8, sizeof(acme_dns_rr_t));
    if (len < HEADER_SIZE) {
        return APR_EINVAL;
    }
    r.at = 2;                   /* c-ares has looked at the id */
    good = read_integer(&flags, &r, 2) && read_integer(&counts[0], &r, 2)
           && read_integer(&counts[1], &r, 2)
           && read_integer(&counts[2], &r, 2);
    answer->rcode = flags & 0xf;
    answer->authoritative = (flags & FLAG_AUTHORITATIVE) != 0;

    r.at = HEADER_SIZE;
    for (count = 0; good && count < counts[0]; count++) {
        good = read_name(&name, &r) && read_integer(&kind, &r, 4);
    }
    for (count = 0; good && count < counts[1] + counts[2]; count++) {
        if (count == RECORDS_MAX) {
            break;
        }
        good = read_record(count < counts[1] ? answer->answers
                                             : answer->authority, &r, p);
    }
    if (!good) {
        return APR_EINVAL;
    }
    *panswer = answer;
    return APR_SUCCESS;
}

const char *acme_dns_message_cname(const acme_dns_message_t *answer,
                                   const char *name)
{
    int i;

    for (i = 0; i < answer->answers->nelts; i++) {
        const acme_dns_rr_t *rr =
            &APR_ARRAY_IDX(answer->answers, i, acme_dns_rr_t);

        if (rr->type == ACME_RR_CNAME && !strcmp(rr->owner, name)) {
            return rr->value;
        }
    }
    return NULL;
}

const char *acme_dns_message_follow(const acme_dns_message_t *answer,
                                    const char *name, int *pleft)
{
    const char *next;

    while ((next = acme_dns_message_cname(answer, name))) {
        if ((*pleft)-- <= 0) {
            return NULL;
        }
        name = next;
    }
    return name;
}
