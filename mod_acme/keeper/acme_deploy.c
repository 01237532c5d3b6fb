/*
 * acme_deploy.c - AcmeHook deploy.
 *
 * What is to be done follows from two facts on disk: the certificate that is
 * live, and the one that the commands were run for last. So a crash between
 * the installation and the command loses nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_deploy.h"
#include "acme_deploy_file.h"

/* Commands at once. */
#define COMMANDS_MAX 8

/* For next keys, which take a minute where the machine is slow. */
#define KEYS_WAIT apr_time_from_sec(2 * 60)

/* A command may outlive its keeper by what its timeout has left, and this. */
#define AFTER_TIMEOUT apr_time_from_sec(10)

/* A command that has httpd reloaded ends its keeper, which never hears how the
   command ended. As often as that it is run again; then it counts as done. */
#define INTERRUPTED_MAX 2

/* Files that are read and written in a turn of the loop, at the start. */
#define READ_MAX 16

#define CERTIFICATE_SIZE (ACME_SERIAL_SIZE + 16)

/* A certificate with commands of deploy. */
typedef struct {
    acme_deploy_t *deploy;
    apr_uint32_t cert;
    char first[CERTIFICATE_SIZE];       /* that was live when we began */
    acme_deploy_file_t *file;   /* in own; NULL: not read yet */
    apr_pool_t *own;
    int running;                /* index of the command; -1: none is */
    int unread;                 /* the certificate changed while it runs: its
                                   result is another one's */
} place_t;

struct acme_deploy_t {
    acme_registry_t *registry;
    acme_hook_runner_t *hooks;
    const acme_export_queue_t *exports; /* NULL: no copies */
    apr_uint64_t copied;        /* changes of them, that were looked at */
    place_t *places;            /* by certificate; deploy NULL: no commands */
    int count;                  /* of certificates */
    int next_read;              /* the place to be read next */
    int running;
    apr_uint64_t change;        /* of the registry, that was looked at */
    apr_time_t created;
    apr_time_t wake;            /* when a command is due; 0: none is */
    int is_due;                 /* all places are to be looked at */
    apr_pool_t *p;
};

static const acme_cert_conf_t *conf_of(const place_t *place)
{
    return acme_conf_cert(acme_registry_conf(place->deploy->registry),
                          place->cert);
}

static const acme_state_t *state_of(const place_t *place)
{
    return acme_registry_state(place->deploy->registry, place->cert);
}

/* "3 04AB": the archive, and the serial in it; "": none is live. */
static void describe(char text[CERTIFICATE_SIZE], const acme_state_t *state)
{
    text[0] = '\0';
    if (state->live) {
        apr_snprintf(text, CERTIFICATE_SIZE, "%d %s", state->live,
                     state->serial);
    }
}

int acme_deploy_is_done_since(const acme_registry_t *registry,
                              apr_uint32_t cert, apr_time_t then,
                              apr_pool_t *p)
{
    const acme_cert_conf_t *conf =
        acme_conf_cert(acme_registry_conf(registry), cert);
    acme_deploy_file_t *file;
    acme_result_t ignored;

    if (!acme_conf_hook(conf, ACME_HOOK_DEPLOY, 0)) {
        return 1;
    }
    return !acme_deploy_file_load(&file, acme_registry_store(registry),
                                  conf->id, &ignored, p)
        && file->is_complete && file->begun
        && apr_time_sec(file->begun) >= apr_time_sec(then);
}

acme_deploy_t *acme_deploy_create(acme_registry_t *registry,
                                  acme_hook_runner_t *hooks,
                                  const acme_export_queue_t *exports,
                                  apr_pool_t *p)
{
    const acme_conf_t *conf = acme_registry_conf(registry);
    acme_deploy_t *deploy = apr_pcalloc(p, sizeof(*deploy));
    int i;

    deploy->registry = registry;
    deploy->hooks = hooks;
    deploy->exports = exports;
    deploy->created = apr_time_now();
    deploy->p = p;
    deploy->count = conf->certs->nelts;
    deploy->places = apr_pcalloc(p, ((apr_size_t)deploy->count + 1)
                                        * sizeof(*deploy->places));
    for (i = 0; i < deploy->count; i++) {
        place_t *place = &deploy->places[i];

        place->cert = (apr_uint32_t)i;
        place->running = -1;
        place->deploy = deploy;
        describe(place->first, state_of(place));
        if (acme_conf_hook(conf_of(place), ACME_HOOK_DEPLOY, 0)) {
            apr_pool_create(&place->own, p);
        }
    }
    return deploy;
}

static void log_failure(const place_t *place, const acme_result_t *res)
{
    acme_log(acme_registry_log(place->deploy->registry), ACME_LOG_ERROR,
             conf_of(place)->id, "%s", res->detail);
}

static void save(const place_t *place, apr_pool_t *p)
{
    acme_result_t res;

    if (acme_deploy_file_save(acme_registry_store(place->deploy->registry),
                              conf_of(place)->id, place->file, &res, p)) {
        log_failure(place, &res);
    }
}

/* A command of the certificate that fails, for the state; NULL: none. */
static const acme_deploy_command_t *first_failing(const place_t *place,
                                                  apr_uint32_t *pcount)
{
    const apr_array_header_t *commands = place->file->commands;
    const acme_deploy_command_t *first = NULL;
    int i;

    *pcount = 0;
    for (i = 0; !place->file->is_complete && i < commands->nelts; i++) {
        const acme_deploy_command_t *command =
            &APR_ARRAY_IDX(commands, i, acme_deploy_command_t);

        if (command->failures && !command->done) {
            ++*pcount;
            if (!first || command->next_at < first->next_at) {
                first = command;
            }
        }
    }
    return first;
}

static void publish(const place_t *place)
{
    acme_hooks_failing_t failing;
    const acme_deploy_command_t *first;

    memset(&failing, 0, sizeof(failing));
    first = first_failing(place, &failing.waiting);
    if (first) {
        failing.failures = first->failures;
        failing.next_at = first->next_at;
        apr_cpystrn(failing.failure, first->failure, sizeof(failing.failure));
    }
    acme_registry_deploy_failing(place->deploy->registry, place->cert,
                                 &failing);
}

/* From now on it is about this certificate. */
static void begin_certificate(place_t *place, const char *certificate)
{
    place->unread = place->running >= 0;
    apr_pool_clear(place->own);
    place->file = acme_deploy_file_make(place->own);
    place->file->certificate = apr_pstrdup(place->own, certificate);
}

/* A run whose end nobody knows may go on until then. */
static void settle_interrupted(const place_t *place, apr_time_t now)
{
    const apr_interval_time_t lasts =
        conf_of(place)->hook_timeout + AFTER_TIMEOUT;
    int i;

    for (i = 0; i < place->file->commands->nelts; i++) {
        acme_deploy_command_t *command =
            &APR_ARRAY_IDX(place->file->commands, i, acme_deploy_command_t);

        if (!command->started) {
            continue;
        }
        command->next_at =
            command->started > now ? now + lasts : command->started + lasts;
        command->started = 0;
        if (++command->interrupted == INTERRUPTED_MAX) {
            command->done = 1;
            acme_log(
                acme_registry_log(place->deploy->registry), ACME_LOG_WARNING,
                conf_of(place)->id,
                "deploy: httpd was reloaded twice while a command of AcmeHook deploy ran, so it counts as done; a command of deploy need not reload httpd");
        }
    }
}

static void read_file(place_t *place, apr_time_t now, apr_pool_t *p)
{
    acme_store_t *store = acme_registry_store(place->deploy->registry);
    const char *id = conf_of(place)->id;
    acme_result_t res;
    apr_status_t rv;

    if (!place->own) {          /* a command that comes later is a first one */
        if (acme_deploy_file_remove(store, id, &res, p)) {
            log_failure(place, &res);
        }
        return;
    }
    rv = acme_deploy_file_load(&place->file, store, id, &res, place->own);
    if (rv == APR_SUCCESS) {
        settle_interrupted(place, now);
        publish(place);
        return;
    }
    if (!APR_STATUS_IS_ENOENT(rv)) {
        log_failure(place, &res);
    }
    begin_certificate(place, place->first);
    place->file->is_complete = 1;
    save(place, p);
}

/* The row of a command, made if there is none. */
static int find_command(const place_t *place, const char *digest)
{
    apr_array_header_t *commands = place->file->commands;
    acme_deploy_command_t *command;
    int i;

    for (i = 0; i < commands->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(commands, i, acme_deploy_command_t).digest,
                    digest)) {
            return i;
        }
    }
    command = apr_array_push(commands);
    memset(command, 0, sizeof(*command));
    command->digest = apr_pstrdup(place->own, digest);
    command->failure = "";
    return i;
}

static void note_failure(place_t *place, acme_deploy_command_t *command,
                         const acme_result_t *res, apr_pool_t *p)
{
    acme_deploy_t *deploy = place->deploy;

    command->failures++;
    command->next_at =
        apr_time_now() + acme_hook_run_pause(command->failures);
    command->failure = apr_pstrdup(
        place->own, acme_text_clean(res->detail, ACME_DETAIL_SIZE - 1, p));
    acme_log(acme_registry_log(deploy->registry), ACME_LOG_ERROR,
             conf_of(place)->id,
             "deploy: failed: attempt %u: %s; next attempt at %s",
             command->failures, res->detail,
             acme_time_text(command->next_at, p));
    if (!place->file->is_told) {
        place->file->is_told = 1;
        acme_registry_send_event(deploy->registry, place->cert,
                                 ACME_EVENT_DEPLOY_FAILED, command->failure,
                                 p);
    }
}

static void command_ended(void *baton, apr_status_t status,
                          const acme_result_t *res, const char *output)
{
    place_t *place = baton;
    acme_deploy_t *deploy = place->deploy;
    acme_deploy_command_t *command;
    const int index = place->running;
    apr_pool_t *p;

    (void)output;
    deploy->running--;
    deploy->is_due = 1;
    place->running = -1;
    if (place->unread) {        /* of a certificate that was replaced */
        place->unread = 0;
        return;
    }
    apr_pool_create(&p, deploy->p);
    command = &APR_ARRAY_IDX(place->file->commands, index,
                             acme_deploy_command_t);
    command->started = 0;
    command->interrupted = 0;
    if (status == APR_SUCCESS) {
        command->done = 1;
        command->failures = 0;
    }
    else {
        note_failure(place, command, res, p);
    }
    save(place, p);
    publish(place);
    apr_pool_destroy(p);
}

/* Until when its copies are waited for; 0: they are there. */
static apr_time_t copies_wait(const place_t *place)
{
    const acme_export_queue_t *exports = place->deploy->exports;

    return exports ? acme_export_queue_wait(exports, place->cert) : 0;
}

static void start_command(place_t *place, const acme_hook_conf_t *command,
                          int index, apr_time_t now, apr_pool_t *p)
{
    acme_deploy_t *deploy = place->deploy;
    const acme_store_t *store = acme_registry_store(deploy->registry);
    const acme_cert_conf_t *cert = conf_of(place);
    const acme_hook_event_t event = {
        .event = "deploy",
        .id = cert->id,
        .names = cert->names,
        .live = acme_store_path(store, "live", cert->id, p),
        .cert = acme_store_live(store, cert->id, "cert.pem", p),
        .chain = acme_store_live(store, cert->id, "chain.pem", p),
        .fullchain = acme_store_live(store, cert->id, "fullchain.pem", p),
        .privkey = acme_store_live(store, cert->id, "privkey.pem", p),
        .not_after = state_of(place)->not_after
    };
    const acme_hook_t hook = { .event = &event,
                               .command = command->command,
                               .timeout = cert->hook_timeout,
                               .outlives = 1,
                               .done = command_ended,
                               .baton = place };

    APR_ARRAY_IDX(place->file->commands, index, acme_deploy_command_t).started =
        now;
    if (!place->file->begun) {
        place->file->begun = now;
    }
    place->file->is_early |= copies_wait(place) != 0;
    save(place, p);
    place->running = index;
    deploy->running++;
    acme_hook_run_start(deploy->hooks, &hook);
}

/* Has httpd loaded what is live, or will it not be asked to? Copies are those
   of what it has loaded. */
static int is_active(const place_t *place)
{
    const acme_state_t *state = state_of(place);
    const apr_array_header_t *exports = conf_of(place)->exports;

    return state->live
           && (state->served == state->live
               || (acme_registry_conf(place->deploy->registry)->activate
                       == ACME_ACTIVATE_NONE
                   && !(exports && exports->nelts)));
}

/* A command may publish what the next keys are; RSA ones come some seconds
   later, and a keeper that begins anew does not know its own yet. Until when it
   waits for them at most; 0: it need not. */
static apr_time_t keys_wait(const place_t *place, apr_time_t now)
{
    const acme_state_t *state = state_of(place);
    apr_time_t since = place->deploy->created;

    if (conf_of(place)->key_reuse != ACME_KEY_REUSE_NEXT
        || state->next_key_made) {
        return 0;
    }
    if (since > now || (state->installed > since && state->installed <= now)) {
        since = state->installed;
    }
    return since <= now ? since + KEYS_WAIT : 0;
}

/* The next command of the certificate. Returns when there is one, 0: never. */
static apr_time_t step_place(place_t *place, apr_time_t now, apr_pool_t *p)
{
    const apr_time_t until = copies_wait(place);
    char live[CERTIFICATE_SIZE];
    const acme_hook_conf_t *hook;
    apr_time_t wake = 0;
    int i;

    describe(live, state_of(place));
    if (*live && (strcmp(live, place->file->certificate) != 0
                  || (place->file->is_early && !until
                      && place->running < 0))) {
        begin_certificate(place, live);
        save(place, p);
        publish(place);
    }
    if (place->file->is_complete || place->running >= 0
        || !is_active(place)) {
        return 0;
    }
    if (until > now) {
        return until;
    }
    wake = keys_wait(place, now);
    if (wake > now) {
        return wake;
    }
    wake = 0;
    for (i = 0;
         (hook = acme_conf_hook(conf_of(place), ACME_HOOK_DEPLOY, i)) != NULL;
         i++) {
        const int index =
            find_command(place, acme_conf_hook_digest(hook, p));
        acme_deploy_command_t *command = &APR_ARRAY_IDX(
            place->file->commands, index, acme_deploy_command_t);

        if (command->done) {
            continue;
        }
        if (command->next_at > now + ACME_HOOK_PAUSE_MAX) {
            command->next_at = now + ACME_HOOK_PAUSE_MAX;   /* the clock was
                                                               set back */
        }
        if (command->next_at <= now) {
            if (place->deploy->running < COMMANDS_MAX) {
                start_command(place, hook, index, now, p);
            }
            return 0;           /* the end of a command is waited for */
        }
        if (!wake || command->next_at < wake) {
            wake = command->next_at;
        }
    }
    if (!wake) {
        place->file->is_complete = 1;
        save(place, p);
        publish(place);
    }
    return wake;
}

apr_time_t acme_deploy_step(acme_deploy_t *deploy, apr_time_t now,
                            apr_pool_t *p)
{
    const apr_uint64_t change = acme_registry_last_change(deploy->registry);
    apr_time_t at;
    const apr_uint64_t copied =
        deploy->exports ? acme_export_queue_changes(deploy->exports) : 0;
    int i, n;

    for (n = 0; n < READ_MAX && deploy->next_read < deploy->count; n++) {
        read_file(&deploy->places[deploy->next_read++], now, p);
        deploy->is_due = 1;
    }
    if (!deploy->is_due && change == deploy->change
        && copied == deploy->copied && (!deploy->wake || now < deploy->wake)) {
        return deploy->wake;
    }
    deploy->is_due = 0;
    deploy->change = change;
    deploy->copied = copied;
    deploy->wake = 0;
    for (i = 0; i < deploy->next_read; i++) {
        if (deploy->places[i].own) {
            at = step_place(&deploy->places[i], now, p);
            if (at && (!deploy->wake || at < deploy->wake)) {
                deploy->wake = at;
            }
        }
    }
    return deploy->next_read < deploy->count ? now : deploy->wake;
}
