/*
 * acme_sni.c - the certificate that a visitor's name needs.
 */
#include <stdint.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>

#include "acme_name.h"
#include "acme_sni.h"

static apr_hash_t *by_name;     /* name: index + 1 of its certificate */

static int index_of(const char *name)
{
    return (int)(intptr_t)apr_hash_get(by_name, name, APR_HASH_KEY_STRING)
        - 1;
}

int acme_sni_find(const char *host)
{
    char name[ACME_NAME_MAX + 1];
    const apr_size_t len = strlen(host);
    char *dot;
    apr_size_t i;
    int index;

    if (len >= sizeof(name)) {
        return -1;
    }
    for (i = 0; i <= len; i++) {
        name[i] = (char)apr_tolower(host[i]);
    }
    index = index_of(name);
    dot = strchr(name, '.');
    if (index < 0 && dot && dot > name) {
        *--dot = '*';           /* the one label that a wildcard stands for */
        index = index_of(dot);
    }
    return index;
}

int acme_sni_of_server(const acme_server_found_t *server, const char *host)
{
    const int index = host ? acme_sni_find(host) : -1;
    int i;

    for (i = 0; i < server->certs->nelts; i++) {
        if (APR_ARRAY_IDX(server->certs, i, int) == index) {
            return index;
        }
    }
    return APR_ARRAY_IDX(server->certs, 0, int);
}

void acme_sni_prepare(const acme_conf_t *conf, apr_pool_t *p)
{
    int i, k;

    by_name = apr_hash_make(p);
    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        for (k = 0; k < cert->names->nelts; k++) {
            apr_hash_set(by_name, APR_ARRAY_IDX(cert->names, k, const char *),
                         APR_HASH_KEY_STRING, (void *)(intptr_t)(i + 1));
        }
    }
}
