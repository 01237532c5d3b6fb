/*
 * acme_live.c - AcmeActivate live, of one load.
 */
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>

#include "acme_lasting.h"
#include "acme_live.h"
#include "acme_server_conf.h"

APLOG_USE_MODULE(acme);

/* Archives that the workers of the load before this one used at its end: in the
   process pool. */
#define BEFORE_KEY "mod_acme_live_before"

/* This load's; the statics go with the DSO, the memory as below. */
static struct {
    int is_wanted;
    const acme_conf_t *conf;
    server_rec *s;
    pid_t parent;
    apr_pool_t *p;
    acme_live_pairs_t *pairs;
    acme_live_cache_t *cache;   /* NULL: nothing is ever published */
} live;

static void fall_back(server_rec *s, int level, const char *why)
{
    live.is_wanted = 0;
    ap_log_error(APLOG_MARK, level, 0, s,
                 "acme: AcmeActivate live: %s; new certificates are activated by a graceful reload, as with AcmeActivate graceful",
                 why);
}

void acme_live_prepare(const acme_conf_t *conf, const char *obstacle,
                       server_rec *s, int level)
{
    live.is_wanted = conf->activate == ACME_ACTIVATE_LIVE;
    if (ap_exists_config_define("DEBUG")
        || ap_exists_config_define("ONE_PROCESS")) {
        obstacle = "httpd -X has one process, which would both write and use certificates; start httpd without -X";
    }
    if (live.is_wanted && obstacle) {
        fall_back(s, level, obstacle);
    }
}

int acme_live_is_wanted(void)
{
    return live.is_wanted;
}

/* mod_ssl took a certificate of ours for it, and never called our hook. */
static const server_rec *find_missed(const server_rec *s)
{
    for (; s; s = s->next) {
        const acme_server_found_t *server = acme_server_conf_found(s);

        if (server->given && !server->handshakes) {
            return s;
        }
    }
    return NULL;
}

/* Ids, and the number of an archive (int *). */
static apr_hash_t *find_before(const server_rec *s)
{
    return acme_lasting_hash(BEFORE_KEY, s->process->pool);
}

static void remember(void)
{
    apr_pool_t *process = live.s->process->pool;
    apr_hash_t *before = find_before(live.s);
    int i;

    for (i = 0; i < live.conf->certs->nelts; i++) {
        const char *id = acme_conf_cert(live.conf, (apr_uint32_t)i)->id;
        int *archive = apr_hash_get(before, id, APR_HASH_KEY_STRING);

        if (!archive) {
            archive = apr_palloc(process, sizeof(*archive));
            apr_hash_set(before, apr_pstrdup(process, id),
                         APR_HASH_KEY_STRING, archive);
        }
        *archive = acme_live_pairs_archive(live.pairs, i);
    }
}

int acme_live_was_served(const char *id, int archive, const server_rec *s)
{
    const int *before = apr_hash_get(find_before(s), id, APR_HASH_KEY_STRING);

    return before && *before && *before == archive;
}

/* The configuration is about to be read again, or the server ends. A fork keeps
   its copy: its threads may come as late as under exit(). */
static apr_status_t end_load(void *data)
{
    if (getpid() == live.parent) {
        if (live.pairs) {
            remember();
        }
        live.cache = NULL;
        live.pairs = NULL;
        apr_pool_destroy(data);
    }
    return APR_SUCCESS;
}

static void tell_fault(void *baton, int cert, const char *detail)
{
    (void)baton;
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, live.s,
                 "acme: %s: process %d cannot use the certificate that was activated live, and goes on with the one that it has: %s",
                 acme_conf_cert(live.conf, (apr_uint32_t)cert)->id,
                 (int)getpid(), detail);
}

static apr_status_t make_memory(acme_result_t *res)
{
    const int certs = live.conf->certs->nelts;
    apr_status_t rv = acme_live_pairs_create(&live.pairs, certs, res, live.p);

    return rv == APR_SUCCESS
        ? acme_live_cache_create(&live.cache, live.pairs, certs, tell_fault,
                                 NULL, res, live.p) : rv;
}

void acme_live_start(const acme_conf_t *conf, server_rec *s, apr_pool_t *p)
{
    const server_rec *missed = live.is_wanted ? find_missed(s) : NULL;
    acme_result_t res;

    if (missed) {
        fall_back(s, APLOG_WARNING,
                  apr_psprintf(p, "mod_ssl did not ask for a certificate callback for the virtual host at %s:%u; load the mod_ssl of httpd 2.4.49 or later",
                               missed->defn_name, missed->defn_line_number));
    }
    if (!live.is_wanted
        || apr_pool_create_unmanaged_ex(&live.p, NULL, NULL)) {
        return;
    }
    live.conf = conf;
    live.s = s;
    live.parent = getpid();
    apr_pool_cleanup_register(p, live.p, end_load, apr_pool_cleanup_null);
    if (make_memory(&res)) {
        live.pairs = NULL;
        fall_back(s, APLOG_WARNING, res.detail);
    }
}

acme_live_pairs_t *acme_live_pairs(void)
{
    return live.pairs;
}

/* Not under -X: parent and worker are one process then. */
void acme_live_forget_writer(void)
{
    if (live.pairs && getpid() != live.parent) {
        acme_live_pairs_forget_writer(live.pairs);
    }
}

const acme_live_cert_t *acme_live_take(int cert)
{
    return live.cache ? acme_live_cache_take(live.cache, cert) : NULL;
}
