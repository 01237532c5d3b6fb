/*
 * acme_conf_trial.c - would mod_ssl start with this configuration?
 */
#include <string.h>

#include <apr_hash.h>

#include <httpd.h>
#include <http_log.h>
#include <http_ssl.h>

#include "acme_conf_trial.h"
#include "acme_pair.h"
#include "acme_server.h"
#include "acme_server_conf.h"

APLOG_USE_MODULE(acme);

/*
 * Is there a module besides us and mod_md that may have a certificate for any
 * server? Of mod_md we know which ones; of others nothing.
 */
#define IS_STRANGE(hooks, type) \
    do { \
        int i; \
\
        for (i = 0; (hooks) && i < (hooks)->nelts; i++) { \
            const char *name = APR_ARRAY_IDX(hooks, i, type).szName; \
\
            if (!name || (strcmp(name, "mod_acme.c") != 0 \
                          && strcmp(name, "mod_md.c") != 0)) { \
                return 1; \
            } \
        } \
    } while (0)

static int others_have_certificates(void)
{
    const apr_array_header_t *first = ap_hook_get_ssl_add_cert_files();
    const apr_array_header_t *last = ap_hook_get_ssl_add_fallback_cert_files();

    IS_STRANGE(first, ap_LINK_ssl_add_cert_files_t);
    IS_STRANGE(last, ap_LINK_ssl_add_fallback_cert_files_t);
    return 0;
}

/* Only what mod_ssl certainly refuses counts: else httpd would load it. */
static int try_pair(const acme_conf_tree_pair_t *pair, const server_rec *s,
                    int level)
{
    acme_result_t res;
    const apr_status_t rv = pair->has_chain_file
        ? acme_pair_check_leaf(pair->cert, pair->key, pair->ciphers, &res)
        : acme_pair_check(pair->cert, pair->key, pair->ciphers, &res);

    if (rv != APR_EINVAL && !APR_STATUS_IS_ENOENT(rv)) {
        return 0;
    }
    ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                 "%s: httpd will not start with this certificate: %s",
                 pair->place, res.detail);
    return 1;
}

/* Each list once: most servers have that of the server config. */
static int try_ciphers(const acme_conf_tree_t *tree, const server_rec *s,
                       apr_hash_t *seen, int level)
{
    const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);
    acme_result_t res;

    if (!facts->ciphers || !acme_conf_tree_has_tls(tree, s)
        || apr_hash_get(seen, facts->ciphers, APR_HASH_KEY_STRING)) {
        return 0;
    }
    apr_hash_set(seen, facts->ciphers, APR_HASH_KEY_STRING, facts);
    if (acme_pair_check_ciphers(facts->ciphers, &res) != APR_EINVAL) {
        return 0;
    }
    ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                 "%s: httpd will not start with this: %s", facts->place,
                 res.detail);
    return 1;
}

/* mod_ssl asks this of the server config as well. */
static int has_certificate(const acme_conf_tree_t *tree, const server_rec *s)
{
    const acme_server_conf_t *conf = acme_server_conf(s);
    const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

    return facts->certs || facts->has_command || conf->certs
        || conf->is_unordered || acme_conf_tree_in_mod_md(tree, s);
}

int acme_conf_trial_run(const acme_conf_tree_t *tree, const server_rec *s,
                        int level, apr_pool_t *p)
{
    const apr_array_header_t *pairs = acme_conf_tree_pairs(tree, s, p);
    const int is_ours_alone = !others_have_certificates();
    apr_hash_t *lists = apr_hash_make(p);
    int wrong = 0, i;

    for (i = 0; i < pairs->nelts; i++) {
        wrong += try_pair(&APR_ARRAY_IDX(pairs, i, acme_conf_tree_pair_t), s,
                          level);
    }
    for (; s; s = s->next) {
        const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

        wrong += try_ciphers(tree, s, lists, level);
        if (is_ours_alone && facts->tls == 1 && !facts->is_optional
            && !has_certificate(tree, s)) {
            ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                         "%s: httpd will not start with this: it has SSLEngine on, but neither an SSLCertificateFile nor AcmeEngine on",
                         facts->place);
            wrong++;
        }
    }
    return wrong;
}
