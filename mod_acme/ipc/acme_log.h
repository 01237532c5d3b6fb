/*
 * acme_log.h - lines for the error log, from floors that know no httpd.
 *
 * A line is about one certificate or one part, and names it first:
 * "www.example.org: installed: ...".
 */
#ifndef ACME_LOG_H
#define ACME_LOG_H

#include <apr_pools.h>

typedef enum {
    ACME_LOG_ERROR,
    ACME_LOG_WARNING,
    ACME_LOG_NOTICE,
    ACME_LOG_INFO
} acme_log_e;

/* Write a line, which is gone after the call; called from any thread. */
typedef void acme_log_cb(void *baton, acme_log_e level, const char *line);

typedef struct {
    acme_log_cb *write;
    void *baton;
} acme_log_t;

/* Write "subject: " and the text, cut at 4095 octets. subject is the id of a
   certificate, or "keeper", "reload", "account", ... */
void acme_log(const acme_log_t *log, acme_log_e level, const char *subject,
              const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
