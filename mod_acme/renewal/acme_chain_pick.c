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

static int is_preferred(const acme_task_t *work, const char *pem,
                        apr_size_t len)
{
    const char *name = topmost(pem, len, work->p);

    return name && !strcmp(name, work->cert->preferred_chain);
}

/* One alternate that can't be had is no reason to fail. */
static int find_alternate(const char **ppem, apr_size_t *plen,
                          const char **purl, acme_task_t *work,
                          const apr_array_header_t *alternates)
{
    int i;

    for (i = 0; i < alternates->nelts; i++) {
        const char *url = APR_ARRAY_IDX(alternates, i, const char *);
        acme_result_t res;
        const char *pem;
        apr_size_t len;

        if (!acme_certificate_fetch(&pem, &len, NULL, &work->session, url,
                                    ACME_CHAIN_SIZE_MAX, &res, work->p)
            && is_preferred(work, pem, len)) {
            *ppem = pem;
            *plen = len;
            *purl = url;
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_chain_pick_fetch(const char **ppem, apr_size_t *plen,
                                   const char **purl, acme_task_t *work)
{
    apr_array_header_t *alternates;
    const char *top;
    apr_status_t rv;

    rv = acme_certificate_fetch(ppem, plen, &alternates, &work->session,
                                *purl, ACME_CHAIN_SIZE_MAX, &work->res,
                                work->p);
    if (rv != APR_SUCCESS || !work->cert->preferred_chain
        || is_preferred(work, *ppem, *plen)
        || find_alternate(ppem, plen, purl, work, alternates)) {
        return rv;
    }
    top = topmost(*ppem, *plen, work->p);
    return acme_task_note(
        work, ACME_NOTE_WARNING,
        apr_psprintf(
            work->p,
            "%s: the CA offers no chain up to %s (AcmePreferredChain); "
            "its first one is taken, up to %s",
            work->cert->id, work->cert->preferred_chain,
            top ? top : "an unknown one"));
}
