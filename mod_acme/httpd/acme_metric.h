/*
 * acme_metric.h - writes metrics as a reply: OpenMetrics 1.0, or the older text
 * format of Prometheus.
 *
 * A family begins, then come its samples: acme_metric_sample(), its labels,
 * and a value. Labels are escaped here; names and helps are literals.
 */
#ifndef ACME_METRIC_H
#define ACME_METRIC_H

#include <httpd.h>

#include <apr_time.h>

typedef struct acme_metric_t acme_metric_t;

/* Begin the reply, in the format that Accept wants: its headers are set. */
acme_metric_t *acme_metric_begin(request_rec *r);

/* Write what is left. */
void acme_metric_end(acme_metric_t *out);

/*
 * Begin a family. In OpenMetrics that of a counter has the name without the
 * "_total" of its samples, and that of information without "_info"; so are the
 * names here. unit: the end of the name, "seconds"; NULL: it has none.
 */
void acme_metric_gauge(acme_metric_t *out, const char *name, const char *unit,
                       const char *help);
void acme_metric_counter(acme_metric_t *out, const char *name,
                         const char *help);
void acme_metric_histogram(acme_metric_t *out, const char *name,
                           const char *unit, const char *help);
void acme_metric_info(acme_metric_t *out, const char *name, const char *help);

/* Begin a sample of the family: "", "_total", "_bucket" behind its name. */
void acme_metric_sample(acme_metric_t *out, const char *suffix);

/* Of value at most 256 octets are shown, \xNN for what is not printable. */
void acme_metric_label(acme_metric_t *out, const char *name,
                       const char *value);

/* The value ends the sample. */
void acme_metric_number(acme_metric_t *out, apr_uint64_t value);
void acme_metric_flag(acme_metric_t *out, int is_so);
void acme_metric_seconds(acme_metric_t *out, apr_interval_time_t t);

#endif
