/*
 * acme_file_stamp.h - is a file as it was when it was read?
 *
 * A writer can set the time of writing, but not that of the last change. A file
 * system may not tell two changes of one moment apart, so a stamp says nothing
 * of a file that was changed just before it was read.
 */
#ifndef ACME_FILE_STAMP_H
#define ACME_FILE_STAMP_H

#include <apr_time.h>

/* The device is none of it: its number may change when the machine starts. */
typedef struct {
    apr_int64_t inode, size;
    apr_int64_t modified, changed;      /* nanoseconds */
} acme_file_stamp_t;

/* False: it is not a file, or cannot be opened for reading. */
int acme_file_stamp_read(acme_file_stamp_t *stamp, const char *path);

int acme_file_stamp_is_same(const acme_file_stamp_t *a,
                            const acme_file_stamp_t *b);

/* Was the file changed more than two seconds before now? */
int acme_file_stamp_is_settled(const acme_file_stamp_t *stamp, apr_time_t now);

#endif
