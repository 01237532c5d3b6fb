/*
 * acme_message.h - what workers and acmectl may say to the keeper.
 *
 * A message is one packet: a frame, a body of exactly the type below, and a
 * tail of octets where the table allows one. Both sides are forks of one
 * binary (acmectl: checked by the version), so a body travels as it lies in
 * memory; it holds no pointers, and every text in it ends within it. Bodies
 * that are about a certificate begin with acme_target_t.
 *
 * No octet of the keeper's memory may reach a worker by accident. So a body has
 * no padding, which the compiler checks; its maker begins with zeros; and what
 * lies behind the end of a text is cleared before a body is sent.
 */
#ifndef ACME_MESSAGE_H
#define ACME_MESSAGE_H

#include "acme_authorization.h"
#include "acme_session.h"
#include "acme_chain.h"
#include "acme_name.h"
#include "acme_state.h"
#include "acme_url.h"

#define ACME_MESSAGE_VERSION 3

/* Octets of a text of at most max: with its end, and no padding after it. */
#define ACME_TEXT_ROOM(max) (((max) + 8) / 8 * 8)

#define ACME_URL_SIZE   ACME_TEXT_ROOM(ACME_URL_MAX)
#define ACME_NONCE_SIZE ACME_TEXT_ROOM(ACME_NONCE_MAX)
#define ACME_JWS_MAX    (64 * 1024)     /* octets of a signed body */
#define ACME_LIST_MAX   (64 * 1024)     /* octets of an id and its names */
#define ACME_NAMES_MAX  1000            /* names of one certificate */

/* Of a name, in the tail of PREPARE's reply: bits. Bit n: challenge n of
   acme_challenge_e failed on it the last time. */
#define ACME_NAME_LEFT_OUT 0x80

/* Who may say it: bits. */
#define ACME_BY_WORKER  1
#define ACME_BY_CONTROL 2

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* What a message is about: positions in the configuration. */
typedef struct {
    apr_uint32_t cert;
    apr_uint32_t ca;                    /* in the certificate's list of CAs */
    apr_uint32_t part;                  /* in its list of key types */
} acme_target_t;

typedef struct {
    acme_target_t about;
} acme_msg_cert_t;

/* What newOrder and newAccount may have besides: bits. */
#define ACME_WITH_PROFILE  1
#define ACME_WITH_REPLACES 2
#define ACME_WITH_BINDING  4
#define ACME_WITH_NEXT_KEY 8            /* signed by the account's next key */
#define ACME_WITH_CERT_KEY 16           /* by that of the live certificate */

typedef struct {
    acme_target_t about;
    apr_uint32_t kind;                  /* acme_sign_e */
    apr_uint32_t with;                  /* ACME_WITH_... */
    char url[ACME_URL_SIZE];
    char nonce[ACME_NONCE_SIZE];
} acme_msg_sign_t;

typedef struct {
    acme_target_t about;
    char url[ACME_URL_SIZE];            /* "": it is gone */
} acme_msg_url_t;

typedef struct {
    apr_uint64_t change;
} acme_msg_after_t;

typedef enum {
    ACME_NOTE_ORDERED,
    ACME_NOTE_RESUMED,                  /* the order of before goes on */
    ACME_NOTE_VALIDATED,
    ACME_NOTE_WARNING,                  /* something is other than wanted */
    ACME_NOTE_CHALLENGE,                /* one failed, the next one is tried */
    ACME_NOTE_LIMIT,                    /* a CA's limit: it waits */
    ACME_NOTE_FAILED
} acme_note_e;

typedef struct {
    acme_target_t about;
    apr_uint32_t note;                  /* acme_note_e */
    apr_time_t next_at;                 /* with FAILED and LIMIT */
    apr_uint32_t retry;                 /* acme_retry_e, with FAILED */
    apr_uint32_t want;                  /* acme_want_e that failed: an order
                                           up to RENEWAL, with FAILED */
    apr_uint32_t name;                  /* with FAILED: the name to blame, its
                                           position; ACME_NO_NAME: none */
    apr_uint32_t challenge;             /* acme_challenge_e that failed on it;
                                           ACME_CHALLENGES: none did */
    apr_uint32_t why;                   /* acme_reason_e, with FAILED and
                                           LIMIT */
    char problem[ACME_PROBLEM_SIZE];    /* with FAILED */
    char detail[ACME_DETAIL_SIZE];
    apr_uint32_t with;                  /* with ORDERED: ACME_WITH_... */
} acme_msg_note_t;

#define ACME_NO_NAME ((apr_uint32_t)-1)

/* What the CA said about the time to renew the live one. (9773, 4.2) */
typedef struct {
    acme_target_t about;
    apr_uint32_t failures;              /* in a row */
    char cert_id[ACME_CERT_ID_SIZE];    /* which one it was asked about */
    apr_time_t start;                   /* 0: nothing new was learnt */
    apr_time_t end;
    apr_time_t pick;                    /* a time in it, drawn by the sender */
    apr_time_t ask_at;
    apr_uint32_t revoked;               /* OCSP or a CRL says so */
    apr_uint32_t unused;
    char explanation[ACME_EXPLANATION_SIZE];
} acme_msg_window_t;

typedef enum { ACME_RECORD_PRESENT, ACME_RECORD_CLEANUP } acme_record_e;

/* A TXT record of dns-01; its value is the keeper's to compute. */
typedef struct {
    acme_target_t about;
    apr_uint32_t action;                /* acme_record_e */
    apr_uint32_t name;                  /* position in the names */
    apr_uint32_t remaining;             /* of the same batch, after it */
    char token[ACME_TEXT_ROOM(ACME_TOKEN_MAX)];
    char record[ACME_TEXT_ROOM(ACME_NAME_MAX)];     /* where a CNAME leads; "": nowhere */
} acme_msg_record_t;

/* What a record of dns-persist-01 looks like at the CA. */
typedef struct {
    acme_target_t about;
    apr_uint32_t draft;                 /* 1 or 2 */
    char issuer[ACME_TEXT_ROOM(ACME_NAME_MAX)]; /* what it begins with */
    char prefix[ACME_TEXT_ROOM(ACME_HASH_PREFIX_MAX)];  /* accountHashPrefix,
                                           or "" */
} acme_msg_persist_t;

typedef struct {
    acme_target_t about;
    apr_uint32_t unused;
    apr_time_t until;                   /* when the records end; 0: never */
} acme_msg_txt_t;

typedef enum { ACME_KEY_PROMOTE, ACME_KEY_DROP } acme_key_end_e;

/* Which key the CA has: the next one, or still the old one. */
typedef struct {
    acme_target_t about;
    apr_uint32_t end;                   /* acme_key_end_e */
} acme_msg_key_t;

typedef struct {
    acme_target_t about;
    apr_uint32_t want;                  /* acme_want_e */
    apr_int32_t reason;                 /* with REVOKE (5280, 5.3.1); -1: none */
} acme_msg_want_t;

/* What an order is begun or resumed with. No secret is in it. */
typedef struct {
    char order_url[ACME_URL_SIZE];      /* "": none under way */
    char account_url[ACME_URL_SIZE];    /* "": not known */
    char thumbprint[48];                /* of the account's key (8555, 8.1) */
    int issued;                         /* this part waits for the others */
    int contacts_changed;               /* the CA has to be told */
    int has_next_key;                   /* a change of keys was begun */
    int deactivated;                    /* only told where it is to revoke */
} acme_msg_prepared_t;

typedef struct {
    apr_uint32_t certs;                 /* in the configuration */
    apr_int32_t pid;                    /* of the keeper */
} acme_msg_welcome_t;

typedef struct {
    char unused;                        /* C has no empty struct */
} acme_msg_none_t;

#pragma GCC diagnostic pop

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
 * KEY       how a change of the account's key ended
 * TERMS     the URL of the CA's terms of service, as they are now
 * ORDER     the order's URL, to resume it from
 * RECORD    a TXT record is to be there, or not any more: begun
 * AWAIT     answered when all records of the certificate are done
 * NOTE      for the journal, the log and the board
 * WINDOW    what the CA says about the time of renewal
 * INSTALL   the chain that the CA issued, with its URL; the new state
 * LIVE      a part of the live certificate: where the CA has it, its chain
 * DONE      what the administrator wanted is done; for which account or chain
 * PERSIST   what a record of dns-persist-01 looks like at the CA
 * LIST      state; id, URLs of CAs and names in the tail, a line each
 * ACCOUNTS  a line for each account, for people
 * TXT       the records of dns-persist-01 for its names, a line each
 * WANT      the administrator wants something now
 */
#define ACME_MESSAGES(X)                                                     \
    X(HELLO,   ACME_BY_WORKER,  none,  0, welcome,  0)                       \
    X(CHANGES, ACME_BY_WORKER,  after, 0, state,    0)                       \
    X(PREPARE, ACME_BY_WORKER,  cert,  0, prepared, ACME_NAMES_MAX)          \
    X(SIGN,    ACME_BY_WORKER,  sign,  0, none,     ACME_JWS_MAX)            \
    X(ACCOUNT, ACME_BY_WORKER,  url,   0, none,     0)                       \
    X(KEY,     ACME_BY_WORKER,  key,   0, none,     0)                       \
    X(TERMS,   ACME_BY_WORKER,  url,   0, none,     0)                       \
    X(ORDER,   ACME_BY_WORKER,  url,   0, none,     0)                       \
    X(RECORD,  ACME_BY_WORKER,  record, 0, none,    0)                       \
    X(AWAIT,   ACME_BY_WORKER,  cert,  0, none,     0)                       \
    X(NOTE,    ACME_BY_WORKER,  note,  0, none,     0)                       \
    X(WINDOW,  ACME_BY_WORKER,  window, 0, none,    0)                       \
    X(INSTALL, ACME_BY_WORKER,  url,   ACME_CHAIN_SIZE_MAX, state, 0)        \
    X(LIVE,    ACME_BY_WORKER,  cert,  0, url,      ACME_CHAIN_SIZE_MAX)     \
    X(DONE,    ACME_BY_WORKER,  want,  0, none,     0)                       \
    X(PERSIST, ACME_BY_WORKER,  persist, 0, none,   0)                       \
    X(LIST,    ACME_BY_CONTROL, cert,  0, state,    ACME_LIST_MAX)           \
    X(ACCOUNTS, ACME_BY_CONTROL, none, 0, none,     ACME_LIST_MAX)           \
    X(TXT,     ACME_BY_CONTROL, txt,   0, none,     ACME_LIST_MAX)           \
    X(WANT,    ACME_BY_CONTROL, want,  0, none,     0)

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

/* Send a request; waits until there is room for it. */
apr_status_t acme_message_send_request(int fd, const acme_message_t *message,
                                       acme_result_t *res);

/*
 * Send a request along with a descriptor, which stays the caller's. Never
 * waits (EAGAIN): on the inherited pair nobody may be there to receive it.
 */
apr_status_t acme_message_send_descriptor(int fd,
                                          const acme_message_t *message,
                                          int descriptor, acme_result_t *res);

/*
 * Send a reply; with a status other than APR_SUCCESS its body is an
 * acme_result_t. Never waits (EAGAIN): the other side holds the same socket
 * and decides whether it is non-blocking.
 */
apr_status_t acme_message_send_reply(int fd, const acme_message_t *message,
                                     acme_result_t *res);

/*
 * Receive a request, if there is one (else EAGAIN). Refused with APR_EINVAL:
 * another version, an unknown kind, a body that is not of exactly its size, a
 * text without an end in it, too long a tail, descriptors where none belong.
 * APR_EOF: the other side left. Body and tail are in p.
 */
apr_status_t acme_message_receive_request(acme_message_t *message, int fd,
                                          acme_result_t *res, apr_pool_t *p);

/* The same, and the descriptor that came along; -1: none did. */
apr_status_t acme_message_receive_descriptor(acme_message_t *message,
                                             int *pdescriptor, int fd,
                                             acme_result_t *res,
                                             apr_pool_t *p);

/* Wait for a reply; refused as a request is. */
apr_status_t acme_message_receive_reply(acme_message_t *message, int fd,
                                        acme_result_t *res, apr_pool_t *p);

#endif
