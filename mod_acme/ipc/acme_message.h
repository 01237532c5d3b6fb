/*
 * acme_message.h - the messages that workers, the witness and acmectl send to
 * the keeper.
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
#include "acme_ca_pace.h"
#include "acme_session.h"
#include "acme_chain.h"
#include "acme_keeper_address.h"
#include "acme_name.h"
#include "acme_state.h"
#include "acme_url.h"

#define ACME_MESSAGE_VERSION 7

/* Octets of a text of at most max: with its end, and no padding after it. */
#define ACME_TEXT_ROOM(max) (((max) + 8) / 8 * 8)

#define ACME_URL_SIZE   ACME_TEXT_ROOM(ACME_URL_MAX)
#define ACME_NONCE_SIZE ACME_TEXT_ROOM(ACME_NONCE_MAX)
#define ACME_JWS_MAX    (64 * 1024)     /* octets of a signed body */
#define ACME_LIST_MAX   (64 * 1024)     /* octets of an id and its names */
#define ACME_NAMES_MAX  1000            /* names of one certificate */

/* The octet of a name in the tail of PREPARE's reply: bit n is set when
   challenge n of acme_challenge_e failed on the name last time; this bit, when
   the name is excluded from orders. */
#define ACME_NAME_LEFT_OUT 0x80

#define ACME_HOSTS_MAX (16 * 1024)    /* octets of the hosts of a CA */

/*
 * Who may send a message: bits. A worker serves visitors and may have been
 * taken over by one. The witness serves nobody, and what it says the CA said
 * is believed.
 */
#define ACME_BY_WORKER  1
#define ACME_BY_CONTROL 2               /* acmectl */
#define ACME_BY_WITNESS 4
#define ACME_BY_BOTH    (ACME_BY_WORKER | ACME_BY_WITNESS)
#define ACME_BY_ALL     (ACME_BY_BOTH | ACME_BY_CONTROL)

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* The target of a message: positions in the configuration. */
typedef struct {
    apr_uint32_t cert;
    apr_uint32_t ca;                    /* in the certificate's list of CAs */
    apr_uint32_t part;                  /* in its list of key types */
} acme_target_t;

typedef struct {
    unsigned char token[ACME_KEEPER_TOKEN_OCTETS];  /* of the sender's role */
} acme_msg_hello_t;

typedef struct {
    acme_target_t about;
} acme_msg_cert_t;

/* Optional parts of a request that is signed: bits. */
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
    char url[ACME_URL_SIZE];            /* "": it is no longer valid */
} acme_msg_url_t;

typedef struct {
    apr_uint64_t change;
} acme_msg_after_t;

typedef enum {
    ACME_NOTE_ORDERED,
    ACME_NOTE_RESUMED,                  /* an unfinished order is continued */
    ACME_NOTE_VALIDATED,
    ACME_NOTE_WARNING,                  /* a setting could not be honoured */
    ACME_NOTE_CHALLENGE,                /* one failed, the next type follows */
    ACME_NOTE_NAME,                     /* one failed besides that of FAILED */
    ACME_NOTE_LIMIT,                    /* postponed by a CA rate limit */
    ACME_NOTE_FAILED,
    ACME_NOTE_DRY_RUN,                  /* a step of a dry run, at a position
                                           of one; so are all that follow */
    ACME_NOTE_DRY_RUN_PASSED,
    ACME_NOTE_DRY_RUN_FAILED,
    ACME_NOTES
} acme_note_e;

typedef struct {
    acme_target_t about;
    apr_uint32_t note;                  /* acme_note_e */
    apr_time_t next_at;                 /* with FAILED and LIMIT */
    apr_uint32_t retry;                 /* acme_retry_e, with FAILED */
    apr_uint32_t want;                  /* with FAILED: acme_want_e that
                                           failed; an order up to RENEWAL */
    apr_uint32_t name;                  /* with FAILED: the name to blame, its
                                           position; ACME_NO_NAME: none */
    apr_uint32_t challenge;             /* acme_challenge_e that failed on it;
                                           ACME_CHALLENGES: none did */
    apr_uint32_t why;                   /* acme_reason_e, with FAILED, LIMIT
                                           and DRY_RUN_FAILED */
    char problem[ACME_PROBLEM_SIZE];    /* with FAILED */
    char detail[ACME_DETAIL_SIZE];
    apr_uint32_t with;                  /* with ORDERED: ACME_WITH_... */
} acme_msg_note_t;

#define ACME_NO_NAME ((apr_uint32_t)-1)

/* The window that the CA suggests for the renewal of the live certificate, and
   whether it was revoked. (9773, 4.2) */
typedef struct {
    acme_target_t about;
    apr_uint32_t failures;              /* in a row */
    char cert_id[ACME_CERT_ID_SIZE];    /* of the certificate meant (4.1) */
    apr_time_t start;                   /* 0: no new window */
    apr_time_t end;
    apr_time_t pick;                    /* drawn by the sender, in the window */
    apr_time_t ask_at;
    apr_uint32_t revoked;               /* OCSP or a CRL says so */
    apr_uint32_t unused;
    char explanation[ACME_EXPLANATION_SIZE];
} acme_msg_window_t;

typedef enum {
    ACME_PUBLISH_PRESENT,
    ACME_PUBLISH_CLEANUP,
    ACME_PUBLISH_RESULT         /* once no command runs: is it published? */
} acme_publish_e;

/* What is published outside of this server: the TXT record of a dns-01
   challenge (AcmeDns), or the token of an http-01 challenge (AcmeHttp). The
   keeper computes the value. (8555, 8.3 and 8.4) */
typedef struct {
    acme_target_t about;
    apr_uint32_t action;                /* acme_publish_e */
    apr_uint32_t challenge;             /* ACME_DNS_01, ACME_HTTP_01 */
    apr_uint32_t name;                  /* position in the names; ACME_NO_NAME
                                           with CLEANUP: all tokens of http-01
                                           of the certificate */
    apr_uint32_t remaining;             /* how many of the batch follow */
    char token[ACME_TEXT_ROOM(ACME_TOKEN_MAX)];
    char record[ACME_TEXT_ROOM(ACME_NAME_MAX)];     /* dns-01: target of a
                                           CNAME; "": none */
} acme_msg_publish_t;

typedef enum {
    ACME_VALIDATE_JOIN,         /* challenges are to be answered now, or are */
    ACME_VALIDATE_DONE,         /* all names are validated */
    ACME_VALIDATE_FAILED        /* they will not be */
} acme_validate_e;

/* An order before its challenges, and when they are over: AcmeHook pre, post. */
typedef struct {
    acme_target_t about;
    apr_uint32_t step;                  /* acme_validate_e */
} acme_msg_validate_t;

#define ACME_NOT_MEASURED ((apr_uint32_t)-1)

/* How long the CA took: of each acme_pace_e a measurement, and with which look
   at the order it was made. */
typedef struct {
    acme_target_t about;
    apr_uint32_t values[ACME_PACES];    /* ACME_NOT_MEASURED: none */
    apr_uint32_t looks[ACME_PACES];
} acme_msg_pace_t;

/* The format of the records of dns-persist-01 at the CA. */
typedef struct {
    acme_target_t about;
    apr_uint32_t draft;                 /* 1 or 2 */
    char issuer[ACME_TEXT_ROOM(ACME_NAME_MAX)]; /* begins the record's value */
    char prefix[ACME_TEXT_ROOM(ACME_HASH_PREFIX_MAX)];  /* accountHashPrefix,
                                           or "" */
} acme_msg_persist_t;

typedef struct {
    acme_target_t about;
    apr_uint32_t unused;
    apr_time_t until;                   /* end of the records; 0: never */
} acme_msg_txt_t;

typedef enum { ACME_KEY_PROMOTE, ACME_KEY_DROP } acme_key_end_e;

/*
 * What the CA itself says of its directory and our account. In the tail, one a
 * line, the hosts (acme_url_host()) of the directory's URLs.
 */
typedef struct {
    acme_target_t about;
    apr_uint32_t look_up;               /* acme_look_up_e: ended with this;
                                           0: the hosts alone */
    apr_uint32_t has_failed;            /* why is in detail */
    apr_uint32_t unused;
    char detail[ACME_DETAIL_SIZE];
} acme_msg_looked_t;

#define ACME_CHECK_SERIALS 4            /* other certificates, at most */

/* What the witness found that httpd serves. */
typedef struct {
    acme_target_t about;
    apr_uint32_t check;                 /* acme_check_e */
    apr_uint32_t has_placeholder;       /* visitors get it somewhere */
    char live[ACME_SERIAL_SIZE];        /* of what it compared with */
    char others[ACME_CHECK_SERIALS * ACME_SERIAL_SIZE]; /* serials of what
                                           came instead, a space between two */
    char places[ACME_CHECK_PLACES_SIZE];
    char detail[ACME_CHECK_DETAIL_SIZE];
} acme_msg_served_t;

/* A rehearsal that begins, and what the keeper knows of an account: what
   records of CAA and dns-persist-01 are compared with. "" and 0: it is not
   known. */
typedef struct {
    acme_target_t about;
    apr_uint32_t draft;                 /* of dns-persist-01: 1 or 2 */
    apr_time_t rehearse_at;             /* when it was asked for, to which
                                           REHEARSED is the answer; 0: none is
                                           made */
    apr_uint32_t is_full;               /* the administrator asked for it */
    apr_uint32_t unused;
    char account_url[ACME_URL_SIZE];
    char thumbprint[48];
    char issuer[ACME_TEXT_ROOM(ACME_NAME_MAX)];
    char prefix[ACME_TEXT_ROOM(ACME_HASH_PREFIX_MAX)];
} acme_msg_rehearsal_t;

typedef struct {
    acme_target_t about;
    apr_uint32_t unused;
    apr_time_t rehearse_at;             /* of the reply to REHEARSAL */
} acme_msg_rehearsed_t;

/* The last rehearsal; in the tail its findings, if they are still kept. */
typedef struct {
    apr_uint32_t is_pending;            /* another one is asked for */
    apr_uint32_t level;                 /* acme_rehearsal_e */
    apr_time_t when;
} acme_msg_findings_t;

/* How a key change ended: the CA has the next key, or still the old one. */
typedef struct {
    acme_target_t about;
    apr_uint32_t end;                   /* acme_key_end_e */
} acme_msg_key_t;

typedef struct {
    acme_target_t about;
    apr_uint32_t want;                  /* acme_want_e */
    apr_int32_t reason;                 /* of a revocation (5280, 5.3.1); -1:
                                           none */
} acme_msg_want_t;

/* What a worker needs to begin or resume an order. It contains no secret. */
typedef struct {
    char order_url[ACME_URL_SIZE];      /* "": none is under way */
    char account_url[ACME_URL_SIZE];    /* "": not known */
    char thumbprint[48];                /* of the account's key (8555, 8.1) */
    int issued;                         /* this part has its chain and waits
                                   for the other parts */
    int contacts_changed;               /* they must be sent to the CA */
    int has_next_key;                   /* a key change was begun */
    int deactivated;                    /* reported only for a revocation */
    acme_ca_pace_t pace;                /* of the CA */
} acme_msg_prepared_t;

typedef struct {
    apr_uint32_t certs;                 /* in the configuration */
    apr_int32_t pid;                    /* of the keeper */
} acme_msg_welcome_t;

typedef struct {
    apr_uint32_t is_open;               /* JOIN: pre has succeeded; else it is
                                           to be sent again soon */
} acme_msg_validating_t;

typedef acme_state_t acme_msg_state_t;

typedef struct {
    acme_state_t state;
    apr_uint32_t is_reload_held;        /* the next reload is postponed */
    apr_uint32_t challenges;            /* that can work here: 1 << type of
                                           acme_challenge_e */
    apr_uint32_t is_reloaded_by_hand;   /* AcmeActivate none */
    apr_uint32_t unused;                /* 0 */
} acme_msg_listed_t;

typedef struct {
    char unused;                        /* C has no empty struct */
} acme_msg_none_t;

#pragma GCC diagnostic pop

/*
 * The table. A row: kind, who may send it, the type of the body and the most
 * octets of the tail, the same of the reply. A reply that fails has an
 * acme_result_t as its body instead.
 *
 * A worker's word about the CA is believed as far as it can be checked: what
 * cannot be, the witness asks the CA and sends.
 *
 * HELLO     the first message on a channel: its token says what role the sender
 *           has
 * CHANGES   the state that changed first after a given change; ENOENT: none
 * PREPARE   make key and CSR, or find those of the unfinished order
 * SIGN      build and sign one of the requests of acme_sign_e
 * ACCOUNT   store the account's URL, as the CA sent it
 * KEY       store how a change of the account's key ended
 * TERMS     store the current URL of the CA's terms of service
 * ORDER     store the order's URL, to resume it from
 * PUBLISH   begin to publish or to remove the answer to a challenge; did it fail?
 * AWAIT     the reply comes when nothing is published or removed any more for
 *           the certificate; EAGAIN: it still is, ask again
 * VALIDATE  join the batch of validations that pre and post frame, or leave it
 * PACE      how long the CA took, for the waits of later orders
 * NOTE      a step of an order, for the journal, the log and the board
 * WINDOW    store the window that the CA suggests for the renewal
 * INSTALL   install the chain that the CA issued, with its URL; the new state
 * LIVE      a part of the live certificate: its URL at the CA, its chain
 * DONE      a request of the administrator is done; for which account or chain
 * PERSIST   store the format of the records of dns-persist-01 at the CA
 * LOOKED    store which hosts the CA has; the CA was asked as the state wanted
 * SERVED    store what httpd was found to serve of a live certificate
 * REHEARSAL a rehearsal of the validations begins: the account that it needs
 * REHEARSED what a rehearsal found: lines, see acme_rehearsal.h
 * LIST      state, and the reload's; in the tail id, URLs of CAs and names, a line each
 * ACCOUNTS  a line for each account, for people
 * TXT       the records of dns-persist-01 for the names, a line each
 * WANT      a request of the administrator, which renewal threads carry out
 * REHEARSE  rehearse the validations now
 * FINDINGS  what the last rehearsal found
 * COSTS     what an order now would use up of the limits of the CA, lines
 */
#define ACME_MESSAGES(X)                                                     \
    X(HELLO,   ACME_BY_BOTH,    hello, 0, welcome,  0)                       \
    X(CHANGES, ACME_BY_ALL,     after, 0, state,    0)                       \
    X(PREPARE, ACME_BY_BOTH,    cert,  0, prepared, ACME_NAMES_MAX)          \
    X(SIGN,    ACME_BY_BOTH,    sign,  0, none,     ACME_JWS_MAX)            \
    X(ACCOUNT, ACME_BY_BOTH,    url,   0, none,     0)                       \
    X(KEY,     ACME_BY_WITNESS, key,   0, none,     0)                       \
    X(TERMS,   ACME_BY_WITNESS, url,   0, none,     0)                       \
    X(ORDER,   ACME_BY_BOTH,    url,   0, none,     0)                       \
    X(PUBLISH, ACME_BY_BOTH,    publish, 0, none,   0)                       \
    X(AWAIT,   ACME_BY_BOTH,    cert,  0, none,     0)                       \
    X(VALIDATE, ACME_BY_WORKER, validate, 0, validating, 0)                  \
    X(PACE,    ACME_BY_WORKER,  pace,  0, none,     0)                       \
    X(NOTE,    ACME_BY_BOTH,    note,  0, none,     0)                       \
    X(WINDOW,  ACME_BY_WITNESS, window, 0, none,    0)                       \
    X(INSTALL, ACME_BY_BOTH,    url,   ACME_CHAIN_SIZE_MAX, state, 0)        \
    X(LIVE,    ACME_BY_BOTH,    cert,  0, url,      ACME_CHAIN_SIZE_MAX)     \
    X(DONE,    ACME_BY_WITNESS, want,  0, none,     0)                       \
    X(PERSIST, ACME_BY_WITNESS, persist, 0, none,   0)                       \
    X(LOOKED,  ACME_BY_WITNESS, looked, ACME_HOSTS_MAX, none, 0)             \
    X(SERVED,  ACME_BY_WITNESS, served, 0, none,    0)                       \
    X(REHEARSAL, ACME_BY_WITNESS, cert, 0, rehearsal, 0)                     \
    X(REHEARSED, ACME_BY_WITNESS, rehearsed, ACME_LIST_MAX, none, 0)         \
    X(LIST,    ACME_BY_CONTROL, cert,  0, listed,   ACME_LIST_MAX)           \
    X(ACCOUNTS, ACME_BY_CONTROL, none, 0, none,     ACME_LIST_MAX)           \
    X(TXT,     ACME_BY_CONTROL, txt,   0, none,     ACME_LIST_MAX)           \
    X(WANT,    ACME_BY_CONTROL, want,  0, none,     0)                       \
    X(REHEARSE, ACME_BY_CONTROL, cert, 0, none,     0)                       \
    X(FINDINGS, ACME_BY_CONTROL, cert, 0, findings, ACME_LIST_MAX)       \
    X(COSTS,   ACME_BY_CONTROL, cert,  0, none,     ACME_LIST_MAX)

#define ACME_MESSAGE_KIND(kind, who, req, req_tail, rep, rep_tail) \
    ACME_MSG_##kind,
typedef enum {
    ACME_MESSAGES(ACME_MESSAGE_KIND)
    ACME_MSG_KINDS
} acme_message_e;
#undef ACME_MESSAGE_KIND

/* A message; body and tail belong to the caller, or are in its pool. */
typedef struct {
    acme_message_e kind;
    apr_status_t status;        /* of a reply; 0 in a request */
    const void *body;
    const char *tail;           /* NULL: none */
    apr_size_t tail_len;
    int who;                    /* of a request that the keeper serves:
                                   ACME_BY_..., one bit; else 0 */
    apr_uint64_t channel;       /* of the same: on which it came; no other
                                   channel has the number */
} acme_message_t;

/* "SIGN"; never NULL. */
const char *acme_message_name(acme_message_e kind);

/* May this sender send it? who is one bit. */
int acme_message_allowed(acme_message_e kind, int who);

/* Make an end of a channel close-on-exec, with room for the largest message. */
void acme_message_set_room(int fd);

/* Send a request; waits until there is room for it. EPIPE: the channel is
   closed. */
apr_status_t acme_message_send_request(int fd, const acme_message_t *message,
                                       acme_result_t *res);

/*
 * Send a reply; with a status other than APR_SUCCESS its body is an
 * acme_result_t. Never waits (EAGAIN): the other side may not read it.
 */
apr_status_t acme_message_send_reply(int fd, const acme_message_t *message,
                                     acme_result_t *res);

/*
 * Receive a request, if there is one (else EAGAIN). Refused with APR_EINVAL:
 * another version, an unknown kind, a body that is not of exactly its size, a
 * text without an end in it, too long a tail, a descriptor passed with it
 * (which is not received). APR_EOF: the other process closed the channel. Body
 * and tail are in p, the tail with a NUL behind it; after a failure both are
 * NULL.
 */
apr_status_t acme_message_receive_request(acme_message_t *message, int fd,
                                          acme_result_t *res, apr_pool_t *p);

/* Wait for a reply; refused as a request is. */
apr_status_t acme_message_receive_reply(acme_message_t *message, int fd,
                                        acme_result_t *res, apr_pool_t *p);

/*
 * Close a channel whose other side may be hostile. False: a descriptor waits in
 * it, so that fd had to be left open, and is shut down only: closing it would
 * close that one as well, in this process, which takes as long as its sender
 * likes (SO_LINGER, a file system of its own). The end of a process does not
 * wait for sockets.
 */
int acme_message_close(int fd);

#endif
