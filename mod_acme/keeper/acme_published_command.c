/*
 * acme_published_command.c - the commands that publish and remove a record or a
 * token, and what follows from how they end.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns_command.h"
#include "acme_published_command.h"
#include "acme_token_command.h"

/* So long after it was published the removal of a token from a webroot is tried
   again. */
#define REMOVAL_MAX apr_time_from_sec(7 * 24 * 3600)

static int is_webroot(const acme_published_record_t *record)
{
    return record->what.http && record->what.http->how == ACME_TOKEN_WEBROOT;
}

/* Whichever token of a webroot is removed last, the folders that were made go
   with it: so each knows of them before one goes. */
static void share_folders(acme_published_record_t *record)
{
    const char *root = is_webroot(record) ? record->what.http->root : NULL;
    acme_result_t ignored;
    acme_published_record_t *other;
    int most = 0;

    for (other = record->records->first; root && other; other = other->next) {
        if (is_webroot(other) && !strcmp(other->what.http->root, root)
            && other->folders > most) {
            most = other->folders;
        }
    }
    for (other = record->records->first; root && other; other = other->next) {
        if (is_webroot(other) && !strcmp(other->what.http->root, root)
            && other->folders < most) {
            other->folders = most;
            (void)acme_published_table_remember(other, &ignored);
        }
    }
}

/* Is there anything to do to remove it? */
static int has_cleanup(const acme_published_record_t *record)
{
    const acme_token_conf_t *http = record->what.http;

    return !http || http->how == ACME_TOKEN_WEBROOT || http->cleanup;
}

/* Add to a failure of the command what failed and what to check. */
static void explain(acme_published_record_t *record, acme_result_t *res)
{
    const acme_dns_conf_t *dns = record->what.dns;
    const acme_token_conf_t *http = record->what.http;
    char detail[ACME_DETAIL_SIZE];

    apr_cpystrn(detail, res->detail, sizeof(detail));
    if (http && http->how == ACME_TOKEN_WEBROOT) {
        acme_fail(res, res->status, "%s: %s", record->what.name, detail);
        res->reason = ACME_REASON_WEBROOT_FAILED;
    }
    else if (http) {
        acme_fail(
            res, res->status,
            "%s: the command of AcmeHttp failed: %s; the error log has its complete output",
            record->what.name, detail);
        res->reason = ACME_REASON_HOOK_FAILED;
    }
    else if (dns->how == ACME_DNS_RFC2136) {
        acme_fail(
            res, res->status,
            "%s: the DNS update of %s at %s failed: %s; check that this server allows the key in %s to change TXT records there. The error log has the complete output",
            record->what.name, record->what.record, dns->server, detail,
            dns->key_file);
        res->reason = ACME_REASON_DNS_UPDATE_FAILED;
    }
    else {
        acme_fail(
            res, res->status,
            "%s: the command of AcmeDns failed: %s; the error log has its complete output",
            record->what.name, detail);
        res->reason = ACME_REASON_HOOK_FAILED;
    }
}

/* As certbot passes it on: without white space around it. */
static const char *strip(const char *text, apr_pool_t *p)
{
    apr_size_t len;

    text += strspn(text, " \t\r\n");
    for (len = strlen(text); len && strchr(" \t\r\n", text[len - 1]); len--) {
        continue;
    }
    return apr_pstrmemdup(p, text, len);
}

static void end_present(acme_published_record_t *record, apr_status_t status,
                        const acme_result_t *res, const char *output)
{
    acme_result_t ignored;

    if (record->output_in) {
        apr_pool_destroy(record->output_in);
    }
    apr_pool_create(&record->output_in, record->p);
    record->auth_output = strip(output, record->output_in);
    if (is_webroot(record)
        && acme_token_command_made(output) > record->folders) {
        record->folders = acme_token_command_made(output);
    }
    if (status == APR_SUCCESS || status == APR_TIMEUP || record->folders) {
        record->may_be_there = 1;
    }
    if (record->auth_output[0]) {
        /* Without it if that fails. */
        (void)acme_published_table_remember(record, &ignored);
    }
    record->failed = status != APR_SUCCESS;
    record->reported = 0;
    if (record->failed) {
        record->order = record->records->failures++;
        record->res = *res;
        explain(record, &record->res);
    }
}

/* What keeps a webroot from being written passes, mostly. */
static int is_tried_again(const acme_published_record_t *record)
{
    return is_webroot(record) && acme_published_table_is_idle(record)
           && record->records->now < record->since + REMOVAL_MAX;
}

/* Later, or by the next keeper: the file in the store stays. No certificate
   waits for it. */
static void try_again(acme_published_record_t *record,
                      const acme_result_t *failure)
{
    if (record->tries++ == 0) {
        acme_log(
            record->records->log, ACME_LOG_WARNING, record->what.id,
            "the token of http-01 could not be removed, which is tried again for a week: %s",
            failure->detail);
    }
    record->retry_at =
        record->records->now + acme_hook_run_pause(record->tries);
    record->what.cert = ACME_PUBLISHED_NO_CERT;
}

static void end_cleanup(acme_published_record_t *record, apr_status_t status,
                        const acme_result_t *res)
{
    acme_result_t failure = *res;

    if (status == APR_SUCCESS
        || (is_webroot(record) && !record->may_be_there)) {
        return;
    }
    explain(record, &failure);
    if (is_tried_again(record)) {
        try_again(record, &failure);
    }
    else if (record->what.http) {
        acme_log(
            record->records->log, ACME_LOG_WARNING, record->what.id,
            "the token of http-01 could not be removed, and stays, where it does no harm: %s",
            failure.detail);
    }
    else {
        acme_log(
            record->records->log, ACME_LOG_WARNING, record->what.id,
            "the TXT record %s could not be removed and stays in the DNS, where it does no harm: %s",
            record->what.record, failure.detail);
    }
}

static void command_ended(void *baton, apr_status_t status,
                          const acme_result_t *res, const char *output);

/* The command of the next action. */
static acme_dns_command_t command_of(const acme_published_record_t *record,
                                     apr_pool_t *p)
{
    const acme_publish_job_t *what = &record->what;
    const int present = record->next_action == ACME_PUBLISHED_PRESENT;

    if (what->http) {
        return (acme_dns_command_t){
            .argv = present
                        ? acme_token_command_present(what, p)
                        : acme_token_command_cleanup(what, record->folders, p)
        };
    }
    return present ? acme_dns_command_present(what, what->dns, p)
                   : acme_dns_command_cleanup(what, what->dns, p);
}

static const char *event_of(const acme_published_record_t *record)
{
    if (record->what.http) {
        return record->next_action == ACME_PUBLISHED_PRESENT ? "http-present"
                                              : "http-cleanup";
    }
    return record->next_action == ACME_PUBLISHED_PRESENT ? "dns-present" : "dns-cleanup";
}

static void take_turn(acme_published_record_t *record)
{
    const acme_token_conf_t *http = record->what.http;

    record->has_turn = http && http->how == ACME_TOKEN_EXEC;
    record->turn = record->what.cert;
}

/* A script that has work for a whole batch does it with the last name, so those
   before it must have ended. */
static int is_turn(const acme_published_record_t *record)
{
    const acme_token_conf_t *http = record->what.http;
    const acme_published_record_t *other;

    if (!http || http->how != ACME_TOKEN_EXEC) {
        return 1;
    }
    for (other = record->records->first; other; other = other->next) {
        if (other->running && other->has_turn
            && other->turn == record->what.cert) {
            return 0;
        }
    }
    return 1;
}

/* Start the command of the next action. All is copied, so p ends here. */
static void run_next(acme_published_record_t *record)
{
    const acme_publish_job_t *what = &record->what;
    const int present = record->next_action == ACME_PUBLISHED_PRESENT;
    acme_hook_event_t event = { 0 };
    acme_hook_challenge_t challenge = { 0 };
    acme_dns_command_t command;
    acme_hook_t hook = { 0 };
    apr_pool_t *p;

    apr_pool_create(&p, record->p);
    challenge.type = what->http ? ACME_HTTP_01 : ACME_DNS_01;
    challenge.domain = what->name;
    challenge.token = what->token;
    challenge.validation = what->value;
    challenge.record = what->http ? NULL : what->record;
    challenge.remaining = what->remaining;
    challenge.domains = what->names;
    event.event = event_of(record);
    event.id = what->id;
    event.names = what->names;
    event.challenge = &challenge;
    hook.event = &event;
    hook.timeout = what->http ? what->http->timeout : what->dns->timeout;
    hook.done = command_ended;
    hook.baton = record;
    hook.outlives = !present; /* nobody would remove it later */
    if (!present) {
        challenge.auth_output = record->auth_output ? record->auth_output : "";
        share_folders(record);
    }
    command = command_of(record, p);
    hook.command = command.argv;
    hook.input = command.input;
    take_turn(record);
    record->begun = 1;
    record->running = record->next_action;
    record->next_action = ACME_PUBLISHED_NO_ACTION;
    record->records->running++;
    acme_hook_run_start(record->records->hooks, &hook);
    apr_pool_destroy(p);
}

/* Those that wait, as long as there are places: their commands are made only
   now, for with all names of a certificate they are large. */
static void fill_places(struct acme_published_t *records)
{
    acme_published_record_t *record;

    for (record = records->first; record && records->running < ACME_HOOKS_MAX;
         record = record->next) {
        if (record->next_action && !record->running && is_turn(record)) {
            run_next(record);
        }
    }
}

static void command_ended(void *baton, apr_status_t status,
                          const acme_result_t *res, const char *output)
{
    acme_published_record_t *record = baton;
    struct acme_published_t *records = record->records;
    const acme_published_action_e was = record->running;

    record->running = ACME_PUBLISHED_NO_ACTION;
    records->running--;
    if (was == ACME_PUBLISHED_PRESENT) {
        end_present(record, status, res, output);
    }
    else {
        end_cleanup(record, status, res);
    }
    if (record->next_action == ACME_PUBLISHED_CLEANUP
        && !has_cleanup(record)) {
        record->next_action = ACME_PUBLISHED_NO_ACTION;
        acme_published_table_forget(record);
    }
    else if (was == ACME_PUBLISHED_CLEANUP
             && acme_published_table_is_idle(record) && !record->retry_at) {
        acme_published_table_forget(record);
    }
    fill_places(records);
}

void acme_published_command_start(acme_published_record_t *record,
                                  acme_published_action_e action)
{
    record->retry_at = 0;
    if (action == ACME_PUBLISHED_CLEANUP) {
        record->remove_at = 0;
    }
    record->next_action =
        record->running == action ? ACME_PUBLISHED_NO_ACTION : action;
    fill_places(record->records);
}

void acme_published_command_remove(acme_published_record_t *record)
{
    if (record->what.http && !record->begun) {
        acme_published_table_forget(record); /* it only waited for a place */
    }
    else if (has_cleanup(record) || record->running) {
        acme_published_command_start(record, ACME_PUBLISHED_CLEANUP);
    }
    else {
        acme_published_table_forget(record);
    }
}
