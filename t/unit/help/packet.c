/*
 * packet.c - see packet.h.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "packet.h"
#include "pool.h"

#define PACKET_ROW(kind, who, req, req_tail, rep, rep_tail) \
    { #kind, who, { sizeof(acme_msg_##req##_t), sizeof(acme_msg_##rep##_t) }, \
      { req_tail, rep_tail } },

const struct packet_kind_t packet_kinds[] = { ACME_MESSAGES(PACKET_ROW) };

void packet_make(packet_t *packet, unsigned kind, int reply)
{
    memset(packet, 0, sizeof(*packet));
    packet->frame.version = ACME_MESSAGE_VERSION;
    packet->frame.kind = (apr_uint16_t)kind;
    packet->frame.reply = (apr_uint32_t)reply;
    packet->frame.body_len = (apr_uint32_t)packet_kinds[kind].body[reply];
    packet->len = sizeof(packet->frame) + packet->frame.body_len;
}

void packet_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    acme_message_set_room(fds[0]);
    acme_message_set_room(fds[1]);
}

ssize_t packet_send(int fd, packet_t *packet)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(packet->fds))];
    struct msghdr msg = { 0 };
    struct iovec iov[2];
    struct cmsghdr *cmsg;
    apr_size_t frame = sizeof(packet->frame);
    apr_size_t size = (apr_size_t)packet->nfds * sizeof(int);

    iov[0].iov_base = &packet->frame;
    iov[0].iov_len = packet->len < frame ? packet->len : frame;
    iov[1].iov_base = packet->rest;
    iov[1].iov_len = packet->len - iov[0].iov_len;
    msg.msg_iov = iov;
    msg.msg_iovlen = 2;
    if (packet->nfds) {
        memset(control, 0, sizeof(control));
        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(size);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(cmsg), packet->fds, size);
    }
    return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static void version_before(packet_t *packet)
{
    packet->frame.version = ACME_MESSAGE_VERSION - 1;
}

void version_after(packet_t *packet)
{
    packet->frame.version = ACME_MESSAGE_VERSION + 1;
}

static void kind_after_the_last(packet_t *packet)
{
    packet->frame.kind = ACME_MSG_KINDS;
}

static void kind_of_all_ones(packet_t *packet)
{
    packet->frame.kind = 0xffff;
}

void is_a_reply(packet_t *packet)
{
    packet->frame.reply = 1;
}

static void is_neither(packet_t *packet)
{
    packet->frame.reply = 0x100;
}

void has_a_status(packet_t *packet)
{
    packet->frame.status = APR_ENOENT;
}

/* What a reply may be: its body is a result then. */
static void is_a_failure(packet_t *packet)
{
    packet->frame.status = APR_ENOENT;
    packet->frame.body_len = sizeof(acme_result_t);
    packet->len = sizeof(packet->frame) + sizeof(acme_result_t);
}

void of_no_octet(packet_t *packet)
{
    packet->len = 0;
}

static void of_one_octet(packet_t *packet)
{
    packet->len = 1;
}

static void short_frame(packet_t *packet)
{
    packet->len = sizeof(packet->frame) - 1;
}

static void only_a_frame(packet_t *packet)
{
    packet->len = sizeof(packet->frame);
}

static void only_a_frame_and_says_so(packet_t *packet)
{
    packet->len = sizeof(packet->frame);
    packet->frame.body_len = 0;
}

void body_shorter(packet_t *packet)
{
    packet->frame.body_len--;
    packet->len--;
}

static void body_longer(packet_t *packet)
{
    packet->frame.body_len++;
    packet->len++;
}

static void body_of_all_ones(packet_t *packet)
{
    packet->frame.body_len = 0xffffffff;
}

static void tail_of_one_too_much(packet_t *packet)
{
    apr_size_t len = packet_kinds[packet->frame.kind].tail_max[0] + 1;

    packet->frame.tail_len = (apr_uint32_t)len;
    packet->len += len;
}

void tail_only_said(packet_t *packet)
{
    packet->frame.tail_len = 1;
}

static void tail_not_said(packet_t *packet)
{
    packet->len++;
}

static void tail_of_all_ones(packet_t *packet)
{
    packet->frame.tail_len = 0xffffffff;
}

/* body_len + tail_len wraps round to what was sent. */
static void tail_that_wraps(packet_t *packet)
{
    packet->frame.tail_len = 0u - packet->frame.body_len;
    packet->len = sizeof(packet->frame);
}

void longer_than_any(packet_t *packet)
{
    packet->len = sizeof(packet->frame) + PACKET_REST;
    packet->frame.tail_len = PACKET_REST - packet->frame.body_len;
}

static void fill_text(packet_t *packet, apr_size_t offset, apr_size_t size)
{
    memset(packet->rest + offset, 'a', size);
}

#define FILL(function, type, member) \
    static void function(packet_t *packet) \
    { \
        fill_text(packet, offsetof(type, member), \
                  sizeof(((type *)0)->member)); \
    }
FILL(sign_url_without_end, acme_msg_sign_t, url)
FILL(sign_nonce_without_end, acme_msg_sign_t, nonce)
FILL(url_without_end, acme_msg_url_t, url)
FILL(record_token_without_end, acme_msg_publish_t, token)
FILL(record_name_without_end, acme_msg_publish_t, record)
FILL(window_id_without_end, acme_msg_window_t, cert_id)
FILL(window_text_without_end, acme_msg_window_t, explanation)
FILL(note_problem_without_end, acme_msg_note_t, problem)
FILL(note_detail_without_end, acme_msg_note_t, detail)

const spoilt_t spoilt_requests[] = {
    { "an older version", version_before, ACME_MSG_PREPARE, "version" },
    { "a newer version", version_after, ACME_MSG_PREPARE, "version" },
    { "a kind after the last", kind_after_the_last, ACME_MSG_PREPARE, "kind" },
    { "a kind of all ones", kind_of_all_ones, ACME_MSG_PREPARE, "kind" },
    { "a reply", is_a_reply, ACME_MSG_PREPARE, "kind" },
    { "neither request nor reply", is_neither, ACME_MSG_PREPARE, "kind" },
    { "a status", has_a_status, ACME_MSG_PREPARE, "status" },
    { "a failure", is_a_failure, ACME_MSG_PREPARE, "status" },
    { "no octet", of_no_octet, ACME_MSG_PREPARE, "short" },
    { "one octet", of_one_octet, ACME_MSG_PREPARE, "short" },
    { "a short frame", short_frame, ACME_MSG_PREPARE, "short" },
    { "a frame alone", only_a_frame, ACME_MSG_PREPARE, "tail" },
    { "a frame that has no body", only_a_frame_and_says_so, ACME_MSG_PREPARE,
      "body" },
    { "a shorter body", body_shorter, ACME_MSG_SIGN, "body" },
    { "a longer body", body_longer, ACME_MSG_CHANGES, "body" },
    { "a body of 4 GB", body_of_all_ones, ACME_MSG_ACCOUNT, "body" },
    { "a tail where none belongs", tail_of_one_too_much, ACME_MSG_SIGN,
      "tail" },
    { "a chain of an octet too much", tail_of_one_too_much, ACME_MSG_INSTALL,
      "tail" },
    { "a tail that is not there", tail_only_said, ACME_MSG_INSTALL, "tail" },
    { "a tail that nobody told of", tail_not_said, ACME_MSG_INSTALL, "tail" },
    { "a tail of 4 GB", tail_of_all_ones, ACME_MSG_INSTALL, "tail" },
    { "lengths that wrap", tail_that_wraps, ACME_MSG_INSTALL, "tail" },
    { "longer than any", longer_than_any, ACME_MSG_INSTALL, "long" },
    { "SIGN: url", sign_url_without_end, ACME_MSG_SIGN, "end" },
    { "SIGN: nonce", sign_nonce_without_end, ACME_MSG_SIGN, "end" },
    { "ACCOUNT: url", url_without_end, ACME_MSG_ACCOUNT, "end" },
    { "TERMS: url", url_without_end, ACME_MSG_TERMS, "end" },
    { "ORDER: url", url_without_end, ACME_MSG_ORDER, "end" },
    { "INSTALL: url", url_without_end, ACME_MSG_INSTALL, "end" },
    { "PUBLISH: token", record_token_without_end, ACME_MSG_PUBLISH, "end" },
    { "PUBLISH: record", record_name_without_end, ACME_MSG_PUBLISH, "end" },
    { "WINDOW: cert_id", window_id_without_end, ACME_MSG_WINDOW, "end" },
    { "WINDOW: explanation", window_text_without_end, ACME_MSG_WINDOW,
      "end" },
    { "NOTE: problem", note_problem_without_end, ACME_MSG_NOTE, "end" },
    { "NOTE: detail", note_detail_without_end, ACME_MSG_NOTE, "end" },
    { NULL, NULL, 0, NULL }
};
