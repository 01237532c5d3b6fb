/*
 * acme_conf_snapshot.h - has a configuration file changed since httpd read it?
 *
 * An administrator's unfinished edit must not go live by the keeper's reload.
 */
#ifndef ACME_CONF_SNAPSHOT_H
#define ACME_CONF_SNAPSHOT_H

#include <apr_tables.h>
#include <apr_time.h>

typedef struct acme_conf_snapshot_t acme_conf_snapshot_t;

/*
 * Store digests of files (const char *: paths), in p, where the paths are
 * copied. A file that was written after loaded_at, or cannot be read, counts as
 * changed: its content when httpd read it is not known.
 */
acme_conf_snapshot_t *acme_conf_snapshot_make(const apr_array_header_t *files,
                                              apr_time_t loaded_at,
                                              apr_pool_t *p);

/*
 * The path of the first file of files_now (those that a reload reads; NULL:
 * those of the baseline) that is new, missing or has another content; NULL:
 * none has changed.
 */
const char *acme_conf_snapshot_changed(const acme_conf_snapshot_t *baseline,
                                       const apr_array_header_t *files_now,
                                       apr_pool_t *p);

#endif
