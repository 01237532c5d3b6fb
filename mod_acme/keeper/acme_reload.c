/*
 * acme_reload.c - one graceful reload for all certificates that finished.
 *
 * IDLE -> COLLECTING -> TESTING -> LISTING -> ASKED, and from each of the last
 * three back to HELD, which tries again. The keeper ends with the reload, so
 * ASKED is left only when the parent did not do what it was asked.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_job.h"
#include "acme_pair.h"
#include "acme_reload.h"

/* So long others that are under way are waited for. */
#define IN_FLIGHT_MAX apr_time_from_sec(60)

/* Of what the served certificate has left, waiting may take this part. */
#define LEFT_PART 4

#define TEST_TIMEOUT apr_time_from_sec(60)
#define ASKED_TIMEOUT apr_time_from_sec(30)

/* Held back: looked at again after this, doubled each time. */
#define HELD_MIN apr_time_from_sec(2)
#define HELD_MAX apr_time_from_sec(60)

#define REASON_SIZE ACME_DETAIL_SIZE

typedef enum { IDLE, COLLECTING, TESTING, LISTING, ASKED, HELD } phase_e;

struct acme_reload_t {
    const acme_server_t *server;
    acme_registry_t *registry;
    acme_held_cb *held;
    void *baton;

    phase_e phase;
    apr_time_t due;             /* COLLECTING, HELD: go on then */
    apr_time_t due_last;        /* COLLECTING: at the latest */
    apr_time_t warn_at;         /* from here on an edit does not hold us; 0:
                                   nothing served is about to expire */
    apr_interval_time_t held_wait;
    char reason[REASON_SIZE];

    acme_job_t *job;            /* TESTING, LISTING: what runs */
    apr_pool_t *job_pool;
    apr_pool_t *p;
};

static const acme_log_t *log_of(const acme_reload_t *reload)
{
    return acme_registry_log(reload->registry);
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
    reload->held_wait = HELD_MIN;
    apr_pool_create(&reload->job_pool, p);
    return reload;
}

static apr_time_t earlier(apr_time_t a, apr_time_t b)
{
    return a && a < b ? a : b;
}

void acme_reload_want(acme_reload_t *reload, const acme_state_t *state,
                      apr_time_t served_until, apr_time_t now)
{
    const acme_conf_t *conf = acme_registry_conf(reload->registry);
    apr_interval_time_t patience = IN_FLIGHT_MAX;
    apr_time_t due, last;

    if (conf->activate == ACME_ACTIVATE_NONE) {
        acme_log(log_of(reload), ACME_LOG_NOTICE, "reload", "%s goes live "
                 "when you reload the server (AcmeActivate none)",
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

/* Their administrators may not look at the log. */
static void tell_those_who_wait(acme_reload_t *reload, const char *reason)
{
    acme_registry_t *registry = reload->registry;
    apr_pool_t *p;
    int i;

    apr_pool_create(&p, reload->p);
    for (i = 0; i < acme_registry_conf(registry)->certs->nelts; i++) {
        const acme_state_t *state =
            acme_registry_state(registry, (apr_uint32_t)i);

        if (state->live && state->live != state->served) {
            acme_registry_send_event(registry, (apr_uint32_t)i,
                                     ACME_EVENT_STUCK, reason, p);
        }
    }
    apr_pool_destroy(p);
}

static void hold(acme_reload_t *reload, apr_time_t now, const char *reason)
{
    if (strcmp(reload->reason, reason) != 0) {
        apr_cpystrn(reload->reason, reason, sizeof(reload->reason));
        acme_log(log_of(reload), ACME_LOG_ERROR, "reload", "held back: %s; "
                 "the new certificates wait on disk", reason);
        reload->held(reload->baton, reload->reason);
        tell_those_who_wait(reload, reason);
    }
    reload->phase = HELD;
    reload->due = now + reload->held_wait;
    reload->held_wait = reload->held_wait * 2 < HELD_MAX
        ? reload->held_wait * 2 : HELD_MAX;
}

static void ask(acme_reload_t *reload, apr_time_t now)
{
    const acme_server_t *server = reload->server;

    if (!server->reload_signal) {
        hold(reload, now, "httpd runs in a debugger's one process (-X) and "
             "can't be asked: restart it");
        return;
    }
    if (kill(server->pid, server->reload_signal)) {
        hold(reload, now, apr_psprintf(reload->job_pool, "the server "
             "(pid %d) can't be signalled: %s", (int)server->pid,
             strerror(errno)));
        return;
    }
    acme_log(log_of(reload), ACME_LOG_NOTICE, "reload", "asked for, "
             "gracefully, pid %d", (int)server->pid);
    reload->phase = ASKED;
    reload->due = now + ASKED_TIMEOUT;
}

/* Every pair that httpd would load, on trial; NULL when all are good. */
static const char *bad_pair(const acme_reload_t *reload, apr_pool_t *p)
{
    const acme_registry_t *registry = reload->registry;
    acme_result_t res;
    int i;

    for (i = 0; i < acme_registry_conf(registry)->certs->nelts; i++) {
        const acme_cert_conf_t *cert =
            acme_conf_cert(acme_registry_conf(registry), (apr_uint32_t)i);
        const int live = acme_registry_state(registry, (apr_uint32_t)i)->live;
        const char *folder = apr_psprintf(
            p, "%s/%d", acme_store_path(acme_registry_store(registry),
                                        "archive", cert->id, p), live);

        if (live
            && acme_pair_check(apr_pstrcat(p, folder, "/fullchain.pem", NULL),
                               apr_pstrcat(p, folder, "/privkey.pem", NULL),
                               cert->ciphers, &res)) {
            return apr_pstrdup(p, res.detail);
        }
    }
    for (i = 0; i < reload->server->pairs->nelts; i++) {
        const acme_server_pair_t *pair =
            &APR_ARRAY_IDX(reload->server->pairs, i, acme_server_pair_t);

        if (acme_pair_check(pair->cert, pair->key, pair->ciphers, &res)) {
            return apr_psprintf(p, "%s (%s)", res.detail, pair->place);
        }
    }
    return NULL;
}

static const char *changed_file(const acme_reload_t *reload,
                                const apr_array_header_t *files,
                                apr_time_t now, apr_pool_t *p)
{
    const char *path;

    if (reload->warn_at && now >= reload->warn_at) {
        return NULL;            /* better a tested edit than an expiry */
    }
    path = acme_conf_snapshot_changed(reload->server->baseline, files, p);
    return path ? apr_psprintf(p, "%s has changed since httpd read it; when "
                               "the edit is finished, reload the server, or "
                               "put the file back", path)
                : NULL;
}

/* Run httpd beside us; its end leads on from phase. */
static const char *run_httpd(acme_reload_t *reload, phase_e phase,
                             const char *const *argv, apr_time_t now)
{
    acme_result_t res;

    reload->phase = phase;
    if (acme_job_start(&reload->job, argv, reload->server->cwd,
                       now + TEST_TIMEOUT, &res, reload->job_pool)) {
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
        ask(reload, now);
        return;
    }
    reason = changed_file(reload, NULL, now, p);
    if (!reason) {
        reason = bad_pair(reload, p);
    }
    if (!reason) {
        reason = run_httpd(reload, TESTING, reload->server->test, now);
    }
    if (reason) {
        hold(reload, now, reason);
    }
}

/* The files that httpd says it read: lines of "    (146) /path/name". */
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

/* Behind the "[time] [module:level] [pid ...]" of a log line. */
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
 * What httpd complains of: the line that names the file, and the next one,
 * which says why; else the last line.
 */
static const char *complaint(const char *output, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, output);
    const char *found = "no word why";
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

/* Why what has just run forbids a reload; NULL: it does not. */
static const char *verdict(acme_reload_t *reload, apr_time_t now)
{
    apr_pool_t *p = reload->job_pool;
    const char *output = acme_job_output(reload->job);
    const int status = acme_job_exit(reload->job);
    apr_array_header_t *files;

    if (status < 0) {
        return "the configuration test of httpd did not end";
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
    const phase_e before = reload->phase;
    const char *reason = verdict(reload, now);

    if (reason) {
        hold(reload, now, reason);
    }
    else if (before == LISTING) {
        ask(reload, now);
    }
}

/* Orders may finish in time to go live together; DNS records be removed. */
static apr_time_t collect_until(const acme_reload_t *reload, int busy,
                                apr_time_t now)
{
    if (now < reload->due) {
        return reload->due;
    }
    if (busy && now < reload->due_last) {
        return earlier(now + apr_time_from_msec(100), reload->due_last);
    }
    return 0;
}

static int is_running(const acme_reload_t *reload)
{
    return reload->phase == TESTING || reload->phase == LISTING;
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
    case HELD:
        if (now >= reload->due) {
            begin_test(reload, now);
        }
        break;
    case TESTING:
    case LISTING:
        if (acme_job_step(reload->job, now)) {
            end_job(reload, now);
        }
        break;
    case ASKED:
        if (now >= reload->due) {
            hold(reload, now, "the server was asked and did not reload");
        }
        break;
    }
    return is_running(reload) ? acme_job_wake(reload->job, now)
                              : reload->due;
}

int acme_reload_fd(const acme_reload_t *reload)
{
    return is_running(reload) ? acme_job_fd(reload->job) : -1;
}
