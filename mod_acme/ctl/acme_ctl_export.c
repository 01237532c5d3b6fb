/*
 * acme_ctl_export.c - acmectl export: a certificate in a format for another
 * program, once; AcmeExport does it after each renewal.
 *
 * It reads the store, so it needs no httpd. A key goes to a file that nobody
 * else can lead elsewhere (acme_outside.h), or to standard output if it was
 * asked for in so many words and is not a terminal.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_cleanse.h"
#include "acme_ctl_export.h"
#include "acme_ctl_show.h"
#include "acme_ctl_term.h"
#include "acme_export_content.h"
#include "acme_export_rights.h"
#include "acme_live_link.h"

const acme_ctl_option_t acme_ctl_export_options[] = {
    { "--format", "FORMAT", "pem (key, certificate and chain), fullchain (the default: certificate and chain), key, chain, der or pkcs12" },
    { "--key-type", "TYPE", "p256, p384, rsa2048, ...; by default the first one" },
    { "--out", "PATH", "write this file, or with a / at its end a folder of files; by default standard output" },
    { "--mode", "MODE", "of the file, octal; by default 0600 with a key in it, else 0644" },
    { "--owner", "OWNER", "of the file: a user, or user:group" },
    { "--password-file", "FILE", "with pkcs12: the file that has the password in its first line" },
    { "--with-key", NULL, "write a private key to standard output" },
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

/* What was called for. */
typedef struct {
    const char *id;
    acme_export_e format;
    const char *key_type;       /* "p256"; NULL: the first one */
    const char *password_file;  /* absolute; NULL: none */
    const char *out;            /* absolute; NULL: standard output */
    int is_set;                 /* a folder of files */
    acme_outside_rights_t rights;
    int n;                      /* the archive */
    acme_export_source_t source;
} export_t;

/* The path, absolute, and else as it is: ".." behind a link is not what it
   looks like. NULL: it is none. */
static const char *absolute(const char *path, apr_pool_t *p)
{
    char *folder;

    if (!*path || *path == '/') {
        return *path ? path : NULL;
    }
    return apr_filepath_get(&folder, APR_FILEPATH_NATIVE, p)
        ? NULL : apr_pstrcat(p, folder, "/", path, NULL);
}

static int read_format(export_t *export, const acme_ctl_command_t *run)
{
    const char *format = acme_ctl_command_option(run, "--format");
    const char *type = acme_ctl_command_option(run, "--key-type");
    const char *password = acme_ctl_command_option(run, "--password-file");
    acme_key_type_e found;
    acme_result_t res;

    export->format = format ? acme_export_format_find(format)
                            : ACME_EXPORT_FULLCHAIN;
    if (export->format == ACME_EXPORT_FORMATS) {
        acme_ctl_command_refuse("--format %s: pem, fullchain, key, chain, der or pkcs12",
                                format);
        return 0;
    }
    if (type && acme_key_type_parse(&found, type, &res)) {
        acme_ctl_command_refuse("--key-type %s: %s", type, res.detail);
        return 0;
    }
    export->key_type = type ? acme_key_type_name(found) : NULL;
    if (!password != (export->format != ACME_EXPORT_PKCS12)) {
        acme_ctl_command_refuse(password
            ? "--password-file is for --format pkcs12"
            : "--format pkcs12: --password-file is missing, the file with the password");
        return 0;
    }
    export->password_file = password ? absolute(password, run->p) : NULL;
    if (password && !export->password_file) {
        acme_ctl_command_refuse("--password-file %s: not a path", password);
        return 0;
    }
    return 1;
}

/* To standard output: a secret, or octets that would steer a terminal? */
static int may_print(const export_t *export, const acme_ctl_command_t *run)
{
    static const char *const only_with_out[] = { "--mode", "--owner",
                                                 "--json" };
    const int has_key = acme_export_format_has_key(export->format);
    const char *name = acme_export_format_name(export->format);
    size_t i;

    for (i = 0; i < sizeof(only_with_out) / sizeof(*only_with_out); i++) {
        if (acme_ctl_command_option(run, only_with_out[i])) {
            acme_ctl_command_refuse("%s: --out is missing, the file to write",
                                    only_with_out[i]);
            return 0;
        }
    }
    if (has_key && !acme_ctl_command_option(run, "--with-key")) {
        acme_ctl_command_refuse("--format %s has the private key: give --out, or --with-key to write it to standard output",
                                name);
        return 0;
    }
    if ((has_key || export->format == ACME_EXPORT_DER)
        && isatty(STDOUT_FILENO)) {
        acme_ctl_command_refuse("--format %s is not written to a terminal: give --out",
                                name);
        return 0;
    }
    return 1;
}

static int read_out(export_t *export, const acme_ctl_command_t *run)
{
    const char *out = acme_ctl_command_option(run, "--out");
    const char *mode = acme_ctl_command_option(run, "--mode");
    const char *owner = acme_ctl_command_option(run, "--owner");
    const char *wrong = NULL;

    if (!out) {
        return may_print(export, run);
    }
    export->out = absolute(out, run->p);
    if (!export->out) {
        acme_ctl_command_refuse("--out %s: not a path", out);
        return 0;
    }
    export->is_set = out[strlen(out) - 1] == '/';
    export->rights = acme_export_rights_default(export->format);
    if (mode) {
        wrong = acme_export_rights_mode(&export->rights, mode, export->format,
                                        run->p);
    }
    if (!wrong && owner) {
        wrong = !acme_export_rights_is_owner(owner)
            ? apr_psprintf(run->p, "'%s' is not an owner[:group]", owner)
            : acme_export_rights_owner(&export->rights, owner, run->p);
    }
    if (wrong) {
        acme_ctl_command_refuse("%s", wrong);
    }
    return !wrong;
}

/* The suffix of the key type in the folder: "" for the first. */
static apr_status_t find_key_type(export_t *export, acme_result_t *res,
                                  apr_pool_t *p)
{
    const char *others = "";
    int i;

    export->source.suffix = "";
    for (i = 0; export->key_type && i < ACME_ARCHIVE_SUFFIXES; i++) {
        const char *suffix = acme_archive_suffixes[i];
        acme_key_type_e type;
        acme_key_t *key;

        if (acme_key_load(&key, apr_pstrcat(p, export->source.folder,
                                            "/privkey", suffix, ".pem", NULL),
                          res, p)
            || acme_key_type(&type, key, res)) {
            continue;
        }
        if (!strcmp(acme_key_type_name(type), export->key_type)) {
            export->source.suffix = suffix;
            return APR_SUCCESS;
        }
        others = apr_pstrcat(p, others, *others ? ", " : "",
                             acme_key_type_name(type), NULL);
    }
    return !export->key_type ? APR_SUCCESS
        : acme_fail(res, APR_ENOENT,
                    "%s: has no certificate of the key type %s; it has: %s",
                    export->id, export->key_type, *others ? others : "none");
}

static apr_status_t find_live(export_t *export, const acme_ctl_command_t *run,
                              acme_result_t *res)
{
    acme_store_t *store = acme_store_at(run->state_dir, run->p);
    const char *id = acme_store_id(run->args[0], run->p);
    apr_status_t rv;

    if (!id || strcmp(id, run->args[0]) != 0) {
        return acme_fail(res, APR_EINVAL, "%s: not the id of a certificate",
                         acme_ctl_term_text(run->args[0], run->p));
    }
    export->id = id;
    rv = acme_live_link_read(&export->n, store, id, res, run->p);
    if (APR_STATUS_IS_ENOENT(rv)) {
        return acme_fail(res, rv, "%s: has no certificate in %s", id,
                         run->state_dir);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    export->source = (acme_export_source_t) {
        .id = id,
        .folder = acme_archive_path(store, id, export->n, run->p),
        .format = export->format,
        .password_file = export->password_file
    };
    if (acme_archive_is_void(store, id, export->n, run->p)) {
        fprintf(stderr, "acmectl: %s: this certificate is revoked\n", id);
    }
    return find_key_type(export, res, run->p);
}

/* Not through stdio, whose memory nobody overwrites. */
static apr_status_t put_all(const acme_octets_t *data, acme_result_t *res)
{
    apr_size_t at = 0;

    while (at < data->len) {
        const ssize_t n = write(STDOUT_FILENO, data->data + at,
                                data->len - at);

        if (n < 0 && errno != EINTR) {
            return acme_fail_errno(res, errno, "standard output: cannot write");
        }
        at += n > 0 ? (apr_size_t)n : 0;
    }
    return APR_SUCCESS;
}

static apr_status_t print(const acme_outside_file_t *file, acme_result_t *res,
                          apr_pool_t *p)
{
    acme_octets_t data = file->data;
    apr_status_t rv = APR_SUCCESS;

    if (file->make) {
        rv = file->make(&data, file->baton, res, p);
    }
    if (rv == APR_SUCCESS && isatty(STDOUT_FILENO)) {
        acme_ctl_term_put_lines(stdout, (const char *)data.data, data.len);
        return APR_SUCCESS;
    }
    return rv == APR_SUCCESS ? put_all(&data, res) : rv;
}

static void say_written(const export_t *export, const acme_ctl_command_t *run,
                        int is_written)
{
    if (acme_ctl_command_option(run, "--json")) {
        acme_ctl_show_json(stdout, json_pack(
            "{s:s, s:i, s:s, s:o, s:b}", "id", export->id, "archive",
            export->n, "format", acme_export_format_name(export->format),
            "path", acme_json_from_text(export->out, 4096, run->p),
            "written", is_written), run->p);
        return;
    }
    printf("%s: ", export->id);
    acme_ctl_term_put(stdout, export->out);
    puts(is_written ? " is written" : " is there already, and the same");
}

static apr_status_t write_out(const export_t *export,
                              const acme_ctl_command_t *run,
                              const apr_array_header_t *files,
                              acme_result_t *res)
{
    apr_status_t rv;
    int written;

    umask(022);                 /* a folder that is made for all to enter */
    rv = export->is_set
        ? acme_outside_write_set(&written, export->out, export->n, files,
                                 acme_export_content_names(run->p),
                                 &export->rights, res, run->p)
        : acme_outside_write(&written, export->out,
                             &APR_ARRAY_IDX(files, 0, acme_outside_file_t),
                             &export->rights, res, run->p);
    if (rv == APR_SUCCESS) {
        say_written(export, run, written);
    }
    return rv;
}

int acme_ctl_export_run(acme_ctl_command_t *run)
{
    static const struct rlimit none = { 0, 0 };
    export_t export = { .format = ACME_EXPORT_FULLCHAIN };
    apr_array_header_t *files;
    acme_result_t res;
    apr_status_t rv;

    if (!read_format(&export, run) || !read_out(&export, run)) {
        return ACME_CTL_WRONG_CALL;
    }
    setrlimit(RLIMIT_CORE, &none);
    acme_cleanse_reserve();
    rv = find_live(&export, run, &res);
    if (rv == APR_SUCCESS) {
        rv = acme_export_content_make(&files, &export.source, export.is_set,
                                      &res, run->p);
    }
    if (rv == APR_SUCCESS) {
        rv = export.out
            ? write_out(&export, run, files, &res)
            : print(&APR_ARRAY_IDX(files, 0, acme_outside_file_t), &res,
                    run->p);
    }
    return rv == APR_SUCCESS ? ACME_CTL_DONE : acme_ctl_command_fail(&res);
}
