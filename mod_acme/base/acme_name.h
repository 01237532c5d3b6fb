/*
 * acme_name.h - the names a certificate is for: DNS names and IP addresses.
 *
 * One form inside the program: DNS names as lower-case A-labels without a
 * final dot, a wildcard as "*.example.org", an address in its canonical text.
 */
#ifndef ACME_NAME_H
#define ACME_NAME_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "acme_result.h"

#define ACME_NAME_MAX 253       /* octets of a DNS name (1035, 2.3.4) */

/*
 * The one form of what an administrator wrote: U-labels (UTF-8) become
 * A-labels (IDNA 2008), letters lower case, a final dot goes. Refused with a
 * sentence in res: empty, too long, labels that no host name can have, a
 * wildcard that is not the whole leftmost label. A single label such as
 * "localhost" is a name: private CAs certify it.
 */
apr_status_t acme_name_normalise(const char **pname, const char *text,
                                 acme_result_t *res, apr_pool_t *p);

/* Of a name in its one form: is it an IP address, is it a wildcard? */
int acme_name_is_ip(const char *name);
int acme_name_is_wildcard(const char *name);

/* "example.org" of "*.example.org": in name itself; others as they are. */
const char *acme_name_base(const char *name);

/*
 * The name of an address in the reverse tree, without a final dot, such as
 * "1.2.0.192.in-addr.arpa" or 32 nibbles and "ip6.arpa" (1035, 3.5; 3596,
 * 2.5): the SNI of tls-alpn-01 (8738, 6). NULL when ip is not an address.
 */
const char *acme_name_arpa(const char *ip, apr_pool_t *p);

/*
 * Octets of an address in network order: returns 4 or 16, or 0 when name is
 * not an address. buf has room for 16.
 */
int acme_name_ip_octets(unsigned char *buf, const char *name);

/* Both arrays hold const char *. Is name in names? */
int acme_name_in(const apr_array_header_t *names, const char *name);

/* Is every one of a in b? */
int acme_name_all_in(const apr_array_header_t *a,
                     const apr_array_header_t *b);

/* "a.org, b.org and 7 more": for a log line; shows at most three. */
const char *acme_name_list_text(const apr_array_header_t *names,
                                apr_pool_t *p);

#endif
