/*
 * acme_export_job.h - one copy of AcmeExport, written by a process of its own.
 *
 * The keeper may not write outside of the store. The launcher, which may,
 * forks for it, and takes everything from the configuration that httpd loaded:
 * from the keeper it has two positions.
 */
#ifndef ACME_EXPORT_JOB_H
#define ACME_EXPORT_JOB_H

#include "acme_conf.h"
#include "acme_result.h"

/* The copy at a position of the certificate's; NULL: it has fewer, or this load
   serves no certificate of its own. */
const acme_export_conf_t *acme_export_job_find(const acme_conf_t *conf,
                                               apr_uint32_t cert,
                                               apr_uint32_t index);

/*
 * Write the copy, if it is not there already, of the certificate that this load
 * serves: *pwritten says which. The find above has found it. Keys in memory
 * are overwritten when p ends.
 */
apr_status_t acme_export_job_write(int *pwritten, const acme_conf_t *conf,
                                   apr_uint32_t cert, apr_uint32_t index,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * The same as the whole of a process: its exit status is 0 or 1, and to
 * standard output it says ACME_EXPORT_JOB_WRITTEN, nothing, or why it failed.
 */
#define ACME_EXPORT_JOB_WRITTEN "written\n"

int acme_export_job_run(const acme_conf_t *conf, apr_uint32_t cert,
                        apr_uint32_t index);

#endif
