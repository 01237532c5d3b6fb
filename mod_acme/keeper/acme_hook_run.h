/*
 * acme_hook_run.h - runs the administrator's commands for events.
 *
 * Commands run side by side; one that hangs is killed and delays no other. The
 * event is in the environment and, as JSON, on standard input. No shell is
 * used, and no value of a CA has a line break. (docs/design.md, Commands)
 */
#ifndef ACME_HOOK_RUN_H
#define ACME_HOOK_RUN_H

#include <apr_tables.h>

#include "acme_challenge.h"
#include "acme_process.h"
#include "acme_log.h"

#define ACME_HOOKS_MAX 64               /* at once; the others wait */
#define ACME_HOOK_FDS  (ACME_HOOKS_MAX * ACME_PROCESS_FDS)

/* Octets of output that are collected; certbot's cleanup hook gets them. */
#define ACME_HOOK_OUTPUT_MAX 8192

/* How long a command that has failed so often in a row waits until it is tried
   again: a minute, doubled each time, up to six hours. */
#define ACME_HOOK_PAUSE_MAX apr_time_from_sec(6 * 3600)
apr_interval_time_t acme_hook_run_pause(apr_uint32_t failures);

/* A challenge that is answered by a command. */
typedef struct {
    acme_challenge_e type;      /* ACME_DNS_01 or ACME_HTTP_01 */
    const char *domain;         /* without "*." */
    const char *token;
    const char *validation;     /* the TXT record's value, or the key
                                   authorization */
    const char *record;         /* the TXT record's name */
    const char *auth_output;    /* for a cleanup; NULL: none */
    int remaining;              /* CERTBOT_REMAINING_CHALLENGES */
    const apr_array_header_t *domains;  /* const char *: all that are
                                   validated together; NULL: domain alone */
} acme_hook_challenge_t;

/* An event. Strings may be NULL: the variable is empty then. */
typedef struct {
    const char *event;          /* ACME_EVENT: "deploy", "failed", ... */
    const char *id;
    const apr_array_header_t *names;    /* const char *; or NULL */
    const apr_array_header_t *failed;   /* the same, of post alone */
    const char *live;           /* folder */
    const char *cert;           /* paths */
    const char *chain;
    const char *fullchain;
    const char *privkey;
    apr_time_t not_after;       /* 0: there is no certificate */
    const char *problem;
    const char *detail;
    const acme_hook_challenge_t *challenge; /* NULL: no CERTBOT_... */
} acme_hook_event_t;

/*
 * A hook has ended: APR_SUCCESS, APR_TIMEUP after its timeout, else another
 * status; res says which command failed and how. output is what the command
 * wrote, at most ACME_HOOK_OUTPUT_MAX octets. Both are gone after the call.
 */
typedef void acme_hook_done_cb(void *baton, apr_status_t status,
                               const acme_result_t *res, const char *output);

typedef struct {
    const apr_array_header_t *command;  /* const char *: path, arguments */
    const acme_hook_event_t *event;
    const char *input;          /* NULL: the event as JSON */
    apr_interval_time_t timeout;        /* from its start */
    acme_hook_done_cb *done;
    void *baton;
    int outlives;               /* a reload must not kill the command */
} acme_hook_t;

/*
 * The environment of an event, const char * "NAME=value": ACME_... always,
 * for certbot's scripts RENEWED_LINEAGE and RENEWED_DOMAINS with a live
 * folder, RENEWED_DOMAINS and FAILED_DOMAINS with the names that failed,
 * CERTBOT_... with a challenge. Times are RFC 3339; names are separated by
 * spaces, in CERTBOT_ALL_DOMAINS by commas. A list too long for the
 * environment ends early; the JSON has all.
 */
apr_array_header_t *acme_hook_run_env(const acme_hook_event_t *event,
                                      apr_pool_t *p);

/*
 * The same as one line of JSON: event, id, names, failed_names, live, cert,
 * chain, fullchain, privkey, not_after, problem, detail, and dns or http with
 * domain, token, validation, record. A field without a value is left out.
 */
const char *acme_hook_run_json(const acme_hook_event_t *event, apr_pool_t *p);

/* Hooks that run, and hooks that wait because ACME_HOOKS_MAX run. With the
   pool of the runner they are killed, unless they outlive it. */
typedef struct acme_hook_runner_t acme_hook_runner_t;

acme_hook_runner_t *acme_hook_run_create(const acme_log_t *log, apr_pool_t *p);

/*
 * Start a hook, now or when fewer than ACME_HOOKS_MAX run. Everything but
 * baton is copied. done is called exactly once, from acme_hook_run_step(), also
 * when the command cannot be started.
 */
void acme_hook_run_start(acme_hook_runner_t *hooks, const acme_hook_t *hook);

/* Fill fds with what to poll for, at most ACME_HOOK_FDS. Returns how many. */
int acme_hook_run_poll(const acme_hook_runner_t *hooks, struct pollfd *fds);

/* Call acme_hook_run_step() at this time at the latest; 0: nothing runs. */
apr_time_t acme_hook_run_wake(const acme_hook_runner_t *hooks, apr_time_t now);

/* Read, write, start and end hooks. Returns how many have ended. */
int acme_hook_run_step(acme_hook_runner_t *hooks, apr_time_t now);

#endif
