/*
 * acme_self_check_report.h - what came of the visits of a certificate, as the
 * keeper is told.
 */
#ifndef ACME_SELF_CHECK_REPORT_H
#define ACME_SELF_CHECK_REPORT_H

#include "acme_message.h"
#include "acme_peer_cert.h"

/* One visit, and what came of it. */
typedef struct {
    const acme_visit_t *visit;
    acme_check_e check;         /* NONE: it was not made, as another one of the
                                   place says enough */
    acme_peer_cert_t seen;      /* with OTHER */
    const char *why;            /* with UNKNOWN: "Connection refused" */
} acme_self_check_visit_t;

/*
 * The key types to ask for: that of each part that mod_ssl serves, the first
 * EC and the first RSA one, in keys (room for 2) with their parts. A single one
 * is asked for as any visitor does. Returns how many.
 */
int acme_self_check_report_keys(acme_peer_key_e *keys, apr_uint32_t *parts,
                                const acme_cert_conf_t *cert);

/*
 * Fill body but for about and live. OTHER if any visit found that, else
 * UNKNOWN if any did; the first such visit is the detail, and how often it was
 * so. places has each place once, with the worst of its visits, as long as
 * there is room.
 */
void acme_self_check_report_fill(acme_msg_served_t *body,
                                 const apr_array_header_t *visits,
                                 apr_pool_t *p);

#endif
