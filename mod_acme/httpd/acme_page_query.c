/*
 * acme_page_query.c - what the page is asked for, and links that ask for more.
 */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_page_query.h"

#define PAIRS_MAX 32
#define NUMBER_MAX 1000000
#define REFRESH_MIN 5           /* seconds: each is a page to make */
#define REFRESH_MAX 86400

static int hex_value(char c)
{
    return apr_isdigit(c) ? c - '0'
        : apr_isxdigit(c) ? apr_tolower(c) - 'a' + 10 : -1;
}

/* The first len octets of text without escapes, in p. NULL: they are damaged,
   have a NUL in them, or are longer than a text may be. */
static const char *unescape(const char *text, apr_size_t len, apr_pool_t *p)
{
    char value[ACME_PAGE_QUERY_TEXT + 1];
    apr_size_t i, n = 0;

    for (i = 0; i < len; i++) {
        char c = text[i] == '+' ? ' ' : text[i];

        if (c == '%') {
            if (i + 2 >= len || hex_value(text[i + 1]) < 0
                || hex_value(text[i + 2]) < 0) {
                return NULL;
            }
            c = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        }
        if (!c || n == ACME_PAGE_QUERY_TEXT) {
            return NULL;
        }
        value[n++] = c;
    }
    return apr_pstrmemdup(p, value, n);
}

/* A number from min to max; what is no number is less. */
static int read_number(const char *text, int min, int max, int less)
{
    int n = 0;

    if (!*text) {
        return less;
    }
    for (; *text; text++) {
        if (!apr_isdigit(*text) || n > NUMBER_MAX) {
            return less;
        }
        n = n * 10 + (*text - '0');
    }
    return n < min ? min : n > max ? max : n;
}

static const char *trim(const char *text, apr_pool_t *p)
{
    apr_size_t len;

    text += strspn(text, " \t\r\n");
    for (len = strlen(text); len && strchr(" \t\r\n", text[len - 1]); len--) {
        continue;
    }
    return apr_pstrmemdup(p, text, len);
}

static int read_kind(const char *word)
{
    int kind = 0;

    while (kind < ACME_EXPLAIN_KINDS
           && strcmp(word, acme_explain_kind_word((acme_explain_kind_e)kind))) {
        kind++;
    }
    return kind;
}

static void read_pair(acme_page_query_t *query, const char *name,
                      const char *value, apr_pool_t *p)
{
    if (!strcmp(name, "id")) {
        query->id = value;
    }
    else if (!strcmp(name, "q")) {
        query->q = trim(value, p);
    }
    else if (!strcmp(name, "state")) {
        query->kind = read_kind(value);
    }
    else if (!strcmp(name, "page")) {
        query->page = read_number(value, 1, NUMBER_MAX, 1);
    }
    else if (!strcmp(name, "others")) {
        query->others = read_number(value, 1, NUMBER_MAX, 1);
    }
    else if (!strcmp(name, "refresh")) {
        query->refresh = !strcmp(value, "0")
            ? 0 : read_number(value, REFRESH_MIN, REFRESH_MAX, -1);
    }
}

acme_page_query_t acme_page_query_read(const char *args, apr_pool_t *p)
{
    acme_page_query_t query = { .id = NULL, .q = "",
                                .kind = ACME_EXPLAIN_KINDS, .page = 1,
                                .others = 1, .refresh = -1 };
    int i;

    for (i = 0; args && *args && i < PAIRS_MAX; i++) {
        const apr_size_t len = strcspn(args, "&");
        const char *equals = memchr(args, '=', len);
        const char *name = equals
            ? unescape(args, (apr_size_t)(equals - args), p) : NULL;
        const char *value = equals
            ? unescape(equals + 1, len - (apr_size_t)(equals + 1 - args), p)
            : NULL;

        if (name && value) {
            read_pair(&query, name, value, p);
        }
        args += len + (args[len] == '&');
    }
    return query;
}

static void put_name(acme_page_out_t *out, int *pn, const char *name)
{
    acme_page_out_format(out, "%s%s=", *pn ? "&amp;" : "", name);
    *pn = 1;
}

static void put_number(acme_page_out_t *out, int *pn, const char *name,
                       int value, int usual)
{
    if (value != usual) {
        put_name(out, pn, name);
        acme_page_out_format(out, "%d", value);
    }
}

void acme_page_query_link(acme_page_out_t *out, const acme_page_query_t *query)
{
    int n = 0;

    acme_page_out_html(out, "\"?");
    if (query->id) {
        put_name(out, &n, "id");
        acme_page_out_url(out, query->id);
    }
    if (query->q[0]) {
        put_name(out, &n, "q");
        acme_page_out_url(out, query->q);
    }
    if (query->kind < ACME_EXPLAIN_KINDS) {
        put_name(out, &n, "state");
        acme_page_out_html(
            out, acme_explain_kind_word((acme_explain_kind_e)query->kind));
    }
    put_number(out, &n, "page", query->page, 1);
    put_number(out, &n, "others", query->others, 1);
    put_number(out, &n, "refresh", query->refresh, -1);
    acme_page_out_html(out, "\"");
}
