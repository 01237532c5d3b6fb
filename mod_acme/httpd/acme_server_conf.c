/*
 * acme_server_conf.c - a server's configuration, and what a virtual host
 * inherits.
 */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_server_conf.h"

static const struct {
    apr_size_t offset;
    apr_size_t size;
} fields[ACME_DIR_COUNT] = {
#define FIELD(name, syntax, dflt, where, parser, field, text, example) \
    { offsetof(acme_server_conf_t, field), \
      sizeof(((acme_server_conf_t *)0)->field) },
    ACME_DIRECTIVES(FIELD)
};

acme_server_conf_t *acme_server_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &acme_module);
}

void *acme_server_conf_merge(apr_pool_t *p, void *base, void *add)
{
    const acme_server_conf_t *over = add;
    acme_server_conf_t *conf = apr_pmemdup(p, base, sizeof(*conf));
    int i;

    for (i = 0; i < ACME_DIR_COUNT; i++) {
        if (over->set[i]) {
            memcpy((char *)conf + fields[i].offset,
                   (const char *)over + fields[i].offset, fields[i].size);
            conf->set[i] = 1;
        }
    }
    conf->engine_own = over->engine_own;
    /* An id in the server config would merge all virtual hosts into one. */
    conf->id = over->id;
    conf->certs = NULL;
    conf->is_unordered = 0;
    conf->given = 0;
    conf->is_without_tls13 = 0;
    return conf;
}

void acme_server_conf_unshare(server_rec *s, const server_rec *base,
                              apr_pool_t *p)
{
    acme_server_conf_t nothing = { .set = { 0 } };

    if (s != base && acme_server_conf(s) == acme_server_conf(base)) {
        ap_set_module_config(s->module_config, &acme_module,
                             acme_server_conf_merge(
                                 p, acme_server_conf(base), &nothing));
    }
}
