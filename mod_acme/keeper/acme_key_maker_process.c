/*
 * acme_key_maker_process.c - the process that makes keys, itself.
 *
 * A fork of the launcher, as acme_cert_reader_process.c is one. It reads
 * nothing of a stranger. Each key is overwritten before the next one is made.
 */
#include <string.h>
#include <unistd.h>

#include "acme_cleanse.h"
#include "acme_confine.h"
#include "acme_descriptors.h"
#include "acme_helper_process.h"
#include "acme_key.h"
#include "acme_key_maker_process.h"

/* What OpenSSL reads once it reads now: no file can be opened later. */
static void make_one(apr_pool_t *p)
{
    acme_result_t ignored;
    acme_key_t *key;
    const char *pem;

    if (!acme_key_generate(&key, ACME_KEY_P256, &ignored, p)) {
        (void)acme_key_pem(&pem, key, &ignored, p);
    }
}

/* 0: the keeper ended, or broke the protocol. */
static int serve(int fd, apr_pool_t *p)
{
    apr_uint32_t type, len = 0;
    const char *pem = "";
    acme_result_t ignored;
    acme_key_t *key;

    if (!acme_descriptors_receive(fd, &type, sizeof(type), 0)
        || type > ACME_KEY_RSA4096) {
        return 0;
    }
    if (!acme_key_generate(&key, (acme_key_type_e)type, &ignored, p)
        && !acme_key_pem(&pem, key, &ignored, p)
        && strlen(pem) <= ACME_KEY_MAKER_PEM_MAX) {
        len = (apr_uint32_t)strlen(pem);
    }
    return acme_descriptors_send(fd, &len, sizeof(len), 0)
        && acme_descriptors_send(fd, pem, len, 0);
}

void acme_key_maker_process_run(int fd, const acme_launcher_rules_t *rules)
{
    apr_pool_t *p;

    fd = acme_helper_process_begin(fd, "acme-keys",
                                   "makes keys for the keeper", rules);
    acme_cleanse_reserve();
    apr_pool_create(&p, NULL);
    make_one(p);
    acme_confine_parser(rules->user);
    do {
        apr_pool_clear(p);
    } while (serve(fd, p));
    apr_pool_clear(p);
    _exit(0);
}
