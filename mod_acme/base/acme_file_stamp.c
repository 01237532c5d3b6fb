/*
 * acme_file_stamp.c - is a file as it was when it was read?
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme_file_stamp.h"

/* More than the step of the clock of any file system but FAT. */
#define SETTLED apr_time_from_sec(2)

static apr_int64_t nanoseconds(const struct timespec *time)
{
    return (apr_int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* Opened: its rights may have changed by other means than its mode. */
int acme_file_stamp_read(acme_file_stamp_t *stamp, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    int found;

    if (fd < 0) {
        return 0;
    }
    found = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    close(fd);
    if (found) {
        stamp->inode = (apr_int64_t)st.st_ino;
        stamp->size = (apr_int64_t)st.st_size;
        stamp->modified = nanoseconds(&st.st_mtim);
        stamp->changed = nanoseconds(&st.st_ctim);
    }
    return found;
}

int acme_file_stamp_is_same(const acme_file_stamp_t *a,
                            const acme_file_stamp_t *b)
{
    return a->inode == b->inode && a->size == b->size
        && a->modified == b->modified && a->changed == b->changed;
}

int acme_file_stamp_is_settled(const acme_file_stamp_t *stamp, apr_time_t now)
{
    return stamp->changed / 1000 < now - SETTLED;
}
