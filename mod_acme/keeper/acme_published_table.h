/*
 * acme_published_table.h - the records and tokens that are published, or are
 * being published or removed, and their files in the store. For the files
 * acme_published*.c alone.
 */
#ifndef ACME_PUBLISHED_TABLE_H
#define ACME_PUBLISHED_TABLE_H

#include "acme_hook_run.h"
#include "acme_name.h"
#include "acme_publish_check.h"
#include "acme_store.h"

/* In place of a certificate: none needs the token any more. */
#define ACME_PUBLISHED_NO_CERT ((apr_uint32_t)-1)

typedef enum {
    ACME_PUBLISHED_NO_ACTION,
    ACME_PUBLISHED_PRESENT,
    ACME_PUBLISHED_CLEANUP
} acme_published_action_e;

typedef struct acme_published_record_t acme_published_record_t;

/* One value of one record, or one token, and the certificates that need it. */
struct acme_published_record_t {
    acme_published_record_t *next;
    struct acme_published_t *records;
    acme_publish_job_t what; /* of the last request, which may be for
                                   another certificate than the first;
                                   its texts are these: */
    char name[ACME_NAME_MAX + 1];
    char token[ACME_PUBLISH_TOKEN_MAX + 1];
    char record[ACME_NAME_MAX + 1]; /* of a token: the token */
    char value[ACME_PUBLISH_VALUE_MAX + 1];
    apr_array_header_t *holders; /* apr_uint32_t: certificates */
    acme_published_action_e running;
    acme_published_action_e next_action;    /* after the running command, or
                                   as soon as there is a place */
    int begun;               /* a present of it ran, or an earlier keeper's */
    int is_remembered;       /* it has a file in the store */
    apr_time_t remove_at;    /* by the keeper, unless it is published again
                                before; 0: whoever published it does that */
    int folders;             /* below a webroot, that are removed with it */
    apr_time_t since;        /* when it was published, last */
    int may_be_there;        /* the file of a webroot, or its folders */
    apr_uint32_t tries;      /* of its removal, that failed */
    apr_time_t retry_at;     /* it is tried again; 0: it is not */
    int has_turn;            /* the command is one of AcmeHttp exec, */
    apr_uint32_t turn;       /*   and no other of this certificate runs */
    const char *auth_output; /* of the last present; NULL: none */
    apr_pool_t *output_in;
    int failed;   /* the last present failed, */
    int order;    /* after so many other failures, */
    int reported; /* and that was returned */
    acme_result_t res;
    apr_pool_t *p;
};

/* What acme_published_create() made. (acme_published.h) */
struct acme_published_t {
    const acme_log_t *log;
    acme_hook_runner_t *hooks;
    acme_store_t *store;   /* NULL: nothing is remembered */
    apr_time_t now;        /* of the last step */
    acme_published_record_t *first;
    int count;
    int running; /* of ACME_HOOKS_MAX */
    int failures;
    apr_pool_t *p;
};

/* The index of the certificate among those that need it; -1: it does not. */
int acme_published_table_holder(const acme_published_record_t *record,
                                apr_uint32_t cert);
void acme_published_table_add_holder(acme_published_record_t *record,
                                     apr_uint32_t cert);
void acme_published_table_remove_holder(acme_published_record_t *record,
                                        apr_uint32_t cert);

/* Was it last requested for the certificate, or does that need it? */
int acme_published_table_is_of(const acme_published_record_t *record,
                               apr_uint32_t cert);

/* Does no command run, and is none to be run? */
int acme_published_table_is_idle(const acme_published_record_t *record);

/*
 * Write its file, or remove it if it needs none: what ends the keeper from here
 * on, the next one knows of it. The records of an order need none: whoever goes
 * on with the order knows them.
 */
apr_status_t acme_published_table_remember(acme_published_record_t *record,
                                           acme_result_t *res);

/* Remove it from the table and from the store; its memory is gone. */
void acme_published_table_forget(acme_published_record_t *record);

/* The record of the name that acme_publish_check() returned, and the value, or
   the token; NULL: none. */
acme_published_record_t *acme_published_table_find(
    const struct acme_published_t *records, const char *name,
    const acme_publish_job_t *what);

/* The same, made if there is none, for which the oldest idle one may be
   forgotten; NULL: too many. */
acme_published_record_t *acme_published_table_want(
    struct acme_published_t *records, const char *name,
    const acme_publish_job_t *what);

/* A new one, of which there is none yet. */
acme_published_record_t *acme_published_table_make(
    struct acme_published_t *records, const char *name, const char *value);

/* The job becomes that of the record, whose value it has, in the record's own
   memory: a hostile worker repeats a request for ever. */
void acme_published_table_keep_job(acme_published_record_t *record,
                                   const acme_publish_job_t *what);

#endif
