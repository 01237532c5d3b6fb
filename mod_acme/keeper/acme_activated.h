/*
 * acme_activated.h - what running workers were given is served: noted in this
 * process's own copy of the configuration, which says what a load serves.
 */
#ifndef ACME_ACTIVATED_H
#define ACME_ACTIVATED_H

#include "acme_conf.h"
#include "acme_live_pairs.h"

/*
 * Note the archive of this certificate that is published, if one is. conf is of
 * a fork of httpd's parent, which is alone to use it. live NULL: none is.
 */
void acme_activated_note(const acme_conf_t *conf,
                         const acme_live_pairs_t *live, apr_uint32_t cert);

#endif
