/*
 * acme_dns_message.h - the answer of a DNS server, parsed. (1035, 4)
 *
 * The octets are a stranger's: a malformed message is refused, and records
 * that we do not use are left out.
 */
#ifndef ACME_DNS_MESSAGE_H
#define ACME_DNS_MESSAGE_H

#include <apr_pools.h>
#include <apr_tables.h>

#define ACME_TXT_MAX 4096           /* octets of one value */
#define ACME_CNAME_DEPTH_MAX 16     /* CNAMEs, one after the other */

/* The types that we know. (1035, 3.2.2; 3596, 2.1; 8659, 4.1) */
typedef enum {
    ACME_RR_A = 1,
    ACME_RR_NS = 2,
    ACME_RR_CNAME = 5,
    ACME_RR_SOA = 6,
    ACME_RR_TXT = 16,
    ACME_RR_AAAA = 28,
    ACME_RR_CAA = 257           /* 8659, 4.1 */
} acme_dns_rr_e;

/* Names are lower case and have no final dot; "" is the root. */
typedef struct {
    acme_dns_rr_e type;
    const char *owner;
    const char *value;      /* CNAME, NS: a name; A, AAAA: an address; TXT: its
                               character-strings joined; SOA: ""; CAA:
                               "FLAGS TAG VALUE", the tag in lower case, an
                               octet beyond 0x20 to 0x7e as '?' */
    apr_interval_time_t ttl;        /* microseconds; SOA: of a negative answer
                                       (2308, 5) */
} acme_dns_rr_t;

#define ACME_RCODE_NXDOMAIN 3

/* All of it in the pool of the call. */
typedef struct {
    int rcode;                          /* without those of EDNS */
    int authoritative;                  /* boolean */
    apr_array_header_t *answers;        /* acme_dns_rr_t, of both sections */
    apr_array_header_t *authority;      /* together at most 512 */
} acme_dns_message_t;

/*
 * Parse len octets; what is kept is copied into p. APR_EINVAL, and *panswer
 * NULL, when they are not a DNS message. Left out are other types and classes,
 * names with an octet beyond letters, digits, '-' and '_', TXT values that are
 * longer than ACME_TXT_MAX or hold more than 0x20 to 0x7e, and the additional
 * section.
 */
apr_status_t acme_dns_message_parse(acme_dns_message_t **panswer,
                                    const unsigned char *message,
                                    apr_size_t len, apr_pool_t *p);

/* Where the CNAME at name leads, one step; NULL: the answer has none. */
const char *acme_dns_message_cname(const acme_dns_message_t *answer,
                                   const char *name);

/*
 * Where the CNAMEs in the answer lead from name: the answer's, or name itself
 * when there are none. NULL when there are more than *pleft, which counts down
 * with each.
 */
const char *acme_dns_message_follow(const acme_dns_message_t *answer,
                                    const char *name, int *pleft);

#endif
