/*
 * make_conf.c - see make_conf.h.
 */
#include "make_conf.h"

acme_cert_conf_t *cert_of(acme_conf_t *conf, int i)
{
    return &APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t);
}

apr_array_header_t *key_types(const char *text)
{
    const apr_array_header_t *names = words(text);
    apr_array_header_t *types = apr_array_make(pool, 2,
                                               sizeof(acme_key_type_e));
    int i;

    for (i = 0; i < names->nelts; i++) {
        acme_key_type_e *type = apr_array_push(types);

        if (acme_key_type_parse(type, APR_ARRAY_IDX(names, i, const char *),
                                &res)) {
            fail_msg("%s", res.detail);
        }
    }
    return types;
}

void set_digests(const acme_conf_t *conf,
                 acme_cert_conf_t *cert)
{
    cert->digest = acme_conf_digest(conf, cert, pool);
    cert->settings = acme_conf_settings(conf, cert, pool);
}

acme_conf_t *make_conf(void)
{
    static const char *const names[] = {
        "a.example www.a.example", "b.example"
    };
    acme_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));
    acme_ca_conf_t *ca;
    size_t i;

    conf->state_dir = at("store");
    conf->activate = ACME_ACTIVATE_NONE;
    conf->cas = apr_array_make(pool, 1, sizeof(acme_ca_conf_t));
    conf->routes = apr_array_make(pool, 1, sizeof(acme_route_conf_t));
    APR_ARRAY_PUSH(conf->routes, acme_route_conf_t) =
        (acme_route_conf_t) { .ca = 0 };
    conf->certs = apr_array_make(pool, 2, sizeof(acme_cert_conf_t));
    ca = apr_array_push(conf->cas);
    memset(ca, 0, sizeof(*ca));
    ca->url = CA_URL;
    ca->folder = "ca-1";
    ca->contacts = words("mailto:admin@a.example mailto:b@b.example");
    for (i = 0; i < COUNT(names); i++) {
        acme_cert_conf_t *cert = apr_array_push(conf->certs);

        memset(cert, 0, sizeof(*cert));
        cert->names = words(names[i]);
        cert->id = APR_ARRAY_IDX(cert->names, 0, const char *);
        cert->places = words("httpd.conf:1");
        cert->agreed = 1;
        cert->key_types = key_types("p256");
        cert->cas = apr_array_make(pool, 2, sizeof(apr_uint32_t));
        APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = 0;
        cert->routes = apr_array_copy(pool, cert->cas);
        cert->renew.percent = 33;
        cert->warn.percent = 10;
        set_digests(conf, cert);
    }
    return conf;
}

void set_names(acme_conf_t *conf, int i, const char *names)
{
    cert_of(conf, i)->names = words(names);
    set_digests(conf, cert_of(conf, i));
}

void set_key_types(acme_conf_t *conf, int i, const char *types)
{
    cert_of(conf, i)->key_types = key_types(types);
    set_digests(conf, cert_of(conf, i));
}

acme_ca_conf_t *ca_of(const acme_conf_t *conf, int i)
{
    return &APR_ARRAY_IDX(conf->cas, i, acme_ca_conf_t);
}

acme_route_conf_t *route_of(const acme_conf_t *conf, int i)
{
    return &APR_ARRAY_IDX(conf->routes, i, acme_route_conf_t);
}

acme_ca_conf_t *add_ca(acme_conf_t *conf, const char *url)
{
    acme_ca_conf_t *ca = apr_array_push(conf->cas);

    memset(ca, 0, sizeof(*ca));
    ca->url = url;
    ca->folder = apr_psprintf(pool, "ca-%d", conf->cas->nelts);
    ca->contacts = words("");
    APR_ARRAY_PUSH(cert_of(conf, 0)->cas, apr_uint32_t) =
        (apr_uint32_t)conf->cas->nelts - 1;
    APR_ARRAY_PUSH(cert_of(conf, 0)->routes, apr_uint32_t) =
        (apr_uint32_t)conf->routes->nelts;
    APR_ARRAY_PUSH(conf->routes, acme_route_conf_t) =
        (acme_route_conf_t) { .ca = (apr_uint32_t)conf->cas->nelts - 1 };
    set_digests(conf, cert_of(conf, 0));
    return ca;
}
