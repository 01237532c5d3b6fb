/*
 * acme_conf.c - the certificates and CAs of the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_escape.h>
#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_conf.h"
#include "acme_digest.h"

#define DIGEST_OCTETS 8

const acme_cert_conf_t *acme_conf_cert(const acme_conf_t *conf,
                                       apr_uint32_t index)
{
    if (index >= (apr_uint32_t)conf->certs->nelts) {
        return NULL;
    }
    return &APR_ARRAY_IDX(conf->certs, index, acme_cert_conf_t);
}

const acme_hook_conf_t *acme_conf_hook(const acme_cert_conf_t *cert,
                                       acme_hook_e kind, int n)
{
    int i;

    for (i = 0; cert->hooks && i < cert->hooks->nelts; i++) {
        const acme_hook_conf_t *hook =
            &APR_ARRAY_IDX(cert->hooks, i, acme_hook_conf_t);

        if (hook->kind == kind && n-- == 0) {
            return hook;
        }
    }
    return NULL;
}

apr_uint32_t acme_conf_dry_run_ca(const acme_cert_conf_t *cert,
                                  apr_uint32_t ca)
{
    return (apr_uint32_t)cert->cas->nelts + ca;
}

int acme_conf_is_dry_run(const acme_cert_conf_t *cert, apr_uint32_t ca)
{
    return ca >= (apr_uint32_t)cert->cas->nelts;
}

/* What a list of the certificate's CAs, or that of their dry runs, has. */
static apr_uint32_t find_position(const acme_cert_conf_t *cert,
                                  const apr_array_header_t *list,
                                  const apr_array_header_t *dry_runs,
                                  apr_uint32_t ca)
{
    return acme_conf_is_dry_run(cert, ca)
        ? APR_ARRAY_IDX(dry_runs, ca - (apr_uint32_t)cert->cas->nelts,
                        apr_uint32_t)
        : APR_ARRAY_IDX(list, ca, apr_uint32_t);
}

apr_uint32_t acme_conf_ca_index(const acme_cert_conf_t *cert,
                                apr_uint32_t ca)
{
    return find_position(cert, cert->cas, cert->dry_run_cas, ca);
}

const acme_ca_conf_t *acme_conf_ca(const acme_conf_t *conf,
                                   const acme_cert_conf_t *cert,
                                   apr_uint32_t ca)
{
    const apr_uint32_t n = (apr_uint32_t)cert->cas->nelts;

    if (ca >= n && (!cert->dry_run_cas
                    || ca - n >= (apr_uint32_t)cert->dry_run_cas->nelts)) {
        return NULL;
    }
    return &APR_ARRAY_IDX(conf->cas, acme_conf_ca_index(cert, ca),
                          acme_ca_conf_t);
}

apr_uint32_t acme_conf_route_index(const acme_cert_conf_t *cert,
                                   apr_uint32_t ca)
{
    return find_position(cert, cert->routes, cert->dry_run_routes, ca);
}

const acme_route_conf_t *acme_conf_route(const acme_conf_t *conf,
                                         const acme_cert_conf_t *cert,
                                         apr_uint32_t ca)
{
    return &APR_ARRAY_IDX(conf->routes, acme_conf_route_index(cert, ca),
                          acme_route_conf_t);
}

apr_uint32_t acme_conf_parts(const acme_cert_conf_t *cert)
{
    return (apr_uint32_t)cert->key_types->nelts;
}

acme_key_type_e acme_conf_key_type(const acme_cert_conf_t *cert,
                                   apr_uint32_t part)
{
    return APR_ARRAY_IDX(cert->key_types, part, acme_key_type_e);
}

const char *acme_conf_suffix(const acme_cert_conf_t *cert, apr_uint32_t part)
{
    if (part == 0) {
        return "";
    }
    switch (acme_conf_key_type(cert, part)) {
    case ACME_KEY_P256:
        return "-p256";
    case ACME_KEY_P384:
        return "-p384";
    default:
        return "-rsa";
    }
}

int acme_conf_is_first_of_kind(const acme_cert_conf_t *cert, apr_uint32_t part)
{
    const int rsa = acme_conf_key_type(cert, part) >= ACME_KEY_RSA2048;
    apr_uint32_t i;

    for (i = 0; i < part; i++) {
        if ((acme_conf_key_type(cert, i) >= ACME_KEY_RSA2048) == rsa) {
            return 0;
        }
    }
    return 1;
}

const char *acme_conf_visits_digest(const acme_cert_conf_t *cert,
                                    apr_pool_t *p)
{
    apr_array_header_t *lines;
    const char *text, *digest;
    apr_pool_t *scratch;
    int i;

    if (!cert->visits) {
        return NULL;
    }
    apr_pool_create(&scratch, p);       /* p may be the keeper's life */
    lines = apr_array_make(scratch, 8, sizeof(const char *));
    APR_ARRAY_PUSH(lines, const char *) = apr_itoa(scratch, cert->served);
    for (i = 0; i < cert->visits->nelts; i++) {
        const acme_visit_t *visit = &APR_ARRAY_IDX(cert->visits, i,
                                                   acme_visit_t);

        APR_ARRAY_PUSH(lines, const char *) = visit->at->text;
        APR_ARRAY_PUSH(lines, const char *) = visit->name;
    }
    text = apr_array_pstrcat(scratch, lines, '\n');
    digest = acme_digest_hex(text, strlen(text), DIGEST_OCTETS, p);
    apr_pool_destroy(scratch);
    return digest;
}

const char *acme_conf_key_types(const acme_cert_conf_t *cert, apr_pool_t *p)
{
    apr_array_header_t *types = apr_array_make(p, 2, sizeof(const char *));
    apr_uint32_t i;

    for (i = 0; i < acme_conf_parts(cert); i++) {
        APR_ARRAY_PUSH(types, const char *) = acme_key_type_name(
            acme_conf_key_type(cert, i));
    }
    return apr_array_pstrcat(p, types, ' ');
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *digest_text(const char *text, apr_pool_t *p)
{
    return acme_digest_hex(text, strlen(text), DIGEST_OCTETS, p);
}

const char *acme_conf_hook_digest(const acme_hook_conf_t *hook, apr_pool_t *p)
{
    return digest_text(apr_array_pstrcat(p, hook->command, '\n'), p);
}

/* Another order of the virtual hosts must not change a digest. */
static const char *sorted(const apr_array_header_t *names, apr_pool_t *p)
{
    apr_array_header_t *copy = apr_array_copy(p, names);

    qsort(copy->elts, (size_t)copy->nelts, sizeof(char *), by_text);
    return apr_array_pstrcat(p, copy, '\n');
}

const char *acme_conf_request(const acme_cert_conf_t *cert, apr_uint32_t part,
                              const apr_array_header_t *names, apr_pool_t *p)
{
    const acme_key_type_e type = acme_conf_key_type(cert, part);

    return digest_text(apr_pstrcat(p, acme_key_type_name(type), "\n",
                                   cert->must_staple ? "staple" : "", "\n",
                                   sorted(names, p), NULL), p);
}

/* A CA and its account, to which an order belongs. */
static const char *ca_text(const acme_ca_conf_t *ca, apr_pool_t *p)
{
    return apr_pstrcat(p, ca->url, " ", ca->kid ? ca->kid : "", NULL);
}

const char *acme_conf_digest(const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const char *text = acme_conf_key_types(cert, p);
    const acme_ca_conf_t *ca;
    apr_uint32_t i;

    for (i = 0; (ca = acme_conf_ca(conf, cert, i)) != NULL; i++) {
        text = apr_pstrcat(p, text, "\n", ca_text(ca, p), NULL);
    }
    return digest_text(apr_pstrcat(p, text, cert->must_staple ? " staple" : "",
                                   "\n", cert->profile ? cert->profile : "",
                                   "\n", sorted(cert->names, p), NULL), p);
}

const char *acme_conf_challenges(const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const char *text = "";
    int i;

    for (i = 0; i < cert->nchallenges; i++) {
        text = apr_pstrcat(p, text, i ? " " : "", acme_challenge_name(
            (acme_challenge_e)cert->challenges[i]), NULL);
    }
    return text;
}

/* A file that was written anew is another setting. */
static const char *file_text(const char *path, apr_pool_t *p)
{
    apr_finfo_t info;

    if (!path) {
        return "";
    }
    if (apr_stat(&info, path, APR_FINFO_MTIME | APR_FINFO_SIZE, p)) {
        return path;
    }
    return apr_psprintf(p, "%s %" APR_TIME_T_FMT " %" APR_OFF_T_FMT, path,
                        info.mtime, info.size);
}

static const char *command_text(const apr_array_header_t *words, apr_pool_t *p)
{
    if (!words || !words->nelts) {
        return "";
    }
    return apr_pstrcat(p, apr_array_pstrcat(p, words, ' '), " ",
                       file_text(APR_ARRAY_IDX(words, 0, const char *), p),
                       NULL);
}

static const char *dns_text(const acme_dns_conf_t *dns, apr_pool_t *p)
{
    if (!dns) {
        return "";
    }
    return apr_psprintf(p, "%d %d %s %s %s %s %s %s %" APR_TIME_T_FMT "%s",
                        (int)dns->how, (int)dns->call,
                        command_text(dns->present, p),
                        command_text(dns->cleanup, p),
                        dns->server ? dns->server : "",
                        dns->port ? dns->port : "",
                        file_text(dns->key_file, p),
                        dns->zone ? dns->zone : "", dns->timeout,
                        dns->stay ? " stay" : "");
}

static const char *http_text(const acme_token_conf_t *http, apr_pool_t *p)
{
    if (!http) {
        return "";
    }
    return apr_psprintf(p, "%d %s %s %s %" APR_TIME_T_FMT, (int)http->how,
                        command_text(http->present, p),
                        command_text(http->cleanup, p),
                        http->root ? http->root : "", http->timeout);
}

const char *acme_conf_settings(const acme_conf_t *conf,
                               const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const char *asked = acme_conf_digest(conf, cert, p);
    const char *text = "";
    const acme_hook_conf_t *hook;
    const acme_ca_conf_t *ca;
    apr_uint32_t i;
    int n;

    for (i = 0; (ca = acme_conf_ca(conf, cert, i)) != NULL; i++) {
        const acme_route_conf_t *route = acme_conf_route(conf, cert, i);

        text = apr_pstrcat(p, text, "\n",
                           apr_array_pstrcat(p, ca->contacts, ' '), "\n",
                           file_text(route->roots, p), "\n",
                           route->proxy ? route->proxy : "", "\n",
                           file_text(ca->hmac_file, p), "\n",
                           ca->hmac ? digest_text(ca->hmac, p) : "", NULL);
    }
    for (n = 0; (hook = acme_conf_hook(cert, ACME_HOOK_PRE, n)) != NULL; n++) {
        text = apr_pstrcat(p, text, "\n", command_text(hook->command, p), NULL);
    }
    text = apr_pstrcat(p, text, "\n", cert->profile_required ? "required" : "",
                       "\n", acme_conf_challenges(cert, p), "\n",
                       cert->ports ? cert->ports : "", "\n",
                       dns_text(cert->dns, p), "\n",
                       http_text(cert->http, p), NULL);
    return apr_pstrcat(p, asked, "-", digest_text(text, p), NULL);
}

void acme_conf_set_digests(acme_conf_t *conf, apr_pool_t *p)
{
    apr_pool_t *scratch;
    int i;

    apr_pool_create(&scratch, p);
    for (i = 0; i < conf->certs->nelts; i++) {
        acme_cert_conf_t *cert = &APR_ARRAY_IDX(conf->certs, i,
                                                acme_cert_conf_t);

        cert->settings = apr_pstrdup(p, acme_conf_settings(conf, cert,
                                                           scratch));
        cert->digest = apr_pstrmemdup(p, cert->settings,
                                      strcspn(cert->settings, "-"));
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
}

int acme_conf_settings_ask_same(const char *settings,
                                const acme_cert_conf_t *cert)
{
    const apr_size_t len = strlen(cert->digest);

    return !strncmp(settings, cert->digest, len) && settings[len] == '-';
}
