/*
 * acme_exports.c - AcmeExport: from what is written to the files of each
 * certificate.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "acme_export_rights.h"
#include "acme_exports.h"
#include "acme_password_file.h"

APLOG_USE_MODULE(acme);

#define ID "%{id}"
#define TYPE "%{type}"
#define PKCS12 "pkcs12:"

static const char *parse_path(acme_export_conf_t *export, const char *text,
                              apr_pool_t *p)
{
    const char *at = text;

    while ((at = strstr(at, "%{")) != NULL) {
        if (!apr_cstr_casecmpn(at, ID, sizeof(ID) - 1)) {
            at += sizeof(ID) - 1;
        }
        else if (!apr_cstr_casecmpn(at, TYPE, sizeof(TYPE) - 1)) {
            at += sizeof(TYPE) - 1;
        }
        else {
            return apr_psprintf(p,
                                "'%s' has an unknown placeholder; allowed: %%{id}, %%{type}",
                                text);
        }
    }
    if (!*text || !ap_server_root_relative(p, text)) {
        return apr_psprintf(p, "'%s' is not a valid path", text);
    }
    export->path = apr_pstrdup(p, text);
    return NULL;
}

static const char *parse_format(acme_export_conf_t *export, const char *text,
                                apr_pool_t *p)
{
    const char *password;
    acme_result_t res;
    apr_pool_t *scratch;
    apr_status_t rv;

    export->format = acme_export_format_find(text);
    if (export->format < ACME_EXPORT_PKCS12) {
        return NULL;
    }
    if (apr_cstr_casecmpn(text, PKCS12, sizeof(PKCS12) - 1)) {
        return apr_psprintf(p,
                            "'%s' is unknown; allowed: pem, fullchain, key, chain, der, pkcs12:file",
                            text);
    }
    export->format = ACME_EXPORT_PKCS12;
    export->password_file = ap_server_root_relative(
        p, text + sizeof(PKCS12) - 1);
    if (!text[sizeof(PKCS12) - 1] || !export->password_file) {
        return apr_psprintf(p,
                            "'%s': pkcs12: takes the file with the password",
                            text);
    }
    /* Overwritten now: processes are forked before p ends. */
    apr_pool_create(&scratch, p);
    rv = acme_password_file_read(&password, export->password_file, &res,
                                 scratch);
    apr_pool_destroy(scratch);
    if (rv != APR_SUCCESS) {
        export->no_password = apr_pstrdup(p, res.detail);
    }
    return NULL;
}

static int is_digits(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

/* Users and groups may be another machine's, which does not always answer. */
static const char *parse_owner(acme_export_conf_t *export, const char *text,
                               apr_pool_t *p)
{
    acme_outside_rights_t rights;

    if (!acme_export_rights_is_owner(text)) {
        return apr_psprintf(p, "'%s' is not an owner[:group]", text);
    }
    export->no_owner = acme_export_rights_owner(&rights, text, p);
    if (!export->no_owner) {
        export->uid = rights.uid;
        export->gid = rights.gid;
    }
    return NULL;
}

static const char *parse_mode(acme_export_conf_t *export, const char *text,
                              apr_pool_t *p)
{
    acme_outside_rights_t rights;
    const char *wrong = acme_export_rights_mode(&rights, text, export->format,
                                                p);

    if (!wrong) {
        export->mode = rights.mode;
    }
    return wrong;
}

const char *acme_exports_parse(acme_export_conf_t *export, int argc,
                               char *const argv[], const char *place,
                               apr_pool_t *p)
{
    const char *wrong;
    int i = 2;

    if (argc < 2 || argc > 4) {
        return "takes a path, a format and, optionally, a mode and an owner[:group]";
    }
    *export = (acme_export_conf_t) {
        .uid = geteuid(), .gid = getegid(), .place = place
    };
    wrong = parse_path(export, argv[0], p);
    if (!wrong) {
        wrong = parse_format(export, argv[1], p);
    }
    if (!wrong) {
        export->mode = acme_export_rights_default(export->format).mode;
    }
    if (!wrong && argc > 2 && (argc == 4 || is_digits(argv[2]))) {
        wrong = parse_mode(export, argv[i++], p);
    }
    if (!wrong && i < argc) {
        wrong = parse_owner(export, argv[i++], p);
    }
    if (!wrong && i < argc) {
        wrong = "takes a path, a format and, optionally, a mode and an owner[:group]";
    }
    return wrong;
}

/* From paths to files. */

/* The one that has a path. */
typedef struct {
    const acme_cert_conf_t *cert;
    const char *place;
} taken_t;

typedef struct {
    const acme_conf_t *conf;
    const server_rec *s;        /* NULL: nothing is logged */
    apr_hash_t *taken;          /* path: taken_t */
    apr_hash_t *warned;         /* place: of several key types */
    apr_hash_t *told;           /* place and text: of what is missing */
    int faults;
    apr_pool_t *p;
} find_t;

static const char *replace(const char *text, const char *placeholder,
                           const char *by, apr_pool_t *p)
{
    const apr_size_t len = strlen(placeholder);
    const char *done = "", *at = text;

    while ((at = strstr(at, "%{")) != NULL) {
        if (!apr_cstr_casecmpn(at, placeholder, len)) {
            done = apr_pstrcat(p, done,
                               apr_pstrmemdup(p, text, (apr_size_t)(at - text)),
                               by, NULL);
            text = at + len;
        }
        at += 2;
    }
    return apr_pstrcat(p, done, text, NULL);
}

static int has_type(const char *path, apr_pool_t *p)
{
    return strcmp(replace(path, TYPE, "", p), path) != 0;
}

static const char *path_of(const find_t *find, const acme_cert_conf_t *cert,
                           const acme_export_conf_t *export)
{
    const char *type =
        acme_key_type_name(acme_conf_key_type(cert, export->part));
    const char *text = replace(replace(export->path, TYPE, type, find->p), ID,
                               cert->id, find->p);
    const char *path = ap_server_root_relative(find->p, text);
    const int is_folder = text[strlen(text) - 1] == '/';

    if (path && is_folder && path[strlen(path) - 1] != '/') {
        path = apr_pstrcat(find->p, path, "/", NULL);
    }
    return path;
}

static int is_below(const char *path, const char *folder)
{
    const apr_size_t len = strlen(folder);

    return !strncmp(path, folder, len) && (path[len] == '/' || !path[len]);
}

static void complain(find_t *find, const acme_cert_conf_t *cert,
                     const acme_export_conf_t *export, const taken_t *other)
{
    find->faults++;
    if (!find->s) {
        return;
    }
    if (!other) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, find->s,
                     "acme: AcmeExport at %s: %s is in AcmeStateDir, where mod_acme keeps its own files; it is not written",
                     export->place, export->path);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, find->s,
                 "acme: AcmeExport at %s: %s of certificate %s (%s) is written for certificate %s (%s, AcmeExport at %s) already; put %%{id} in the path, or choose another one",
                 export->place, export->path, cert->id,
                 APR_ARRAY_IDX(cert->places, 0, const char *),
                 other->cert->id,
                 APR_ARRAY_IDX(other->cert->places, 0, const char *),
                 other->place);
}

/* What an administrator mends while httpd runs: the copy is tried, and tells
   what is wrong with it. */
static void complain_of_lack(find_t *find, const acme_export_conf_t *export)
{
    const char *why = export->no_owner ? export->no_owner
                                       : export->no_password;
    const char *told;

    if (!why) {
        return;
    }
    find->faults++;
    told = apr_pstrcat(find->p, export->place, why, NULL);
    if (find->s && !apr_hash_get(find->told, told, APR_HASH_KEY_STRING)) {
        apr_hash_set(find->told, told, APR_HASH_KEY_STRING, "");
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, find->s,
                     "acme: AcmeExport at %s: %s; no copy is written until this is fixed",
                     export->place, why);
    }
}

/* Of one certificate, directive and key type. */
static void add(apr_array_header_t *exports, find_t *find,
                const acme_cert_conf_t *cert, acme_export_conf_t export)
{
    const taken_t *other;
    apr_size_t len;
    taken_t *mine;
    char *key;

    export.path = path_of(find, cert, &export);
    if (!export.path || !find->conf->state_dir
        || is_below(export.path, find->conf->state_dir)) {
        complain(find, cert, &export, NULL);
        return;
    }
    key = apr_pstrdup(find->p, export.path);    /* x and x/ exclude each other */
    len = strlen(key);
    if (key[len - 1] == '/') {
        key[len - 1] = '\0';
    }
    other = apr_hash_get(find->taken, key, APR_HASH_KEY_STRING);
    if (other) {
        complain(find, cert, &export, other);
        return;
    }
    mine = apr_palloc(find->p, sizeof(*mine));
    *mine = (taken_t) { cert, export.place };
    apr_hash_set(find->taken, key, APR_HASH_KEY_STRING, mine);
    complain_of_lack(find, &export);
    APR_ARRAY_PUSH(exports, acme_export_conf_t) = export;
}

static void warn_first_type(find_t *find, const acme_cert_conf_t *cert,
                            const acme_export_conf_t *export)
{
    if (find->s
        && !apr_hash_get(find->warned, export->place, APR_HASH_KEY_STRING)) {
        apr_hash_set(find->warned, export->place, APR_HASH_KEY_STRING, "");
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, find->s,
                     "acme: AcmeExport at %s: %s has several AcmeKeyTypes, and the copy is the one with the first, %s; put %%{type} in the path to have one of each",
                     export->place, cert->id,
                     acme_key_type_name(acme_conf_key_type(cert, 0)));
    }
}

static void find_of(find_t *find, acme_cert_conf_t *cert)
{
    const apr_array_header_t *written = cert->exports;
    apr_array_header_t *exports =
        apr_array_make(find->p, written->nelts, sizeof(acme_export_conf_t));
    int i;

    for (i = 0; i < written->nelts; i++) {
        acme_export_conf_t export =
            APR_ARRAY_IDX(written, i, acme_export_conf_t);
        const apr_uint32_t parts = acme_conf_parts(cert);
        const int each = has_type(export.path, find->p);

        if (parts > 1 && !each) {
            warn_first_type(find, cert, &export);
        }
        for (export.part = 0; export.part < (each ? parts : 1);
             export.part++) {
            add(exports, find, cert, export);
        }
    }
    cert->exports = exports;
}

int acme_exports_find(acme_conf_t *conf, const server_rec *s, apr_pool_t *p)
{
    find_t find = { .conf = conf, .s = s, .taken = apr_hash_make(p),
                    .warned = apr_hash_make(p), .told = apr_hash_make(p),
                    .p = p };
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        acme_cert_conf_t *cert = &APR_ARRAY_IDX(conf->certs, i,
                                                acme_cert_conf_t);

        if (cert->exports) {
            find_of(&find, cert);
        }
    }
    return find.faults;
}
