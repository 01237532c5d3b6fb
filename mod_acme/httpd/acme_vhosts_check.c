/*
 * acme_vhosts_check.c - what cannot work in a configuration that is correct.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "acme_name.h"
#include "acme_vhosts_check.h"
#include "acme_workers_access.h"

APLOG_USE_MODULE(acme);

/* No public CA issues for longer. */
#define LIFE_MAX apr_time_from_sec(398 * 24 * 3600)

#define say acme_vhost_say

/* Has the file, which may be a link to another one, a PEM block? */
static apr_status_t find_pem(int *pfound, const char *path, apr_pool_t *p)
{
    char line[256];
    apr_finfo_t info;
    apr_file_t *file;
    apr_status_t rv;

    *pfound = 0;
    rv = apr_stat(&info, path, APR_FINFO_TYPE, p);
    if (rv == APR_SUCCESS && info.filetype != APR_REG) {
        return APR_SUCCESS;             /* a pipe would never end */
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED,
                           APR_FPROT_OS_DEFAULT, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    while (!*pfound && apr_file_gets(line, sizeof(line), file) == 0) {
        *pfound = !strncmp(line, "-----BEGIN ", 11);
    }
    apr_file_close(file);
    return APR_SUCCESS;
}

/* What was found of a file of AcmeCACertificateFile. */
typedef struct {
    apr_status_t rv;
    int has_pem;
    const acme_workers_access_t *user;
    const char *obstacle;       /* NULL: that user can read it */
} roots_t;

/* httpd's start reads the file as root, and the workers connect to the CA. */
static const roots_t *look_at_roots(const char *path, apr_hash_t *seen,
                                    apr_pool_t *p)
{
    roots_t *roots = apr_hash_get(seen, path, APR_HASH_KEY_STRING);

    if (!roots) {
        roots = apr_pcalloc(p, sizeof(*roots));
        roots->rv = find_pem(&roots->has_pem, path, p);
        roots->user = acme_workers_access_user(p);
        if (roots->user && roots->has_pem) {
            roots->obstacle = acme_workers_access_obstacle(path, roots->user,
                                                           p);
        }
        apr_hash_set(seen, path, APR_HASH_KEY_STRING, roots);
    }
    return roots;
}

static void check_roots(const acme_vhost_t *vhost, apr_hash_t *seen,
                        apr_pool_t *p)
{
    const roots_t *roots;
    const char *path;
    char why[80];

    if (!vhost->conf->roots) {
        return;
    }
    path = ap_server_root_relative(p, vhost->conf->roots);
    roots = look_at_roots(path, seen, p);
    if (roots->rv != APR_SUCCESS) {
        say(vhost, APLOG_WARNING,
            "%s: AcmeCACertificateFile: %s: %s; no connection to the CA is possible",
            vhost->facts->place, path,
            apr_strerror(roots->rv, why, sizeof(why)));
    }
    else if (!roots->has_pem) {
        say(vhost, APLOG_WARNING,
            "%s: AcmeCACertificateFile: %s has no certificate in PEM form; no connection to the CA is possible",
            vhost->facts->place, path);
    }
    else if (roots->obstacle) {
        say(vhost, APLOG_WARNING,
            "%s: AcmeCACertificateFile: %s may not be readable by %s, the user of httpd's workers, who connect to the CA: see the owner and mode of %s",
            vhost->facts->place, path, roots->user->name, roots->obstacle);
    }
}

static void check_windows(const acme_vhost_t *vhost)
{
    const acme_window_t *renew = &vhost->conf->renew;
    const acme_window_t *warn = &vhost->conf->warn;

    if ((renew->percent && warn->percent >= renew->percent)
        || (renew->duration && warn->duration >= renew->duration)) {
        say(vhost, APLOG_WARNING,
            "%s: AcmeWarnWindow is not shorter than AcmeRenewWindow: each renewal begins with warnings",
            vhost->facts->place);
    }
    /* A private CA, which has roots of its own, may issue for longer. */
    if (renew->duration > LIFE_MAX && !vhost->conf->roots) {
        say(vhost, APLOG_WARNING,
            "%s: AcmeRenewWindow is longer than certificates of a public CA are valid; the default is used for them",
            vhost->facts->place);
    }
}

void acme_vhosts_check_settings(const acme_vhost_t *vhost, apr_hash_t *seen,
                                apr_pool_t *p)
{
    check_roots(vhost, seen, p);
    check_windows(vhost);
}

/* Where links lead; a path that is not there yet is as it is written. */
static const char *real_path(const char *path, apr_pool_t *p)
{
    char *found = realpath(path, NULL);
    const char *copy = apr_pstrdup(p, found ? found : path);

    free(found);
    return copy;
}

int acme_vhosts_check_webroot(const acme_vhost_t *vhost,
                              const char *state_dir, apr_pool_t *p)
{
    const acme_token_conf_t *http = vhost->conf->http;
    const char *root, *secret;
    apr_size_t len;

    if (!http || http->how != ACME_TOKEN_WEBROOT || !state_dir) {
        return http != NULL;
    }
    root = real_path(http->root, p);
    secret = real_path(state_dir, p);
    len = strlen(secret);
    if (strncmp(root, secret, len) || (root[len] && root[len] != '/')) {
        return 1;
    }
    say(vhost, APLOG_ERR,
        "%s: AcmeHttp webroot %s is in AcmeStateDir, whose files no server may serve; it is not used",
        vhost->facts->place, http->root);
    return 0;
}

/* Only the last folder of it is made. */
void acme_vhosts_check_state_dir(const acme_conf_t *conf, server_rec *base,
                                 apr_pool_t *p)
{
    char *parent = apr_pstrdup(p, conf->state_dir);
    char *slash = strrchr(parent, '/');
    apr_finfo_t info;

    if (!slash) {
        return;
    }
    slash[1] = '\0';
    if (apr_stat(&info, parent, APR_FINFO_TYPE, p)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, base,
                     "acme: AcmeStateDir %s: the directory %s does not exist; create it, or nothing can be stored",
                     conf->state_dir, parent);
    }
}

static void add_lacking(apr_array_header_t *lacking, const char *text,
                        const apr_array_header_t *names, apr_pool_t *p)
{
    acme_result_t res;
    const char *name;

    if (acme_name_normalise(&name, text, &res, p) == APR_SUCCESS
        && !acme_name_covered(names, name) && !acme_name_in(lacking, name)) {
        APR_ARRAY_PUSH(lacking, const char *) = name;
    }
}

void acme_vhosts_check_names(const acme_vhost_t *vhost,
                             const acme_cert_conf_t *cert, apr_pool_t *p)
{
    apr_array_header_t *lacking = apr_array_make(p, 2, sizeof(const char *));
    const server_rec *s = vhost->s;
    int i;

    if (acme_name_in(vhost->conf->names, "auto") && !vhost->is_user) {
        return;
    }
    if (vhost->facts->has_name) {
        add_lacking(lacking, s->server_hostname, cert->names, p);
    }
    for (i = 0; s->names && i < s->names->nelts; i++) {
        add_lacking(lacking, APR_ARRAY_IDX(s->names, i, char *), cert->names,
                    p);
    }
    for (i = 0; s->wild_names && i < s->wild_names->nelts; i++) {
        add_lacking(lacking, APR_ARRAY_IDX(s->wild_names, i, char *),
                    cert->names, p);
    }
    if (lacking->nelts && vhost->is_user) {
        say(vhost, APLOG_WARNING,
            "%s: its SSLCertificateFile is certificate %s, which lacks %s: visitors of these names get a certificate for other names, and none is ordered for them. To add them set AcmeCertificate %s here; for a certificate of its own remove the SSLCertificateFile",
            vhost->facts->place, cert->id, acme_name_list_text(lacking, p),
            cert->id);
    }
    else if (lacking->nelts) {
        say(vhost, APLOG_WARNING,
            "%s: its AcmeNames lack %s: visitors of these names get a certificate for other names. Add them, or auto",
            vhost->facts->place, acme_name_list_text(lacking, p));
    }
}

void acme_vhosts_check_shared(const acme_vhost_t *vhost,
                              const acme_vhost_t *first,
                              const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const char *others = acme_server_conf_differences(first->conf, vhost->conf,
                                                      p);

    if (others) {
        say(vhost, APLOG_WARNING,
            "%s: shares certificate %s with %s, but has another value of %s; those of the first are used",
            vhost->facts->place, cert->id, first->facts->place, others);
    }
}
