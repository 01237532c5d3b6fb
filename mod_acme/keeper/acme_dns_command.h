/*
 * acme_dns_command.h - the program that sets or removes a TXT record: a
 * command of the administrator's, or nsupdate for dynamic updates (RFC 2136).
 */
#ifndef ACME_DNS_COMMAND_H
#define ACME_DNS_COMMAND_H

#include "acme_conf.h"
#include "acme_message.h"

/* A record that is to be set or removed. */
typedef struct {
    apr_uint32_t cert; /* index in the configuration */
    const char *id;    /* of the certificate, for the log */
    const char *name;  /* without "*." */
    const char *token;
    const char *value;
    const char *record;              /* without a final dot; NULL:
                                   "_acme-challenge." and name */
    const apr_array_header_t *names; /* const char *: all that are
                                   validated with it; NULL: it alone */
    int remaining;                   /* how many of the same batch follow */
} acme_dns_command_job_t;

typedef struct {
    apr_array_header_t *argv; /* const char * */
    const char *input;        /* NULL: the event as JSON */
} acme_dns_command_t;

/* Labels of letters, digits, '-' and '_'; it can be no option of a program. */
int acme_dns_command_is_name(const char *name);

/*
 * Can it be run? res says what is in the way: a key file that others can read,
 * no nsupdate, settings that can't be lines for it.
 */
apr_status_t acme_dns_command_check(const acme_dns_conf_t *dns,
                                    acme_result_t *res, apr_pool_t *p);

/* What sets it, and what removes it; the job was checked by the caller. */
acme_dns_command_t acme_dns_command_present(const acme_dns_command_job_t *what,
                                            const acme_dns_conf_t *dns,
                                            apr_pool_t *p);
acme_dns_command_t acme_dns_command_cleanup(const acme_dns_command_job_t *what,
                                            const acme_dns_conf_t *dns,
                                            apr_pool_t *p);

#endif
