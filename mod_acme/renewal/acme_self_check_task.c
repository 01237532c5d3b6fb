/*
 * acme_self_check_task.c - httpd is visited, as by a browser on this machine.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_name.h"
#include "acme_self_check.h"
#include "acme_self_check_report.h"
#include "acme_self_check_task.h"

#define VISIT_MAX apr_time_from_sec(5)
#define CHECK_MAX apr_time_from_sec(40)

/* A name below a wildcard, for SNI. */
#define BELOW_WILDCARD "acme-self-check"

/* Looked at again after these, when something is new and wrong. */
static const apr_interval_time_t again_after[] = {
    apr_time_from_msec(500), apr_time_from_sec(1), apr_time_from_sec(3)
};
#define AGAIN_MAX ((int)(sizeof(again_after) / sizeof(*again_after)))

typedef struct {
    const acme_task_env_t *env;
    const acme_state_t *state;
    const acme_cert_conf_t *cert;
    acme_keeper_client_t *keeper;
    acme_peer_key_e keys[2];
    acme_peer_cert_t live[2];           /* what each kind of key should get */
    int nkeys;
    apr_array_header_t *visits;         /* acme_self_check_visit_t */
    apr_time_t end;
    apr_pool_t *p;
} check_t;

/* NULL: no name is sent. */
static const char *sni_of(const char *name, apr_pool_t *p)
{
    if (acme_name_is_ip(name)) {
        return NULL;
    }
    return acme_name_is_wildcard(name)
        ? apr_pstrcat(p, BELOW_WILDCARD, name + 1, NULL) : name;
}

/* What is live, of each kind of key; the message has the first one's serial. */
static apr_status_t fetch_live(check_t *check, acme_msg_served_t *body,
                               acme_result_t *res)
{
    acme_msg_cert_t request = { .about = { .cert = check->state->cert } };
    apr_uint32_t parts[2];
    int i;

    check->nkeys = acme_self_check_report_keys(check->keys, parts,
                                               check->cert);
    for (i = 0; i < check->nkeys; i++) {
        acme_message_t reply;
        acme_chain_t *chain;
        apr_status_t rv;

        request.about.part = parts[i];
        rv = acme_keeper_client_call(&reply, check->keeper, ACME_MSG_LIVE,
                                     &request, res, check->p);
        if (rv == APR_SUCCESS) {
            rv = acme_chain_parse(&chain, reply.tail, reply.tail_len, res,
                                  check->p);
        }
        if (rv == APR_SUCCESS
            && !acme_peer_cert_of_chain(&check->live[i], chain, check->p)) {
            rv = acme_fail(res, APR_EGENERAL, "%s: cannot be compared",
                           check->cert->id);
        }
        if (rv != APR_SUCCESS && i == 0) {
            return rv;
        }
        if (rv != APR_SUCCESS) {
            check->nkeys = i;   /* a key type that was added since */
        }
        else if (i == 0) {
            apr_cpystrn(body->live, acme_chain_leaf(chain)->serial,
                        sizeof(body->live));
        }
    }
    return APR_SUCCESS;
}

static apr_status_t fetch_peer(acme_peer_cert_t *seen,
                               const acme_visit_t *visit, acme_peer_key_e key,
                               const check_t *check, acme_result_t *res)
{
    acme_peer_t peer = { .address = visit->at->address,
                         .port = visit->at->port,
                         .name = sni_of(visit->name, check->p),
                         .key = key,
                         .timeout = VISIT_MAX,
                         .stop = check->env->stop };
    apr_status_t rv = acme_peer_cert_fetch(seen, &peer, res, check->p);

    if (visit->at->spare && rv != APR_SUCCESS && rv != APR_EINTR
        && rv != APR_TIMEUP && rv != APR_EGENERAL) {
        peer.address = visit->at->spare;
        rv = acme_peer_cert_fetch(seen, &peer, res, check->p);
    }
    return rv;
}

/* With each kind of key; of the second one only that which is shown counts: its
   ciphers may be forbidden. */
static void make_visit(acme_self_check_visit_t *made, const check_t *check)
{
    acme_result_t res;
    int i;

    made->check = ACME_CHECK_SERVED;
    for (i = 0; i < check->nkeys && made->check == ACME_CHECK_SERVED; i++) {
        const apr_status_t rv = fetch_peer(&made->seen, made->visit,
                                           check->keys[i], check, &res);

        if (rv == APR_SUCCESS) {
            if (!acme_peer_cert_is_same(&made->seen, &check->live[i])) {
                made->check = ACME_CHECK_OTHER;
            }
        }
        else if (i == 0) {
            made->check = ACME_CHECK_UNKNOWN;
            made->why = apr_pstrdup(check->p, res.detail);
        }
    }
}

/* Where nothing answers, other names need not wait for the same. */
static int is_dead(const check_t *check, int until)
{
    const acme_visit_place_t *at =
        APR_ARRAY_IDX(check->visits, until, acme_self_check_visit_t).visit->at;
    int i;

    for (i = 0; i < until; i++) {
        const acme_self_check_visit_t *made =
            &APR_ARRAY_IDX(check->visits, i, acme_self_check_visit_t);

        if (made->visit->at == at && made->check == ACME_CHECK_UNKNOWN) {
            return 1;
        }
    }
    return 0;
}

/* All that are not known to be right. False: something is not. */
static int make_visits(const check_t *check)
{
    int is_right = 1, i;

    for (i = 0; i < check->visits->nelts && !acme_stop_is(check->env->stop);
         i++) {
        acme_self_check_visit_t *made =
            &APR_ARRAY_IDX(check->visits, i, acme_self_check_visit_t);

        if (made->check == ACME_CHECK_SERVED) {
            continue;
        }
        if (is_dead(check, i)) {
            made->check = ACME_CHECK_NONE;
        }
        else if (apr_time_now() < check->end) {
            make_visit(made, check);
        }
        else if (made->check == ACME_CHECK_NONE) {
            made->check = ACME_CHECK_UNKNOWN;
            made->why = "not reached within the time of a check";
        }
        is_right &= made->check == ACME_CHECK_SERVED;
    }
    return is_right;
}

/* What was told before needs no second look. */
static int is_known(const check_t *check, apr_pool_t *p)
{
    acme_msg_served_t *body = apr_pcalloc(p, sizeof(*body));

    acme_self_check_report_fill(body, check->visits, p);
    return (acme_check_e)body->check == check->state->check
        && !strncmp(check->state->check_detail, body->detail,
                    strlen(body->detail));
}

static void visit_all(check_t *check)
{
    int i;

    for (i = 0; !make_visits(check) && i < AGAIN_MAX
         && !is_known(check, check->p)
         && apr_time_now() < check->end; i++) {
        if (acme_stop_wait(check->env->stop, again_after[i])) {
            return;
        }
    }
}

void acme_self_check_task_run(const acme_task_env_t *env,
                              acme_task_request_t *request, apr_pool_t *p)
{
    check_t check = { .env = env, .state = &request->state,
                      .cert = acme_conf_cert(env->conf, request->state.cert),
                      .end = apr_time_now() + CHECK_MAX,
                      .p = p };
    acme_msg_served_t *body = apr_pcalloc(p, sizeof(*body));
    acme_result_t res;
    int i;

    if (!check.cert->visits
        || acme_keeper_client_open(&check.keeper, env->keeper, env->stop,
                                   &res, p)) {
        return;
    }
    body->about.cert = request->state.cert;
    check.visits = apr_array_make(p, check.cert->visits->nelts,
                                  sizeof(acme_self_check_visit_t));
    for (i = 0; i < check.cert->visits->nelts && i < ACME_VISITS_MAX; i++) {
        acme_self_check_visit_t *made = apr_array_push(check.visits);

        memset(made, 0, sizeof(*made));
        made->visit = &APR_ARRAY_IDX(check.cert->visits, i, acme_visit_t);
    }
    if (fetch_live(&check, body, &res)) {
        body->check = ACME_CHECK_NONE;
    }
    else {
        visit_all(&check);
        acme_self_check_report_fill(body, check.visits, p);
    }
    if (!acme_stop_is(env->stop)) {
        acme_keeper_client_call(NULL, check.keeper, ACME_MSG_SERVED, body,
                                &res, p);
    }
}
