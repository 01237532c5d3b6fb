/*
 * acme_commands.h - httpd's table of the directives, and their defaults: made
 * of the one table in acme_directives.h.
 */
#ifndef ACME_COMMANDS_H
#define ACME_COMMANDS_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec acme_commands[];

/*
 * httpd's: an acme_server_found_t with the configuration, for the server config
 * with the defaults. A virtual host's is empty, so that the merge sees what it
 * has of its own.
 */
void *acme_commands_conf_create(apr_pool_t *p, server_rec *s);

#endif
