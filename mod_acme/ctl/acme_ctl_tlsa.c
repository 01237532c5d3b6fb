/*
 * acme_ctl_tlsa.c - acmectl tlsa: the records for DANE of a certificate. (6698,
 * 7671)
 *
 * "3 1 1": the SHA-256 of the public key. It is made of our own key files, and
 * stays the same as long as the key. Only the digests are printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_ctl_show.h"
#include "acme_ctl_term.h"
#include "acme_ctl_tlsa.h"
#include "acme_digest.h"
#include "acme_name.h"
#include "acme_next_key_file.h"
#include "acme_pending.h"
#include "acme_public_key.h"

const acme_ctl_option_t acme_ctl_tlsa_options[] = {
    { "--port", "P", "the port of the service, by default 443" },
    { "--proto", "PROTO", "tcp, udp or sctp, by default tcp" },
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

/* A public key that visitors get, or will. */
typedef struct {
    const char *digest;         /* hex */
    const char *file;           /* below the state directory */
    int is_next;                /* not live yet, */
    apr_time_t made;            /*   made ahead then; 0: for an order that is
                                     under way */
} public_key_t;

static int has_digest(const apr_array_header_t *keys, const char *digest)
{
    int i;

    for (i = 0; i < keys->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(keys, i, public_key_t).digest, digest)) {
            return 1;
        }
    }
    return 0;
}

/* ENOENT: there is no such file. */
static apr_status_t add_key(apr_array_header_t *keys, const char *path,
                            public_key_t key, acme_result_t *res,
                            apr_pool_t *p)
{
    acme_octets_t octets;
    const char *digest;
    apr_status_t rv;

    rv = acme_public_key_of_file(&octets, path, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!octets.data) {
        return acme_fail(res, APR_EINVAL, "%s: has a pass phrase", path);
    }
    digest = acme_digest_hex(octets.data, octets.len, ACME_DIGEST_OCTETS, p);
    if (!has_digest(keys, digest)) {
        key.digest = digest;
        APR_ARRAY_PUSH(keys, public_key_t) = key;
    }
    return APR_SUCCESS;
}

static apr_status_t add_pending(apr_array_header_t *keys,
                                const acme_store_t *store, const char *part,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *file = apr_pstrcat(p, part, "/key.pem", NULL);

    return add_key(keys, acme_store_path(store, "pending", file, p),
                   (public_key_t) {
                       .file = apr_pstrcat(p, "pending/", file, NULL),
                       .is_next = 1 }, res, p);
}

/* Those that were made ahead. (AcmeKeyReuse next) */
static apr_status_t add_ahead(apr_array_header_t *keys,
                              const acme_store_t *store, const char *id,
                              acme_key_type_e type, acme_result_t *res,
                              apr_pool_t *p)
{
    const char *file = acme_next_key_file_name(id, type, p);
    const char *path = acme_store_path(store, "next", file, p);
    struct stat st;

    return add_key(keys, path, (public_key_t) {
                       .file = apr_pstrcat(p, "next/", file, NULL),
                       .is_next = 1,
                       .made = stat(path, &st)
                           ? 0 : apr_time_from_sec(st.st_mtime) }, res, p);
}

/* The keys of the live certificate, of the next one, and of an order. */
static apr_status_t find_keys(apr_array_header_t *keys,
                              const acme_ctl_command_t *run, const char *id,
                              acme_result_t *res)
{
    acme_store_t *store = acme_store_at(run->state_dir, run->p);
    apr_pool_t *p = run->p;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < ACME_ARCHIVE_SUFFIXES
                && (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)); i++) {
        const char *file = apr_pstrcat(p, "privkey", acme_archive_suffixes[i],
                                       ".pem", NULL);

        rv = add_key(keys, acme_store_live(store, id, file, p),
                     (public_key_t) { .file = apr_pstrcat(p, "live/", id, "/",
                                                          file, NULL) },
                     res, p);
    }
    for (i = ACME_KEY_P256; i <= ACME_KEY_RSA4096
                && (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)); i++) {
        rv = add_ahead(keys, store, id, (acme_key_type_e)i, res, p);
    }
    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)) {
        rv = add_pending(keys, store, id, res, p);
    }
    for (i = ACME_KEY_P256; i <= ACME_KEY_RSA4096
                && (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)); i++) {
        rv = add_pending(keys, store, acme_pending_part(
            id, acme_key_type_name((acme_key_type_e)i), p), res, p);
    }
    return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
}

/* Can a TLSA record be for it? A "*" within a name is no wildcard. (4592) */
static const char *why_not(const char *name)
{
    if (acme_name_is_ip(name)) {
        return "an address has no TLSA record";
    }
    return acme_name_is_wildcard(name)
        ? "set the record for each name that is used" : NULL;
}

/* From when on a renewal uses it; 0: not known. How old it has to be then is
   in the configuration, which only the keeper has. */
static apr_time_t used_from(const acme_ctl_cert_t *cert,
                            const public_key_t *key)
{
    const acme_state_t *state = &cert->state;

    return key->made && state->next_key_made
        ? key->made + (state->next_key_from - state->next_key_made) : 0;
}

/* "next key, made at ..., used from ... on" */
static const char *about_text(const acme_ctl_cert_t *cert,
                              const public_key_t *key, apr_pool_t *p)
{
    const apr_time_t from = used_from(cert, key);

    if (!key->is_next) {
        return "current key";
    }
    if (!key->made) {
        return "next key, of the order under way";
    }
    return apr_pstrcat(p, "next key, made at ", acme_time_text(key->made, p),
                       from ? ", used from " : "",
                       from ? acme_time_text(from, p) : "", from ? " on" : "",
                       NULL);
}

static void put_text(const acme_ctl_command_t *run,
                     const acme_ctl_cert_t *cert,
                     const apr_array_header_t *keys, int port,
                     const char *proto)
{
    int i, k;

    for (k = 0; k < keys->nelts; k++) {
        const public_key_t *key = &APR_ARRAY_IDX(keys, k, public_key_t);

        printf("; %s: ", about_text(cert, key, run->p));
        acme_ctl_term_put(stdout, key->file);
        fputs("\n", stdout);
        for (i = 0; i < cert->names->nelts; i++) {
            const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

            if (why_not(name)) {
                printf("; %s: %s\n", acme_ctl_term_text(name, run->p),
                       why_not(name));
                continue;
            }
            printf("_%d._%s.%s. IN TLSA 3 1 1 %s\n", port, proto,
                   acme_ctl_term_text(name, run->p), key->digest);
        }
    }
}

/* A time, or null. */
static json_t *time_json(apr_time_t t, apr_pool_t *p)
{
    return t ? json_string(acme_time_rfc3339(t, p)) : json_null();
}

static void put_json(const acme_ctl_command_t *run,
                     const acme_ctl_cert_t *cert,
                     const apr_array_header_t *keys, int port,
                     const char *proto)
{
    json_t *array = json_array();
    int i, k;

    for (k = 0; k < keys->nelts; k++) {
        const public_key_t *key = &APR_ARRAY_IDX(keys, k, public_key_t);

        for (i = 0; i < cert->names->nelts; i++) {
            const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

            if (!why_not(name)) {
                json_array_append_new(array, json_pack(
                    "{s:s, s:s, s:s, s:s, s:o, s:o}", "name",
                    apr_psprintf(run->p, "_%d._%s.%s", port, proto,
                                 acme_ctl_term_text(name, run->p)),
                    "type", "TLSA",
                    "value", apr_pstrcat(run->p, "3 1 1 ", key->digest, NULL),
                    "key", key->is_next ? "next" : "current",
                    "made", time_json(key->made, run->p),
                    "usedFrom", time_json(used_from(cert, key), run->p)));
            }
        }
    }
    acme_ctl_show_json(stdout, array, run->p);
}

int acme_ctl_tlsa_run(acme_ctl_command_t *run)
{
    const acme_ctl_cert_t *cert = acme_ctl_command_cert(run);
    const char *port = acme_ctl_command_option(run, "--port");
    const char *proto = acme_ctl_command_option(run, "--proto");
    apr_array_header_t *keys = apr_array_make(run->p, 2, sizeof(public_key_t));
    char *end = NULL;
    const long number = port ? strtol(port, &end, 10) : 443;
    acme_result_t res;

    proto = proto ? proto : "tcp";
    if (number < 1 || number > 65535 || (end && *end)) {
        return acme_ctl_command_refuse("--port %s: not a number from 1 to 65535",
                                       port);
    }
    if (strcmp(proto, "tcp") && strcmp(proto, "udp") && strcmp(proto, "sctp")) {
        return acme_ctl_command_refuse("--proto %s: tcp, udp or sctp", proto);
    }
    if (find_keys(keys, run, cert->id, &res)) {
        return acme_ctl_command_fail(&res);
    }
    if (!keys->nelts) {
        acme_ctl_command_refuse("%s: has no key yet", cert->id);
        return ACME_CTL_FAILED;
    }
    if (acme_ctl_command_option(run, "--json")) {
        put_json(run, cert, keys, (int)number, proto);
    }
    else {
        put_text(run, cert, keys, (int)number, proto);
    }
    return ACME_CTL_DONE;
}
