/*
 * acme_import_words.c - another client's settings as words of a directive.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_import_words.h"

/* In a command line these mean to the shell what they are. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
              "0123456789_./=:@,+- "

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

int acme_import_words_is_reload(const char *line)
{
    static const char *const servers[] = { "apache", "httpd" };
    static const char *const verbs[] = { "reload", "restart", "graceful" };
    size_t i, k;

    if (strpbrk(line, "|;&\n")) {
        return 0;
    }
    for (i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
        for (k = 0; k < sizeof(verbs) / sizeof(*verbs); k++) {
            if (strstr(line, servers[i]) && strstr(line, verbs[k])) {
                return 1;
            }
        }
    }
    return 0;
}
