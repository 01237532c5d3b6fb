/*
 * acme_cert_reader_process.h - the process that parses certificates, itself.
 *
 * It has no key, no right, no file and one socket. It gets a request and its
 * octets, and replies with an acme_cert_facts_wire_t and its octets.
 */
#ifndef ACME_CERT_READER_PROCESS_H
#define ACME_CERT_READER_PROCESS_H

#include <apr.h>

#include "acme_launcher_rules.h"

typedef struct {
    apr_uint32_t pem;           /* octets of PEM text, and behind them */
    apr_uint32_t ciphers;       /*   of lists of ciphers, each with its NUL */
} acme_cert_reader_request_t;

/* Octets. */
#define ACME_CERT_READER_PEM_MAX (1024 * 1024)
#define ACME_CERT_READER_CIPHERS_MAX (1024 * 1024)

/*
 * Be that process, for the keeper at the other end of the socket fd; exits when
 * the keeper ended. All other descriptors are closed.
 */
void acme_cert_reader_process_run(int fd, const acme_launcher_rules_t *rules)
    __attribute__((noreturn));

#endif
