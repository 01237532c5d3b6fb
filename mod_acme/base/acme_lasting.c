/*
 * acme_lasting.c - memory that outlives loads of the configuration.
 */
#include "acme_lasting.h"

/* The key is copied: our text goes with the DSO. */
static void *keep(void *made, const char *key, apr_pool_t *process)
{
    apr_pool_userdata_set(made, key, NULL, process);
    return made;
}

static void *find(const char *key, apr_pool_t *process)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, key, process);
    return data;
}

void *acme_lasting_memory(const char *key, apr_size_t size,
                          apr_pool_t *process)
{
    void *found = find(key, process);

    return found ? found : keep(apr_pcalloc(process, size), key, process);
}

apr_hash_t *acme_lasting_hash(const char *key, apr_pool_t *process)
{
    void *found = find(key, process);

    return found ? found : keep(apr_hash_make(process), key, process);
}
