/*
 * acme_key_maker.c - keys that take long, made by another process: the keeper's
 * side. Its own is acme_key_maker_process.c.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_descriptors.h"
#include "acme_key_maker.h"
#include "acme_key_maker_process.h"
#include "acme_launcher.h"

/* A key of RSA 4096 takes seconds, on a machine with other work more. */
#define MAKE_MAX apr_time_from_sec(120)

/* For a request of four octets, and for a key whose first octets came. */
#define TRANSFER_MAX apr_time_from_sec(1)

#define TYPES (ACME_KEY_RSA4096 + 1)

/* One at a time; a key that nobody fetched is for the next order. */
static struct {
    int fd;                     /* -1: there is no process */
    int is_busy;
    acme_key_type_e type;       /* of the key that is being made */
    apr_time_t since;
    char *ready[TYPES];         /* PEM, in keys; NULL: none */
    const char *failed[TYPES];  /* why the last one of a type was not made, a
                                   literal; NULL: it was, or nobody asked */
    apr_pool_t *keys[TYPES];
} maker = { .fd = -1 };

static int takes_long(acme_key_type_e type)
{
    return type != ACME_KEY_P256 && type != ACME_KEY_P384;
}

static void drop_ready(acme_key_type_e type)
{
    if (maker.keys[type]) {
        apr_pool_destroy(maker.keys[type]);     /* overwrites it */
    }
    maker.keys[type] = NULL;
    maker.ready[type] = NULL;
}

static void give_up(const char *why)
{
    acme_descriptors_close(&maker.fd);          /* the process ends by it */
    maker.is_busy = 0;
    maker.failed[maker.type] = why;
}

void acme_key_maker_forget(void)
{
    int type;

    acme_descriptors_close(&maker.fd);
    maker.is_busy = 0;
    for (type = 0; type < TYPES; type++) {
        maker.failed[type] = NULL;
        drop_ready((acme_key_type_e)type);
    }
}

/* It says nothing unasked. */
static int is_silent(void)
{
    struct pollfd fd = { maker.fd, POLLIN, 0 };

    return poll(&fd, 1, 0) == 0;
}

static void begin(acme_key_type_e type, apr_time_t now)
{
    const apr_uint32_t wanted = (apr_uint32_t)type;
    acme_result_t ignored;

    maker.type = type;
    maker.since = now;
    if (maker.fd >= 0 && !is_silent()) {
        acme_descriptors_close(&maker.fd);
    }
    if (maker.fd < 0 && acme_launcher_key_maker(&maker.fd, &ignored)) {
        give_up("it cannot be started");
        return;
    }
    if (!acme_descriptors_send(maker.fd, &wanted, sizeof(wanted),
                               apr_time_now() + TRANSFER_MAX)) {
        give_up("it does not take a request");
        return;
    }
    maker.is_busy = 1;
}

/* It has no reason to lie, and no right to be believed. */
static apr_status_t parse(acme_key_t **pkey, acme_key_type_e type,
                          acme_result_t *res, apr_pool_t *p)
{
    acme_key_type_e made;
    apr_status_t rv = acme_key_parse(pkey, maker.ready[type], "a new key", res,
                                     p);

    if (rv == APR_SUCCESS) {
        rv = acme_key_type(&made, *pkey, res);
    }
    if (rv == APR_SUCCESS && made != type) {
        rv = APR_EINVAL;
    }
    drop_ready(type);
    return rv;
}

apr_status_t acme_key_maker_take(acme_key_t **pkey, const char **pfailed,
                                 acme_key_type_e type, apr_time_t now,
                                 acme_result_t *res, apr_pool_t *p)
{
    *pkey = NULL;
    *pfailed = NULL;

    if (!takes_long(type)) {
        return acme_key_generate(pkey, type, res, p);
    }
    if (maker.ready[type]) {
        if (parse(pkey, type, res, p) == APR_SUCCESS) {
            return APR_SUCCESS;
        }
        maker.type = type;
        give_up("it made what is not a key of this type");
    }
    if (!maker.is_busy && !maker.failed[type]) {
        begin(type, now);
    }
    if (maker.failed[type]) {
        *pfailed = maker.failed[type];
        maker.failed[type] = NULL;
        return acme_key_generate(pkey, type, res, p);
    }
    return acme_fail(res, APR_EAGAIN, "a key of type %s is being made",
                     acme_key_type_name(type));
}

void acme_key_maker_log(const acme_log_t *log, const char *id,
                        const char *failed)
{
    if (failed) {
        acme_log(
            log, ACME_LOG_WARNING, id,
            "the process that makes keys was given up: %s; the keeper made the key itself, and served nobody meanwhile",
            failed);
    }
}

int acme_key_maker_fd(void)
{
    return maker.is_busy ? maker.fd : -1;
}

static int receive(void)
{
    const apr_time_t until = apr_time_now() + TRANSFER_MAX;
    apr_uint32_t len;
    char *pem;

    if (!acme_descriptors_receive(maker.fd, &len, sizeof(len), until)
        || len == 0 || len > ACME_KEY_MAKER_PEM_MAX) {
        return 0;
    }
    drop_ready(maker.type);
    apr_pool_create(&maker.keys[maker.type], NULL);
    pem = acme_cleanse_alloc(len + 1, maker.keys[maker.type]);
    if (!acme_descriptors_receive(maker.fd, pem, len, until)) {
        drop_ready(maker.type);
        return 0;
    }
    pem[len] = '\0';
    maker.ready[maker.type] = pem;
    return 1;
}

int acme_key_maker_step(apr_time_t now)
{
    if (!maker.is_busy) {
        return 0;
    }
    if (is_silent()) {
        if (now < maker.since) {
            maker.since = now;  /* the clock was set back */
        }
        if (now - maker.since <= MAKE_MAX) {
            return 0;
        }
        give_up("it has made none for two minutes");
        return 1;
    }
    if (receive()) {
        maker.is_busy = 0;
    }
    else {
        give_up("it ended, or failed");
    }
    return 1;
}
