/*
 * acme_ca.h - a CA as all threads share it: its URL, its directory for a day,
 * its nonces.
 *
 * Every call may come from any thread.
 */
#ifndef ACME_CA_H
#define ACME_CA_H

#include "acme_directory.h"
#include "acme_nonces.h"

typedef struct acme_ca_t acme_ca_t;

/*
 * A CA whose directory is at url, which is copied. *pca lives as long as p;
 * after a failure (of APR's: no memory) it is NULL.
 */
apr_status_t acme_ca_create(acme_ca_t **pca, const char *url, apr_pool_t *p);

/* The URL of the directory; it lives as long as ca. */
const char *acme_ca_url(const acme_ca_t *ca);

/* The nonces of this CA, which belong to ca. */
acme_nonces_t *acme_ca_nonces(acme_ca_t *ca);

/*
 * A copy in p of the directory that was kept; NULL: none was, or it is older
 * than a day, or was forgotten.
 */
const acme_directory_t *acme_ca_directory(acme_ca_t *ca, apr_pool_t *p);

/*
 * One fetches the directory, and the others wait for it. begin: true when
 * nobody fetches it, and then end is owed. Else it waits for the end of who
 * does, and a directory may be there, or may have failed.
 */
int acme_ca_directory_begin(acme_ca_t *ca);
void acme_ca_directory_end(acme_ca_t *ca);

/* Keep a copy of a directory that was fetched just now. */
void acme_ca_directory_keep(acme_ca_t *ca, const acme_directory_t *fresh);

/*
 * Drop the directory, which may have changed: the next acme_ca_directory() is
 * NULL, and the session fetches it anew.
 */
void acme_ca_directory_forget(acme_ca_t *ca);

#endif
