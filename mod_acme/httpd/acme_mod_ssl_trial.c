/*
 * acme_mod_ssl_trial.c - mod_ssl itself loads a configuration that is tested.
 *
 * It must not refuse what the running server would load. So whatever happens
 * in the fork counts only if mod_ssl itself says no, and gives a reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_ssl.h>
#include <apr_optional_hooks.h>       /* needs httpd.h */

#include "acme_mod_ssl_trial.h"
#include "acme_pair.h"
#include "acme_self_signed.h"
#include "acme_server_conf.h"
#include "acme_server.h"
#include "acme_trial_limit.h"

APLOG_USE_MODULE(acme);

#define REASON_SIZE 600         /* octets */
#define LIBRARY "SSL Library Error"

/* In the fork alone. */
typedef struct {
    const acme_conf_tree_t *tree;
    const char *dummy_pair;       /* path of a certificate and its key */
    int out;                    /* where the verdict is written */
    const server_rec *s;        /* whose fault the reason is */
    char reason[REASON_SIZE];   /* the last error that was logged */
    apr_pool_t *shared;         /* for what other processes could see, so that
                                   it is removed; mod_ssl's own pool is not
                                   destroyed, for then it would remove the
                                   sessions of the running server */
} trial_t;

static trial_t *trial;

static int is_loader(const ap_LINK_post_config_t *hook)
{
    return hook->szName && (!strcmp(hook->szName, "mod_ssl.c")
                            || !strcmp(hook->szName, "mod_proxy.c"));
}

static int has_mod_ssl(void)
{
    const apr_array_header_t *hooks = ap_hook_get_post_config();
    int i;

    for (i = 0; hooks && i < hooks->nelts; i++) {
        const ap_LINK_post_config_t *hook =
            &APR_ARRAY_IDX(hooks, i, ap_LINK_post_config_t);

        if (hook->szName && !strcmp(hook->szName, "mod_ssl.c")) {
            return 1;
        }
    }
    return 0;
}

/* A pair that each server takes, whatever security level its ciphers ask. */
static const char *make_dummy_pair(apr_pool_t *p)
{
    acme_self_signed_t from = { .now = apr_time_now(),
                                .valid = apr_time_from_sec(24 * 3600) };
    apr_array_header_t *names = apr_array_make(p, 1, sizeof(const char *));
    const char *folder, *cert;
    acme_result_t res;
    apr_file_t *file;
    char *path;

    APR_ARRAY_PUSH(names, const char *) = "trial.invalid";
    from.names = names;
    if (acme_self_signed_key(&from.key_pem, ACME_SELF_SIGNED_P521, &res, p)
        || acme_self_signed_make(&cert, &from, &res, p)
        || apr_temp_dir_get(&folder, p)) {
        return NULL;
    }
    path = apr_pstrcat(p, folder, "/acme-trial-XXXXXX", NULL);
    if (apr_file_mktemp(&file, path, 0, p)) {   /* removed with the pool */
        return NULL;
    }
    return apr_file_puts(cert, file) || apr_file_puts(from.key_pem, file)
           || apr_file_flush(file) ? NULL : path;
}

/* Only mod_ssl in the running server has the pass phrase, or the device. */
static int is_for_the_server_alone(const acme_conf_tree_facts_t *facts, int i)
{
    const acme_conf_tree_file_t *cert =
        &APR_ARRAY_IDX(facts->certs, i, acme_conf_tree_file_t);
    const acme_conf_tree_file_t *key = facts->keys && i < facts->keys->nelts
        ? &APR_ARRAY_IDX(facts->keys, i, acme_conf_tree_file_t) : cert;

    return !cert->path || !key->path
           || acme_pair_has_pass_phrase(key->path);
}

/* mod_ssl asks for each server; nobody else is asked in the fork. */
static int add_cert_files(server_rec *s, apr_pool_t *p,
                          apr_array_header_t *certs, apr_array_header_t *keys)
{
    const acme_conf_tree_facts_t *facts;
    int i;

    (void)p;
    if (!trial) {
        return DECLINED;
    }
    facts = acme_conf_tree_facts(trial->tree, s);
    if (acme_server_conf_found(s)->is_live_named) {
        apr_array_clear(certs);
    }
    for (i = 0; facts->certs && i < certs->nelts
                && i < facts->certs->nelts; i++) {
        if (is_for_the_server_alone(facts, i)) {
            APR_ARRAY_IDX(certs, i, const char *) = trial->dummy_pair;
            if (i < keys->nelts) {
                APR_ARRAY_IDX(keys, i, const char *) = trial->dummy_pair;
            }
        }
    }
    if (!certs->nelts && !facts->has_command) {
        apr_array_clear(keys);
        APR_ARRAY_PUSH(certs, const char *) = trial->dummy_pair;
        APR_ARRAY_PUSH(keys, const char *) = trial->dummy_pair;
    }
    return DONE;
}

/*
 * What stops mod_ssl is the last error that it logs, before the sentence that
 * it is exiting; behind it there may be OpenSSL's words.
 */
static void on_error_log(const ap_errorlog_info *info, const char *text)
{
    apr_size_t len;

    if (!trial || info->level > APLOG_ERR
        || strstr(text, "Fatal error initialising mod_ssl")) {
        return;
    }
    if (!strstr(text, LIBRARY)) {
        apr_cpystrn(trial->reason, text, REASON_SIZE);
        trial->s = info->s;
    }
    else if (!strstr(trial->reason, LIBRARY)) {
        len = strlen(trial->reason);
        apr_snprintf(trial->reason + len, REASON_SIZE - len, "%s%s",
                     len ? ": " : "", text);
    }
}

/*
 * httpd does these before post_config, where it does not just test: which
 * Listen is https, and where a virtual host's errors go.
 */
static void prepare_servers(server_rec *base)
{
    server_rec *s;

    for (s = base; s; s = s->next) {
        if (!s->error_log) {
            s->error_log = base->error_log;
        }
        s->log.level = APLOG_ERR;       /* whatever LogLevel says */
        s->log.module_levels = NULL;
        if (acme_conf_tree_facts(trial->tree, s)->tls < 0
            && acme_conf_tree_has_tls(trial->tree, s)) {
            ap_set_server_protocol(s, "https");
        }
    }
}

/* As httpd calls them at a load; false: one of them refuses. */
static int load(server_rec *s, apr_pool_t *p)
{
    const apr_array_header_t *hooks = ap_hook_get_post_config();
    int i;

    for (i = 0; i < hooks->nelts; i++) {
        const ap_LINK_post_config_t *hook =
            &APR_ARRAY_IDX(hooks, i, ap_LINK_post_config_t);
        apr_pool_t *pconf = strcmp(hook->szName ? hook->szName : "",
                                   "mod_ssl.c") ? trial->shared : p;
        int rv;

        if (!is_loader(hook)) {
            continue;
        }
        rv = hook->pFunc(pconf, pconf, pconf, s);
        if (rv != OK && rv != DECLINED) {
            return 0;
        }
    }
    return 1;
}

/*
 * A mutex of the fork's own may not be had while the running server, which
 * has its mutexes, needs none; and the pair that we made is not loaded there.
 */
static int is_about_the_server(const char *reason)
{
    static const char *const of_mutexes[] = {
        "AH00021:", "AH00022:", "AH00023:", "AH00024:", "AH01959:"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(of_mutexes) / sizeof(of_mutexes[0]); i++) {
        if (!strncmp(reason, of_mutexes[i], strlen(of_mutexes[i]))) {
            return 0;
        }
    }
    return reason[0] && !strstr(reason, trial->dummy_pair);
}

static const char *place_of(const server_rec *s, apr_pool_t *p)
{
    return s && s->is_virtual
        ? apr_psprintf(p, "%s:%u", s->defn_name ? s->defn_name : "?",
                       s->defn_line_number)
        : "the server config";
}

/* Writes whose fault it is, and the reason, when there is one. */
static void write_verdict(apr_pool_t *p)
{
    const char *text = apr_pstrcat(p, place_of(trial->s, p), "\n",
                                   trial->reason, NULL);

    if (write(trial->out, text, strlen(text)) < 0) {
        alarm(1);               /* nobody reads any more */
    }
}

__attribute__((noreturn))
static void run_fork(trial_t *here, server_rec *s, apr_pool_t *p)
{
    const struct rlimit none = { 0, 0 };
    const int nowhere = open("/dev/null", O_RDWR);

    alarm(acme_trial_limit_of_mod_ssl());
    setrlimit(RLIMIT_CORE, &none);
    if (nowhere >= 0) {         /* no warnings beside the one reason */
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    trial = here;
    apr_pool_create(&trial->shared, s->process->pool);
    s->process->pool = trial->shared;   /* where mod_ssl makes mutexes */
    prepare_servers(s);
    if (!load(s, p) && is_about_the_server(trial->reason)) {
        write_verdict(p);
    }
    trial->s = NULL;
    apr_pool_destroy(trial->shared);
    _exit(0);
}

/*
 * A module that is not httpd's own may rely on its post_config, which is not
 * run: if it crashes here, it need not crash at a load.
 */
static int are_others_called(void)
{
    const apr_array_header_t *hooks = apr_optional_hook_get("init_server");
    int i;

    for (i = 0; hooks && i < hooks->nelts; i++) {
        const char *name = APR_ARRAY_IDX(hooks, i,
                                         ap_LINK_post_config_t).szName;

        if (!name || strcmp(name, "mod_acme.c") != 0) {
            return 1;
        }
    }
    return 0;
}

/* What the fork wrote, or that it crashed; "" when it did neither. */
static void read_fork(char *text, apr_size_t size, int in, pid_t pid)
{
    apr_size_t len = 0;
    int status = 0, sig;
    ssize_t n;

    while ((n = read(in, text + len, size - 1 - len)) > 0
           || (n < 0 && errno == EINTR)) {
        len += n > 0 ? (apr_size_t)n : 0;
    }
    text[len] = '\0';
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (!len && (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE
                 || sig == SIGILL || sig == SIGABRT)
        && !are_others_called()) {
        apr_snprintf(text, size, "the configuration\nit crashes, signal %d",
                     sig);
    }
}

/* The text of read_fork(); "" when no fork could be made. */
static void run_and_read(char *text, apr_size_t size, trial_t *here,
                         server_rec *s, apr_pool_t *p)
{
    int ends[2];
    pid_t pid;

    text[0] = '\0';
    if (pipe(ends)) {
        return;
    }
    here->out = ends[1];
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_fork(here, s, p);
    }
    close(ends[1]);
    if (pid > 0) {
        read_fork(text, size, ends[0], pid);
    }
    close(ends[0]);
}

int acme_mod_ssl_trial_run(const acme_conf_tree_t *tree, server_rec *s,
                           apr_pool_t *p)
{
    const char *beyond = acme_conf_tree_beyond_reading(tree);
    char text[REASON_SIZE + APR_PATH_MAX];
    trial_t here = { .tree = tree };
    apr_pool_t *files;
    char *reason;

    if (!has_mod_ssl()) {
        return 0;
    }
    apr_pool_create(&files, p);
    here.dummy_pair = make_dummy_pair(files);
    if (!beyond && !here.dummy_pair) {
        beyond = "a temporary file that cannot be written";
    }
    if (beyond) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                     "acme: mod_ssl's own load is not tried because of %s",
                     beyond);
        apr_pool_destroy(files);
        return 0;
    }
    run_and_read(text, sizeof(text), &here, s, p);
    apr_pool_destroy(files);
    reason = strchr(text, '\n');
    if (!reason) {
        return 0;
    }
    *reason++ = '\0';
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, ACME_SERVER_TRIAL_MARK
                 "%s: httpd will not start with this, because mod_ssl fails: %s",
                 text, reason);
    return 1;
}

void acme_mod_ssl_trial_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_ssl_add_cert_files(add_cert_files, NULL, NULL,
                               APR_HOOK_REALLY_FIRST);
    ap_hook_error_log(on_error_log, NULL, NULL, APR_HOOK_MIDDLE);
}
