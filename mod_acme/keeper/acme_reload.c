/*
 * acme_reload.c - one graceful reload for all certificates that finished.
 *
 * IDLE -> COLLECTING -> TESTING -> LISTING -> SIGNALLED, and from each of the
 * last three to POSTPONED, which begins again with TESTING. The keeper ends
 * with the reload, so SIGNALLED is left only when httpd did not reload.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_counters.h"
#include "acme_digest.h"
#include "acme_json_file.h"
#include "acme_launcher.h"
#include "acme_next_step.h"
#include "acme_process.h"
#include "acme_reload.h"

/* The longest wait for orders that are under way, and how often it is looked
   whether they still are. */
#define IN_FLIGHT_MAX apr_time_from_sec(60)
#define IN_FLIGHT_STEP apr_time_from_msec(100)

/* Orders of a batch follow each other sooner than this. */
#define LULL apr_time_from_sec(3)

/* A reload after which the same certificates were not served, as before: the
   next one waits twice as long, up to this. */
#define FRUITLESS_WAIT_MAX apr_time_from_sec(24 * 3600)
#define FRUITLESS_MAX 20

#define FILE_MAX 256            /* octets */
#define TIME_MAX 32
#define DIGEST_OCTETS 8

/* The wait takes at most a quarter of what the served certificate has left. */
#define LEFT_PART 4

#define SIGNALLED_TIMEOUT apr_time_from_sec(30)

/* A test that runs for longer is told of: it may take minutes more where the
   last load did (acme_trial_limit.h), or hang. */
#define TEST_LONG apr_time_from_sec(60)

/* A postponed reload is retried after this, doubled each time that the reason
   is the same. */
#define POSTPONED_MIN apr_time_from_sec(2)
#define POSTPONED_MAX apr_time_from_sec(60)

/* Other reasons, as often, are no more the edits of somebody. */
#define REASONS_MAX 50

#define REASON_SIZE ACME_DETAIL_SIZE

typedef enum {
    IDLE,
    COLLECTING,
    TESTING,
    LISTING,
    SIGNALLED,
    POSTPONED
} reload_phase_e;

struct acme_reload_t {
    const acme_server_t *server;
    acme_registry_t *registry;
    acme_activate_t *activate;  /* NULL: nothing is given to workers */
    acme_held_cb *held;
    void *baton;

    reload_phase_e phase;
    apr_time_t due;             /* when COLLECTING, SIGNALLED, POSTPONED end */
    apr_time_t due_last;        /* COLLECTING: at the latest */
    int is_placeholder_served;  /* COLLECTING: in the place of one of them */
    int is_resumed;             /* what an earlier reload was for, too */
    apr_time_t busy_at;         /* COLLECTING: when an order was seen last */
    apr_time_t warn_at;         /* from here on an edited file does not
                                   postpone the reload; 0: nothing served
                                   is about to expire */
    apr_time_t last_at;         /* our last reload, a keeper's before too */
    int fruitless;              /* reloads that were for the same, */
    const char *unserved;       /* a digest of ids and archives; "" */
    apr_interval_time_t postponed_wait;
    int reasons;                /* how often it was another one */
    char reason[REASON_SIZE];

    acme_process_t *job; /* TESTING, LISTING: httpd */
    apr_time_t long_at;         /* when it is told that it still runs; 0: not,
                                   or it was */
    apr_pool_t *job_pool;
    apr_pool_t *p;
};

static const acme_log_t *log_of(const acme_reload_t *reload)
{
    return acme_registry_log(reload->registry);
}

static const char *file_path(const acme_reload_t *reload, apr_pool_t *p)
{
    return acme_store_path(acme_registry_store(reload->registry), "run",
                           "reload.json", p);
}

/* {"at": "...", "unserved": "...", "fruitless": 2}: what the keeper of the next
   load has to know of ours. It is worth a wait, no more. */
static void load_file(acme_reload_t *reload, apr_time_t now)
{
    const char *unserved;
    apr_int64_t fruitless;
    acme_result_t res;
    apr_pool_t *p;
    json_t *json;

    apr_pool_create(&p, reload->p);
    if (!acme_json_file_load(&json, acme_registry_store(reload->registry),
                             file_path(reload, p), FILE_MAX, &res, p)) {
        reload->last_at =
            acme_time_parse(acme_json_string(json, "at", TIME_MAX, p));
        fruitless = acme_json_int(json, "fruitless");
        reload->fruitless = fruitless < 0 || fruitless > FRUITLESS_MAX
                                ? 0 : (int)fruitless;
        unserved = acme_json_string(json, "unserved", 2 * DIGEST_OCTETS, p);
        reload->unserved = apr_pstrdup(reload->p, unserved ? unserved : "");
    }
    if (reload->last_at > now) {
        reload->last_at = 0;    /* the clock was wrong */
    }
    apr_pool_destroy(p);
}

static void save_file(acme_reload_t *reload, apr_time_t now)
{
    acme_result_t res;
    apr_pool_t *p;

    apr_pool_create(&p, reload->p);
    if (acme_json_file_write(
            acme_file_update, file_path(reload, p),
            json_pack("{s:s, s:s, s:i}", "at", acme_time_rfc3339(now, p),
                      "unserved", reload->unserved,
                      "fruitless", reload->fruitless), 0600, &res, p)) {
        acme_log(log_of(reload), ACME_LOG_WARNING, "reload", "%s",
                 res.detail);
    }
    apr_pool_destroy(p);
}

acme_reload_t *acme_reload_create(const acme_server_t *server,
                                  acme_registry_t *registry,
                                  acme_held_cb *held, void *baton,
                                  apr_pool_t *p)
{
    acme_reload_t *reload = apr_pcalloc(p, sizeof(*reload));

    reload->server = server;
    reload->registry = registry;
    reload->held = held;
    reload->baton = baton;
    reload->p = p;
    reload->postponed_wait = POSTPONED_MIN;
    reload->unserved = "";
    apr_pool_create(&reload->job_pool, p);
    load_file(reload, apr_time_now());
    return reload;
}

void acme_reload_use_live(acme_reload_t *reload, acme_activate_t *activate)
{
    reload->activate = activate;
}

static apr_time_t earlier(apr_time_t a, apr_time_t b)
{
    return a && a < b ? a : b;
}

static void schedule(acme_reload_t *reload, const acme_state_t *state,
                     apr_time_t served_until, apr_time_t now)
{
    const acme_conf_t *conf = acme_registry_conf(reload->registry);
    apr_interval_time_t patience = IN_FLIGHT_MAX;
    apr_time_t due, last;

    if (conf->activate == ACME_ACTIVATE_NONE) {
        acme_log(log_of(reload), ACME_LOG_NOTICE, "reload",
                 "%s goes live when you reload httpd (AcmeActivate none)",
                 acme_conf_cert(conf, state->cert)->id);
        return;
    }
    if (served_until > now) {
        patience = (served_until - now) / LEFT_PART;
    }
    if (patience > IN_FLIGHT_MAX) {
        patience = IN_FLIGHT_MAX;
    }
    last = now + patience;
    due = now + conf->reload_delay < last ? now + conf->reload_delay : last;

    reload->is_placeholder_served |= !served_until;
    if (served_until) {
        reload->warn_at = earlier(reload->warn_at,
                                  acme_state_warn_at(state, served_until));
    }
    if (reload->phase == IDLE) {
        reload->phase = COLLECTING;
        reload->due = due;
        reload->due_last = last;
    }
    else if (reload->phase == COLLECTING) {
        reload->due = earlier(reload->due, due);
        reload->due_last = earlier(reload->due_last, last);
    }
}

static int is_unserved(const acme_state_t *state)
{
    return state->live && state->live != state->served;
}

static int is_given_to_workers(acme_reload_t *reload,
                               const acme_state_t *state, apr_time_t now)
{
    return reload->activate && is_unserved(state)
        && acme_activate_cert(reload->activate, state->cert, now);
}

void acme_reload_schedule(acme_reload_t *reload, const acme_state_t *state,
                          apr_time_t served_until, apr_time_t now)
{
    if (is_given_to_workers(reload, state, now)) {
        return;
    }
    if (reload->activate && state->activated && !is_unserved(state)) {
        acme_activate_failed(reload->activate, state->cert, now);
    }
    reload->is_resumed = 0;
    schedule(reload, state, served_until, now);
}

/* Schedule all that are not served, and that workers cannot be given. Returns a digest of them, "": none. */
static const char *schedule_unserved(acme_reload_t *reload, apr_time_t now)
{
    const acme_conf_t *conf = acme_registry_conf(reload->registry);
    const char *text = "";
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_state_t *state =
            acme_registry_state(reload->registry, (apr_uint32_t)i);

        if (is_unserved(state) && !is_given_to_workers(reload, state, now)) {
            schedule(reload, state, state->served ? state->not_after : 0, now);
            text = apr_psprintf(reload->job_pool, "%s %s %d", text,
                                acme_conf_cert(conf, (apr_uint32_t)i)->id,
                                state->live);
            text = acme_digest_hex(text, strlen(text), DIGEST_OCTETS,
                                   reload->job_pool);
        }
    }
    return text;
}

void acme_reload_resume(acme_reload_t *reload, apr_time_t now)
{
    const char *unserved = schedule_unserved(reload, now);
    apr_interval_time_t wait =
        acme_registry_conf(reload->registry)->reload_delay;

    reload->is_resumed = 1;
    if (strcmp(unserved, reload->unserved)) {
        reload->unserved = apr_pstrdup(reload->p, unserved);
        reload->fruitless = 0;
    }
    if (reload->fruitless && reload->phase == COLLECTING) {
        wait <<= reload->fruitless;
        reload->due = reload->due_last =
            now + (wait < FRUITLESS_WAIT_MAX ? wait : FRUITLESS_WAIT_MAX);
    }
}

/* To the hooks of the certificates that wait for the reload. */
static void send_stuck_events(acme_reload_t *reload, const char *reason)
{
    acme_registry_t *registry = reload->registry;
    apr_pool_t *p;
    int i;

    apr_pool_create(&p, reload->p);
    for (i = 0; i < acme_registry_conf(registry)->certs->nelts; i++) {
        const acme_state_t *state =
            acme_registry_state(registry, (apr_uint32_t)i);

        if (is_unserved(state)
            || (state->live && state->check == ACME_CHECK_OTHER)) {
            acme_registry_send_event(registry, (apr_uint32_t)i,
                                     ACME_EVENT_STUCK, reason, p);
        }
    }
    apr_pool_destroy(p);
}

int acme_reload_is_held(const acme_reload_t *reload)
{
    return reload->reason[0] != 0;
}

static void postpone(acme_reload_t *reload, apr_time_t now, const char *reason)
{
    if (strcmp(reload->reason, reason) != 0) {
        apr_cpystrn(reload->reason, reason, sizeof(reload->reason));
        if (reload->reasons++ < REASONS_MAX) {
            reload->postponed_wait = POSTPONED_MIN;     /* somebody edits */
        }
        acme_counters_reload(ACME_RELOAD_POSTPONED);
        acme_log(log_of(reload), ACME_LOG_ERROR, "reload",
                 "postponed: %s; the new certificates wait on disk", reason);
        reload->held(reload->baton, reload->reason);
        send_stuck_events(reload, reason);
    }
    reload->phase = POSTPONED;
    reload->due = now + reload->postponed_wait;
    reload->postponed_wait = reload->postponed_wait * 2 < POSTPONED_MAX
                                 ? reload->postponed_wait * 2
                                 : POSTPONED_MAX;
}

static void signal_httpd(acme_reload_t *reload, apr_time_t now)
{
    const acme_server_t *server = reload->server;
    acme_result_t res;

    if (!server->reload_signal) {
        postpone(
            reload, now,
            "httpd runs as one process (-X), which cannot reload: restart httpd");
        return;
    }
    if (acme_launcher_reload(&res)) {
        postpone(reload, now, apr_pstrdup(reload->job_pool, res.detail));
        return;
    }
    acme_counters_reload(ACME_RELOAD_SIGNALLED);
    if (reload->is_resumed && reload->fruitless < FRUITLESS_MAX) {
        reload->fruitless++;
    }
    reload->last_at = now;
    save_file(reload, now);
    acme_log(log_of(reload), ACME_LOG_NOTICE, "reload",
             "httpd (pid %d) reloads gracefully", (int)server->pid);
    reload->phase = SIGNALLED;
    reload->due = now + SIGNALLED_TIMEOUT;
}

static const char *changed_file(const acme_reload_t *reload,
                                const apr_array_header_t *files,
                                apr_time_t now, apr_pool_t *p)
{
    const char *path;

    if (reload->warn_at && now >= reload->warn_at) {
        return NULL; /* a tested edit is better than an expiry */
    }
    path = acme_conf_snapshot_changed(reload->server->baseline, files, p);
    return path ? apr_psprintf(
               p,
               "%s has changed since httpd read it; when the edit is finished, reload httpd, or restore the file",
               path)
                : NULL;
}

/* Run httpd beside the keeper, in this phase; NULL, or why it cannot run. */
static const char *run_httpd(acme_reload_t *reload, reload_phase_e phase,
                             const char *const *argv, apr_time_t now)
{
    acme_result_t res;

    reload->phase = phase;
    reload->long_at =
        reload->server->test_limit > TEST_LONG ? now + TEST_LONG : 0;
    if (acme_process_start(&reload->job, argv, reload->server->cwd,
                           now + reload->server->test_limit, &res,
                           reload->job_pool)) {
        return apr_pstrdup(reload->job_pool, res.detail);
    }
    return NULL;
}

static void begin_test(acme_reload_t *reload, apr_time_t now)
{
    apr_pool_t *p = reload->job_pool;
    const char *reason;

    apr_pool_clear(p);
    reload->job = NULL;
    if (!acme_registry_conf(reload->registry)->reload_guard) {
        signal_httpd(reload, now);
        return;
    }
    reason = changed_file(reload, NULL, now, p);
    if (!reason) {
        reason = run_httpd(reload, TESTING, reload->server->test, now);
    }
    if (reason) {
        postpone(reload, now, reason);
    }
}

/* The files that httpd lists as read: lines of "    (146) /path/name". */
static apr_array_header_t *files_read(const char *output, apr_pool_t *p)
{
    apr_array_header_t *files = apr_array_make(p, 64, sizeof(const char *));
    char *text = apr_pstrdup(p, output);
    char *line, *last;

    for (line = apr_strtok(text, "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        char *path = strstr(line, ") /");

        if (path && line[0] == ' ' && line[strspn(line, " ")] == '(') {
            APR_ARRAY_PUSH(files, const char *) = path + 2;
        }
    }
    return files;
}

/* A log line without its "[time] [module:level] [pid ...]". */
static const char *behind_brackets(const char *line)
{
    while (line[0] == '[') {
        const char *end = strstr(line, "] ");

        if (!end) {
            break;
        }
        line = end + 2;
    }
    return line;
}

/*
 * The error in the output of httpd -t: the line that names the file, and the
 * next one, which has the reason; else the last line.
 */
static const char *complaint(const char *output, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, output);
    const char *found = "no reason given";
    char *line, *last;

    for (line = apr_strtok(text, "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        found = behind_brackets(line);
        if (!strncmp(found, ACME_SERVER_TRIAL_MARK,
                     sizeof(ACME_SERVER_TRIAL_MARK) - 1)) {
            found += sizeof(ACME_SERVER_TRIAL_MARK) - 1;
            break;
        }
        if (strstr(line, "yntax error")) {
            line = apr_strtok(NULL, "\n", &last);
            found = apr_pstrcat(p, found, line ? " " : "",
                                line ? behind_brackets(line) : "", NULL);
            break;
        }
    }
    return acme_text_clean(found, REASON_SIZE / 2, p);
}

/* Why the result of the job forbids a reload; NULL: it does not. */
static const char *find_objection(acme_reload_t *reload, apr_time_t now)
{
    apr_pool_t *p = reload->job_pool;
    const char *output = acme_process_output(reload->job);
    const int status = acme_process_exit(reload->job);
    apr_array_header_t *files;

    if (acme_process_late(reload->job)) {
        return apr_psprintf(
            p,
            "httpd -t did not finish within %d seconds; run it to see what it waits for",
            (int)apr_time_sec(reload->server->test_limit));
    }
    if (status < 0) {
        return "httpd -t did not finish";
    }
    if (status > 0) {
        return apr_psprintf(p, "httpd -t refuses the configuration: %s",
                            complaint(output, p));
    }
    if (reload->phase == TESTING) {
        return run_httpd(reload, LISTING, reload->server->list, now);
    }
    files = files_read(output, p);
    return changed_file(reload, files->nelts ? files : NULL, now, p);
}

static void end_job(acme_reload_t *reload, apr_time_t now)
{
    const reload_phase_e before = reload->phase;
    const char *reason = find_objection(reload, now);

    if (reason) {
        postpone(reload, now, reason);
    }
    else if (before == LISTING) {
        signal_httpd(reload, now);
    }
}

/* Is an order to begin now? */
static int is_any_due(const acme_reload_t *reload, apr_time_t now)
{
    const acme_conf_t *conf = acme_registry_conf(reload->registry);
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        if (acme_next_step_is_due(
                acme_registry_state(reload->registry, (apr_uint32_t)i), now)) {
            return 1;
        }
    }
    return 0;
}

/*
 * Wait for orders that go live together, and for DNS records to be removed;
 * between two orders of a batch as well, but not for one that does not begin.
 * Visitors who get the placeholder wait for nothing else, unless httpd was just
 * reloaded.
 */
static apr_time_t collect_until(acme_reload_t *reload, int busy,
                                apr_time_t now)
{
    const apr_interval_time_t delay =
        acme_registry_conf(reload->registry)->reload_delay;

    if (busy) {
        reload->busy_at = now;
    }
    if (now < reload->due) {
        if (!reload->is_placeholder_served
            || (reload->is_resumed && reload->fruitless)
            || now < reload->last_at + delay) {
            return reload->due;
        }
        return busy || is_any_due(reload, now)
                   ? earlier(now + IN_FLIGHT_STEP, reload->due) : 0;
    }
    busy |= now < reload->busy_at + LULL && is_any_due(reload, now);
    return busy && now < reload->due_last
               ? earlier(now + IN_FLIGHT_STEP, reload->due_last) : 0;
}

static int is_running(const acme_reload_t *reload)
{
    return reload->phase == TESTING || reload->phase == LISTING;
}

/* Once: until it ends nothing else says why a certificate is not served. */
static void tell_long_test(acme_reload_t *reload, apr_time_t now)
{
    if (!reload->long_at || now < reload->long_at) {
        return;
    }
    reload->long_at = 0;
    acme_log(
        log_of(reload), ACME_LOG_NOTICE, "reload",
        "httpd -t still runs after %d seconds, and is ended after %d; the new certificates wait for it on disk",
        (int)apr_time_sec(TEST_LONG),
        (int)apr_time_sec(reload->server->test_limit));
}

apr_time_t acme_reload_step(acme_reload_t *reload, int busy, apr_time_t now)
{
    apr_time_t until;

    switch (reload->phase) {
    case IDLE:
        return 0;
    case COLLECTING:
        until = collect_until(reload, busy, now);
        if (until) {
            return until;
        }
        begin_test(reload, now);
        break;
    case POSTPONED:
        if (now >= reload->due) {
            begin_test(reload, now);
        }
        break;
    case TESTING:
    case LISTING:
        if (acme_process_step(reload->job, now)) {
            end_job(reload, now);
        }
        else {
            tell_long_test(reload, now);
        }
        break;
    case SIGNALLED:
        if (now >= reload->due) {
            acme_counters_reload(ACME_RELOAD_IGNORED);
            postpone(reload, now, "httpd got the signal and did not reload");
        }
        break;
    }
    return is_running(reload)
        ? earlier(reload->long_at, acme_process_wake(reload->job))
        : reload->due;
}

int acme_reload_fd(const acme_reload_t *reload)
{
    return is_running(reload) ? acme_process_fd(reload->job) : -1;
}
