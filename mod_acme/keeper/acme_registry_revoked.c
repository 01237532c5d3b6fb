/*
 * acme_registry_revoked.c - what was revoked.
 */
#include <string.h>

#include "acme_archive.h"
#include "acme_meta.h"
#include "acme_registry_revoked.h"
#include "acme_registry_table.h"

void acme_registry_revoked_record(acme_registry_t *registry, apr_uint32_t cert,
                                  apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = &registry->states[cert];
    const char *id = acme_registry_table_cert(registry, cert)->id;
    acme_result_t res;

    if (!state->revoked || !state->live) {
        return;
    }
    if (acme_meta_set_revoked(registry->store, id, state->live, now, &res,
                              p)) {
        acme_log(registry->log, ACME_LOG_ERROR, id, "%s", res.detail);
    }
    /* Of all: it may be a copy of another's, which is recorded there, too. */
    memset(registry->none_revoked, 0,
           (apr_size_t)registry->conf->certs->nelts);
}

int acme_registry_revoked_has_key(acme_registry_t *registry, apr_uint32_t cert,
                                  const char *key_pem, apr_pool_t *p)
{
    const char *id = acme_registry_table_cert(registry, cert)->id;
    char *none = &registry->none_revoked[cert];

    *none = *none
        || !acme_archive_may_have_revoked(registry->store, id, p);
    return !*none
        && acme_archive_is_void_key(registry->store, id, key_pem, p);
}
