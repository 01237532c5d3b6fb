/*
 * acme_install_check.h - what an issued chain must be before it is installed.
 *
 * The chain came from a CA through a worker: both may be hostile.
 */
#ifndef ACME_INSTALL_CHECK_H
#define ACME_INSTALL_CHECK_H

#include "acme_chain.h"
#include "acme_state.h"

typedef struct {
    const char *id;
    const apr_array_header_t *names;    /* const char *: what was asked for */
    acme_key_t *key;                    /* the one we made for it */
    apr_interval_time_t life_max;       /* it may last so long at most */
    apr_time_t replaced_until;          /* it must last until then at least; 0:
                                           nothing is expected */
    apr_time_t now;
} acme_install_check_t;

/*
 * Its key is ours, its names are those asked for and no more, it is valid
 * now, it ends no earlier than what it replaces, and each certificate is
 * signed by the next. res says what is not so, and what to look at.
 */
apr_status_t acme_install_check_chain(const acme_chain_t *chain,
                                      const acme_install_check_t *asked,
                                      acme_result_t *res, apr_pool_t *p);

#endif
