/*
 * acme_live.h - AcmeActivate live: this load's certificates that running
 * workers use from the next handshake on.
 *
 * Where that cannot work there are none, httpd reloads for a certificate, and
 * one line at the load says why.
 */
#ifndef ACME_LIVE_H
#define ACME_LIVE_H

#include <httpd.h>

#include "acme_conf.h"
#include "acme_live_cache.h"

/*
 * Before mod_ssl: can it work here, as far as that is known by now? obstacle:
 * why there is no certificate callback, or NULL. level: of the line that says
 * so, such as APLOG_WARNING.
 */
void acme_live_prepare(const acme_conf_t *conf, const char *obstacle,
                       server_rec *s, int level);

/* Did workers use this archive of a certificate at the end of the load before
   this one, without a reload? */
int acme_live_was_served(const char *id, int archive, const server_rec *s);

/* Is a certificate callback needed for it? After it was prepared. */
int acme_live_is_wanted(void);

/* After mod_ssl, before the forks: the memory of this load, and the cache of
   each process. */
void acme_live_start(const acme_conf_t *conf, server_rec *s, apr_pool_t *p);

/* For the keeper; NULL: httpd reloads for a certificate. */
acme_live_pairs_t *acme_live_pairs(void);

/* In each fork that is not the keeper, before code of others runs: it cannot
   publish. As often as is wanted; it takes no lock. */
void acme_live_forget_writer(void);

/*
 * What is published of a certificate, for any thread, see acme_live_cache.h:
 * who takes one releases it. NULL: what httpd loaded is served.
 */
const acme_live_cert_t *acme_live_take(int cert);

#endif
