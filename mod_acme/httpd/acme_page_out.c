/*
 * acme_page_out.c - the HTML that a page is written into.
 */
#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_explain.h"
#include "acme_page_out.h"
#include "acme_time.h"

#define ROOM 16384              /* a page of an empty list */

struct acme_page_out_t {
    char *data;
    apr_size_t len, size;
    apr_pool_t *p;
};

acme_page_out_t *acme_page_out_make(apr_pool_t *p)
{
    acme_page_out_t *out = apr_palloc(p, sizeof(*out));

    *out = (acme_page_out_t) { .data = apr_palloc(p, ROOM), .size = ROOM,
                               .p = p };
    out->data[0] = '\0';
    return out;
}

const char *acme_page_out_data(const acme_page_out_t *out, apr_size_t *plen)
{
    *plen = out->len;
    return out->data;
}

static void put(acme_page_out_t *out, const char *octets, apr_size_t len)
{
    char *more;

    if (len >= out->size - out->len) {
        out->size = out->size * 2 + len;
        more = apr_palloc(out->p, out->size);
        memcpy(more, out->data, out->len);
        out->data = more;
    }
    memcpy(out->data + out->len, octets, len);
    out->len += len;
    out->data[out->len] = '\0';
}

void acme_page_out_html(acme_page_out_t *out, const char *html)
{
    put(out, html, strlen(html));
}

void acme_page_out_format(acme_page_out_t *out, const char *format, ...)
{
    char buf[512];
    va_list args;
    int n;

    va_start(args, format);
    n = apr_vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    put(out, buf, (apr_size_t)n);
}

/* How many octets at text are one character of UTF-8, which is *pchar; 0: they
   are none. (3629, 4) */
static int read_char(unsigned long *pchar, const unsigned char *text)
{
    static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const int n = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0
        : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
    unsigned long c = n == 1 ? text[0] : text[0] & (0xffu >> (n + 1));
    int i;

    for (i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;           /* also the text's end */
        }
        c = c << 6 | (text[i] & 0x3f);
    }
    *pchar = c;
    return n && c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff)
        ? n : 0;
}

/* Control characters, marks of direction, what has no width, private ones. */
static int is_unseen(unsigned long c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c
           || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
           || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff
           || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000;
}

void acme_page_out_text(acme_page_out_t *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)(text ? text : "");
    unsigned long c;
    int n;

    while (*at) {
        n = read_char(&c, at);
        if (!n || is_unseen(c)) {
            acme_page_out_format(out, "\\x%02x", *at);
            at++;
            continue;
        }
        switch (c) {
        case '&':
            acme_page_out_html(out, "&amp;");
            break;
        case '<':
            acme_page_out_html(out, "&lt;");
            break;
        case '>':
            acme_page_out_html(out, "&gt;");
            break;
        case '"':
            acme_page_out_html(out, "&quot;");
            break;
        case '\'':
            acme_page_out_html(out, "&#39;");
            break;
        default:
            put(out, (const char *)at, (apr_size_t)n);
        }
        at += n;
    }
}

void acme_page_out_url(acme_page_out_t *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text)) {
            put(out, text, 1);
        }
        else {
            acme_page_out_format(out, "%%%02X", (unsigned char)*text);
        }
    }
}

void acme_page_out_instant(acme_page_out_t *out, apr_time_t t)
{
    acme_page_out_html(out, "<time datetime=\"");
    acme_page_out_html(out, acme_time_rfc3339(t, out->p));
    acme_page_out_html(out, "\">");
    acme_page_out_html(out, acme_time_text(t, out->p));
    acme_page_out_html(out, "</time>");
}

void acme_page_out_time(acme_page_out_t *out, apr_time_t t, apr_time_t now)
{
    if (!t) {
        acme_page_out_html(out, "-");
        return;
    }
    acme_page_out_instant(out, t);
    acme_page_out_html(out, " <span class=\"rel\">");
    acme_page_out_html(out, acme_explain_distance(t, now, out->p));
    acme_page_out_html(out, "</span>");
}
