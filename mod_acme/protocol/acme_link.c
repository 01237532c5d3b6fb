/*
 * acme_link.c - the Link header field, read one piece after the other.
 *
 * Each piece is taken off the front of the text; a piece that does not begin
 * as it must ends the reading.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "acme_link.h"
#include "acme_name.h"
#include "acme_url.h"

#define SPACE " \t"
/* Characters that end a token (9110, 5.6.2). */
#define DELIMITERS SPACE "\"(),/:;<=>?@[\\]{}"

/* One link of a value; NULL: the link does not have this part. */
typedef struct {
    const char *target;
    const char *rel;            /* relation types, with spaces between */
    int has_anchor;
} link_t;

static const char *skip_space(const char *text)
{
    return text + strspn(text, SPACE);
}

/* The closing quote; text is behind the first. NULL: there is none. */
static const char *find_quote(const char *text)
{
    for (; *text != '"'; text++) {
        if (*text == '\\') {
            text++;
        }
        if (*text == '\0') {
            return NULL;
        }
    }
    return text;
}

/* The quoted string that begins at *ptext; NULL: it is not closed. */
static const char *parse_quoted(const char **ptext, apr_pool_t *p)
{
    const char *text = *ptext + 1, *end = find_quote(text);
    char *out, *to;

    if (!end) {
        return NULL;
    }
    /* As much as there is and not more: a header may be full of these. */
    to = out = apr_palloc(p, end - text + 1);
    for (; text < end; text++) {
        if (*text == '\\') {
            text++;
        }
        *to++ = *text;
    }
    *to = '\0';
    *ptext = end + 1;
    return out;
}

/* The token at *ptext; NULL: there is none. */
static const char *parse_token(const char **ptext, apr_pool_t *p)
{
    apr_size_t len = strcspn(*ptext, DELIMITERS);
    const char *token = len ? apr_pstrmemdup(p, *ptext, len) : NULL;

    *ptext += len;
    return token;
}

/* The value of a parameter; "": it has none; NULL: a syntax error. */
static const char *parse_value(const char **ptext, apr_pool_t *p)
{
    *ptext = skip_space(*ptext);
    if (**ptext != '=') {
        return "";
    }
    *ptext = skip_space(*ptext + 1);
    return **ptext == '"' ? parse_quoted(ptext, p) : parse_token(ptext, p);
}

/* "; rel=x; title="y"": of several rel the first one counts. (8288, 3.3) */
static int parse_link_parameters(link_t *link, const char **ptext,
                                 apr_pool_t *p)
{
    const char *name, *value;

    for (;;) {
        *ptext = skip_space(*ptext);
        if (**ptext != ';') {
            return 1;
        }
        *ptext = skip_space(*ptext + 1);
        name = parse_token(ptext, p);
        if (!name) {
            continue;           /* ";;" is allowed */
        }
        value = parse_value(ptext, p);
        if (!value) {
            return 0;
        }
        if (!apr_cstr_casecmp(name, "rel") && !link->rel) {
            link->rel = value;
        }
        if (!apr_cstr_casecmp(name, "anchor")) {
            link->has_anchor = 1;
        }
    }
}

/* The next link, which begins at *ptext; 0: there is none. */
static int parse_link(link_t *link, const char **ptext, apr_pool_t *p)
{
    apr_size_t len;

    memset(link, 0, sizeof(*link));
    *ptext += strspn(*ptext, SPACE ",");
    if (**ptext != '<') {
        return 0;
    }
    (*ptext)++;
    len = strcspn(*ptext, ">");
    if ((*ptext)[len] == '\0') {
        return 0;
    }
    link->target = apr_pstrmemdup(p, *ptext, len);
    *ptext += len + 1;
    return parse_link_parameters(link, ptext, p)
           && (**ptext == ',' || **ptext == '\0');
}

/* Is rel one of the relation types? */
static int has_rel(const char *types, const char *rel)
{
    apr_size_t len, wanted = strlen(rel);

    for (; types && *types; types += len) {
        types = skip_space(types);
        len = strcspn(types, SPACE);
        if (len == wanted && !apr_cstr_casecmpn(types, rel, len)) {
            return 1;
        }
    }
    return 0;
}

void acme_link_find(apr_array_header_t *urls, const char *value,
                    const char *rel, int max, apr_pool_t *p)
{
    acme_result_t ignored;
    link_t link;

    while (urls->nelts < max && parse_link(&link, &value, p)) {
        if (!link.has_anchor && has_rel(link.rel, rel)
            && acme_url_check(link.target, &ignored, p) == APR_SUCCESS
            && !acme_name_in(urls, link.target)) {
            APR_ARRAY_PUSH(urls, const char *) = link.target;
        }
    }
}
