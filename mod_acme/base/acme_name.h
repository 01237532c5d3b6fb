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
 * The one form of what an administrator wrote, in p: U-labels (UTF-8) become
 * A-labels (IDNA 2008), letters lower case, a final dot goes, an address may
 * stand in brackets. A single label such as "localhost" is a name: private
 * CAs certify it.
 *
 * On failure *pname is NULL, the status APR_EINVAL, and res, for good, says
 * why: empty, too long, a label that no host name can have, a wildcard that
 * is not the whole leftmost label (8555, 7.1.3).
 */
apr_status_t acme_name_normalise(const char **pname, const char *text,
                                 acme_result_t *res, apr_pool_t *p);

/* Is name an IPv4 or IPv6 address, without brackets? */
int acme_name_is_ip(const char *name);

/* Does name begin with "*."? */
int acme_name_is_wildcard(const char *name);

/*
 * "example.org" of "*.example.org"; other names as they are. The result
 * points into name.
 */
const char *acme_name_base(const char *name);

/*
 * The name of an address in the reverse tree, in p, without a final dot, such
 * as "1.2.0.192.in-addr.arpa" or 32 nibbles and "ip6.arpa" (1035, 3.5; 3596,
 * 2.5): the SNI of tls-alpn-01 (8738, 6). NULL when ip is not an address.
 */
const char *acme_name_arpa(const char *ip, apr_pool_t *p);

/*
 * The octets of an address in network order, into buf, which has room for 16.
 * Returns their number, 4 or 16, or 0 when name is not an address.
 */
int acme_name_ip_octets(unsigned char *buf, const char *name);

/* Is name in names (const char *), octet by octet? */
int acme_name_in(const apr_array_header_t *names, const char *name);

/* Put name, no copy of it, at the end of names, if it is not in them. */
void acme_name_add(apr_array_header_t *names, const char *name);

/* Is every name of a in b? Both hold const char *; an empty a is. */
int acme_name_all_in(const apr_array_header_t *a,
                     const apr_array_header_t *b);

/*
 * Is name covered by names (const char *) as a certificate's names are: itself,
 * or by a wildcard in the place of its first label (6125, 6.4.3)? A wildcard
 * covers no wildcard and no address.
 */
int acme_name_covered(const apr_array_header_t *names, const char *name);

/* Is every name of a covered by b? An empty a is. */
int acme_name_all_covered(const apr_array_header_t *a,
                          const apr_array_header_t *b);

/*
 * "a.org, b.org and 7 more", in p, for a log line: up to three names, of more
 * the first two and the number of the others. names holds const char *.
 */
const char *acme_name_list_text(const apr_array_header_t *names,
                                apr_pool_t *p);

#endif
