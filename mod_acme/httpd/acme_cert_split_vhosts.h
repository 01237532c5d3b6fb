/*
 * acme_cert_split_vhosts.h - from what the virtual hosts want to certificates that a
 * CA will issue.
 */
#ifndef ACME_CERT_SPLIT_VHOSTS_H
#define ACME_CERT_SPLIT_VHOSTS_H

#include <apr_hash.h>

#include <http_log.h>

#include "acme_conf.h"
#include "acme_server_conf.h"
#include "acme_conf_tree.h"

/* A virtual host that is looked at, and later one that is managed. */
typedef struct {
    server_rec *s;
    const acme_server_conf_t *conf;
    const acme_facts_t *facts;
    const apr_array_header_t *wanted;   /* const char *: all its names, */
    const apr_array_header_t *names;    /* and those that nobody had */
    int quiet;
} acme_vhost_t;

/* To the administrator, in the module's log. */
#define acme_vhost_say(vhost, level, ...) \
    do { \
        if (!(vhost)->quiet) { \
            ap_log_error(APLOG_MARK, level, 0, (vhost)->s, \
                         "acme: " __VA_ARGS__); \
        } \
    } while (0)

/*
 * conf has one certificate an id; those with more names than a CA takes
 * become several, next to each other. vhosts: for each of them an
 * apr_array_header_t * of acme_vhost_t. by_id: its keys are all ids. Fills the
 * places of the certificates and acme_server_conf_t.certs of the virtual
 * hosts. Reads the store, and touches nothing.
 */
void acme_cert_split_vhosts_make(acme_conf_t *conf,
                                 const apr_array_header_t *vhosts,
                                 apr_hash_t *by_id, apr_pool_t *p);

#endif
