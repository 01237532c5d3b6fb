/*
 * acme_dns_records.c - TXT records of dns-01.
 *
 * A worker chose the token, and a DNS server perhaps the record: every text
 * is checked again before it becomes an argument or a line for nsupdate.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_dns_records.h"

#define PREFIX "_acme-challenge."
#define TOKEN_MAX 256

/* Beyond this the oldest idle record is forgotten: a worker that was killed
 * never requests the cleanup of its records. */
#define RECORDS_MAX 4096

/* The same of one certificate: two values of each name, and some more. */
#define OF_ONE_MORE 8

typedef enum { NOTHING, PRESENT, CLEANUP } action_e;

typedef struct record_t record_t;

/* One value of one record, and the certificates that need it. */
struct record_t {
    record_t *next;
    acme_dns_records_t *records;
    acme_dns_command_job_t what; /* of the last request, which may be for
                                   another certificate than the first;
                                   its texts are these: */
    char name[ACME_NAME_MAX + 1];
    char token[TOKEN_MAX + 1];
    char record[ACME_NAME_MAX + 1];
    char value[ACME_RECORD_VALUE_LEN + 1];
    const acme_dns_conf_t *dns;
    apr_array_header_t *holders;        /* apr_uint32_t: certificates */
    action_e running;
    action_e next_action;       /* after the running command, or as soon as
                                   there is a place */
    const char *auth_output;    /* of the last present; NULL: none */
    apr_pool_t *output_in;
    int failed;                 /* the last present failed, */
    int order;                  /* after so many other failures, */
    int reported;               /* and that was returned */
    acme_result_t res;
    apr_pool_t *p;
};

struct acme_dns_records_t {
    const acme_log_t *log;
    acme_hook_runner_t *hooks;
    record_t *first;
    int count;
    int running;                /* of ACME_HOOKS_MAX */
    int failures;
    apr_pool_t *p;
};

acme_dns_records_t *acme_dns_records_create(const acme_log_t *log,
                                            apr_pool_t *p)
{
    acme_dns_records_t *records = apr_pcalloc(p, sizeof(*records));

    records->log = log;
    records->hooks = acme_hook_run_create(log, p);
    records->p = p;
    return records;
}

static apr_status_t check_what(const char **precord,
                               const acme_dns_command_job_t *what,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *record = what->record;

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

static void forget(record_t *record)
{
    acme_dns_records_t *records = record->records;
    record_t **at = &records->first;

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

/* Make room for one more; the oldest idle record may be dropped for it. */
static int make_room(acme_dns_records_t *records,
                     const acme_dns_command_job_t *what)
{
    const int names = what->names ? what->names->nelts : 1;
    record_t *record, *oldest = NULL, *own = NULL;
    int count = 0;

    for (record = records->first; record; record = record->next) {
        oldest = !oldest && is_idle(record) ? record : oldest;
        if (is_of(record, what->cert)) {
            own = !own && is_idle(record) ? record : own;
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

static record_t *record_make(acme_dns_records_t *records, const char *name,
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

/* The record of this name and value, or NULL. */
static record_t *find_record(const acme_dns_records_t *records,
                             const char *name, const char *value)
{
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!strcasecmp(record->what.record, name)
            && !strcmp(record->what.value, value)) {
            return record;
        }
    }
    return NULL;
}

/* The same, made if there is none; NULL: too many. */
static record_t *want_record(acme_dns_records_t *records, const char *name,
                             const acme_dns_command_job_t *what)
{
    record_t *record = find_record(records, name, what->value);

    if (!record && make_room(records, what)) {
        record = record_make(records, name, what->value);
    }
    return record;
}

/* Into the record's own memory: a hostile worker repeats a request for ever. */
static void keep_job(record_t *record, const acme_dns_command_job_t *what,
                     const acme_dns_conf_t *dns)
{
    acme_dns_command_job_t *kept = &record->what;

    kept->cert = what->cert;
    kept->remaining = what->remaining;
    kept->id = what->id;
    kept->names = what->names;
    apr_cpystrn(record->name, what->name, sizeof(record->name));
    apr_cpystrn(record->token, what->token, sizeof(record->token));
    record->dns = dns;
}

/* Add to a failure of the command what failed and what to check. */
static void explain(record_t *record, acme_result_t *res)
{
    const acme_dns_conf_t *dns = record->dns;
    char detail[ACME_DETAIL_SIZE];

    apr_cpystrn(detail, res->detail, sizeof(detail));
    if (dns->how == ACME_DNS_RFC2136) {
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
    if (record->output_in) {
        apr_pool_destroy(record->output_in);
    }
    apr_pool_create(&record->output_in, record->p);
    record->auth_output = strip(output, record->output_in);
    record->failed = status != APR_SUCCESS;
    record->reported = 0;
    if (record->failed) {
        record->order = record->records->failures++;
        record->res = *res;
        explain(record, &record->res);
    }
}

static void end_cleanup(record_t *record, apr_status_t status,
                        const acme_result_t *res)
{
    acme_result_t failure = *res;

    if (status != APR_SUCCESS) {
        explain(record, &failure);
        acme_log(
            record->records->log, ACME_LOG_WARNING, record->what.id,
            "the TXT record %s could not be removed and stays in the DNS, where it does no harm: %s",
            record->what.record, failure.detail);
    }
}

static void command_ended(void *baton, apr_status_t status,
                          const acme_result_t *res, const char *output);

/* Start the command of the next action. All is copied, so p ends here. */
static void run_next(record_t *record)
{
    const acme_dns_command_job_t *what = &record->what;
    const int present = record->next_action == PRESENT;
    acme_hook_event_t event = { 0 };
    acme_hook_dns_t dns = { 0 };
    acme_dns_command_t command;
    acme_hook_t hook = { 0 };
    apr_pool_t *p;

    apr_pool_create(&p, record->p);
    dns.domain = what->name;
    dns.token = what->token;
    dns.validation = what->value;
    dns.record = what->record;
    dns.remaining = what->remaining;
    dns.domains = what->names;
    event.event = present ? "dns-present" : "dns-cleanup";
    event.id = what->id;
    event.names = what->names;
    event.dns = &dns;
    hook.event = &event;
    hook.timeout = record->dns->timeout;
    hook.done = command_ended;
    hook.baton = record;
    hook.outlives = !present;   /* nobody would remove it later */
    if (!present) {
        dns.auth_output = record->auth_output ? record->auth_output : "";
    }
    command = present ? acme_dns_command_present(what, record->dns, p)
                      : acme_dns_command_cleanup(what, record->dns, p);
    hook.command = command.argv;
    hook.input = command.input;
    record->running = record->next_action;
    record->next_action = NOTHING;
    record->records->running++;
    acme_hook_run_start(record->records->hooks, &hook);
    apr_pool_destroy(p);
}

/* Those that wait, as long as there are places: their commands are made only
   now, for with all names of a certificate they are large. */
static void fill_places(acme_dns_records_t *records)
{
    record_t *record;

    for (record = records->first;
         record && records->running < ACME_HOOKS_MAX; record = record->next) {
        if (record->next_action && !record->running) {
            run_next(record);
        }
    }
}

static void command_ended(void *baton, apr_status_t status,
                          const acme_result_t *res, const char *output)
{
    record_t *record = baton;
    acme_dns_records_t *records = record->records;
    const action_e was = record->running;

    record->running = NOTHING;
    records->running--;
    if (was == PRESENT) {
        end_present(record, status, res, output);
    }
    else {
        end_cleanup(record, status, res);
    }
    if (was == CLEANUP && is_idle(record)) {
        forget(record);
    }
    fill_places(records);
}

/* Start now, or after the running command; not again if it is the same. */
static void start_command(record_t *record, action_e action)
{
    record->next_action = record->running == action ? NOTHING : action;
    fill_places(record->records);
}

/* Check the job, and find or make its record. */
static apr_status_t prepare(record_t **precord, acme_dns_records_t *records,
                            const acme_dns_command_job_t *what,
                            const acme_dns_conf_t *dns, acme_result_t *res)
{
    const char *name;
    apr_status_t rv;
    apr_pool_t *p;

    *precord = NULL;
    apr_pool_create(&p, records->p);
    rv = check_what(&name, what, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_dns_command_check(dns, res, p);
    }
    if (rv == APR_SUCCESS) {
        *precord = want_record(records, name, what);
        if (*precord) {
            keep_job(*precord, what, dns);
        }
        else {
            rv = acme_fail(
                res, APR_ENOSPC,
                "%s: too many DNS records of this certificate are being changed already",
                what->name);
        }
    }
    apr_pool_destroy(p);
    return rv;
}

/* After a failure was reported, the next present begins anew. */
static void forget_reported(acme_dns_records_t *records, apr_uint32_t cert)
{
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->reported && holder_index(record, cert) >= 0) {
            record->failed = 0;
        }
    }
}

apr_status_t acme_dns_records_present(acme_dns_records_t *records,
                                      const acme_dns_command_job_t *what,
                                      const acme_dns_conf_t *dns,
                                      acme_result_t *res)
{
    record_t *record;
    apr_status_t rv;

    rv = prepare(&record, records, what, dns, res);
    if (rv == APR_SUCCESS) {
        forget_reported(records, what->cert);
        record->failed = 0;
        add_holder(record, what->cert);
        start_command(record, PRESENT);
    }
    return rv;
}

apr_status_t acme_dns_records_cleanup(acme_dns_records_t *records,
                                      const acme_dns_command_job_t *what,
                                      const acme_dns_conf_t *dns,
                                      acme_result_t *res)
{
    record_t *record;
    apr_status_t rv;

    rv = prepare(&record, records, what, dns, res);
    if (rv == APR_SUCCESS) {
        remove_holder(record, what->cert);
        if (record->holders->nelts == 0) {
            start_command(record, CLEANUP);
        }
    }
    return rv;
}

int acme_dns_records_busy(const acme_dns_records_t *records)
{
    const record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!is_idle(record)) {
            return 1;
        }
    }
    return 0;
}

int acme_dns_records_running(const acme_dns_records_t *records,
                             apr_uint32_t cert)
{
    const record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!is_idle(record) && is_of(record, cert)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_dns_records_result(acme_dns_records_t *records,
                                     apr_uint32_t cert, acme_result_t *res)
{
    const record_t *found = NULL;
    record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->failed && holder_index(record, cert) >= 0) {
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

apr_status_t acme_dns_records_outcome(const acme_dns_records_t *records,
                                      const acme_dns_command_job_t *what,
                                      acme_result_t *res)
{
    const record_t *record;
    const char *name;
    apr_status_t rv;
    apr_pool_t *p;

    apr_pool_create(&p, records->p);
    rv = check_what(&name, what, res, p);
    if (rv == APR_SUCCESS) {
        record = find_record(records, name, what->value);
        if (record && record->failed) {
            *res = record->res;
            rv = res->status;
        }
    }
    apr_pool_destroy(p);
    return rv;
}

int acme_dns_records_poll(const acme_dns_records_t *records,
                          struct pollfd *fds)
{
    return acme_hook_run_poll(records->hooks, fds);
}

apr_time_t acme_dns_records_wake(const acme_dns_records_t *records,
                                 apr_time_t now)
{
    return acme_hook_run_wake(records->hooks, now);
}

int acme_dns_records_step(acme_dns_records_t *records, apr_time_t now)
{
    return acme_hook_run_step(records->hooks, now);
}
