/*
 * acme_cert_known.h - what the process that parses certificates said last.
 *
 * What it says depends on nothing but the question. So an installation that
 * begins again asks nothing twice, nor does who reads what was just installed.
 */
#ifndef ACME_CERT_KNOWN_H
#define ACME_CERT_KNOWN_H

#include "acme_cert_facts.h"

/* The latest answers are kept: so many at least, however long they are. */
#define ACME_CERT_KNOWN_MIN 16

/*
 * The answer to the question with this SHA-256. True when it is known now:
 * *ptext has acme_cert_facts_octets() octets, and is valid until the next call
 * here.
 */
int acme_cert_known_find(acme_cert_facts_wire_t *wire, const char **ptext,
                         const unsigned char *digest, apr_time_t now);

/*
 * Keep an answer, in place of the oldest ones. One with a verdict of
 * ACME_CERT_FACTS_FAILED is for a minute: another may be better, but who asks
 * several questions, each from the first one on, comes to an end.
 */
void acme_cert_known_add(const unsigned char *digest,
                         const acme_cert_facts_wire_t *wire, const char *text,
                         apr_time_t now);

/* Forget all: who said it is not believed any more. */
void acme_cert_known_forget(void);

#endif
