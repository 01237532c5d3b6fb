/*
 * keeper_process.c - see keeper_process.h.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "keeper_process.h"

#define DESCRIPTORS_MAX 1024

door_t door;
pid_t keeper_pid;
acme_conf_t *conf;
int channel;
char *heard;
size_t heard_len;

static void held(void *baton, const char *reason)
{
    (void)baton;
    (void)reason;
}

/* As httpd does it, all but what is the keeper's is closed. */
apr_interval_time_t keeper_parked_max;

static void be_the_keeper(pid_t parent, int fd)
{
    static const char *const test[] = { "false", NULL };
    acme_server_t server = { 0 };
    acme_keeper_t keeper = { 0 };
    apr_pool_t *p;
    int i;

    for (i = 3; i < DESCRIPTORS_MAX; i++) {
        if (i != fd) {
            close(i);
        }
    }
    keep_log_open();
    apr_pool_create(&p, NULL);
    server.pid = parent;
    server.test = test;
    server.cwd = "/";
    server.baseline = acme_conf_snapshot_make(
        apr_array_make(p, 1, sizeof(const char *)), 0, p);
    keeper.conf = conf;
    keeper.server = &server;
    keeper.log = &test_log;
    keeper.listener = fd;
    keeper.user = getuid();
    keeper.roles[0].who = ACME_BY_WORKER;
    keeper.roles[0].token = door.address.token;
    keeper.roles[1].who = ACME_BY_WITNESS;
    keeper.roles[1].token = door.witness.token;
    keeper.pulse = -1;
    keeper.publish = publish;
    keeper.held = held;
    keeper.store_wait = apr_time_from_msec(50);
    keeper.parked_wait = apr_time_from_msec(50);
    keeper.parked_max = keeper_parked_max;
    acme_keeper_run(&keeper, p);
    apr_pool_destroy(p);
    apr_pool_destroy(pool);
}

void start_keeper(void)
{
    pid_t parent = getpid();

    fflush(NULL);
    keeper_pid = fork();
    assert_true(keeper_pid >= 0);
    if (keeper_pid == 0) {
        free(heard);
        be_the_keeper(parent, door.listener);
        _exit(0);
    }
}

int wait_for_keeper(void)
{
    int status;

    assert_int_equal(waitpid(keeper_pid, &status, 0), keeper_pid);
    keeper_pid = 0;
    return status;
}

void kill_keeper(void)
{
    kill(keeper_pid, SIGKILL);
    wait_for_keeper();
}

void remember(const char *data, size_t len)
{
    heard = realloc(heard, heard_len + len);
    assert_non_null(heard);
    memcpy(heard + heard_len, data, len);
    heard_len += len;
}

apr_status_t hear(acme_message_t *reply, int fd)
{
    static char raw[PACKET_REST];
    apr_status_t rv;
    ssize_t n = recv(fd, raw, sizeof(raw), MSG_PEEK);

    if (n > 0) {
        remember(raw, (size_t)n);
    }
    rv = acme_message_receive_reply(reply, fd, &res, pool);
    if (rv == ECONNRESET) {
        return APR_EOF;         /* closed before it had read all */
    }
    if (rv == APR_SUCCESS && reply->status != APR_SUCCESS) {
        res = *(const acme_result_t *)reply->body;
    }
    return rv;
}

static int knock_with(const unsigned char *token)
{
    acme_msg_hello_t hello;
    acme_message_t message = { .kind = ACME_MSG_HELLO, .body = &hello };
    int fd = door_knock(&door);

    memcpy(hello.token, token, sizeof(hello.token));
    assert_int_equal(acme_message_send_request(fd, &message, &res), 0);
    return fd;
}

int knock(void)
{
    return knock_with(door.address.token);
}

static int welcomed(int fd)
{
    acme_message_t reply;

    if (hear(&reply, fd)) {
        fail_msg("no welcome: %s", res.detail);
    }
    assert_int_equal(reply.kind, ACME_MSG_HELLO);
    assert_int_equal(((const acme_msg_welcome_t *)reply.body)->certs, 2);
    return fd;
}

int open_channel(void)
{
    return welcomed(knock());
}

int open_witness(void)
{
    return welcomed(knock_with(door.witness.token));
}

int open_control(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    apr_cpystrn(addr.sun_path, at("store/run/acme.sock"),
                sizeof(addr.sun_path));
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

acme_message_t say_on(int fd, acme_message_e kind,
                      const void *body, const char *tail,
                      apr_size_t len)
{
    acme_message_t request = { .kind = kind,
                               .body = body,
                               .tail = tail,
                               .tail_len = len };
    acme_message_t reply;

    if (acme_message_send_request(fd, &request, &res) || hear(&reply, fd)) {
        fail_msg("%s: %s", acme_message_name(kind), res.detail);
    }
    assert_int_equal(reply.kind, kind);
    return reply;
}

acme_message_t say(acme_message_e kind, const void *body)
{
    if (channel < 0) {
        channel = open_channel();
    }
    return say_on(channel, kind, body, NULL, 0);
}

void assert_closed(int fd, const char *name)
{
    acme_message_t reply;
    apr_status_t rv = hear(&reply, fd);

    if (rv != APR_EOF) {
        fail_msg("%s: the channel was not closed: %d", name, rv);
    }
}

void assert_serving(void)
{
    close(open_channel());
}

apr_status_t prepare(apr_uint32_t cert)
{
    acme_msg_cert_t body = { { cert, 0, 0 } };

    return say(ACME_MSG_PREPARE, &body).status;
}

apr_status_t tell_url(acme_message_e kind, apr_uint32_t cert,
                      const char *url)
{
    acme_msg_url_t body;

    memset(&body, 0, sizeof(body));     /* what lies between as well */
    body.about.cert = cert;
    apr_cpystrn(body.url, url, sizeof(body.url));
    return say(kind, &body).status;
}

void begin(void)
{
    assert_int_equal(prepare(0), 0);
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, ACCOUNT_URL), 0);
}

acme_message_t sign(apr_uint32_t cert, apr_uint32_t kind,
                    const char *url, const char *nonce)
{
    acme_msg_sign_t body;

    memset(&body, 0, sizeof(body));
    body.about.cert = cert;
    body.kind = kind;
    apr_cpystrn(body.url, url, sizeof(body.url));
    apr_cpystrn(body.nonce, nonce, sizeof(body.nonce));
    return say(ACME_MSG_SIGN, &body);
}

acme_message_t install_octets(apr_uint32_t cert,
                              const char *data, apr_size_t len)
{
    acme_msg_url_t body;

    (void)tell_url(ACME_MSG_ORDER, cert, ORDER_URL);
    memset(&body, 0, sizeof(body));
    body.about.cert = cert;
    return say_on(channel, ACME_MSG_INSTALL, &body, data, len);
}

acme_message_t install(apr_uint32_t cert, const char *pem)
{
    return install_octets(cert, pem, strlen(pem));
}

acme_state_t list(apr_uint32_t cert)
{
    acme_msg_cert_t body = { { cert, 0, 0 } };
    int fd = open_control();
    acme_message_t reply = say_on(fd, ACME_MSG_LIST, &body, NULL, 0);

    close(fd);
    assert_int_equal(reply.status, 0);
    return *(const acme_state_t *)reply.body;
}

EVP_PKEY *pending_key(int cert)
{
    acme_key_t *key;

    assert_int_equal(acme_key_load(&key, at("store/pending/%s/key.pem",
                                            cert_of(conf, cert)->id), &res,
                                   pool), 0);
    return acme_key_evp(key);
}

const char *right_chain(int cert)
{
    issue_t what = { .issuer = make_issuer("Test CA") };

    what.key = pending_key(cert);
    what.names = apr_array_pstrcat(pool, cert_of(conf, cert)->names,
                                   ' ');
    return issue(&what);
}

static int is_heard(const void *data, size_t len)
{
    return heard_len && memmem(heard, heard_len, data, len) != NULL;
}

/* Neither the PEM text of a key nor its secret number. */
static void assert_secret(const char *path)
{
    unsigned char *der = NULL;
    acme_key_t *key;
    int len;

    if (acme_key_load(&key, path, &res, pool)) {
        return;
    }
    len = i2d_PrivateKey(acme_key_evp(key), &der);
    assert_true(len > 7 + 32 && der[5] == 4 && der[6] == 32);
    assert_false(is_heard(der + 7, 32));
    OPENSSL_free(der);
}

static void assert_secrets_kept(void)
{
    int i;

    assert_false(is_heard("PRIVATE KEY", strlen("PRIVATE KEY")));
    assert_secret(at("store/accounts/%s/key.pem",
                     APR_ARRAY_IDX(conf->cas, 0, acme_ca_conf_t).folder));
    for (i = 0; i < conf->certs->nelts; i++) {
        assert_secret(at("store/pending/%s/key.pem", cert_of(conf, i)->id));
        assert_secret(at("store/live/%s/privkey.pem", cert_of(conf, i)->id));
    }
    assert_not_logged("PRIVATE KEY");
}

static void assert_log_clean(void)
{
    const char *log = logged();
    const char *c;

    for (c = log; *c; c++) {
        assert_true(*c == '\n' || (*c >= 0x20 && *c <= 0x7e));
        assert_true(c > log ? c[-1] != '\n' || *c == '[' : *c == '[');
    }
}

int running_setup(void **state)
{
    int rc = scratch_setup(state);

    alarm(HANGS_AFTER);
    channel = -1;
    conf = make_conf();
    door_open(&door);
    return rc;
}

int keeper_setup(void **state)
{
    int rc = running_setup(state);

    start_keeper();
    return rc;
}

int running_teardown(void **state)
{
    int status = 0;

    if (channel >= 0) {
        close(channel);
    }
    if (keeper_pid) {
        kill(keeper_pid, SIGTERM);
        status = wait_for_keeper();
    }
    if (status) {
        print_error("the keeper ended with wait status %x\n", status);
    }
    assert_secrets_kept();
    assert_log_clean();
    free(heard);
    heard = NULL;
    heard_len = 0;
    door_close(&door);
    return scratch_teardown(state) || status;
}
