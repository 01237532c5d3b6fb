/*
 * acme_challenge_pick.h - which challenge of a name is answered.
 */
#ifndef ACME_CHALLENGE_PICK_H
#define ACME_CHALLENGE_PICK_H

#include "acme_task.h"

typedef struct {
    acme_challenge_e type;
    const acme_challenge_t *challenge;
} acme_challenge_pick_t;

/*
 * The first one that is configured, can work for this name, is offered, and
 * did not fail the last time; when all have failed, the first of them again.
 * A wildcard goes by the DNS, an address by its ports. dns-persist-01 counts
 * only when its record is there. ENOTIMPL: none can be answered, and res of
 * the work says what would be needed.
 */
apr_status_t acme_challenge_pick_make(acme_challenge_pick_t *choice,
                                      acme_task_t *work,
                                      const acme_authorization_t *authz);

/* Position of an authorization's name in the configuration; ACME_NO_NAME. */
apr_uint32_t acme_challenge_pick_name(const acme_task_t *work,
                                      const acme_authorization_t *authz);

/* Is there still a challenge for the blamed name that was not tried? */
int acme_challenge_pick_another(const acme_task_t *work);

#endif
