/*
 * acme_cert_reader.c - certificates of strangers, parsed by another process:
 * the keeper's side. Its own is acme_cert_reader_process.c.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_cert_known.h"
#include "acme_cert_reader.h"
#include "acme_cert_reader_process.h"
#include "acme_chain.h"
#include "acme_descriptors.h"
#include "acme_digest.h"
#include "acme_launcher.h"
#include "acme_pem.h"
#include "acme_time.h"

/* An honest certificate takes a millisecond. */
#define READ_MAX apr_time_from_sec(10)

/* Of that, where the keeper waits for an answer, for what others asked
   before. */
#define OTHERS_MAX (READ_MAX / 2)

/* For a question that the process takes, and for an answer that has begun. */
#define TRANSFER_MAX apr_time_from_sec(1)

/*
 * Questions that it has at once: so that it goes on while the keeper waits for
 * the disk. What is more than fits into the socket would be waited for; a
 * single one may be longer.
 */
#define ASKED_MAX (ACME_CERT_KNOWN_MIN - 1)
#define ASKED_OCTETS_MAX (96 * 1024)

/*
 * So many failures within a minute, then it rests: the keeper, which gives a
 * sign of life between two messages, is replaced after 60 s of silence.
 */
#define FAILURES_MAX 4
#define FAILURES_TIME apr_time_from_sec(60)

typedef struct {
    const char *data;           /* as it is sent */
    apr_size_t len;
    unsigned char digest[ACME_DIGEST_OCTETS];   /* of that */
} question_t;

typedef struct {
    unsigned char digest[ACME_DIGEST_OCTETS];
    apr_size_t len;
    apr_uint64_t asker;         /* 0: the keeper waits for it */
    apr_interval_time_t took;   /* when it is answered */
    int error;                  /*   or how the process failed at it; 0 */
} asked_t;

static struct {
    int fd;                     /* -1: there is none */
    apr_time_t failed[FAILURES_MAX];
    int oldest;                 /* of them */
    asked_t asked[ASKED_MAX + 1];       /* in this order; one is the keeper's */
    int count;
    int answered;               /* so many of them, the first ones */
    apr_time_t since;           /* it is at the next one */
    apr_time_t paid_until;      /* what it needed, put end to end */
    apr_uint64_t turn;          /* who may ask; 0: nobody */
    asked_t named;              /* who asks again now, by the last step */
} reader = { .fd = -1 };

static struct {
    void (*call)(void *);       /* NULL: nobody wants to know */
    void *baton;
} waiting;

/* How long it rests; 0: it does not. A clock that was set back ends it. */
static apr_interval_time_t rest(apr_time_t now)
{
    const apr_time_t oldest = reader.failed[reader.oldest];

    return oldest && now >= oldest && now - oldest < FAILURES_TIME
           ? oldest + FAILURES_TIME - now : 0;
}

static apr_status_t start(acme_result_t *res)
{
    acme_descriptors_close(&reader.fd);
    return acme_launcher_cert_reader(&reader.fd, res);
}

/* One that hangs is killed by the start of the next one, used or not. What it
   said is not believed any more, and what it was asked besides is asked again. */
static void replace(void)
{
    acme_result_t ignored;

    reader.failed[reader.oldest] = apr_time_now();
    reader.oldest = (reader.oldest + 1) % FAILURES_MAX;
    reader.answered = reader.count;
    acme_cert_known_forget();
    (void)start(&ignored);
}

void acme_cert_reader_start(void)
{
    acme_result_t ignored;

    memset(reader.failed, 0, sizeof(reader.failed));
    reader.count = reader.answered = 0;
    reader.named.error = 0;
    acme_cert_known_forget();
    (void)start(&ignored);
}

void acme_cert_reader_on_wait(void (*call)(void *), void *baton)
{
    waiting.call = call;
    waiting.baton = baton;
}

/* It says nothing unasked: did it end, or is it another that speaks? */
static int is_silent(void)
{
    struct pollfd fd = { reader.fd, POLLIN, 0 };

    return poll(&fd, 1, 0) == 0;
}

static apr_status_t make_ready(acme_result_t *res)
{
    const apr_interval_time_t wait = rest(apr_time_now());

    if (wait) {
        return acme_fail(
            res, APR_EGENERAL,
            "the process that parses certificates failed %d times within a minute; it is asked again in %d seconds",
            FAILURES_MAX, (int)apr_time_sec(wait) + 1);
    }
    if (reader.fd >= 0 && reader.answered == reader.count && !is_silent()) {
        replace();
    }
    return reader.fd >= 0 ? APR_SUCCESS : start(res);
}

static apr_size_t lists_octets(const apr_array_header_t *lists)
{
    apr_size_t len = 0;
    int i;

    for (i = 0; lists && i < lists->nelts; i++) {
        len += strlen(APR_ARRAY_IDX(lists, i, const char *)) + 1;
    }
    return len;
}

static apr_status_t make_question(question_t *question, acme_octets_t pem,
                                  const apr_array_header_t *lists,
                                  acme_result_t *res, apr_pool_t *p)
{
    const apr_size_t lists_len = lists_octets(lists);
    acme_cert_reader_request_t request;
    char *at;
    int i;

    if (pem.len > ACME_CERT_READER_PEM_MAX) {
        return acme_fail(res, APR_EGENERAL,
                         "certificate chain: larger than %d octets",
                         ACME_CERT_READER_PEM_MAX);
    }
    if (lists_len > ACME_CERT_READER_CIPHERS_MAX) {
        return acme_fail(
            res, APR_EGENERAL,
            "certificate chain: the lists of SSLCipherSuite that it is tried with are larger than %d octets",
            ACME_CERT_READER_CIPHERS_MAX);
    }
    request.pem = (apr_uint32_t)pem.len;
    request.ciphers = (apr_uint32_t)lists_len;
    question->len = sizeof(request) + pem.len + lists_len;
    question->data = at = apr_palloc(p, question->len);
    memcpy(at, &request, sizeof(request));
    at += sizeof(request);
    if (pem.len) {
        memcpy(at, pem.data, pem.len);
        at += pem.len;
    }
    for (i = 0; lists && i < lists->nelts; i++) {
        const char *list = APR_ARRAY_IDX(lists, i, const char *);

        memcpy(at, list, strlen(list) + 1);
        at += strlen(list) + 1;
    }
    return acme_digest_make(question->digest, question->data, question->len)
        ? APR_SUCCESS
        : acme_fail(res, APR_EGENERAL,
                    "certificate chain: OpenSSL cannot digest it");
}

static int is_of(const asked_t *asked, const question_t *question,
                 apr_uint64_t asker)
{
    return asked->asker == asker
        && !memcmp(asked->digest, question->digest, sizeof(asked->digest));
}

/* At the first one that is not answered, which pays for it. 0: it is not at
   fault, and is asked again as the others are. */
static void fail_first(int error, apr_time_t now)
{
    asked_t *asked = &reader.asked[reader.answered];

    asked->took = now > reader.since ? now - reader.since : 0;
    asked->error = error;
    replace();
}

/*
 * What the asker pays for: not the time in which the keeper was at the disk
 * while the answer lay there. What the process says is true at the most for
 * what passed since it was asked.
 */
static apr_interval_time_t charged(const acme_cert_facts_wire_t *wire,
                                   apr_time_t now)
{
    const apr_interval_time_t passed =
        now > reader.paid_until ? now - reader.paid_until : 0;

    return wire->needed > 0 && wire->needed < passed ? wire->needed : passed;
}

/* The answer to that. 0: errno. EBADMSG: more octets than there may be. */
static int receive_first(apr_time_t until)
{
    asked_t *asked = &reader.asked[reader.answered];
    acme_cert_facts_wire_t wire;
    apr_size_t len;
    apr_pool_t *p;
    char *text;
    int good, error;

    if (!acme_descriptors_receive(reader.fd, &wire, sizeof(wire), until)) {
        return 0;
    }
    len = acme_cert_facts_octets(&wire);
    if (len > ACME_CERT_FACTS_OCTETS_MAX) {
        errno = EBADMSG;
        return 0;
    }
    apr_pool_create(&p, NULL);
    text = apr_palloc(p, len + 1);
    good = acme_descriptors_receive(reader.fd, text, len, until);
    error = errno;
    if (good) {
        const apr_time_t now = apr_time_now();

        acme_cert_known_add(asked->digest, &wire, text, now);
        asked->took = charged(&wire, now);
        reader.paid_until += asked->took;
        reader.since = now;
        reader.answered++;
    }
    apr_pool_destroy(p);
    errno = error;
    return good;
}

/* Ask, behind the others. */
static apr_status_t begin(const question_t *question, apr_uint64_t asker,
                          acme_result_t *res)
{
    asked_t *asked = &reader.asked[reader.count];

    if (make_ready(res)) {
        return res->status;
    }
    while (!acme_descriptors_send(reader.fd, question->data, question->len,
                                  apr_time_now() + TRANSFER_MAX)) {
        const int error = errno;

        if (reader.answered == reader.count) {
            replace();
            return acme_fail_errno(
                res, error,
                "certificate chain: the process that parses certificates cannot be asked and was replaced");
        }
        fail_first(error, apr_time_now());  /* it ended at another one */
        if (make_ready(res)) {
            return res->status;
        }
    }
    if (reader.answered == reader.count) {
        reader.since = reader.paid_until = apr_time_now();
    }
    memcpy(asked->digest, question->digest, sizeof(asked->digest));
    asked->len = question->len;
    asked->asker = asker;
    asked->took = 0;
    asked->error = 0;
    reader.count++;
    return APR_SUCCESS;
}

static apr_status_t explain(int error, acme_result_t *res)
{
    switch (error) {
    case ETIMEDOUT:
        return acme_fail(
            res, APR_EGENERAL,
            "certificate chain: the process that parses certificates did not answer for %d seconds and was replaced; unless the machine is overloaded, OpenSSL has a fault that this chain triggers: update OpenSSL, and report it",
            (int)apr_time_sec(READ_MAX));
    case EBADMSG:
        return acme_fail(
            res, APR_EGENERAL,
            "certificate chain: the process that parses certificates says what cannot be true and was replaced; OpenSSL has a fault that this chain triggers: update OpenSSL, and report it");
    case EPIPE:
    case ECONNRESET:
        return acme_fail(
            res, APR_EGENERAL,
            "certificate chain: the process that parses certificates ended while it read it and was replaced; unless it was killed, OpenSSL has a fault that this chain triggers: update OpenSSL, and report it");
    default:
        return acme_fail_errno(
            res, error,
            "certificate chain: the process that parses certificates does not answer and was replaced");
    }
}

/* What was brought is cut here, so that it is what is installed. */
static apr_status_t add_texts(acme_cert_reading_t *reading, acme_octets_t pem,
                              apr_pool_t *p)
{
    apr_array_header_t *ders;
    acme_result_t *parsed = &reading->facts.parsed;

    if (parsed->status != APR_SUCCESS
        || acme_pem_read(&ders, (const char *)pem.data, pem.len, parsed, p)) {
        return APR_SUCCESS;
    }
    if (ders->nelts != reading->facts.count) {
        return EBADMSG;
    }
    reading->full_pem = acme_pem_text(ders, 0, p);
    reading->rest_pem = acme_pem_text(ders, 1, p);
    reading->leaf_pem = apr_pstrmemdup(p, reading->full_pem,
                                       strlen(reading->full_pem)
                                           - strlen(reading->rest_pem));
    return APR_SUCCESS;
}

/*
 * How the question was answered, or why it was not. APR_INCOMPLETE: it was not
 * yet.
 */
static apr_status_t take(acme_cert_reading_t **preading,
                         const question_t *question, apr_uint64_t asker,
                         acme_octets_t pem, acme_result_t *res, apr_pool_t *p)
{
    acme_cert_reading_t *reading;
    acme_cert_facts_wire_t wire;
    const char *text;

    if (reader.named.error && is_of(&reader.named, question, asker)) {
        const int error = reader.named.error;

        reader.named.error = 0;
        return explain(error, res);
    }
    if (!acme_cert_known_find(&wire, &text, question->digest,
                              apr_time_now())) {
        return APR_INCOMPLETE;
    }
    reading = apr_pcalloc(p, sizeof(*reading));
    if (acme_cert_facts_read(&reading->facts, &wire, text, res, p)
        || add_texts(reading, pem, p)) {
        replace();
        return explain(EBADMSG, res);
    }
    *preading = reading;
    return APR_SUCCESS;
}

/* Make the question, and take its answer. */
static apr_status_t look_up(acme_cert_reading_t **preading,
                            question_t *question, apr_uint64_t asker,
                            acme_octets_t pem,
                            const apr_array_header_t *ciphers,
                            acme_result_t *res, apr_pool_t *p)
{
    *preading = NULL;
    return make_question(question, pem, ciphers, res, p)
        ? res->status : take(preading, question, asker, pem, res, p);
}

/* Until all are answered, or until then. */
static void wait_for_answers(apr_time_t until)
{
    while (reader.answered < reader.count) {
        const apr_time_t hangs = reader.since + READ_MAX;

        if (!receive_first(hangs < until ? hangs : until)) {
            const int error = errno;
            const int is_short = error == ETIMEDOUT && until < hangs
                && reader.asked[reader.answered].asker;

            fail_first(is_short ? 0 : error, apr_time_now());
        }
        if (waiting.call) {
            waiting.call(waiting.baton);
        }
    }
}

/* Behind what others asked, on an empty socket. */
static apr_status_t ask_and_wait(const question_t *question,
                                 acme_result_t *res)
{
    const apr_time_t now = apr_time_now();
    int error;

    wait_for_answers(now + OTHERS_MAX);
    if (begin(question, 0, res)) {
        return res->status;
    }
    wait_for_answers(now + READ_MAX);
    reader.answered = --reader.count;
    error = reader.asked[reader.count].error;
    return error ? explain(error, res) : APR_SUCCESS;
}

apr_status_t acme_cert_reader_read(acme_cert_reading_t **preading,
                                   acme_octets_t pem,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p)
{
    question_t question;
    apr_status_t rv = look_up(preading, &question, 0, pem, ciphers, res, p);

    while (rv == APR_INCOMPLETE) {
        if (ask_and_wait(&question, res)) {
            return res->status;
        }
        rv = take(preading, &question, 0, pem, res, p);
    }
    return rv;
}

void acme_cert_reader_turn(apr_uint64_t asker)
{
    reader.turn = asker;
}

static apr_size_t octets_asked(void)
{
    apr_size_t len = 0;
    int i;

    for (i = reader.answered; i < reader.count; i++) {
        len += reader.asked[i].len;
    }
    return len;
}

static int has_room_for(apr_size_t len)
{
    return reader.answered == reader.count
        || octets_asked() + len <= ASKED_OCTETS_MAX;
}

static int has_place(void)
{
    return reader.count < ASKED_MAX && !rest(apr_time_now());
}

/* For another one: the answer is for all. */
static int is_being_read(const question_t *question)
{
    int i;

    for (i = reader.answered; i < reader.count; i++) {
        if (!memcmp(reader.asked[i].digest, question->digest,
                    sizeof(question->digest))) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_cert_reader_ask(acme_cert_reading_t **preading,
                                  acme_octets_t pem,
                                  const apr_array_header_t *ciphers,
                                  acme_result_t *res, apr_pool_t *p)
{
    question_t question;
    const apr_status_t rv = look_up(preading, &question, reader.turn, pem,
                                    ciphers, res, p);

    if (rv != APR_INCOMPLETE) {
        return rv;
    }
    if (reader.turn && has_place() && has_room_for(question.len)
        && !is_being_read(&question)
        && begin(&question, reader.turn, res)) {
        return res->status;
    }
    acme_fail(res, APR_EAGAIN, "certificate chain: it is being read");
    return APR_EINPROGRESS;
}

int acme_cert_reader_is_asked(apr_uint64_t asker)
{
    int i;

    for (i = 0; i < reader.count; i++) {
        if (reader.asked[i].asker == asker) {
            return 1;
        }
    }
    return 0;
}

int acme_cert_reader_has_room(void)
{
    return has_place() && has_room_for(ACME_CHAIN_SIZE_MAX);
}

int acme_cert_reader_fd(void)
{
    return reader.answered < reader.count ? reader.fd : -1;
}

apr_time_t acme_cert_reader_wake(apr_time_t now)
{
    return reader.answered ? now
        : reader.count ? reader.since + READ_MAX + 1 : 0;
}

/* Receive what came, and no more. */
static void receive(apr_time_t now)
{
    while (reader.answered < reader.count && !is_silent()) {
        if (!receive_first(apr_time_now() + TRANSFER_MAX)) {
            /* A half of one is no answer. */
            fail_first(errno == ETIMEDOUT ? EBADMSG : errno, apr_time_now());
        }
    }
    if (now < reader.since) {
        reader.since = reader.paid_until = now; /* the clock was set back */
    }
    if (reader.answered < reader.count && now - reader.since > READ_MAX) {
        fail_first(ETIMEDOUT, now);
    }
}

apr_uint64_t acme_cert_reader_step(apr_interval_time_t *ptook, apr_time_t now)
{
    receive(now);
    if (!reader.answered) {
        return 0;
    }
    reader.named = reader.asked[0];
    *ptook = reader.named.took;
    reader.answered--;
    reader.count--;
    memmove(reader.asked, reader.asked + 1,
            (apr_size_t)reader.count * sizeof(*reader.asked));
    return reader.named.asker;
}

apr_status_t acme_cert_reader_load(acme_cert_reading_t **preading,
                                   const char *path,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p)
{
    acme_octets_t pem;
    apr_status_t rv;

    *preading = NULL;

    rv = acme_pem_load(&pem, path, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_cert_reader_ask(preading, pem, ciphers, res, p);
        if (rv != APR_SUCCESS && rv != APR_EINPROGRESS) {
            acme_result_prefix(res, path);
        }
    }
    return rv;
}
