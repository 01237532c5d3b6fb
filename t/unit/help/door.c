/*
 * door.c - see door.h.
 */
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "door.h"
#include "pool.h"

void door_open(door_t *door)
{
    static unsigned count;
    acme_result_t own;

    apr_snprintf(door->path, sizeof(door->path), "/tmp/acme-door-%d-%u.sock",
                 (int)getpid(), ++count);
    door->address.path = door->path;
    memset(door->address.token, 0x5a, sizeof(door->address.token));
    door->address.token[0] = (unsigned char)count;
    door->witness = door->address;
    door->witness.token[1] = 0xa5;
    if (acme_keeper_address_listen(&door->listener, door->path, geteuid(),
                                   ACME_KEEPER_BACKLOG, &own)) {
        fail_msg("%s", own.detail);
    }
}

void door_close(door_t *door)
{
    if (door->listener >= 0) {
        unlink(door->path);
        close(door->listener);
        door->listener = -1;
    }
}

int door_knock(const door_t *door)
{
    acme_result_t own;
    int fd;

    if (acme_keeper_address_connect(&fd, door->path, NULL,
                                    apr_time_from_sec(10), &own)) {
        fail_msg("%s", own.detail);
    }
    return fd;
}
