/*
 * acme_import_vhosts.c - httpd's configuration, read for what a person has to
 * change in it.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_import_file.h"
#include "acme_import_vhosts.h"
#include "acme_name.h"

#define CONF_MAX (4 * 1024 * 1024)      /* octets of a file */
#define LINE_SHOWN 200          /* characters */

typedef struct {
    apr_array_header_t *vhosts;
    apr_array_header_t *others;
    const char *file;
    int line;
    acme_import_vhosts_one_t *in;       /* NULL: in none */
    apr_pool_t *p;
} reading_t;

/* The next word, quoted or not, in p; "" at the end. */
static const char *next_word(const char **pargs, apr_pool_t *p)
{
    const char *args = *pargs + strspn(*pargs, " \t");
    const char *word;
    apr_size_t len;

    if (*args == '"' || *args == '\'') {
        len = strcspn(args + 1, *args == '"' ? "\"" : "'");
        word = apr_pstrmemdup(p, args + 1, len);
        *pargs = args + 1 + len + (args[1 + len] != '\0');
        return word;
    }
    len = strcspn(args, " \t");
    word = apr_pstrmemdup(p, args, len);
    *pargs = args + len;
    return word;
}

static void begin_vhost(reading_t *reading, const char *args)
{
    acme_import_vhosts_one_t *vhost = apr_array_push(reading->vhosts);

    *vhost = (acme_import_vhosts_one_t) {
        .place = apr_psprintf(reading->p, "%s:%d", reading->file,
                              reading->line),
        .name = "",
        .names = apr_array_make(reading->p, 4, sizeof(const char *)),
        .remove = apr_array_make(reading->p, 4, sizeof(const char *)),
        .is_tls = strstr(args, ":443") != NULL
    };
    reading->in = vhost;
}

/* Servers without TLS and without a certificate are nothing to us. */
static void end_vhost(reading_t *reading)
{
    if (reading->in && !reading->in->is_tls && !reading->in->has_cert) {
        apr_array_pop(reading->vhosts);
    }
    reading->in = NULL;
}

static void add_name(reading_t *reading, const char *text)
{
    acme_result_t ignored;
    const char *name;

    if (!acme_name_normalise(&name, text, &ignored, reading->p)
        && !acme_name_in(reading->in->names, name)) {
        APR_ARRAY_PUSH(reading->in->names, const char *) = name;
    }
}

/* "https://name:443" is allowed for ServerName. */
static void set_name(reading_t *reading, const char *text)
{
    const char *host = strstr(text, "://") ? strstr(text, "://") + 3 : text;
    const apr_size_t len = *host == '[' ? strlen(host) : strcspn(host, ":");

    add_name(reading, apr_pstrmemdup(reading->p, host, len));
    if (reading->in->names->nelts) {
        reading->in->name = APR_ARRAY_IDX(reading->in->names,
                                          reading->in->names->nelts - 1,
                                          const char *);
    }
}

static void see_cert(reading_t *reading, const char *path)
{
    acme_import_vhosts_one_t *vhost = reading->in;
    acme_result_t ignored;
    acme_chain_t *chain;

    if (!vhost->has_cert && *path == '/'
        && !acme_chain_load(&chain, path, &ignored, reading->p)) {
        vhost->serial = acme_chain_leaf(chain)->serial;
        vhost->not_after = acme_chain_leaf(chain)->not_after;
    }
    vhost->has_cert = 1;
}

static void note_line(reading_t *reading, const char *line)
{
    APR_ARRAY_PUSH(reading->in->remove, const char *) = apr_psprintf(
        reading->p, "line %d: %.*s", reading->line, LINE_SHOWN, line);
}

static void see_in_vhost(reading_t *reading, const char *word,
                         const char *args, const char *line)
{
    if (!apr_cstr_casecmp(word, "ServerName")) {
        set_name(reading, next_word(&args, reading->p));
    }
    else if (!apr_cstr_casecmp(word, "ServerAlias")) {
        const char *name;

        while (*(name = next_word(&args, reading->p))) {
            add_name(reading, name);
        }
    }
    else if (!apr_cstr_casecmp(word, "SSLEngine")) {
        reading->in->has_engine = !apr_cstr_casecmp(
            next_word(&args, reading->p), "on");
        reading->in->is_tls |= reading->in->has_engine;
    }
    else if (!apr_cstr_casecmp(word, "SSLCertificateFile")) {
        see_cert(reading, next_word(&args, reading->p));
        note_line(reading, line);
    }
    else if (!apr_cstr_casecmp(word, "Include")
             && strstr(args, "/options-ssl-apache.conf")) {
        reading->in->include = apr_psprintf(reading->p, "line %d: %.*s",
                                            reading->line, LINE_SHOWN, line);
        reading->in->is_tls = 1;
    }
    else if (!apr_cstr_casecmp(word, "SSLCertificateKeyFile")
             || !apr_cstr_casecmp(word, "SSLCertificateChainFile")) {
        note_line(reading, line);
    }
}

static void see_line(reading_t *reading, const char *line)
{
    const char *args = line + strspn(line, " \t");
    const char *word = next_word(&args, reading->p);

    line += strspn(line, " \t");
    if (!*word || *word == '#') {
        return;
    }
    if (!apr_cstr_casecmp(word, "<VirtualHost")) {
        end_vhost(reading);
        begin_vhost(reading, args);
    }
    else if (!apr_cstr_casecmp(word, "</VirtualHost>")) {
        end_vhost(reading);
    }
    else if (!apr_cstr_casecmpn(word, "MD", 2)
             || !apr_cstr_casecmpn(word, "<MDomain", 8)
             || !apr_cstr_casecmpn(word, "</MDomain", 9)) {
        APR_ARRAY_PUSH(reading->others, acme_import_vhosts_other_t) =
            (acme_import_vhosts_other_t) {
                .place = apr_psprintf(reading->p, "%s:%d", reading->file,
                                      reading->line),
                .line = apr_pstrndup(reading->p, line, LINE_SHOWN)
            };
    }
    else if (reading->in) {
        see_in_vhost(reading, word, args, line);
    }
}

/* A backslash at its end joins a line with the next one. */
static void see_text(reading_t *reading, const char *text)
{
    char *rest = apr_pstrdup(reading->p, text), *line, *end;
    const char *whole = "";
    int count = 0;

    while (rest) {
        line = rest;
        end = strchr(line, '\n');
        rest = end ? end + 1 : NULL;
        if (end) {
            *end = '\0';
            if (end > line && end[-1] == '\r') {
                *--end = '\0';
            }
        }
        count++;
        if (!*whole) {
            reading->line = count;
        }
        if (end && end > line && end[-1] == '\\') {
            end[-1] = ' ';
            whole = apr_pstrcat(reading->p, whole, line, NULL);
            continue;
        }
        see_line(reading, apr_pstrcat(reading->p, whole, line, NULL));
        whole = "";
    }
    end_vhost(reading);
}

static int is_conf(const char *name)
{
    const apr_size_t len = strlen(name);

    return len > 5 && !strcmp(name + len - 5, ".conf");
}

apr_status_t acme_import_vhosts_read(apr_array_header_t **pvhosts,
                                     apr_array_header_t **pothers,
                                     const char *path, acme_result_t *res,
                                     apr_pool_t *p)
{
    const acme_import_file_tree_t tree = { .root = path, .max = CONF_MAX,
                                           .is_conf = 1, .p = p };
    reading_t reading = { .p = p };
    apr_array_header_t *names;
    const char *text;
    apr_finfo_t info;
    apr_status_t rv;
    int i, confs = 0;

    *pvhosts = reading.vhosts = apr_array_make(
        p, 8, sizeof(acme_import_vhosts_one_t));
    *pothers = reading.others = apr_array_make(
        p, 8, sizeof(acme_import_vhosts_other_t));
    rv = apr_stat(&info, path, APR_FINFO_TYPE, p);
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "%s: cannot be read", path);
    }
    if (info.filetype != APR_DIR) {
        names = apr_array_make(p, 1, sizeof(const char *));
        APR_ARRAY_PUSH(names, const char *) = path;
    }
    else {
        names = acme_import_file_names(&tree, "");
    }
    for (i = 0; i < names->nelts; i++) {
        confs += is_conf(APR_ARRAY_IDX(names, i, const char *));
    }
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (info.filetype == APR_DIR
            && ((confs && !is_conf(name))
                || acme_import_file_is_folder(&tree, name))) {
            continue;
        }
        reading.file = *name == '/' ? name
            : acme_import_file_join(&tree, path, name);
        rv = acme_import_file_text(&text, &tree, reading.file, res);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        see_text(&reading, text);
    }
    return APR_SUCCESS;
}
