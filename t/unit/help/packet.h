/*
 * packet.h - packets as a hostile worker would put them together.
 *
 * It knows the frame of acme_message.c and keeps to none of its rules.
 */
#ifndef PACKET_H
#define PACKET_H

#include <sys/types.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "acme_message.h"

#define PACKET_REST (128 * 1024)        /* more than any message has */
#define PACKET_FDS 8

typedef struct {
    struct {
        apr_uint16_t version;
        apr_uint16_t kind;
        apr_uint32_t reply;
        apr_int32_t status;
        apr_uint32_t body_len;
        apr_uint32_t tail_len;
    } frame;
    char rest[PACKET_REST];             /* body and tail */
    apr_size_t len;                     /* octets sent, with the frame */
    int fds[PACKET_FDS];
    int nfds;
} packet_t;

/* The table of the messages: 0 is the request's side, 1 the reply's. */
extern const struct packet_kind_t {
    const char *name;
    int who;
    apr_size_t body[2];
    apr_size_t tail_max[2];
} packet_kinds[ACME_MSG_KINDS];

/* A right one: a body of zeros, no tail, no descriptors. */
void packet_make(packet_t *packet, unsigned kind, int reply);

/* The two ends of a channel. */
void packet_pair(int fds[2]);

/* The octets sent; -1 and errno when the other side is gone. */
ssize_t packet_send(int fd, packet_t *packet);

/* How a packet is spoilt; the tables of refusals are made of these. */
typedef struct {
    const char *name;
    void (*spoil)(packet_t *packet);
    unsigned kind;
    const char *says;                   /* in the sentence of the refusal */
} spoilt_t;

/* Some that spoil a reply as well. */
void is_a_reply(packet_t *packet);
void version_after(packet_t *packet);
void of_no_octet(packet_t *packet);
void has_a_status(packet_t *packet);
void body_shorter(packet_t *packet);
void tail_only_said(packet_t *packet);
void longer_than_any(packet_t *packet);

/* Requests that are refused; one without a name ends them. */
extern const spoilt_t spoilt_requests[];

#endif
