/*
 * acme_chain_pick.c - which of the chains that a CA offers.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_certificate.h"
#include "acme_chain_pick.h"

/* The issuer's name at the top; NULL when the chain can't be read. */
static const char *topmost(const char *pem, apr_size_t len, apr_pool_t *p)
{
    acme_chain_t *chain;
    acme_result_t res;

    if (acme_chain_parse(&chain, pem, len, &res, p)) {
        return NULL;
    }
    return acme_chain_topmost(chain, p);
}

static int is_preferred(const acme_task_chain_t *chain,
                        const acme_task_t *task)
{
    const char *name = topmost(chain->pem, chain->len, task->p);

    return name && !strcmp(name, task->cert->preferred_chain);
}

/* One alternate that can't be had is no reason to fail. */
static int find_alternate(acme_task_chain_t *chain, const acme_task_t *task,
                          const apr_array_header_t *alternates)
{
    int i;

    for (i = 0; i < alternates->nelts; i++) {
        const char *url = APR_ARRAY_IDX(alternates, i, const char *);
        acme_certificate_chain_t fetched;
        acme_task_chain_t other;
        acme_result_t ignored;
        apr_pool_t *own;

        apr_pool_create(&own, task->p);
        if (acme_certificate_fetch(&fetched, task->session, url,
                                   ACME_CHAIN_SIZE_MAX, &ignored, own)) {
            apr_pool_destroy(own);
            continue;
        }
        other = (acme_task_chain_t) {
            .pem = fetched.pem, .len = fetched.len, .url = url
        };
        if (is_preferred(&other, task)) {
            *chain = other;
            return 1;
        }
        apr_pool_destroy(own);
    }
    return 0;
}

apr_status_t acme_chain_pick_fetch(acme_task_chain_t *chain,
                                   const acme_task_t *task, const char *url,
                                   acme_result_t *res)
{
    acme_certificate_chain_t fetched;
    const char *top;
    apr_status_t rv;

    chain->url = url;
    if (!url) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: the order is valid, but the CA names no certificate",
                         task->cert->id);
    }
    rv = acme_certificate_fetch(&fetched, task->session, url,
                                ACME_CHAIN_SIZE_MAX, res, task->p);
    chain->pem = fetched.pem;
    chain->len = fetched.len;
    if (rv != APR_SUCCESS || !task->cert->preferred_chain
        || is_preferred(chain, task)
        || find_alternate(chain, task, fetched.alternates)) {
        return rv;
    }
    top = topmost(chain->pem, chain->len, task->p);
    return acme_task_note(
        task, ACME_NOTE_WARNING,
        apr_psprintf(task->p,
                     "%s: the CA offers no chain up to %s (AcmePreferredChain); its first one is used, up to %s",
                     task->cert->id, task->cert->preferred_chain,
                     top ? top : "an unknown issuer"), res);
}
