/*
 * acme_import_words.h - another client's settings as words of a directive.
 */
#ifndef ACME_IMPORT_WORDS_H
#define ACME_IMPORT_WORDS_H

#include <apr_pools.h>
#include <apr_tables.h>

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

/*
 * Does a command line start, stop or reload a web server, by any program and
 * anywhere in it? mod_acme reloads httpd itself, and one that stops it ends the
 * renewals with it.
 */
int acme_import_words_is_about_server(const char *line);

/* The same of a line of a script that is not a comment; p is for scratch. */
int acme_import_words_is_script_about_server(const char *text, apr_pool_t *p);

/* The words of a command line that are paths (const char *), in p. */
apr_array_header_t *acme_import_words_paths(const char *line, apr_pool_t *p);

/*
 * The first file or folder that a command line names and that others than root,
 * or who runs this, can change, or whose place is not known; in p. NULL: none.
 */
const char *acme_import_words_foreign(const char *line, apr_pool_t *p);

#endif
