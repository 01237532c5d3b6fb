/*
 * acme_import_hook.c - another client's commands as AcmeHook.
 */
#include <string.h>

#include "acme_import_found.h"
#include "acme_import_hook.h"
#include "acme_import_words.h"

/* Does the command, or a script that it names, handle a web server? */
static int is_about_server(const acme_import_file_tree_t *tree,
                           const char *command)
{
    const apr_array_header_t *paths = acme_import_words_paths(command,
                                                              tree->p);
    acme_result_t ignored;
    const char *text;
    int i;

    if (acme_import_words_is_about_server(command)) {
        return 1;
    }
    for (i = 0; i < paths->nelts; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);

        if (*path == '/'
            && !acme_import_file_text(&text, tree, path, &ignored)
            && acme_import_words_is_script_about_server(text, tree->p)) {
            return 1;
        }
    }
    return 0;
}

void acme_import_hook_add(apr_array_header_t *lines, apr_array_header_t *notes,
                          const acme_import_file_tree_t *tree,
                          const char *event, const char *command,
                          const char *what)
{
    const char *words;

    if (!command || !*command) {
        return;
    }
    if (is_about_server(tree, command)) {
        acme_import_found_add(notes,
                              "%s \"%s\" is left out: it starts, stops or reloads a web server; mod_acme reloads httpd itself, and needs no other program on port 80",
                              what, command);
        return;
    }
    words = acme_import_words_command(command, tree->p);
    if (!words) {
        acme_import_found_add(notes,
                              "%s \"%s\" cannot be written as a directive: put it into a script, and set AcmeHook %s",
                              what, command, event);
    }
    else if (strcmp(event, "deploy") != 0) {
        acme_import_found_add(notes,
                              "check first: AcmeHook %s %s (%s): mod_acme needs no free port, and a command that stops httpd here would end it for good",
                              event, words, what);
    }
    else {
        acme_import_found_add(lines, "AcmeHook %s %s", event, words);
    }
}
