/*
 * acme_message.c - the messages that workers and acmectl send to the keeper.
 *
 * A worker may be hostile: nothing of a packet is used before all of it was
 * checked against the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_message.h"

typedef struct {
    apr_uint16_t version;
    apr_uint16_t kind;
    apr_uint32_t reply;
    apr_int32_t status;
    apr_uint32_t body_len;
    apr_uint32_t tail_len;
} frame_t;

/* The largest tail, the largest body, the frame, and some air. */
#define PACKET_MAX (ACME_CHAIN_SIZE_MAX + 16 * 1024)

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

typedef struct {
    const char *name;
    int who;
    apr_size_t body[2];         /* request, reply */
    apr_size_t tail_max[2];
} message_kind_t;

#define KIND_ROW(kind, who, req, req_tail, rep, rep_tail) \
    { #kind, who, \
      { sizeof(acme_msg_##req##_t), sizeof(acme_msg_##rep##_t) }, \
      { req_tail, rep_tail } },
static const message_kind_t kinds[ACME_MSG_KINDS] = { ACME_MESSAGES(KIND_ROW) };

/* The index of body and tail_max. */
typedef enum { REQUEST, REPLY } direction_e;

/*
 * Where bodies hold text. In a request each must end, or it is refused; of a
 * body that is sent, the octets behind each end are cleared.
 */
typedef struct {
    acme_message_e kind;
    direction_e direction;
    apr_size_t offset;
    apr_size_t size;
} text_field_t;

#define TEXT_FIELD(kind, direction, type, member) \
    { kind, direction, offsetof(type, member), sizeof(((type *)0)->member) }
#define TEXT_ROW(kind, type, member) \
    TEXT_FIELD(ACME_MSG_##kind, REQUEST, type, member)
#define REPLY_ROW(kind, type, member) \
    TEXT_FIELD(ACME_MSG_##kind, REPLY, type, member)
#define STATE_ROWS(kind) \
    REPLY_ROW(kind, acme_state_t, serial), \
    REPLY_ROW(kind, acme_state_t, issuer), \
    REPLY_ROW(kind, acme_state_t, cert_id), \
    REPLY_ROW(kind, acme_state_t, explanation), \
    REPLY_ROW(kind, acme_state_t, left_out_names), \
    REPLY_ROW(kind, acme_state_t, left_out_detail), \
    REPLY_ROW(kind, acme_state_t, limit), \
    REPLY_ROW(kind, acme_state_t, check_places), \
    REPLY_ROW(kind, acme_state_t, check_detail), \
    REPLY_ROW(kind, acme_state_t, rehearsal_detail), \
    REPLY_ROW(kind, acme_state_t, problem), \
    REPLY_ROW(kind, acme_state_t, detail), \
    REPLY_ROW(kind, acme_state_t, post.failure), \
    REPLY_ROW(kind, acme_state_t, deploy.failure), \
    REPLY_ROW(kind, acme_state_t, notify.failure)

/* The kind of a reply that fails: its body is an acme_result_t. */
#define FAILURE ACME_MSG_KINDS

static const text_field_t text_fields[] = {
    TEXT_ROW(SIGN, acme_msg_sign_t, url),
    TEXT_ROW(SIGN, acme_msg_sign_t, nonce),
    TEXT_ROW(ACCOUNT, acme_msg_url_t, url),
    TEXT_ROW(TERMS, acme_msg_url_t, url),
    TEXT_ROW(ORDER, acme_msg_url_t, url),
    TEXT_ROW(PUBLISH, acme_msg_publish_t, token),
    TEXT_ROW(PUBLISH, acme_msg_publish_t, record),
    TEXT_ROW(NOTE, acme_msg_note_t, problem),
    TEXT_ROW(NOTE, acme_msg_note_t, detail),
    TEXT_ROW(WINDOW, acme_msg_window_t, cert_id),
    TEXT_ROW(WINDOW, acme_msg_window_t, explanation),
    TEXT_ROW(INSTALL, acme_msg_url_t, url),
    TEXT_ROW(PERSIST, acme_msg_persist_t, issuer),
    TEXT_ROW(PERSIST, acme_msg_persist_t, prefix),
    TEXT_ROW(LOOKED, acme_msg_looked_t, detail),
    TEXT_ROW(SERVED, acme_msg_served_t, live),
    TEXT_ROW(SERVED, acme_msg_served_t, others),
    TEXT_ROW(SERVED, acme_msg_served_t, places),
    TEXT_ROW(SERVED, acme_msg_served_t, detail),
    STATE_ROWS(CHANGES),
    STATE_ROWS(INSTALL),
    STATE_ROWS(LIST),           /* the state comes first */
    REPLY_ROW(PREPARE, acme_msg_prepared_t, order_url),
    REPLY_ROW(PREPARE, acme_msg_prepared_t, account_url),
    REPLY_ROW(PREPARE, acme_msg_prepared_t, thumbprint),
    REPLY_ROW(LIVE, acme_msg_url_t, url),
    REPLY_ROW(REHEARSAL, acme_msg_rehearsal_t, account_url),
    REPLY_ROW(REHEARSAL, acme_msg_rehearsal_t, thumbprint),
    REPLY_ROW(REHEARSAL, acme_msg_rehearsal_t, issuer),
    REPLY_ROW(REHEARSAL, acme_msg_rehearsal_t, prefix),
    TEXT_FIELD(FAILURE, REPLY, acme_result_t, problem),
    TEXT_FIELD(FAILURE, REPLY, acme_result_t, detail)
};
#define TEXT_FIELDS (sizeof(text_fields) / sizeof(*text_fields))

/* Room for any body. */
typedef union {
    acme_result_t result;
#define BODY_MEMBERS(kind, who, req, req_tail, rep, rep_tail) \
    acme_msg_##req##_t req_##kind; \
    acme_msg_##rep##_t rep_##kind;
    ACME_MESSAGES(BODY_MEMBERS)
} body_t;

const char *acme_message_name(acme_message_e kind)
{
    return (unsigned)kind < ACME_MSG_KINDS ? kinds[kind].name : "unknown";
}

int acme_message_allowed(acme_message_e kind, int who)
{
    return (unsigned)kind < ACME_MSG_KINDS && (kinds[kind].who & who);
}

void acme_message_set_room(int fd)
{
    const int size = 2 * PACKET_MAX;

    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static apr_size_t body_size(const acme_message_t *message,
                            direction_e direction)
{
    if (message->status != APR_SUCCESS) {
        return sizeof(acme_result_t);
    }
    return kinds[message->kind].body[direction];
}

/*
 * The body as it is sent. A short text may have replaced a longer one, or may
 * be in memory that held something else: that is not sent.
 */
static void copy_body(body_t *body, const acme_message_t *message,
                      direction_e direction)
{
    const acme_message_e kind =
        message->status != APR_SUCCESS ? FAILURE : message->kind;
    apr_size_t i;

    memcpy(body, message->body, body_size(message, direction));
    for (i = 0; i < TEXT_FIELDS; i++) {
        const text_field_t *field = &text_fields[i];

        if (field->kind == kind && field->direction == direction) {
            char *text = (char *)body + field->offset;
            const apr_size_t len = strnlen(text, field->size);

            memset(text + len, 0, field->size - len);
        }
    }
}

static apr_status_t send_packet(int fd, const acme_message_t *message,
                                direction_e direction, acme_result_t *res)
{
    struct msghdr msg = { 0 };
    struct iovec iov[3];
    frame_t frame = { 0 };
    body_t body;
    ssize_t n;

    copy_body(&body, message, direction);
    frame.version = ACME_MESSAGE_VERSION;
    frame.kind = (apr_uint16_t)message->kind;
    frame.reply = direction == REPLY;
    frame.status = message->status;
    frame.body_len = (apr_uint32_t)body_size(message, direction);
    frame.tail_len = (apr_uint32_t)message->tail_len;

    iov[0].iov_base = &frame;
    iov[0].iov_len = sizeof(frame);
    iov[1].iov_base = &body;
    iov[1].iov_len = frame.body_len;
    iov[2].iov_base = (void *)message->tail;
    iov[2].iov_len = frame.tail_len;
    msg.msg_iov = iov;
    msg.msg_iovlen = 3;

    do {
        n = sendmsg(fd, &msg,
                    MSG_NOSIGNAL | (direction == REPLY ? MSG_DONTWAIT : 0));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return acme_fail_errno(res, errno,
                               "keeper: the message %s cannot be sent",
                               acme_message_name(message->kind));
    }
    return APR_SUCCESS;
}

apr_status_t acme_message_send_request(int fd, const acme_message_t *message,
                                       acme_result_t *res)
{
    return send_packet(fd, message, REQUEST, res);
}

apr_status_t acme_message_send_reply(int fd, const acme_message_t *message,
                                     acme_result_t *res)
{
    return send_packet(fd, message, REPLY, res);
}

/*
 * Does a descriptor come with the next packet? A look without room for it says
 * so and receives none. What is received once must be closed, here or by the
 * kernel for us; and close(2) of a hostile process's descriptor may take for
 * ever: it may be a socket with SO_LINGER, one inside of another, or a file of
 * its own file system. (-1: there is no packet)
 */
static int is_descriptor_next(int fd, int flags)
{
    char octet;
    struct iovec iov = { &octet, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    do {
        n = recvmsg(fd, &msg, MSG_PEEK | flags);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : (msg.msg_flags & MSG_CTRUNC) != 0;
}

/* No octet was received: did the other process close, or send nothing? */
static int has_left(int fd)
{
    struct pollfd left = { fd, POLLRDHUP, 0 };

    return poll(&left, 1, 0) > 0;
}

/* Do kind, sizes and texts of a packet of n octets agree with the table? */
static const char *wrong_with(const frame_t *frame, apr_size_t n,
                              direction_e direction, const char *body)
{
    const message_kind_t *kind;
    apr_size_t i;

    if (frame->version != ACME_MESSAGE_VERSION) {
        return "of another version of mod_acme";
    }
    if (frame->kind >= ACME_MSG_KINDS
        || frame->reply != (apr_uint32_t)direction) {
        return "of an unknown kind";
    }
    kind = &kinds[frame->kind];
    if (frame->status != APR_SUCCESS) {
        if (direction == REQUEST || frame->body_len != sizeof(acme_result_t)) {
            return "with a status that does not belong";
        }
    }
    else if (frame->body_len != kind->body[direction]) {
        return "with a body of a wrong size";
    }
    if (frame->tail_len > kind->tail_max[direction]
        || n != sizeof(*frame) + frame->body_len + frame->tail_len) {
        return "with a tail of a wrong size";
    }
    for (i = 0; direction == REQUEST && i < TEXT_FIELDS; i++) {
        const text_field_t *field = &text_fields[i];

        if (field->kind == frame->kind && field->direction == REQUEST
            && !memchr(body + field->offset, 0, field->size)) {
            return "with a text that does not end";
        }
    }
    return NULL;
}

/* Body and tail are given memory of their own: aligned, and NUL-terminated. */
static void unpack(acme_message_t *message, const frame_t *frame,
                   const char *body, apr_pool_t *p)
{
    message->kind = frame->kind;
    message->status = frame->status;
    message->body = apr_pmemdup(p, body, frame->body_len);
    message->tail = apr_pstrmemdup(p, body + frame->body_len,
                                   frame->tail_len);
    message->tail_len = frame->tail_len;
}

/* Most packets are small, so p keeps a copy of the message and not the
   buffer. */
static apr_status_t receive_packet(acme_message_t *message, int fd,
                                   direction_e direction, acme_result_t *res,
                                   apr_pool_t *p)
{
    const int flags = direction == REPLY ? 0 : MSG_DONTWAIT;
    apr_pool_t *scratch;
    char *packet;
    struct msghdr msg = { 0 };
    struct iovec iov;
    frame_t frame;
    const char *wrong;
    apr_status_t rv;
    ssize_t n;

    memset(message, 0, sizeof(*message));
    if (is_descriptor_next(fd, flags) > 0) {
        return acme_fail(
            res, APR_EINVAL,
            "keeper: refused a message with a descriptor that does not belong");
    }
    apr_pool_create(&scratch, p);
    packet = apr_palloc(scratch, PACKET_MAX);
    iov.iov_base = packet;
    iov.iov_len = PACKET_MAX;
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    do {
        n = recvmsg(fd, &msg, flags);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        rv = acme_fail_errno(res, errno, "keeper: no message can be received");
        goto out;
    }
    if (n == 0 && has_left(fd)) {
        rv = acme_fail(res, APR_EOF,
                       "keeper: the other process closed the channel");
        goto out;
    }

    if ((apr_size_t)n < sizeof(frame) || (msg.msg_flags & MSG_TRUNC)) {
        wrong = "that is too short or too long";
    }
    else {
        memcpy(&frame, packet, sizeof(frame));
        wrong = wrong_with(&frame, (apr_size_t)n, direction,
                           packet + sizeof(frame));
    }
    if (wrong) {
        rv = acme_fail(res, APR_EINVAL, "keeper: refused a message %s", wrong);
        goto out;
    }
    unpack(message, &frame, packet + sizeof(frame), p);
    rv = APR_SUCCESS;
out:
    apr_pool_destroy(scratch);
    return rv;
}

apr_status_t acme_message_receive_request(acme_message_t *message, int fd,
                                          acme_result_t *res, apr_pool_t *p)
{
    return receive_packet(message, fd, REQUEST, res, p);
}

apr_status_t acme_message_receive_reply(acme_message_t *message, int fd,
                                        acme_result_t *res, apr_pool_t *p)
{
    return receive_packet(message, fd, REPLY, res, p);
}

int acme_message_close(int fd)
{
    const int on = 1;
    int is_packet;

    /* No packet is added to those that wait. An empty one is told by its time
       from none at all; beside it there is no room for a descriptor. */
    shutdown(fd, SHUT_RDWR);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
    do {
        _Alignas(struct cmsghdr) char time[CMSG_SPACE(sizeof(struct timeval))];
        char octet;
        struct iovec iov = { &octet, 1 };
        struct msghdr msg = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = time,
                              .msg_controllen = sizeof(time) };
        const ssize_t n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);

        is_packet = n > 0 || (n == 0 && msg.msg_controllen > 0);
        if (is_packet && (msg.msg_flags & MSG_CTRUNC)) {
            return 0;
        }
        (void)!recv(fd, &octet, 1, MSG_DONTWAIT);
    } while (is_packet);
    close(fd);
    return 1;
}
