/*
 * acme_cert_facts.h - what the process that parses certificates tells the
 * keeper of a chain.
 *
 * A struct of fixed size and then texts, whose lengths are in it. The keeper
 * believes that process no more than a worker: a hostile certificate may have
 * taken it over.
 */
#ifndef ACME_CERT_FACTS_H
#define ACME_CERT_FACTS_H

#include "acme_cert_info.h"
#include "acme_message.h"
#include "acme_octets.h"

typedef struct {
    acme_result_t parsed;       /* status 0, or why acme_chain_parse() refuses
                                   it: only loads and key count then */
    acme_result_t linked;       /* of acme_chain_linked() */
    acme_result_t loads;        /* of acme_pair_check_certs() */
    acme_octets_t key;          /* of the leaf (acme_public_key.h), or none */
    acme_cert_info_t leaf;      /* up to cert_id; not the rest */
    int count;                  /* of certificates */
    int has_ocsp;               /* boolean: the leaf names a responder */
} acme_cert_facts_t;

/* The texts, in the order in which they are sent. */
typedef enum {
    ACME_CERT_FACTS_PARSED,     /* details of the results, "" when it is 0 */
    ACME_CERT_FACTS_LINKED,
    ACME_CERT_FACTS_LOADS,
    ACME_CERT_FACTS_SERIAL,
    ACME_CERT_FACTS_ISSUER,
    ACME_CERT_FACTS_CERT_ID,    /* "": none */
    ACME_CERT_FACTS_KEY,        /* octets */
    ACME_CERT_FACTS_NAMES,      /* each with a NUL behind it */
    ACME_CERT_FACTS_TEXTS
} acme_cert_facts_text_e;

/* Names that a certificate may have, and octets of them. */
#define ACME_CERT_FACTS_NAMES_MAX ACME_NAMES_MAX
#define ACME_CERT_FACTS_OCTETS_MAX (512 * 1024)

typedef enum {
    ACME_CERT_FACTS_GOOD,
    ACME_CERT_FACTS_REFUSED,    /* APR_EINVAL */
    ACME_CERT_FACTS_FAILED      /* APR_EGENERAL: OpenSSL, memory */
} acme_cert_facts_verdict_e;

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

typedef struct {
    apr_int64_t not_before;
    apr_int64_t not_after;
    apr_int64_t needed;         /* microseconds that the process was at it */
    apr_uint32_t verdicts[3];   /* acme_cert_facts_verdict_e: parsed, linked,
                                   loads */
    apr_uint32_t count;
    apr_uint32_t names;         /* how many */
    apr_uint32_t lengths[ACME_CERT_FACTS_TEXTS];
    apr_uint32_t has_ocsp;      /* 0 or 1 */
} acme_cert_facts_wire_t;

#pragma GCC diagnostic pop

/* Octets that follow wire; ACME_CERT_FACTS_OCTETS_MAX at most, else it lies. */
apr_size_t acme_cert_facts_octets(const acme_cert_facts_wire_t *wire);

/* As it is sent: wire, and the octets that follow, in p. More names than
   allowed are a refusal of the chain. */
const char *acme_cert_facts_write(acme_cert_facts_wire_t *wire,
                                  acme_cert_facts_t *facts, apr_pool_t *p);

/*
 * As it was received; text has acme_cert_facts_octets() octets. Whatever could
 * not be said by an honest process is APR_EINVAL, and facts counts for nothing:
 * other lengths, texts that are not printable, names with other characters than
 * those of acme_name.h, times before the year 0 or after 9999. Else facts is in
 * p, and text not needed any more.
 */
apr_status_t acme_cert_facts_read(acme_cert_facts_t *facts,
                                  const acme_cert_facts_wire_t *wire,
                                  const char *text, acme_result_t *res,
                                  apr_pool_t *p);

#endif
