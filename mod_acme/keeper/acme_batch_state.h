/*
 * acme_batch_state.h - what is known of a batch of validations, and its file.
 * For the files acme_batch*.c alone.
 *
 * The rule: while a command of pre may have had an effect, the file is there;
 * it is removed when all of post have succeeded, and by nothing else.
 */
#ifndef ACME_BATCH_STATE_H
#define ACME_BATCH_STATE_H

#include "acme_hook_run.h"
#include "acme_registry.h"

/* A command that ends its own keeper, by a reload of httpd, may do so this
   often; then it counts as done. */
#define ACME_BATCH_INTERRUPTED_MAX 2

typedef enum {
    ACME_BATCH_CLOSED,
    ACME_BATCH_OPEN,
    ACME_BATCH_CLOSING,         /* commands of post run */
    ACME_BATCH_UNCLOSED         /* some have failed, and will be repeated */
} acme_batch_phase_e;

typedef enum {
    ACME_BATCH_OUTCOME_NONE,
    ACME_BATCH_OUTCOME_DONE,
    ACME_BATCH_OUTCOME_FAILED
} acme_batch_outcome_e;

/* A certificate and its order. */
typedef struct {
    int is_listed;              /* it is in the file: post is run for it */
    int is_member;
    apr_uint64_t channel;
    apr_time_t since;           /* it joined; 0: it is no member */
    acme_batch_outcome_e outcome;
} acme_batch_place_t;

/* A command of pre that has ended. */
typedef struct {
    const char *digest;
    const char *failure;        /* NULL: it succeeded */
} acme_batch_ended_t;

/* A command of post. */
typedef struct {
    const acme_hook_conf_t *hook;
    const char *digest;
    apr_interval_time_t timeout;
    const char *failure;        /* of its last run; NULL: none */
} acme_batch_post_t;

/* What acme_batch_create() made. (acme_batch.h) */
struct acme_batch_t {
    acme_registry_t *registry;
    acme_hook_runner_t *hooks;
    const acme_log_t *log;
    acme_batch_phase_e phase;
    acme_batch_place_t *places; /* by certificate */
    int members;
    apr_time_t opened;
    apr_time_t close_at;        /* without members; 0: not known */
    apr_time_t paid_until;      /* see PACE of acme_batch.c */
    const char *running;        /* digest of the command of pre; NULL: none */
    apr_array_header_t *ended;  /* acme_batch_ended_t */
    apr_array_header_t *begun;  /* const char *: digests of commands of pre whose
                                   end is not known, once for each start */
    int posts_begun;            /* how often post began, and its end is not
                                   known */
    apr_array_header_t *expected;       /* const char *: digests of post that
                                           were configured as they joined */
    apr_array_header_t *posts;  /* acme_batch_post_t: while closing those to be
                                   run, while unclosed those that failed */
    int next_post;              /* which of them is the next one */
    int post_runs;              /* one of them runs */
    apr_uint32_t failures;      /* of post, in a row */
    apr_time_t repeat_at;       /* while unclosed */
    int is_told;                /* notify was told of a failure */
    int is_saved;               /* the file has all of the above */
    apr_pool_t *p;
    apr_pool_t *own;            /* of this batch; cleared after it */
};

/* A certificate of the configuration, and how many there are. */
const acme_cert_conf_t *acme_batch_state_cert(const struct acme_batch_t *batch,
                                              int cert);
int acme_batch_state_certs(const struct acme_batch_t *batch);

/* Nothing is open any more; the file is another matter. */
void acme_batch_state_reset(struct acme_batch_t *batch);

/* All lists, empty, in batch->own. */
void acme_batch_state_make_lists(struct acme_batch_t *batch);

/*
 * What the file says was open becomes so. APR_ENOENT: there is no file. After
 * another failure all certificates count as listed, as nothing is known.
 */
apr_status_t acme_batch_state_load(struct acme_batch_t *batch, apr_time_t now,
                                   acme_result_t *res, apr_pool_t *p);

/* Write the file, unless it has all of this. */
apr_status_t acme_batch_state_save(struct acme_batch_t *batch,
                                   acme_result_t *res, apr_pool_t *p);

/* It is no member any more, if it was one. */
void acme_batch_state_forget_member(struct acme_batch_t *batch,
                                    acme_batch_place_t *place);

#endif
