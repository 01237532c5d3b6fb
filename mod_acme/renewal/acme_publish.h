/*
 * acme_publish.h - what the keeper publishes for the challenges of one order,
 * outside of this server: TXT records (AcmeDns) and tokens (AcmeHttp).
 * (8555, 8.3 and 8.4)
 */
#ifndef ACME_PUBLISH_H
#define ACME_PUBLISH_H

#include "acme_propagation.h"
#include "acme_task.h"

typedef struct {
    acme_challenge_e type; /* ACME_DNS_01 or ACME_HTTP_01 */
    apr_uint32_t name;     /* position in the configuration */
    const char *token;
    acme_propagation_record_t record; /* dns-01: behind all CNAMEs, and its
                                   value */
    int left;                         /* from before a reload: only removed */
    const acme_result_t *failure;     /* why it is not; NULL: it is */
} acme_publish_row_t;

/* This challenge of this name is answered so. */
acme_publish_row_t *acme_publish_add(acme_task_attempt_t *attempt,
                                     const acme_task_t *task,
                                     const acme_authorization_t *authz,
                                     acme_challenge_e type, const char *token);

/* acme_publish_row_t *, in p, of that type: those that are published now (left
   0), or those that were left (1). */
apr_array_header_t *acme_publish_rows(const acme_task_attempt_t *attempt,
                                      acme_challenge_e type, int left,
                                      apr_pool_t *p);

/*
 * Publish all that were added, side by side, and wait until that is done.
 *
 * One that cannot be published is a failure of its challenge, as one that the
 * CA does not accept: why has a name with no other type, if there is one, and
 * the keeper is told of the other names.
 */
apr_status_t acme_publish_present(acme_task_attempt_t *attempt,
                                  const acme_task_t *task,
                                  acme_task_failure_t *why);

/* Remove all that were added, whether they were published or not, and tokens of
   this certificate that were published before a reload. */
void acme_publish_cleanup(acme_task_attempt_t *attempt,
                          const acme_task_t *task);

#endif
