/*
 * acme_cas.c - the CAs of the configuration and connections to them.
 */
#include <apr_thread_mutex.h>

#include "acme_cas.h"

typedef struct {
    acme_ca_t *ca;
    apr_array_header_t *idle;   /* acme_http_t *: nobody uses them now */
    apr_thread_mutex_t *account;
} ca_slot_t;

struct acme_cas_t {
    const acme_conf_t *conf;
    const char *user_agent;
    acme_stop_t *stop;
    ca_slot_t *slots;
    apr_thread_mutex_t *mutex;  /* for the slots and for p */
    apr_pool_t *p;
};

apr_status_t acme_cas_create(acme_cas_t **pcas, const acme_conf_t *conf,
                             const char *user_agent, acme_stop_t *stop,
                             apr_pool_t *p)
{
    acme_cas_t *cas = apr_pcalloc(p, sizeof(*cas));
    apr_status_t rv;
    int i;

    cas->conf = conf;
    cas->user_agent = user_agent;
    cas->stop = stop;
    cas->p = p;
    cas->slots = apr_pcalloc(p, (apr_size_t)(conf->cas->nelts + 1)
                             * sizeof(*cas->slots));
    rv = apr_thread_mutex_create(&cas->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    for (i = 0; rv == APR_SUCCESS && i < conf->cas->nelts; i++) {
        const acme_ca_conf_t *ca = &APR_ARRAY_IDX(conf->cas, i,
                                                  acme_ca_conf_t);

        cas->slots[i].idle = apr_array_make(p, conf->parallel,
                                            sizeof(acme_http_t *));
        rv = acme_ca_create(&cas->slots[i].ca, ca->url, p);
        if (rv == APR_SUCCESS) {
            rv = apr_thread_mutex_create(&cas->slots[i].account,
                                         APR_THREAD_MUTEX_DEFAULT, p);
        }
    }
    *pcas = rv == APR_SUCCESS ? cas : NULL;
    return rv;
}

acme_ca_t *acme_cas_ca(acme_cas_t *cas, apr_uint32_t index)
{
    return cas->slots[index].ca;
}

static apr_status_t make_http(acme_http_t **phttp, acme_cas_t *cas,
                              apr_uint32_t index, acme_result_t *res)
{
    const acme_ca_conf_t *ca = &APR_ARRAY_IDX(cas->conf->cas, index,
                                              acme_ca_conf_t);
    acme_http_conf_t conf;

    conf.user_agent = cas->user_agent;
    conf.ca_file = ca->roots;
    conf.proxy = ca->proxy;
    conf.stop = cas->stop;
    return acme_http_create(phttp, &conf, res, cas->p);
}

apr_status_t acme_cas_borrow(acme_http_t **phttp, acme_cas_t *cas,
                             apr_uint32_t index, acme_result_t *res)
{
    acme_http_t **idle;
    apr_status_t rv = APR_SUCCESS;

    apr_thread_mutex_lock(cas->mutex);
    idle = apr_array_pop(cas->slots[index].idle);
    if (idle) {
        *phttp = *idle;
    }
    else {
        rv = make_http(phttp, cas, index, res);
    }
    apr_thread_mutex_unlock(cas->mutex);
    return rv;
}

void acme_cas_return(acme_cas_t *cas, apr_uint32_t index, acme_http_t *http)
{
    apr_thread_mutex_lock(cas->mutex);
    APR_ARRAY_PUSH(cas->slots[index].idle, acme_http_t *) = http;
    apr_thread_mutex_unlock(cas->mutex);
}

void acme_cas_lock_account(acme_cas_t *cas, apr_uint32_t index)
{
    apr_thread_mutex_lock(cas->slots[index].account);
}

void acme_cas_unlock_account(acme_cas_t *cas, apr_uint32_t index)
{
    apr_thread_mutex_unlock(cas->slots[index].account);
}
