/*
 * httpd_stubs.h - as much of httpd as directives, parsers and the
 * vhost watch call.
 *
 * Paths are relative to stubs_root as they are to the ServerRoot; what is
 * logged is kept; a directive is in the right place unless a test says not.
 */
#ifndef HTTPD_STUBS_H
#define HTTPD_STUBS_H

#include <httpd.h>
#include <http_config.h>

extern const char *stubs_root;
extern const char *stubs_context_fault;     /* NULL: the right place */
extern unsigned stubs_context_asked;        /* the last GLOBAL_ONLY, ... */
extern const char *stubs_protocol;      /* of each Listen of a virtual host */
extern char stubs_logged[8192];             /* lines "level: text" */

/* Forget what was logged, and be httpd with this ServerRoot. */
void stubs_reset(const char *root);

/* A server as httpd makes it, with room for the module's configuration. */
server_rec *stubs_server(const char *name, apr_pool_t *p);

/* A directive's context, of this server. */
cmd_parms *stubs_cmd(server_rec *s, apr_pool_t *p);

/* The row of httpd's table, or NULL. */
const command_rec *stubs_command(const char *name);

/* httpd reads a line: what is wrong with it, or NULL. */
const char *stubs_directive(server_rec *s, const char *name,
                            const char *arguments, apr_pool_t *p);

#endif
