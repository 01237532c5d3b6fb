/*
 * acme_ctl_command.h - what each command of acmectl is given, and how it is
 * described.
 *
 * A command (verb) has a file acme_ctl_<verb>.c with its options and its
 * function acme_ctl_<verb>_run(), and a row in acme_ctl_verbs.c: the row and
 * the options are all that the command line, the usage and the help know. It
 * runs as root, so what it prints goes through acme_ctl_term.h.
 */
#ifndef ACME_CTL_COMMAND_H
#define ACME_CTL_COMMAND_H

#include "acme_ctl_keeper.h"

/* Exit codes. */
#define ACME_CTL_DONE 0
#define ACME_CTL_FAILED 1       /* or something that is shown is ill */
#define ACME_CTL_WRONG_CALL 2   /* invalid command line */

/* An option of a command; a list of them ends with a word that is NULL. */
typedef struct {
    const char *word;           /* "--until" */
    const char *value;          /* "TIME", for the usage; NULL: it has none */
    const char *text;           /* for help: what it does */
} acme_ctl_option_t;

#define ACME_CTL_OPTION_JSON { "--json", NULL, "print JSON" }
#define ACME_CTL_OPTIONS_END { NULL, NULL, NULL }
#define ACME_CTL_OPTIONS_MAX 16         /* of one command */

/* What a command's arguments are. */
typedef enum {
    ACME_CTL_IDS,               /* ids of certificates: certs are these, in
                                   this order; without any, all */
    ACME_CTL_WORDS              /* the command's own; certs are all */
} acme_ctl_arguments_e;

/* Whether a command needs the keeper, that is a running httpd. */
typedef enum {
    ACME_CTL_KEEPER_NEVER,      /* it is not connected; there are no certs */
    ACME_CTL_KEEPER_IF_RUNNING, /* else certs are read from the store */
    ACME_CTL_KEEPER_NEEDED
} acme_ctl_need_e;

#define ACME_CTL_MANY 1000000   /* arguments */

typedef struct acme_ctl_command_t acme_ctl_command_t;

/* A row of the table of commands. */
typedef struct {
    const char *word;           /* "status"; NULL: the end of the table */
    const char *usage;          /* its arguments: "[ID]", or "" */
    const char *text;           /* for help: what it does, some sentences */
    const acme_ctl_option_t *options;   /* NULL: none */
    int least;                  /* arguments, */
    int most;                   /*   at most ACME_CTL_MANY */
    acme_ctl_arguments_e arguments;
    acme_ctl_need_e need;
    int (*run)(acme_ctl_command_t *run);        /* returns the exit code */
    int (*fail)(const acme_ctl_command_t *run, const acme_result_t *res);
                                /* the same when certs could not be listed;
                                   NULL: acme_ctl_command_fail() */
} acme_ctl_verb_t;

/* The command line, the keeper, and the certificates that it is about. */
struct acme_ctl_command_t {
    const acme_ctl_verb_t *verbs;       /* the table */
    const acme_ctl_verb_t *verb;        /* the row of this command */
    const char *state_dir;
    apr_interval_time_t timeout;        /* for each answer of the keeper */
    const char *color;          /* "auto", "always", "never", and */
    int is_coloured;            /*   what follows for stdout */
    int is_help;                /* --help: only the help of verb, or of all
                                   (verb is NULL) */
    int nargs;
    const char *const *args;    /* strings of argv */
    const char *values[ACME_CTL_OPTIONS_MAX];   /* of verb->options; NULL: not
                                   given; see acme_ctl_command_option() */
    acme_ctl_keeper_t keeper;
    int is_connected;           /* to the keeper; else no httpd runs */
    apr_array_header_t *certs;  /* acme_ctl_cert_t; NULL: the command never
                                   needs the keeper */
    apr_time_t now;             /* when acmectl was started */
    apr_pool_t *p;
};

/*
 * Connect to the keeper as the command needs it, and fill certs: from the
 * keeper, or from the store if no httpd runs and the command can do with it,
 * which is said on stderr, but not with --nagios. APR_NOTFOUND: an id is not
 * known; else the failure of the keeper or of the store. Called before the
 * command is run.
 */
apr_status_t acme_ctl_command_load(acme_ctl_command_t *run,
                                   acme_result_t *res);

/* The value of an option of this command; "" if it was given and has none,
   NULL if it was not given. The last one counts. */
const char *acme_ctl_command_option(const acme_ctl_command_t *run,
                                    const char *word);

/* The certificate of a command that has exactly one id. */
const acme_ctl_cert_t *acme_ctl_command_cert(const acme_ctl_command_t *run);

/* Print the failure to stderr; returns ACME_CTL_FAILED. */
int acme_ctl_command_fail(const acme_result_t *res);

/* Print what is wrong with the call to stderr; returns ACME_CTL_WRONG_CALL. */
int acme_ctl_command_refuse(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Send the keeper a request of the administrator, and print that it has begun:
 * "<subject>: <begun>; see the error log, or acmectl status". Returns the exit
 * code.
 */
int acme_ctl_command_want(const acme_ctl_command_t *run,
                          const acme_msg_want_t *body, const char *subject,
                          const char *begun);

#endif
