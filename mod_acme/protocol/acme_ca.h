/*
 * acme_ca.h - what all threads share of a CA: its URL, its directory for a
 * day, its nonces.
 */
#ifndef ACME_CA_H
#define ACME_CA_H

#include "acme_directory.h"
#include "acme_nonces.h"

typedef struct acme_ca_t acme_ca_t;

/* url is the directory's. Lives as long as p. */
apr_status_t acme_ca_create(acme_ca_t **pca, const char *url, apr_pool_t *p);

/* The URL of the directory; lives as long as ca. */
const char *acme_ca_url(const acme_ca_t *ca);

/* The nonces that all threads share; they live as long as ca. */
acme_nonces_t *acme_ca_nonces(acme_ca_t *ca);

/* A copy of the directory in p, if one is kept that is fresh, else NULL. */
const acme_directory_t *acme_ca_directory(acme_ca_t *ca, apr_pool_t *p);

/* Keep a copy of a directory that was fetched just now. */
void acme_ca_directory_keep(acme_ca_t *ca, const acme_directory_t *fresh);

/* Drop the copy, so that the directory is fetched again: it has changed. */
void acme_ca_directory_forget(acme_ca_t *ca);

#endif
