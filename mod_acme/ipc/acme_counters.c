/*
 * acme_counters.c - what all processes count, for monitoring.
 *
 * Which row is whose is decided by the parent alone, in its own memory, which
 * each fork has a copy of: what lies in shared memory is never an index.
 */
#include <stdatomic.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include "acme_counters.h"
#include "acme_scratch.h"
#include "acme_url.h"

/* Certificates that are counted; those beyond are not. Memory that nobody
   writes to is not taken. */
#define CERTS_MAX 65536

#define HOST_SIZE 256
#define OTHER "other"           /* the host of the last row */
#define NO_ROW ((apr_uint32_t)-1)

/* A keeper that hangs is replaced after a minute; the threads of renewal look
   once a second. */
#define UP_MAX apr_time_from_sec(90)

/* More than that was not counted by us, and no double has it exactly. */
#define NUMBER_MAX ((apr_uint64_t)1 << 53)
#define TIME_MAX apr_time_from_sec(253402300799)    /* the end of year 9999 */

const char *const acme_counters_bounds[ACME_COUNTERS_BUCKETS] = {
    "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "20.0", "30.0",
    "60.0", "+Inf"
};

/* The same in microseconds, without the last. */
static const apr_interval_time_t bounds[ACME_COUNTERS_BUCKETS - 1] = {
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
    20000000, 30000000, 60000000
};

typedef _Atomic apr_uint64_t number_t;

typedef struct {
    number_t buckets[ACME_COUNTERS_BUCKETS];    /* each without those below */
    number_t sum;                               /* microseconds */
} latency_t;

typedef struct {
    number_t failures[ACME_REASONS];
    number_t requests[ACME_RESOURCES][ACME_REPLIES];
    latency_t latency[ACME_RESOURCES];
} ca_row_t;

typedef struct {
    number_t challenges[ACME_CHALLENGES][ACME_SEENS];
    number_t reloads[ACME_RELOADS];
    number_t hook_failures;
    number_t pulses[ACME_PULSES];
    ca_row_t cas[ACME_COUNTERS_CAS];
    number_t attempts[CERTS_MAX][ACME_ATTEMPTS];
} shared_t;

/* The parent's, from load to load. A host keeps its row for good. */
typedef struct {
    shared_t *shared;
    char hosts[ACME_COUNTERS_CAS][HOST_SIZE];   /* the last one is "other" */
    apr_uint32_t nhosts;
    apr_hash_t *certs;          /* id: apr_uint32_t * row; NULL: none yet */
    apr_pool_t *p;              /* of certs */
} lasting_t;

/* This load's: the row of each position. */
static struct {
    shared_t *shared;           /* NULL: nothing is counted */
    const lasting_t *lasting;
    const apr_uint32_t *certs;
    apr_uint32_t ncerts;
    const apr_uint32_t *cas;
    apr_uint32_t ncas;
} mine;

static apr_uint32_t hash_word(apr_uint32_t hash, const char *word)
{
    do {
        hash = (hash ^ (unsigned char)*word) * 16777619u;   /* FNV-1a */
    } while (*word++);
    return hash;
}

/* Of the words whose positions are those of shared_t's numbers. */
static apr_uint32_t hash_words(void)
{
    apr_uint32_t hash = 2166136261u;
    int i;

    for (i = 0; i < ACME_REASONS; i++) {
        hash = hash_word(hash, acme_reason_about(i)->code);
    }
    for (i = 0; i < ACME_RESOURCES; i++) {
        hash = hash_word(hash, acme_resource_word(i));
    }
    for (i = 0; i < ACME_CHALLENGES; i++) {
        hash = hash_word(hash, acme_challenge_name(i));
    }
    for (i = 0; i < ACME_COUNTERS_BUCKETS; i++) {
        hash = hash_word(hash, acme_counters_bounds[i]);
    }
    return hash;
}

/*
 * Another version of the module may come with a reload: what has another shape,
 * or another meaning, is not found by its key, and begins anew. The enums are
 * of several floors, so the key follows them by itself.
 */
static const char *lasting_key(apr_pool_t *p)
{
    const apr_size_t shape[] = {
        sizeof(shared_t), sizeof(lasting_t), ACME_REASONS, ACME_RESOURCES,
        ACME_REPLIES, ACME_COUNTERS_BUCKETS, ACME_CHALLENGES, ACME_SEENS,
        ACME_RELOADS, ACME_PULSES, ACME_COUNTERS_CAS, ACME_ATTEMPTS,
        CERTS_MAX, HOST_SIZE, hash_words()
    };
    const char *key = "mod_acme counters";
    size_t i;

    for (i = 0; i < sizeof(shape) / sizeof(*shape); i++) {
        key = apr_psprintf(p, "%s %" APR_SIZE_T_FMT, key, shape[i]);
    }
    return key;
}

static apr_status_t find_lasting(lasting_t **plasting, apr_pool_t *p,
                                 apr_pool_t *scratch)
{
    const char *key = lasting_key(scratch);
    void *data = NULL;
    lasting_t *lasting;
    apr_shm_t *shm;
    apr_status_t rv;

    apr_pool_userdata_get(&data, key, p);
    *plasting = data;
    if (data) {
        return APR_SUCCESS;
    }
    rv = apr_shm_create(&shm, sizeof(shared_t), NULL, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    lasting = apr_pcalloc(p, sizeof(*lasting));
    lasting->shared = apr_shm_baseaddr_get(shm);
    *plasting = lasting;
    return apr_pool_userdata_set(lasting, key, NULL, p);
}

static apr_uint32_t row_of_host(lasting_t *lasting, const char *host)
{
    apr_uint32_t i;

    for (i = 0; i < lasting->nhosts; i++) {
        if (!strcmp(lasting->hosts[i], host)) {
            return i;
        }
    }
    /* A host of that name must not have two rows of it. */
    if (lasting->nhosts == ACME_COUNTERS_CAS - 1
        || strlen(host) >= HOST_SIZE || !strcmp(host, OTHER)) {
        apr_cpystrn(lasting->hosts[ACME_COUNTERS_CAS - 1], OTHER, HOST_SIZE);
        return ACME_COUNTERS_CAS - 1;
    }
    apr_cpystrn(lasting->hosts[lasting->nhosts], host, HOST_SIZE);
    return lasting->nhosts++;
}

static void set_cas(lasting_t *lasting, const acme_conf_t *conf, apr_pool_t *p)
{
    const apr_uint32_t n = (apr_uint32_t)conf->cas->nelts;
    apr_uint32_t *rows = apr_palloc(p, (n + 1) * sizeof(*rows));
    apr_uint32_t i;

    for (i = 0; i < n; i++) {
        const char *url = APR_ARRAY_IDX(conf->cas, i, acme_ca_conf_t).url;

        rows[i] = row_of_host(lasting, acme_url_host(url, p));
    }
    mine.cas = rows;
    mine.ncas = n;
}

static void clear_row(shared_t *shared, apr_uint32_t row)
{
    int i;

    for (i = 0; i < ACME_ATTEMPTS; i++) {
        atomic_store(&shared->attempts[row][i], 0);
    }
}

/* Certificates that were known keep their rows, others get those that nobody
   has any more. */
static void set_certs(lasting_t *lasting, const acme_conf_t *conf,
                      apr_pool_t *process, apr_pool_t *p)
{
    const apr_uint32_t n = (apr_uint32_t)conf->certs->nelts;
    apr_uint32_t *rows = apr_palloc(p, (n + 1) * sizeof(*rows));
    apr_pool_t *scratch = acme_scratch_create(p);
    char *taken = apr_pcalloc(scratch, CERTS_MAX);
    apr_uint32_t *row, i, next = 0;
    apr_hash_t *certs;
    apr_pool_t *fresh;

    for (i = 0; i < n; i++) {
        row = lasting->certs ? apr_hash_get(lasting->certs,
                                            acme_conf_cert(conf, i)->id,
                                            APR_HASH_KEY_STRING) : NULL;
        rows[i] = row ? *row : NO_ROW;
        if (row) {
            taken[*row] = 1;
        }
    }
    fresh = acme_scratch_create(process);
    certs = apr_hash_make(fresh);
    for (i = 0; i < n; i++) {
        while (rows[i] == NO_ROW && next < CERTS_MAX) {
            if (!taken[next]) {
                rows[i] = next;
                clear_row(lasting->shared, next);
            }
            next++;
        }
        if (rows[i] != NO_ROW) {
            row = apr_pmemdup(fresh, &rows[i], sizeof(*row));
            apr_hash_set(certs,
                         apr_pstrdup(fresh, acme_conf_cert(conf, i)->id),
                         APR_HASH_KEY_STRING, row);
        }
    }
    apr_pool_destroy(scratch);
    if (lasting->p) {
        apr_pool_destroy(lasting->p);
    }
    lasting->p = fresh;
    lasting->certs = certs;
    mine.certs = rows;
    mine.ncerts = n;
}

apr_status_t acme_counters_open(const acme_conf_t *conf, apr_pool_t *lasting,
                                acme_result_t *res, apr_pool_t *p)
{
    lasting_t *kept;
    apr_status_t rv;

    memset(&mine, 0, sizeof(mine));
    rv = find_lasting(&kept, lasting, p);
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "shared memory for counters");
    }
    set_cas(kept, conf, p);
    set_certs(kept, conf, lasting, p);
    mine.lasting = kept;
    mine.shared = kept->shared;
    return APR_SUCCESS;
}

static void add(number_t *number, apr_uint64_t more)
{
    atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

/* At most max; what a hostile worker wrote beyond it counts as 0. */
static apr_uint64_t get_up_to(const number_t *number, apr_uint64_t max)
{
    const apr_uint64_t n = atomic_load_explicit(number, memory_order_relaxed);

    return n <= max ? n : 0;
}

static apr_uint64_t get(const number_t *number)
{
    return get_up_to(number, NUMBER_MAX);
}

/* NULL: it is not counted. */
static number_t *attempts_of(apr_uint32_t cert)
{
    return mine.shared && cert < mine.ncerts && mine.certs[cert] != NO_ROW
        ? mine.shared->attempts[mine.certs[cert]] : NULL;
}

static ca_row_t *ca_of(apr_uint32_t ca)
{
    return mine.shared && ca < mine.ncas ? &mine.shared->cas[mine.cas[ca]]
                                         : NULL;
}

static ca_row_t *row_at(apr_uint32_t row)
{
    return mine.shared && row < ACME_COUNTERS_CAS ? &mine.shared->cas[row]
                                                  : NULL;
}

void acme_counters_attempt(apr_uint32_t cert, acme_attempt_e result)
{
    number_t *attempts = attempts_of(cert);

    if (attempts) {
        add(&attempts[result], 1);
    }
}

void acme_counters_failure(apr_uint32_t ca, acme_reason_e reason)
{
    ca_row_t *row = ca_of(ca);

    if (row) {
        reason = acme_reason_bound((unsigned long)reason);
        add(&row->failures[reason ? reason : ACME_REASON_OTHER], 1);
    }
}

static acme_reply_e reply_of(int status)
{
    switch (status / 100) {
    case 0:
        return ACME_REPLY_NONE;
    case 2:
        return ACME_REPLY_2XX;
    case 3:
        return ACME_REPLY_3XX;
    case 4:
        return ACME_REPLY_4XX;
    case 5:
        return ACME_REPLY_5XX;
    default:
        return ACME_REPLY_OTHER;
    }
}

void acme_counters_request(apr_uint32_t ca, acme_resource_e resource,
                           int status, apr_interval_time_t latency)
{
    ca_row_t *row = ca_of(ca);
    int i;

    if (!row) {
        return;
    }
    add(&row->requests[resource][reply_of(status)], 1);
    if (!status) {
        return;
    }
    for (i = 0; i < ACME_COUNTERS_BUCKETS - 1 && latency > bounds[i]; i++) {
        continue;
    }
    add(&row->latency[resource].buckets[i], 1);
    add(&row->latency[resource].sum,
        latency > 0 ? (apr_uint64_t)latency : 0);
}

void acme_counters_challenge(acme_challenge_e type, acme_seen_e result)
{
    if (mine.shared) {
        add(&mine.shared->challenges[type][result], 1);
    }
}

void acme_counters_reload(acme_reload_e result)
{
    if (mine.shared) {
        add(&mine.shared->reloads[result], 1);
    }
}

void acme_counters_hook_failure(void)
{
    if (mine.shared) {
        add(&mine.shared->hook_failures, 1);
    }
}

void acme_counters_pulse(acme_pulse_e who, apr_time_t now)
{
    if (mine.shared) {
        atomic_store_explicit(&mine.shared->pulses[who], (apr_uint64_t)now,
                              memory_order_relaxed);
    }
}

apr_uint64_t acme_counters_attempts(apr_uint32_t cert, acme_attempt_e result)
{
    const number_t *attempts = attempts_of(cert);

    return attempts ? get(&attempts[result]) : 0;
}

const char *acme_counters_ca(apr_uint32_t row)
{
    return row_at(row) && mine.lasting->hosts[row][0]
        ? mine.lasting->hosts[row] : NULL;
}

apr_uint32_t acme_counters_row(apr_uint32_t ca)
{
    return ca_of(ca) ? mine.cas[ca] : ACME_COUNTERS_CAS;
}

apr_uint64_t acme_counters_failures(apr_uint32_t row, acme_reason_e reason)
{
    const ca_row_t *ca = row_at(row);

    return ca ? get(&ca->failures[reason]) : 0;
}

apr_uint64_t acme_counters_requests(apr_uint32_t row, acme_resource_e resource,
                                    acme_reply_e reply)
{
    const ca_row_t *ca = row_at(row);

    return ca ? get(&ca->requests[resource][reply]) : 0;
}

void acme_counters_latency(apr_uint64_t buckets[ACME_COUNTERS_BUCKETS],
                           apr_interval_time_t *psum, apr_uint32_t row,
                           acme_resource_e resource)
{
    const ca_row_t *ca = row_at(row);
    apr_uint64_t below = 0;
    int i;

    for (i = 0; i < ACME_COUNTERS_BUCKETS; i++) {
        below += ca ? get(&ca->latency[resource].buckets[i]) : 0;
        buckets[i] = below;
    }
    *psum = ca ? (apr_interval_time_t)get(&ca->latency[resource].sum) : 0;
}

apr_uint64_t acme_counters_challenges(acme_challenge_e type,
                                      acme_seen_e result)
{
    return mine.shared ? get(&mine.shared->challenges[type][result]) : 0;
}

apr_uint64_t acme_counters_reloads(acme_reload_e result)
{
    return mine.shared ? get(&mine.shared->reloads[result]) : 0;
}

apr_uint64_t acme_counters_hook_failures(void)
{
    return mine.shared ? get(&mine.shared->hook_failures) : 0;
}

apr_time_t acme_counters_pulse_at(acme_pulse_e who)
{
    return mine.shared
        ? (apr_time_t)get_up_to(&mine.shared->pulses[who], TIME_MAX) : 0;
}

int acme_counters_is_up(acme_pulse_e who, apr_time_t now)
{
    const apr_time_t at = acme_counters_pulse_at(who);

    /* A clock that was set back makes a pulse of the future. */
    return at > now - UP_MAX && at < now + UP_MAX;
}
