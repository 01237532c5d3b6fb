/*
 * acme_launcher_rules.h - which commands the launcher executes.
 *
 * Those of the configuration and no others, so that a keeper that was taken
 * over cannot choose a program, an option or a variable that a program trusts.
 */
#ifndef ACME_LAUNCHER_RULES_H
#define ACME_LAUNCHER_RULES_H

#include <sys/types.h>

#include <apr_tables.h>
#include <apr_time.h>

#include "acme_conf.h"
#include "acme_live_pairs.h"
#include "acme_server.h"

typedef struct {
    const acme_conf_t *conf;    /* NULL: any command, in tests only */
    const acme_server_t *server;        /* NULL: it has no httpd to signal */
    uid_t user;                 /* of the workers */
    acme_live_pairs_t *live;    /* what running workers were given, to read;
                                   NULL: nothing */
    void (*forget)(void *baton);        /* overwrite the secrets in the memory
                                   of this process; NULL: there are none */
    void *baton;
} acme_launcher_rules_t;

/* A copy of AcmeExport: positions in the configuration. */
typedef struct {
    apr_uint32_t cert;
    apr_uint32_t index;
} acme_launcher_export_t;

typedef struct {
    const acme_launcher_export_t *export;       /* write it, in a fork; argv is
                                   only for messages. NULL: execute argv */
    const char *const *argv;    /* NULL at its end; [0] is found on PATH */
    const char *cwd;
    const apr_array_header_t *env;      /* const char *: "NAME=value", beside
                                   PATH, LANG, LC_ALL; NULL: all of ours */
    int has_input;
    apr_interval_time_t alone;  /* how long it may run when the keeper has
                                   ended: then SIGALRM. 0: not at all */
} acme_launcher_command_t;

/*
 * May it be executed? An export if this load of the configuration has it. With
 * httpd's environment: the test of the configuration and the list of its files,
 * as httpd was started; in "/", where its folder cannot be entered. Else a
 * command of AcmeHook as it is, or of AcmeHttp, or of AcmeDns with what the
 * keeper adds to it, in "/", and with variables of acme_hook_event.h only. For
 * AcmeHttp webroot a token is written below a configured folder, and removed
 * below any, if it is one.
 */
int acme_launcher_rules_allow(const acme_launcher_rules_t *rules,
                              const acme_launcher_command_t *command,
                              apr_pool_t *p);

/* The umask that it runs with: what AcmeHttp publishes another server reads,
   and what else a command writes may be secret. */
mode_t acme_launcher_rules_umask(const acme_launcher_rules_t *rules,
                                 const acme_launcher_command_t *command);

#endif
