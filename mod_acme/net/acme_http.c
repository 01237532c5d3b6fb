/*
 * acme_http.c - one easy handle, driven by a multi handle of its own.
 *
 * curl_easy_perform() cannot be left in the middle; a multi handle waits on
 * the stop's descriptor beside its own, and keeps the connections. All
 * options are set anew for each request, so that nothing of the last one
 * stays.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <curl/curl.h>

#include "acme_http.h"
#include "acme_retry_after.h"
#include "acme_text.h"
#include "acme_url.h"

#define CONNECT_TIMEOUT 30L             /* seconds */
#define TRANSFER_TIMEOUT 60
#define STALL_TIMEOUT 20
#define POLL_MS 1000                    /* curl and the stop wake us before */

#define HEADERS_MAX 200                 /* lines of one transfer */
#define HEADERS_SIZE_MAX (64 * 1024)    /* octets of all of them */
#define LINKS_MAX 32
#define REDIRECTS_MAX 3
#define SPARE_DESCRIPTORS 4
#define BODY_FIRST (8 * 1024)           /* octets: most replies fit */
#define SENTENCE_MAX 300                /* octets of libcurl's message */

struct acme_http_t {
    acme_http_conf_t conf;
    CURL *easy;
    CURLM *multi;
    unsigned int roots;         /* those that its connections were verified
                                   with; 0: none of conf.roots */
    char error[CURL_ERROR_SIZE];
};

/* A transfer under way, which the callbacks fill. */
typedef struct {
    acme_http_reply_t *reply;
    int headers;
    apr_size_t headers_size;
    apr_size_t body_max;
    int is_visit;               /* a longer body is cut */
    int is_cut;
    char *body;                 /* of malloc: it grows */
    apr_size_t body_size;
    const char *refused;        /* why we ended the transfer, or NULL */
    apr_pool_t *p;
} transfer_t;

/*
 * A transfer that ends early leaves its resolver's thread running
 * (set_limits), and exit() in a child of httpd unloads the modules: libcurl
 * must not be unloaded with ours under that thread.
 */
static void keep_libcurl_loaded(void)
{
#ifdef RTLD_NODELETE
    Dl_info info;

    if (dladdr((void *)curl_easy_init, &info)) {
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE);
    }
#endif
}

apr_status_t acme_http_init(acme_result_t *res)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (code != CURLE_OK) {
        return acme_fail(res, APR_EGENERAL, "libcurl: cannot start: %s",
                         curl_easy_strerror(code));
    }
    keep_libcurl_loaded();
    return APR_SUCCESS;
}

void acme_http_term(void)
{
    curl_global_cleanup();
}

int acme_http_system_roots(const char **pfile, const char **pfolder)
{
    *pfile = *pfolder = NULL;
#if LIBCURL_VERSION_NUM >= 0x074600
    {
        const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

        if (info->age >= CURLVERSION_SEVENTH) {
            *pfile = info->cainfo;
            *pfolder = info->capath;
        }
    }
#endif
    return *pfile != NULL;
}

const char *acme_http_tls_library(void)
{
    const char *text = curl_version_info(CURLVERSION_NOW)->ssl_version;

    return text ? text : "";
}

static apr_status_t free_http(void *data)
{
    acme_http_t *http = data;

    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    return APR_SUCCESS;
}

apr_status_t acme_http_create(acme_http_t **phttp,
                              const acme_http_conf_t *conf,
                              acme_result_t *res, apr_pool_t *p)
{
    acme_http_t *http = apr_pcalloc(p, sizeof(*http));

    *phttp = NULL;

    http->conf = *conf;
    http->easy = curl_easy_init();
    http->multi = curl_multi_init();
    apr_pool_cleanup_register(p, http, free_http, apr_pool_cleanup_null);
    if (!http->easy || !http->multi) {
        return acme_fail(res, APR_ENOMEM, "libcurl: out of memory");
    }

    *phttp = http;
    return APR_SUCCESS;
}

/* len octets without the white space around them; NULL unless printable. */
static const char *header_value(const char *text, apr_size_t len,
                                apr_pool_t *p)
{
    apr_size_t i;

    while (len && apr_isspace(*text)) {
        text++;
        len--;
    }
    while (len && apr_isspace(text[len - 1])) {
        len--;
    }
    for (i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return NULL;
        }
    }
    return apr_pstrmemdup(p, text, len);
}

static void keep_header(acme_http_reply_t *reply, const char *name,
                        const char *value, apr_pool_t *p)
{
    if (!apr_cstr_casecmp(name, "Content-Type")) {
        /* "text/html; charset=utf-8" is "text/html". */
        reply->content_type =
            value ? acme_text_lower(value, strcspn(value, "; "), p) : NULL;
    }
    else if (!apr_cstr_casecmp(name, "Location")) {
        reply->location = value;
    }
    else if (!apr_cstr_casecmp(name, "Server")) {
        reply->server = value;
    }
    else if (!apr_cstr_casecmp(name, "Replay-Nonce")) {
        reply->replay_nonce = value;
    }
    else if (!apr_cstr_casecmp(name, "Retry-After") && value) {
        reply->retry_after = acme_retry_after_parse(value, apr_time_now());
    }
    else if (!apr_cstr_casecmp(name, "Link") && value
             && reply->links->nelts < LINKS_MAX) {
        APR_ARRAY_PUSH(reply->links, const char *) = value;
    }
}

static void clear_reply(acme_http_reply_t *reply, apr_pool_t *p)
{
    memset(reply, 0, sizeof(*reply));
    reply->links = apr_array_make(p, 2, sizeof(const char *));
}

/* A header line, not NUL-terminated. */
static size_t on_header(char *line, size_t size, size_t n, void *baton)
{
    transfer_t *t = baton;
    apr_size_t len = size * n;
    const char *colon = memchr(line, ':', len);

    t->headers++;
    t->headers_size += len;
    if (t->headers > HEADERS_MAX || t->headers_size > HEADERS_SIZE_MAX) {
        t->refused = "more headers than a reply may have";
        return 0;
    }
    if (len > 5 && !memcmp(line, "HTTP/", 5)) {
        clear_reply(t->reply, t->p);    /* the headers before were a 1xx's */
    }
    else if (colon) {
        keep_header(t->reply, apr_pstrmemdup(t->p, line, colon - line),
                    header_value(colon + 1, line + len - colon - 1, t->p),
                    t->p);
    }
    return len;
}

/* Make room for len octets more and a NUL; 0 when there is no memory. */
static int grow_body(transfer_t *t, apr_size_t len)
{
    apr_size_t need = t->reply->body_len + len + 1;
    apr_size_t size = t->body_size ? t->body_size : BODY_FIRST;
    char *body;

    while (size < need) {
        size *= 2;
    }
    if (size == t->body_size) {
        return 1;
    }
    body = realloc(t->body, size);
    if (!body) {
        return 0;
    }
    t->body = body;
    t->body_size = size;
    return 1;
}

static const char *too_large(const transfer_t *t)
{
    return apr_psprintf(t->p, "more than %" APR_SIZE_T_FMT " octets",
                        t->body_max);
}

static size_t on_body(char *data, size_t size, size_t n, void *baton)
{
    transfer_t *t = baton;
    apr_size_t len = size * n;
    const apr_size_t room = t->body_max - t->reply->body_len;

    if (len > room && t->is_visit) {
        t->is_cut = 1;
        len = room;
    }
    if (len > room) {
        t->refused = too_large(t);
        return 0;
    }
    if (!grow_body(t, len)) {
        t->refused = "no room in memory";
        return 0;
    }
    memcpy(t->body + t->reply->body_len, data, len);
    t->reply->body_len += len;
    return t->is_cut ? 0 : len; /* 0 ends the transfer */
}

/* Each of these returns CURLE_OK, or something else if one option failed. */
static int set_limits(CURL *easy, const acme_http_conf_t *conf,
                      const acme_http_request_t *request, apr_size_t body_max)
{
    const long total = conf->total ? conf->total : TRANSFER_TIMEOUT;
    const long stall = conf->stall ? conf->stall : STALL_TIMEOUT;
    int bad = 0;

    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
    bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT, total);
    /* What a CA computes (8555, 7.4) may take it half a minute in silence. */
    bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                            request->method == ACME_HTTP_POST ? total : stall);
    bad |= curl_easy_setopt(easy, CURLOPT_MAXFILESIZE,
                            request->address ? 0L : (long)body_max);
    bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Do not wait for getaddrinfo(), which cannot be ended. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return bad;
}

/* The context of a new connection. */
static CURLcode use_roots(CURL *easy, void *ssl_ctx, void *baton)
{
    const acme_http_roots_t *roots = baton;

    (void)easy;
    return roots->use(roots->baton, ssl_ctx) ? CURLE_OK
                                             : CURLE_SSL_CACERT_BADFILE;
}

/*
 * The roots that are parsed, if there are any; true: they are set. libcurl gets
 * none, so that nobody is trusted if it should not call us.
 */
static int set_roots(CURL *easy, const acme_http_t *http)
{
    return http->roots
        && !curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, use_roots)
        && !curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA,
                             (void *)http->conf.roots)
        && !curl_easy_setopt(easy, CURLOPT_CAINFO, NULL)
        && !curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static int set_security(CURL *easy, const acme_http_t *http, int plain)
{
    const acme_http_conf_t *conf = &http->conf;
    int bad = 0;

#if LIBCURL_VERSION_NUM >= 0x075500
    bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                            plain ? "http,https" : "https");
#else
    bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                            (long)CURLPROTO_HTTPS
                            | (plain ? (long)CURLPROTO_HTTP : 0L));
#endif
    bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!set_roots(easy, http) && conf->ca_file) {
        bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, conf->ca_file);
        bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    /* Without these two, libcurl would take them from the environment. */
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY,
                            conf->proxy ? conf->proxy : "");
    bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    return bad;
}

static int set_request(CURL *easy, const acme_http_request_t *request)
{
    apr_size_t len = request->body_len;
    int bad = 0;

    bad |= curl_easy_setopt(easy, CURLOPT_URL, request->url);
    /* The URL that was signed is the one that is requested. (8555, 6.4) */
    bad |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    /* One request at a time gains nothing from HTTP/2. */
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1);
    switch (request->method) {
    case ACME_HTTP_HEAD:
        bad |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        break;
    case ACME_HTTP_POST:
        bad |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
        bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE,
                                (long)(len ? len : strlen(request->body)));
        bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        break;
    default:
        bad |= curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    return bad;
}

/*
 * No socket for another address than that of the visit: whatever libcurl makes
 * of the host of a URL that a stranger wrote, it comes nowhere else.
 */
static curl_socket_t open_visit(void *baton, curlsocktype purpose,
                                struct curl_sockaddr *to)
{
    const char *address = baton;
    unsigned char octets[16];
    const void *at = to->family == AF_INET6
        ? (const void *)&((struct sockaddr_in6 *)&to->addr)->sin6_addr
        : (const void *)&((struct sockaddr_in *)&to->addr)->sin_addr;
    const int family = strchr(address, ':') ? AF_INET6 : AF_INET;

    if (purpose != CURLSOCKTYPE_IPCXN || to->family != family
        || inet_pton(family, address, octets) != 1
        || memcmp(at, octets, family == AF_INET6 ? 16 : 4)) {
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/*
 * The address in the place of the DNS, and whoever is there is asked. An entry
 * of CURLOPT_RESOLVE would not do: it is found by the host as libcurl has it,
 * which makes 127.0.0.1 of 2130706433 and 0x7f.1.
 */
static int set_visit(struct curl_slist **pto, CURL *easy,
                     const acme_http_request_t *request, apr_pool_t *p)
{
    const char *address = request->address;
    int bad = 0;

    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_visit);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, (void *)address);
    *pto = curl_slist_append(NULL, apr_psprintf(
        p, strchr(address, ':') ? "::[%s]:" : "::%s:", address));
    return bad | (!*pto || curl_easy_setopt(easy, CURLOPT_CONNECT_TO, *pto));
}

/* Append line to *plist; 1 when there is no memory. */
static int add_header(struct curl_slist **plist, const char *line)
{
    struct curl_slist *list = curl_slist_append(*plist, line);

    if (!list) {
        return 1;
    }
    *plist = list;
    return 0;
}

/*
 * libcurl blames the file of roots when no descriptor is left for it. Its own
 * are closed by now, so several are tried.
 */
static int is_short_of_descriptors(void)
{
    int fds[SPARE_DESCRIPTORS], n = 0, is_short;

    while (n < SPARE_DESCRIPTORS
           && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        n++;
    }
    is_short = n < SPARE_DESCRIPTORS && (errno == EMFILE || errno == ENFILE);
    while (n > 0) {
        close(fds[--n]);
    }
    return is_short;
}

/* A remedy for a failure, for the administrator, or NULL. */
static const char *remedy_of(CURLcode code, const acme_http_t *http)
{
    const int is_proxy = http->conf.proxy && http->conf.proxy[0];
    long connect_status = 0;

    if (code == CURLE_SSL_CACERT_BADFILE && is_short_of_descriptors()) {
        return "this process has too many open files: raise its limit (ulimit -n)";
    }
    if (is_proxy) {
        curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE,
                          &connect_status);
        if (connect_status / 100 > 2) {
            return "the proxy refuses: check AcmeProxy, and what the proxy allows";
        }
    }
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return "if this CA has a root certificate of its own, set AcmeCACertificateFile";
    case CURLE_SSL_CACERT_BADFILE:
        return "check AcmeCACertificateFile";
    case CURLE_COULDNT_RESOLVE_PROXY:
#if LIBCURL_VERSION_NUM >= 0x074900
    case CURLE_PROXY:
#endif
        return "check AcmeProxy";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "check this machine's resolver, or set AcmeProxy";
    case CURLE_COULDNT_CONNECT:
        return is_proxy ? "check AcmeProxy, and that the proxy runs"
                        : "check the firewall, or set AcmeProxy";
    default:
        return NULL;
    }
}

/* Record the failure of a transfer that libcurl ended. */
static apr_status_t fail_transfer(acme_result_t *res, const acme_http_t *http,
                                  const transfer_t *t, CURLcode code,
                                  const char *url)
{
    const char *text = http->error[0] ? http->error
                                      : curl_easy_strerror(code);
    const char *hint = t->is_visit ? NULL : remedy_of(code, http);
    const char *refused = t->refused;
    long error = 0;

    if (code == CURLE_FILESIZE_EXCEEDED) {  /* by Content-Length */
        refused = too_large(t);
    }
    if (refused) {
        acme_fail(res, APR_EGENERAL, "%s: the reply has %s", url, refused);
        return acme_result_reason(res, ACME_REASON_CA_ANSWER);
    }
    if (t->is_visit && code == CURLE_COULDNT_CONNECT) {
        curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &error);
    }
    acme_fail(res, code == CURLE_OPERATION_TIMEDOUT ? APR_TIMEUP
                   : error ? (apr_status_t)error : APR_EGENERAL,
              "%s: %s%s%s", url, acme_text_clean(text, SENTENCE_MAX, t->p),
              hint ? "; " : "", hint ? hint : "");
    return acme_result_reason(res, code == CURLE_PEER_FAILED_VERIFICATION
                                           || code == CURLE_SSL_CACERT_BADFILE
                                       ? ACME_REASON_CA_UNTRUSTED
                                       : ACME_REASON_CA_UNREACHABLE);
}

/* Run the transfer that is set up in http->easy until done or stopped. */
static apr_status_t run_transfer(transfer_t *t, acme_http_t *http,
                                 const char *url, acme_result_t *res)
{
    struct curl_waitfd wait = { .fd = acme_stop_fd(http->conf.stop),
                                .events = CURL_WAIT_POLLIN };
    CURLcode code = CURLE_OK;
    int running = 1, stopped = 0, left;
    curl_off_t latency = 0;
    CURLMsg *msg = NULL;
    long status = 0;
    CURLMcode rc;

    rc = curl_multi_add_handle(http->multi, http->easy);
    if (rc == CURLM_OK) {
        while (running && rc == CURLM_OK
               && !(stopped = acme_stop_is(http->conf.stop))) {
            rc = curl_multi_perform(http->multi, &running);
            if (running && rc == CURLM_OK) {
                rc = curl_multi_poll(http->multi, &wait, 1, POLL_MS, NULL);
            }
        }
        msg = stopped ? NULL : curl_multi_info_read(http->multi, &left);
        if (msg) {
            code = msg->data.result;    /* msg ends with the next call */
        }
        curl_multi_remove_handle(http->multi, http->easy);
    }
    if (stopped) {
        return acme_fail(res, APR_EINTR, "%s: aborted, httpd is stopping",
                         url);
    }
    if (rc != CURLM_OK || !msg) {
        return acme_fail(res, APR_EGENERAL, "%s: libcurl failed", url);
    }
    if (code != CURLE_OK && !t->is_cut) {
        return fail_transfer(res, http, t, code, url);
    }
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->easy, CURLINFO_TOTAL_TIME_T, &latency);
    t->reply->status = (int)status;
    t->reply->latency = latency;
    t->reply->body = apr_pstrmemdup(t->p, t->body ? t->body : "",
                                    t->reply->body_len);
    return APR_SUCCESS;
}

/*
 * Connections that were verified with other roots than those of now are closed,
 * and the sessions of TLS forgotten by which they could be resumed.
 */
static apr_status_t renew_client(acme_http_t *http, acme_result_t *res)
{
    const acme_http_roots_t *roots = http->conf.roots;
    const unsigned int number = roots ? roots->ready(roots->baton) : 0;
    CURL *easy;
    CURLM *multi;

    if (number == http->roots) {
        return APR_SUCCESS;
    }
    easy = curl_easy_init();
    multi = curl_multi_init();
    if (!easy || !multi) {
        curl_easy_cleanup(easy);
        curl_multi_cleanup(multi);
        return acme_fail(res, APR_ENOMEM, "libcurl: out of memory");
    }
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    http->easy = easy;
    http->multi = multi;
    http->roots = number;
    return APR_SUCCESS;
}

static apr_status_t send_once(acme_http_reply_t **preply, acme_http_t *http,
                              const acme_http_request_t *request,
                              acme_result_t *res, apr_pool_t *p)
{
    transfer_t t = { .reply = apr_palloc(p, sizeof(*t.reply)),
                     .body_max = request->body_max ? request->body_max
                                                   : ACME_HTTP_BODY_MAX,
                     .p = p };
    struct curl_slist *list = NULL, *to = NULL;
    CURL *easy;
    apr_status_t rv;
    int bad = 0;

    *preply = NULL;
    clear_reply(t.reply, p);

    rv = request->plain ? acme_url_check_plain(request->url, res, p)
                        : acme_url_check(request->url, res, p);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    rv = renew_client(http, res);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    easy = http->easy;
    curl_easy_reset(easy);
    http->error[0] = '\0';
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
    bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, http->conf.user_agent);
    bad |= set_limits(easy, &http->conf, request, t.body_max);
    bad |= set_security(easy, http, request->plain);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
    bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    bad |= set_request(easy, request);
    if (request->address) {
        t.is_visit = 1;
        bad |= set_visit(&to, easy, request, p);
    }
    bad |= add_header(&list, "Accept-Language: en");
    if (request->method == ACME_HTTP_POST) {
        bad |= add_header(&list, "Expect:");    /* sends no such header */
        bad |= add_header(&list, apr_pstrcat(p, "Content-Type: ",
                                             request->content_type, NULL));
    }
    bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    if (bad) {
        rv = acme_fail(res, APR_EGENERAL, "%s: libcurl refuses an option",
                       request->url);
        goto out;
    }
    rv = run_transfer(&t, http, request->url, res);
    if (rv == APR_SUCCESS) {
        *preply = t.reply;
    }
out:
    curl_easy_reset(http->easy);        /* it points at list and t */
    curl_slist_free_all(list);
    curl_slist_free_all(to);
    free(t.body);
    return rv;
}

/* Where a reply leads to, if that may be followed; else NULL. */
static const char *redirected_to(const acme_http_reply_t *reply,
                                 const acme_http_request_t *request,
                                 apr_pool_t *p)
{
    acme_result_t ignored;
    const char *url;

    if (!reply->location || request->plain
        || request->method == ACME_HTTP_POST
        || (reply->status != 301 && reply->status != 302
            && reply->status != 307 && reply->status != 308)) {
        return NULL;
    }
    url = acme_url_redirect(request->url, reply->location, p);
    return url && acme_url_check(url, &ignored, p) == APR_SUCCESS ? url
                                                                  : NULL;
}

apr_status_t acme_http_send(acme_http_reply_t **preply, acme_http_t *http,
                            const acme_http_request_t *request,
                            acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t next = *request;
    apr_status_t rv;
    int i;

    rv = send_once(preply, http, &next, res, p);
    for (i = 0; rv == APR_SUCCESS && i < REDIRECTS_MAX; i++) {
        const char *url = redirected_to(*preply, &next, p);

        if (!url) {
            break;
        }
        next.url = url;
        rv = send_once(preply, http, &next, res, p);
    }
    return rv;
}
