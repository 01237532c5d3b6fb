/*
 * acme_vhost.h - one virtual host while acme_vhosts looks at it, and how its
 * administrator hears of it.
 */
#ifndef ACME_VHOST_H
#define ACME_VHOST_H

#include <http_log.h>

#include "acme_conf_tree.h"
#include "acme_server_conf.h"

/* One that is looked at, and later one that is managed. */
typedef struct {
    server_rec *s;
    const acme_server_conf_t *conf;
    const acme_conf_tree_facts_t *facts;
    const apr_array_header_t *wanted;   /* const char *: all its names, */
    const apr_array_header_t *names;    /* and those that nobody had */
    int is_user;                        /* it has the files of a certificate
                                           of others, which gets no name by
                                           it */
    int quiet;                          /* log nothing */
} acme_vhost_t;

/* To the administrator, in the module's log. */
#define acme_vhost_say(vhost, level, ...) \
    do { \
        if (!(vhost)->quiet) { \
            ap_log_error(APLOG_MARK, level, 0, (vhost)->s, \
                         "acme: " __VA_ARGS__); \
        } \
    } while (0)

#endif
