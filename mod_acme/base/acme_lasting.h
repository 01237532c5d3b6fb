/*
 * acme_lasting.h - memory that outlives loads of the configuration.
 *
 * It is found again by its key in the userdata of httpd's process pool. A load
 * may bring another version of the module: a key belongs to one shape of what
 * lies there, and has a number, or another name, when the shape changes.
 */
#ifndef ACME_LASTING_H
#define ACME_LASTING_H

#include <apr_hash.h>
#include <apr_pools.h>

/* Memory of this size, zeros when it is made. process is the process pool. */
void *acme_lasting_memory(const char *key, apr_size_t size,
                          apr_pool_t *process);

/* A hash table, empty when it is made; its keys and values live as long as
   process. */
apr_hash_t *acme_lasting_hash(const char *key, apr_pool_t *process);

#endif
