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
 * The answer to the question with this SHA-256. True when it is known: *ptext
 * has acme_cert_facts_octets() octets, and is valid until the next call here.
 */
int acme_cert_known_find(acme_cert_facts_wire_t *wire, const char **ptext,
                         const unsigned char *digest);

/* Keep an answer, in place of the oldest ones. */
void acme_cert_known_add(const unsigned char *digest,
                         const acme_cert_facts_wire_t *wire, const char *text);

/* Forget this one: another answer may be better. */
void acme_cert_known_drop(const unsigned char *digest);

/* Forget all: who said it is not believed any more. */
void acme_cert_known_forget(void);

#endif
