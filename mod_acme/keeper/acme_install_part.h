/*
 * acme_install_part.h - a part of a certificate that is prepared or installed,
 * with all that the files acme_install*.c need for it.
 */
#ifndef ACME_INSTALL_PART_H
#define ACME_INSTALL_PART_H

#include "acme_registry.h"

typedef struct {
    acme_registry_t *registry;
    acme_store_t *store;
    const acme_log_t *log;
    const acme_conf_t *conf;
    const acme_cert_conf_t *cert;
    const acme_state_t *state;
    acme_target_t about;
    apr_time_t now;
    acme_result_t *res;
    apr_pool_t *p;
} acme_install_part_t;

/* All of it is the caller's; res is filled by what fails later. */
acme_install_part_t acme_install_part(acme_registry_t *registry,
                                      const acme_target_t *about,
                                      acme_result_t *res, apr_pool_t *p);

/* After a success, a detail of its res says which foreign file the store moved
   aside: log it. */
void acme_install_part_log_aside(const acme_install_part_t *in,
                                 apr_status_t rv);

/* "fullchain" of the second part: .../live/<id>/fullchain-rsa.pem */
const char *acme_install_part_live_path(const acme_install_part_t *in,
                                        const char *name, apr_uint32_t part);

/* Is the live link another one than the state knows? An installation that
   failed at its last sync has left it. */
int acme_install_part_is_state_old(const acme_install_part_t *in);

/*
 * Was the renewal requested after the live certificate was installed, and not
 * before it? Seconds are enough: an order takes longer than a power failure
 * that brings an older one back.
 */
int acme_install_part_is_asked_since(const acme_install_part_t *in);

#endif
