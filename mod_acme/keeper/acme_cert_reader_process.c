/*
 * acme_cert_reader_process.c - the process that parses certificates, itself.
 *
 * A fork of the launcher, whose signals it has: they are blocked. What it does
 * not own it cannot give away: it is confined before it reads the first octet.
 */
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_cert_facts.h"
#include "acme_cert_reader_process.h"
#include "acme_chain.h"
#include "acme_confine.h"
#include "acme_descriptors.h"
#include "acme_helper_process.h"
#include "acme_pair.h"
#include "acme_self_signed.h"

#define A_DAY apr_time_from_sec(24 * 3600)

static void parse(acme_cert_facts_t *facts, acme_octets_t pem,
                  const apr_array_header_t *ciphers, apr_pool_t *p)
{
    acme_chain_t *chain;

    memset(facts, 0, sizeof(*facts));
    if (acme_pair_check_certs(&facts->key, pem, ciphers, &facts->loads, p)
        == APR_SUCCESS) {
        acme_result_clear(&facts->loads);
    }
    if (acme_chain_parse(&chain, (const char *)pem.data, pem.len,
                         &facts->parsed, p)) {
        return;
    }
    acme_result_clear(&facts->parsed);
    if (acme_chain_linked(chain, &facts->linked, p) == APR_SUCCESS) {
        acme_result_clear(&facts->linked);
    }
    facts->leaf = *acme_chain_leaf(chain);
    while (acme_chain_x509(chain, facts->count)) {
        facts->count++;
    }
}

/* Each with its NUL; NULL: the last one has none. */
static apr_array_header_t *split_lists(const char *text, apr_size_t len,
                                       apr_pool_t *p)
{
    apr_array_header_t *lists = apr_array_make(p, 4, sizeof(const char *));
    const char *const end = text + len;

    if (len && end[-1]) {
        return NULL;
    }
    for (; text < end; text += strlen(text) + 1) {
        APR_ARRAY_PUSH(lists, const char *) = text;
    }
    return lists;
}

/* 0: the keeper ended, or broke the protocol. */
static int serve(int fd, apr_pool_t *p)
{
    const apr_array_header_t *ciphers;
    acme_cert_reader_request_t request;
    acme_cert_facts_wire_t wire;
    acme_cert_facts_t facts;
    apr_time_t begun;
    const char *texts;
    char *data;

    if (!acme_descriptors_receive(fd, &request, sizeof(request), 0)
        || request.pem > ACME_CERT_READER_PEM_MAX
        || request.ciphers > ACME_CERT_READER_CIPHERS_MAX) {
        return 0;
    }
    data = apr_palloc(p, (apr_size_t)request.pem + request.ciphers + 1);
    if (!acme_descriptors_receive(fd, data,
                                  (apr_size_t)request.pem + request.ciphers,
                                  0)) {
        return 0;
    }
    begun = apr_time_now();
    ciphers = split_lists(data + request.pem, request.ciphers, p);
    if (!ciphers) {
        return 0;
    }
    parse(&facts, (acme_octets_t) { (unsigned char *)data, request.pem },
          ciphers, p);
    texts = acme_cert_facts_write(&wire, &facts, p);
    wire.needed = apr_time_now() - begun;
    return acme_descriptors_send(fd, &wire, sizeof(wire), 0)
        && acme_descriptors_send(fd, texts, acme_cert_facts_octets(&wire), 0);
}

/*
 * What OpenSSL and the C library read once, such as time zones and providers,
 * they read now: no file can be opened later.
 */
static void read_one_of_ours(apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 1, sizeof(const char *));
    acme_self_signed_t ours = { .names = names, .now = apr_time_now(),
                                .valid = A_DAY };
    acme_cert_facts_t facts;
    acme_result_t ignored;
    acme_key_t *key;
    const char *pem;

    APR_ARRAY_PUSH(names, const char *) = "localhost";
    if (acme_key_generate(&key, ACME_KEY_P256, &ignored, p)
        || acme_key_pem(&ours.key_pem, key, &ignored, p)
        || acme_self_signed_make(&pem, &ours, &ignored, p)) {
        return;
    }
    pem = apr_pstrcat(p, pem, pem, NULL);       /* "signed by the next" */
    parse(&facts, (acme_octets_t) { (const unsigned char *)pem, strlen(pem) },
          NULL, p);
}

void acme_cert_reader_process_run(int fd, const acme_launcher_rules_t *rules)
{
    apr_pool_t *p;

    fd = acme_helper_process_begin(fd, "acme-certs",
                                   "parses certificates for the keeper",
                                   rules);
    apr_pool_create(&p, NULL);
    read_one_of_ours(p);
    acme_confine_parser(rules->user);
    do {
        apr_pool_clear(p);
    } while (serve(fd, p));
    _exit(0);
}
