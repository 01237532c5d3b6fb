/*
 * acme_ca_facts.c - what the keeper knows of the CAs from the witness.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_ca_facts.h"
#include "acme_name.h"
#include "acme_text.h"
#include "acme_url.h"

/* A client waits for the keeper's reply a minute. */
#define ANSWER_MAX apr_time_from_sec(50)

/* A host that the directory did not have is asked for again after this. */
#define HOSTS_AGE apr_time_from_sec(5 * 60)

#define HOSTS_MAX 16

#define WARN_EVERY apr_time_from_sec(3600)

/* Of one CA. */
typedef struct {
    apr_time_t asked[ACME_LOOK_UPS];    /* since when; 0: it is not */
    apr_time_t looked[ACME_LOOK_UPS];   /* when the witness had asked; 0: it
                                           has not yet */
    char failure[ACME_LOOK_UPS][ACME_DETAIL_SIZE];      /* "": none */
    apr_time_t warned;          /* of a URL that is not the CA's; 0: never */
} facts_t;

struct acme_ca_facts_t {
    acme_registry_t *registry;
    acme_accounts_t *accounts;
    facts_t *facts;             /* one for each CA, by its index */
};

acme_ca_facts_t *acme_ca_facts_create(acme_registry_t *registry,
                                      acme_accounts_t *accounts,
                                      apr_pool_t *p)
{
    const int n = acme_registry_conf(registry)->cas->nelts;
    acme_ca_facts_t *facts = apr_pcalloc(p, sizeof(*facts));

    facts->registry = registry;
    facts->accounts = accounts;
    facts->facts = apr_pcalloc(p, (apr_size_t)(n + 1)
                               * sizeof(*facts->facts));
    return facts;
}

static apr_uint32_t ca_index(const acme_ca_facts_t *facts,
                             const acme_target_t *about)
{
    return acme_conf_ca_index(
        acme_conf_cert(acme_registry_conf(facts->registry), about->cert),
        about->ca);
}

static const char *ca_url(const acme_ca_facts_t *facts,
                          const acme_target_t *about)
{
    const acme_conf_t *conf = acme_registry_conf(facts->registry);

    return acme_conf_ca(conf, acme_conf_cert(conf, about->cert),
                        about->ca)->url;
}

apr_status_t acme_ca_facts_know(acme_ca_facts_t *facts,
                                const acme_target_t *about,
                                acme_look_up_e look_up,
                                apr_interval_time_t age, acme_result_t *res)
{
    facts_t *known = &facts->facts[ca_index(facts, about)];
    const apr_time_t now = apr_time_now();
    const apr_time_t looked = known->looked[look_up];

    if (looked && looked <= now && now - looked < age) {
        if (!known->failure[look_up][0]) {
            return APR_SUCCESS;
        }
        known->looked[look_up] = 0;     /* it is told once */
        return acme_fail(res, APR_EGENERAL, "%s: the CA could not be asked: %s",
                         ca_url(facts, about), known->failure[look_up]);
    }
    if (!known->asked[look_up]) {
        if (acme_registry_look_up(facts->registry, about->cert, look_up,
                                  about->ca)) {
            known->asked[look_up] = now;
        }
    }
    else if (now < known->asked[look_up]
             || now - known->asked[look_up] > ANSWER_MAX) {
        known->asked[look_up] = 0;
        acme_registry_looked_up(facts->registry, about->cert);
        return acme_fail(
            res, APR_EGENERAL,
            "%s: the CA was not asked within a minute; check that a process acme-witness is running",
            ca_url(facts, about));
    }
    return acme_fail(res, APR_EAGAIN, "%s: the CA is being asked",
                     ca_url(facts, about));
}

/* The CA's directory is wrong, or the worker is not ours any more. */
static void warn_of_url(acme_ca_facts_t *facts, apr_uint32_t ca,
                        const acme_result_t *res)
{
    const apr_time_t now = apr_time_now();
    apr_time_t *warned = &facts->facts[ca].warned;

    if (!*warned || *warned > now || now - *warned > WARN_EVERY) {
        *warned = now;
        acme_log(acme_registry_log(facts->registry), ACME_LOG_WARNING,
                 "keeper", "%s", res->detail);
    }
}

apr_status_t acme_ca_facts_check_url(acme_ca_facts_t *facts,
                                     const acme_target_t *about,
                                     const char *url, acme_result_t *res,
                                     apr_pool_t *p)
{
    const char *host = acme_url_host(url, p);
    const char *directory = ca_url(facts, about);
    const acme_ca_account_t *account;
    apr_status_t rv;

    if (!strcmp(host, acme_url_host(directory, p))) {
        return APR_SUCCESS;
    }
    rv = acme_accounts_find(&account, facts->accounts, ca_index(facts, about),
                            res);
    if (rv != APR_SUCCESS
        || (account->hosts && acme_name_in(account->hosts, host))) {
        return rv;
    }
    rv = acme_ca_facts_know(facts, about, ACME_LOOK_UP_HOSTS, HOSTS_AGE, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    acme_fail(
        res, APR_EACCES,
        "%s: a worker sent a URL at %s, and the CA's directory %s has no URL there; the URL is refused",
        acme_conf_cert(acme_registry_conf(facts->registry), about->cert)->id,
        acme_text_clean(host, 200, p), directory);
    warn_of_url(facts, ca_index(facts, about), res);
    return APR_EACCES;
}

/* Lines to hosts; NULL: one is none. */
static apr_array_header_t *read_hosts(const char *lines, apr_pool_t *p)
{
    apr_array_header_t *hosts = apr_array_make(p, 4, sizeof(const char *));
    char *copy = apr_pstrdup(p, lines);
    acme_result_t ignored;
    const char *host;
    char *last;

    for (host = apr_strtok(copy, "\n", &last); host;
         host = apr_strtok(NULL, "\n", &last)) {
        const char *url = apr_pstrcat(p, "https://", host, "/", NULL);

        if (hosts->nelts == HOSTS_MAX || acme_url_check(url, &ignored, p)
            || strcmp(host, acme_url_host(url, p))) {
            return NULL;
        }
        APR_ARRAY_PUSH(hosts, const char *) = host;
    }
    return hosts;
}

apr_status_t acme_ca_facts_looked(acme_ca_facts_t *facts,
                                  const acme_msg_looked_t *looked,
                                  const char *hosts, acme_result_t *res,
                                  apr_pool_t *p)
{
    const apr_uint32_t ca = ca_index(facts, &looked->about);
    facts_t *known = &facts->facts[ca];
    apr_array_header_t *names = read_hosts(hosts ? hosts : "", p);
    apr_status_t rv = APR_SUCCESS;

    if (!names || !looked->look_up || looked->look_up >= ACME_LOOK_UPS) {
        return acme_fail(res, APR_EINVAL,
                         "%s: the witness sent an answer that is none",
                         ca_url(facts, &looked->about));
    }
    if (names->nelts) {
        rv = acme_accounts_set_hosts(facts->accounts, ca, names, res, p);
        known->looked[ACME_LOOK_UP_HOSTS] = apr_time_now();
        known->failure[ACME_LOOK_UP_HOSTS][0] = '\0';
    }
    known->asked[looked->look_up] = 0;
    known->looked[looked->look_up] = apr_time_now();
    known->failure[looked->look_up][0] = '\0';
    if (looked->has_failed) {
        apr_cpystrn(known->failure[looked->look_up],
                    acme_text_clean(looked->detail, ACME_DETAIL_SIZE - 1, p),
                    ACME_DETAIL_SIZE);
    }
    acme_registry_looked_up(facts->registry, looked->about.cert);
    return rv;
}
