/*
 * bench_keeper.c - what a worker waits for when it asks the keeper.
 *
 * A keeper as httpd's parent forks it, with a store of its own in a temporary
 * folder, and a client as the renewal thread has one.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_keeper_client.h"
#include "acme_file.h"
#include "acme_jws.h"
#include "acme_keeper.h"
#include "bench.h"

#define URL "https://ca.example.net/acme/"
#define NONCE "oFvnlFP1wIhRlYS2jTaXbA-5Zbn3Gdkj7Ez4Aqz5Xw0"

typedef struct {
    acme_keeper_client_t *client;
    acme_key_t *key;            /* the bench's own, for comparison */
    apr_uint64_t change;        /* the latest */
    apr_pool_t *p;              /* of one call */
    apr_pool_t *pool;
} asking_t;

static void fail(const acme_result_t *res)
{
    fprintf(stderr, "bench_keeper: %s\n", res->detail);
    exit(1);
}

static void nothing_logged(void *baton, acme_log_e level, const char *line)
{
    (void)baton;
    if (level <= ACME_LOG_WARNING) {
        fprintf(stderr, "keeper: %s\n", line);
    }
}

static void nothing_published(void *baton, const acme_state_t *state)
{
    (void)baton;
    (void)state;
}

static void nothing_held(void *baton, const char *reason)
{
    (void)baton;
    (void)reason;
}

/* One certificate with one name at a CA that is never asked. */
static acme_conf_t *conf_make(const char *dir, apr_pool_t *p)
{
    acme_conf_t *conf = apr_pcalloc(p, sizeof(*conf));
    acme_ca_conf_t *ca;
    acme_cert_conf_t *cert;

    conf->state_dir = dir;
    conf->parallel = 8;
    conf->activate = ACME_ACTIVATE_NONE;
    conf->cas = apr_array_make(p, 1, sizeof(*ca));
    ca = apr_array_push(conf->cas);
    ca->url = URL "directory";
    ca->folder = "ca.example.net-01234567";
    ca->contacts = apr_array_make(p, 1, sizeof(char *));

    conf->routes = apr_array_make(p, 1, sizeof(acme_route_conf_t));
    APR_ARRAY_PUSH(conf->routes, acme_route_conf_t) =
        (acme_route_conf_t) { .ca = 0 };

    conf->certs = apr_array_make(p, 1, sizeof(*cert));
    cert = apr_array_push(conf->certs);
    cert->id = "www.example.org";
    cert->names = apr_array_make(p, 1, sizeof(char *));
    APR_ARRAY_PUSH(cert->names, const char *) = cert->id;
    cert->places = apr_array_make(p, 1, sizeof(char *));
    cert->agreed = 1;
    cert->cas = apr_array_make(p, 1, sizeof(apr_uint32_t));
    APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = 0;
    cert->routes = apr_array_copy(p, cert->cas);
    cert->key_types = apr_array_make(p, 1, sizeof(acme_key_type_e));
    APR_ARRAY_PUSH(cert->key_types, acme_key_type_e) = ACME_KEY_P256;
    cert->digest = acme_conf_digest(conf, cert, p);
    cert->settings = acme_conf_settings(conf, cert, p);
    return conf;
}

static acme_keeper_address_t address;

static pid_t keeper_fork(const char *dir, int listener, apr_pool_t *p)
{
    acme_log_t log = { nothing_logged, NULL };
    acme_server_t server = { 0 };
    acme_keeper_t keeper = { 0 };
    pid_t pid;

    server.pid = getpid();
    keeper.conf = conf_make(dir, p);
    keeper.server = &server;
    keeper.log = &log;
    keeper.listener = listener;
    keeper.user = geteuid();
    keeper.roles[0].who = ACME_BY_WORKER;
    keeper.roles[0].token = address.token;
    keeper.pulse = -1;
    keeper.credit = apr_time_from_sec(3600);
    keeper.publish = nothing_published;
    keeper.held = nothing_held;

    pid = fork();
    if (pid == 0) {
        acme_keeper_run(&keeper, p);
        _exit(0);
    }
    return pid;
}

static apr_status_t call(acme_message_t *reply, asking_t *asking,
                         acme_message_e kind, const void *body)
{
    acme_result_t res;
    apr_status_t rv;

    rv = acme_keeper_client_call(reply, asking->client, kind, body, &res,
                                 asking->p);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        fail(&res);
    }
    return rv;
}

/* Nothing changed: what is asked each second. */
static void ask_for_changes(void *baton, int times)
{
    asking_t *asking = baton;
    const acme_msg_after_t after = { asking->change };
    acme_message_t reply;

    while (times-- > 0) {
        if (call(&reply, asking, ACME_MSG_CHANGES, &after) == APR_SUCCESS) {
            fputs("bench_keeper: something changed\n", stderr);
            exit(1);
        }
        apr_pool_clear(asking->p);
    }
}

/* A post-as-get: six to eight signatures are in a certificate. */
static void ask_for_signatures(void *baton, int times)
{
    asking_t *asking = baton;
    acme_msg_sign_t *sign = apr_pcalloc(asking->pool, sizeof(*sign));
    acme_message_t reply;

    sign->kind = ACME_SIGN_POST_AS_GET;
    apr_cpystrn(sign->url, URL "order/1/2", sizeof(sign->url));
    apr_cpystrn(sign->nonce, NONCE, sizeof(sign->nonce));
    while (times-- > 0) {
        call(&reply, asking, ACME_MSG_SIGN, sign);
        apr_pool_clear(asking->p);
    }
}

/* The same signature without a keeper: what is left is the price of it. */
static void sign_here(void *baton, int times)
{
    const asking_t *asking = baton;
    acme_jws_t jws = { asking->key, URL "acct/1", NONCE, URL "order/1/2", "" };
    const char *body;
    acme_result_t res;

    while (times-- > 0) {
        if (acme_jws_make(&body, &jws, &res, asking->p)) {
            fail(&res);
        }
        apr_pool_clear(asking->p);
    }
}

/* An account with an URL, and the latest change: there is nothing else. */
static void settle(asking_t *asking)
{
    acme_msg_url_t *account = apr_pcalloc(asking->pool, sizeof(*account));
    acme_msg_after_t after = { 0 };
    acme_message_t reply;

    apr_cpystrn(account->url, URL "acct/1", sizeof(account->url));
    call(NULL, asking, ACME_MSG_ACCOUNT, account);
    while (call(&reply, asking, ACME_MSG_CHANGES, &after) == APR_SUCCESS) {
        after.change = ((const acme_state_t *)reply.body)->change;
    }
    asking->change = after.change;
}

static void measure(const char *dir, apr_pool_t *p)
{
    asking_t asking = { 0 };
    acme_result_t res;
    acme_stop_t *stop;
    int listener;
    pid_t pid;

    asking.pool = p;
    apr_pool_create(&asking.p, p);
    address.path = apr_pstrcat(p, dir, ".sock", NULL);
    if (acme_keeper_address_listen(&listener, address.path, geteuid(),
                                   ACME_KEEPER_BACKLOG, &res)
        || acme_key_generate(&asking.key, ACME_KEY_P256, &res, p)) {
        fail(&res);
    }
    pid = keeper_fork(dir, listener, p);
    acme_stop_create(&stop, p);
    if (acme_keeper_client_open(&asking.client, &address, stop, &res, p)) {
        fail(&res);
    }
    settle(&asking);
    bench_row("keeper: no change", ask_for_changes, &asking, 2000);
    bench_row("keeper: a signature", ask_for_signatures, &asking, 1000);
    bench_row("a signature without it", sign_here, &asking, 1000);

    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    close(listener);
    unlink(address.path);
}

int main(void)
{
    char dir[] = "/tmp/acme-bench-XXXXXX";
    acme_result_t res;
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    measure(dir, p);
    if (acme_file_dir_remove(dir, &res, p)) {
        fail(&res);
    }
    apr_terminate();
    return 0;
}
