/*
 * acme_log.c - lines for the error log, from floors that know no httpd.
 */
#include <stdarg.h>

#include <apr_strings.h>

#include "acme_log.h"

#define LINE_SIZE 4096

void acme_log(const acme_log_t *log, acme_log_e level, const char *subject,
              const char *fmt, ...)
{
    char line[LINE_SIZE];
    apr_size_t len;
    va_list ap;

    len = (apr_size_t)apr_snprintf(line, sizeof(line), "%s: ", subject);
    va_start(ap, fmt);
    apr_vsnprintf(line + len, sizeof(line) - len, fmt, ap);
    va_end(ap);
    log->write(log->baton, level, line);
}
