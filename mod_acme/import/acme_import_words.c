/*
 * acme_import_words.c - another client's settings as words of a directive.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_import_file.h"
#include "acme_import_words.h"

/* In a command line these mean to the shell what they are. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
              "0123456789_./=:@,+- "

/* Between the words of a command line, for whom looks for paths in it. */
#define SEPARATORS " \t\r\n\"'\\`()<>|&;=,:"

#define LINE_MAX_OCTETS 4000    /* httpd's own limit of a line is 8190 */

const char *acme_import_words_quote(const char *text, apr_pool_t *p)
{
    const char *c;
    char *quoted, *to;
    int is_plain = *text != '\0';

    if (strlen(text) > LINE_MAX_OCTETS || strstr(text, "${")) {
        return NULL;
    }
    for (c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return NULL;
        }
        is_plain &= !strchr(" \"'\\<>#", *c);
    }
    if (is_plain) {
        return apr_pstrdup(p, text);
    }
    quoted = to = apr_palloc(p, 2 * strlen(text) + 3);
    *to++ = '"';
    for (c = text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            *to++ = '\\';
        }
        *to++ = *c;
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}

static int is_program(const char *path)
{
    struct stat st;

    return path[0] == '/' && !stat(path, &st) && S_ISREG(st.st_mode)
        && !access(path, X_OK);
}

/* As the shell of root finds it. NULL: it does not. */
static const char *find_program(const char *name, apr_pool_t *p)
{
    static const char *const folders[] = { "/usr/local/sbin/",
                                           "/usr/local/bin/", "/usr/sbin/",
                                           "/usr/bin/", "/sbin/", "/bin/" };
    const char *path;
    size_t i;

    if (strchr(name, '/')) {
        return is_program(name) ? name : NULL;
    }
    for (i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        path = apr_pstrcat(p, folders[i], name, NULL);
        if (is_program(path)) {
            return path;
        }
    }
    return NULL;
}

const char *acme_import_words_command(const char *line, apr_pool_t *p)
{
    const char *quoted = acme_import_words_quote(line, p);
    char *words = apr_pstrdup(p, line), *arguments;
    const char *program;

    if (!quoted || !line[strspn(line, " ")]) {
        return NULL;
    }
    if (strspn(line, PLAIN) == strlen(line)) {
        words += strspn(words, " ");
        arguments = strchr(words, ' ');
        if (arguments) {
            *arguments++ = '\0';
        }
        program = find_program(words, p);
        if (program) {
            return apr_pstrcat(p, program, arguments ? " " : NULL, arguments,
                               NULL);
        }
    }
    return is_program("/bin/sh") ? apr_pstrcat(p, "/bin/sh -c ", quoted, NULL)
                                 : NULL;
}

const char *acme_import_words_program(const char *line, apr_pool_t *p)
{
    const char *program = find_program(line, p);

    return program ? acme_import_words_quote(program, p) : NULL;
}

const char *acme_import_words_folder(const char *path, apr_pool_t *p)
{
    struct stat st;

    return path[0] == '/' && !stat(path, &st) && S_ISDIR(st.st_mode)
        ? acme_import_words_quote(path, p) : NULL;
}

/* Letters, digits, '-' and '_' make a word. */
static int has_word(const char *line, const char *word)
{
    const apr_size_t len = strlen(word);
    const char *found = line;

    while ((found = strstr(found, word)) != NULL) {
        if ((found == line || !apr_isalnum(found[-1]))
            && !apr_isalnum(found[len])) {
            return 1;
        }
        found += len;
    }
    return 0;
}

int acme_import_words_is_about_server(const char *line)
{
    static const char *const servers[] = { "apache", "httpd", "nginx" };
    static const char *const verbs[] = { "stop", "start", "restart", "reload",
                                         "graceful", "kill", "killall",
                                         "pkill" };
    size_t i, k;

    for (i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
        for (k = 0; k < sizeof(verbs) / sizeof(*verbs); k++) {
            if (strstr(line, servers[i]) && has_word(line, verbs[k])) {
                return 1;
            }
        }
    }
    return 0;
}

int acme_import_words_is_script_about_server(const char *text, apr_pool_t *p)
{
    char *line, *last, *copy = apr_pstrdup(p, text);

    for (line = apr_strtok(copy, "\r\n", &last); line;
         line = apr_strtok(NULL, "\r\n", &last)) {
        line += strspn(line, " \t");
        if (*line != '#' && acme_import_words_is_about_server(line)) {
            return 1;
        }
    }
    return 0;
}

apr_array_header_t *acme_import_words_paths(const char *line, apr_pool_t *p)
{
    apr_array_header_t *paths = apr_array_make(p, 2, sizeof(const char *));
    char *word, *last, *copy = apr_pstrdup(p, line);

    for (word = apr_strtok(copy, SEPARATORS, &last); word;
         word = apr_strtok(NULL, SEPARATORS, &last)) {
        if (strchr(word, '/')) {
            APR_ARRAY_PUSH(paths, const char *) = word;
        }
    }
    return paths;
}

const char *acme_import_words_foreign(const char *line, apr_pool_t *p)
{
    const apr_array_header_t *paths = acme_import_words_paths(line, p);
    const char *foreign = NULL;
    int i;

    for (i = 0; i < paths->nelts && !foreign; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);

        /* "~/x", "./x", "$HOME/x": whose that is depends. */
        foreign = *path == '/' && !strpbrk(path, "$*?[{")
            ? acme_import_file_foreign(path, p) : path;
    }
    return foreign;
}
