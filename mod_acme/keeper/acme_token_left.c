/*
 * acme_token_left.c - tokens and TXT records that an earlier keeper published.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_dns_command.h"
#include "acme_token_left.h"

/* For a webroot that is not configured any more. */
#define TIMEOUT apr_time_from_sec(60)

int acme_token_left_cert(const acme_token_file_t *file,
                         const acme_conf_t *conf)
{
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t).id,
                    file->id)) {
            return i;
        }
    }
    return -1;
}

/* A configured AcmeHttp whose cleanup is this command; NULL: none is. */
static const acme_token_conf_t *find_command(const acme_conf_t *conf,
                                             const char *path)
{
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_token_conf_t *http =
            APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t).http;

        if (http && http->how == ACME_TOKEN_EXEC && http->cleanup
            && !strcmp(APR_ARRAY_IDX(http->cleanup, 0, const char *), path)) {
            return http;
        }
    }
    return NULL;
}

const acme_token_conf_t *acme_token_left_conf(const acme_token_file_t *file,
                                              const acme_conf_t *conf,
                                              apr_pool_t *p)
{
    acme_token_conf_t *http;

    if (!file->root) {
        return find_command(conf, file->cleanup);
    }
    http = apr_pcalloc(p, sizeof(*http));
    http->how = ACME_TOKEN_WEBROOT;
    http->root = apr_pstrdup(p, file->root);
    http->timeout = TIMEOUT;
    return http;
}

static int is_removed_by(const acme_token_file_t *file,
                         const acme_dns_conf_t *dns)
{
    return dns->how == ACME_DNS_RFC2136
               ? file->server && !strcmp(file->server, dns->server)
               : file->cleanup
                     && !strcmp(file->cleanup, acme_dns_command_path(dns));
}

const acme_dns_conf_t *acme_token_left_dns(const acme_token_file_t *file,
                                           const acme_conf_t *conf)
{
    const int own = acme_token_left_cert(file, conf);
    const acme_dns_conf_t *found = NULL;
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_dns_conf_t *dns =
            APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t).dns;

        if (dns && (!found || i == own) && is_removed_by(file, dns)) {
            found = dns;
        }
    }
    return found;
}

int acme_token_left_is_wanted(const acme_token_conf_t *was, apr_uint32_t index,
                              const acme_conf_t *conf)
{
    const acme_cert_conf_t *cert = acme_conf_cert(conf, index);

    if (!cert || !cert->http || cert->http->how != was->how) {
        return 0;
    }
    if (was->how == ACME_TOKEN_WEBROOT) {
        return !strcmp(cert->http->root, was->root);
    }
    return cert->http->cleanup
           && !strcmp(APR_ARRAY_IDX(cert->http->cleanup, 0, const char *),
                      APR_ARRAY_IDX(was->cleanup, 0, const char *));
}
