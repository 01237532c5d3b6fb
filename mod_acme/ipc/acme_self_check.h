/*
 * acme_self_check.h - httpd is visited, to see whether it serves what it
 * should: when, and what follows from it.
 *
 * What mod_ssl loaded need not be what visitors get: another module, an old
 * process or another server may answer them. Everything here is a function of
 * its arguments; the witness looks, and the keeper draws the conclusion.
 */
#ifndef ACME_SELF_CHECK_H
#define ACME_SELF_CHECK_H

#include "acme_state.h"

/* Visits of a certificate: those of more names and places are left out. */
#define ACME_VISITS_MAX 64

/* What is known from before this load. */
typedef struct {
    const char *id;             /* of the certificate */
    acme_check_e check;         /* ACME_CHECK_NONE: never of what is served
                                   now, and where that is */
    int is_first;               /* never of this certificate at all */
    apr_time_t installed;
} acme_self_check_past_t;

/*
 * When to look first after a load: at once at what this load serves anew, or
 * elsewhere, and at what was not found to be served. At all others once a day,
 * at a time of day that is their own: there may be thousands, and many loads a
 * day. So too at what was installed before it was ever checked.
 */
apr_time_t acme_self_check_first_at(const acme_self_check_past_t *past,
                                    apr_time_t now);

/*
 * When to look again: daily, and after 1, 10 and 100 minutes when it is not
 * served, or could not be seen; tries: how often in a row, this one included.
 */
apr_time_t acme_self_check_next_at(const char *id, acme_check_e check,
                                   apr_uint32_t tries, apr_time_t now);

/*
 * Is it time to look? Not before a load has it: what is installed since, or
 * stands in for it, is known without.
 */
int acme_self_check_is_due(const acme_state_t *state, apr_time_t now);

/*
 * Could a reload help? When visitors get an older certificate of ours, or the
 * placeholder, somewhere (is_ours), and no configuration explains it; once for
 * each certificate: reloaded is the serial of the one for which that was done,
 * or "".
 */
int acme_self_check_can_reload(const acme_state_t *state, const char *reloaded,
                               int is_ours);

/*
 * May httpd be reloaded for the certificate at cert, of the states of all?
 * Not when a reload did not help another one: an old process or another server
 * answers, perhaps for thousands. Else once an hour.
 */
int acme_self_check_may_reload(const acme_state_t *states, apr_uint32_t count,
                               apr_uint32_t cert, apr_time_t now);

#endif
