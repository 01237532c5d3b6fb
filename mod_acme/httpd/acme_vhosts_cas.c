/*
 * acme_vhosts_cas.c - the CAs of a certificate, and the way to each.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>

#include "acme_account_file.h"
#include "acme_known_ca.h"
#include "acme_name.h"
#include "acme_vhosts_cas.h"

typedef struct {
    acme_conf_t *conf;          /* cas and routes: what was found before */
    apr_pool_t *p;
    apr_pool_t *scratch;
} finder_t;

/* One account for each CA and key identifier. */
static int is_same_ca(const acme_ca_conf_t *ca, const char *url,
                      const char *kid)
{
    return !strcmp(ca->url, url) && !strcmp(ca->kid ? ca->kid : "",
                                            kid ? kid : "");
}

/* The one that is bound to this CA, else one that is bound to none. */
static acme_external_account_t find_external(const acme_server_conf_t *conf,
                                             const char *url)
{
    const apr_array_header_t *accounts = conf->external_accounts;
    acme_external_account_t found = { .kid = NULL };
    int i;

    for (i = 0; accounts && i < accounts->nelts; i++) {
        const acme_external_account_t *account = &APR_ARRAY_IDX(
            accounts, i, acme_external_account_t);

        if (account->ca && !strcmp(account->ca, url)) {
            return *account;
        }
        if (!account->ca && (!conf->external_cas
                             || acme_name_in(conf->external_cas, url))) {
            found = *account;
        }
    }
    return found;
}

static acme_ca_conf_t *add_ca(const finder_t *finder,
                              const acme_external_account_t *external,
                              const char *url)
{
    acme_ca_conf_t *ca = apr_array_push(finder->conf->cas);

    memset(ca, 0, sizeof(*ca));
    ca->url = url;
    ca->kid = external->kid;
    ca->hmac = external->hmac;
    ca->hmac_file = external->hmac_file;
    ca->folder = acme_account_file_folder(url, ca->kid, finder->p);
    ca->contacts = apr_array_make(finder->p, 2, sizeof(const char *));
    return ca;
}

static apr_uint32_t find_or_add_ca(const finder_t *finder,
                                   const acme_server_conf_t *conf,
                                   const acme_external_account_t *external,
                                   const char *url)
{
    apr_array_header_t *cas = finder->conf->cas;
    acme_ca_conf_t *ca = NULL;
    int i, k;

    for (i = 0; i < cas->nelts; i++) {
        ca = &APR_ARRAY_IDX(cas, i, acme_ca_conf_t);
        if (is_same_ca(ca, url, external->kid)) {
            break;
        }
    }
    if (i == cas->nelts) {
        ca = add_ca(finder, external, url);
    }
    for (k = 0; conf->contacts && k < conf->contacts->nelts; k++) {
        acme_name_add(ca->contacts,
                      APR_ARRAY_IDX(conf->contacts, k, const char *));
    }
    return (apr_uint32_t)i;
}

static int is_same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static apr_uint32_t find_or_add_route(const finder_t *finder,
                                      const acme_route_conf_t *wanted)
{
    apr_array_header_t *routes = finder->conf->routes;
    int i;

    for (i = 0; i < routes->nelts; i++) {
        const acme_route_conf_t *route = &APR_ARRAY_IDX(routes, i,
                                                        acme_route_conf_t);

        if (route->ca == wanted->ca
            && is_same_text(route->proxy, wanted->proxy)
            && is_same_text(route->roots, wanted->roots)) {
            return (apr_uint32_t)i;
        }
    }
    APR_ARRAY_PUSH(routes, acme_route_conf_t) = (acme_route_conf_t) {
        .ca = wanted->ca, .proxy = wanted->proxy,
        .roots = wanted->roots ? apr_pstrdup(finder->p, wanted->roots) : NULL
    };
    return (apr_uint32_t)i;
}

/*
 * Where the dry run for a CA is made: at its staging environment, with an
 * account of its own, if it has one. That gets no external account: the one of
 * the CA is none of the staging environment.
 */
static apr_uint32_t find_dry_run_ca(const finder_t *finder,
                                    const acme_server_conf_t *conf,
                                    apr_uint32_t of)
{
    static const acme_external_account_t no_account;
    const acme_known_ca_t *staging = acme_known_ca_staging(
        APR_ARRAY_IDX(finder->conf->cas, of, acme_ca_conf_t).url,
        finder->scratch);
    const int known = finder->conf->cas->nelts;
    apr_uint32_t ca;

    if (!staging) {
        return of;
    }
    ca = find_or_add_ca(finder, conf, &no_account, staging->directory);
    APR_ARRAY_IDX(finder->conf->cas, ca, acme_ca_conf_t).is_for_dry_runs |=
        ca >= (apr_uint32_t)known;
    return ca;
}

/* One copy of lists that are alike: thousands of certificates have the same. */
static apr_array_header_t *share_list(const apr_array_header_t *mine,
                                      apr_array_header_t *before,
                                      apr_pool_t *p)
{
    return before && before->nelts == mine->nelts
            && !memcmp(before->elts, mine->elts,
                       (apr_size_t)mine->nelts * (apr_size_t)mine->elt_size)
        ? before : apr_array_copy(p, mine);
}

void acme_vhosts_cas_find(acme_cert_conf_t *cert, acme_conf_t *all,
                          const acme_server_conf_t *conf,
                          const acme_cert_conf_t *before, apr_pool_t *p,
                          apr_pool_t *scratch)
{
    const finder_t finder = { .conf = all, .p = p, .scratch = scratch };
    const int n = conf->cas->nelts;
    acme_route_conf_t route = { .proxy = conf->proxy };
    apr_array_header_t *cas, *routes, *dry_run_cas, *dry_run_routes;
    int i;

    if (conf->roots) {
        route.roots = ap_server_root_relative(scratch, conf->roots);
    }
    cas = apr_array_make(scratch, n, sizeof(apr_uint32_t));
    routes = apr_array_make(scratch, n, sizeof(apr_uint32_t));
    dry_run_cas = apr_array_make(scratch, n, sizeof(apr_uint32_t));
    dry_run_routes = apr_array_make(scratch, n, sizeof(apr_uint32_t));
    for (i = 0; i < conf->cas->nelts; i++) {
        const char *url = APR_ARRAY_IDX(conf->cas, i, const char *);
        const acme_external_account_t external = find_external(conf, url);

        route.ca = find_or_add_ca(&finder, conf, &external, url);
        APR_ARRAY_IDX(all->cas, route.ca, acme_ca_conf_t).is_for_dry_runs = 0;
        APR_ARRAY_PUSH(cas, apr_uint32_t) = route.ca;
        APR_ARRAY_PUSH(routes, apr_uint32_t) =
            find_or_add_route(&finder, &route);
        route.ca = find_dry_run_ca(&finder, conf, route.ca);
        APR_ARRAY_PUSH(dry_run_cas, apr_uint32_t) = route.ca;
        APR_ARRAY_PUSH(dry_run_routes, apr_uint32_t) =
            find_or_add_route(&finder, &route);
    }
    cert->cas = share_list(cas, before ? before->cas : NULL, p);
    cert->routes = share_list(routes, before ? before->routes : NULL, p);
    cert->dry_run_cas = share_list(
        dry_run_cas,
        before ? (apr_array_header_t *)before->dry_run_cas : NULL, p);
    cert->dry_run_routes = share_list(
        dry_run_routes,
        before ? (apr_array_header_t *)before->dry_run_routes : NULL, p);
}
