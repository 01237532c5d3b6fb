/*
 * acme_state.h - the state of a certificate, as the keeper publishes it.
 *
 * Plain memory without pointers: it travels in messages and lies on the board.
 * It has no padding either, which the compiler checks: padding would carry
 * stale memory of the keeper, which runs as root, to the workers.
 */
#ifndef ACME_STATE_H
#define ACME_STATE_H

#include "acme_conf.h"

#define ACME_SERIAL_SIZE 48
#define ACME_ISSUER_SIZE 80
#define ACME_STATE_PARTS 4              /* two curves, and one size of RSA */
#define ACME_CERT_ID_SIZE 128           /* a longer one gets no window */
#define ACME_EXPLANATION_SIZE 256
#define ACME_CHECK_PLACES_SIZE 256
#define ACME_CHECK_DETAIL_SIZE 512
#define ACME_DRY_RUN_DETAIL_SIZE 512
#define ACME_LEFT_OUT_NAMES_SIZE 324    /* fills a row of 8 octets */
#define ACME_LEFT_OUT_DETAIL_SIZE 320

/* The requests of an administrator. */
typedef enum {
    ACME_WANT_NOTHING,
    ACME_WANT_RENEWAL,
    ACME_WANT_CHAIN,            /* the same leaf, its chain fetched anew */
    ACME_WANT_REVOCATION,       /* and a new certificate */
    ACME_WANT_DELETION,         /* revocation without a new certificate */
    ACME_WANT_UPDATE,           /* of the account: its contacts */
    ACME_WANT_ROLLOVER,         /* its key */
    ACME_WANT_DEACTIVATION,     /* of the account */
    ACME_WANT_DRY_RUN,          /* an order that is not finalized */
    ACME_WANTS
} acme_want_e;

/* What the keeper has the witness ask a CA. */
typedef enum {
    ACME_LOOK_UP_NOTHING,
    ACME_LOOK_UP_HOSTS,         /* its directory: the hosts of its URLs */
    ACME_LOOK_UP_ACCOUNT,       /* which key it has (8555, 7.3.5); it is told
                                   its contacts */
    ACME_LOOK_UP_RECORDS,       /* our account, and the form of the records of
                                   dns-persist-01 */
    ACME_LOOK_UPS
} acme_look_up_e;

/* What visitors get in the place of a certificate, as this load found it. */
typedef enum {
    ACME_INSTEAD_NOTHING,       /* itself, or the placeholder */
    ACME_INSTEAD_STAND_IN,      /* another one of the store */
    ACME_INSTEAD_FOREIGN        /* for some name what another virtual host or
                                   module has, or no TLS */
} acme_instead_e;

/* Why a new certificate waits for a reload, with AcmeActivate live. */
typedef enum {
    ACME_NOT_LIVE_NONE,         /* it does not, or AcmeActivate is another */
    ACME_NOT_LIVE_SYSTEM,       /* this system cannot do it, as httpd has said */
    ACME_NOT_LIVE_STAPLE,       /* must-staple: mod_ssl has the OCSP response of
                                   what it loaded, no other */
    ACME_NOT_LIVE_STAPLED,      /* SSLUseStapling: neither would it be stapled */
    ACME_NOT_LIVE_STANDS_IN,    /* another certificate of the configuration is
                                   served by it as well, */
    ACME_NOT_LIVE_LACKS,        /*   or it by another one, for names that it
                                   lacks */
    ACME_NOT_LIVE_FAILED,       /* visitors got another one after that */
    ACME_NOT_LIVE_REFUSED,      /* it was tried now: the log has the reason */
    ACME_NOT_LIVES
} acme_not_live_e;

/* What httpd itself was found to serve. (acme_self_check.h) */
typedef enum {
    ACME_CHECK_NONE,            /* nothing yet of what this load serves */
    ACME_CHECK_SERVED,          /* it, wherever visitors get it */
    ACME_CHECK_UNKNOWN,         /* somewhere nothing could be found out */
    ACME_CHECK_OTHER,           /* somewhere another certificate */
    ACME_CHECKS
} acme_check_e;

/* What a rehearsal of the validations found, from good to bad.
   (acme_rehearsal.h) */
typedef enum {
    ACME_REHEARSAL_NONE,        /* there was none */
    ACME_REHEARSAL_FINE,
    ACME_REHEARSAL_NOTE,        /* worth knowing, no fault */
    ACME_REHEARSAL_UNSEEN,      /* cannot be seen from this machine */
    ACME_REHEARSAL_FAULT,       /* a CA would fail here */
    ACME_REHEARSALS
} acme_rehearsal_e;

/* What came of the administrator's last dry run. */
typedef enum {
    ACME_DRY_RUN_NONE,          /* none was made, or it is forgotten */
    ACME_DRY_RUN_UNDER_WAY,     /* it is requested, or runs */
    ACME_DRY_RUN_PASSED,        /* all names were validated */
    ACME_DRY_RUN_FAILED,
    ACME_DRY_RUNS
} acme_dry_run_e;

#define ACME_NO_CA ((apr_uint32_t)-1)

#define ACME_HOOK_FAILURE_SIZE 320

/* The past events that the rate limits of a CA count. */
typedef enum {
    ACME_HISTORY_ORDERED, /* a newOrder request was accepted */
    ACME_HISTORY_ISSUED,  /* a certificate was issued for it */
    ACME_HISTORY_FAILED,  /* a name was not validated */
    ACME_HISTORY_KINDS
} acme_history_e;

#define ACME_HISTORY_MAX 8 /* the last ones of each */

/* The kind of an order, as rate limits see it. */
typedef enum {
    ACME_ORDER_FIRST,           /* for these names */
    ACME_ORDER_RENEWAL,         /* of exactly these names */
    ACME_ORDER_SUGGESTED,       /* the same, in the CA's own window (9773) */
    ACME_ORDER_KINDS
} acme_order_kind_e;

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

typedef struct {
    apr_time_t when;
    apr_uint32_t ca;            /* index in acme_conf_t.cas */
    apr_uint32_t kind;          /* acme_order_kind_e */
    apr_uint32_t others;        /* 1: for other names than are ordered now */
    apr_uint32_t name;          /* FAILED: position of the name */
} acme_history_t;

/* Commands of AcmeHook that failed, and are tried again. */
typedef struct {
    apr_uint32_t waiting;       /* how many; 0: none */
    apr_uint32_t failures;      /* in a row, of the one that is next */
    apr_time_t next_at;         /* when it is tried again */
    char failure[ACME_HOOK_FAILURE_SIZE];       /* its last one, a sentence */
} acme_hooks_failing_t;

/* The live certificate of one key type. */
typedef struct {
    apr_time_t not_before;      /* 0: not known */
    apr_time_t not_after;
    char issuer[ACME_ISSUER_SIZE];
} acme_state_part_t;

typedef struct {
    apr_uint32_t cert;          /* index in the configuration */
    int agreed;                 /* to the CA's terms of service */
    apr_uint64_t change;        /* counts up with each change of any state */

    apr_uint32_t cas;           /* length of the certificate's list of CAs */
    int served;                 /* archive that this load of httpd serves; 0:
                                   the placeholder; but see instead and
                                   activated */
    int live;                   /* archive that live/<id> points to; 0: none */
    int covers;                 /* it has all names, the key types and a CA
                                   that are configured */
    int activated;              /* served is what running workers were given,
                                   without a reload; */
    acme_not_live_e not_live;   /* or live waits for one because of this */
    acme_state_part_t parts[ACME_STATE_PARTS];  /* by position of its key type;
                                   those beyond are not shown */
    apr_time_t not_before;      /* of the live one, 0 when there is none */
    apr_time_t not_after;
    apr_time_t installed;       /* by our own clock */
    apr_uint32_t recent;        /* installations within the last day */
    int same_names;             /* it has exactly the names ordered now */
    acme_window_t renew;
    acme_window_t warn;
    char serial[ACME_SERIAL_SIZE];
    char issuer[ACME_ISSUER_SIZE];

    apr_uint32_t issued_by;     /* CA of the live one: index in the cert's
                                   list of CAs; ACME_NO_CA: none of them */
    int use_renewal_info;       /* AcmeRenewalInfo */
    char cert_id[ACME_CERT_ID_SIZE];    /* of the live one (9773, 4.1); "" */
    apr_time_t window_start;    /* suggested by the CA; 0: not known */
    apr_time_t window_end;
    apr_time_t pick;            /* drawn once a window; 0 with no window */
    apr_time_t ask_at;          /* for renewal information; 0: at once */
    apr_uint32_t ask_failures;  /* in a row, temporary ones */
    char explanation[ACME_EXPLANATION_SIZE];    /* the CA's URL, or "" */
    int revoked;                /* the CA revoked the live one */
    int deleted;                /* by the administrator: nothing is ordered */

    apr_uint32_t left_out;      /* names excluded because they keep failing */
    apr_time_t names_again_at;  /* next retry of one of them; 0: none */
    apr_uint32_t left_out_failures;     /* of the first one, in a row */
    acme_reason_e left_out_why; /* of the first one; NONE: not known */
    apr_uint32_t left_out_named;        /* how many of them are in: */
    char left_out_names[ACME_LEFT_OUT_NAMES_SIZE];      /* "a.org, b.org" */
    char left_out_detail[ACME_LEFT_OUT_DETAIL_SIZE];    /* last failure of the
                                   first one, a sentence; "": not known */

    acme_history_t past[ACME_HISTORY_KINDS]
                       [ACME_HISTORY_MAX];  /* oldest first */
    apr_uint32_t pasts[ACME_HISTORY_KINDS]; /* how many of each */
    apr_uint32_t rehearse_fully;        /* with rehearse_at: the administrator
                                   asked, and AcmeDns is tried as well */
    apr_uint32_t limit_ca;      /* at which CA, a position, */
    acme_reason_e limit_why;    /* which limit of the CA postpones the order */
    apr_time_t limit_until;     /* not ordered before; 0: no limit is known */
    char limit[ACME_DETAIL_SIZE];       /* a sentence about the limit */

    acme_want_e wanted;         /* pending request of the administrator */
    apr_uint32_t wanted_ca;     /* with the account's and a dry run: position
                                   of its CA in the list */
    int reason;                 /* of a revocation (5280, 5.3.1); -1: none */
    int ordering;               /* an order is under way since: */
    apr_time_t ordering_since;
    apr_uint32_t attempts;      /* failures in a row */
    acme_retry_e retry;         /* of the last failure */
    apr_time_t next_at;         /* not before this, after a failure */
    acme_reason_e why;          /* the reason of the last failure */
    acme_look_up_e look_up;     /* what the witness is to ask, and */
    apr_uint32_t look_up_ca;    /* the position of the CA */
    acme_instead_e instead;     /* what visitors get in its place */
    acme_check_e check;         /* the self check's result, */
    apr_uint32_t check_tries;   /* how often in a row it was not SERVED, */
    apr_time_t checked;         /* its time, */
    apr_time_t check_at;        /* and that of the next one; 0: there is
                                   nothing to check */
    apr_time_t check_reload_at; /* httpd was reloaded because of it; 0: not, */
    apr_time_t check_reloaded;  /* and for the certificate that is live */
    char check_places[ACME_CHECK_PLACES_SIZE];  /* "*:443=yes [::1]:444=no" */
    char check_detail[ACME_CHECK_DETAIL_SIZE];  /* what was found; "": all is
                                   as it should be */
    acme_rehearsal_e rehearsal; /* what the last rehearsal found, */
    acme_reason_e rehearsal_why;        /* the reason of a FAULT, */
    apr_time_t rehearsed;       /* its time; 0: there was none */
    apr_time_t rehearse_at;     /* the next one is asked for; 0: none is */
    char rehearsal_detail[ACME_CHECK_DETAIL_SIZE];      /* the worst finding,
                                   of UNSEEN and FAULT; "" */
    acme_dry_run_e dry_run;     /* the last one, and */
    acme_reason_e dry_run_why;  /* the reason why it failed */
    apr_time_t dry_run_at;      /* when it was requested or, when it is over,
                                   ended */
    char dry_run_detail[ACME_DRY_RUN_DETAIL_SIZE];      /* its result, or its
                                   step; "" before the first */
    char problem[ACME_PROBLEM_SIZE];
    char detail[ACME_DETAIL_SIZE];
    acme_hooks_failing_t post;          /* commands of post, after its batch, */
    acme_hooks_failing_t deploy;        /* commands of deploy, and */
    acme_hooks_failing_t notify;        /* events that could not be told */
    apr_time_t next_key_made;   /* the youngest next key; 0: there is none */
    apr_time_t next_key_from;   /* when all may be used */
    char export_failure[ACME_DETAIL_SIZE];      /* a copy of AcmeExport could
                                   not be written: a sentence; "" */
} acme_state_t;

#pragma GCC diagnostic pop

/* Publish a state on the board, which is shown and never read back. */
typedef void acme_publish_cb(void *baton, const acme_state_t *state);

/* Called when the reason changes why a reload is postponed; "": it is not. */
typedef void acme_held_cb(void *baton, const char *reason);

/*
 * Is an order from the CA at this position a renewal of exactly the names of
 * the live certificate, which came from there?
 */
int acme_state_renews(const acme_state_t *state, apr_uint32_t ca,
                      apr_time_t now);

/* When the warn window of a certificate begins that expires at not_after. */
apr_time_t acme_state_warn_at(const acme_state_t *state,
                              apr_time_t not_after);

/* A name that is excluded because it keeps failing. */
typedef struct {
    const char *name;
    apr_uint32_t failures;      /* in a row */
    acme_reason_e why;          /* of the last one */
    const char *detail;         /* of the last one; NULL: not known */
    apr_time_t again_at;        /* its next retry */
} acme_left_out_t;

/* No name is excluded; then each one that is. As many are named as there is
   room for. */
void acme_state_clear_left_out(acme_state_t *state);
void acme_state_add_left_out(acme_state_t *state, const acme_left_out_t *name);

/* "it has must-staple": for people, a literal; "": there is no reason. */
const char *acme_state_not_live_text(acme_not_live_e not_live);

/* "", "under-way", "passed", "failed": for scripts; a literal. */
const char *acme_state_dry_run_word(acme_dry_run_e dry_run);

/*
 * One word for people and scripts, a literal: placeholder, stand-in, ordering,
 * valid, renewing, failed, expired, revoked, deleted, not-agreed.
 */
const char *acme_state_word(const acme_state_t *state, apr_time_t now);

/* The i-th of these words, the same literal; NULL: there are fewer. */
const char *acme_state_word_at(int i);

#endif
