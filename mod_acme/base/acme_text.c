/*
 * acme_text.c - texts that a stranger sent, made printable.
 *
 * Letters and digits are those of ASCII: nothing here asks the locale, which
 * another module of httpd may have set.
 */
#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "acme_text.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
              "0123456789"

#define ESCAPE_MAX 4            /* octets: "\x0a" */

/* Write c as it is shown into buf; returns its length, 1 to ESCAPE_MAX. */
static apr_size_t escape(char *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    buf[0] = '\\';
    if (c == '\\') {
        buf[1] = '\\';
        return 2;
    }
    if (c < 0x20 || c > 0x7e) {
        buf[1] = 'x';
        buf[2] = hex[c >> 4];
        buf[3] = hex[c & 15];
        return ESCAPE_MAX;
    }
    buf[0] = (char)c;
    return 1;
}

const char *acme_text_clean(const char *text, apr_size_t max, apr_pool_t *p)
{
    apr_size_t most = text ? strlen(text) * ESCAPE_MAX : 0;
    char *out = apr_palloc(p, (most < max ? most : max) + 1);
    apr_size_t keep = 0;        /* octets that leave room for "..." */
    apr_size_t len = 0, n;
    char buf[ESCAPE_MAX];

    for (; text && *text; text++) {
        n = escape(buf, (unsigned char)*text);
        if (n > max - len) {
            apr_cpystrn(out + keep, "...", max - keep + 1);
            return out;
        }
        memcpy(out + len, buf, n);
        len += n;
        if (max - len >= 3) {
            keep = len;
        }
    }
    out[len] = '\0';
    return out;
}

char *acme_text_lower(const char *text, apr_size_t len, apr_pool_t *p)
{
    char *lower = apr_pstrmemdup(p, text, len);
    char *c;

    for (c = lower; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c - 'A' + 'a');
        }
    }
    return lower;
}

int acme_text_is_base64url(const char *text, apr_size_t max)
{
    apr_size_t len = text ? strspn(text, ALNUM "-_") : 0;

    return len > 0 && len <= max && text[len] == '\0';
}

const char *acme_text_base64url(const void *data, apr_size_t len,
                                apr_pool_t *p)
{
    return apr_pencode_base64_binary(p, data, (apr_ssize_t)len,
                                     APR_ENCODE_BASE64URL, NULL);
}
