/*
 * acme_dns_message.h - what a DNS server answered, taken apart.
 *
 * The octets are a stranger's: whatever does not fit is refused, whatever is
 * of no use to us is left out.
 */
#ifndef ACME_DNS_MESSAGE_H
#define ACME_DNS_MESSAGE_H

#include <apr_pools.h>
#include <apr_tables.h>

#define ACME_TXT_MAX 4096           /* octets of one value */
#define ACME_CNAME_DEPTH_MAX 16     /* CNAMEs, one after the other */

/* The types that we know. (1035, 3.2.2; 3596, 2.1) */
typedef enum {
    ACME_RR_A = 1,
    ACME_RR_NS = 2,
    ACME_RR_CNAME = 5,
    ACME_RR_SOA = 6,
    ACME_RR_TXT = 16,
    ACME_RR_AAAA = 28
} acme_dns_rr_e;

/* Names are lower case and have no final dot; "" is the root. */
typedef struct {
    acme_dns_rr_e type;
    const char *owner;
    const char *value;      /* CNAME, NS: a name; A, AAAA: an address; TXT: its
                               character-strings joined; SOA: "" */
    apr_interval_time_t ttl;        /* SOA: of a negative answer (2308, 5) */
} acme_dns_rr_t;

#define ACME_RCODE_NXDOMAIN 3

typedef struct {
    int rcode;
    int authoritative;
    apr_array_header_t *answers;        /* acme_dns_rr_t, of both sections */
    apr_array_header_t *authority;      /* together at most 512 */
} acme_dns_message_t;

/*
 * APR_EINVAL when the message is none. Left out are other types and classes,
 * names with an octet beyond letters, digits, '-' and '_', and TXT values
 * that are longer than ACME_TXT_MAX or hold more than 0x20 to 0x7e.
 */
apr_status_t acme_dns_message_parse(acme_dns_message_t **panswer,
                                    const unsigned char *message,
                                    apr_size_t len, apr_pool_t *p);

/*
 * Where the CNAMEs in the answer lead from name; name itself when there are
 * none. NULL when there are more than *pleft, from which they are taken.
 */
const char *acme_dns_message_follow(const acme_dns_message_t *answer,
                                    const char *name, int *pleft);

#endif
