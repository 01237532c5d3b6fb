/*
 * acme_conf_trial.c - would httpd start with this configuration?
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <ap_listen.h>
#include <http_log.h>
#include <http_ssl.h>
#include <mpm_common.h>

#include "acme_conf_trial.h"
#include "acme_define.h"
#include "acme_pair.h"
#include "acme_pass_phrase.h"
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
    const acme_server_found_t *server = acme_server_conf_found(s);
    const acme_conf_tree_facts_t *facts = acme_conf_tree_facts(tree, s);

    return facts->certs || facts->has_command || server->certs
        || server->is_unordered || acme_conf_tree_in_mod_md(tree, s);
}

/* httpd has no terminal any more when it reloads. */
static int try_pass_phrases(const acme_conf_tree_t *tree, const server_rec *s,
                            int level, apr_pool_t *p)
{
    const char *place;
    const char *path = acme_pass_phrase_missing(&place, tree, s, p);

    if (!path) {
        return 0;
    }
    ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                 "%s: httpd will not reload with this: the pass phrase of %s must be typed, which is possible at a start only: stop and start httpd",
                 place, path);
    return 1;
}

/* "0.0.0.0:80,[::]:443,"; NULL: not known, as in an administrator's own test. */
static const char *running_listens(void)
{
    return acme_define_value(ACME_CONF_TRIAL_LISTENS);
}

/*
 * httpd exits where it can't write it. Before a start, whatever starts it may
 * make the folder; a reload nobody prepares.
 */
static int try_pid_file(const server_rec *s, int level, apr_pool_t *p)
{
    const char *path = ap_pid_fname ? ap_pid_fname : "";
    const char *end = strrchr(path, '/');
    const char *folder;
    apr_finfo_t info;

    if (!running_listens() || path[0] != '/' || end == path) {
        return 0;
    }
    folder = apr_pstrmemdup(p, path, (apr_size_t)(end - path));
    if (!APR_STATUS_IS_ENOENT(apr_stat(&info, folder, APR_FINFO_TYPE, p))) {
        return 0;
    }
    ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                 "PidFile %s: httpd will not start with this: there is no folder %s",
                 path, folder);
    return 1;
}

/* Is the address in the list, or its end, such as ":443"? */
static int is_in(const char *listens, const char *end)
{
    const char *at = strstr(listens, end);
    const apr_size_t len = strlen(end);

    while (at && (at[len] != ','
                  || (*end != ':' && at > listens && at[-1] != ','))) {
        at = strstr(at + 1, end);
    }
    return at != NULL;
}

/* httpd exits when it can't open one, and when a program is not there. */
static int try_logs(const acme_conf_tree_t *tree, const server_rec *s,
                    int level, apr_pool_t *p)
{
    const apr_array_header_t *logs = acme_conf_tree_logs(tree);
    int i, wrong = 0;

    for (i = 0; i < logs->nelts; i++) {
        const acme_conf_tree_file_t *log =
            &APR_ARRAY_IDX(logs, i, acme_conf_tree_file_t);
        const int is_program = log->path[0] == '|';
        apr_finfo_t info;
        apr_status_t rv = apr_stat(&info, log->path + is_program,
                                   APR_FINFO_TYPE, p);

        if (is_program ? APR_STATUS_IS_ENOENT(rv)
                       : rv == APR_SUCCESS && info.filetype == APR_DIR) {
            ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                         "%s: httpd will not start with this: %s %s",
                         log->place, log->path + is_program,
                         is_program ? "does not exist" : "is a folder");
            wrong++;
        }
    }
    return wrong;
}

/* As httpd does it, but nothing listens. */
static apr_status_t bind_to(apr_sockaddr_t *to, apr_pool_t *p)
{
    apr_socket_t *fd;
    apr_status_t rv;

    if (apr_socket_create(&fd, to->family, SOCK_STREAM, 0, p)) {
        return APR_SUCCESS;
    }
    apr_socket_opt_set(fd, APR_SO_REUSEADDR, 1);
    rv = apr_socket_bind(fd, to);
    apr_socket_close(fd);
    return rv;
}

/* httpd exits when it can't have one. Those that it has are passed on, and it
   may itself be who has the port, at another address. */
static int try_listeners(const server_rec *s, int level, apr_pool_t *p)
{
    const char *listens = running_listens();
    const ap_listen_rec *listener;
    char text[128];
    int wrong = 0;

    /* With sockets of systemd's it binds none. */
    for (listener = listens && !getenv("LISTEN_FDS") ? ap_listeners : NULL;
         listener; listener = listener->next) {
        const char *address = apr_psprintf(p, "%pI", listener->bind_addr);
        const char *port = apr_psprintf(p, ":%d", listener->bind_addr->port);
        const apr_status_t rv = is_in(listens, address)
            ? APR_SUCCESS : bind_to(listener->bind_addr, p);

        if (rv && !(rv == EADDRINUSE && is_in(listens, port))) {
            ap_log_error(APLOG_MARK, level, 0, s, ACME_SERVER_TRIAL_MARK
                         "Listen %s: httpd will not start with this: it cannot bind to that address: %s",
                         address, apr_strerror(rv, text, sizeof(text)));
            wrong++;
        }
    }
    return wrong;
}

int acme_conf_trial_run(const acme_conf_tree_t *tree, const server_rec *s,
                        int level, apr_pool_t *p)
{
    const apr_array_header_t *pairs = acme_conf_tree_pairs(tree, s, p);
    const int is_ours_alone = !others_have_certificates();
    apr_hash_t *lists = apr_hash_make(p);
    int wrong = try_pid_file(s, level, p) + try_listeners(s, level, p)
        + try_pass_phrases(tree, s, level, p) + try_logs(tree, s, level, p);
    int i;

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
