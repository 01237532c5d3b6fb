/*
 * acme_cleanse.h - secrets are overwritten before their memory is used again.
 */
#ifndef ACME_CLEANSE_H
#define ACME_CLEANSE_H

#include <apr_pools.h>

/* Overwrite len octets at data in a way that no compiler leaves out. */
void acme_cleanse(void *data, apr_size_t len);

/*
 * Reserve memory for secrets in this process: locked, so that it is never
 * swapped, left out of core files, and not next to other memory. From now on
 * acme_cleanse_alloc() and OpenSSL's private numbers are in it. Where that
 * cannot be had nothing changes.
 */
void acme_cleanse_reserve(void);

/* Memory for a secret, which is overwritten when p ends. */
void *acme_cleanse_alloc(apr_size_t len, apr_pool_t *p);

#endif
