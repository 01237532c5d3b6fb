/*
 * open_store.c - see open_store.h.
 */
#include "open_store.h"

acme_store_t *open_store(void)
{
    acme_store_t *store;

    if (acme_store_open(&store, at("store"), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return store;
}
