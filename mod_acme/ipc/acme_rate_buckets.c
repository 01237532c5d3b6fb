/*
 * acme_rate_buckets.c - what a CA's rate limits still allow: a model of our
 * own.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <libpsl.h>

#include "acme_known_ca.h"
#include "acme_rate_buckets.h"
#include "acme_name.h"
#include "acme_time.h"

#define HOUR apr_time_from_sec(3600)
#define DAY (24 * HOUR)

#define PERIOD_MAX (7 * DAY)    /* of the limits below */
#define RESERVE_PART 10         /* of a limit, for renewals */
#define NAMED_DAYS 6            /* with seven, a weekday would say today */

/* Whose bucket it is. */
typedef enum { OF_ACCOUNT, OF_DOMAIN, OF_SET, OF_NAME } subject_e;

typedef struct {
    subject_e of;
    acme_use_e use;
    int count;
    apr_interval_time_t period;
    const char *text;           /* count of what; %s is the subject */
} limit_t;

/* What each kind of limit counts. */
static const limit_t kinds[ACME_LIMIT_KINDS] = {
    [ACME_LIMIT_ORDERS] = {
        .of = OF_ACCOUNT, .use = ACME_USE_ORDERED,
        .text = "new orders of an account"
    },
    [ACME_LIMIT_DOMAIN] = {
        .of = OF_DOMAIN, .use = ACME_USE_ISSUED,
        .text = "certificates for the domain %s"
    },
    [ACME_LIMIT_NAMES] = {
        .of = OF_SET, .use = ACME_USE_ISSUED,
        .text = "certificates for the same names (%s)"
    },
    [ACME_LIMIT_FAILURES] = {
        .of = OF_NAME, .use = ACME_USE_FAILED,
        .text = "failed validations of %s"
    }
};

typedef struct {
    const char *title;
    limit_t limits[ACME_LIMIT_KINDS];
} ca_t;

/* Buckets: when each is full again. One that isn't there is full. */
typedef struct book_t {
    apr_hash_t *full_at;        /* of bucket_t, by their key */
    const struct book_t *under; /* asked where this one knows nothing */
    apr_pool_t *p;
} book_t;

typedef struct {
    apr_uint64_t key;
    apr_time_t full_at;
} bucket_t;

struct acme_rate_buckets_t {
    const ca_t *ca;             /* NULL: none is known */
    book_t book;
    apr_pool_t *scratch;
    apr_pool_t *p;
};

/* A bucket's key, and its name for people. */
typedef struct {
    apr_uint64_t key;
    const char *name;
} subject_t;

/* NULL when the CA is unknown, or publishes no limits. */
static const ca_t *limits_of(const acme_known_ca_t *known, apr_pool_t *p)
{
    ca_t *ca;
    int i;

    if (!known || !known->limits[ACME_LIMIT_ORDERS].count) {
        return NULL;
    }
    ca = apr_palloc(p, sizeof(*ca));
    ca->title = known->title;
    for (i = 0; i < ACME_LIMIT_KINDS; i++) {
        ca->limits[i] = kinds[i];
        ca->limits[i].count = known->limits[i].count;
        ca->limits[i].period = known->limits[i].period;
    }
    return ca;
}

acme_rate_buckets_t *acme_rate_buckets_create(const char *url, apr_pool_t *p)
{
    acme_rate_buckets_t *limits = apr_pcalloc(p, sizeof(*limits));

    limits->ca = limits_of(acme_known_ca_of_url(url, p), p);
    limits->p = p;
    apr_pool_create(&limits->scratch, p);
    apr_pool_create(&limits->book.p, p);
    limits->book.full_at = apr_hash_make(limits->book.p);
    return limits;
}

int acme_rate_buckets_is_known(const acme_rate_buckets_t *limits)
{
    return limits->ca != NULL;
}

const char *acme_rate_buckets_registered_domain(const char *name)
{
    const char *plain = acme_name_is_wildcard(name) ? name + 2 : name;
    const char *domain;

    if (acme_name_is_ip(name)) {
        return NULL;
    }
    domain = psl_registrable_domain(psl_builtin(), plain);
    return domain ? domain : plain;
}

/* FNV-1a, and its bits mixed, so that sums of it are as good. */
static apr_uint64_t hash_of(subject_e of, const char *text)
{
    apr_uint64_t hash = 14695981039346656037u ^ (apr_uint64_t)of;

    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    }
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    return hash ^ hash >> 33;
}

/* The order of the names doesn't matter to the CA. */
static apr_uint64_t hash_of_set(const apr_array_header_t *names)
{
    apr_uint64_t hash = (apr_uint64_t)names->nelts;
    int i;

    for (i = 0; i < names->nelts; i++) {
        hash += hash_of(OF_SET, APR_ARRAY_IDX(names, i, const char *));
    }
    return hash;
}

static void add_subject(apr_array_header_t *subjects, apr_uint64_t key,
                        const char *name)
{
    subject_t *subject;
    int i;

    for (i = 0; i < subjects->nelts; i++) {
        if (APR_ARRAY_IDX(subjects, i, subject_t).key == key) {
            return;
        }
    }
    subject = apr_array_push(subjects);
    subject->key = key;
    subject->name = name;
}

/* The buckets of a limit that are used for these names, each once. */
static apr_array_header_t *subjects_of(const limit_t *limit,
                                       const apr_array_header_t *names,
                                       apr_pool_t *p)
{
    apr_array_header_t *subjects = apr_array_make(p, 1, sizeof(subject_t));
    const char *name;
    int i;

    if (limit->of == OF_ACCOUNT) {
        add_subject(subjects, hash_of(OF_ACCOUNT, ""), "");
        return subjects;
    }
    if (limit->of == OF_SET) {
        add_subject(subjects, hash_of_set(names),
                    acme_name_list_text(names, p));
        return subjects;
    }
    for (i = 0; i < names->nelts; i++) {
        name = APR_ARRAY_IDX(names, i, const char *);
        if (limit->of == OF_DOMAIN) {
            name = acme_rate_buckets_registered_domain(name);
        }
        if (name) {
            add_subject(subjects, hash_of(limit->of, name), name);
        }
    }
    return subjects;
}

/* Renewals don't count for a domain, those that the CA asked for nowhere. */
static int is_exempt(const limit_t *limit,
                     const acme_rate_buckets_order_t *order)
{
    return order->is_ari
        || (limit->of == OF_DOMAIN && order->is_renewal);
}

static int is_used(const limit_t *limit, acme_use_e use)
{
    return limit->use == use
        || (limit->of == OF_DOMAIN && use == ACME_USE_ISSUED_OTHER);
}

/*
 * Which uses are counted: a certificate that was asked for by the CA is yet
 * one more of the same names for whoever asks next.
 */
static int is_counted(const limit_t *limit,
                      const acme_rate_buckets_event_t *event)
{
    return is_used(limit, event->use)
        && (limit->of == OF_SET || limit->of == OF_NAME
            || !is_exempt(limit, &event->order));
}

/*
 * When a bucket is full again. An empty one is full after the period: what
 * says more was written with a wrong clock, and would keep us waiting for
 * years. In a forecast times that are farther ahead are meant.
 */
static apr_time_t full_at(const book_t *book, const limit_t *limit,
                          apr_uint64_t key, apr_time_t now)
{
    const bucket_t *bucket;

    for (; book; book = book->under) {
        bucket = apr_hash_get(book->full_at, &key, sizeof(key));
        if (bucket && (book->under
                       || bucket->full_at <= now + limit->period)) {
            return bucket->full_at;
        }
    }
    return 0;
}

static bucket_t *bucket_of(book_t *book, apr_uint64_t key)
{
    bucket_t *bucket = apr_hash_get(book->full_at, &key, sizeof(key));

    if (!bucket) {
        bucket = apr_palloc(book->p, sizeof(*bucket));
        bucket->key = key;
        bucket->full_at = 0;
        apr_hash_set(book->full_at, &bucket->key, sizeof(key), bucket);
    }
    return bucket;
}

/* What the CA let happen can't have emptied a bucket more than wholly. */
static void use_one(book_t *book, const limit_t *limit, apr_uint64_t key,
                    apr_time_t when)
{
    const apr_time_t full = full_at(book, limit, key, when);
    bucket_t *bucket = bucket_of(book, key);
    apr_time_t then = (full > when ? full : when)
        + limit->period / limit->count;

    if (!book->under && then > when + limit->period) {
        then = when + limit->period;
    }
    if (then > bucket->full_at) {
        bucket->full_at = then;
    }
}

static void use_all(book_t *book, const limit_t *limit,
                    const apr_array_header_t *names, apr_time_t when,
                    apr_pool_t *p)
{
    const apr_array_header_t *subjects = subjects_of(limit, names, p);
    int i;

    for (i = 0; i < subjects->nelts; i++) {
        use_one(book, limit, APR_ARRAY_IDX(subjects, i, subject_t).key, when);
    }
}

void acme_rate_buckets_add(acme_rate_buckets_t *limits,
                           const acme_rate_buckets_event_t *event)
{
    const limit_t *limit;
    int i;

    for (i = 0; limits->ca && i < ACME_LIMIT_KINDS; i++) {
        limit = &limits->ca->limits[i];
        if (is_counted(limit, event)) {
            use_all(&limits->book, limit, event->order.names, event->when,
                    limits->scratch);
        }
    }
    apr_pool_clear(limits->scratch);
}

static int by_when(const void *a, const void *b)
{
    const apr_time_t x = ((const acme_rate_buckets_event_t *)a)->when;
    const apr_time_t y = ((const acme_rate_buckets_event_t *)b)->when;

    return x < y ? -1 : x > y;
}

void acme_rate_buckets_load(acme_rate_buckets_t *limits,
                            apr_array_header_t *events, apr_time_t now)
{
    const acme_rate_buckets_event_t *event;
    int i;

    if (events->nelts) {
        qsort(events->elts, (size_t)events->nelts,
              sizeof(acme_rate_buckets_event_t), by_when);
    }
    for (i = 0; i < events->nelts; i++) {
        event = &APR_ARRAY_IDX(events, i, acme_rate_buckets_event_t);
        if (event->when <= now) {
            acme_rate_buckets_add(limits, event);
        }
    }
}

void acme_rate_buckets_expire(acme_rate_buckets_t *limits, apr_time_t now)
{
    apr_hash_index_t *hi;
    book_t kept = { NULL, NULL, NULL };
    bucket_t *bucket;
    void *value;

    apr_pool_create(&kept.p, limits->p);
    kept.full_at = apr_hash_make(kept.p);
    for (hi = apr_hash_first(limits->scratch, limits->book.full_at); hi;
         hi = apr_hash_next(hi)) {
        apr_hash_this(hi, NULL, NULL, &value);
        bucket = value;
        if (bucket->full_at > now && bucket->full_at <= now + PERIOD_MAX) {
            bucket = apr_pmemdup(kept.p, bucket, sizeof(*bucket));
            apr_hash_set(kept.full_at, &bucket->key, sizeof(bucket->key),
                         bucket);
        }
    }
    apr_pool_clear(limits->scratch);
    apr_pool_destroy(limits->book.p);
    limits->book = kept;
}

unsigned int acme_rate_buckets_count(const acme_rate_buckets_t *limits)
{
    return apr_hash_count(limits->book.full_at);
}

static int reserve_of(const limit_t *limit,
                      const acme_rate_buckets_order_t *order)
{
    return order->is_renewal ? 0 : limit->count / RESERVE_PART;
}

/* When one more may be taken out of a bucket. */
static apr_time_t next_of(const limit_t *limit, int reserve,
                          apr_time_t full, apr_time_t now)
{
    const apr_interval_time_t each = limit->period / limit->count;
    const apr_time_t next = full - each * (limit->count - reserve - 1);

    return next > now ? next : now;
}

/* The same of all buckets of a limit; *name is that of the last one. */
static apr_time_t next_of_limit(const char **name, const book_t *book,
                                const limit_t *limit,
                                const acme_rate_buckets_order_t *order,
                                apr_time_t now, apr_pool_t *p)
{
    const apr_array_header_t *subjects = subjects_of(limit, order->names, p);
    apr_time_t next = now, at;
    int i;

    for (i = 0; i < subjects->nelts; i++) {
        const subject_t *subject = &APR_ARRAY_IDX(subjects, i, subject_t);

        at = next_of(limit, reserve_of(limit, order),
                     full_at(book, limit, subject->key, now), now);
        if (at > next) {
            next = at;
            *name = subject->name;
        }
    }
    return next;
}

static const char *why_limited_text(const ca_t *ca, const limit_t *limit,
                                    const acme_rate_buckets_order_t *order,
                                    const char *name, apr_time_t next,
                                    apr_pool_t *p)
{
    const int reserve = reserve_of(limit, order);
    const char *kept = reserve
        ? apr_psprintf(p, ", of which %d are reserved for renewals", reserve)
        : "";
    const char *what = apr_psprintf(p, limit->text, name);

    return apr_psprintf(p,
                        "%s allows %d %s in %s%s; the order is postponed until %s",
                        ca->title, limit->count, what,
                        acme_time_interval_text(limit->period, p), kept,
                        acme_time_text(next, p));
}

apr_time_t acme_rate_buckets_next(const char **why,
                                  const acme_rate_buckets_t *limits,
                                  const acme_rate_buckets_order_t *order,
                                  apr_time_t now, apr_pool_t *p)
{
    const limit_t *limit, *last = NULL;
    const char *name = "", *last_name = "";
    apr_time_t next = now, at;
    int i;

    *why = NULL;
    for (i = 0; limits->ca && i < ACME_LIMIT_KINDS; i++) {
        limit = &limits->ca->limits[i];
        if (is_exempt(limit, order)) {
            continue;
        }
        at = next_of_limit(&name, &limits->book, limit, order, now, p);
        if (at > next) {
            next = at;
            last = limit;
            last_name = name;
        }
    }
    if (last) {
        *why = why_limited_text(limits->ca, last, order, last_name, next, p);
    }
    return next;
}

/* How many are in a bucket that is full again at full. */
static int left_in(const limit_t *limit, apr_time_t full, apr_time_t now)
{
    const apr_interval_time_t each = limit->period / limit->count;
    const apr_time_t used = full > now ? (full - now + each - 1) / each : 0;

    return used < limit->count ? limit->count - (int)used : 0;
}

const char *acme_rate_buckets_left_text(const acme_rate_buckets_t *limits,
                                        const acme_rate_buckets_order_t *order,
                                        apr_time_t now, apr_pool_t *p)
{
    const char *text = "", *name;
    int i, k, left, least;

    for (i = 0; limits->ca && i < ACME_LIMIT_KINDS; i++) {
        const limit_t *limit = &limits->ca->limits[i];
        const apr_array_header_t *subjects =
            subjects_of(limit, order->names, p);

        if (is_exempt(limit, order) || !subjects->nelts) {
            continue;
        }
        name = "";
        least = limit->count + 1;
        for (k = 0; k < subjects->nelts; k++) {
            const subject_t *subject = &APR_ARRAY_IDX(subjects, k, subject_t);

            left = left_in(limit, full_at(&limits->book, limit, subject->key,
                                          now), now);
            if (left < least) {
                least = left;
                name = subject->name;
            }
        }
        text = apr_psprintf(p, "%s%s: %d of %d %s in %s %s left\n", text,
                            limits->ca->title, least, limit->count,
                            apr_psprintf(p, limit->text, name),
                            acme_time_interval_text(limit->period, p),
                            least == 1 ? "is" : "are");
    }
    return text;
}

/* A slot in the forecast. */
typedef struct {
    const acme_rate_buckets_order_t *order;
    apr_time_t at;
} bucket_slot_t;

static int by_at(const void *a, const void *b)
{
    const bucket_slot_t *x = a, *y = b;

    /* In the order of the list where the time is the same. */
    return x->at < y->at ? -1 : x->at > y->at ? 1
         : x->order < y->order ? -1 : x->order > y->order;
}

/*
 * When an order may be made by all limits but the account's, or by that one
 * alone, and that it was made then.
 */
static void reserve_slot(bucket_slot_t *slot, book_t *book, const ca_t *ca,
                         int of_account, apr_pool_t *scratch)
{
    const limit_t *limit;
    const char *name;
    apr_time_t at = slot->at, next;
    int pass, i;

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < ACME_LIMIT_KINDS; i++) {
            limit = &ca->limits[i];
            if ((limit->of == OF_ACCOUNT) != of_account
                || is_exempt(limit, slot->order)) {
                continue;
            }
            if (pass == 0) {
                next = next_of_limit(&name, book, limit, slot->order,
                                     slot->at, scratch);
                at = next > at ? next : at;
            }
            else if (limit->use != ACME_USE_FAILED) {
                use_all(book, limit, slot->order->names, at, scratch);
            }
        }
    }
    slot->at = at;
    apr_pool_clear(scratch);
}

apr_time_t acme_rate_buckets_forecast(const acme_rate_buckets_t *limits,
                                      const apr_array_header_t *orders,
                                      apr_time_t now, apr_pool_t *p)
{
    const apr_size_t n = (apr_size_t)orders->nelts;
    apr_pool_t *mine, *scratch;
    book_t book = { NULL, &limits->book, NULL };
    bucket_slot_t *slots;
    apr_time_t last = now;
    apr_size_t i;
    int of_account;

    if (!limits->ca || !n) {
        return now;
    }
    apr_pool_create(&mine, p);
    apr_pool_create(&scratch, mine);
    book.p = mine;
    book.full_at = apr_hash_make(mine);
    slots = apr_palloc(mine, n * sizeof(*slots));
    for (i = 0; i < n; i++) {
        slots[i].order =
            &APR_ARRAY_IDX(orders, (int)i, acme_rate_buckets_order_t);
        slots[i].at = now;
    }

    for (of_account = 0; of_account <= 1; of_account++) {
        for (i = 0; i < n; i++) {
            reserve_slot(&slots[i], &book, limits->ca, of_account, scratch);
            last = slots[i].at > last ? slots[i].at : last;
        }
        qsort(slots, n, sizeof(*slots), by_at);
    }
    apr_pool_destroy(mine);
    return last;
}

/* "4,000" */
static const char *number_text(int n, apr_pool_t *p)
{
    return n < 1000 ? apr_itoa(p, n)
                    : apr_psprintf(p, "%s,%03d", number_text(n / 1000, p),
                                   n % 1000);
}

const char *acme_rate_buckets_forecast_text(int names, apr_time_t last,
                                            apr_time_t now, apr_pool_t *p)
{
    static const char *const days[] = {
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
        "Saturday"
    };
    const char *n = number_text(names, p);
    const char *day;
    apr_time_exp_t t;

    if (last <= now) {
        return apr_psprintf(p, "no limit postpones %s name%s", n,
                            names == 1 ? "" : "s");
    }
    apr_time_exp_gmt(&t, last);
    day = last < now + NAMED_DAYS * DAY
        ? days[t.tm_wday]
        : apr_psprintf(p, "%d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1,
                       t.tm_mday);
    return apr_psprintf(p, "the last of %s name%s about %s %02d:%02d UTC", n,
                        names == 1 ? "" : "s", day, t.tm_hour, t.tm_min);
}
