/*
 * acme_launcher_request.h - what keeper and launcher send each other.
 *
 * A request is a request and then its texts, each with its NUL; the reply has
 * the descriptors. Both are forks of one program, so structs are sent as they
 * are.
 */
#ifndef ACME_LAUNCHER_REQUEST_H
#define ACME_LAUNCHER_REQUEST_H

#include <apr_time.h>

/* Octets of the texts of a request; arguments or variables in it. */
#define ACME_LAUNCHER_TEXTS_MAX (1024 * 1024)
#define ACME_LAUNCHER_WORDS_MAX 1024

typedef enum {
    ACME_LAUNCHER_RUN,
    ACME_LAUNCHER_RELOAD,
    ACME_LAUNCHER_CERT_READER,
    ACME_LAUNCHER_KEY_MAKER,
    ACME_LAUNCHER_EXPORT
} acme_launcher_request_e;

/* One that is not to run a command has zeros but for its kind and, for an
   export, its positions. */
typedef struct {
    acme_launcher_request_e kind;
    apr_uint32_t argc;
    apr_uint32_t envc;
    apr_uint32_t texts;         /* octets: cwd, arguments, variables */
    int own_env;                /* all of ours */
    int has_input;
    apr_interval_time_t alone;
    apr_uint32_t cert;          /* of an export: the certificate, and */
    apr_uint32_t index;         /* which of its copies */
} acme_launcher_request_t;

typedef enum {
    ACME_LAUNCHER_NOTHING,
    ACME_LAUNCHER_NOT_ALLOWED,
    ACME_LAUNCHER_TOO_MANY,
    ACME_LAUNCHER_TOO_MANY_KILLED,      /* that have not ended */
    ACME_LAUNCHER_NO_PIPES,
    ACME_LAUNCHER_NO_PROCESS
} acme_launcher_step_e;

typedef struct {
    acme_launcher_step_e failed;
    int error;                  /* errno; of those that were killed: how many */
} acme_launcher_reply_t;

/* The descriptors with a reply; a request for one has the first. */
enum {
    ACME_LAUNCHER_OUTPUT,
    ACME_LAUNCHER_CONTROL,
    ACME_LAUNCHER_INPUT,
    ACME_LAUNCHER_DESCRIPTORS
};

/* Octets on the control channel of a job, to the launcher. */
#define ACME_LAUNCHER_TERM 'T'          /* SIGTERM to its process group */
#define ACME_LAUNCHER_KILL 'K'          /* SIGKILL to it, and done with it */
#define ACME_LAUNCHER_DONE 'D'          /* it ended: what it left may go on */

#endif
