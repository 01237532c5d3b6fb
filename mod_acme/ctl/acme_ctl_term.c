/*
 * acme_ctl_term.c - texts for the terminal of root.
 */
#include <string.h>

#include "acme_ctl_term.h"

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
