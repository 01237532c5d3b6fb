/*
 * acme_rehearsal_task.c - each name of a certificate as a CA would see it.
 *
 * First the DNS, all names side by side, and the CA's directory meanwhile; then
 * the visits, in threads of their own, because an address that does not answer
 * takes seconds. All of it ends after ACME_REHEARSAL_MAX.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "acme_dns01.h"
#include "acme_dns_persist.h"
#include "acme_http.h"
#include "acme_known_ca.h"
#include "acme_name.h"
#include "acme_directory.h"
#include "acme_rehearsal_dns.h"
#include "acme_rehearsal_dry_run.h"
#include "acme_rehearsal_task.h"
#include "acme_rehearsal_visit.h"
#include "acme_task_pool.h"

#define DNS_MAX apr_time_from_sec(5)
#define QUERY_MAX apr_time_from_sec(3)
#define DIRECTORY_MAX 4         /* seconds */
#define THREADS 8
#define ADDRESSES_MAX 8         /* of a name */
#define DRY_RUNS_MAX 3          /* of AcmeDns: one for each zone */
#define RANDOM_OCTETS 32

/* Behind the token in the place of a thumbprint, which has 43 characters: no CA
   could take this for the answer to a challenge of its own. */
#define ANSWER_END ".rehearsal"
#define SNI_END ".acme-rehearsal.invalid"

/* An address and port: once it did not answer, nobody waits for it again. */
typedef struct {
    atomic_int is_silent;
} place_t;

/* A visit of one address for one name. */
typedef struct {
    const char *name;
    const char *address;
    acme_topic_e topic;
    place_t *place;
    acme_rehearsal_finding_t finding;   /* level NONE: not made */
} visit_t;

typedef struct {
    const acme_task_env_t *env;
    const acme_state_t *state;
    const acme_cert_conf_t *cert;
    const acme_ca_conf_t *ca;
    const acme_known_ca_t *known_ca;    /* NULL: a CA of somebody's own */
    const acme_msg_rehearsal_t *account;
    acme_rehearsal_visits_t with;
    apr_array_header_t *findings;       /* acme_rehearsal_finding_t */
    apr_array_header_t *visits;         /* visit_t */
    apr_hash_t *forbidden;      /* by the name, unsigned: types that CAA
                                   records forbid, as bits */
    apr_hash_t *places;         /* "80 192.0.2.7": place_t */
    atomic_int next;            /* the visit that is begun next */
    apr_pool_t *p;
} rehearsal_t;

/* A thread, with memory of its own until the findings are sent. */
typedef struct {
    rehearsal_t *rehearsal;
    apr_thread_t *thread;       /* NULL: it was not started */
    apr_pool_t *p;
} helper_t;

/* The CA's directory, fetched beside the lookups. */
typedef struct {
    helper_t helper;
    const acme_directory_t *directory;  /* NULL: */
    apr_status_t status;                /* APR_TIMEUP: not within our time */
    acme_result_t res;                  /* why */
} directory_t;

static void add(rehearsal_t *r, acme_topic_e topic, const char *name,
                acme_rehearsal_finding_t finding)
{
    finding.topic = topic;
    finding.name = name;
    APR_ARRAY_PUSH(r->findings, acme_rehearsal_finding_t) = finding;
}

static acme_rehearsal_finding_t made(acme_rehearsal_e level,
                                     acme_reason_e reason, const char *text)
{
    return (acme_rehearsal_finding_t) { .level = level, .reason = reason,
                                        .text = text };
}

static acme_rehearsal_finding_t failed(
    const acme_rehearsal_dns_failure_t *failure, const char *text)
{
    return failure->is_ours
        ? made(ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE, text)
        : made(ACME_REHEARSAL_FAULT, ACME_REASON_DNS_FAILED, text);
}

/* The certificate's type at this position; -1: there is none. */
static int type_at(const acme_cert_conf_t *cert, int i)
{
    return i < 0 ? -1 : cert->challenges[i];
}

static int has_type(const acme_cert_conf_t *cert, acme_challenge_e type,
                    const char *name)
{
    int i;

    for (i = 0; i < cert->nchallenges; i++) {
        if (cert->challenges[i] == (int)type) {
            return acme_rehearsal_judge_suits(type, name);
        }
    }
    return 0;
}

static int start(helper_t *helper, rehearsal_t *r, apr_thread_start_t run,
                 void *data, apr_pool_t *shared)
{
    helper->rehearsal = r;
    helper->p = acme_task_pool_make();
    if (!helper->p
        || apr_thread_create(&helper->thread, NULL, run, data, shared)) {
        helper->thread = NULL;
    }
    return helper->thread != NULL;
}

static void join(helper_t *helper)
{
    apr_status_t ignored;

    if (helper->thread) {
        apr_thread_join(&ignored, helper->thread);
        helper->thread = NULL;
    }
}

static void free_helper(helper_t *helper)
{
    if (helper->p) {
        apr_pool_destroy(helper->p);
    }
}

static apr_status_t fetch_directory(directory_t *to)
{
    const rehearsal_t *r = to->helper.rehearsal;
    const acme_route_conf_t *route = acme_conf_route(r->env->conf, r->cert,
                                                     0);
    const acme_http_conf_t conf = { .user_agent = "mod_acme/" ACME_VERSION,
                                    .ca_file = route->roots,
                                    .proxy = route->proxy,
                                    .stop = r->env->stop,
                                    .stall = DIRECTORY_MAX,
                                    .total = DIRECTORY_MAX };
    const acme_http_request_t request = { .method = ACME_HTTP_GET,
                                          .url = r->ca->url };
    acme_http_reply_t *reply;
    acme_directory_t *directory;
    acme_http_t *http;
    json_t *json;
    apr_status_t rv;

    rv = acme_http_create(&http, &conf, &to->res, to->helper.p);
    if (rv == APR_SUCCESS) {
        rv = acme_http_send(&reply, http, &request, &to->res, to->helper.p);
    }
    if (rv == APR_SUCCESS && reply->status != 200) {
        rv = acme_fail(&to->res, APR_EGENERAL, "%s: HTTP status %d",
                       r->ca->url, reply->status);
        acme_result_reason(&to->res, ACME_REASON_CA_ERROR);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_json_parse(&json, reply->body, reply->body_len, r->ca->url,
                             &to->res, to->helper.p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_directory_parse(&directory, json, r->ca->url, &to->res,
                                  to->helper.p);
        to->directory = directory;
    }
    return rv;
}

static void *APR_THREAD_FUNC run_directory(apr_thread_t *thread, void *data)
{
    directory_t *to = data;

    (void)thread;
    to->status = fetch_directory(to);
    return NULL;
}

/* Its own word, else that of the table. */
static const apr_array_header_t *identities_of(const rehearsal_t *r,
                                               const directory_t *ca)
{
    apr_array_header_t *names = apr_array_make(r->p, 1, sizeof(const char *));

    if (ca->directory && ca->directory->caa_identities->nelts) {
        return ca->directory->caa_identities;
    }
    if (r->known_ca && r->known_ca->caa) {
        APR_ARRAY_PUSH(names, const char *) = r->known_ca->caa;
    }
    return names;
}

static void judge_directory(rehearsal_t *r, const directory_t *ca)
{
    const char *text = apr_psprintf(r->p, "the directory of the CA: %s",
                                    ca->res.detail);
    acme_rehearsal_finding_t finding;

    if (!ca->directory && !acme_stop_is(r->env->stop)) {
        finding = ca->status == APR_TIMEUP
            ? made(ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE, text)
            : made(ACME_REHEARSAL_FAULT, ca->res.reason == ACME_REASON_OTHER
                       ? ACME_REASON_CA_UNREACHABLE : ca->res.reason, text);
        acme_rehearsal_judge_first_ca(&finding, r->cert, r->p);
        add(r, ACME_TOPIC_CA, "", finding);
    }
}

/* By the first type; what forbids others counts where they are weighed. */
static void judge_caa(rehearsal_t *r, const acme_rehearsal_dns_t *row,
                      const apr_array_header_t *identities)
{
    const int first = acme_rehearsal_judge_first(r->cert, row->name);
    acme_rehearsal_caa_t caa = {
        .at = row->caa_at, .records = row->caa, .failed = row->caa_failed,
        .is_checked = r->known_ca || identities->nelts,
        .issuer = { .identities = identities,
                    .account_url = r->account->account_url[0]
                        ? r->account->account_url : NULL,
                    .is_wildcard = acme_name_is_wildcard(row->name) }
    };
    acme_rehearsal_finding_t finding;
    unsigned forbidden = 0;
    int i;

    for (i = r->cert->nchallenges - 1; i >= 0 && first >= 0; i--) {
        const acme_challenge_e type = (acme_challenge_e)r->cert->challenges[i];

        caa.issuer.challenge = acme_challenge_name(type);
        acme_rehearsal_judge_caa(&finding, &caa, r->p);
        forbidden |= (unsigned)(finding.level == ACME_REHEARSAL_FAULT)
            << (unsigned)type;
    }
    caa.issuer.challenge = first < 0 ? NULL : acme_challenge_name(
        (acme_challenge_e)r->cert->challenges[first]);
    acme_rehearsal_judge_caa(&finding, &caa, r->p);
    if (r->cert->cas->nelts > 1) {
        acme_rehearsal_judge_first_ca(&finding, r->cert, r->p);
    }
    else {
        apr_hash_set(r->forbidden, row->name, APR_HASH_KEY_STRING,
                     apr_pmemdup(r->p, &forbidden, sizeof(forbidden)));
    }
    add(r, ACME_TOPIC_CAA, row->name, finding);
}

/* Whether its zone is found; try_dns() does more. */
static void judge_zone(rehearsal_t *r, const acme_rehearsal_dns_t *row)
{
    acme_rehearsal_finding_t finding;

    if (row->zone_failed.why) {
        finding = failed(&row->zone_failed, apr_psprintf(
            r->p, "the zone of its record cannot be found: %s",
            row->zone_failed.why));
    }
    else {
        finding = made(ACME_REHEARSAL_FINE, ACME_REASON_NONE,
                       apr_psprintf(r->p, "the record %s is in the zone %s, with %d addresses of name servers%s",
                                    row->record, row->zone,
                                    row->servers->nelts,
                                    !r->state->rehearse_fully
                                        ? "; AcmeDns is tried by acmectl check only"
                                    : r->state->ordering
                                        ? "; AcmeDns is not tried while an order is under way"
                                        : ""));
    }
    add(r, ACME_TOPIC_DNS_01, row->name, finding);
}

/* What a record of dns-persist-01 must say; false: the form is not known. */
static int describe_persist(acme_dns_persist_t *persist, const rehearsal_t *r,
                            const directory_t *ca, const char *name)
{
    const acme_msg_rehearsal_t *account = r->account;
    apr_array_header_t *issuers = apr_array_make(r->p, 1,
                                                 sizeof(const char *));

    memset(persist, 0, sizeof(*persist));
    persist->name = name;
    persist->account_url = account->account_url;
    persist->thumbprint = account->thumbprint;
    if (ca->directory && ca->directory->issuer_domain_names->nelts
        && ca->directory->account_hash_prefix) {
        persist->draft = 2;
        persist->issuers = ca->directory->issuer_domain_names;
        persist->hash_prefix = ca->directory->account_hash_prefix;
    }
    else if (account->draft && account->issuer[0]) {
        persist->draft = (int)account->draft;
        APR_ARRAY_PUSH(issuers, const char *) = account->issuer;
        persist->issuers = issuers;
        persist->hash_prefix = account->prefix[0] ? account->prefix : NULL;
    }
    return persist->draft && account->account_url[0];
}

static void judge_persist(rehearsal_t *r, const acme_rehearsal_dns_t *row,
                          const directory_t *ca)
{
    const char *record = acme_dns_persist_record(row->name, r->p);
    acme_rehearsal_finding_t finding = made(
        ACME_REHEARSAL_FAULT, ACME_REASON_DNS_PERSIST_MISSING,
        apr_psprintf(r->p, "there is no TXT record at %s: acmectl dns-persist %s prints it",
                     record, r->cert->id));
    acme_dns_persist_t persist;
    acme_result_t res;
    apr_time_t until;
    int i;

    /* It is among the types by default, and few set it. */
    if (!row->persist && type_at(r->cert, acme_rehearsal_judge_first(
            r->cert, row->name)) != ACME_DNS_PERSIST_01) {
        return;
    }
    if (row->persist_failed.why) {
        finding = failed(&row->persist_failed, apr_psprintf(
            r->p, "%s cannot be looked up: %s", record,
            row->persist_failed.why));
    }
    else if (row->persist && !describe_persist(&persist, r, ca, row->name)) {
        finding = made(ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
                       apr_psprintf(r->p, "there is a record at %s; whether it is right is not known before acmectl dns-persist %s was run",
                                    record, r->cert->id));
    }
    for (i = 0; finding.level == ACME_REHEARSAL_FAULT && row->persist
                && i < row->persist->nelts; i++) {
        const apr_status_t rv = acme_dns_persist_match(
            &until, &persist, APR_ARRAY_IDX(row->persist, i, const char *),
            apr_time_now(), &res, r->p);

        if (rv == APR_SUCCESS) {
            finding = made(ACME_REHEARSAL_FINE, ACME_REASON_NONE, until
                ? apr_psprintf(r->p, "the record at %s is right, until %s",
                               record, acme_time_text(until, r->p))
                : apr_psprintf(r->p, "the record at %s is right", record));
        }
        else {
            finding.text = apr_psprintf(r->p, "no record at %s is right: %s",
                                        record, res.detail);
        }
    }
    add(r, ACME_TOPIC_DNS_PERSIST_01, row->name, finding);
}

static void add_visit(rehearsal_t *r, const char *name, const char *address,
                      acme_topic_e topic)
{
    const char *key = apr_psprintf(r->p, "%d %s", (int)topic, address);
    visit_t *visit = apr_array_push(r->visits);

    memset(visit, 0, sizeof(*visit));
    visit->name = name;
    visit->address = address;
    visit->topic = topic;
    visit->place = apr_hash_get(r->places, key, APR_HASH_KEY_STRING);
    if (!visit->place) {
        visit->place = apr_pcalloc(r->p, sizeof(*visit->place));
        apr_hash_set(r->places, key, APR_HASH_KEY_STRING, visit->place);
    }
}

/* The addresses of a name, and the visits that they want. */
static void judge_addresses(rehearsal_t *r, const acme_rehearsal_dns_t *row)
{
    const int type = type_at(r->cert,
                             acme_rehearsal_judge_first(r->cert, row->name));
    const int is_needed = type == ACME_HTTP_01 || type == ACME_TLS_ALPN_01;
    apr_array_header_t *addresses = apr_array_make(
        r->p, 4, sizeof(acme_rehearsal_address_t));
    acme_rehearsal_lookup_t lookup = {
        .addresses = addresses, .is_nxdomain = row->is_nxdomain,
        .left_out = row->addresses->nelts > ADDRESSES_MAX
            ? row->addresses->nelts - ADDRESSES_MAX : 0,
        .is_needed = is_needed, .is_public_ca = r->known_ca != NULL
    };
    acme_rehearsal_finding_t finding;
    int i;

    if (!row->addresses->nelts) {
        lookup.failed = row->failed;
    }
    for (i = 0; i < row->addresses->nelts && i < ADDRESSES_MAX; i++) {
        APR_ARRAY_PUSH(addresses, acme_rehearsal_address_t) =
            acme_rehearsal_judge_address(
                APR_ARRAY_IDX(row->addresses, i, const char *), r->with.own);
    }
    acme_rehearsal_judge_lookup(&finding, &lookup, r->p);
    add(r, ACME_TOPIC_DNS, row->name, finding);
    for (i = 0; i < addresses->nelts; i++) {
        const char *text = APR_ARRAY_IDX(addresses, i,
                                         acme_rehearsal_address_t).text;

        if (has_type(r->cert, ACME_HTTP_01, row->name)) {
            add_visit(r, row->name, text, ACME_TOPIC_HTTP_01);
        }
        if (has_type(r->cert, ACME_TLS_ALPN_01, row->name)) {
            add_visit(r, row->name, text, ACME_TOPIC_TLS_ALPN_01);
        }
    }
}

static void judge_row(rehearsal_t *r, const acme_rehearsal_dns_t *row,
                      const directory_t *ca)
{
    const int type = type_at(r->cert,
                             acme_rehearsal_judge_first(r->cert, row->name));

    if (type < 0) {
        add(r, ACME_TOPIC_DNS, row->name, made(
            ACME_REHEARSAL_FAULT, ACME_REASON_NO_CHALLENGE,
            acme_name_is_wildcard(row->name)
                ? "no challenge can validate it here: a wildcard needs AcmeDns or dns-persist-01"
                : "no challenge can validate it here: see AcmeChallenges and AcmePorts"));
    }
    if (!acme_name_is_wildcard(row->name)) {
        judge_addresses(r, row);
    }
    if (!acme_name_is_ip(row->name)) {
        judge_caa(r, row, identities_of(r, ca));
    }
    if (row->wants_zone) {
        judge_zone(r, row);
    }
    if (row->wants_persist) {
        judge_persist(r, row, ca);
    }
}

/* One after the other, until none is left. */
static void *APR_THREAD_FUNC run_visits(apr_thread_t *thread, void *data)
{
    helper_t *helper = data;
    rehearsal_t *r = helper->rehearsal;

    (void)thread;
    for (;;) {
        const int i = atomic_fetch_add(&r->next, 1);
        visit_t *visit;
        apr_status_t rv;

        if (i >= r->visits->nelts || acme_stop_is(r->env->stop)) {
            return NULL;
        }
        visit = &APR_ARRAY_IDX(r->visits, i, visit_t);
        if (atomic_load(&visit->place->is_silent)) {
            const int port = visit->topic == ACME_TOPIC_HTTP_01 ? 80 : 443;
            const acme_rehearsal_refusal_t refusal = {
                .address = acme_rehearsal_judge_address(visit->address,
                                                        r->with.own),
                .port = port, .arrives_at = r->with.ports[port == 443],
                .has_pre = r->with.has_pre, .status = APR_TIMEUP, .why = ""
            };

            acme_rehearsal_judge_refusal(&visit->finding, &refusal,
                                         helper->p);
            continue;
        }
        rv = visit->topic == ACME_TOPIC_HTTP_01
            ? acme_rehearsal_visit_80(&visit->finding, visit->name,
                                      visit->address, &r->with, helper->p)
            : acme_rehearsal_visit_443(&visit->finding, visit->name,
                                       visit->address, &r->with, helper->p);
        if (rv == APR_TIMEUP) {
            atomic_store(&visit->place->is_silent, 1);
        }
    }
}

/* What is answered for the time of the visits; false: no room on the board. */
static int present(const rehearsal_t *r, acme_challenge_response_t *answers)
{
    const acme_solver_t *solver = r->env->solver;
    acme_result_t ignored;

    answers[0] = (acme_challenge_response_t) {
        .type = ACME_HTTP_01, .name = "", .sni = "", .token = r->with.token,
        .key_authorization = r->with.answer
    };
    answers[1] = (acme_challenge_response_t) {
        .type = ACME_TLS_ALPN_01, .name = "", .sni = r->with.sni,
        .token = r->with.token, .key_authorization = r->with.answer
    };
    if (!solver || solver->present(solver->baton, &answers[0], &ignored)) {
        return 0;
    }
    if (solver->present(solver->baton, &answers[1], &ignored)) {
        solver->withdraw(solver->baton, &answers[0]);
        return 0;
    }
    return 1;
}

/*
 * AcmeDns is tried once for each zone, and only where the administrator asked:
 * it is a command of his, and an order that failed has tried it. Nor beside an
 * order, which would take a failure for its own.
 */
static void try_dns(rehearsal_t *r, const apr_array_header_t *rows,
                    acme_keeper_client_t *keeper)
{
    apr_array_header_t *zones = apr_array_make(r->p, 2, sizeof(const char *));
    int i;

    for (i = 0; r->state->rehearse_fully && !r->state->ordering
                && i < rows->nelts && zones->nelts < DRY_RUNS_MAX; i++) {
        const acme_rehearsal_dns_t *row = &APR_ARRAY_IDX(rows, i,
                                                         acme_rehearsal_dns_t);
        const char *own = apr_pstrcat(r->p, "_acme-challenge.",
                                      acme_name_base(row->name), NULL);
        const acme_rehearsal_dry_run_t what = {
            .env = r->env, .keeper = keeper, .cert = r->state->cert,
            .name = (apr_uint32_t)i, .thumbprint = r->account->thumbprint,
            .own_record = own,
            .record = row->record && !r->cert->dns->stay
                && acme_dns01_can_update(r->cert->dns, row->record)
                ? row->record : own,
            .servers = row->servers,
            .end = apr_time_now() + (r->with.end - acme_dns_lookup_now())
        };
        acme_rehearsal_finding_t finding;

        if (!row->wants_zone || !row->zone || !*what.thumbprint
            || acme_name_in(zones, row->zone)) {
            continue;
        }
        APR_ARRAY_PUSH(zones, const char *) = row->zone;
        acme_rehearsal_dry_run(&finding, &what, r->p);
        if (finding.level != ACME_REHEARSAL_NONE) {
            add(r, ACME_TOPIC_DNS_01, row->name, finding);
        }
    }
}

/* With AcmeDns meanwhile, in this thread: the channel to the keeper is its. */
static void make_visits(rehearsal_t *r, helper_t *helpers,
                        const apr_array_header_t *rows,
                        acme_keeper_client_t *keeper, apr_pool_t *shared)
{
    acme_challenge_response_t answers[2];
    int i;

    if (!r->visits->nelts) {
        try_dns(r, rows, keeper);
        return;
    }
    if (!present(r, answers)) {
        add(r, ACME_TOPIC_CA, "", made(
            ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE,
            "ports 80 and 443 were not looked at: too many challenges are answered at the moment"));
        return;
    }
    for (i = 0; i < THREADS && i < r->visits->nelts; i++) {
        start(&helpers[i], r, run_visits, &helpers[i], shared);
    }
    try_dns(r, rows, keeper);
    for (i = 0; i < THREADS; i++) {
        join(&helpers[i]);
    }
    r->env->solver->withdraw(r->env->solver->baton, &answers[0]);
    r->env->solver->withdraw(r->env->solver->baton, &answers[1]);
    for (i = 0; i < r->visits->nelts; i++) {
        visit_t *visit = &APR_ARRAY_IDX(r->visits, i, visit_t);

        if (visit->finding.level == ACME_REHEARSAL_NONE) {  /* no thread */
            acme_rehearsal_judge_late(
                &visit->finding, visit->topic == ACME_TOPIC_HTTP_01 ? 80 : 443,
                visit->address, r->p);
        }
        add(r, visit->topic, visit->name, visit->finding);
    }
}

/* In the order of the names, so that all that is about one is together. */
static apr_array_header_t *sorted(const rehearsal_t *r)
{
    apr_array_header_t *all = apr_array_make(
        r->p, r->findings->nelts + 1, sizeof(acme_rehearsal_finding_t));
    int n, i;

    for (n = -1; n < r->cert->names->nelts; n++) {
        const char *name = n < 0 ? "" : APR_ARRAY_IDX(r->cert->names, n,
                                                      const char *);

        for (i = 0; i < r->findings->nelts; i++) {
            const acme_rehearsal_finding_t *finding =
                &APR_ARRAY_IDX(r->findings, i, acme_rehearsal_finding_t);

            if (!strcmp(finding->name, name)) {
                APR_ARRAY_PUSH(all, acme_rehearsal_finding_t) = *finding;
            }
        }
    }
    return all;
}

static void judge_names(rehearsal_t *r)
{
    int i;

    for (i = 0; i < r->cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(r->cert->names, i, const char *);
        const unsigned *forbidden = apr_hash_get(r->forbidden, name,
                                                 APR_HASH_KEY_STRING);

        acme_rehearsal_judge_name(r->findings, r->cert, name,
                                  forbidden ? *forbidden : 0, r->p);
    }
}

static void send_findings(const rehearsal_t *r, acme_keeper_client_t *keeper)
{
    const acme_msg_rehearsed_t body = {
        .about = { .cert = r->state->cert },
        .rehearse_at = r->account->rehearse_at
    };
    const char *lines = acme_rehearsal_lines(sorted(r), ACME_LIST_MAX, r->p);
    const acme_message_t message = { .kind = ACME_MSG_REHEARSED,
                                     .body = &body, .tail = lines,
                                     .tail_len = strlen(lines) };
    acme_result_t ignored;

    acme_keeper_client_send(NULL, keeper, &message, &ignored, r->p);
}

/* Unguessable, so that nobody can answer in the place of this server. */
static void make_token(rehearsal_t *r)
{
    unsigned char octets[RANDOM_OCTETS];

    memset(octets, 0, sizeof(octets));
    apr_generate_random_bytes(octets, sizeof(octets));
    r->with.token = acme_text_base64url(octets, sizeof(octets), r->p);
    r->with.answer = apr_pstrcat(r->p, r->with.token, ANSWER_END, NULL);
    apr_generate_random_bytes(octets, sizeof(octets));
    r->with.sni = apr_psprintf(r->p, "%02x%02x%02x%02x%02x%02x%02x%02x%s",
                               octets[0], octets[1], octets[2], octets[3],
                               octets[4], octets[5], octets[6], octets[7],
                               SNI_END);
}

static apr_array_header_t *make_rows(const rehearsal_t *r)
{
    apr_array_header_t *rows = apr_array_make(
        r->p, r->cert->names->nelts, sizeof(acme_rehearsal_dns_t));
    int i;

    for (i = 0; i < r->cert->names->nelts; i++) {
        acme_rehearsal_dns_t *row = apr_array_push(rows);

        memset(row, 0, sizeof(*row));
        row->name = APR_ARRAY_IDX(r->cert->names, i, const char *);
        row->wants_zone = r->cert->dns
            && has_type(r->cert, ACME_DNS_01, row->name);
        row->wants_persist = has_type(r->cert, ACME_DNS_PERSIST_01,
                                      row->name);
    }
    return rows;
}

static void rehearse(rehearsal_t *r, acme_keeper_client_t *keeper,
                     apr_pool_t *shared)
{
    acme_dns_lookup_conf_t dns = r->env->dns;
    helper_t helpers[THREADS] = { { NULL, NULL, NULL } };
    apr_array_header_t *rows = make_rows(r);
    directory_t ca = { .directory = NULL, .status = APR_TIMEUP };
    acme_result_t res;
    apr_status_t rv;
    int i;

    dns.timeout = QUERY_MAX;
    acme_fail(&ca.res, APR_EGENERAL, "%s: no thread could be started",
              r->ca->url);
    if (!r->state->rehearse_fully) {
        ca.directory = acme_ca_directory(acme_ca_pool_ca(
            r->env->cas, acme_conf_route_index(r->cert, 0)), r->p);
    }
    if (!ca.directory) {
        start(&ca.helper, r, run_directory, &ca, shared);
    }
    rv = acme_rehearsal_dns_look_up(rows, &dns, acme_dns_lookup_now() + DNS_MAX,
                                    &res, r->p);
    join(&ca.helper);
    judge_directory(r, &ca);
    if (rv == APR_SUCCESS) {
        for (i = 0; i < rows->nelts; i++) {
            judge_row(r, &APR_ARRAY_IDX(rows, i, acme_rehearsal_dns_t), &ca);
        }
        make_visits(r, helpers, rows, keeper, shared);
        judge_names(r);
    }
    else {
        add(r, ACME_TOPIC_CA, "", made(ACME_REHEARSAL_UNSEEN,
                                       ACME_REASON_NONE,
                                       apr_pstrdup(r->p, res.detail)));
    }
    if (!acme_stop_is(r->env->stop)) {
        send_findings(r, keeper);
    }
    for (i = 0; i < THREADS; i++) {
        free_helper(&helpers[i]);
    }
    free_helper(&ca.helper);
}

void acme_rehearsal_task_run(const acme_task_env_t *env,
                             acme_task_request_t *request, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(env->conf,
                                                  request->state.cert);
    rehearsal_t r = {
        .env = env, .state = &request->state, .cert = cert,
        .ca = acme_conf_ca(env->conf, cert, 0),
        .findings = apr_array_make(p, 16, sizeof(acme_rehearsal_finding_t)),
        .visits = apr_array_make(p, 16, sizeof(visit_t)),
        .forbidden = apr_hash_make(p), .places = apr_hash_make(p),
        .p = p
    };
    const acme_msg_cert_t body = { .about = { .cert = request->state.cert } };
    int listened[2] = { 0, 0 };
    acme_keeper_client_t *keeper;
    acme_message_t reply;
    acme_result_t res;
    apr_pool_t *shared;

    if (acme_keeper_client_open(&keeper, env->keeper, env->stop, &res, p)) {
        return;
    }
    if (acme_keeper_client_call(&reply, keeper, ACME_MSG_REHEARSAL, &body,
                                &res, p)) {
        return;
    }
    r.account = reply.body;
    if (!r.account->rehearse_at) {
        return;                 /* none is wanted any more */
    }
    request->state.rehearse_fully = r.account->is_full;
    r.known_ca = acme_known_ca_of_url(r.ca->url, p);
    r.with = (acme_rehearsal_visits_t) {
        .env = env, .cert = cert, .own = acme_rehearsal_visit_own(p),
        .live = request->state.serial,
        .has_pre = acme_conf_hook(cert, ACME_HOOK_PRE, 0) != NULL,
        .is_public_ca = r.known_ca != NULL,
        .ports = { 80, 443 },
        .end = acme_dns_lookup_now() + ACME_REHEARSAL_MAX
    };
    if (cert->ports) {
        sscanf(cert->ports, "%d %d %d %d", &r.with.ports[0], &listened[0],
               &r.with.ports[1], &listened[1]);
        r.with.ports[0] = r.with.ports[0] ? r.with.ports[0] : 80;
        r.with.ports[1] = r.with.ports[1] ? r.with.ports[1] : 443;
    }
    make_token(&r);
    shared = acme_task_pool_make_shared();
    if (shared) {
        rehearse(&r, keeper, shared);
        apr_pool_destroy(shared);
    }
}
