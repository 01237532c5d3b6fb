/*
 * acme_page_metrics.c - ?metrics of the handler acme-status.
 *
 * A family is written at a time, as both formats want it, so what is shown of
 * a certificate is taken from the board once, before. Texts are hostile: each
 * label is escaped.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_protocol.h>

#include "acme_counters.h"
#include "acme_next_step.h"
#include "acme_openssl_version.h"
#include "acme_page_metrics.h"

#define OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN_TYPE "text/plain; version=0.0.4; charset=utf-8"

#define STARTING "starting"     /* the keeper still reads its store */
#define LABEL_MAX 256

typedef enum { GAUGE, COUNTER, HISTOGRAM, INFO } family_e;

typedef struct {
    request_rec *r;
    int is_open;                /* OpenMetrics, else Prometheus' text 0.0.4 */
    const char *name;           /* of the family that is being written */
    int has_labels;             /* of the sample */
    apr_size_t len;
    char buf[8192];
} out_t;

/* One certificate, as all families need it. */
typedef struct {
    const acme_cert_conf_t *conf;
    const char *word;           /* one of acme_state_word_at(), or STARTING */
    const char *reason;         /* code; "" */
    int is_live;
    acme_state_part_t *parts;   /* each of its key types, at most */
    apr_uint32_t nparts;        /*   ACME_STATE_PARTS */
    apr_time_t renewal;         /* 0: none is planned */
    apr_uint32_t failed;        /* attempts in a row */
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

static void flush(out_t *out)
{
    ap_rwrite(out->buf, (int)out->len, out->r);
    out->len = 0;
}

static void put(out_t *out, const char *text)
{
    const apr_size_t len = strlen(text);

    if (len > sizeof(out->buf) - out->len) {
        flush(out);
    }
    if (len > sizeof(out->buf)) {
        ap_rwrite(text, (int)len, out->r);
        return;
    }
    memcpy(out->buf + out->len, text, len);
    out->len += len;
}

/* A label's value: bounded, escaped, and printable without allocating: there
   may be a hundred thousand. */
static void put_value(out_t *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    int i;

    for (i = 0; text[i] && i < LABEL_MAX; i++) {
        const unsigned char c = (unsigned char)text[i];

        if (sizeof(out->buf) - out->len < 5) {
            flush(out);
        }
        if (c < 0x20 || c > 0x7e) {
            out->buf[out->len++] = '\\';
            out->buf[out->len++] = '\\';
            out->buf[out->len++] = 'x';
            out->buf[out->len++] = hex[c >> 4];
            out->buf[out->len++] = hex[c & 15];
            continue;
        }
        if (c == '"' || c == '\\') {
            out->buf[out->len++] = '\\';
        }
        out->buf[out->len++] = (char)c;
    }
}

/*
 * In OpenMetrics a family of counters has the name without "_total", and one of
 * information without "_info"; in the older text the name is that of its samples,
 * and information a gauge.
 */
static void begin(out_t *out, const char *name, family_e family,
                  const char *unit, const char *help)
{
    static const char *const types[] = {
        "gauge", "counter", "histogram", "info"
    };
    const char *suffix = out->is_open ? ""
        : family == COUNTER ? "_total" : family == INFO ? "_info" : "";
    const char *type = types[!out->is_open && family == INFO ? GAUGE : family];

    out->name = name;
    put(out, apr_pstrcat(out->r->pool, "# HELP ", name, suffix, " ", help,
                         "\n# TYPE ", name, suffix, " ", type, "\n", NULL));
    if (unit && out->is_open) {
        put(out, apr_pstrcat(out->r->pool, "# UNIT ", name, " ", unit, "\n",
                             NULL));
    }
}

static void sample(out_t *out, const char *suffix)
{
    put(out, out->name);
    put(out, suffix);
    out->has_labels = 0;
}

static void label(out_t *out, const char *name, const char *value)
{
    put(out, out->has_labels ? "," : "{");
    put(out, name);
    put(out, "=\"");
    put_value(out, value);
    put(out, "\"");
    out->has_labels = 1;
}

static void end(out_t *out, const char *value)
{
    put(out, out->has_labels ? "} " : " ");
    put(out, value);
    put(out, "\n");
}

static void end_number(out_t *out, apr_uint64_t value)
{
    char text[32];

    apr_snprintf(text, sizeof(text), "%" APR_UINT64_T_FMT, value);
    end(out, text);
}

static void end_seconds(out_t *out, apr_interval_time_t t)
{
    char text[32];

    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT ".%03d",
                 (apr_int64_t)apr_time_sec(t),
                 (int)(apr_time_usec(t) / 1000));
    end(out, text);
}

/* What the state says; nothing is kept of it but copies. */
static void take_state(cert_t *cert, acme_state_t *state,
                       const acme_status_cert_t *shown, apr_time_t now,
                       apr_pool_t *p)
{
    const acme_next_t next = acme_next_step(state, now);
    const apr_uint32_t parts = acme_conf_parts(cert->conf);
    apr_uint32_t i;

    cert->word = acme_state_word(state, now);
    cert->reason = acme_reason_about(acme_status_rows_reason(shown, now))
                       ->code;
    cert->failed = state->attempts;
    cert->is_live = state->live != 0;
    if (state->live) {
        cert->nparts = parts < ACME_STATE_PARTS ? parts : ACME_STATE_PARTS;
        for (i = 0; i < cert->nparts; i++) {
            state->parts[i].issuer[ACME_ISSUER_SIZE - 1] = '\0';
        }
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

static void show_build(out_t *out)
{
    begin(out, "acme_build", INFO, NULL,
          "The version of mod_acme, and of OpenSSL in this process.");
    sample(out, "_info");
    label(out, "version", ACME_VERSION);
    label(out, "openssl", acme_openssl_version());
    end(out, "1");
}

/* Without a certificate there are no processes. */
static void show_processes(out_t *out, const shown_t *shown)
{
    static const char *const names[ACME_PULSES] = {
        "keeper", "renewal", "witness"
    };
    int i;

    if (!shown->ncerts) {
        return;
    }
    begin(out, "acme_process_up", GAUGE, NULL,
          "Did this part of mod_acme show within 90 seconds that it runs?");
    for (i = 0; i < ACME_PULSES; i++) {
        sample(out, "");
        label(out, "process", names[i]);
        end_number(out, (apr_uint64_t)acme_counters_is_up(i, shown->now));
    }
    begin(out, "acme_process_pulse_timestamp_seconds", GAUGE, "seconds",
          "When it showed last that it runs.");
    for (i = 0; i < ACME_PULSES; i++) {
        if (acme_counters_pulse_at(i)) {
            sample(out, "");
            label(out, "process", names[i]);
            end_seconds(out, acme_counters_pulse_at(i));
        }
    }
}

static void show_validity(out_t *out, const shown_t *shown, int is_after)
{
    apr_uint32_t k;
    int i;

    begin(out, is_after ? "acme_certificate_not_after_timestamp_seconds"
                        : "acme_certificate_not_before_timestamp_seconds",
          GAUGE, "seconds",
          is_after ? "When the installed certificate expires."
                   : "Since when the installed certificate is valid.");
    for (i = 0; i < shown->ncerts; i++) {
        const cert_t *cert = &shown->certs[i];

        for (k = 0; k < cert->nparts; k++) {
            const acme_state_part_t *part = &cert->parts[k];

            if (part->not_after) {
                sample(out, "");
                label(out, "id", cert->conf->id);
                label(out, "key_type", acme_key_type_name(
                          acme_conf_key_type(cert->conf, k)));
                label(out, "issuer", part->issuer);
                end_number(out, (apr_uint64_t)apr_time_sec(
                               is_after ? part->not_after : part->not_before));
            }
        }
    }
}

static void show_renewal(out_t *out, const shown_t *shown)
{
    int i;

    begin(out, "acme_certificate_renewal_timestamp_seconds", GAUGE, "seconds",
          "When the installed certificate is to be renewed.");
    for (i = 0; i < shown->ncerts; i++) {
        if (shown->certs[i].renewal) {
            sample(out, "");
            label(out, "id", shown->certs[i].conf->id);
            end_seconds(out, shown->certs[i].renewal);
        }
    }
}

static void show_state(out_t *out, const cert_t *cert, const char *word)
{
    sample(out, "");
    label(out, "id", cert->conf->id);
    label(out, "state", word);
    end(out, strcmp(word, cert->word) ? "0" : "1");
}

static void show_states(out_t *out, const shown_t *shown)
{
    const char *word;
    int i, k;

    begin(out, "acme_certificate_state", GAUGE, NULL,
          "1 for the state in which the certificate is, 0 for all others.");
    for (i = 0; i < shown->ncerts; i++) {
        for (k = 0; (word = acme_state_word_at(k)); k++) {
            show_state(out, &shown->certs[i], word);
        }
        show_state(out, &shown->certs[i], STARTING);
    }
    begin(out, "acme_certificate_reason", GAUGE, NULL,
          "1 for the reason why the certificate waits or fails.");
    for (i = 0; i < shown->ncerts; i++) {
        if (shown->certs[i].reason[0]) {
            sample(out, "");
            label(out, "id", shown->certs[i].conf->id);
            label(out, "reason", shown->certs[i].reason);
            end(out, "1");
        }
    }
    begin(out, "acme_certificate_failed_attempts", GAUGE, NULL,
          "How many attempts failed since the last success.");
    for (i = 0; i < shown->ncerts; i++) {
        sample(out, "");
        label(out, "id", shown->certs[i].conf->id);
        end_number(out, shown->certs[i].failed);
    }
}

/* "*:443=yes [::1]:444=no"; of what could not be seen nothing is said. */
static void show_places(out_t *out, const cert_t *cert)
{
    char *text = apr_pstrdup(out->r->pool, cert->places), *place, *last;

    for (place = apr_strtok(text, " ", &last); place;
         place = apr_strtok(NULL, " ", &last)) {
        char *is = strrchr(place, '=');
        const int yes = is && !strcmp(is, "=yes");

        if (yes || (is && !strcmp(is, "=no"))) {
            *is = '\0';
            sample(out, "");
            label(out, "id", cert->conf->id);
            label(out, "address", place);
            end(out, yes ? "1" : "0");
        }
    }
}

static void show_served(out_t *out, const shown_t *shown)
{
    int i;

    begin(out, "acme_certificate_served", GAUGE, NULL,
          "Did the self check find this certificate at this address?");
    for (i = 0; i < shown->ncerts; i++) {
        show_places(out, &shown->certs[i]);
    }
}

static void show_attempts(out_t *out, const shown_t *shown)
{
    static const char *const results[ACME_ATTEMPTS] = { "success", "failure" };
    int i, k;

    begin(out, "acme_attempts", COUNTER, NULL,
          "Orders of the certificate that were finished, by their result.");
    for (i = 0; i < shown->ncerts; i++) {
        for (k = 0; k < ACME_ATTEMPTS; k++) {
            sample(out, "_total");
            label(out, "id", shown->certs[i].conf->id);
            label(out, "result", results[k]);
            end_number(out, acme_counters_attempts((apr_uint32_t)i, k));
        }
    }
}

static void show_failures(out_t *out)
{
    const char *host;
    apr_uint32_t ca;
    int i;

    begin(out, "acme_failures", COUNTER, NULL,
          "Orders that failed, by the reason.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (i = ACME_REASON_NONE + 1; host && i < ACME_REASONS; i++) {
            sample(out, "_total");
            label(out, "ca", host);
            label(out, "reason", acme_reason_about(i)->code);
            end_number(out, acme_counters_failures(ca, i));
        }
    }
}

static void show_requests(out_t *out)
{
    static const char *const replies[ACME_REPLIES] = {
        "none", "2xx", "3xx", "4xx", "5xx", "other"
    };
    const char *host;
    apr_uint32_t ca;
    int i, k;

    begin(out, "acme_ca_requests", COUNTER, NULL,
          "Requests to a CA, by the class of its status; none: no reply.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (i = 0; host && i < ACME_RESOURCES; i++) {
            for (k = 0; k < ACME_REPLIES; k++) {
                sample(out, "_total");
                label(out, "ca", host);
                label(out, "resource", acme_resource_word(i));
                label(out, "status", replies[k]);
                end_number(out, acme_counters_requests(ca, i, k));
            }
        }
    }
}

static void show_latency(out_t *out, const char *host, apr_uint32_t ca,
                         acme_resource_e resource)
{
    const char *word = acme_resource_word(resource);
    apr_uint64_t buckets[ACME_COUNTERS_BUCKETS];
    double sum;
    int i;

    acme_counters_latency(buckets, &sum, ca, resource);
    for (i = 0; i < ACME_COUNTERS_BUCKETS; i++) {
        sample(out, "_bucket");
        label(out, "ca", host);
        label(out, "resource", word);
        label(out, "le", acme_counters_bounds[i]);
        end_number(out, buckets[i]);
    }
    sample(out, "_count");
    label(out, "ca", host);
    label(out, "resource", word);
    end_number(out, buckets[ACME_COUNTERS_BUCKETS - 1]);
    sample(out, "_sum");
    label(out, "ca", host);
    label(out, "resource", word);
    end(out, apr_psprintf(out->r->pool, "%.6f", sum));
}

static void show_latencies(out_t *out)
{
    const char *host;
    apr_uint32_t ca;
    int i;

    begin(out, "acme_ca_request_duration_seconds", HISTOGRAM, "seconds",
          "How long a CA took to reply.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        host = acme_counters_ca(ca);
        for (i = 0; host && i < ACME_RESOURCES; i++) {
            show_latency(out, host, ca, i);
        }
    }
}

static void show_reloads(out_t *out, const shown_t *shown)
{
    static const char *const results[ACME_RELOADS] = {
        "signalled", "postponed", "ignored"
    };
    int i;

    begin(out, "acme_reloads", COUNTER, NULL,
          "Graceful reloads of httpd that mod_acme asked for.");
    for (i = 0; i < ACME_RELOADS; i++) {
        sample(out, "_total");
        label(out, "result", results[i]);
        end_number(out, acme_counters_reloads(i));
    }
    begin(out, "acme_reload_held", GAUGE, NULL,
          "Is the reload postponed for which new certificates wait?");
    sample(out, "");
    end(out, shown->held[0] ? "1" : "0");
}

static void show_challenges(out_t *out)
{
    static const char *const results[ACME_SEENS] = {
        "answered", "unknown", "failed"
    };
    int type, i;

    begin(out, "acme_challenge_requests", COUNTER, NULL,
          "Requests for the answer to a challenge that httpd received.");
    for (type = ACME_HTTP_01; type <= ACME_TLS_ALPN_01; type++) {
        for (i = 0; i < ACME_SEENS; i++) {
            sample(out, "_total");
            label(out, "type", acme_challenge_name(type));
            label(out, "result", results[i]);
            end_number(out, acme_counters_challenges(type, i));
        }
    }
}

/* The longest wait at each CA: 0 where nothing waits. */
static void show_limits(out_t *out, const shown_t *shown)
{
    static const acme_reason_e limits[] = {
        ACME_REASON_RATE_LIMITED, ACME_REASON_CA_PAUSED, ACME_REASON_CA_SLOW
    };
    apr_time_t until;
    apr_uint32_t ca;
    size_t k;
    int i;

    begin(out, "acme_limit_wait_seconds", GAUGE, "seconds",
          "How long the last of the orders waits that a limit of the CA postpones.");
    for (ca = 0; ca < ACME_COUNTERS_CAS; ca++) {
        for (k = 0; acme_counters_ca(ca)
                    && k < sizeof(limits) / sizeof(*limits); k++) {
            until = shown->now;
            for (i = 0; i < shown->ncerts; i++) {
                const cert_t *cert = &shown->certs[i];

                if (cert->limit_until > until
                    && cert->limit_why == limits[k]
                    && acme_counters_row(cert->limit_ca) == ca) {
                    until = cert->limit_until;
                }
            }
            sample(out, "");
            label(out, "ca", acme_counters_ca(ca));
            label(out, "limit", acme_reason_about(limits[k])->code);
            end_seconds(out, until - shown->now);
        }
    }
}

static void show_hooks(out_t *out)
{
    begin(out, "acme_hook_failures", COUNTER, NULL,
          "Commands of AcmeHook, AcmeDns and AcmeHttp that failed.");
    sample(out, "_total");
    end_number(out, acme_counters_hook_failures());
}

/* How much it is wanted, in thousandths; "q=0.75" and no q as well. */
static int quality_of(const char *parameters)
{
    const char *text = ap_strcasestr(parameters, "q=");
    const double q = text ? strtod(text + 2, NULL) : 1;

    return q >= 0 && q <= 1 ? (int)(q * 1000) : 1000;
}

/* Does Accept want OpenMetrics at least as much as the older text? */
static int is_open_wanted(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    int open = 0, plain = 0;
    char *item, *last;

    if (!accept) {
        return 0;
    }
    for (item = apr_strtok(apr_pstrdup(r->pool, accept), ",", &last); item;
         item = apr_strtok(NULL, ",", &last)) {
        char *parameters = strchr(item, ';');
        const int quality = parameters ? quality_of(parameters + 1) : 1000;

        while (apr_isspace(*item)) {
            item++;
        }
        if (!strncasecmp(item, "application/openmetrics-text", 28)) {
            open = quality > open ? quality : open;
        }
        else if (!strncasecmp(item, "text/plain", 10)) {
            plain = quality > plain ? quality : plain;
        }
    }
    return open > 0 && open >= plain;
}

int acme_page_metrics(request_rec *r, const acme_page_view_t *view,
                      apr_time_t now)
{
    out_t *out = apr_palloc(r->pool, sizeof(*out));
    shown_t shown;

    out->r = r;
    out->len = 0;
    out->is_open = is_open_wanted(r);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    ap_set_content_type(r, out->is_open ? OPEN_TYPE : PLAIN_TYPE);
    if (r->header_only) {
        return OK;
    }
    shown = take_all(view, now, r->pool);
    show_build(out);
    show_processes(out, &shown);
    show_validity(out, &shown, 1);
    show_validity(out, &shown, 0);
    show_renewal(out, &shown);
    show_states(out, &shown);
    show_served(out, &shown);
    show_attempts(out, &shown);
    show_failures(out);
    show_requests(out);
    show_latencies(out);
    show_limits(out, &shown);
    show_reloads(out, &shown);
    show_challenges(out);
    show_hooks(out);
    if (out->is_open) {
        put(out, "# EOF\n");
    }
    flush(out);
    return OK;
}
