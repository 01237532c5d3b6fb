/*
 * acme_page_metrics.c - ?metrics of the handler acme-status.
 *
 * A family is written at a time, as both formats want it, so what is shown of
 * a certificate is taken from the board once, before.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>

#include "acme_counters.h"
#include "acme_metric.h"
#include "acme_next_step.h"
#include "acme_openssl_version.h"
#include "acme_page_metrics.h"

#define STARTING "starting"     /* the keeper still reads its store */

/* One certificate, as all families need it. */
typedef struct {
    const acme_cert_conf_t *conf;
    const char *word;           /* one of acme_state_word_at(), or STARTING */
    const char *reason;         /* code; "" */
    acme_state_part_t *parts;   /* each of its key types, at most */
    apr_uint32_t nparts;        /*   ACME_STATE_PARTS */
    apr_time_t renewal;         /* 0: none is planned */
    apr_uint32_t failed;        /* attempts in a row */
    int is_known;               /* the keeper has read its store */
    int is_revoked;
    const char *places;         /* of the self check; "" */
    apr_time_t limit_until;     /* 0: it waits for no limit */
    acme_reason_e limit_why;
    apr_uint32_t limit_ca;      /* index in acme_conf_t.cas */
} cert_t;

typedef struct {
    const acme_page_view_t *view;
    apr_time_t now;
    const char *held;
    cert_t *certs;
    int ncerts;
} shown_t;

/* What the state says; nothing is kept of it but copies. */
static void take_state(cert_t *cert, const acme_state_t *state,
                       const acme_status_cert_t *shown, apr_time_t now,
                       apr_pool_t *p)
{
    const acme_next_t next = acme_next_step(state, now);
    const apr_uint32_t parts = acme_conf_parts(cert->conf);

    cert->word = acme_state_word(state, now);
    cert->reason = acme_reason_about(acme_status_rows_reason(shown, now))
                       ->code;
    cert->failed = state->attempts;
    cert->is_known = 1;
    cert->is_revoked = state->live && state->revoked;
    if (state->live) {
        cert->nparts = parts < ACME_STATE_PARTS ? parts : ACME_STATE_PARTS;
        cert->parts = apr_pmemdup(p, state->parts,
                                  cert->nparts * sizeof(*cert->parts));
        cert->renewal = state->deleted ? 0
            : acme_next_step_renewal(state, now);
    }
    if (state->live && state->live == state->served
        && state->check != ACME_CHECK_NONE) {
        cert->places = apr_pstrdup(p, state->check_places);
    }
    if (next.step == ACME_STEP_LIMIT
        && state->limit_ca < (apr_uint32_t)cert->conf->cas->nelts) {
        cert->limit_until = next.at;
        cert->limit_why = state->limit_why;
        cert->limit_ca = acme_conf_ca_index(cert->conf, state->limit_ca);
    }
}

static shown_t take_all(const acme_page_view_t *view, apr_time_t now,
                        apr_pool_t *p)
{
    shown_t shown = { .view = view, .now = now,
                      .held = acme_page_view_held(view, p),
                      .ncerts = view->conf->certs->nelts };
    acme_state_t *state = apr_palloc(p, sizeof(*state));
    int i;

    shown.certs = apr_pcalloc(p, ((apr_size_t)shown.ncerts + 1)
                                     * sizeof(*shown.certs));
    for (i = 0; i < shown.ncerts; i++) {
        const acme_status_cert_t row =
            acme_page_view_cert(view, i, state, shown.held);

        shown.certs[i].conf = acme_conf_cert(view->conf, (apr_uint32_t)i);
        shown.certs[i].word = STARTING;
        shown.certs[i].reason = shown.certs[i].places = "";
        if (row.state) {
            take_state(&shown.certs[i], state, &row, now, p);
        }
    }
    return shown;
}

static void show_build(acme_metric_t *out)
{
    acme_metric_info(out, "acme_build",
                     "The version of mod_acme, and of OpenSSL in this process.");
    acme_metric_sample(out, "_info");
    acme_metric_label(out, "version", ACME_VERSION);
    acme_metric_label(out, "openssl", acme_openssl_version());
    acme_metric_flag(out, 1);
}

/* Without a certificate there are no processes. */
static void show_processes(acme_metric_t *out, const shown_t *shown)
{
    static const char *const names[ACME_PULSES] = {
        "keeper", "renewal", "witness"
    };
    int i;

    if (!shown->ncerts) {
        return;
    }
    acme_metric_gauge(out, "acme_process_up", NULL,
                      "Did this part of mod_acme show within 90 seconds that it runs?");
    for (i = 0; i < ACME_PULSES; i++) {
        acme_metric_sample(out, "");
        acme_metric_label(out, "process", names[i]);
        acme_metric_flag(out, acme_counters_is_up(i, shown->now));
    }
    acme_metric_gauge(out, "acme_process_pulse_timestamp_seconds", "seconds",
                      "When it showed last that it runs.");
    for (i = 0; i < ACME_PULSES; i++) {
        if (acme_counters_pulse_at(i)) {
            acme_metric_sample(out, "");
            acme_metric_label(out, "process", names[i]);
            acme_metric_seconds(out, acme_counters_pulse_at(i));
        }
    }
}

static void show_time(acme_metric_t *out, const cert_t *cert,
                      apr_uint32_t part, apr_time_t t)
{
    acme_metric_sample(out, "");
    acme_metric_label(out, "id", cert->conf->id);
    acme_metric_label(out, "key_type", acme_key_type_name(
                          acme_conf_key_type(cert->conf, part)));
    acme_metric_label(out, "issuer", cert->parts[part].issuer);
    acme_metric_number(out, (apr_uint64_t)apr_time_sec(t));
}

static void show_validity(acme_metric_t *out, const shown_t *shown)
{
    apr_uint32_t k;
    int i;

    acme_metric_gauge(out, "acme_certificate_not_after_timestamp_seconds",
                      "seconds", "When the installed certificate expires.");
    for (i = 0; i < shown->ncerts; i++) {
        const cert_t *cert = &shown->certs[i];

        for (k = 0; k < cert->nparts; k++) {
            if (cert->parts[k].not_after > 0) {
                show_time(out, cert, k, cert->parts[k].not_after);
            }
        }
    }
    acme_metric_gauge(out, "acme_certificate_not_before_timestamp_seconds",
                      "seconds",
                      "Since when the installed certificate is valid.");
    for (i = 0; i < shown->ncerts; i++) {
        const cert_t *cert = &shown->certs[i];

        for (k = 0; k < cert->nparts; k++) {
            if (cert->parts[k].not_before > 0) {
                show_time(out, cert, k, cert->parts[k].not_before);
            }
        }
    }
}

static void show_renewal(acme_metric_t *out, const shown_t *shown)
{
    int i;

    acme_metric_gauge(out, "acme_certificate_renewal_timestamp_seconds",
                      "seconds",
                      "When the installed certificate is to be renewed.");
    for (i = 0; i < shown->ncerts; i++) {
        if (shown->certs[i].renewal > 0) {
            acme_metric_sample(out, "");
            acme_metric_label(out, "id", shown->certs[i].conf->id);
            acme_metric_seconds(out, shown->certs[i].renewal);
        }
    }
}

static void show_state(acme_metric_t *out, const cert_t *cert,
                       const char *word)
{
    acme_metric_sample(out, "");
    acme_metric_label(out, "id", cert->conf->id);
    acme_metric_label(out, "state", word);
    acme_metric_flag(out, !strcmp(word, cert->word));
}

static void show_states(acme_metric_t *out, const shown_t *shown)
{
    const char *word;
    int i, k;

    acme_metric_gauge(out, "acme_certificate_state", NULL,
                      "1 for the state in which the certificate is, 0 for all others.");
    for (i = 0; i < shown->ncerts; i++) {
        for (k = 0; (word = acme_state_word_at(k)); k++) {
            show_state(out, &shown->certs[i], word);
        }
        show_state(out, &shown->certs[i], STARTING);
    }
    acme_metric_gauge(out, "acme_certificate_reason", NULL,
                      "1 for the reason why the certificate waits or fails.");
    for (i = 0; i < shown->ncerts; i++) {
        if (shown->certs[i].reason[0]) {
            acme_metric_sample(out, "");
            acme_metric_label(out, "id", shown->certs[i].conf->id);
            acme_metric_label(out, "reason", shown->certs[i].reason);
            acme_metric_flag(out, 1);
        }
    }
    acme_metric_gauge(out, "acme_certificate_failed_attempts", NULL,
                      "How many attempts failed since the last success.");
    for (i = 0; i < shown->ncerts; i++) {
        acme_metric_sample(out, "");
        acme_metric_label(out, "id", shown->certs[i].conf->id);
        acme_metric_number(out, shown->certs[i].failed);
    }
}

/* The state says so too, but no longer than until its replacement is ordered. */
static void show_revoked(acme_metric_t *out, const shown_t *shown)
{
    int i;

    acme_metric_gauge(out, "acme_certificate_revoked", NULL,
                      "Did the CA revoke the installed certificate?");
    for (i = 0; i < shown->ncerts; i++) {
        if (shown->certs[i].is_known) {
            acme_metric_sample(out, "");
            acme_metric_label(out, "id", shown->certs[i].conf->id);
            acme_metric_flag(out, shown->certs[i].is_revoked);
        }
    }
}

static int is_address(const char *text)
{
    return text[0] && !text[strspn(text, "*.:[]%-_0123456789"
                                         "abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

/* "*:443=yes [::1]:444=no"; of what could not be seen nothing is said. With the
   same series twice the whole answer counts for nothing. */
static void show_places(acme_metric_t *out, const cert_t *cert, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, cert->places), *place, *last;
    apr_hash_t *seen = apr_hash_make(p);

    for (place = apr_strtok(text, " ", &last); place;
         place = apr_strtok(NULL, " ", &last)) {
        char *is = strrchr(place, '=');
        const int is_served = is && !strcmp(is, "=yes");

        if (!is_served && (!is || strcmp(is, "=no"))) {
            continue;
        }
        *is = '\0';
        if (is_address(place)
            && !apr_hash_get(seen, place, APR_HASH_KEY_STRING)) {
            apr_hash_set(seen, place, APR_HASH_KEY_STRING, place);
            acme_metric_sample(out, "");
            acme_metric_label(out, "id", cert->conf->id);
            acme_metric_label(out, "address", place);
            acme_metric_flag(out, is_served);
        }
    }
}

static void show_served(acme_metric_t *out, const shown_t *shown,
                        apr_pool_t *p)
{
    apr_pool_t *scratch;
    int i;

    acme_metric_gauge(out, "acme_certificate_served", NULL,
                      "Did the self check find this certificate at this address?");
    apr_pool_create(&scratch, p);
    for (i = 0; i < shown->ncerts; i++) {
        show_places(out, &shown->certs[i], scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
}

static void show_attempts(acme_metric_t *out, const shown_t *shown)
{
    static const char *const results[ACME_ATTEMPTS] = { "success", "failure" };
    int i, k;

    acme_metric_counter(out, "acme_attempts",
                        "Orders of the certificate that ended, by their result.");
    for (i = 0; i < shown->ncerts; i++) {
        for (k = 0; k < ACME_ATTEMPTS; k++) {
            acme_metric_sample(out, "_total");
            acme_metric_label(out, "id", shown->certs[i].conf->id);
            acme_metric_label(out, "result", results[k]);
            acme_metric_number(out,
                               acme_counters_attempts((apr_uint32_t)i, k));
        }
    }
}

static void show_failures(acme_metric_t *out)
{
    const char *host;
    apr_uint32_t ca;
    int i;

    acme_metric_counter(out, "acme_failures",
                        "Orders that failed, by the reason.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (i = ACME_REASON_NONE + 1; host && i < ACME_REASONS; i++) {
            acme_metric_sample(out, "_total");
            acme_metric_label(out, "ca", host);
            acme_metric_label(out, "reason", acme_reason_about(i)->code);
            acme_metric_number(out, acme_counters_failures(ca, i));
        }
    }
}

static void show_requests(acme_metric_t *out)
{
    static const char *const replies[ACME_REPLIES] = {
        "none", "2xx", "3xx", "4xx", "5xx", "other"
    };
    const char *host;
    apr_uint32_t ca;
    int i, k;

    acme_metric_counter(out, "acme_ca_requests",
                        "Requests to a CA, by the class of its status; none: no reply.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (i = 0; host && i < ACME_RESOURCES; i++) {
            for (k = 0; k < ACME_REPLIES; k++) {
                acme_metric_sample(out, "_total");
                acme_metric_label(out, "ca", host);
                acme_metric_label(out, "resource", acme_resource_word(i));
                acme_metric_label(out, "status", replies[k]);
                acme_metric_number(out, acme_counters_requests(ca, i, k));
            }
        }
    }
}

static void show_latency(acme_metric_t *out, const char *host,
                         apr_uint32_t ca, acme_resource_e resource)
{
    const char *word = acme_resource_word(resource);
    apr_uint64_t buckets[ACME_COUNTERS_BUCKETS];
    apr_interval_time_t sum;
    int i;

    acme_counters_latency(buckets, &sum, ca, resource);
    for (i = 0; i < ACME_COUNTERS_BUCKETS; i++) {
        acme_metric_sample(out, "_bucket");
        acme_metric_label(out, "ca", host);
        acme_metric_label(out, "resource", word);
        acme_metric_label(out, "le", acme_counters_bounds[i]);
        acme_metric_number(out, buckets[i]);
    }
    acme_metric_sample(out, "_count");
    acme_metric_label(out, "ca", host);
    acme_metric_label(out, "resource", word);
    acme_metric_number(out, buckets[ACME_COUNTERS_BUCKETS - 1]);
    acme_metric_sample(out, "_sum");
    acme_metric_label(out, "ca", host);
    acme_metric_label(out, "resource", word);
    acme_metric_seconds(out, sum);
}

static void show_latencies(acme_metric_t *out)
{
    const char *host;
    apr_uint32_t ca;
    int i;

    acme_metric_histogram(out, "acme_ca_request_duration_seconds", "seconds",
                          "How long a CA took to reply.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (i = 0; host && i < ACME_RESOURCES; i++) {
            show_latency(out, host, ca, i);
        }
    }
}

/* Until when the last order waits for this limit of the CA; now: none does. */
static apr_time_t waits_until(const shown_t *shown, apr_uint32_t ca,
                              acme_reason_e limit)
{
    apr_time_t until = shown->now;
    int i;

    for (i = 0; i < shown->ncerts; i++) {
        const cert_t *cert = &shown->certs[i];

        if (cert->limit_until > until && cert->limit_why == limit
            && acme_counters_row(cert->limit_ca) == ca) {
            until = cert->limit_until;
        }
    }
    return until;
}

static void show_limits(acme_metric_t *out, const shown_t *shown)
{
    static const acme_reason_e limits[] = {
        ACME_REASON_RATE_LIMITED, ACME_REASON_CA_PAUSED, ACME_REASON_CA_SLOW
    };
    const char *host;
    apr_uint32_t ca;
    size_t k;

    acme_metric_gauge(out, "acme_limit_wait_seconds", "seconds",
                      "How long the last of the orders waits that a limit of the CA postpones.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (k = 0; host && k < sizeof(limits) / sizeof(*limits); k++) {
            acme_metric_sample(out, "");
            acme_metric_label(out, "ca", host);
            acme_metric_label(out, "limit", acme_reason_about(limits[k])->code);
            acme_metric_seconds(out, waits_until(shown, ca, limits[k])
                                         - shown->now);
        }
    }
}

static void show_reloads(acme_metric_t *out, const shown_t *shown)
{
    static const char *const results[ACME_RELOADS] = {
        "signalled", "postponed", "ignored"
    };
    int i;

    acme_metric_counter(out, "acme_reloads",
                        "Graceful reloads of httpd that mod_acme asked for.");
    for (i = 0; i < ACME_RELOADS; i++) {
        acme_metric_sample(out, "_total");
        acme_metric_label(out, "result", results[i]);
        acme_metric_number(out, acme_counters_reloads(i));
    }
    acme_metric_gauge(out, "acme_reload_held", NULL,
                      "Is the reload postponed for which new certificates wait?");
    acme_metric_sample(out, "");
    acme_metric_flag(out, shown->held[0] != '\0');
}

static void show_challenges(acme_metric_t *out)
{
    static const char *const results[ACME_SEENS] = {
        "answered", "unknown", "failed"
    };
    int type, i;

    acme_metric_counter(out, "acme_challenge_requests",
                        "Requests for the answer to a challenge that httpd received.");
    for (type = ACME_HTTP_01; type <= ACME_TLS_ALPN_01; type++) {
        for (i = 0; i < ACME_SEENS; i++) {
            acme_metric_sample(out, "_total");
            acme_metric_label(out, "type", acme_challenge_name(type));
            acme_metric_label(out, "result", results[i]);
            acme_metric_number(out, acme_counters_challenges(type, i));
        }
    }
}

static void show_hooks(acme_metric_t *out)
{
    acme_metric_counter(out, "acme_hook_failures",
                        "Commands of AcmeHook, AcmeDns and AcmeHttp that failed.");
    acme_metric_sample(out, "_total");
    acme_metric_number(out, acme_counters_hook_failures());
}

int acme_page_metrics(request_rec *r, const acme_page_view_t *view,
                      apr_time_t now)
{
    acme_metric_t *out = acme_metric_begin(r);
    shown_t shown;

    if (r->header_only) {
        return OK;
    }
    shown = take_all(view, now, r->pool);
    show_build(out);
    show_processes(out, &shown);
    show_validity(out, &shown);
    show_renewal(out, &shown);
    show_states(out, &shown);
    show_revoked(out, &shown);
    show_served(out, &shown, r->pool);
    show_attempts(out, &shown);
    show_failures(out);
    show_requests(out);
    show_latencies(out);
    show_limits(out, &shown);
    show_reloads(out, &shown);
    show_challenges(out);
    show_hooks(out);
    acme_metric_end(out);
    return OK;
}
