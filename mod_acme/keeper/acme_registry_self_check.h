/*
 * acme_registry_self_check.h - what httpd was found to serve of a certificate,
 * and the one reload that may help. The decisions are in acme_self_check.h.
 */
#ifndef ACME_REGISTRY_SELF_CHECK_H
#define ACME_REGISTRY_SELF_CHECK_H

#include "acme_registry_types.h"

/*
 * The witness has seen what httpd serves of a certificate. True: a reload
 * could help; it is asked for once for each certificate that is live, if
 * acme_self_check_may_reload(). A live link that was changed by hand is noticed
 * here, too.
 */
int acme_registry_self_check_noted(acme_registry_t *registry,
                                   const acme_msg_served_t *found,
                                   apr_time_t now, apr_pool_t *p);

#endif
