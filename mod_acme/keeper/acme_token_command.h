/*
 * acme_token_command.h - the program that publishes or removes a token of
 * http-01: a command of the administrator's, which has all of it in its
 * environment, or ourselves, as a file below a folder (acme_webroot.h).
 */
#ifndef ACME_TOKEN_COMMAND_H
#define ACME_TOKEN_COMMAND_H

#include "acme_publish_job.h"

/* argv[0] of what the launcher does itself; no program has this name. */
#define ACME_TOKEN_COMMAND_WEBROOT "AcmeHttp webroot"

/* Is it a key authorization for this token, which can be a file's name? */
int acme_token_command_is_value(const char *token, const char *value);

/*
 * The command that publishes the token, and the one that removes it, const
 * char *, in p; NULL: none is configured. folders: how many the cleanup
 * removes, as of acme_webroot_cleanup(). what is checked by the caller.
 */
apr_array_header_t *acme_token_command_present(const acme_publish_job_t *what,
                                               apr_pool_t *p);
apr_array_header_t *acme_token_command_cleanup(const acme_publish_job_t *what,
                                               int folders, apr_pool_t *p);

/*
 * Is argv, NULL at its end, of http: what one of the two would make of some
 * token?
 */
int acme_token_command_is_of(const acme_token_conf_t *http,
                             const char *const *argv);

/*
 * Is argv the removal of a file that is a token's, whatever folder it is below?
 * A keeper removes what an earlier one wrote, whose configuration is gone.
 */
int acme_token_command_is_removal(const char *const *argv);

/* Of the output of a webroot's present: how many folders were made. */
int acme_token_command_made(const char *output);

/*
 * Do what argv with ACME_TOKEN_COMMAND_WEBROOT says, in a process of its own:
 * its exit status, and on standard error why it failed. A file of another
 * content needs no removal: that is told, but 0.
 */
int acme_token_command_run(const char *const *argv);

#endif
