/*
 * acme_state.h - how a certificate stands: what the keeper knows and tells.
 *
 * Plain memory without pointers: it travels in messages and lies on the board.
 */
#ifndef ACME_STATE_H
#define ACME_STATE_H

#include "acme_conf.h"
#include "acme_store.h"

#define ACME_SERIAL_SIZE 48
#define ACME_ISSUER_SIZE 80

typedef struct {
    apr_uint32_t cert;          /* index in the configuration */
    apr_uint64_t change;        /* counts up with each change of any state */

    int agreed;
    int served;                 /* archive that this load of httpd serves; 0:
                                   the placeholder */
    int live;                   /* archive that live/<id> points to; 0: none */
    int covers;                 /* it has all names that are configured, and
                                   its CA and key type are those as well */
    apr_time_t not_before;      /* of the live one, 0 when there is none */
    apr_time_t not_after;
    apr_time_t installed;       /* by our own clock */
    acme_window_t renew;
    acme_window_t warn;
    char serial[ACME_SERIAL_SIZE];
    char issuer[ACME_ISSUER_SIZE];

    int wanted;                 /* the administrator asked for a renewal */
    int ordering;               /* an order is under way since: */
    apr_time_t ordering_since;
    apr_uint32_t attempts;      /* failures in a row */
    acme_retry_e retry;         /* of the last failure */
    apr_time_t next_at;         /* not before this, after a failure */
    char problem[ACME_PROBLEM_SIZE];
    char detail[ACME_DETAIL_SIZE];
} acme_state_t;

/*
 * Read how a certificate stands from the store. A damaged journal is set aside
 * and a live folder that can't be read is treated as missing; the status and
 * res tell of it, and state is whole in any case.
 */
apr_status_t acme_state_load(acme_state_t *state, const acme_conf_t *conf,
                             apr_uint32_t index, acme_store_t *store,
                             acme_result_t *res, apr_pool_t *p);

/* From here on a certificate that ends at not_after is a worry. */
apr_time_t acme_state_warn_at(const acme_state_t *state,
                              apr_time_t not_after);

/*
 * One word for people and scripts: placeholder, ordering, valid, renewing,
 * failed, expired, not-agreed.
 */
const char *acme_state_word(const acme_state_t *state, apr_time_t now);

#endif
