/*
 * acme_import_hook.c - another client's commands as AcmeHook.
 */
#include <string.h>

#include "acme_import_found.h"
#include "acme_import_hook.h"
#include "acme_import_words.h"

/* Who can change a script is looked at when its directive is written. */
static int is_script_about_server(const acme_import_file_tree_t *tree,
                                  const char *path, apr_pool_t *scratch)
{
    const acme_import_file_tree_t own = { .root = tree->root, .p = scratch };
    acme_result_t ignored;
    const char *text;

    return !acme_import_file_text(&text, &own, path, &ignored)
        && acme_import_words_is_script_about_server(text, scratch);
}

/* Does the command, or a script that it names, handle a web server? */
static int is_about_server(const acme_import_file_tree_t *tree,
                           const char *command)
{
    int i, is_about = acme_import_words_is_about_server(command);
    const apr_array_header_t *paths;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, tree->p);
    paths = acme_import_words_paths(command, scratch);
    for (i = 0; i < paths->nelts && !is_about; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);

        is_about = *path == '/'
            && is_script_about_server(tree, path, scratch);
    }
    apr_pool_destroy(scratch);
    return is_about;
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
