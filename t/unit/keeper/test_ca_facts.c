/*
 * test_ca_facts.c - what a worker says of the CA, and what the witness found.
 */
#include "keeper_process.h"

#define OTHER_HOST "orders.example:14000"
#define OTHER_URL "https://" OTHER_HOST "/account/1"
#define FOREIGN_URL "https://evil.example/account/1"

/* What is said and not answered yet. */
static void say_only(int fd, acme_message_e kind, const void *body)
{
    const acme_message_t request = { .kind = kind, .body = body };

    assert_int_equal(acme_message_send_request(fd, &request, &res), 0);
}

static apr_status_t answer(int fd)
{
    acme_message_t reply;

    if (hear(&reply, fd)) {
        fail_msg("no answer: %s", res.detail);
    }
    return reply.status;
}

static acme_msg_url_t url_of(const char *url)
{
    acme_msg_url_t body = { { 0, 0, 0 }, "" };

    apr_cpystrn(body.url, url, sizeof(body.url));
    return body;
}

/* What the witness is to look up for certificate 0. */
static acme_look_up_e asked(int witness)
{
    acme_msg_after_t after = { 0 };
    acme_message_t reply;

    while (!(reply = say_on(witness, ACME_MSG_CHANGES, &after, NULL,
                            0)).status) {
        const acme_state_t *state = reply.body;

        if (state->cert == 0) {
            return state->look_up;
        }
        after.change = state->change;
    }
    return ACME_LOOK_UP_NOTHING;
}

static void await_asked(int witness, acme_look_up_e what)
{
    while (asked(witness) != what) {    /* the alarm ends it */
        apr_sleep(apr_time_from_msec(10));
    }
}

static apr_status_t looked(int witness, acme_look_up_e what, const char *hosts,
                           const char *failure)
{
    acme_msg_looked_t body = { .look_up = what };

    if (failure) {
        body.has_failed = 1;
        apr_cpystrn(body.detail, failure, sizeof(body.detail));
    }
    return say_on(witness, ACME_MSG_LOOKED, &body, hosts,
                  strlen(hosts)).status;
}

/* Each message of a worker that has a URL, with this one. */
static apr_status_t said_with(int fd, acme_message_e kind, const char *url)
{
    const acme_msg_url_t body = url_of(url);
    acme_msg_sign_t request = { .kind = ACME_SIGN_POST_AS_GET };

    apr_cpystrn(request.url, url, sizeof(request.url));
    apr_cpystrn(request.nonce, NONCE, sizeof(request.nonce));
    return say_on(fd, kind, kind == ACME_MSG_SIGN ? (const void *)&request
                                                  : &body, NULL, 0).status;
}

static const acme_message_e with_url[] = { ACME_MSG_ACCOUNT, ACME_MSG_ORDER,
                                           ACME_MSG_SIGN, ACME_MSG_INSTALL };

static void a_foreign_url_waits_for_the_directory_and_is_refused(void **state)
{
    const acme_msg_url_t body = url_of(FOREIGN_URL);
    int witness = open_witness();
    size_t i;

    (void)state;
    begin();
    say_only(channel, ACME_MSG_ORDER, &body);
    await_asked(witness, ACME_LOOK_UP_HOSTS);
    assert_int_equal(looked(witness, ACME_LOOK_UP_HOSTS,
                            "ca.example\n" OTHER_HOST, NULL), 0);
    assert_int_equal(answer(channel), APR_EACCES);
    assert_non_null(strstr(res.detail, "evil.example"));
    assert_non_null(strstr(res.detail, "has no URL there"));
    assert_int_equal(asked(witness), ACME_LOOK_UP_NOTHING);

    /* It is known now, and each message is refused at once. */
    for (i = 0; i < COUNT(with_url); i++) {
        if (said_with(channel, with_url[i], FOREIGN_URL) != APR_EACCES) {
            fail_msg("%s: %s", acme_message_name(with_url[i]), res.detail);
        }
    }
    assert_int_equal(count(at("store/archive")), 0);
    close(witness);
}

static void a_host_of_the_directory_is_the_ca(void **state)
{
    int witness = open_witness();

    (void)state;
    begin();
    assert_int_equal(looked(witness, ACME_LOOK_UP_HOSTS,
                            "ca.example\n" OTHER_HOST, NULL), 0);
    assert_int_equal(said_with(channel, ACME_MSG_ORDER, OTHER_URL), 0);
    assert_int_equal(said_with(channel, ACME_MSG_SIGN, OTHER_URL), 0);
    assert_int_equal(said_with(channel, ACME_MSG_ORDER,
                               "https://CA.example:443/order/2"), 0);
    assert_int_equal(said_with(channel, ACME_MSG_ORDER,
                               "https://ca.example:8443/order/2"),
                     APR_EACCES);
    close(witness);

    /* The next keeper has read it. */
    close(channel);
    channel = -1;
    kill_keeper();
    start_keeper();
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, OTHER_URL), 0);
}

static void a_directory_that_cannot_be_had_refuses_the_url(void **state)
{
    const acme_msg_url_t body = url_of(OTHER_URL);
    int witness = open_witness();

    (void)state;
    begin();
    say_only(channel, ACME_MSG_ORDER, &body);
    await_asked(witness, ACME_LOOK_UP_HOSTS);
    assert_int_equal(looked(witness, ACME_LOOK_UP_HOSTS, "",
                            "ca.example: connection refused"), 0);
    assert_int_equal(answer(channel), APR_EGENERAL);
    assert_non_null(strstr(res.detail, "connection refused"));

    say_only(channel, ACME_MSG_ORDER, &body);   /* it is asked anew */
    await_asked(witness, ACME_LOOK_UP_HOSTS);
    assert_int_equal(looked(witness, ACME_LOOK_UP_HOSTS, OTHER_HOST, NULL), 0);
    assert_int_equal(answer(channel), 0);
    close(witness);
}

static void bad_hosts_are_none(void **state)
{
    static const char *const bad[] = {
        "ca.example\nevil.example/", "user@ca.example", "ca.example:",
        "CA.example", "ca example", "ca.example:443",
        "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\nq"
    };
    int witness = open_witness();
    size_t i;

    (void)state;
    begin();
    for (i = 0; i < COUNT(bad); i++) {
        if (looked(witness, ACME_LOOK_UP_HOSTS, bad[i], NULL)
            != APR_EINVAL) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
    assert_int_equal(looked(witness, ACME_LOOK_UP_NOTHING, "", NULL),
                     APR_EINVAL);
    assert_int_equal(looked(witness, ACME_LOOK_UPS, "", NULL), APR_EINVAL);
    close(witness);
}

static void what_is_the_witness_s_ends_a_worker_s_channel(void **state)
{
    unsigned kind;
    int n = 0;

    (void)state;
    begin();
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        packet_t packet;
        int fd;

        if (!acme_message_allowed(kind, ACME_BY_WITNESS)
            || acme_message_allowed(kind, ACME_BY_WORKER)) {
            continue;
        }
        fd = open_channel();
        packet_make(&packet, kind, 0);
        say_only(fd, kind, packet.rest);
        assert_closed(fd, acme_message_name(kind));
        close(fd);
        n++;
    }
    assert_int_equal(n, 9);
    assert_serving();
}

/* An administrator's request is the witness's to carry out, from its
   signatures to its end. */
static void a_worker_has_no_part_in_requests(void **state)
{
    static const apr_uint32_t kinds[] = {
        ACME_SIGN_UPDATE_ACCOUNT, ACME_SIGN_DEACTIVATE, ACME_SIGN_KEY_CHANGE,
        ACME_SIGN_REVOKE
    };
    static const apr_uint32_t with[] = { ACME_WITH_NEXT_KEY,
                                         ACME_WITH_CERT_KEY };
    acme_msg_note_t note = { .note = ACME_NOTE_FAILED };
    acme_msg_sign_t body;
    apr_uint32_t want;
    size_t i;

    (void)state;
    begin();
    /* A dry run, which comes last, is a worker's. */
    for (want = ACME_WANT_RENEWAL + 1; want < ACME_WANT_DRY_RUN; want++) {
        acme_msg_want_t wanted = { { 0, 0, 0 }, want, -1 };
        int control = open_control();

        assert_int_equal(say_on(control, ACME_MSG_WANT, &wanted, NULL,
                                0).status, 0);
        close(control);
        for (i = 0; i < COUNT(kinds); i++) {
            assert_int_equal(sign(0, kinds[i], ACCOUNT_URL, NONCE).status,
                             APR_EACCES);
            assert_non_null(strstr(res.detail, "acme-witness"));
        }
        note.want = want;
        assert_int_equal(say(ACME_MSG_NOTE, &note).status, APR_EACCES);
        assert_int_equal(list(0).wanted, want);
    }
    for (i = 0; i < COUNT(with); i++) {
        memset(&body, 0, sizeof(body));
        body.kind = ACME_SIGN_FIND_ACCOUNT;
        body.with = with[i];
        apr_cpystrn(body.url, ACCOUNT_URL, sizeof(body.url));
        apr_cpystrn(body.nonce, NONCE, sizeof(body.nonce));
        assert_int_equal(say(ACME_MSG_SIGN, &body).status, APR_EACCES);
    }
    assert_int_equal(count(at("store/aside")), 0);
}

/* Whatever a worker said before, acmectl prints what the CA said. */
static void records_are_printed_when_the_witness_has_asked(void **state)
{
    const acme_msg_persist_t persist = { .draft = 1, .issuer = "ca.example" };
    const acme_msg_txt_t txt = { .until = 0 };
    acme_message_t reply;
    int witness = open_witness();
    int control = open_control();

    (void)state;
    begin();
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0,
                              "https://ca.example/account/stranger"), 0);
    say_only(control, ACME_MSG_TXT, &txt);
    await_asked(witness, ACME_LOOK_UP_RECORDS);

    assert_int_equal(said_with(witness, ACME_MSG_ACCOUNT, ACCOUNT_URL), 0);
    assert_int_equal(say_on(witness, ACME_MSG_PERSIST, &persist, NULL,
                            0).status, 0);
    assert_int_equal(looked(witness, ACME_LOOK_UP_RECORDS, "", NULL), 0);
    assert_int_equal(hear(&reply, control), 0);
    assert_int_equal(reply.status, 0);
    assert_non_null(strstr(reply.tail, "accounturi=" ACCOUNT_URL));
    assert_null(strstr(reply.tail, "stranger"));
    close(control);
    close(witness);
}

static void records_that_cannot_be_asked_for_are_not_printed(void **state)
{
    const acme_msg_txt_t txt = { .until = 0 };
    int witness = open_witness();
    int control = open_control();

    (void)state;
    begin();
    say_only(control, ACME_MSG_TXT, &txt);
    await_asked(witness, ACME_LOOK_UP_RECORDS);
    assert_int_equal(looked(witness, ACME_LOOK_UP_RECORDS, "",
                            "ca.example: the CA is down"), 0);
    assert_int_equal(answer(control), APR_EGENERAL);
    assert_non_null(strstr(res.detail, "the CA is down"));
    close(control);
    close(witness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(a_foreign_url_waits_for_the_directory_and_is_refused),
        RUNNING_TEST(a_host_of_the_directory_is_the_ca),
        RUNNING_TEST(a_directory_that_cannot_be_had_refuses_the_url),
        RUNNING_TEST(bad_hosts_are_none),
        RUNNING_TEST(what_is_the_witness_s_ends_a_worker_s_channel),
        RUNNING_TEST(a_worker_has_no_part_in_requests),
        RUNNING_TEST(records_are_printed_when_the_witness_has_asked),
        RUNNING_TEST(records_that_cannot_be_asked_for_are_not_printed)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
