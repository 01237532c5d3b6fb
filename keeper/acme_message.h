/*
 * acme_message.h - what workers and acmectl may say to the keeper.
 *
 * A message is one packet: a frame, a body of exactly the type below, and a
 * tail of octets where the table allows one. Both sides are forks of one
 * binary (acmectl: checked by the version), so a body travels as it lies in
 * memory; it holds no pointers, and every text in it ends within it.
 */
#ifndef ACME_MESSAGE_H
#define ACME_MESSAGE_H

#include "acme_ca.h"
#include "acme_chain.h"
#include "acme_state.h"

#define ACME_MESSAGE_VERSION 1

#define ACME_URL_SIZE   (ACME_URL_MAX + 1)
#define ACME_NONCE_SIZE (ACME_NONCE_MAX + 1)
#define ACME_JWS_MAX    (64 * 1024)     /* octets of a signed body */
#define ACME_LIST_MAX   (64 * 1024)     /* octets of an id and its names */

/* Who may say it: bits. */
#define ACME_BY_WORKER  1
#define ACME_BY_CONTROL 2

typedef struct {
    apr_uint32_t cert;
} acme_msg_cert_t;

typedef struct {
    apr_uint32_t cert;
    apr_uint32_t kind;                  /* acme_sign_e */
    char url[ACME_URL_SIZE];
    char nonce[ACME_NONCE_SIZE];
} acme_msg_sign_t;

typedef struct {
    apr_uint32_t cert;
    char url[ACME_URL_SIZE];            /* "": it is gone */
} acme_msg_url_t;

typedef struct {
    apr_uint64_t change;
} acme_msg_after_t;

typedef enum {
    ACME_NOTE_ORDERED,
    ACME_NOTE_VALIDATED,
    ACME_NOTE_FAILED
} acme_note_e;

typedef struct {
    apr_uint32_t cert;
    apr_uint32_t note;                  /* acme_note_e */
    apr_time_t next_at;                 /* with FAILED */
    apr_uint32_t retry;                 /* acme_retry_e, with FAILED */
    char problem[ACME_PROBLEM_SIZE];    /* with FAILED */
    char detail[ACME_DETAIL_SIZE];
} acme_msg_note_t;

/* What an order is begun or resumed with. No secret is in it. */
typedef struct {
    char order_url[ACME_URL_SIZE];      /* "": none under way */
    char account_url[ACME_URL_SIZE];    /* "": not known */
    char thumbprint[48];                /* of the account's key (8555, 8.1) */
} acme_msg_prepared_t;

typedef struct {
    apr_uint32_t certs;                 /* in the configuration */
    apr_int32_t pid;                    /* of the keeper */
} acme_msg_welcome_t;

typedef struct {
    char unused;                        /* C has no empty struct */
} acme_msg_none_t;

/*
 * The table. A row: kind, who may say it, the body's type and the most octets
 * after it, the same of the reply. A reply that fails has an acme_result_t as
 * its body instead.
 *
 * HELLO     a packet on the inherited socket pair that brings a descriptor:
 *           the sender's own channel, on which all the rest is said
 * CHANGES   the state that changed first after a given change; ENOENT: none
 * PREPARE   make key and CSR, or find those of the unfinished order
 * SIGN      one of the requests of acme_sign_e, built here
 * ACCOUNT   the account's URL, as the CA told it
 * ORDER     the order's URL, to resume it from
 * NOTE      for the journal, the log and the board
 * INSTALL   the chain that the CA issued; the new state
 * LIST      state; id and names in the tail, a line each
 * RENEW     the administrator wants a new one now
 */
#define ACME_MESSAGES(X)                                                     \
    X(HELLO,   ACME_BY_WORKER,  none,  0, welcome,  0)                       \
    X(CHANGES, ACME_BY_WORKER,  after, 0, state,    0)                       \
    X(PREPARE, ACME_BY_WORKER,  cert,  0, prepared, 0)                       \
    X(SIGN,    ACME_BY_WORKER,  sign,  0, none,     ACME_JWS_MAX)            \
    X(ACCOUNT, ACME_BY_WORKER,  url,   0, none,     0)                       \
    X(ORDER,   ACME_BY_WORKER,  url,   0, none,     0)                       \
    X(NOTE,    ACME_BY_WORKER,  note,  0, none,     0)                       \
    X(INSTALL, ACME_BY_WORKER,  cert,  ACME_CHAIN_SIZE_MAX, state, 0)        \
    X(LIST,    ACME_BY_CONTROL, cert,  0, state,    ACME_LIST_MAX)           \
    X(RENEW,   ACME_BY_CONTROL, cert,  0, none,     0)

typedef acme_state_t acme_msg_state_t;

#define ACME_MESSAGE_KIND(kind, who, req, req_tail, rep, rep_tail) \
    ACME_MSG_##kind,
typedef enum {
    ACME_MESSAGES(ACME_MESSAGE_KIND)
    ACME_MSG_KINDS
} acme_message_e;
#undef ACME_MESSAGE_KIND

/* A message taken apart; what it points at is the caller's or the pool's. */
typedef struct {
    acme_message_e kind;
    apr_status_t status;        /* of a reply; 0 in a request */
    const void *body;
    const char *tail;           /* NULL: none */
    apr_size_t tail_len;
} acme_message_t;

/* "SIGN"; never NULL. */
const char *acme_message_name(acme_message_e kind);

/* May he say it? who is one bit. */
int acme_message_allowed(acme_message_e kind, int who);

/* Two connected ends, close-on-exec; sizes made to fit the largest message. */
apr_status_t acme_message_pair(int fds[2], acme_result_t *res);

/*
 * Send a request or (reply != 0) a reply. pass is a descriptor that goes
 * along, or -1. A reply with a status other than APR_SUCCESS has an
 * acme_result_t as its body.
 *
 * A reply is never waited with (EAGAIN): the other side holds the same socket
 * and decides whether it is non-blocking. Nor is a packet with a descriptor:
 * on the inherited pair nobody may be there to take it.
 */
apr_status_t acme_message_send(int fd, const acme_message_t *message,
                               int reply, int pass, acme_result_t *res);

/*
 * Receive one: waits for a reply, but for a request never (EAGAIN). Refused
 * with APR_EINVAL: another version, an unknown kind, a body that is not of
 * exactly its size, a text without an end in it, too long a tail, descriptors
 * where none belong. APR_EOF: the other side left. Body and tail are in p.
 * passed may be NULL: descriptors are then closed and refused.
 */
apr_status_t acme_message_receive(acme_message_t *message, int fd, int reply,
                                  int *passed, acme_result_t *res,
                                  apr_pool_t *p);

#endif
