/*
 * acme_export_job.c - one copy of AcmeExport, written by a process of its own.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme_archive.h"
#include "acme_cleanse.h"
#include "acme_export_content.h"
#include "acme_export_job.h"
#include "acme_no_x509.h"

const acme_export_conf_t *acme_export_job_find(const acme_conf_t *conf,
                                               apr_uint32_t cert,
                                               apr_uint32_t index)
{
    const acme_cert_conf_t *of = conf ? acme_conf_cert(conf, cert) : NULL;

    return of && of->served && of->exports
           && index < (apr_uint32_t)of->exports->nelts
        ? &APR_ARRAY_IDX(of->exports, index, acme_export_conf_t) : NULL;
}

apr_status_t acme_export_job_write(int *pwritten, const acme_conf_t *conf,
                                   apr_uint32_t cert, apr_uint32_t index,
                                   acme_result_t *res, apr_pool_t *p)
{
    const acme_export_conf_t *export =
        acme_export_job_find(conf, cert, index);
    const acme_outside_rights_t rights = { export->mode, export->uid,
                                           export->gid };
    const int is_set = export->path[strlen(export->path) - 1] == '/';
    const acme_cert_conf_t *of = acme_conf_cert(conf, cert);
    /* Of the archive: live/<id> may be newer than what is served. */
    const acme_export_source_t source = {
        .id = of->id,
        .folder = acme_archive_path(acme_store_at(conf->state_dir, p), of->id,
                                    of->served, p),
        .suffix = acme_conf_suffix(of, export->part),
        .format = export->format,
        .password_file = export->password_file
    };
    apr_array_header_t *files;
    apr_status_t rv;

    *pwritten = 0;
    if (export->no_owner) {
        return acme_fail(res, APR_ENOENT,
                         "%s: %s; create it, or correct the directive, and reload httpd",
                         export->path, export->no_owner);
    }
    rv = acme_export_content_make(&files, &source, is_set, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, export->path);
        return rv;
    }
    return is_set
        ? acme_outside_write_set(pwritten, export->path, of->served, files,
                                 acme_export_content_names(p), &rights, res, p)
        : acme_outside_write(pwritten, export->path,
                             &APR_ARRAY_IDX(files, 0, acme_outside_file_t),
                             &rights, res, p);
}

int acme_export_job_run(const acme_conf_t *conf, apr_uint32_t cert,
                        apr_uint32_t index)
{
    static const struct rlimit none = { 0, 0 };
    acme_result_t res;
    apr_status_t rv;
    apr_pool_t *p;
    int written;

    setrlimit(RLIMIT_CORE, &none);
    umask(022);                 /* a folder that is made for all to enter */
    acme_no_x509_begin();
    acme_cleanse_reserve();
    apr_pool_create(&p, NULL);
    rv = acme_export_job_write(&written, conf, cert, index, &res, p);
    apr_pool_destroy(p);
    if (rv != APR_SUCCESS) {
        printf("%s\n", res.detail);
    }
    else if (written) {
        fputs(ACME_EXPORT_JOB_WRITTEN, stdout);
    }
    fflush(stdout);
    return rv != APR_SUCCESS;
}
