/*
 * acme_token_command.c - the program that publishes or removes a token.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "acme_token_command.h"
#include "acme_text.h"
#include "acme_webroot.h"

#define PRESENT "present"
#define CLEANUP "cleanup"

/* The first line of a webroot's output, if there is a number to tell. */
#define MADE "folders made: "

#define THUMBPRINT_LEN 43 /* base64url of SHA-256 (7638) */

/* The words of a webroot's command; present has no folders. */
enum { PROGRAM, VERB, ROOT, TOKEN, VALUE, FOLDERS, WORDS };

int acme_token_command_is_value(const char *token, const char *value)
{
    apr_size_t len;

    if (!acme_text_is_base64url(token, ACME_WEBROOT_TOKEN_MAX) || !value) {
        return 0;
    }
    len = strlen(token);
    return !strncmp(value, token, len) && value[len] == '.'
           && acme_text_is_base64url(value + len + 1, THUMBPRINT_LEN)
           && strlen(value + len + 1) == THUMBPRINT_LEN;
}

static apr_array_header_t *webroot(const acme_publish_job_t *what,
                                   const char *verb, apr_pool_t *p)
{
    apr_array_header_t *argv = apr_array_make(p, WORDS, sizeof(const char *));

    APR_ARRAY_PUSH(argv, const char *) = ACME_TOKEN_COMMAND_WEBROOT;
    APR_ARRAY_PUSH(argv, const char *) = verb;
    APR_ARRAY_PUSH(argv, const char *) = what->http->root;
    APR_ARRAY_PUSH(argv, const char *) = what->token;
    APR_ARRAY_PUSH(argv, const char *) = what->value;
    return argv;
}

apr_array_header_t *acme_token_command_present(const acme_publish_job_t *what,
                                               apr_pool_t *p)
{
    return what->http->how == ACME_TOKEN_WEBROOT ? webroot(what, PRESENT, p)
                                                 : what->http->present;
}

apr_array_header_t *acme_token_command_cleanup(const acme_publish_job_t *what,
                                               int folders, apr_pool_t *p)
{
    apr_array_header_t *argv;

    if (what->http->how != ACME_TOKEN_WEBROOT) {
        return what->http->cleanup;
    }
    argv = webroot(what, CLEANUP, p);
    APR_ARRAY_PUSH(argv, const char *) = apr_itoa(p, folders);
    return argv;
}

/* Is it this command, without anything behind it? */
static int is_command(const apr_array_header_t *words, const char *const *argv)
{
    int i;

    for (i = 0; words && i < words->nelts; i++) {
        if (!argv[i]
            || strcmp(argv[i], APR_ARRAY_IDX(words, i, const char *)) != 0) {
            return 0;
        }
    }
    return words && !argv[i];
}

static int count(const char *const *argv)
{
    int n = 0;

    while (n <= WORDS && argv[n]) {
        n++;
    }
    return n;
}

static int is_presence(const char *const *argv)
{
    return count(argv) == FOLDERS
           && !strcmp(argv[PROGRAM], ACME_TOKEN_COMMAND_WEBROOT)
           && !strcmp(argv[VERB], PRESENT)
           && acme_token_command_is_value(argv[TOKEN], argv[VALUE]);
}

int acme_token_command_is_removal(const char *const *argv)
{
    return count(argv) == WORDS
           && !strcmp(argv[PROGRAM], ACME_TOKEN_COMMAND_WEBROOT)
           && !strcmp(argv[VERB], CLEANUP) && argv[ROOT][0] == '/'
           && acme_token_command_is_value(argv[TOKEN], argv[VALUE])
           && strchr("012", argv[FOLDERS][0]) && argv[FOLDERS][0]
           && !argv[FOLDERS][1];
}

int acme_token_command_is_of(const acme_token_conf_t *http,
                             const char *const *argv)
{
    if (http->how == ACME_TOKEN_WEBROOT) {
        return is_presence(argv) && !strcmp(argv[ROOT], http->root);
    }
    return is_command(http->present, argv) || is_command(http->cleanup, argv);
}

int acme_token_command_made(const char *output)
{
    return strncmp(output, MADE, sizeof(MADE) - 1)
               ? 0
               : output[sizeof(MADE) - 1] - '0';
}

int acme_token_command_run(const char *const *argv)
{
    acme_result_t res;
    apr_status_t rv;
    int made, is_done = 0;

    umask(022); /* another server reads the file */
    if (is_presence(argv)) {
        rv = acme_webroot_present(&made, argv[ROOT], argv[TOKEN], argv[VALUE],
                                  &res);
        if (made) {
            printf(MADE "%d\n", made);
            fflush(stdout);
        }
    }
    else if (acme_token_command_is_removal(argv)) {
        rv = acme_webroot_cleanup(argv[ROOT], argv[TOKEN], argv[VALUE],
                                  argv[FOLDERS][0] - '0', &res);
        is_done = rv == EEXIST; /* another's file, which stays */
    }
    else {
        return 2;
    }
    if (rv != APR_SUCCESS) {
        fprintf(stderr, "%s\n", res.detail);
        fflush(stderr);
    }
    return rv != APR_SUCCESS && !is_done;
}
