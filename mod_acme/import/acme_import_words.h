/*
 * acme_import_words.h - another client's settings as words of a directive.
 */
#ifndef ACME_IMPORT_WORDS_H
#define ACME_IMPORT_WORDS_H

#include <apr_pools.h>

/*
 * text as one word of httpd's configuration, quoted where that is needed, in
 * p. NULL: no directive can have it (control characters, "${").
 */
const char *acme_import_words_quote(const char *text, apr_pool_t *p);

/*
 * A command line of the shell as words of AcmeHook, in p: its program by its
 * path, or /bin/sh -c with all of it. NULL: it cannot be written.
 */
const char *acme_import_words_command(const char *line, apr_pool_t *p);

/* The same where a program alone is allowed (AcmeDns, AcmeHttp): NULL when the
   line has arguments, or is no program that can be run. */
const char *acme_import_words_program(const char *line, apr_pool_t *p);

/* A folder that is there, as one word; NULL: it is not. */
const char *acme_import_words_folder(const char *path, apr_pool_t *p);

/* Does it only reload or restart an httpd, which mod_acme does itself? */
int acme_import_words_is_reload(const char *line);

#endif
