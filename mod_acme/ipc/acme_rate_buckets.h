/*
 * acme_rate_buckets.h - what a CA's rate limits still allow: a model of our
 * own.
 *
 * Where a limit is known we wait by ourselves instead of being refused: a
 * refusal costs an order and tells less. The limits are token buckets, as the
 * CA that publishes them has it: of 50 in 7 days, 50 may be used at once, and
 * each comes back after 7 days / 50. So the past of a thing is one point in
 * time: when its bucket will be full again. Texts are not kept, only 64 bits
 * of them.
 *
 * One a CA's account. It knows no lock: the threads that share one call it
 * under theirs. Time is passed in.
 */
#ifndef ACME_RATE_BUCKETS_H
#define ACME_RATE_BUCKETS_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

typedef struct acme_rate_buckets_t acme_rate_buckets_t;

/*
 * What one order is for. First certificates leave a tenth of each limit to
 * renewals.
 */
typedef struct {
    const apr_array_header_t *names;    /* const char *, see acme_name.h */
    int is_renewal;             /* of exactly these names */
    int is_ari;                 /* it arrives in the CA's own window, and says
                                   replaces (9773, 5): no limit applies */
} acme_rate_buckets_order_t;

/* What uses a limit up. */
typedef enum {
    ACME_USE_ORDERED,           /* a newOrder request was accepted */
    ACME_USE_ISSUED,            /* a certificate came */
    ACME_USE_ISSUED_OTHER,      /* for other names, of the same domains */
    ACME_USE_FAILED             /* of names: those whose validation failed */
} acme_use_e;

/* One of the past. names may end with the call that it is given to. */
typedef struct {
    apr_time_t when;
    acme_use_e use;
    acme_rate_buckets_order_t order;
} acme_rate_buckets_event_t;

/*
 * A model of the CA with this directory URL (acme_url_check() liked it), as
 * if nothing had happened yet. Let's Encrypt and its staging environment are
 * known; others have no limits. Lives as long as p.
 */
acme_rate_buckets_t *acme_rate_buckets_create(const char *url, apr_pool_t *p);

/* Is there a limit at all? */
int acme_rate_buckets_is_known(const acme_rate_buckets_t *limits);

/*
 * It happened. In the order of time: what comes late is taken for later than
 * it was, so that rather too much is thought to be used up.
 */
void acme_rate_buckets_add(acme_rate_buckets_t *limits,
                           const acme_rate_buckets_event_t *event);

/*
 * A past: acme_rate_buckets_event_t, which are sorted by time for it. What is
 * later than now was written with a wrong clock and does not count.
 */
void acme_rate_buckets_load(acme_rate_buckets_t *limits,
                            apr_array_header_t *events, apr_time_t now);

/*
 * Forget what is full again at now, or can't be meant, and give its memory
 * back.
 */
void acme_rate_buckets_expire(acme_rate_buckets_t *limits, apr_time_t now);

/*
 * How many buckets are remembered: what tests of its memory measure, as 64
 * bits of a text are all that there is to see.
 */
unsigned int acme_rate_buckets_count(const acme_rate_buckets_t *limits);

/*
 * When it may be ordered: now, or the earliest time. Then *why is a sentence,
 * from p, about the limit that ends last; else NULL.
 */
apr_time_t acme_rate_buckets_next(const char **why,
                                  const acme_rate_buckets_t *limits,
                                  const acme_rate_buckets_order_t *order,
                                  apr_time_t now, apr_pool_t *p);

/*
 * What is left of each limit that this order would use up, or that may stop it,
 * a line each, in p: "Let's Encrypt: 4 of 5 certificates for the same names
 * (a.example) in 7 days are left". Of several domains or names the one with the
 * fewest is meant. "" when no limit applies.
 */
const char *acme_rate_buckets_left_text(const acme_rate_buckets_t *limits,
                                        const acme_rate_buckets_order_t *order,
                                        apr_time_t now, apr_pool_t *p);

/*
 * When the last of these orders (acme_rate_buckets_order_t) may be made, when
 * all begin as early as they may, those first that come first; about, for a
 * delay by the account's limit does not delay a domain's next.
 */
apr_time_t acme_rate_buckets_forecast(const acme_rate_buckets_t *limits,
                                      const apr_array_header_t *orders,
                                      apr_time_t now, apr_pool_t *p);

/*
 * "the last of 4,000 names about Tuesday 14:10 UTC", with the date when it is
 * in more than six days; "no limit postpones 4,000 names".
 */
const char *acme_rate_buckets_forecast_text(int names, apr_time_t last,
                                            apr_time_t now, apr_pool_t *p);

/*
 * The domain that was bought from a registrar, by the list of public suffixes
 * (libpsl): a part of name. A name that is itself a suffix, or of a private
 * network: name. NULL for an IP address.
 */
const char *acme_rate_buckets_registered_domain(const char *name);

#endif
