/*
 * acme_published.c - TXT records of dns-01 and tokens of http-01.
 *
 * A worker chose the token, and a DNS server perhaps the record: every text
 * is checked again before it becomes an argument or a line for nsupdate.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_dns_command.h"
#include "acme_token_command.h"
#include "acme_name.h"
#include "acme_published.h"
#include "acme_token_file.h"
#include "acme_token_left.h"
#include "acme_webroot.h"

#define PREFIX "_acme-challenge."
#define TOKEN_MAX 256
#define VALUE_MAX (TOKEN_MAX + 1 + ACME_RECORD_VALUE_LEN)

/* Beyond this the oldest idle record is forgotten: a worker that was killed
 * never requests the cleanup of its records. */
#define RECORDS_MAX 4096

/* The same of one certificate: two values of each name, and some more. */
#define OF_ONE_MORE 8

/* So long after its start a keeper waits for those who go on with an order,
   before it removes what an earlier keeper published. */
#define LEFT_MAX apr_time_from_sec(60)

/* Whoever publishes for a dry run or a rehearsal has ended after this, or was
   killed: nobody goes on with it, so the keeper removes it. */
#define DRY_RUN_MAX apr_time_from_sec(35 * 60)
#define REHEARSAL_MAX apr_time_from_sec(60)

/* So long after it was published the removal of a token from a webroot is tried
   again. */
#define REMOVAL_MAX apr_time_from_sec(7 * 24 * 3600)

/* In place of a certificate: none needs the token any more. */
#define NO_CERT ((apr_uint32_t)-1)

typedef enum { NOTHING, PRESENT, CLEANUP } action_e;

typedef struct record_t record_t;

/* One value of one record, or one token, and the certificates that need it. */
struct record_t {
    record_t *next;
    acme_published_t *records;
    acme_publish_job_t what; /* of the last request, which may be for
                                   another certificate than the first;
                                   its texts are these: */
    char name[ACME_NAME_MAX + 1];
    char token[TOKEN_MAX + 1];
    char record[ACME_NAME_MAX + 1]; /* of a token: the token */
    char value[VALUE_MAX + 1];
    apr_array_header_t *holders; /* apr_uint32_t: certificates */
    action_e running;
    action_e next_action;    /* after the running command, or as soon as
                                   there is a place */
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

struct acme_published_t {
    const acme_log_t *log;
    acme_hook_runner_t *hooks;
    acme_store_t *store;   /* NULL: nothing is remembered */
    apr_time_t now;        /* of the last step */
    record_t *first;
    int count;
    int running; /* of ACME_HOOKS_MAX */
    int failures;
    apr_pool_t *p;
};

acme_published_t *acme_published_create(const acme_log_t *log, apr_pool_t *p)
{
    acme_published_t *records = apr_pcalloc(p, sizeof(*records));

    records->log = log;
    records->hooks = acme_hook_run_create(log, p);
    records->p = p;
    return records;
}

/* An IP address has tokens, too. (8738, 7) */
static apr_status_t check_token(const acme_publish_job_t *what,
                                acme_result_t *res, apr_pool_t *p)
{
    if (!acme_name_is_ip(what->name)
        && !acme_dns_command_is_name(what->name)) {
        return acme_fail_never(res, APR_EINVAL, "%s: not a name for http-01",
                               acme_text_clean(what->name, ACME_NAME_MAX, p));
    }
    if (!acme_token_command_is_value(what->token, what->value)) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: the token of http-01 is not base64url of at most %d characters, so AcmeHttp cannot publish it",
            what->name, ACME_WEBROOT_TOKEN_MAX);
    }
    return APR_SUCCESS;
}

/* *precord is the key of its row: the name of the TXT record, or the token. */
static apr_status_t check_what(const char **precord,
                               const acme_publish_job_t *what,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *record = what->record;

    if (what->http) {
        *precord = what->token;
        return check_token(what, res, p);
    }
    *precord = NULL;
    if (!acme_dns_command_is_name(what->name)) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: not a DNS name, so it cannot have a TXT record",
            acme_text_clean(what->name, ACME_NAME_MAX, p));
    }
    if (!record) {
        record = apr_pstrcat(p, PREFIX, what->name, NULL);
    }
    if (!acme_dns_command_is_name(record)) {
        return acme_fail_never(
            res, APR_EINVAL, "%s: not a valid name for the TXT record of %s",
            acme_text_clean(record, ACME_NAME_MAX, p), what->name);
    }
    if (!acme_text_is_base64url(what->token, TOKEN_MAX)
        || !acme_text_is_base64url(what->value, ACME_RECORD_VALUE_LEN)
        || strlen(what->value) != ACME_RECORD_VALUE_LEN) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: the token or value of the challenge is not base64url",
            what->name);
    }
    *precord = record;
    return APR_SUCCESS;
}

static int holder_index(const record_t *record, apr_uint32_t cert)
{
    int i;

    for (i = 0; i < record->holders->nelts; i++) {
        if (APR_ARRAY_IDX(record->holders, i, apr_uint32_t) == cert) {
            return i;
        }
    }
    return -1;
}

static void add_holder(record_t *record, apr_uint32_t cert)
{
    if (holder_index(record, cert) < 0) {
        APR_ARRAY_PUSH(record->holders, apr_uint32_t) = cert;
    }
}

static void remove_holder(record_t *record, apr_uint32_t cert)
{
    int i = holder_index(record, cert);

    if (i >= 0) {
        APR_ARRAY_IDX(record->holders, i, apr_uint32_t) =
            *(apr_uint32_t *)apr_array_pop(record->holders);
    }
}

/* As the store has it; without the way how it is removed. */
static acme_token_file_t file_of(const record_t *record)
{
    return (acme_token_file_t){ .id = record->what.id,
                                .name = record->name,
                                .token = record->token,
                                .value = record->value,
                                .record = record->what.http ? NULL
                                                            : record->record,
                                .folders = record->folders,
                                .output = record->auth_output };
}

/* The records of an order need no file: whoever goes on with the order knows
   them. */
static int is_for_store(const record_t *record)
{
    const acme_token_conf_t *http = record->what.http;

    if (!record->records->store) {
        return 0;
    }
    return http ? http->how == ACME_TOKEN_WEBROOT || http->cleanup
                : record->what.purpose != ACME_PUBLISH_FOR_ORDER;
}

static void remove_file(record_t *record)
{
    const acme_token_file_t file = file_of(record);
    acme_result_t res;
    apr_pool_t *p;

    if (!record->is_remembered) {
        return;
    }
    apr_pool_create(&p, record->p);
    if (acme_token_file_remove(record->records->store, &file, &res, p)) {
        acme_log(record->records->log, ACME_LOG_WARNING, record->what.id, "%s",
                 res.detail);
    }
    record->is_remembered = 0;
    apr_pool_destroy(p);
}

/* What ends the keeper from here on, the next one knows of it. */
static apr_status_t remember(record_t *record, acme_result_t *res)
{
    const acme_token_conf_t *http = record->what.http;
    acme_token_file_t file = file_of(record);
    apr_status_t rv;
    apr_pool_t *p;

    if (!is_for_store(record)) {
        remove_file(record);    /* of a dry run, whose record an order needs */
        return APR_SUCCESS;
    }
    if (!http && record->what.dns->how == ACME_DNS_RFC2136) {
        file.server = record->what.dns->server;
    }
    else if (!http) {
        file.cleanup = acme_dns_command_path(record->what.dns);
    }
    else if (http->how == ACME_TOKEN_EXEC) {
        file.cleanup = APR_ARRAY_IDX(http->cleanup, 0, const char *);
    }
    else {
        file.root = http->root;
    }
    apr_pool_create(&p, record->p);
    rv = acme_token_file_save(record->records->store, &file, res, p);
    apr_pool_destroy(p);
    record->is_remembered |= rv == APR_SUCCESS;
    return rv;
}

static void forget(record_t *record)
{
    acme_published_t *records = record->records;
    record_t **at = &records->first;

    remove_file(record);
    while (*at != record) {
        at = &(*at)->next;
    }
    *at = record->next;
    records->count--;
    apr_pool_destroy(record->p);
}

static int is_idle(const record_t *record)
{
    return !record->running && !record->next_action;
}

static int is_of(const record_t *record, apr_uint32_t cert)
{
    return record->what.cert == cert || holder_index(record, cert) >= 0;
}

/* A token that is published is removed, not forgotten. */
static int can_forget(const record_t *record)
{
    return is_idle(record) && (!record->what.http || record->retry_at);
}

/* Make room for one more; the oldest idle record may be dropped for it. */
static int make_room(acme_published_t *records, const acme_publish_job_t *what)
{
    const int names = what->names ? what->names->nelts : 1;
    record_t *record, *oldest = NULL, *own = NULL;
    int count = 0;

    for (record = records->first; record; record = record->next) {
        oldest = !oldest && can_forget(record) ? record : oldest;
        if (is_of(record, what->cert)) {
            own = !own && can_forget(record) ? record : own;
            count++;
        }
    }
    if (count >= 2 * names + OF_ONE_MORE) {
        oldest = own;
    }
    else if (records->count < RECORDS_MAX) {
        return 1;
    }
    if (oldest) {
        forget(oldest);
    }
    return oldest != NULL;
}

static record_t *record_make(acme_published_t *records, const char *name,
                             const char *value)
{
    record_t *record, **end;
    apr_pool_t *p;

    apr_pool_create(&p, records->p);
    record = apr_pcalloc(p, sizeof(*record));
    record->p = p;
    record->records = records;
    apr_cpystrn(record->record, name, sizeof(record->record));
    apr_cpystrn(record->value, value, sizeof(record->value));
    record->what.name = record->name;
    record->what.token = record->token;
    record->what.record = record->record;
    record->what.value = record->value;
    record->holders = apr_array_make(p, 1, sizeof(apr_uint32_t));
    for (end = &records->first; *end; end = &(*end)->next) {
        continue;
    }
    *end = record;
    records->count++;
    return record;
}

/* The record of this name and value, or the token, or NULL. */
static record_t *find_record(const acme_published_t *records, const char *name,
                             const acme_publish_job_t *what)
{
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!record->what.http == !what->http
            && !strcasecmp(record->what.record, name)
            && !strcmp(record->what.value, what->value)) {
            return record;
        }
    }
    return NULL;
}

/* The same, made if there is none; NULL: too many. */
static record_t *want_record(acme_published_t *records, const char *name,
                             const acme_publish_job_t *what)
{
    record_t *record = find_record(records, name, what);

    if (!record && make_room(records, what)) {
        record = record_make(records, name, what->value);
    }
    return record;
}

/* Into the record's own memory: a hostile worker repeats a request for ever. */
static void keep_job(record_t *record, const acme_publish_job_t *what)
{
    acme_publish_job_t *kept = &record->what;

    kept->purpose = what->purpose;
    kept->cert = what->cert;
    kept->remaining = what->remaining;
    kept->id = what->id;
    kept->names = what->names;
    apr_cpystrn(record->name, what->name, sizeof(record->name));
    kept->dns = what->dns;
    kept->http = what->http;
    apr_cpystrn(record->token, what->token, sizeof(record->token));
}

static int is_webroot(const record_t *record)
{
    return record->what.http && record->what.http->how == ACME_TOKEN_WEBROOT;
}

/* Whichever token of a webroot is removed last, the folders that were made go
   with it: so each knows of them before one goes. */
static void share_folders(record_t *record)
{
    const char *root = is_webroot(record) ? record->what.http->root : NULL;
    acme_result_t ignored;
    record_t *other;
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
            (void)remember(other, &ignored);
        }
    }
}

/* Is there anything to do to remove it? */
static int has_cleanup(const record_t *record)
{
    const acme_token_conf_t *http = record->what.http;

    return !http || http->how == ACME_TOKEN_WEBROOT || http->cleanup;
}

/* Add to a failure of the command what failed and what to check. */
static void explain(record_t *record, acme_result_t *res)
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

static void end_present(record_t *record, apr_status_t status,
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
        (void)remember(record, &ignored); /* without it if that fails */
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
static int is_tried_again(const record_t *record)
{
    return is_webroot(record) && is_idle(record)
           && record->records->now < record->since + REMOVAL_MAX;
}

/* Later, or by the next keeper: the file in the store stays. No certificate
   waits for it. */
static void try_again(record_t *record, const acme_result_t *failure)
{
    if (record->tries++ == 0) {
        acme_log(
            record->records->log, ACME_LOG_WARNING, record->what.id,
            "the token of http-01 could not be removed, which is tried again for a week: %s",
            failure->detail);
    }
    record->retry_at =
        record->records->now + acme_hook_run_pause(record->tries);
    record->what.cert = NO_CERT;
}

static void end_cleanup(record_t *record, apr_status_t status,
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
static acme_dns_command_t command_of(const record_t *record, apr_pool_t *p)
{
    const acme_publish_job_t *what = &record->what;
    const int present = record->next_action == PRESENT;

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

static const char *event_of(const record_t *record)
{
    if (record->what.http) {
        return record->next_action == PRESENT ? "http-present"
                                              : "http-cleanup";
    }
    return record->next_action == PRESENT ? "dns-present" : "dns-cleanup";
}

static void take_turn(record_t *record)
{
    const acme_token_conf_t *http = record->what.http;

    record->has_turn = http && http->how == ACME_TOKEN_EXEC;
    record->turn = record->what.cert;
}

/* A script that has work for a whole batch does it with the last name, so those
   before it must have ended. */
static int is_turn(const record_t *record)
{
    const acme_token_conf_t *http = record->what.http;
    const record_t *other;

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
static void run_next(record_t *record)
{
    const acme_publish_job_t *what = &record->what;
    const int present = record->next_action == PRESENT;
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
    }
    if (!present) {
        share_folders(record);
    }
    command = command_of(record, p);
    hook.command = command.argv;
    hook.input = command.input;
    take_turn(record);
    record->begun = 1;
    record->running = record->next_action;
    record->next_action = NOTHING;
    record->records->running++;
    acme_hook_run_start(record->records->hooks, &hook);
    apr_pool_destroy(p);
}

/* Those that wait, as long as there are places: their commands are made only
   now, for with all names of a certificate they are large. */
static void fill_places(acme_published_t *records)
{
    record_t *record;

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
    record_t *record = baton;
    acme_published_t *records = record->records;
    const action_e was = record->running;

    record->running = NOTHING;
    records->running--;
    if (was == PRESENT) {
        end_present(record, status, res, output);
    }
    else {
        end_cleanup(record, status, res);
    }
    if (record->next_action == CLEANUP && !has_cleanup(record)) {
        record->next_action = NOTHING;
        forget(record);
    }
    else if (was == CLEANUP && is_idle(record) && !record->retry_at) {
        forget(record);
    }
    fill_places(records);
}

/* Start now, or after the running command; not again if it is the same. */
static void start_command(record_t *record, action_e action)
{
    record->retry_at = 0;
    if (action == CLEANUP) {
        record->remove_at = 0;
    }
    record->next_action = record->running == action ? NOTHING : action;
    fill_places(record->records);
}

/* No certificate needs it any more. */
static void remove_published(record_t *record)
{
    if (record->what.http && !record->begun) {
        forget(record); /* it only waited for a place */
    }
    else if (has_cleanup(record) || record->running) {
        start_command(record, CLEANUP);
    }
    else {
        forget(record);
    }
}

/* Check the job, and find or make its record. */
static apr_status_t prepare(record_t **precord, acme_published_t *records,
                            const acme_publish_job_t *what, acme_result_t *res)
{
    const char *name;
    apr_status_t rv;
    apr_pool_t *p;

    *precord = NULL;
    apr_pool_create(&p, records->p);
    rv = check_what(&name, what, res, p);
    if (rv == APR_SUCCESS && what->dns) {
        rv = acme_dns_command_check(what->dns, res, p);
    }
    if (rv == APR_SUCCESS) {
        *precord = want_record(records, name, what);
        if (*precord) {
            keep_job(*precord, what);
        }
        else {
            rv = acme_fail(
                res, APR_ENOSPC,
                "%s: too much of this certificate is being published already",
                what->name);
        }
    }
    apr_pool_destroy(p);
    return rv;
}

/* After a failure was reported, the next present begins anew. */
static void forget_reported(acme_published_t *records, apr_uint32_t cert)
{
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->reported && holder_index(record, cert) >= 0) {
            record->failed = 0;
        }
    }
}

/* When the keeper removes it; 0: it does not. */
static apr_time_t end_of(const record_t *record)
{
    switch (record->what.purpose) {
    case ACME_PUBLISH_FOR_DRY_RUN:
        return record->since + DRY_RUN_MAX;
    case ACME_PUBLISH_FOR_REHEARSAL:
        return record->since + REHEARSAL_MAX;
    default:
        return 0;
    }
}

apr_status_t acme_published_present(acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res)
{
    record_t *record;
    apr_status_t rv;

    rv = prepare(&record, records, what, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    forget_reported(records, what->cert);
    record->failed = 0;
    record->tries = 0;
    record->since = apr_time_now();
    record->remove_at = end_of(record);
    add_holder(record, what->cert);
    rv = remember(record, res);
    if (rv == APR_SUCCESS) {
        start_command(record, PRESENT);
    }
    else if (is_idle(record) && !record->begun) {
        forget(record);
    }
    return rv;
}

apr_status_t acme_published_cleanup(acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res)
{
    record_t *record;
    apr_status_t rv;

    rv = prepare(&record, records, what, res);
    if (rv == APR_SUCCESS) {
        remove_holder(record, what->cert);
        if (record->holders->nelts == 0) {
            remove_published(record);
        }
    }
    return rv;
}

/* The removal of one may end with others being forgotten, so each time the
   first one is looked for. */
static record_t *find_token(const acme_published_t *records, apr_uint32_t cert)
{
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->what.http && holder_index(record, cert) >= 0) {
            return record;
        }
    }
    return NULL;
}

void acme_published_cleanup_tokens(acme_published_t *records,
                                   apr_uint32_t cert)
{
    record_t *record;

    while ((record = find_token(records, cert)) != NULL) {
        remove_holder(record, cert);
        if (record->holders->nelts == 0) {
            remove_published(record);
        }
    }
}

/* Is its removal tried again, now? */
static int is_retry(const record_t *record)
{
    return record->tries && !is_idle(record);
}

int acme_published_busy(const acme_published_t *records)
{
    const record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!is_idle(record) && !is_retry(record)) {
            return 1;
        }
    }
    return 0;
}

/* Or of a dry run: a rehearsal may be beside either. */
static int is_of_order(const record_t *record)
{
    return record->what.purpose != ACME_PUBLISH_FOR_REHEARSAL;
}

int acme_published_running(const acme_published_t *records, apr_uint32_t cert)
{
    const record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!is_idle(record) && is_of(record, cert) && is_of_order(record)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_published_result(acme_published_t *records,
                                   apr_uint32_t cert, acme_result_t *res)
{
    const record_t *found = NULL;
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->failed && holder_index(record, cert) >= 0
            && is_of_order(record)) {
            record->reported = 1;
            if (!found || record->order < found->order) {
                found = record;
            }
        }
    }
    if (!found) {
        return APR_SUCCESS;
    }
    *res = found->res;
    return found->res.status;
}

apr_status_t acme_published_outcome(const acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res)
{
    const record_t *record;
    const char *name;
    apr_status_t rv;
    apr_pool_t *p;

    apr_pool_create(&p, records->p);
    rv = check_what(&name, what, res, p);
    if (rv == APR_SUCCESS) {
        record = find_record(records, name, what);
        if (record && record->failed) {
            *res = record->res;
            rv = res->status;
        }
    }
    apr_pool_destroy(p);
    return rv;
}

int acme_published_poll(const acme_published_t *records, struct pollfd *fds)
{
    return acme_hook_run_poll(records->hooks, fds);
}

/* The one whose removal is tried again next; NULL: none, or none while another
   is. One after the other, so that a dead folder takes one place of all. */
static record_t *find_retry(const acme_published_t *records)
{
    record_t *record, *next = NULL;

    for (record = records->first; record; record = record->next) {
        if (is_retry(record)) {
            return NULL;
        }
        if (record->retry_at && (!next || record->retry_at < next->retry_at)) {
            next = record;
        }
    }
    return next;
}

/* The one that the keeper removes next; NULL: none. */
static record_t *find_left(const acme_published_t *records)
{
    record_t *record, *next = NULL;

    for (record = records->first; record; record = record->next) {
        if (record->remove_at
            && (!next || record->remove_at < next->remove_at)) {
            next = record;
        }
    }
    return next;
}

static apr_time_t earlier(apr_time_t one, apr_time_t other)
{
    return !one || (other && other < one) ? other : one;
}

apr_time_t acme_published_wake(const acme_published_t *records, apr_time_t now)
{
    const record_t *retry = find_retry(records);
    const record_t *left = find_left(records);

    return earlier(
        earlier(acme_hook_run_wake(records->hooks, now),
                left ? left->remove_at : 0),
        retry ? retry->retry_at : 0);
}

/* Nobody went on with the orders of these. */
static void remove_left(acme_published_t *records, apr_time_t now)
{
    record_t *record;

    while ((record = find_left(records)) != NULL
           && now >= record->remove_at) {
        record->remove_at = 0;
        record->holders->nelts = 0;
        remove_published(record);
    }
}

int acme_published_step(acme_published_t *records, apr_time_t now)
{
    record_t *retry = find_retry(records);

    records->now = now;
    if (retry && now >= retry->retry_at) {
        start_command(retry, CLEANUP);
    }
    remove_left(records, now);
    return acme_hook_run_step(records->hooks, now);
}

/*
 * Take over one that an earlier keeper published. NULL: it cannot be. A record
 * is one of a dry run or rehearsal that has ended.
 */
static record_t *adopt(acme_published_t *records,
                       const acme_token_file_t *file, const acme_conf_t *conf)
{
    const int cert = acme_token_left_cert(file, conf);
    acme_publish_job_t what = {
        .purpose = file->record ? ACME_PUBLISH_FOR_REHEARSAL
                                : ACME_PUBLISH_FOR_ORDER,
        .cert = cert < 0 ? NO_CERT : (apr_uint32_t)cert,
        .id = apr_pstrdup(records->p, file->id),
        .name = file->name,
        .token = file->token,
        .value = file->value,
        .record = file->record,
        .dns = file->record ? acme_token_left_dns(file, conf) : NULL,
        .http = file->record
                    ? NULL
                    : acme_token_left_conf(file, conf, records->p)
    };
    acme_result_t res;
    record_t *record;
    const char *key;

    if (file->record && !what.dns) {
        acme_log(
            records->log, ACME_LOG_WARNING, what.id,
            "the TXT record %s was set by an earlier process and is not removed, because %s is not in AcmeDns any more",
            acme_text_clean(file->record, ACME_NAME_MAX, records->p),
            acme_text_clean(file->server ? file->server : file->cleanup,
                            ACME_DETAIL_SIZE, records->p));
        return NULL;
    }
    if (!file->record && !what.http) {
        acme_log(
            records->log, ACME_LOG_WARNING, what.id,
            "the token of http-01 for %s was published by an earlier process and is not removed, because %s is not a cleanup command of AcmeHttp any more",
            file->name, file->cleanup);
        return NULL;
    }
    if (check_what(&key, &what, &res, records->p)) {
        acme_log(records->log, ACME_LOG_WARNING, what.id, "%s", res.detail);
        return NULL;
    }
    record = record_make(records, key, what.value);
    keep_job(record, &what);
    if (cert >= 0) {
        add_holder(record, what.cert);
    }
    record->begun = 1;
    record->is_remembered = 1;
    record->remove_at = records->now + LEFT_MAX;
    record->folders = file->folders;
    record->since = file->since < records->now ? file->since : records->now;
    record->may_be_there = 1;
    record->auth_output =
        file->output ? apr_pstrdup(record->p, file->output) : NULL;
    return record;
}

void acme_published_load(acme_published_t *records, acme_store_t *store,
                         const acme_conf_t *conf, apr_time_t now)
{
    apr_array_header_t *files;
    acme_result_t res;
    apr_pool_t *p;
    int i;

    records->store = store;
    records->now = now;
    apr_pool_create(&p, records->p);
    files = acme_token_file_list(store, p);
    for (i = 0; i < files->nelts; i++) {
        const acme_token_file_t *file =
            &APR_ARRAY_IDX(files, i, acme_token_file_t);
        record_t *record = adopt(records, file, conf);

        if (!record) {
            (void)acme_token_file_remove(store, file, &res, p);
        }
        else if (record->what.http
                 && !acme_token_left_is_wanted(record->what.http,
                                               record->what.cert, conf)) {
            record->remove_at = 0;
            record->holders->nelts = 0;
            remove_published(record);
        }
    }
    apr_pool_destroy(p);
}
