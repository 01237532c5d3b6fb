/*
 * acme_published_left.h - what an earlier keeper published is taken over.
 */
#ifndef ACME_PUBLISHED_LEFT_H
#define ACME_PUBLISHED_LEFT_H

#include "acme_published.h"

/*
 * Remember tokens and records in the store from now on, and take over those
 * that an earlier keeper published there. Each is removed in a minute, unless
 * it is published again before; a token at once if AcmeHttp of its certificate is
 * another now. What cannot be removed with what is configured is logged.
 */
void acme_published_left_load(acme_published_t *records, acme_store_t *store,
                              const acme_conf_t *conf, apr_time_t now);

#endif
