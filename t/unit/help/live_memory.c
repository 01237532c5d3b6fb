/*
 * live_memory.c - see live_memory.h.
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "live_memory.h"

#define ROW_OCTETS (4 * sizeof(uint32_t))

int live_memory_descriptor(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int fd = -1;

    while (dir && (entry = readdir(dir)) != NULL) {
        char to[256] = "";

        if (readlinkat(dirfd(dir), entry->d_name, to, sizeof(to) - 1) > 0
            && strstr(to, LIVE_MEMORY_NAME)) {
            fd = atoi(entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return fd;
}

void live_memory_get_row(int cert, uint32_t row[4])
{
    assert_int_equal(pread(live_memory_descriptor(), row, ROW_OCTETS,
                           (off_t)cert * (off_t)ROW_OCTETS), ROW_OCTETS);
}

void live_memory_set_row(int cert, const uint32_t row[4])
{
    assert_int_equal(pwrite(live_memory_descriptor(), row, ROW_OCTETS,
                            (off_t)cert * (off_t)ROW_OCTETS), ROW_OCTETS);
}
