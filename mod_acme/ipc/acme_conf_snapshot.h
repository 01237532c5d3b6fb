/*
 * acme_conf_snapshot.h - has a configuration file changed since httpd read it?
 *
 * An administrator's unfinished edit must not go live by our reload.
 */
#ifndef ACME_CONF_SNAPSHOT_H
#define ACME_CONF_SNAPSHOT_H

#include <apr_tables.h>
#include <apr_time.h>

typedef struct acme_conf_snapshot_t acme_conf_snapshot_t;

/*
 * Remember the contents of files (const char *). One that was written after
 * loaded_at counts as changed: what httpd read can't be known any more.
 */
acme_conf_snapshot_t *acme_conf_snapshot_make(const apr_array_header_t *files,
                                              apr_time_t loaded_at,
                                              apr_pool_t *p);

/*
 * The first file of files_now (those that a reload would read, NULL: those
 * of the baseline) that is new, gone or other than remembered; NULL: none.
 */
const char *acme_conf_snapshot_changed(const acme_conf_snapshot_t *baseline,
                                       const apr_array_header_t *files_now,
                                       apr_pool_t *p);

#endif
