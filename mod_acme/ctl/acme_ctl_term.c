/*
 * acme_ctl_term.c - texts for the terminal of root.
 */
#include <string.h>
#include <unistd.h>

#include "acme_ctl_term.h"

#define WIDTH 78

static int is_plain(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e;
}

const char *acme_ctl_term_text(const char *text, apr_pool_t *p)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = (const unsigned char *)(text ? text : "");
    char *clean = apr_palloc(p, 4 * strlen((const char *)from) + 1);
    char *to = clean;

    for (; *from; from++) {
        if (is_plain(*from)) {
            *to++ = (char)*from;
            continue;
        }
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[*from >> 4];
        *to++ = digits[*from & 15];
    }
    *to = '\0';
    return clean;
}

static void put_octet(FILE *file, unsigned char c)
{
    if (is_plain(c)) {
        putc(c, file);
    }
    else {
        fprintf(file, "\\x%02x", c);
    }
}

void acme_ctl_term_put(FILE *file, const char *text)
{
    for (; text && *text; text++) {
        put_octet(file, (unsigned char)*text);
    }
}

void acme_ctl_term_put_lines(FILE *file, const char *text, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] == '\n') {
            putc('\n', file);
        }
        else {
            put_octet(file, (unsigned char)text[i]);
        }
    }
}

static void put_octets(FILE *file, const char *text, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        put_octet(file, (unsigned char)text[i]);
    }
}

void acme_ctl_term_put_wrapped(FILE *file, const char *text, int indent)
{
    int column = indent;

    while (*text) {
        const int len = (int)strcspn(text, " ");

        if (column > indent && column + 1 + len > WIDTH) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
        }
        else if (column > indent) {
            putc(' ', file);
            column++;
        }
        put_octets(file, text, (apr_size_t)len);
        column += len;
        text += len;
        text += strspn(text, " ");
    }
    putc('\n', file);
}

void acme_ctl_term_color(FILE *file, acme_ctl_term_color_e color,
                         const char *text, int is_coloured)
{
    static const char *const begins[] = { "", "\033[32m", "\033[33m",
                                          "\033[31m" };
    const int is_used = is_coloured && color != ACME_CTL_TERM_PLAIN;

    fputs(is_used ? begins[color] : "", file);
    acme_ctl_term_put(file, text);
    fputs(is_used ? "\033[0m" : "", file);
}

int acme_ctl_term_is_coloured(FILE *file, const char *when,
                              const char *no_color, const char *term)
{
    if (strcmp(when, "auto")) {
        return !strcmp(when, "always");
    }
    return isatty(fileno(file)) && !(no_color && *no_color) && term
        && strcmp(term, "dumb");
}
