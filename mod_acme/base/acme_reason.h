/*
 * acme_reason.h - the reasons why a certificate waits or fails.
 *
 * One table: a code that programs compare and that never changes, and for the
 * administrator what happened, whose fault it is, and what to do. The detail of
 * an acme_result_t has the particulars; the reason is its kind.
 */
#ifndef ACME_REASON_H
#define ACME_REASON_H

/* In messages and in memory; on disk and for people it is the code. */
typedef enum {
    ACME_REASON_NONE,           /* nothing waits or fails */
    ACME_REASON_OTHER,          /* none of the following fits */

    ACME_REASON_DNS_NXDOMAIN,
    ACME_REASON_DNS_FAILED,
    ACME_REASON_DNS_PROPAGATION,
    ACME_REASON_DNS_UPDATE_FAILED,
    ACME_REASON_DNS_PERSIST_MISSING,
    ACME_REASON_CAA_FORBIDDEN,
    ACME_REASON_PORT_80_UNREACHABLE,
    ACME_REASON_PORT_443_UNREACHABLE,
    ACME_REASON_SERVER_UNREACHABLE,
    ACME_REASON_CHALLENGE_FAILED,
    ACME_REASON_DNS_NO_ADDRESS,
    ACME_REASON_OTHER_SERVER,
    ACME_REASON_REDIRECT_FAILED,
    ACME_REASON_NO_CHALLENGE,
    ACME_REASON_NAMES_QUARANTINED,

    ACME_REASON_RATE_LIMITED,
    ACME_REASON_CA_PAUSED,
    ACME_REASON_CA_UNREACHABLE,
    ACME_REASON_CA_UNTRUSTED,
    ACME_REASON_CA_ERROR,
    ACME_REASON_CA_SLOW,
    ACME_REASON_CA_ANSWER,
    ACME_REASON_REQUEST_REFUSED,
    ACME_REASON_ORDER_INVALID,
    ACME_REASON_REJECTED_NAME,
    ACME_REASON_PROFILE_REFUSED,
    ACME_REASON_KEY_REFUSED,

    ACME_REASON_TERMS_NOT_AGREED,
    ACME_REASON_CA_ACTION_REQUIRED,
    ACME_REASON_EAB_REQUIRED,
    ACME_REASON_CONTACT_REFUSED,
    ACME_REASON_ACCOUNT_UNKNOWN,
    ACME_REASON_ACCOUNT_DEACTIVATED,

    ACME_REASON_CHAIN_REFUSED,
    ACME_REASON_INSTALL_LIMITED,
    ACME_REASON_KEY_TOO_WEAK,
    ACME_REASON_STORE_UNWRITABLE,
    ACME_REASON_HOOK_FAILED,
    ACME_REASON_WEBROOT_FAILED,
    ACME_REASON_RELOAD_HELD,
    ACME_REASON_EXPORT_FAILED,
    ACME_REASON_NOT_SERVED,
    ACME_REASON_DELETED,
    ACME_REASONS
} acme_reason_e;

/* Whose fault a failure is: who can remedy it. */
typedef enum {
    ACME_FAULT_NONE,
    ACME_FAULT_ADMINISTRATOR,   /* of this httpd: its configuration */
    ACME_FAULT_DNS,             /* the zone of a name */
    ACME_FAULT_NETWORK,         /* between this server and the CA */
    ACME_FAULT_CA,
    ACME_FAULT_SERVER           /* this machine */
} acme_reason_fault_e;

typedef struct {
    const char *code;           /* "dns-nxdomain"; "" of NONE */
    acme_reason_fault_e fault;
    const char *sentence;       /* what happened */
    const char *remedy;         /* what the administrator does about it */
} acme_reason_t;

/* The reason with a number that another process sent: OTHER if none has it. */
acme_reason_e acme_reason_bound(unsigned long number);

/*
 * The entry of a reason, which lives as long as the process. Never NULL: the
 * entry of OTHER for a reason that is not in the table.
 */
const acme_reason_t *acme_reason_about(acme_reason_e reason);

/* The reason with this code: NONE for "", OTHER if the table has none. */
acme_reason_e acme_reason_parse(const char *code);

/*
 * "administrator", "dns", "network", "ca", "server"; "" for NONE. fault must
 * be one of the enum. The word is constant.
 */
const char *acme_reason_fault_word(acme_reason_fault_e fault);

#endif
