/*
 * mod_acme.c - the module: its record, its hooks, and the reason for the
 * order of each.
 *
 * httpd reads its configuration twice at a start and once at a reload, and
 * unloads us in between: our statics live for one pass. Trouble of our own
 * never fails a start: it is logged, and the server runs without us.
 */
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mpm_common.h>

#include "acme_activation.h"
#include "acme_board.h"
#include "acme_cert_callback.h"
#include "acme_commands.h"
#include "acme_conf_trial.h"
#include "acme_conf_tree.h"
#include "acme_counters.h"
#include "acme_fork.h"
#include "acme_hidden.h"
#include "acme_hmac_wipe.h"
#include "acme_http01.h"
#include "acme_keeper_start.h"
#include "acme_live.h"
#include "acme_message.h"
#include "acme_mod_ssl_trial.h"
#include "acme_page.h"
#include "acme_page_load.h"
#include "acme_page_view.h"
#include "acme_placeholder_503.h"
#include "acme_require_https.h"
#include "acme_scratch.h"
#include "acme_server_conf.h"
#include "acme_sni.h"
#include "acme_status.h"
#include "acme_tls_alpn01.h"
#include "acme_vhosts.h"
#include "acme_visits.h"
#include "acme_watchdog.h"
#include "acme_witness_start.h"

/* This pass's. */
static apr_time_t loaded_at;
static acme_conf_tree_t *tree;
static apr_pool_t *load_pool;   /* it, and all that goes before the fork */
static acme_conf_t *conf;

/*
 * A server that starts leaves such a copy out. So must the keeper's httpd -t
 * let it pass: it would postpone each reload.
 */
static int is_refused(void)
{
    return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST
           && !ap_exists_config_define(ACME_CONF_TRIAL_DEFINE)
           && conf->export_faults;
}

/*
 * httpd -t comes no further than this hook, so what is wrong in the
 * configuration is logged here. A server that starts has no error log yet.
 */
static int on_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    load_pool = acme_scratch_create(pconf);
    tree = acme_conf_tree_read(load_pool);
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_NORMAL) {
        conf = acme_vhosts_read(s, tree, ACME_VHOSTS_LOG, pconf);
        acme_hidden_check(conf, tree, s, ACME_HIDDEN_AT_TEST, pconf);
    }
    return is_refused() ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/*
 * An administrator's own httpd -t warns; the keeper's fails, and lets mod_ssl
 * load it all. Not for a dump, such as the list of files that the keeper asks
 * for. When all others have checked: mod_ssl may call them.
 */
static int after_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                              apr_pool_t *ptemp, server_rec *s)
{
    const int strict = ap_exists_config_define(ACME_CONF_TRIAL_DEFINE);

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) {
        return OK;
    }
    if (!strict) {
        acme_conf_trial_run(tree, s, APLOG_WARNING, pconf);
        return OK;
    }
    return acme_conf_trial_run(tree, s, APLOG_ERR, pconf)
           || acme_mod_ssl_trial_run(tree, s, pconf)
        ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

static void on_test_config(apr_pool_t *pconf, server_rec *s)
{
    (void)s;
    if (ap_exists_config_define("DUMP_ACME") && conf) {
        acme_vhosts_dump(conf, pconf);
    }
}

/* The first of the two passes at a start, before httpd has become a daemon. */
static int is_first_pass(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

/* Before mod_ssl: it asks for the files in its own post_config. */
static int before_mod_ssl(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    acme_keeper_start_save_argv(s);
    conf = acme_vhosts_read(s, tree, is_first_pass() ? ACME_VHOSTS_QUIET
                                                     : ACME_VHOSTS_LOG,
                            pconf);
    acme_activation_prepare(conf, s, pconf);
    acme_sni_prepare(conf, pconf);
    acme_cert_callback_prepare(conf, pconf);
    acme_live_prepare(conf, acme_cert_callback_obstacle(), s,
                      is_first_pass() ? APLOG_DEBUG : APLOG_WARNING);
    acme_tls_alpn01_prepare(conf);
    return OK;
}

/* In each fork but keeper and witness, as it begins: it may be anybody's. */
static void forget_in_fork(void)
{
    acme_live_forget_writer();
    acme_hmac_wipe_worker();
    acme_keeper_start_forget();
}

/* Before anything is forked: no process needs it any more. */
static void forget_tree(void)
{
    tree = NULL;
    apr_pool_destroy(load_pool);
}

/*
 * After mod_ssl: what it loaded is served now. Before mod_watchdog: it makes
 * its threads for those who registered. In the first pass nothing is forked.
 */
static int after_mod_ssl(apr_pool_t *pconf, apr_pool_t *plog,
                         apr_pool_t *ptemp, server_rec *s)
{
    acme_board_t *board;
    acme_result_t res;
    int readable;

    (void)plog;
    if (is_first_pass()) {
        return OK;
    }
    /* Nothing reads the configuration any more, and no worker is there yet. */
    readable = acme_hmac_wipe_parent(ptemp);
    if (readable) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "acme: AcmeExternalAccount: workers can read %d of the HMAC keys, because the environment, the command line or another directive contains the same text, or because it is too simple; use file:path instead",
                     readable);
    }
    acme_page_load(conf, tree, s, pconf);
    if (!conf->certs->nelts) {
        forget_tree();
        return OK;
    }
    acme_hidden_check(conf, tree, s, ACME_HIDDEN_AT_LOAD, load_pool);
    acme_activation_report(conf, s, load_pool);
    if (acme_fork_watch(forget_in_fork)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: not enough memory; certificates are not renewed");
        forget_tree();
        return OK;
    }
    acme_live_start(conf, s, pconf);
    acme_visits_fill(conf, tree, s, pconf);
    acme_keeper_start_read(tree, loaded_at, s, pconf);
    forget_tree();
    acme_conf_set_digests(conf, pconf);
    if (acme_board_create(&board, s, conf->certs->nelts, &res, pconf)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: %s; certificates are not renewed", res.detail);
        return OK;
    }
    if (acme_counters_open(conf, s->process->pool, &res, pconf)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "acme: %s; the metrics count nothing", res.detail);
    }
    acme_tls_alpn01_init(board);
    acme_http01_init(board);
    acme_page_view_set_board(board);
    if (acme_server_conf(s)->server_status) {
        acme_status_init();
    }
    acme_keeper_start(conf, board, s, pconf);
    if (acme_keeper_start_client(ACME_BY_WORKER)) {
        acme_witness_start(conf, board, s, pconf);
        acme_watchdog_register(conf, board, s, pconf);
    }
    return OK;
}

/* Each child of httpd, also one that is no worker. */
static int on_drop_privileges(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    acme_live_forget_writer();
    acme_keeper_start_drop_privileges();
    return DECLINED;
}

static void on_child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)s;
    acme_hmac_wipe_worker();
    acme_keeper_start_child_init();
    acme_tls_alpn01_child_init();
    acme_watchdog_child_init(pchild);
}

static void on_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    (void)graceful;
    acme_watchdog_stop();
}

/* In the parent's main thread, about every 10 s. */
static int on_monitor(apr_pool_t *p, server_rec *s)
{
    (void)p;
    (void)s;
    acme_keeper_start_monitor();
    acme_witness_start_monitor();
    return DECLINED;
}

/*
 * The order is the point: a challenge is answered whatever else holds for the
 * name, a name without its certificate shows nothing, and only what can be
 * visited by https is redirected there.
 */
static int on_request(request_rec *r)
{
    int answer;

    if (r->main || r->prev) {
        return DECLINED;
    }
    answer = acme_http01_answer(r);
    if (answer == DECLINED) {
        answer = acme_placeholder_503(r);
    }
    if (answer == DECLINED) {
        answer = acme_require_https(r);
    }
    if (answer != DECLINED) {
        /* httpd closes the connection behind what this hook answers, and says
           so only if it is told before the head is sent. */
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    return answer;
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const ssl[] = { "mod_ssl.c", NULL };
    static const char *const watchdog[] = { "mod_watchdog.c", NULL };

    /* httpd loads us while it reads its files: edits from here on are new. */
    loaded_at = apr_time_now();
    ap_hook_check_config(on_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(after_check_config, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_test_config(on_test_config, NULL, NULL, APR_HOOK_MIDDLE);

    /* mod_ssl asks for files in its hook, mod_watchdog makes threads in its. */
    ap_hook_post_config(before_mod_ssl, NULL, ssl, APR_HOOK_FIRST);
    ap_hook_post_config(after_mod_ssl, ssl, watchdog, APR_HOOK_LAST);

    /* A worker has no secrets before any other module's code runs in it. */
    ap_hook_drop_privileges(on_drop_privileges, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_FIRST);

    /* Orders are told to stop before anybody waits for the worker's end. */
    ap_hook_child_stopping(on_child_stopping, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_monitor(on_monitor, NULL, NULL, APR_HOOK_MIDDLE);

    /* Before mod_proxy, mod_rewrite and any Redirect see the request. */
    ap_hook_post_read_request(on_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    acme_activation_hooks(p);
    if (ap_exists_config_define(ACME_CONF_TRIAL_DEFINE)) {
        acme_mod_ssl_trial_hooks(p);
    }
    acme_require_https_hooks(p);
    acme_cert_callback_hooks(p);
    acme_tls_alpn01_hooks(p);
    acme_status_hooks(p);
    acme_page_hooks(p);
}

AP_DECLARE_MODULE(acme) = {
    STANDARD20_MODULE_STUFF,
    NULL,                       /* no per-directory configuration */
    NULL,
    acme_commands_conf_create,
    acme_server_conf_merge,
    acme_commands,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
