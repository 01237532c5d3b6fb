/*
 * acme_publish_job.h - the answer to a challenge that is published outside of
 * this server, or removed again: a TXT record or a token of http-01.
 */
#ifndef ACME_PUBLISH_JOB_H
#define ACME_PUBLISH_JOB_H

#include "acme_conf.h"

/* For what: whoever goes on with an order knows its records. */
typedef enum {
    ACME_PUBLISH_FOR_ORDER,
    ACME_PUBLISH_FOR_DRY_RUN,
    ACME_PUBLISH_FOR_REHEARSAL
} acme_publish_for_e;

typedef struct {
    acme_publish_for_e purpose;
    apr_uint32_t cert;             /* index in the configuration */
    const char *id;                /* of the certificate, for the log */
    const acme_dns_conf_t *dns;    /* dns-01: who sets the record, or */
    const acme_token_conf_t *http; /* http-01: who publishes the token; one
                                   of both is NULL */
    const char *name;              /* of the domain, without "*." */
    const char *token;
    const char *value;  /* of the TXT record, or the key authorization */
    const char *record; /* dns-01: without a final dot; NULL:
                                   "_acme-challenge." and name */
    const apr_array_header_t *names; /* const char *: all that are
                                   validated with it; NULL: it alone */
    int remaining;                   /* how many of the same batch follow */
} acme_publish_job_t;

#endif
