/*
 * acme_activated.c - what running workers were given is served.
 */
#include "acme_activated.h"

void acme_activated_note(const acme_conf_t *conf,
                         const acme_live_pairs_t *live, apr_uint32_t cert)
{
    acme_cert_conf_t *of;
    int n;

    if (!live || cert >= (apr_uint32_t)conf->certs->nelts) {
        return;
    }
    of = &APR_ARRAY_IDX(conf->certs, cert, acme_cert_conf_t);
    n = acme_live_pairs_archive(live, (int)cert);
    if (n <= 0 || (of->is_activated && of->served == n)) {
        return;
    }
    of->served = n;
    of->is_activated = 1;
    of->stand_in.id = NULL;
    of->visits_digest = acme_conf_visits_digest(of, conf->certs->pool);
}
