/*
 * acme_import_found.h - what another ACME client's folder has: its accounts
 * and certificates, and its settings as directives.
 *
 * All of it is a stranger's. What is wrong with an account or a certificate is
 * in its fault: it is reported, and not taken.
 */
#ifndef ACME_IMPORT_FOUND_H
#define ACME_IMPORT_FOUND_H

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_cert_info.h"
#include "acme_key.h"

typedef struct {
    const char *place;          /* the folder it was found in */
    const char *name;           /* by which the client's certificates name it;
                                   NULL: by their CA */
    const char *ca;             /* the directory's URL; NULL: not known */
    const char *url;            /* the account's; NULL: not known */
    const apr_array_header_t *contacts; /* const char *, "mailto:..."; NULL:
                                   not known */
    acme_key_t *key;            /* NULL when there is a fault */
    const char *fault;          /* why it is not taken; NULL: it is */
    int certs;                  /* how many that are taken use it */
} acme_import_account_t;

/* A certificate with its key, checked: they belong together. */
typedef struct {
    const char *key_pem;
    const char *cert_pem;
    const char *chain_pem;
    const char *full_pem;
    const char *key_type;       /* of AcmeKeyTypes; NULL: none of these */
    acme_key_type_e type;       /* the same */
    const acme_cert_info_t *leaf;
} acme_import_part_t;

typedef struct {
    const char *place;          /* file or folder */
    const char *name;           /* the client's */
    const char *ca;             /* the directory's URL; NULL: not known */
    const char *account;        /* name of its account; NULL: by its CA */
    const char *profile;        /* as configured; NULL: none */
    int must_staple;            /* the same */
    apr_array_header_t *parts;  /* acme_import_part_t */
    acme_key_t *next_key;       /* made ahead for the next certificate, and
                                   announced, of the type of the first part;
                                   NULL: none */
    apr_array_header_t *lines;  /* const char *: directives for it */
    apr_array_header_t *notes;  /* const char *: what has no directive */
    const char *fault;          /* why it is not taken; NULL: it is */
} acme_import_cert_t;

typedef struct {
    apr_array_header_t *accounts;       /* acme_import_account_t */
    apr_array_header_t *certs;  /* acme_import_cert_t */
    apr_array_header_t *lines;  /* const char *: directives for all */
    apr_array_header_t *notes;  /* const char *: about all */
    const char *hooks;          /* folder of mod_acme's own commands */
    apr_time_t now;
    apr_pool_t *p;
} acme_import_found_t;

acme_import_found_t *acme_import_found_make(const char *hooks, apr_time_t now,
                                            apr_pool_t *p);

#define ACME_IMPORT_ACCOUNTS_MAX 1000
#define ACME_IMPORT_CERTS_MAX 20000

/* A new one, of this place; behind the last that is allowed, one that is in
   no list. */
acme_import_account_t *acme_import_found_account(acme_import_found_t *found,
                                                 const char *place);
acme_import_cert_t *acme_import_found_cert(acme_import_found_t *found,
                                           const char *place,
                                           const char *name);

/*
 * Add a text that is not there yet. A directive, "Acme...", with control
 * characters or a backslash at its end is not added: httpd would read another
 * line.
 */
void acme_import_found_add(apr_array_header_t *texts, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The account's fault, if none is known: no key, a CA that is not known, or
 * one for tests. A URL that is not at the CA's host is forgotten.
 */
void acme_import_found_check_account(acme_import_account_t *account,
                                     apr_pool_t *p);

/* Is it the URL of a CA that issues for tests only? NULL is not. p is for
   scratch. */
int acme_import_found_is_test_ca(const char *url, apr_pool_t *p);

/* Is a name in the chain that of a CA for tests? So its chains say. */
int acme_import_found_is_test_issuer(const char *name);

#endif
