/*
 * acme_conf.c - what is to be managed, as the configuration says.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include <openssl/evp.h>

#include "acme_conf.h"

#define DIGEST_OCTETS 8

const acme_cert_conf_t *acme_conf_cert(const acme_conf_t *conf,
                                       apr_uint32_t index)
{
    if (index >= (apr_uint32_t)conf->certs->nelts) {
        return NULL;
    }
    return &APR_ARRAY_IDX(conf->certs, index, acme_cert_conf_t);
}

const acme_ca_conf_t *acme_conf_ca(const acme_conf_t *conf,
                                   const acme_cert_conf_t *cert)
{
    return &APR_ARRAY_IDX(conf->cas, cert->ca, acme_ca_conf_t);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *digest_text(const char *text, apr_pool_t *p)
{
    unsigned char md[EVP_MAX_MD_SIZE];

    if (!EVP_Digest(text, strlen(text), md, NULL, EVP_sha256(), NULL)) {
        return "";
    }
    return apr_pescape_hex(p, md, DIGEST_OCTETS, 0);
}

const char *acme_conf_digest(const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_copy(p, cert->names);

    /* The order of vhosts in the files is no reason to begin anew. */
    qsort(names->elts, (size_t)names->nelts, sizeof(char *), by_text);
    return digest_text(apr_pstrcat(p, acme_conf_ca(conf, cert)->url, "\n",
                                   acme_key_type_name(cert->key_type), "\n",
                                   apr_array_pstrcat(p, names, '\n'), NULL),
                       p);
}

const char *acme_conf_settings(const acme_conf_t *conf,
                               const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const acme_ca_conf_t *ca = acme_conf_ca(conf, cert);

    return digest_text(apr_pstrcat(p, acme_conf_digest(conf, cert, p), "\n",
                                   apr_array_pstrcat(p, ca->contacts, '\n'),
                                   "\n", ca->roots ? ca->roots : "", "\n",
                                   ca->proxy ? ca->proxy : "", NULL), p);
}
