/*
 * acme_registry_expiry.c - warnings of certificates that expire.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry_expiry.h"
#include "acme_registry_change.h"
#include "acme_registry_journals.h"
#include "acme_registry_table.h"

#define WATCH_EVERY apr_time_from_sec(3600)
#define WARN_EVERY apr_time_from_sec(24 * 3600)

const char *acme_registry_expiry_text(const acme_state_t *state,
                                      apr_time_t now, apr_pool_t *p)
{
    if (!state->live || now < acme_state_warn_at(state, state->not_after)) {
        return "";
    }
    return apr_psprintf(p, ". WARNING: the served certificate %s at %s",
                        state->not_after > now ? "expires" : "expired",
                        acme_time_text(state->not_after, p));
}

/* When it was warned of last, also before a reload; 0: never. */
static apr_time_t warned_at(acme_registry_t *registry, apr_uint32_t cert,
                            apr_time_t now, apr_pool_t *p)
{
    const acme_journal_t *entry;
    int i;

    if (registry->warned[cert]) {
        return registry->warned[cert];
    }
    entry = acme_registry_journals_open(registry, cert, p);
    for (i = 0; i < entry->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(entry->events, i, acme_journal_event_t);

        if (!strcmp(event->event, "expiring") && event->when <= now) {
            registry->warned[cert] = event->when;
        }
    }
    return registry->warned[cert];
}

apr_time_t acme_registry_expiry_warn(acme_registry_t *registry, apr_time_t now,
                                     apr_pool_t *p)
{
    int i;

    for (i = 0; i < registry->conf->certs->nelts; i++) {
        const acme_state_t *state = &registry->states[i];
        const char *text = acme_registry_expiry_text(state, now, p);

        if (*text && now - warned_at(registry, (apr_uint32_t)i, now, p)
                         >= WARN_EVERY) {
            const acme_registry_change_t change =
                acme_registry_change_begin(registry, (apr_uint32_t)i, now, p);

            registry->warned[i] = now;
            acme_registry_change_save(&change, "expiring",
                                      text + strlen(". WARNING: "));
            acme_log(registry->log, ACME_LOG_WARNING,
                     acme_registry_table_cert(registry, (apr_uint32_t)i)->id,
                     "expiring%s; %s", text,
                     state->detail[0] ? state->detail
                                      : "its renewal is under way");
            acme_event_send(registry->with.events, state, ACME_EVENT_EXPIRING,
                            state->detail, p);
        }
    }
    return now + WATCH_EVERY;
}
