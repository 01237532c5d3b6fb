/*
 * acme_import_hook.h - another client's commands as AcmeHook.
 */
#ifndef ACME_IMPORT_HOOK_H
#define ACME_IMPORT_HOOK_H

#include "acme_import_file.h"

/*
 * Add what runs command, of the client's setting what, at this event of
 * AcmeHook: "pre", "post" or "deploy". Only a deploy command becomes a
 * directive in lines. A note has, with the reason:
 *
 * - those of pre and post, as a suggestion: another client stops the web
 *   server in them, to have its port, and this one would not come back;
 * - what starts, stops or reloads a web server, also in a script;
 * - what cannot be written.
 */
void acme_import_hook_add(apr_array_header_t *lines, apr_array_header_t *notes,
                          const acme_import_file_tree_t *tree,
                          const char *event, const char *command,
                          const char *what);

#endif
