/*
 * acme_registry_rehearsal.c - rehearsals of the validations.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry_rehearsal.h"
#include "acme_registry_change.h"
#include "acme_registry_table.h"
#include "acme_rehearsal.h"

/* How often one began. */
#define REHEARSALS_MAX 2        /* that the administrator asked for */

void acme_registry_rehearsal_wanted(acme_registry_t *registry,
                                    apr_uint32_t cert, apr_time_t now)
{
    registry->states[cert].rehearse_at = now;
    registry->states[cert].rehearse_fully = 1;
    acme_registry_table_publish(registry, cert);
}

apr_status_t acme_registry_rehearsal_begin(acme_registry_t *registry,
                                           apr_uint32_t cert)
{
    const acme_state_t *state = &registry->states[cert];
    acme_registry_rehearsal_t *rehearsal = &registry->rehearsals[cert];

    if (!state->rehearse_at) {
        return APR_ENOENT;
    }
    if (rehearsal->of != state->rehearse_at) {
        *rehearsal = (acme_registry_rehearsal_t) { .of = state->rehearse_at };
    }
    if (rehearsal->begun >= (state->rehearse_fully ? REHEARSALS_MAX : 1)) {
        return APR_EGENERAL;
    }
    rehearsal->begun++;
    return APR_SUCCESS;
}

int acme_registry_rehearsal_is_under_way(const acme_registry_t *registry,
                                         apr_uint32_t cert,
                                         apr_time_t rehearse_at)
{
    const acme_registry_rehearsal_t *rehearsal = &registry->rehearsals[cert];

    return rehearse_at && rehearsal->begun && rehearsal->of == rehearse_at;
}

void acme_registry_rehearsal_done(acme_registry_t *registry, apr_uint32_t cert,
                                  apr_time_t rehearse_at,
                                  const apr_array_header_t *findings,
                                  apr_time_t now, apr_pool_t *p)
{
    const acme_rehearsal_finding_t *worst = acme_rehearsal_worst(findings);
    const char *id = acme_registry_table_cert(registry, cert)->id;
    acme_state_t *state = &registry->states[cert];
    const char *detail = worst && worst->level >= ACME_REHEARSAL_UNSEEN
        ? acme_rehearsal_sentence(worst, p) : "";
    const int is_new = strncmp(detail, state->rehearsal_detail,
                               sizeof(state->rehearsal_detail) - 1) != 0;
    acme_registry_change_t change;

    registry->rehearsals[cert].begun = 0;
    if (state->rehearse_at == rehearse_at) {
        state->rehearse_at = 0;
        state->rehearse_fully = 0;
    }
    state->rehearsed = now;
    state->rehearsal = worst ? worst->level : ACME_REHEARSAL_NONE;
    state->rehearsal_why = worst && worst->level == ACME_REHEARSAL_FAULT
        ? worst->reason : ACME_REASON_NONE;
    apr_cpystrn(state->rehearsal_detail, detail,
                sizeof(state->rehearsal_detail));
    if (state->rehearsal == ACME_REHEARSAL_FAULT) {
        const acme_reason_t *about = acme_reason_about(state->rehearsal_why);

        acme_log(registry->log, ACME_LOG_WARNING, id, "check: %s: %s. %s",
                 about->code, detail, about->remedy);
    }
    else {
        acme_log(registry->log, ACME_LOG_NOTICE, id,
                 *detail ? "check: no fault seen from this machine; cannot be seen: %s"
                         : "check: no fault seen from this machine%s",
                 detail);
    }
    change = acme_registry_change_begin(registry, cert, now, p);
    acme_registry_change_save(
        &change,
        is_new && state->rehearsal == ACME_REHEARSAL_FAULT ? "check" : NULL,
        detail);
    acme_registry_table_publish(registry, cert);
}
