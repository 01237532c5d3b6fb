/*
 * acme_ca_pace.h - how long a CA usually takes, learned from orders.
 *
 * A worker measures, the keeper keeps it, and later orders begin with it. What
 * a worker says is hostile: each number is bounded when it is added, and
 * nothing but waits depends on it.
 */
#ifndef ACME_CA_PACE_H
#define ACME_CA_PACE_H

#include <apr.h>

/* What is measured, in milliseconds but for VISITS. */
typedef enum {
    ACME_PACE_SEEN,             /* from the answer to a challenge until the
                                   order is ready, of challenges for which
                                   validators come to this server */
    ACME_PACE_UNSEEN,           /* of others: dns-01, dns-persist-01 */
    ACME_PACE_SETTLED,          /* from the last validator's visit until the
                                   order is ready */
    ACME_PACE_VISITS,           /* of validators, for each challenge */
    ACME_PACE_ISSUED,           /* from finalize until the certificate */
    ACME_PACES
} acme_pace_e;

#define ACME_PACE_KEPT 15       /* measurements of each */
#define ACME_PACE_MAX 10000     /* more counts as this */

/* The last measurements of a time, or of VISITS. */
typedef struct {
    apr_uint32_t n;             /* how many there are */
    apr_uint32_t at_once;       /* how many of the newest in a row were made
                                   with the first look: the CA may be faster */
    apr_uint32_t values[ACME_PACE_KEPT];        /* the newest first */
} acme_pace_t;

typedef struct {
    acme_pace_t of[ACME_PACES];
} acme_ca_pace_t;

/* "seen", ...: the member of run/pace.json, a literal. */
const char *acme_ca_pace_word(acme_pace_e what);

/* Add a measurement, made with the look of this number. The oldest goes. */
void acme_ca_pace_add(acme_pace_t *pace, apr_uint32_t value,
                      apr_uint32_t looks);

/* Of those that there are; 0: there is none. Of two in the middle it is the
   greater one. */
apr_uint32_t acme_ca_pace_median(const acme_pace_t *pace);

#endif
