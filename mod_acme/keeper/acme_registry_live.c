/*
 * acme_registry_live.c - certificates that are installed and activated.
 */
#include <apr_strings.h>

#include "acme_registry_live.h"
#include "acme_counters.h"
#include "acme_name_quarantine.h"
#include "acme_registry_change.h"
#include "acme_registry_journals.h"
#include "acme_registry_request.h"
#include "acme_registry_table.h"

void acme_registry_live_installed(acme_registry_t *registry, apr_uint32_t cert,
                                  const apr_array_header_t *names,
                                  apr_time_t now, apr_pool_t *p)
{
    const acme_registry_change_t change =
        acme_registry_change_begin(registry, cert, now, p);
    acme_state_t *state = &registry->states[cert];
    const char *detail;

    acme_counters_attempt(cert, ACME_ATTEMPT_SUCCESS);
    state->attempts = 0;
    state->next_at = 0;
    state->retry = ACME_RETRY_SOON;
    acme_registry_request_end_renewal(state);
    state->deleted = 0;
    state->ordering = 0;
    state->why = ACME_REASON_NONE;
    state->problem[0] = '\0';
    state->detail[0] = '\0';
    state->rehearsal = ACME_REHEARSAL_NONE; /* the CA has seen better */
    state->rehearsal_why = ACME_REASON_NONE;
    state->rehearsal_detail[0] = '\0';

    detail = apr_psprintf(p, "archive/%s/%d",
                          acme_registry_table_cert(registry, cert)->id,
                          state->live);
    acme_name_quarantine_issued(change.journal, names);
    acme_registry_change_note(&change, "installed", detail);
    acme_registry_journals_write_one(registry, cert, now, p);
    acme_event_send(registry->with.events, state, ACME_EVENT_INSTALLED, detail,
                    p);
    acme_registry_table_publish(registry, cert);
}

/* As after a reload, of what no visitor may get nobody must think that it is
   served. */
static void log_activated(const acme_registry_change_t *change)
{
    const acme_state_t *state = change->state;
    const char *until = acme_time_text(state->not_after, change->p);

    if (state->instead == ACME_INSTEAD_FOREIGN) {
        acme_log(change->registry->log, ACME_LOG_NOTICE, change->conf->id,
                 "given to running workers, without a reload, but visitors of a name of it get what another virtual host or module has (see the warning of httpd's start or reload); serial %s, valid until %s",
                 state->serial, until);
        return;
    }
    acme_log(change->registry->log, ACME_LOG_NOTICE, change->conf->id,
             "served now by running workers, without a reload; serial %s, valid until %s",
             state->serial, until);
}

void acme_registry_live_activated(acme_registry_t *registry, apr_uint32_t cert,
                                  apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = acme_registry_table_cert(registry, cert);
    const acme_registry_change_t change =
        acme_registry_change_begin(registry, cert, now, p);
    acme_state_t *state = &registry->states[cert];
    const int is_seen = state->instead != ACME_INSTEAD_FOREIGN;

    state->served = state->live;
    state->activated = 1;
    state->not_live = ACME_NOT_LIVE_NONE;
    if (state->instead == ACME_INSTEAD_STAND_IN) {
        state->instead = ACME_INSTEAD_NOTHING;
    }
    /* What was seen is of another one. */
    state->check = ACME_CHECK_NONE;
    state->check_tries = 0;
    state->checked = 0;
    state->check_places[0] = state->check_detail[0] = '\0';
    state->check_at = conf->visits_digest ? now : 0;
    log_activated(&change);
    acme_registry_change_save(&change, is_seen ? "activated" : NULL,
                              apr_psprintf(
                                  p, "archive/%s/%d, in running workers",
                                  conf->id, state->live));
    acme_registry_table_publish(registry, cert);
}

void acme_registry_live_not_activated(acme_registry_t *registry,
                                      apr_uint32_t cert, acme_not_live_e why)
{
    registry->states[cert].not_live = why;
    acme_registry_table_publish(registry, cert);
}
