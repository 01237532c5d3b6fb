/*
 * acme_rehearsal_dry_run.h - AcmeDns is tried: a record of dns-01 is set, seen,
 * and removed.
 */
#ifndef ACME_REHEARSAL_DRY_RUN_H
#define ACME_REHEARSAL_DRY_RUN_H

#include "acme_rehearsal.h"
#include "acme_task.h"

typedef struct {
    const acme_task_env_t *env;
    acme_keeper_client_t *keeper;       /* the caller's, and of its thread */
    apr_uint32_t cert;
    apr_uint32_t name;          /* its position in the certificate's names */
    const char *thumbprint;     /* of the account's key */
    const char *own_record;     /* "_acme-challenge.example.org" */
    const char *record;         /* where a CNAME leads, or the same */
    const apr_array_header_t *servers;  /* const char *: of its zone, as
                                   acme_dns_authority_t has them */
    apr_time_t end;             /* it is waited for until then */
} acme_rehearsal_dry_run_t;

/*
 * The keeper runs the command or update, for a token that no CA has given out.
 * The record is removed in any case. finding gets level, reason and text; NONE
 * when the process stops.
 */
void acme_rehearsal_dry_run(acme_rehearsal_finding_t *finding,
                            const acme_rehearsal_dry_run_t *what,
                            apr_pool_t *p);

#endif
