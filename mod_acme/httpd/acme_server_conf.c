/*
 * acme_server_conf.c - a server's configuration, and what a virtual host
 * inherits.
 */
#include <stddef.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "acme_server_conf.h"

static const struct {
    const char *name;
    const char *dflt;                   /* NULL: none */
    int where;
    apr_size_t offset;
    apr_size_t size;
} fields[ACME_DIR_COUNT] = {
#define FIELD(name, syntax, dflt, where, parser, field, text, example) \
    { #name, dflt, where, offsetof(acme_server_conf_t, field), \
      sizeof(((acme_server_conf_t *)0)->field) },
    ACME_DIRECTIVES(FIELD)
};

acme_server_found_t *acme_server_conf_found(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &acme_module);
}

acme_server_conf_t *acme_server_conf(const server_rec *s)
{
    return acme_server_conf_found(s)->conf;
}

const char *acme_server_conf_file(const server_rec *s, const char *last,
                                  apr_pool_t *p)
{
    return s->defn_name && last && !strcmp(s->defn_name, last)
        ? last : apr_pstrdup(p, s->defn_name);
}

static int is_same_command(const apr_array_header_t *a,
                           const apr_array_header_t *b)
{
    int i;

    for (i = 0; i < a->nelts && i < b->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(a, i, const char *),
                   APR_ARRAY_IDX(b, i, const char *)) != 0) {
            return 0;
        }
    }
    return a->nelts == b->nelts;
}

static int has_hook(const apr_array_header_t *hooks,
                    const acme_hook_conf_t *wanted)
{
    int i;

    for (i = 0; i < hooks->nelts; i++) {
        const acme_hook_conf_t *hook = &APR_ARRAY_IDX(hooks, i,
                                                      acme_hook_conf_t);

        if (hook->kind == wanted->kind && hook->command
            && is_same_command(hook->command, wanted->command)) {
            return 1;
        }
    }
    return 0;
}

void acme_server_conf_add_hooks(apr_array_header_t *hooks,
                                const apr_array_header_t *from,
                                const acme_hook_conf_t *reset)
{
    int i;

    for (i = 0; i < from->nelts; i++) {
        const acme_hook_conf_t *hook = &APR_ARRAY_IDX(from, i,
                                                      acme_hook_conf_t);

        if (reset && reset->kind == hook->kind) {
            continue;
        }
        if (!hook->command || !has_hook(hooks, hook)) {
            APR_ARRAY_PUSH(hooks, acme_hook_conf_t) = *hook;
        }
    }
}

/* Those of the virtual host behind the server's that it does not take back. */
static void merge_hooks(acme_server_conf_t *conf,
                        const acme_server_conf_t *under,
                        const acme_server_conf_t *over, apr_pool_t *p)
{
    apr_array_header_t *kept = apr_array_make(p, 4, sizeof(acme_hook_conf_t));
    const char *before = under->written[ACME_DIR_AcmeHook];
    int i;

    if (!under->hooks || over->is_hooks_reset) {
        return;
    }
    acme_server_conf_add_hooks(kept, under->hooks, NULL);
    for (i = 0; over->hooks && i < over->hooks->nelts; i++) {
        const acme_hook_conf_t *hook = &APR_ARRAY_IDX(over->hooks, i,
                                                      acme_hook_conf_t);

        if (!hook->command) {
            apr_array_header_t *fewer =
                apr_array_make(p, 4, sizeof(acme_hook_conf_t));

            acme_server_conf_add_hooks(fewer, kept, hook);
            kept = fewer;
        }
    }
    if (over->hooks) {
        acme_server_conf_add_hooks(kept, over->hooks, NULL);
    }
    conf->hooks = kept;
    if (before && over->written[ACME_DIR_AcmeHook]) {
        conf->written[ACME_DIR_AcmeHook] =
            apr_pstrcat(p, before, "\n", over->written[ACME_DIR_AcmeHook],
                        NULL);
    }
}

/* The exports of a virtual host are beside those of the server. */
static void add_exports(acme_server_conf_t *conf,
                        const acme_server_conf_t *under,
                        const acme_server_conf_t *over, apr_pool_t *p)
{
    const int i = ACME_DIR_AcmeExport;

    if (over->exports && under->exports && !over->is_exports_reset) {
        conf->exports = apr_array_append(p, under->exports, over->exports);
        conf->written[i] = apr_pstrcat(p, under->written[i], "\n",
                                       over->written[i], NULL);
    }
}

static acme_server_conf_t *merge(const acme_server_conf_t *under,
                                 const acme_server_conf_t *over,
                                 apr_pool_t *p)
{
    acme_server_conf_t *conf = apr_pmemdup(p, under, sizeof(*conf));
    int i;

    if (memchr(over->set, 1, ACME_DIR_COUNT)) {
        conf->set = apr_pmemdup(p, under->set, ACME_DIR_COUNT);
        conf->written = apr_pmemdup(p, under->written,
                                    ACME_DIR_COUNT * sizeof(*conf->written));
    }
    for (i = 0; i < ACME_DIR_COUNT; i++) {
        if (over->set[i]) {
            memcpy((char *)conf + fields[i].offset,
                   (const char *)over + fields[i].offset, fields[i].size);
            conf->set[i] = 1;
            conf->written[i] = over->written[i];
        }
    }
    if (over->set[ACME_DIR_AcmeHook]) {
        merge_hooks(conf, under, over, p);
    }
    add_exports(conf, under, over, p);
    conf->engine_own = over->engine_own;
    /* Another CA of the virtual host's must not hear of the server's. */
    conf->external_cas =
        under->set[ACME_DIR_AcmeCA] && !over->set[ACME_DIR_AcmeExternalAccount]
            ? under->cas : NULL;
    conf->is_hooks_reset = 0;
    conf->is_exports_reset = 0;
    return conf;
}

void *acme_server_conf_merge(apr_pool_t *p, void *base, void *add)
{
    acme_server_found_t *server = apr_pcalloc(p, sizeof(*server));

    server->conf = merge(((const acme_server_found_t *)base)->conf,
                         ((const acme_server_found_t *)add)->conf, p);
    return server;
}

static const char *value_text(const acme_server_conf_t *conf, int i)
{
    if (conf->written[i]) {
        return conf->written[i];
    }
    return fields[i].dflt ? fields[i].dflt : "";
}

const char *acme_server_conf_differences(const acme_server_conf_t *a,
                                         const acme_server_conf_t *b,
                                         apr_pool_t *p)
{
    const char *text = NULL;
    int i;

    for (i = 0; i < ACME_DIR_COUNT; i++) {
        if (fields[i].where == ACME_CERT
            && apr_cstr_casecmp(value_text(a, i), value_text(b, i))) {
            text = text ? apr_pstrcat(p, text, ", ", fields[i].name, NULL)
                        : fields[i].name;
        }
    }
    return text;
}

void acme_server_conf_unshare(server_rec *base, apr_pool_t *p)
{
    char nothing_set[ACME_DIR_COUNT] = { 0 };
    const acme_server_conf_t nothing = { .set = nothing_set };
    acme_server_conf_t *inherited = NULL;
    server_rec *s;

    for (s = base->next; s; s = s->next) {
        acme_server_found_t *server;

        if (acme_server_conf_found(s) != acme_server_conf_found(base)) {
            continue;
        }
        if (!inherited) {
            inherited = merge(acme_server_conf(base), &nothing, p);
        }
        server = apr_pcalloc(p, sizeof(*server));
        server->conf = inherited;
        ap_set_module_config(s->module_config, &acme_module, server);
    }
}
