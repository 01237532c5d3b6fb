/*
 * acme_hook_run.c - runs the administrator's commands for events.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_counters.h"
#include "acme_hook_event.h"
#include "acme_hook_run.h"
#include "acme_json.h"
#include "acme_text.h"
#include "acme_time.h"

/* Linux takes 128 KB a variable, and for all together a quarter of the stack:
 * two lists of names, at most, are long. */
#define VALUE_MAX (32 * 1024)

#define TOKEN_MAX 256           /* as of a challenge; a value has 43 */

/* Lines of one hook in the error log; then one says that more came. */
#define LINES_MAX 200

typedef struct run_t run_t;

struct run_t {
    run_t *next;
    acme_hook_runner_t *hooks;
    const char *id;             /* subject of its log lines */
    const char *const *argv;
    const apr_array_header_t *env;
    const char *input;
    apr_interval_time_t timeout;
    int outlives;
    acme_hook_done_cb *done;
    void *baton;
    acme_process_t *job;            /* NULL: it waits for a place, or */
    apr_status_t failed;        /* it could not be started, */
    acme_result_t res;          /* and why */
    char last[ACME_PROCESS_LINE_MAX + 1];   /* its last line */
    int lines;                  /* that it wrote */
    apr_pool_t *p;
};

struct acme_hook_runner_t {
    const acme_log_t *log;
    run_t *first;               /* in the order in which they came */
    int running;
    apr_pool_t *p;
};

apr_interval_time_t acme_hook_run_pause(apr_uint32_t failures)
{
    apr_interval_time_t pause = apr_time_from_sec(60);

    while (failures-- > 1 && pause < ACME_HOOK_PAUSE_MAX) {
        pause *= 2;
    }
    return pause < ACME_HOOK_PAUSE_MAX ? pause : ACME_HOOK_PAUSE_MAX;
}

/* Text that may be a CA's, as one line; text that is clean already stays. */
static const char *plain_value(const char *text, apr_pool_t *p)
{
    const char *c;

    for (c = text ? text : ""; *c; c++) {
        if (*c < 0x20 || *c > 0x7e) {
            return acme_text_clean(text, ACME_DETAIL_SIZE, p);
        }
    }
    return text;
}

static const char *token(const char *text)
{
    return acme_text_is_base64url(text, TOKEN_MAX) ? text : NULL;
}

/* A token, and for http-01 '.' and a thumbprint after it. (8555, 8.1) */
static const char *validation(const acme_hook_challenge_t *challenge,
                              apr_pool_t *p)
{
    const char *text = challenge->validation;
    const char *dot = challenge->type == ACME_HTTP_01 && text
        ? strchr(text, '.') : NULL;

    if (!dot) {
        return token(text);
    }
    return token(apr_pstrmemdup(p, text, (apr_size_t)(dot - text)))
               && token(dot + 1) ? text : NULL;
}

/* The names, as many as have room. */
static const char *join_names(const apr_array_header_t *names, char separator,
                              apr_pool_t *p)
{
    char *text = names ? apr_array_pstrcat(p, names, separator) : NULL;

    if (text && strlen(text) > VALUE_MAX) {
        text[VALUE_MAX] = '\0';
        *strrchr(text, separator) = '\0';
    }
    return text;
}

#define FIELD_ID(name, variable, certbot, key) FIELD_##name,
#define FIELD_ROW(name, variable, certbot, key) { variable, certbot, key },
#define CHALLENGE_FIELD_ID(name, certbot, key) CHALLENGE_##name,
#define CHALLENGE_FIELD_ROW(name, certbot, key) { NULL, certbot, key },

enum { ACME_HOOK_FIELDS(FIELD_ID) FIELDS };
enum { ACME_HOOK_CHALLENGE_FIELDS(CHALLENGE_FIELD_ID) CHALLENGE_FIELDS };

typedef struct {
    const char *variable;
    const char *certbot; /* the variable of its scripts */
    const char *key;     /* in the JSON */
} field_t;

static const field_t fields[FIELDS] = { ACME_HOOK_FIELDS(FIELD_ROW) };
static const field_t challenge_fields[CHALLENGE_FIELDS] = {
    ACME_HOOK_CHALLENGE_FIELDS(CHALLENGE_FIELD_ROW)
};

/* The text of each field, NULL: it has none. */
static void get_values(const char *values[FIELDS],
                       const acme_hook_event_t *event, apr_pool_t *p)
{
    values[FIELD_EVENT] = plain_value(event->event, p);
    values[FIELD_ID] = plain_value(event->id, p);
    values[FIELD_NAMES] = join_names(event->names, ' ', p);
    values[FIELD_FAILED] = join_names(event->failed, ' ', p);
    values[FIELD_LIVE] = event->live;
    values[FIELD_CERT] = event->cert;
    values[FIELD_CHAIN] = event->chain;
    values[FIELD_FULLCHAIN] = event->fullchain;
    values[FIELD_PRIVKEY] = event->privkey;
    values[FIELD_NOT_AFTER] =
        event->not_after ? acme_time_rfc3339(event->not_after, p) : NULL;
    values[FIELD_PROBLEM] = plain_value(event->problem, p);
    values[FIELD_DETAIL] = plain_value(event->detail, p);
}

static void get_challenge_values(const char *values[CHALLENGE_FIELDS],
                                 const acme_hook_challenge_t *challenge,
                                 apr_pool_t *p)
{
    values[CHALLENGE_DOMAIN] = plain_value(challenge->domain, p);
    values[CHALLENGE_TOKEN] = token(challenge->token);
    values[CHALLENGE_VALIDATION] = validation(challenge, p);
    values[CHALLENGE_RECORD] = plain_value(challenge->record, p);
    values[CHALLENGE_REMAINING] = apr_itoa(p, challenge->remaining);
    values[CHALLENGE_ALL_DOMAINS] =
        challenge->domains ? join_names(challenge->domains, ',', p)
                           : values[CHALLENGE_DOMAIN];
    values[CHALLENGE_AUTH_OUTPUT] = challenge->auth_output;
}

/* Scripts that are run for dns-01 and http-01 tell them apart by the token. */
static int is_for_env(int field, const acme_hook_challenge_t *challenge)
{
    switch (field) {
    case CHALLENGE_TOKEN:
        return challenge->type == ACME_HTTP_01;
    case CHALLENGE_AUTH_OUTPUT:
        return challenge->auth_output != NULL;
    default:
        return challenge_fields[field].certbot != NULL;
    }
}

static void put(apr_array_header_t *env, const char *name, const char *value,
                apr_pool_t *p)
{
    APR_ARRAY_PUSH(env, const char *) =
        apr_psprintf(p, "%s=%.*s", name, VALUE_MAX, value ? value : "");
}

/* certbot sets its variables for deploy, and the lists of names for post. */
static int is_certbot_field(const acme_hook_event_t *event, int field)
{
    switch (field) {
    case FIELD_FAILED:
        return event->failed != NULL;
    case FIELD_NAMES:
        return event->failed || event->live;
    default:
        return event->live != NULL;
    }
}

apr_array_header_t *acme_hook_run_env(const acme_hook_event_t *event,
                                      apr_pool_t *p)
{
    apr_array_header_t *env =
        apr_array_make(p, FIELDS + CHALLENGE_FIELDS + 2, sizeof(const char *));
    const char *values[FIELDS], *challenge_values[CHALLENGE_FIELDS];
    int i;

    get_values(values, event, p);
    for (i = 0; i < FIELDS; i++) {
        put(env, fields[i].variable, values[i], p);
        if (fields[i].certbot && is_certbot_field(event, i)) {
            put(env, fields[i].certbot, values[i], p);
        }
    }
    if (!event->challenge) {
        return env;
    }
    get_challenge_values(challenge_values, event->challenge, p);
    for (i = 0; i < CHALLENGE_FIELDS; i++) {
        if (is_for_env(i, event->challenge)) {
            put(env, challenge_fields[i].certbot, challenge_values[i], p);
        }
    }
    return env;
}

/* A path that is not UTF-8 is escaped. */
static void set(json_t *json, const char *name, const char *value,
                apr_pool_t *p)
{
    json_t *text;

    if (!value) {
        return;
    }
    text = json_string(value);
    json_object_set_new(json, name, text ? text
                        : json_string(acme_text_clean(value, VALUE_MAX, p)));
}

static json_t *names_json(const apr_array_header_t *names)
{
    json_t *json = json_array();
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        json_array_append_new(
            json, json_string(APR_ARRAY_IDX(names, i, const char *)));
    }
    return json;
}

const char *acme_hook_run_json(const acme_hook_event_t *event, apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p), *challenge;
    const char *values[FIELDS], *challenge_values[CHALLENGE_FIELDS];
    int i;

    get_values(values, event, p);
    for (i = 0; i < FIELDS; i++) {
        if (i == FIELD_NAMES) {
            json_object_set_new(json, fields[i].key, names_json(event->names));
        }
        else if (i == FIELD_FAILED) {
            if (event->failed) {
                json_object_set_new(json, fields[i].key,
                                    names_json(event->failed));
            }
        }
        else {
            set(json, fields[i].key, values[i], p);
        }
    }
    if (event->challenge) {
        challenge = json_object();
        get_challenge_values(challenge_values, event->challenge, p);
        for (i = 0; i < CHALLENGE_FIELDS; i++) {
            if (challenge_fields[i].key) {
                set(challenge, challenge_fields[i].key, challenge_values[i],
                    p);
            }
        }
        json_object_set_new(
            json, event->challenge->type == ACME_HTTP_01 ? "http" : "dns",
            challenge);
    }
    return apr_pstrcat(p, acme_json_text(json, 0, p), "\n", NULL);
}

acme_hook_runner_t *acme_hook_run_create(const acme_log_t *log, apr_pool_t *p)
{
    acme_hook_runner_t *hooks = apr_pcalloc(p, sizeof(*hooks));

    hooks->log = log;
    hooks->p = p;
    return hooks;
}

static void on_line(void *baton, const char *line)
{
    run_t *run = baton;

    apr_cpystrn(run->last, line, sizeof(run->last));
    if (run->lines < LINES_MAX) {
        run->lines++;
        acme_log(
            run->hooks->log, ACME_LOG_NOTICE, run->id, "%s: %s", run->argv[0],
            run->lines == LINES_MAX ? "(further output is not logged)" : line);
    }
}

static void start_hook(run_t *run, apr_time_t now)
{
    acme_process_conf_t conf = { 0 };

    conf.argv = run->argv;
    conf.env = run->env;
    conf.input = run->input;
    conf.deadline = now + run->timeout;
    conf.output_max = ACME_HOOK_OUTPUT_MAX;
    conf.line = on_line;
    conf.baton = run;
    conf.outlives = run->outlives;
    run->failed = acme_process_launch(&run->job, &conf, &run->res, run->p);
    run->hooks->running += run->job != NULL;
}

static void fill(acme_hook_runner_t *hooks, apr_time_t now)
{
    run_t *run;

    for (run = hooks->first; run && hooks->running < ACME_HOOKS_MAX;
         run = run->next) {
        if (!run->job && !run->failed) {
            start_hook(run, now);
        }
    }
}

static const char *const *copy_argv(const apr_array_header_t *command,
                                    apr_pool_t *p)
{
    const char **argv = apr_pcalloc(p, ((apr_size_t)command->nelts + 1)
                                    * sizeof(*argv));
    int i;

    for (i = 0; i < command->nelts; i++) {
        argv[i] = apr_pstrdup(p, APR_ARRAY_IDX(command, i, const char *));
    }
    return argv;
}

void acme_hook_run_start(acme_hook_runner_t *hooks, const acme_hook_t *hook)
{
    run_t *run, **end;
    apr_pool_t *p;

    apr_pool_create(&p, hooks->p);
    run = apr_pcalloc(p, sizeof(*run));
    run->p = p;
    run->hooks = hooks;
    run->id = apr_pstrdup(p, hook->event->id ? hook->event->id
                                             : hook->event->event);
    run->argv = copy_argv(hook->command, p);
    run->env = acme_hook_run_env(hook->event, p);
    run->input = hook->input ? apr_pstrdup(p, hook->input)
                             : acme_hook_run_json(hook->event, p);
    run->timeout = hook->timeout;
    run->outlives = hook->outlives;
    run->done = hook->done;
    run->baton = hook->baton;
    for (end = &hooks->first; *end; end = &(*end)->next) {
        continue;
    }
    *end = run;
    fill(hooks, apr_time_now());
}

int acme_hook_run_poll(const acme_hook_runner_t *hooks, struct pollfd *fds)
{
    const run_t *run;
    int n = 0;

    for (run = hooks->first; run; run = run->next) {
        if (run->job) {
            n += acme_process_poll(run->job, fds + n);
        }
    }
    return n;
}

apr_time_t acme_hook_run_wake(const acme_hook_runner_t *hooks, apr_time_t now)
{
    apr_time_t at, wake = 0;
    const run_t *run;

    for (run = hooks->first; run; run = run->next) {
        if (!run->job && !run->failed) {
            continue;
        }
        at = run->job ? acme_process_wake(run->job) : now;
        if (!wake || at < wake) {
            wake = at;
        }
    }
    return wake;
}

static apr_status_t get_outcome(run_t *run)
{
    const char *colon = run->last[0] ? ": " : "";
    const int code = run->job ? acme_process_exit(run->job) : 0;

    if (run->failed || code == 0) {
        return run->failed;
    }
    if (acme_process_late(run->job)) {
        return acme_fail(
            &run->res, APR_TIMEUP,
            "%s: the command was killed because it was still running after %s; if it needs longer, raise AcmeHookTimeout%s%s",
            run->argv[0], acme_time_interval_text(run->timeout, run->p), colon,
            run->last);
    }
    if (code < 0) {
        return acme_fail(&run->res, APR_EGENERAL,
                         "%s: the command was killed by a signal%s%s",
                         run->argv[0], colon, run->last);
    }
    return acme_fail(&run->res, APR_EGENERAL, "%s: exit status %d%s%s",
                     run->argv[0], code, colon, run->last);
}

static void finish(run_t *run)
{
    apr_status_t rv = get_outcome(run);

    if (rv != APR_SUCCESS) {
        acme_counters_hook_failure();
    }
    run->done(run->baton, rv, &run->res,
              run->job ? acme_process_output(run->job) : "");
    apr_pool_destroy(run->p);
}

/* Hooks that ended are removed before their callbacks, which may start more. */
static run_t *remove_ended(acme_hook_runner_t *hooks, apr_time_t now)
{
    run_t *ended = NULL, **end = &ended, **at = &hooks->first;

    while (*at) {
        run_t *run = *at;

        if (!run->failed && !(run->job && acme_process_step(run->job, now))) {
            at = &run->next;
            continue;
        }
        *at = run->next;
        run->next = NULL;
        hooks->running -= run->job != NULL;
        *end = run;
        end = &run->next;
    }
    return ended;
}

int acme_hook_run_step(acme_hook_runner_t *hooks, apr_time_t now)
{
    run_t *ended = remove_ended(hooks, now);
    int n = 0;

    fill(hooks, now);
    while (ended) {
        run_t *run = ended;

        ended = run->next;
        finish(run);
        n++;
    }
    return n;
}
