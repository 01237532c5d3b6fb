/*
 * acme_activation.h - which certificate a load of the configuration serves,
 * and how mod_ssl comes to it.
 */
#ifndef ACME_ACTIVATION_H
#define ACME_ACTIVATION_H

#include <httpd.h>

#include "acme_conf.h"

/*
 * Before mod_ssl asks: find for each certificate what is live and would load;
 * where that is missing, expired or lacks a name, another live certificate of
 * the store that covers all names; else a placeholder. Sets served and
 * stand_in of each. Never fails the start: what can't be had is logged.
 */
void acme_activation_prepare(acme_conf_t *conf, server_rec *s,
                             apr_pool_t *p);

/*
 * Once, after mod_ssl has loaded them: a line for each that is served anew, for
 * each that another one stands in for, and once for those in the store that no
 * virtual host uses any more. What only loads need is given back.
 */
void acme_activation_report(const acme_conf_t *conf, server_rec *s,
                            apr_pool_t *p);

/*
 * What a load serves of a certificate: paths (const char *) of chains, and of
 * the keys of each; a pair of every kind of key, EC and RSA, at most. Of the
 * first one's leaf what visitors see; a placeholder has no names here.
 */
typedef struct {
    apr_array_header_t *certs;
    apr_array_header_t *keys;
    const apr_array_header_t *names;    /* const char * */
    apr_time_t not_after;
    int is_given;                       /* to mod_ssl, for some server */
} acme_activation_files_t;

/* Of the certificate with this index, after it was prepared. */
const acme_activation_files_t *acme_activation_files(int cert);

/* Has this load a certificate for it, not a placeholder? -1: none, false. */
int acme_activation_is_served(int cert);

/*
 * Is host, in any case of letters, a name of what visitors get of it, live or as
 * mod_ssl has loaded it, as they compare names? Of a placeholder, of one that is expired now, that
 * no server with TLS has or that visitors do not get (is_hidden), and with -1,
 * none is. For any thread.
 */
int acme_activation_has_name(int cert, const char *host);

void acme_activation_hooks(apr_pool_t *p);

#endif
