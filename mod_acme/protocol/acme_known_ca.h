/*
 * acme_known_ca.h - the public CAs that AcmeCA has a shorthand for: one table
 * of all that the program knows of each without asking it.
 */
#ifndef ACME_KNOWN_CA_H
#define ACME_KNOWN_CA_H

#include <apr_pools.h>
#include <apr_time.h>

/* The shorthands of the table, in its order, for texts. */
#define ACME_KNOWN_CA_SHORTHANDS \
    "letsencrypt, letsencrypt-staging, zerossl, google, sslcom, actalis, " \
    "jprs, buypass, buypass-test"

/* The kinds of published rate limits, by what is counted. */
typedef enum {
    ACME_LIMIT_ORDERS,          /* new orders of an account */
    ACME_LIMIT_DOMAIN,          /* certificates for a registered domain */
    ACME_LIMIT_NAMES,           /* certificates for exactly the same names */
    ACME_LIMIT_FAILURES,        /* failed validations of a name */
    ACME_LIMIT_KINDS            /* how many there are */
} acme_limit_e;

typedef struct {
    int count;                  /* 0: the CA publishes no such limit */
    apr_interval_time_t period; /* microseconds */
} acme_known_ca_limit_t;

#define ACME_KNOWN_CA_PROFILES 2

/* A profile with another number of names than the CA's default one. */
typedef struct {
    const char *name;           /* NULL ends the list */
    int names;                  /* at most in a certificate */
} acme_known_ca_profile_t;

typedef struct {
    const char *shorthand;      /* as in AcmeCA */
    const char *title;          /* for people */
    const char *directory;      /* URL */
    const char *caa;            /* its issuer domain in CAA records (8659) */
    const char *staging;        /* shorthand of its staging environment; NULL:
                                   it has none */
    int needs_external_account; /* see AcmeExternalAccount */
    int names;                  /* at most in a certificate */
    acme_known_ca_profile_t profiles[ACME_KNOWN_CA_PROFILES + 1];
    acme_known_ca_limit_t limits[ACME_LIMIT_KINDS];
} acme_known_ca_t;

/* Row i of the table, from 0; NULL behind the last. */
const acme_known_ca_t *acme_known_ca_at(int i);

/* The CA of this shorthand, in letters of any case; NULL: not known. */
const acme_known_ca_t *acme_known_ca_find(const char *shorthand);

/*
 * The CA whose directory has the same host as url, which acme_url_check()
 * allows: limits are the CA's, whichever of its directories is used. NULL: not
 * known. p is for scratch.
 */
const acme_known_ca_t *acme_known_ca_of_url(const char *url, apr_pool_t *p);

/*
 * The staging environment of the CA that acme_known_ca_of_url() finds for url;
 * NULL: it has none, or is one itself.
 */
const acme_known_ca_t *acme_known_ca_staging(const char *url, apr_pool_t *p);

/*
 * The number of names that a certificate of this profile (NULL: the default
 * one) may have, at any CA: that of the first CA in the table with such a
 * profile, else the number that most CAs allow. A CA that allows fewer refuses
 * the order and says so.
 */
int acme_known_ca_names(const char *profile);

#endif
