/*
 * acme_keeper_address.h - the socket on which the keeper is reached, and who
 * comes there.
 *
 * The parent of httpd makes the socket and the tokens for one generation. A
 * channel is a connection to it, so that what one process does with its
 * channel, an end or a shutdown(2), is nobody else's.
 */
#ifndef ACME_KEEPER_ADDRESS_H
#define ACME_KEEPER_ADDRESS_H

#include <sys/types.h>

#include "acme_result.h"
#include "acme_stop.h"

#define ACME_KEEPER_TOKEN_OCTETS 32

/*
 * What a client needs to open a channel. The token is a secret of those
 * processes of a generation that have one role; it never reaches a log.
 */
typedef struct {
    const char *path; /* "@name" is an abstract one of Linux */
    unsigned char token[ACME_KEEPER_TOKEN_OCTETS];
} acme_keeper_address_t;

/*
 * Make a socket that listens at path, which only processes of user may
 * connect to: close-on-exec and non-blocking, with a queue of backlog. What
 * lies at path is removed. ENAMETOOLONG, or the errno of socket(2), bind(2),
 * chown(2) or listen(2); on failure *pfd is -1.
 */
apr_status_t acme_keeper_address_listen(int *pfd, const char *path, uid_t user,
                                        int backlog, acme_result_t *res);

/* Of workers: more than all processes of httpd open at once; the kernel may
   allow less. */
#define ACME_KEEPER_BACKLOG 128

/*
 * Connect to it, and wait most for a place if too many do. On failure *pfd is
 * -1. APR_EOF: nothing listens there any more. APR_EINTR: stop was set.
 * APR_TIMEUP: nobody accepts.
 */
apr_status_t acme_keeper_address_connect(int *pfd, const char *path,
                                         acme_stop_t *stop,
                                         apr_interval_time_t most,
                                         acme_result_t *res);

/* The kernel's word who made the connection fd. *ppid is 0 where it has none.
   False: not known. */
int acme_keeper_address_peer(pid_t *ppid, uid_t *puid, int fd);

/* Is pid the process parent, or a child of it? Only Linux tells: elsewhere, or
   without /proc, this is true. */
int acme_keeper_address_is_child(pid_t pid, pid_t parent);

/* Are two tokens equal? The time that it takes tells nothing of them. */
int acme_keeper_address_token_equal(const unsigned char *a,
                                    const unsigned char *b);

/* Is path a socket at which nothing listens, left by a process that died? */
int acme_keeper_address_is_left(const char *path);

#endif
