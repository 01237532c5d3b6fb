/*
 * acme_cert_reader.c - certificates of strangers, parsed by another process:
 * the keeper's side. Its own is acme_cert_reader_process.c.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_cert_reader.h"
#include "acme_cert_reader_process.h"
#include "acme_descriptors.h"
#include "acme_launcher.h"
#include "acme_pem.h"
#include "acme_time.h"

/* The keeper waits so long, and serves nobody meanwhile. */
#define READ_MAX apr_time_from_sec(10)

/*
 * So many failures within a minute, then it rests: the keeper, which gives a
 * sign of life between two messages, is replaced after 60 s of silence.
 */
#define FAILURES_MAX 4
#define FAILURES_TIME apr_time_from_sec(60)

static struct {
    int fd;                     /* -1: there is none */
    apr_time_t failed[FAILURES_MAX];
    int oldest;                 /* of them */
} reader = { .fd = -1 };

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

/* One that hangs is killed by the start of the next one, used or not. */
static void replace(void)
{
    acme_result_t ignored;

    reader.failed[reader.oldest] = apr_time_now();
    reader.oldest = (reader.oldest + 1) % FAILURES_MAX;
    (void)start(&ignored);
}

void acme_cert_reader_start(void)
{
    acme_result_t ignored;

    memset(reader.failed, 0, sizeof(reader.failed));
    (void)start(&ignored);
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
    if (reader.fd >= 0 && !is_silent()) {
        replace();
    }
    return reader.fd >= 0 ? APR_SUCCESS : start(res);
}

static const char *join_lists(apr_size_t *plen,
                              const apr_array_header_t *lists, apr_pool_t *p)
{
    apr_size_t len = 0;
    char *text, *at;
    int i;

    for (i = 0; lists && i < lists->nelts; i++) {
        len += strlen(APR_ARRAY_IDX(lists, i, const char *)) + 1;
    }
    text = at = apr_palloc(p, len + 1);
    for (i = 0; lists && i < lists->nelts; i++) {
        const char *list = APR_ARRAY_IDX(lists, i, const char *);

        memcpy(at, list, strlen(list) + 1);
        at += strlen(list) + 1;
    }
    *plen = len;
    return text;
}

/* 0: errno. EBADMSG: more octets than there may be. */
static int ask(acme_cert_facts_wire_t *wire, char **ptext,
               acme_octets_t pem, const apr_array_header_t *ciphers,
               apr_pool_t *p)
{
    const apr_time_t until = apr_time_now() + READ_MAX;
    acme_cert_reader_request_t request;
    apr_size_t lists_len, len;
    const char *lists = join_lists(&lists_len, ciphers, p);

    request.pem = (apr_uint32_t)pem.len;
    request.ciphers = (apr_uint32_t)lists_len;
    if (lists_len > ACME_CERT_READER_CIPHERS_MAX) {
        errno = E2BIG;
        return 0;
    }
    if (!acme_descriptors_send(reader.fd, &request, sizeof(request), until)
        || !acme_descriptors_send(reader.fd, pem.data, pem.len, until)
        || !acme_descriptors_send(reader.fd, lists, lists_len, until)
        || !acme_descriptors_receive(reader.fd, wire, sizeof(*wire), until)) {
        return 0;
    }
    len = acme_cert_facts_octets(wire);
    if (len > ACME_CERT_FACTS_OCTETS_MAX) {
        errno = EBADMSG;
        return 0;
    }
    *ptext = apr_palloc(p, len + 1);
    return acme_descriptors_receive(reader.fd, *ptext, len, until);
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
            "certificate chain: the process that parses certificates cannot be asked");
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

apr_status_t acme_cert_reader_read(acme_cert_reading_t **preading,
                                   acme_octets_t pem,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p)
{
    acme_cert_reading_t *reading = apr_pcalloc(p, sizeof(*reading));
    acme_cert_facts_wire_t wire;
    char *text = NULL;
    int error;

    *preading = NULL;

    if (pem.len > ACME_CERT_READER_PEM_MAX) {
        return acme_fail(res, APR_EGENERAL,
                         "certificate chain: larger than %d octets",
                         ACME_CERT_READER_PEM_MAX);
    }
    if (make_ready(res)) {
        return res->status;
    }
    error = ask(&wire, &text, pem, ciphers, p) ? 0 : errno;
    if (!error
        && (acme_cert_facts_read(&reading->facts, &wire, text, res, p)
            || add_texts(reading, pem, p))) {
        error = EBADMSG;
    }
    if (error) {
        if (error != E2BIG) {
            replace();
        }
        return explain(error, res);
    }
    *preading = reading;
    return APR_SUCCESS;
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
        rv = acme_cert_reader_read(preading, pem, ciphers, res, p);
        if (rv != APR_SUCCESS) {
            acme_result_prefix(res, path);
        }
    }
    return rv;
}
