/*
 * acme_deploy_file.h - deploy/<id>.json: which certificate the commands of
 * AcmeHook deploy were run for, and what has become of them.
 *
 * 0600. A command is known by its digest: those that are run are of the
 * configuration.
 * Texts that are saved are printable ASCII (acme_text_clean()).
 */
#ifndef ACME_DEPLOY_FILE_H
#define ACME_DEPLOY_FILE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_store.h"

typedef struct {
    const char *digest;         /* of the command */
    int done;                   /* it has succeeded */
    apr_uint32_t failures;      /* in a row */
    apr_time_t next_at;         /* not before this, after a failure */
    apr_time_t started;         /* 0: its end is known */
    apr_uint32_t interrupted;   /* times that its end never became known */
    const char *failure;        /* the last one, a sentence, or "" */
} acme_deploy_command_t;

typedef struct {
    const char *certificate;    /* its archive and serial; "": none */
    int is_complete;            /* nothing is left to do for it */
    int is_told;                /* that a command failed */
    apr_time_t begun;           /* when the first command was started; 0: none
                                   was */
    int is_early;               /* a command ran before all copies of
                                   AcmeExport were there */
    apr_array_header_t *commands;       /* acme_deploy_command_t */
} acme_deploy_file_t;

/* Nothing was deployed, all of it in p. */
acme_deploy_file_t *acme_deploy_file_make(apr_pool_t *p);

/*
 * Load that of id, all of it in p. On failure *pfile is NULL. ENOENT: there is
 * none. APR_EGENERAL: it was damaged and is set aside, which res names.
 */
apr_status_t acme_deploy_file_load(acme_deploy_file_t **pfile,
                                   acme_store_t *store, const char *id,
                                   acme_result_t *res, apr_pool_t *p);

/* After a failure the old file is unchanged. A power failure, which no command
   outlives, may bring it back: a command is run once more then. */
apr_status_t acme_deploy_file_save(acme_store_t *store, const char *id,
                                   const acme_deploy_file_t *file,
                                   acme_result_t *res, apr_pool_t *p);

/* A success also when there is no file. */
apr_status_t acme_deploy_file_remove(acme_store_t *store, const char *id,
                                     acme_result_t *res, apr_pool_t *p);

#endif
