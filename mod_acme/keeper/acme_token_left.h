/*
 * acme_token_left.h - tokens and TXT records that an earlier keeper published:
 * whose they are, and how they are removed with the configuration of now.
 */
#ifndef ACME_TOKEN_LEFT_H
#define ACME_TOKEN_LEFT_H

#include "acme_conf.h"
#include "acme_token_file.h"

/* The position of its certificate; -1: it is not configured any more. */
int acme_token_left_cert(const acme_token_file_t *file,
                         const acme_conf_t *conf);

/* How it is removed: from the webroot that it is below, or by its cleanup
   command, if one of the configuration is the same. In p, or conf's; NULL: it
   cannot be. */
const acme_token_conf_t *acme_token_left_conf(const acme_token_file_t *file,
                                              const acme_conf_t *conf,
                                              apr_pool_t *p);

/* How a TXT record is removed: by the same server or command, if it is
   configured, of its own certificate if that has it. NULL: it cannot be. */
const acme_dns_conf_t *acme_token_left_dns(const acme_token_file_t *file,
                                           const acme_conf_t *conf);

/* May who goes on with an order of this certificate publish it again? Not when
   that would be done in another way than it was, which is the one above. */
int acme_token_left_is_wanted(const acme_token_conf_t *was, apr_uint32_t cert,
                              const acme_conf_t *conf);

#endif
