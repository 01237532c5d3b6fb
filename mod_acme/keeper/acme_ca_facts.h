/*
 * acme_ca_facts.h - what the keeper knows of the CAs from the witness.
 *
 * The keeper asks no CA itself, and believes no worker what a CA said. What it
 * has to know it lets the witness ask: which hosts the CA has, which key the
 * account has, what the records of dns-persist-01 look like.
 */
#ifndef ACME_CA_FACTS_H
#define ACME_CA_FACTS_H

#include "acme_accounts.h"

typedef struct acme_ca_facts_t acme_ca_facts_t;

/* Both live at least as long as p. */
acme_ca_facts_t *acme_ca_facts_create(acme_registry_t *registry,
                                      acme_accounts_t *accounts,
                                      apr_pool_t *p);

/*
 * Know what was asked of the CA of about, not longer ago than age. APR_EAGAIN:
 * the witness is being asked; call again in a second. APR_EGENERAL: it asked
 * in vain, or did not answer for a minute; the next call asks anew.
 */
apr_status_t acme_ca_facts_know(acme_ca_facts_t *facts,
                                const acme_target_t *about,
                                acme_look_up_e look_up,
                                apr_interval_time_t age, acme_result_t *res);

/*
 * May a worker have got this URL, which acme_url_check() allows, from the CA of
 * about? Its host is that of the directory, or of a URL in it. APR_EAGAIN: the
 * directory is being asked for; APR_EACCES: no.
 */
apr_status_t acme_ca_facts_check_url(acme_ca_facts_t *facts,
                                     const acme_target_t *about,
                                     const char *url, acme_result_t *res,
                                     apr_pool_t *p);

/* The witness has asked; hosts are its lines. APR_EINVAL: they are none. */
apr_status_t acme_ca_facts_looked(acme_ca_facts_t *facts,
                                  const acme_msg_looked_t *looked,
                                  const char *hosts, acme_result_t *res,
                                  apr_pool_t *p);

#endif
