/*
 * acme_conf_trial.c - would mod_ssl start with this configuration?
 */
#include <httpd.h>
#include <http_log.h>
#include <http_ssl.h>

#include "acme_conf_trial.h"
#include "acme_pair.h"
#include "acme_server.h"
#include "acme_server_conf.h"

APLOG_USE_MODULE(acme);

/* Another module, such as mod_md, may have a certificate for any of them. */
static int others_have_certificates(void)
{
    const apr_array_header_t *hooks = ap_hook_get_ssl_add_cert_files();

    return hooks && hooks->nelts > 1;
}

static int try_pair(const acme_server_pair_t *pair, const server_rec *s,
                    int level)
{
    acme_result_t res;
    const apr_status_t rv = acme_pair_check(pair->cert, pair->key,
                                            pair->ciphers, &res);

    if (rv == APR_SUCCESS || APR_STATUS_IS_EACCES(rv)) {
        return 0;
    }
    ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                 "%s: httpd will not start with this certificate: %s",
                 pair->place, res.detail);
    return 1;
}

int acme_conf_trial_run(const acme_conf_tree_t *tree, const server_rec *s,
                        int level, apr_pool_t *p)
{
    const apr_array_header_t *pairs = acme_conf_tree_pairs(tree, s, p);
    const int is_ours_alone = !others_have_certificates();
    int wrong = 0, i;

    for (i = 0; i < pairs->nelts; i++) {
        wrong += try_pair(&APR_ARRAY_IDX(pairs, i, acme_server_pair_t), s,
                          level);
    }
    for (; s && is_ours_alone; s = s->next) {
        const acme_server_conf_t *conf = acme_server_conf(s);
        const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s, p);

        /* The server config itself is none where all are virtual hosts. */
        if (s->is_virtual && facts->tls == 1 && !facts->certs && !conf->certs
            && !conf->is_unordered) {
            ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                         "%s: httpd will not start with this virtual host: it has SSLEngine on, but neither an SSLCertificateFile nor AcmeEngine on",
                         facts->place);
            wrong++;
        }
    }
    return wrong;
}
