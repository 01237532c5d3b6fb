/*
 * acme_registry_limit.c - orders that a limit of the CA postpones.
 */
#include <apr_strings.h>

#include "acme_registry_limit.h"
#include "acme_registry_change.h"
#include "acme_registry_table.h"

void acme_registry_limit_noted(acme_registry_t *registry,
                               const acme_msg_note_t *note, apr_time_t now,
                               apr_pool_t *p)
{
    acme_state_t *state = &registry->states[note->about.cert];

    state->limit_until = acme_registry_change_next_at(note->next_at, now);
    state->limit_why = acme_reason_bound(note->why);
    state->limit_ca = note->about.ca;
    if (state->limit_why == ACME_REASON_CA_SLOW) {
        state->ordering = 0;    /* the CA wants it to be left alone */
    }
    apr_cpystrn(state->limit, acme_registry_change_detail(note, p),
                sizeof(state->limit));
}

void acme_registry_limit_forget(acme_state_t *state)
{
    state->limit_until = 0;
    state->limit[0] = '\0';
}
