/*
 * acme_descriptors.h - descriptors between the keeper and the processes that
 * work for it.
 */
#ifndef ACME_DESCRIPTORS_H
#define ACME_DESCRIPTORS_H

#include <apr.h>
#include <apr_time.h>

/* Close it, if it is not -1, and make it -1. */
void acme_descriptors_close(int *fd);

/*
 * A pipe, or a pair of sockets of AF_UNIX, close-on-exec. 0, or -1 and errno,
 * and then both are -1.
 */
int acme_descriptors_pipe(int fds[2]);
int acme_descriptors_pair(int fds[2], int type);

/* Close first and all above it, whoever opened them. */
void acme_descriptors_close_from(int first);

/* fd, or a copy of it above standard error: it may be among 0 to 2 where httpd
   was started without them. -1: there is none left. */
int acme_descriptors_above_standard(int fd);

/*
 * Wait for these events, of poll(2), until then. True when there are some;
 * else errno, ETIMEDOUT at that time.
 */
int acme_descriptors_wait(int fd, short events, apr_time_t until);

/*
 * Send or receive all of len octets on a stream socket. until: when to
 * give up, on one that does not block; on another it counts for nothing. True
 * when it is done; else errno, which is ETIMEDOUT at that time, and EPIPE when
 * the other side has ended.
 */
int acme_descriptors_send(int fd, const void *data, apr_size_t len,
                          apr_time_t until);
int acme_descriptors_receive(int fd, void *data, apr_size_t len,
                             apr_time_t until);

#endif
