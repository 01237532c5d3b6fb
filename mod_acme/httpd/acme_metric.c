/*
 * acme_metric.c - writes metrics as a reply.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_protocol.h>

#include "acme_metric.h"

#define OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN_TYPE "text/plain; version=0.0.4; charset=utf-8"

#define LABEL_MAX 256

struct acme_metric_t {
    request_rec *r;
    int is_open;                /* OpenMetrics */
    const char *name;           /* of the family */
    int has_labels;             /* of the sample */
    apr_size_t len;
    char buf[8192];
};

static void flush(acme_metric_t *out)
{
    ap_rwrite(out->buf, (int)out->len, out->r);
    out->len = 0;
}

static void put(acme_metric_t *out, const char *text)
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

/* Without allocating: there may be a hundred thousand. */
static void put_escaped(acme_metric_t *out, const char *text)
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

/* In thousandths; without a q, and with one that is wrong, all of them. */
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

    for (item = apr_strtok(apr_pstrdup(r->pool, accept ? accept : ""), ",",
                           &last); item; item = apr_strtok(NULL, ",", &last)) {
        const char *parameters = strchr(item, ';');
        const int quality = parameters ? quality_of(parameters) : 1000;

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

acme_metric_t *acme_metric_begin(request_rec *r)
{
    acme_metric_t *out = apr_palloc(r->pool, sizeof(*out));

    out->r = r;
    out->len = 0;
    out->is_open = is_open_wanted(r);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    ap_set_content_type(r, out->is_open ? OPEN_TYPE : PLAIN_TYPE);
    return out;
}

void acme_metric_end(acme_metric_t *out)
{
    if (out->is_open) {
        put(out, "# EOF\n");
    }
    flush(out);
}

/* suffix: of the name in the older text. */
static void begin_family(acme_metric_t *out, const char *name,
                         const char *suffix, const char *type,
                         const char *help)
{
    out->name = name;
    if (out->is_open) {
        suffix = "";
    }
    put(out, apr_pstrcat(out->r->pool, "# HELP ", name, suffix, " ", help,
                         "\n# TYPE ", name, suffix, " ", type, "\n", NULL));
}

/* The older text has none: it would be a comment. */
static void put_unit(acme_metric_t *out, const char *unit)
{
    if (unit && out->is_open) {
        put(out, apr_pstrcat(out->r->pool, "# UNIT ", out->name, " ", unit,
                             "\n", NULL));
    }
}

void acme_metric_gauge(acme_metric_t *out, const char *name, const char *unit,
                       const char *help)
{
    begin_family(out, name, "", "gauge", help);
    put_unit(out, unit);
}

void acme_metric_counter(acme_metric_t *out, const char *name,
                         const char *help)
{
    begin_family(out, name, "_total", "counter", help);
}

void acme_metric_histogram(acme_metric_t *out, const char *name,
                           const char *unit, const char *help)
{
    begin_family(out, name, "", "histogram", help);
    put_unit(out, unit);
}

void acme_metric_info(acme_metric_t *out, const char *name, const char *help)
{
    begin_family(out, name, "_info", out->is_open ? "info" : "gauge", help);
}

void acme_metric_sample(acme_metric_t *out, const char *suffix)
{
    put(out, out->name);
    put(out, suffix);
    out->has_labels = 0;
}

void acme_metric_label(acme_metric_t *out, const char *name,
                       const char *value)
{
    put(out, out->has_labels ? "," : "{");
    put(out, name);
    put(out, "=\"");
    put_escaped(out, value);
    put(out, "\"");
    out->has_labels = 1;
}

static void end_sample(acme_metric_t *out, const char *value)
{
    put(out, out->has_labels ? "} " : " ");
    put(out, value);
    put(out, "\n");
}

void acme_metric_number(acme_metric_t *out, apr_uint64_t value)
{
    char text[32];

    apr_snprintf(text, sizeof(text), "%" APR_UINT64_T_FMT, value);
    end_sample(out, text);
}

void acme_metric_flag(acme_metric_t *out, int is_so)
{
    end_sample(out, is_so ? "1" : "0");
}

void acme_metric_seconds(acme_metric_t *out, apr_interval_time_t t)
{
    const apr_uint64_t size = t < 0 ? -(apr_uint64_t)t : (apr_uint64_t)t;
    char text[32];

    apr_snprintf(text, sizeof(text), "%s%" APR_UINT64_T_FMT ".%06d",
                 t < 0 ? "-" : "", size / APR_USEC_PER_SEC,
                 (int)(size % APR_USEC_PER_SEC));
    end_sample(out, text);
}
