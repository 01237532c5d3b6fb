/*
 * acme_url.c - which URLs of a stranger are used.
 *
 * Letters and digits are those of ASCII: nothing here asks the locale, which
 * another module of httpd may have set.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_text.h"
#include "acme_url.h"

#define DIGITS "0123456789"
#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS

/* All of 3986, 2 but '#', which is refused with a sentence of its own. */
#define URL_CHARS ALNUM "-._~" ":/?[]@" "!$&'()*+,;=" "%"
#define URL_SCHEME "https://"
#define URL_SCHEME_PLAIN "http://"
#define PORT ":443"
#define URL_SHOWN 300           /* octets of a refused URL */

typedef enum { HTTPS_ONLY, HTTP_OR_HTTPS } schemes_e;

/* Where the host at text ends, or NULL when there is none. */
static const char *skip_host(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char octets[16];
    apr_size_t len;

    if (*text != '[') {
        return strspn(text, ALNUM) ? text + strspn(text, ALNUM "-._") : NULL;
    }
    text++;
    len = strcspn(text, "]");
    if (len >= sizeof(address) || text[len] == '\0') {
        return NULL;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, octets) == 1 ? text + len + 1 : NULL;
}

/* Where the port at text ends, which may be missing; or NULL when it is bad. */
static const char *skip_port(const char *text)
{
    apr_size_t len;
    int port;

    if (*text != ':') {
        return text;
    }
    text++;
    len = strspn(text, DIGITS);
    port = len <= 5 ? atoi(text) : 0;
    return port >= 1 && port <= 65535 ? text + len : NULL;
}

/* Why a URL is refused, or NULL. */
static const char *url_fault(const char *url, schemes_e schemes)
{
    const char *host, *end;

    if (strlen(url) > ACME_URL_MAX) {
        return "it is too long";
    }
    if (!strncasecmp(url, URL_SCHEME, strlen(URL_SCHEME))) {
        host = url + strlen(URL_SCHEME);
    }
    else if (schemes == HTTPS_ONLY) {
        return "it does not begin with https://";
    }
    else if (!strncasecmp(url, URL_SCHEME_PLAIN, strlen(URL_SCHEME_PLAIN))) {
        host = url + strlen(URL_SCHEME_PLAIN);
    }
    else {
        return "it does not begin with http:// or https://";
    }
    if (memchr(host, '@', strcspn(host, "/?#"))) {
        return "it has a user name";
    }
    if (strchr(url, '#')) {
        return "it has a fragment";
    }
    if (url[strspn(url, URL_CHARS)] != '\0') {
        return "it contains a character that is not allowed in a URL";
    }

    end = skip_host(host);
    if (!end) {
        return "it has no host";
    }
    end = skip_port(end);
    if (!end || !strchr("/?", *end)) {
        return "the host is followed by something other than a port";
    }
    return NULL;
}

static apr_status_t check_url(const char *url, schemes_e schemes,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *fault = url_fault(url, schemes);
    const char *at;

    if (!fault) {
        return APR_SUCCESS;
    }
    /* The part before an @ may be a password. */
    at = strrchr(url, '@');
    return acme_fail(res, APR_EINVAL, "%s: this URL is refused: %s",
                     acme_text_clean(at ? at : url, URL_SHOWN, p), fault);
}

apr_status_t acme_url_check(const char *url, acme_result_t *res,
                            apr_pool_t *p)
{
    return check_url(url, HTTPS_ONLY, res, p);
}

apr_status_t acme_url_check_plain(const char *url, acme_result_t *res,
                                  apr_pool_t *p)
{
    return check_url(url, HTTP_OR_HTTPS, res, p);
}

const char *acme_url_redirect(const char *from, const char *location,
                              apr_pool_t *p)
{
    const char *host = from + sizeof(URL_SCHEME) - 1;
    const char *to = NULL;

    if (location[0] == '/' && location[1] != '/') {
        to = apr_pstrcat(p, apr_pstrmemdup(p, from, sizeof(URL_SCHEME) - 1
                                                    + strcspn(host, "/?")),
                         location, NULL);
    }
    else if (location[0] != '/' && strstr(location, "://")) {
        to = location;
    }
    return to && strcmp(to, from) ? to : NULL;
}

const char *acme_url_host(const char *url, apr_pool_t *p)
{
    const char *host = url + sizeof(URL_SCHEME) - 1;
    apr_size_t len = strcspn(host, "/?");

    if (len > sizeof(PORT) - 1
        && !strncmp(host + len - (sizeof(PORT) - 1), PORT, sizeof(PORT) - 1)) {
        len -= sizeof(PORT) - 1;
    }
    return acme_text_lower(host, len, p);
}
