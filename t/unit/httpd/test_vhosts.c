/*
 * test_vhosts.c - from the configured virtual hosts to the certificates.
 */
#include <apr_lib.h>

#include "scratch.h"

#include <ap_listen.h>
#include <unixd.h>

#include "acme_cert_callback.h"
#include "acme_commands.h"
#include "acme_tls_alpn01.h"
#include "acme_vhosts.h"
#include "acme_visits.h"
#include "httpd_stubs.h"

#define FILE_NAME "/etc/httpd/vhosts.conf"

static server_rec *base;
static int line_number;
static int built_with_mod_ssl;

/* Before the library's, which would bring OpenSSL's and mod_ssl's hooks. */
int acme_tls_alpn01_available(void)
{
    return built_with_mod_ssl;
}

const char *acme_cert_callback_obstacle(void)
{
    return built_with_mod_ssl ? NULL : "it was built without mod_ssl_openssl.h";
}

/* Behind what *pnode leads to: the next line of the file. */
static ap_directive_t *add_node(ap_directive_t **pnode, const char *name,
                                const char *arguments)
{
    ap_directive_t *node = apr_pcalloc(pool, sizeof(*node));

    while (*pnode) {
        pnode = &(*pnode)->next;
    }
    *pnode = node;
    node->directive = name;
    node->args = arguments;
    node->filename = FILE_NAME;
    node->line_num = ++line_number;
    return node;
}

/* One line of the configuration, read as httpd and its modules would. */
static void read_line(server_rec *s, ap_directive_t **pnode, char *line)
{
    char *arguments = strchr(line, ' ');
    apr_array_header_t *list;
    int i;

    *arguments++ = '\0';
    add_node(pnode, line, arguments);
    list = words(arguments);
    if (!strcmp(line, "ServerName")) {
        s->server_hostname = arguments;
    }
    for (i = 0; !strcmp(line, "ServerAlias") && i < list->nelts; i++) {
        char *alias = APR_ARRAY_IDX(list, i, char *);

        APR_ARRAY_PUSH(strpbrk(alias, "*?") ? s->wild_names : s->names,
                       char *) = alias;
    }
    if (!strncmp(line, "Acme", 4)) {
        const char *wrong;

        if (acme_server_conf_found(s) == NULL) {
            ap_set_module_config(s->module_config, &acme_module,
                                 acme_commands_conf_create(pool, s));
        }
        wrong = stubs_directive(s, line, arguments, pool);
        if (wrong) {
            fail_msg("%s", wrong);
        }
    }
}

static void read_lines(server_rec *s, ap_directive_t **pnode,
                       const char *lines)
{
    char *line, *last;

    for (line = apr_strtok(apr_pstrdup(pool, lines), "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        read_line(s, pnode, line);
    }
}

static void in_server(const char *lines)
{
    read_lines(base, &ap_conftree, lines);
}

static server_rec *add_vhost(const char *lines)
{
    server_rec *s = stubs_server("derived.example.org", pool);
    ap_directive_t *node = add_node(&ap_conftree, "<VirtualHost", "*:443>");

    s->is_virtual = 1;
    s->names = apr_array_make(pool, 2, sizeof(char *));
    s->wild_names = apr_array_make(pool, 2, sizeof(char *));
    s->defn_name = node->filename;
    s->defn_line_number = (unsigned)node->line_num;
    s->next = base->next;       /* httpd's list is backwards */
    base->next = s;
    read_lines(s, &node->first_child, lines);
    return s;
}

static server_rec *add_tls(const char *lines)
{
    return add_vhost(apr_pstrcat(pool, "SSLEngine on\n", lines, NULL));
}

static void listen_on(int port)
{
    ap_listen_rec *listener = apr_pcalloc(pool, sizeof(*listener));

    assert_int_equal(apr_sockaddr_info_get(&listener->bind_addr, "127.0.0.1",
                                           APR_INET, (apr_port_t)port, 0,
                                           pool), 0);
    listener->next = ap_listeners;
    ap_listeners = listener;
}

/* What was freed is other memory now. */
static void spoil_freed(void)
{
    apr_pool_t *other;
    int i;

    apr_pool_create(&other, pool);
    for (i = 0; i < 64; i++) {
        memset(apr_palloc(other, 4000), 'x', 4000);
    }
    apr_pool_destroy(other);
}

static acme_conf_t *read_as(acme_vhosts_log_e log)
{
    acme_server_found_t *server = acme_server_conf_found(base);
    acme_conf_t *found;
    server_rec *s;

    for (s = base->next; s; s = s->next) {
        ap_set_module_config(s->module_config, &acme_module,
                             acme_server_conf_found(s)
                             ? acme_server_conf_merge(pool, server,
                                                      acme_server_conf_found(s))
                             : server);
    }
    found = acme_vhosts_read(base, acme_conf_tree_read(pool), log, pool);
    spoil_freed();
    return found;
}

/* "id: name name; id: name", and what was logged is in stubs_logged. */
static const char *read_all(void)
{
    const acme_conf_t *conf = read_as(ACME_VHOSTS_LOG);
    const char *text = "";
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, i);

        text = apr_pstrcat(pool, text, i ? "; " : "", cert->id, ": ",
                           apr_array_pstrcat(pool, cert->names, ' '), NULL);
    }
    return text;
}

static void assert_logged(const char *text)
{
    if (!strstr(stubs_logged, text)) {
        fail_msg("not logged: %s; but: %s", text, stubs_logged);
    }
}

/* "0 1": the indexes of the certificates of a server. */
static const char *certs_of(const server_rec *s)
{
    const apr_array_header_t *certs = acme_server_conf_found(s)->certs;
    const char *text = "";
    int i;

    for (i = 0; certs && i < certs->nelts; i++) {
        text = apr_psprintf(pool, "%s%s%d", text, i ? " " : "",
                            APR_ARRAY_IDX(certs, i, int));
    }
    return certs ? text : "none";
}

static void begin(void)
{
    stubs_reset(scratch_dir);
    ap_conftree = NULL;
    ap_listeners = NULL;
    line_number = 0;
    built_with_mod_ssl = 1;
    base = stubs_server("server.example.org", pool);
    ap_set_module_config(base->module_config, &acme_module,
                         acme_commands_conf_create(pool, base));
    in_server(apr_pstrcat(pool, "AcmeStateDir ", scratch_dir, "\n"
                          "AcmeTermsOfService agree", NULL));
    listen_on(80);
    listen_on(443);
}

static void what_is_managed(void **state)
{
    static const struct {
        const char *name, *server, *vhost, *certs, *logged;
    } rows[] = {
        { "nothing asked for it", "ServerName x",
          "SSLEngine on\nServerName a.org", "", NULL },
        { "TLS, by the server config", "AcmeEngine on",
          "SSLEngine on\nServerName a.org", "a.org: a.org", NULL },
        { "TLS of the server config", "AcmeEngine on\nSSLEngine on",
          "ServerName a.org", "a.org: a.org", NULL },
        { "SSLEngine optional is TLS", "AcmeEngine on",
          "SSLEngine optional\nServerName a.org", "a.org: a.org", NULL },
        { "by itself", "ServerName x",
          "SSLEngine on\nServerName a.org\nAcmeEngine on", "a.org: a.org",
          NULL },
        { "off by itself", "AcmeEngine on",
          "SSLEngine on\nServerName a.org\nAcmeEngine off", "", NULL },
        { "no TLS", "AcmeEngine on", "ServerName a.org", "", NULL },
        { "no TLS, but asked for", "ServerName x",
          "ServerName a.org\nAcmeEngine on", "a.org: a.org", NULL },
        { "a certificate of its own", "AcmeEngine on",
          "SSLEngine on\nServerName a.org\nSSLCertificateFile a.pem", "",
          NULL },
        { "one of the server's", "AcmeEngine on\nSSLCertificateFile a.pem",
          "SSLEngine on\nServerName a.org", "", NULL },
        { "one of its own, and asked for", "ServerName x",
          "SSLEngine on\nServerName a.org\nAcmeEngine on\n"
          "SSLCertificateFile /etc/a.pem", "",
          "vhosts.conf:4: has both AcmeEngine on and an SSLCertificateFile" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *certs;

        begin();
        in_server(rows[i].server);
        while (line_number < 3) {
            in_server("Timeout 60");
        }
        add_vhost(rows[i].vhost);
        certs = read_all();
        if (strncmp(certs, rows[i].certs, strlen(rows[i].certs))
            || (!rows[i].certs[0] && strstr(certs, "a.org"))) {
            fail_msg("%s: %s", rows[i].name, certs);
        }
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
    }
}

static void files_below_live_name_a_certificate(void **state)
{
    static const struct {
        const char *name, *vhost, *certs, *logged;
    } rows[] = {
        { "both files", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/shop/fullchain.pem\n"
          "SSLCertificateKeyFile /s/acme/live/shop/privkey.pem",
          "shop: a.org", NULL },
        { "of two key types", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/shop/fullchain.pem\n"
          "SSLCertificateFile /s/acme/live/shop/fullchain-rsa.pem",
          "shop: a.org", NULL },
        { "another key file", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/shop/cert.pem\n"
          "SSLCertificateKeyFile /elsewhere.pem",
          "shop: a.org", "SSLCertificateKeyFile at " FILE_NAME ":9 is not used" },
        { "AcmeCertificate is another one", "ServerName a.org\n"
          "AcmeCertificate b\n"
          "SSLCertificateFile /s/acme/live/shop/cert.pem",
          "b: a.org", "AcmeCertificate is used" },
        { "one is elsewhere", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/shop/fullchain.pem\n"
          "SSLCertificateFile /elsewhere.pem", "",
          "the SSLCertificateFile at " FILE_NAME ":8 is in AcmeStateDir" },
        { "of two certificates", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/shop/fullchain.pem\n"
          "SSLCertificateFile /s/acme/live/other/fullchain.pem", "",
          "not those of one live/ID" },
        { "not below live/", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/archive/shop/1/fullchain.pem", "",
          "is in AcmeStateDir" },
        { "deeper", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/a/b/fullchain.pem", "",
          "is in AcmeStateDir" },
        { "beside the store", "ServerName a.org\n"
          "SSLCertificateFile /s/acme-old/live/shop/fullchain.pem", "", NULL },
        { "no id", "ServerName a.org\n"
          "SSLCertificateFile /s/acme/live/../fullchain.pem", "",
          "is in AcmeStateDir" },
        { "off", "ServerName a.org\nAcmeEngine off\n"
          "SSLCertificateFile /s/acme/live/shop/fullchain.pem", "", NULL },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *certs;
        server_rec *s;

        begin();
        in_server("AcmeEngine on\nAcmeStateDir /s/acme/");
        s = add_tls(rows[i].vhost);
        certs = read_all();
        if (strcmp(certs, rows[i].certs)
            || acme_server_conf_found(s)->is_live_named != !!rows[i].certs[0]) {
            fail_msg("%s: %s", rows[i].name, certs);
        }
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else {
            assert_null(strstr(stubs_logged, "SSLCertificate"));
        }
    }
}

/* A certificate that is live, and of it what is read here. */
static void put_live(const char *id, const char *names)
{
    mkdir(at("live"), 0755);
    mkdir(at("live/%s", id), 0755);
    put(at("live/%s/meta.json", id),
        apr_psprintf(pool, "{\"names\": [%s]}", names));
}

static const char *live_lines(const char *more, const char *id)
{
    return apr_psprintf(pool, "%s\nSSLCertificateFile %s/live/%s/cert.pem",
                        more, scratch_dir, id);
}

/* Whose is it? Nothing is ordered but what somebody has asked for. */
static void who_else_has_the_files(void **state)
{
    static const struct {
        const char *name;
        struct {
            const char *lines, *id; /* id NULL: no files */
        } vhosts[3];
        const char *certs, *used[3], *logged;
    } rows[] = {
        { "alone", { { "ServerName a.org\nServerAlias new.org", "shop" } },
          "shop: a.org new.org", { "0" }, NULL },
        { "alone with the names of others",
          { { "ServerName intern.org", "shop" } }, "", { "none" },
          "which has other names, and no virtual host orders it" },
        { "alone with the names of others, and AcmeCertificate",
          { { "ServerName intern.org\nAcmeCertificate shop", "shop" } },
          "shop: intern.org", { "0" }, NULL },
        { "alone with the names of others, and AcmeNames",
          { { "ServerName intern.org\nAcmeNames auto", "shop" } },
          "shop: intern.org", { "0" }, NULL },
        { "beside the one that has no files",
          { { "ServerName a.org\nAcmeCertificate shop", NULL },
            { "ServerName intern.org", "shop" } },
          "shop: a.org", { "0", "0" },
          "which lacks intern.org: visitors" },
        { "before it", { { "ServerName intern.org", "shop" },
                         { "ServerName a.org\nAcmeCertificate shop", NULL } },
          "shop: a.org", { "0", "0" },
          "which lacks intern.org: visitors" },
        { "beside the one whose name makes the id",
          { { "ServerName intern.org", "a.org" },
            { "ServerName a.org", NULL } },
          "a.org: a.org", { "0", "0" },
          "which lacks intern.org: visitors" },
        { "another site of the same certificate",
          { { "ServerName a.org\nServerAlias new.org", "shop" },
            { "ServerName b.org", "shop" } },
          "shop: a.org b.org", { "0", "0" },
          "which lacks new.org: visitors" },
        { "the same twice", { { "ServerName a.org", "shop" },
                              { "ServerName a.org", "shop" } },
          "shop: a.org", { "0", "0" }, NULL },
        { "one asks for its names",
          { { "ServerName intern.org", "shop" },
            { "ServerName b.org\nAcmeNames auto new.org", "shop" },
            { "ServerName a.org", "shop" } },
          "shop: b.org new.org a.org", { "0", "0", "0" },
          "which lacks intern.org: visitors" },
        { "none has a name of it",
          { { "ServerName c.org", "shop" }, { "ServerName d.org", "shop" } },
          "", { "none", "none" }, "no virtual host orders it" },
        { "nobody knows its names",
          { { "ServerName c.org", "lost" }, { "ServerName d.org", "lost" } },
          "", { "none", "none" }, "no virtual host orders it" },
        { "alone, and nobody knows its names",
          { { "ServerName c.org", "lost" } },
          "lost: c.org", { "0" }, NULL },
        { "a name of it that is another's",
          { { "ServerName a.org", NULL },
            { "ServerName intern.org\nServerAlias a.org", "shop" },
            { "ServerName b.org", "shop" } },
          "a.org: a.org; shop: b.org", { "0", "1", "1" },
          "a.org already belongs to certificate a.org" },
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        server_rec *servers[3] = { NULL };
        const char *certs;

        begin();
        in_server("AcmeEngine on");
        put_live("shop", "\"a.org\", \"b.org\"");
        put_live("a.org", "\"a.org\"");
        for (k = 0; k < 3 && rows[i].vhosts[k].lines; k++) {
            servers[k] = add_tls(
                rows[i].vhosts[k].id
                ? live_lines(rows[i].vhosts[k].lines, rows[i].vhosts[k].id)
                : rows[i].vhosts[k].lines);
        }
        certs = read_all();
        if (strcmp(certs, rows[i].certs) != 0) {
            fail_msg("%s: %s", rows[i].name, certs);
        }
        for (k = 0; k < 3 && servers[k]; k++) {
            if (strcmp(certs_of(servers[k]), rows[i].used[k]) != 0) {
                fail_msg("%s, %d: %s", rows[i].name, (int)k,
                         certs_of(servers[k]));
            }
        }
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else {
            assert_string_equal(stubs_logged, "");
        }
    }
}

/* Each virtual host would be one of www's. */
static void live_files_of_the_server_config_name_nothing(void **state)
{
    (void)state;
    begin();
    put_live("www", "\"www.org\"");
    in_server(live_lines("AcmeEngine on", "www"));
    add_tls("ServerName www.org");
    add_tls("ServerName b.org");
    assert_string_equal(read_all(), "");
    assert_logged(FILE_NAME ":5: inherits the SSLCertificateFile at "
                  FILE_NAME ":4");
    assert_logged(FILE_NAME ":8: inherits the SSLCertificateFile at "
                  FILE_NAME ":4");
}

static void live_files_are_found_by_any_path(void **state)
{
    static const struct {
        const char *state_dir, *file, *certs, *logged;
    } rows[] = {
        { "real", "link/live/shop/cert.pem", "shop: a.org", NULL },
        { "link", "real/live/shop/cert.pem", "shop: a.org", NULL },
        { "link/", "real/./live//shop/cert.pem", "shop: a.org", NULL },
        { "link", "real/archive/shop/cert.pem", "", "is in AcmeStateDir" },
        { "real", "way/cert.pem", "", "is in AcmeStateDir" },
        { "real", "old/live/shop/cert.pem", "", NULL },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        begin();
        mkdir(at("real"), 0755);
        mkdir(at("real/archive"), 0755);
        mkdir(at("real/archive/shop"), 0755);
        put(at("real/archive/shop/cert.pem"), "");
        mkdir(at("real/live"), 0755);
        (void)!symlink("../archive/shop", at("real/live/shop"));
        (void)!symlink("real", at("link"));
        (void)!symlink("real/live/shop", at("way"));
        in_server(apr_psprintf(pool, "AcmeEngine on\nAcmeStateDir %s",
                               at("%s", rows[i].state_dir)));
        add_tls(apr_psprintf(pool, "ServerName a.org\nSSLCertificateFile %s",
                             at("%s", rows[i].file)));
        assert_string_equal(read_all(), rows[i].certs);
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else {
            assert_string_equal(stubs_logged, "");
        }
    }
}

static void names_of_a_vhost(void **state)
{
    static const struct {
        const char *name, *vhost, *certs, *logged;
    } rows[] = {
        { "ServerName and ServerAlias, each once",
          "ServerName A.org\nServerAlias b.org a.org c.org",
          "a.org: a.org b.org c.org", NULL },
        { "patterns are skipped",
          "ServerName a.org\nServerAlias *.a.org i?.org",
          "a.org: a.org", "4: acme: " FILE_NAME ":4: ServerAlias i?.org "
          "is skipped" },
        { "so are wildcards", "ServerName a.org\nServerAlias *.a.org",
          "a.org: a.org", "4: acme: " FILE_NAME ":4: *.a.org is skipped" },
        { "a line that was copied", "ServerName a.org\nServerAlias w.a.org\n"
          "AcmeNames b.org", "b.org: b.org",
          "4: acme: " FILE_NAME ":4: its AcmeNames lack a.org, w.a.org:"
          },
        { "an alias that is lacking", "ServerName a.org\nServerAlias b.org\n"
          "AcmeNames a.org", "a.org: a.org", "its AcmeNames lack b.org:" },
        { "an address is", "ServerName a.org\nServerAlias 192.0.2.1",
          "a.org: a.org", "192.0.2.1 is skipped" },
        { "one that is no name is", "ServerName a.org\nServerAlias a_b.org",
          "a.org: a.org", "the name is skipped" },
        { "listed instead", "ServerName a.org\nAcmeNames b.org *.b.org b.org",
          "b.org: b.org *.b.org",
          "*.b.org can only be validated by dns-01 or dns-persist-01" },
        { "listed as well", "ServerName a.org\nAcmeNames auto 192.0.2.1",
          "a.org: a.org 192.0.2.1", NULL },
        { "no ServerName", "ServerAlias b.org", "",
          "vhosts.conf:4: has no ServerName" },
        { "none, but listed", "AcmeNames b.org", "b.org: b.org", NULL },
        { "none that is added automatically", "ServerName 192.0.2.1", "",
          "has only wildcard names or IP addresses" },
        { "an id", "ServerName a.org\nAcmeCertificate shop", "shop: a.org",
          NULL },
        { "a wildcard's id", "AcmeNames *.a.org", "_.a.org: *.a.org",
          "can only be validated by dns-01 or dns-persist-01" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *certs;

        begin();
        in_server("AcmeEngine on");
        add_tls(rows[i].vhost);
        certs = read_all();
        if (strcmp(certs, rows[i].certs)) {
            fail_msg("%s: %s", rows[i].name, certs);
        }
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else if (stubs_logged[0]) {
            fail_msg("%s: %s", rows[i].name, stubs_logged);
        }
    }
}

static void vhosts_that_share(void **state)
{
    const server_rec *a, *b, *c, *d;

    (void)state;
    in_server("AcmeEngine on");                         /* line 3 */
    a = add_tls("ServerName a.org\nServerAlias b.org"); /* lines 4 to 7 */
    b = add_tls("ServerName b.org\nServerAlias c.org");
    c = add_tls("ServerName b.org");
    d = add_tls("ServerName d.org\nAcmeCertificate a.org\n"
                "AcmeKeyTypes p384");

    assert_string_equal(read_all(),
                        "a.org: a.org b.org d.org; b.org: c.org");
    assert_string_equal(certs_of(a), "0");
    assert_string_equal(certs_of(b), "1");
    assert_string_equal(certs_of(c), "0");
    assert_string_equal(certs_of(d), "0");
    assert_string_equal(certs_of(base), "none");
    assert_logged("vhosts.conf:8: b.org already belongs to certificate a.org "
                  "(" FILE_NAME ":4)");
    assert_logged("shares certificate a.org with " FILE_NAME ":4, but has "
                  "another value of AcmeKeyTypes; those of the first are used");
}

/* Each setting of a certificate that two of its virtual hosts have. */
static void settings_of_those_that_share(void **state)
{
    static const struct {
        const char *first, *second, *logged;
    } rows[] = {
        { "", "", NULL },
        { "AcmeKeyTypes P256", "", NULL },
        { "AcmeProfile none", "", NULL },
        { "", "AcmeProxy http://p:1", "value of AcmeProxy;" },
        { "AcmeMustStaple on", "AcmeRenewWindow 9d",
          "value of AcmeMustStaple, AcmeRenewWindow;" },
        { "AcmeProfile x required", "AcmeProfile x", "value of AcmeProfile;" },
        { "AcmeCA https://b/", "", "value of AcmeCA;" },
        { "AcmeContact a@a.org", "AcmeContact b@a.org",
          "value of AcmeContact;" },
        { "", "AcmeRequireHttps permanent", NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        begin();
        in_server("AcmeEngine on");
        add_tls(apr_pstrcat(pool, "ServerName a.org\n", rows[i].first, NULL));
        add_tls(apr_pstrcat(pool, "ServerName b.org\nAcmeCertificate a.org\n",
                            rows[i].second, NULL));
        assert_string_equal(read_all(), "a.org: a.org b.org");
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
            assert_logged(FILE_NAME ":4, but");
        }
        else {
            assert_string_equal(stubs_logged, "");
        }
    }
}

/* What would be found out at the first order only. */
static void what_cannot_work(void **state)
{
    static const struct {
        const char *server, *logged;
    } rows[] = {
        { "AcmeRenewWindow 30d\nAcmeWarnWindow 10d", NULL },
        { "AcmeWarnWindow 40%", "AcmeWarnWindow is not shorter" },
        { "AcmeRenewWindow 9d\nAcmeWarnWindow 9d",
          "AcmeWarnWindow is not shorter" },
        { "AcmeRenewWindow 3000d", "AcmeRenewWindow is longer than" },
        { "AcmeCACertificateFile none.pem",
          "AcmeCACertificateFile: " },
        { "AcmeCACertificateFile text.pem", "has no certificate in PEM form" },
        { "AcmeCACertificateFile roots.pem", NULL },
        { "AcmeStateDir /nowhere/at/all", "/nowhere/at/ does not exist" },
        { "SSLCertificateFile /etc/cert.pem",
          "vhosts.conf:5: inherits the SSLCertificateFile at " FILE_NAME ":4" }
    };
    size_t i;

    (void)state;
    put(at("text.pem"), "no PEM");
    put(at("roots.pem"), "-----BEGIN CERTIFICATE-----\n");
    for (i = 0; i < COUNT(rows); i++) {
        begin();
        in_server("AcmeEngine on");
        in_server(rows[i].server);
        add_tls("ServerName a.org");
        read_all();
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else {
            assert_string_equal(stubs_logged, "");
        }
    }
}

/* To root, who starts httpd, all files are readable. */
static void roots_that_workers_cannot_read(void **state)
{
    int closed;

    (void)state;
    if (geteuid()) {
        skip();
    }
    ap_unixd_config.user_id = 54321;
    ap_unixd_config.group_id = 54321;
    assert_int_equal(chmod(scratch_dir, 0755), 0);
    put(at("roots.pem"), "-----BEGIN CERTIFICATE-----\n");
    for (closed = 0; closed < 2; closed++) {
        assert_int_equal(chmod(at("roots.pem"), closed ? 0600 : 0644), 0);
        begin();
        in_server("AcmeEngine on\nAcmeCACertificateFile roots.pem");
        add_tls("ServerName a.org");
        read_all();
        if (closed) {
            assert_logged("roots.pem may not be readable by #54321, the user");
        }
        else {
            assert_string_equal(stubs_logged, "");
        }
    }
    memset(&ap_unixd_config, 0, sizeof(ap_unixd_config));
}

/* An external account is its CA's: another one does not hear of it. */
static void external_accounts_of_cas(void **state)
{
    static const char key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    static const struct {
        const char *server, *vhost, *kid;
    } rows[] = {
        { "AcmeCA https://a/\nAcmeExternalAccount s %s", "", "s" },
        { "AcmeCA https://a/\nAcmeExternalAccount s %s", "AcmeCA https://b/",
          NULL },
        { "AcmeExternalAccount s %s\nAcmeCA https://a/", "AcmeCA https://b/",
          NULL },
        { "AcmeExternalAccount s %s", "AcmeCA https://b/", "s" },
        { "AcmeExternalAccount s %s ca=https://b/", "AcmeCA https://b/", "s" },
        { "AcmeExternalAccount s %s ca=https://b/", "AcmeCA https://c/", NULL },
        { "AcmeCA https://a/\nAcmeExternalAccount s %s",
          "AcmeExternalAccount none", NULL },
        { "AcmeCA https://a/\nAcmeExternalAccount s %s",
          "AcmeCA https://b/\nAcmeExternalAccount v %s", "v" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_conf_t *conf;
        const char *kid;

        begin();
        in_server(apr_psprintf(pool, rows[i].server, key));
        add_tls(apr_pstrcat(pool, "ServerName a.org\nAcmeEngine on\n",
                            apr_psprintf(pool, rows[i].vhost, key), NULL));
        conf = read_as(ACME_VHOSTS_LOG);
        kid = acme_conf_ca(conf, acme_conf_cert(conf, 0), 0)->kid;
        if (rows[i].kid ? !kid || strcmp(kid, rows[i].kid) : kid != NULL) {
            fail_msg("row %d: %s", (int)i, kid);
        }
    }
}

static void challenges_that_can_work(void **state)
{
    static const struct {
        const char *name, *vhost;
        int port, mod_ssl;
        const char *challenges, *logged;
    } rows[] = {
        { "both ports", "ServerName a.org", 443, 1,
          "http-01 tls-alpn-01 dns-persist-01", NULL },
        { "80 alone", "ServerName a.org", 80, 1, "http-01 dns-persist-01",
          NULL },
        { "without mod_ssl's header", "ServerName a.org", 443, 0,
          "http-01 dns-persist-01", NULL },
        { "in the order wanted",
          "ServerName a.org\nAcmeChallenges tls-alpn-01 http-01", 443, 1,
          "tls-alpn-01 http-01", NULL },
        { "other ports", "ServerName a.org\nAcmePorts http:8080 https:443",
          443, 1, "tls-alpn-01 dns-persist-01", NULL },
        { "none of them", "ServerName a.org\nAcmePorts http:- https:-", 443,
          1, "http-01", "none of the AcmeChallenges can work" },
        { "with AcmeDns", "ServerName a.org\nAcmePorts http:- https:-\n"
          "AcmeDns exec run", 443, 1, "dns-01 dns-persist-01", NULL },
        { "with AcmeHttp", "ServerName a.org\nAcmePorts http:- https:-\n"
          "AcmeHttp exec run", 443, 1, "http-01 dns-persist-01", NULL },
        { "dns-persist-01 alone, when asked for",
          "ServerName a.org\nAcmeChallenges dns-persist-01", 443, 1,
          "dns-persist-01", NULL },
        { "one that cannot work, asked for",
          "ServerName a.org\nAcmeChallenges dns-01", 443, 1, "dns-01",
          "dns-01 is tried anyway" },
    };
    size_t i;

    (void)state;
    put(at("run"), "");
    chmod(at("run"), 0700);
    for (i = 0; i < COUNT(rows); i++) {
        const char *text;

        begin();
        ap_listeners = NULL;
        listen_on(80);
        if (rows[i].port != 80) {
            listen_on(rows[i].port);
        }
        built_with_mod_ssl = rows[i].mod_ssl;
        in_server("AcmeEngine on");
        add_tls(rows[i].vhost);
        text = acme_conf_challenges(acme_conf_cert(read_as(ACME_VHOSTS_LOG),
                                                   0), pool);
        if (strcmp(text, rows[i].challenges)) {
            fail_msg("%s: %s", rows[i].name, text);
        }
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else if (stubs_logged[0]) {
            fail_msg("%s: %s", rows[i].name, stubs_logged);
        }
    }
}

static void a_webroot_is_not_in_the_store(void **state)
{
    const acme_conf_t *conf;

    (void)state;
    mkdir(at("state"), 0755);
    mkdir(at("state/x"), 0755);
    mkdir(at("www"), 0755);
    assert_int_equal(symlink("state/x", at("link")), 0);
    in_server(apr_pstrcat(pool, "AcmeEngine on\nAcmeStateDir ", at("state"),
                          "\nAcmeHttp webroot ", at("link"), NULL));
    add_tls("ServerName a.org");
    add_tls(apr_pstrcat(pool, "ServerName b.org\nAcmeHttp webroot ",
                        at("www"), NULL));
    add_tls("ServerName c.org\nAcmeHttp none");
    conf = read_as(ACME_VHOSTS_LOG);
    assert_null(acme_conf_cert(conf, 0)->http);
    assert_logged("is in AcmeStateDir");
    assert_string_equal(acme_conf_cert(conf, 1)->http->root, at("www"));
    assert_null(acme_conf_cert(conf, 2)->http);
}

static void an_account_for_each_ca_and_key_identifier(void **state)
{
    const acme_conf_t *conf;

    (void)state;
    in_server("AcmeEngine on\nAcmeCA https://a/ https://b/\n"
              "AcmeContact x@x.org");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org\nAcmeCA https://b/\nAcmeContact y@x.org");
    add_tls("ServerName c.org\nAcmeExternalAccount kid "
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    conf = read_as(ACME_VHOSTS_LOG);

    assert_int_equal(conf->certs->nelts, 3);
    assert_int_equal(conf->cas->nelts, 4);
    assert_string_equal(acme_conf_ca(conf, acme_conf_cert(conf, 0), 1)->url,
                        "https://b/");
    assert_ptr_equal(acme_conf_ca(conf, acme_conf_cert(conf, 1), 0),
                     acme_conf_ca(conf, acme_conf_cert(conf, 0), 1));
    assert_string_equal(apr_array_pstrcat(
        pool, APR_ARRAY_IDX(conf->cas, 1, acme_ca_conf_t).contacts, ' '),
        "mailto:x@x.org mailto:y@x.org");
    assert_string_equal(apr_array_pstrcat(
        pool, APR_ARRAY_IDX(conf->cas, 0, acme_ca_conf_t).contacts, ' '),
        "mailto:x@x.org");
    assert_string_equal(acme_conf_ca(conf, acme_conf_cert(conf, 2), 0)->kid,
                        "kid");
}

/* Where a dry run for a CA of the certificate is made. */
static const acme_ca_conf_t *dry_run_ca_of(const acme_conf_t *conf,
                                           apr_uint32_t cert, apr_uint32_t ca)
{
    const acme_cert_conf_t *of = acme_conf_cert(conf, cert);

    return acme_conf_ca(conf, of, acme_conf_dry_run_ca(of, ca));
}

static void a_dry_run_is_made_at_the_staging_environment(void **state)
{
    const acme_conf_t *conf;
    const acme_cert_conf_t *cert;

    (void)state;
    in_server("AcmeEngine on\nAcmeCA letsencrypt https://b/\n"
              "AcmeContact x@x.org\nAcmeProxy http://proxy:3128\n"
              "AcmeExternalAccount kid "
              "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org\nAcmeCA buypass buypass-test");
    conf = read_as(ACME_VHOSTS_LOG);

    cert = acme_conf_cert(conf, 0);
    assert_int_equal(cert->cas->nelts, 2);
    assert_non_null(strstr(dry_run_ca_of(conf, 0, 0)->url,
                           "//acme-staging-v02.api.letsencrypt.org/"));
    assert_true(dry_run_ca_of(conf, 0, 0)->is_for_dry_runs);
    /* The external account is the CA's, not the staging environment's. */
    assert_string_equal(acme_conf_ca(conf, cert, 0)->kid, "kid");
    assert_null(dry_run_ca_of(conf, 0, 0)->kid);
    assert_string_not_equal(dry_run_ca_of(conf, 0, 0)->folder,
                            acme_conf_ca(conf, cert, 0)->folder);
    assert_string_equal(APR_ARRAY_IDX(dry_run_ca_of(conf, 0, 0)->contacts, 0,
                                      const char *), "mailto:x@x.org");
    assert_string_equal(
        acme_conf_route(conf, cert, acme_conf_dry_run_ca(cert, 0))->proxy,
        "http://proxy:3128");
    assert_ptr_equal(dry_run_ca_of(conf, 0, 1), acme_conf_ca(conf, cert, 1));
    assert_null(dry_run_ca_of(conf, 0, 2));

    assert_ptr_equal(dry_run_ca_of(conf, 1, 0),
                     acme_conf_ca(conf, acme_conf_cert(conf, 1), 1));
    assert_false(dry_run_ca_of(conf, 1, 0)->is_for_dry_runs);
}

/* "proxy roots" of the way to the first CA of a certificate. */
static const char *way_of(const acme_conf_t *conf, apr_uint32_t cert)
{
    const acme_route_conf_t *route =
        acme_conf_route(conf, acme_conf_cert(conf, cert), 0);

    return apr_pstrcat(pool, route->proxy ? route->proxy : "-", " ",
                       route->roots ? apr_filepath_name_get(route->roots)
                                    : "-", NULL);
}

/* One account and one row of limits, whichever the way to the CA is. */
static void a_way_for_each_proxy_and_roots(void **state)
{
    static const char *const ways[] = {
        "http://p:1 -", "http://q:1 -", "http://p:1 roots.pem", "http://p:1 -"
    };
    const acme_conf_t *conf;
    apr_uint32_t i;

    (void)state;
    in_server("AcmeEngine on\nAcmeCA https://a/\nAcmeProxy http://p:1");
    put(at("roots.pem"), "");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org\nAcmeProxy http://q:1");
    add_tls("ServerName c.org\nAcmeCACertificateFile roots.pem");
    add_tls("ServerName d.org\nAcmeContact d@d.org");
    conf = read_as(ACME_VHOSTS_LOG);

    assert_int_equal(conf->cas->nelts, 1);
    assert_int_equal(conf->routes->nelts, 3);
    for (i = 0; i < COUNT(ways); i++) {
        assert_string_equal(way_of(conf, i), ways[i]);
        assert_int_equal(acme_conf_ca_index(acme_conf_cert(conf, i), 0), 0);
    }
}

static const char *numbered(int n)
{
    const char *text = "";
    int i;

    for (i = 0; i < n; i++) {
        text = apr_psprintf(pool, "%s n%d.org", text, i);
    }
    return text;
}

static void more_names_than_a_certificate_holds(void **state)
{
    const server_rec *large, *small;

    (void)state;
    in_server("AcmeEngine on\nAcmeProfile shortlived");
    large = add_tls(apr_pstrcat(pool, "AcmeCertificate shop\n"
                                "AcmeMustStaple on\nAcmeNames",
                                numbered(30), NULL));
    small = add_tls("ServerName a.org\nAcmeCertificate shop-2");
    built_with_mod_ssl = 0;

    read_all();
    assert_string_equal(certs_of(large), "0 1");
    assert_string_equal(certs_of(small), "2");
    assert_logged("the id shop-2 is not used for a part of it, because "
                  "another certificate (" FILE_NAME ":10) has this id");
    assert_logged("divided among 2 certificates of shop");
    assert_logged("can be served: it was built without");
    assert_logged("set AcmeMustStaple off");
}

static void the_terms_are_asked_for_once(void **state)
{
    (void)state;
    in_server("AcmeEngine on");
    acme_server_conf(base)->agreed = 0;
    add_tls("ServerName a.org");
    add_tls("ServerName b.org");
    assert_string_equal(read_all(), "a.org: a.org; b.org: b.org");
    assert_logged("no certificate is ordered without AcmeTermsOfService");
    assert_string_equal(strchr(stubs_logged, '\n'), "\n");
}

static void quiet_logs_nothing(void **state)
{
    (void)state;
    in_server("AcmeEngine on");
    acme_server_conf(base)->agreed = 0;
    add_tls("ServerAlias b.org");
    add_tls("ServerName a.org\nServerAlias *.a.org 192.0.2.1");
    assert_int_equal(read_as(ACME_VHOSTS_QUIET)->certs->nelts, 1);
    assert_string_equal(stubs_logged, "");
}

/* "cert+key@line" of each pair, the last server's first. */
static const char *pairs_text(void)
{
    const acme_conf_tree_t *tree = acme_conf_tree_read(pool);
    const apr_array_header_t *pairs = acme_conf_tree_pairs(tree, base, pool);
    const char *text = "";
    int i;

    for (i = 0; i < pairs->nelts; i++) {
        const acme_conf_tree_pair_t *pair =
            &APR_ARRAY_IDX(pairs, i, acme_conf_tree_pair_t);

        text = apr_pstrcat(pool, text, i ? " " : "",
                           apr_filepath_name_get(pair->cert), "+",
                           apr_filepath_name_get(pair->key), "@",
                           strrchr(pair->place, ':') + 1, ":",
                           APR_ARRAY_IDX(pair->ciphers, 0, const char *),
                           pair->has_chain_file ? "chain" : "", NULL);
    }
    return text;
}

static void the_tree_has_files(void **state)
{
    (void)state;
    add_tls("SSLCertificateFile a.pem");
    assert_string_equal(apr_array_pstrcat(pool, acme_conf_tree_files(
        acme_conf_tree_read(pool)), ' '), FILE_NAME);
}

/* As mod_ssl pairs them: the nth of each list, virtual host before server. */
static void pairs_of_the_tree(void **state)
{
    (void)state;
    in_server("SSLCertificateFile both.pem");
    assert_string_equal(pairs_text(), "");

    add_tls("SSLCertificateFile rsa.pem\nSSLCertificateFile ec.pem\n"
            "SSLCertificateKeyFile rsa.key\nSSLCertificateKeyFile ec.key\n"
            "SSLCertificateKeyFile one-too-many.key");
    assert_string_equal(pairs_text(), "rsa.pem+rsa.key@6: ec.pem+ec.key@7:");
}

static void keys_may_come_first(void **state)
{
    (void)state;
    add_tls("SSLCertificateKeyFile a.key\nSSLCertificateFile a.pem");
    assert_string_equal(pairs_text(), "a.pem+a.key@6:");
}

static void what_is_not_loaded_is_no_pair(void **state)
{
    (void)state;
    add_vhost("SSLEngine off\nSSLCertificateFile a.pem\n"
              "SSLCertificateKeyFile b.key");
    add_vhost("SSLCertificateFile as-listen-says.pem");
    add_vhost("SSLEngine optional\nSSLCertificateFile optional.pem");
    add_tls("SSLCertificateFile pkcs11:token=x");
    add_tls("SSLCertificateFile a.pem\n"
            "SSLCertificateKeyFile pkcs11:token=x");
    assert_string_equal(pairs_text(), "");
    stubs_protocol = "https";
    assert_string_equal(pairs_text(),
                        "as-listen-says.pem+as-listen-says.pem@8:");
}

static void a_key_of_the_server_goes_with_a_vhost(void **state)
{
    (void)state;
    in_server("SSLCertificateKeyFile shared.key\nSSLCipherSuite ALL");
    add_tls("SSLCertificateFile a.pem");
    add_tls("SSLCertificateFile b.pem\nSSLCertificateKeyFile b.key\n"
            "SSLCipherSuite TLSv1.3 X\nSSLCipherSuite SSL HIGH");
    assert_string_equal(pairs_text(),
                        "b.pem+b.key@10:HIGH a.pem+shared.key@7:ALL");
}

static void a_chain_file_is_inherited(void **state)
{
    (void)state;
    add_tls("SSLCertificateFile a.pem\nSSLCertificateChainFile c.pem");
    add_tls("SSLCertificateFile a.pem");
    assert_string_equal(pairs_text(), "a.pem+a.pem@9: a.pem+a.pem@5:chain");
    in_server("SSLCertificateChainFile c.pem");
    assert_string_equal(pairs_text(), "a.pem+a.pem@9:chain");
}

static void what_is_more_than_reading(void **state)
{
    static const struct {
        const char *line, *beyond;
    } rows[] = {
        { "SSLCryptoDevice builtin", NULL },
        { "SSLCryptoDevice dynamic", "SSLCryptoDevice (" FILE_NAME ":1)" },
        { "SSLRandomSeed startup file:/dev/urandom 512", NULL },
        { "SSLRandomSeed startup exec:/bin/x", "SSLRandomSeed (" },
        { "SSLRandomSeed startup egd:/x", "SSLRandomSeed (" },
        { "Mutex file:/run/x default", NULL },
        { "Mutex file:/run/x ssl-cache omitpid", "Mutex (" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *found;

        ap_conftree = NULL;
        line_number = 0;
        in_server(rows[i].line);
        found = acme_conf_tree_beyond_reading(acme_conf_tree_read(pool));
        if (rows[i].beyond ? !found || strncmp(found, rows[i].beyond,
                                               strlen(rows[i].beyond)) != 0
                           : found != NULL) {
            fail_msg("%s: %s", rows[i].line, found ? found : "no");
        }
    }
}

static void pass_phrases_are_asked_for_at_a_terminal(void **state)
{
    (void)state;
    assert_true(acme_conf_tree_asks_at_terminal(acme_conf_tree_read(pool)));
    in_server("SSLPassPhraseDialog builtin");
    assert_true(acme_conf_tree_asks_at_terminal(acme_conf_tree_read(pool)));
    in_server("SSLPassPhraseDialog exec:/bin/x");
    assert_false(acme_conf_tree_asks_at_terminal(acme_conf_tree_read(pool)));
}

static void a_listen_says_it_where_nobody_else_does(void **state)
{
    server_rec *s = add_vhost("SSLCertificateFile a:b.pem");

    (void)state;
    s->addrs = apr_pcalloc(pool, sizeof(*s->addrs));
    s->addrs->host_port = 443;
    assert_string_equal(pairs_text(), "");
    ap_listeners->protocol = "https";
    assert_string_equal(pairs_text(), "a:b.pem+a:b.pem@4:");
    s->addrs->host_port = 80;
    assert_string_equal(pairs_text(), "");
}

static void names_of_mod_md(void **state)
{
    static const struct {
        const char *name, *vhost;
        int is_its;
    } rows[] = {
        { "a name", "ServerName A.org", 1 },
        { "an alias", "ServerName x.org\nServerAlias y.org b.org", 1 },
        { "a wildcard's", "ServerName x.c.org", 1 },
        { "below a wildcard's", "ServerName y.x.c.org", 0 },
        { "of a set", "ServerName d.org", 1 },
        { "another", "ServerName x.org", 0 }
    };
    const acme_conf_tree_t *tree;
    size_t i;

    (void)state;
    in_server("MDomain a.org b.org auto\nMDomain *.c.org\n"
              "<MDomainSet d.org>");
    in_server("ServerName a.org");
    for (i = 0; i < COUNT(rows); i++) {
        const server_rec *s = add_tls(rows[i].vhost);

        tree = acme_conf_tree_read(pool);
        if (acme_conf_tree_in_mod_md(tree, s) != rows[i].is_its) {
            fail_msg("%s", rows[i].name);
        }
    }
    assert_int_equal(acme_conf_tree_in_mod_md(tree, base), 0);
    in_server("MDBaseServer on");
    assert_int_equal(acme_conf_tree_in_mod_md(acme_conf_tree_read(pool), base),
                     1);
}

static void a_shared_pair_is_listed_once(void **state)
{
    (void)state;
    in_server("SSLCertificateFile a.pem");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org");
    add_tls("SSLCipherSuite ALL");
    assert_string_equal(pairs_text(), "a.pem+a.pem@3:ALL a.pem+a.pem@3:");
}

/* Those that mod_ssl loads a pair with, and those that handshakes obey. */
static void each_security_level_counts(void **state)
{
    static const char *const expected[] = {
        "ALL ALL|DEFAULT:@SECLEVEL=1",
        "HIGH HIGH|DEFAULT:@SECLEVEL=1|DEFAULT:@SECLEVEL=3|MEDIUM",
        "ALL ALL|DEFAULT:@SECLEVEL=1 ALL|DEFAULT:@SECLEVEL=1|LOW"
    };
    const server_rec *nameless;
    const acme_conf_t *conf;
    int i;

    (void)state;
    in_server("AcmeEngine on\nSSLCipherSuite ALL\n"
              "SSLOpenSSLConfCmd CipherString DEFAULT:@SECLEVEL=1");
    add_tls("ServerName a.org\nSSLOpenSSLConfCmd Curves P-256");
    add_tls("ServerName b.org\nSSLCipherSuite HIGH\n"
            "SSLOpenSSLConfCmd cipherstring DEFAULT:@SECLEVEL=3\n"
            "SSLOpenSSLConfCmd CipherString MEDIUM");
    add_tls("ServerName c.org\nAcmeCertificate c");
    add_tls("ServerName d.org\nAcmeCertificate c\n"
            "SSLOpenSSLConfCmd CipherString LOW");
    nameless = add_tls("ServerName my_shop.org");
    conf = read_as(ACME_VHOSTS_LOG);
    assert_int_equal(conf->certs->nelts, 3);
    for (i = 0; i < conf->certs->nelts; i++) {
        assert_string_equal(apr_array_pstrcat(
            pool, acme_conf_cert(conf, (apr_uint32_t)i)->ciphers, ' '),
            expected[i]);
    }
    assert_string_equal(apr_array_pstrcat(
        pool, acme_server_conf_found(nameless)->ciphers, ' '), expected[0]);
}

static apr_sockaddr_t *address(const char *text)
{
    apr_sockaddr_t *addr;
    char *host, *scope;
    apr_port_t port;

    assert_int_equal(apr_parse_addr_port(&host, &scope, &port, text, pool),
                     0);
    assert_int_equal(apr_sockaddr_info_get(&addr, host, APR_UNSPEC, port, 0,
                                           pool), 0);
    return addr;
}

#define ANY_PORT 65535

/* Where this virtual host is. */
static void be_at(server_rec *s, const char *addresses)
{
    const apr_array_header_t *list = words(addresses);
    int i;

    for (i = list->nelts; i-- > 0; ) {
        server_addr_rec *addr = apr_pcalloc(pool, sizeof(*addr));

        addr->host_addr = address(APR_ARRAY_IDX(list, i, const char *));
        addr->host_port = addr->host_addr->port == ANY_PORT
            ? 0 : addr->host_addr->port;
        addr->next = s->addrs;
        s->addrs = addr;
    }
}

static void listen_at(const char *addresses)
{
    const apr_array_header_t *list = words(addresses);
    int i;

    ap_listeners = NULL;
    for (i = list->nelts; i-- > 0; ) {
        ap_listen_rec *listener = apr_pcalloc(pool, sizeof(*listener));

        listener->bind_addr = address(APR_ARRAY_IDX(list, i, const char *));
        listener->next = ap_listeners;
        ap_listeners = listener;
    }
}

/* "0: a.org@127.0.0.1:443 b.org@...; 1: ..." */
static const char *visits_text(void)
{
    acme_conf_t *conf = read_as(ACME_VHOSTS_QUIET);
    const char *text = "";
    int i, k;

    acme_visits_fill(conf, acme_conf_tree_read(pool), base, pool);
    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        text = apr_psprintf(pool, "%s%s%d:", text, i ? "; " : "", i);
        assert_int_equal(!cert->visits, !cert->visits_digest);
        for (k = 0; cert->visits && k < cert->visits->nelts; k++) {
            const acme_visit_t *visit = &APR_ARRAY_IDX(cert->visits, k,
                                                       acme_visit_t);

            text = apr_psprintf(pool, "%s %s@%s", text, visit->name,
                                visit->at->text);
            assert_non_null(strstr(visit->at->text, visit->at->address));
        }
    }
    return text;
}

/* "id: path path; id: path" */
static const char *exports_text(int *pfaults)
{
    const acme_conf_t *conf = read_as(ACME_VHOSTS_LOG);
    const char *text = "";
    int i, k;

    *pfaults = conf->export_faults;
    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        text = apr_pstrcat(pool, text, i ? "; " : "", cert->id, ":", NULL);
        for (k = 0; cert->exports && k < cert->exports->nelts; k++) {
            text = apr_pstrcat(pool, text, " ",
                               APR_ARRAY_IDX(cert->exports, k,
                                             acme_export_conf_t).path, NULL);
        }
    }
    return text;
}

static void where_visitors_get_it(void **state)
{
    static const struct {
        const char *name, *listen, *first, *second, *visits;
    } rows[] = {
        { "everywhere", "0.0.0.0:443 0.0.0.0:80", "0.0.0.0:443", NULL,
          "0: a.org@127.0.0.1:443 w.a.org@127.0.0.1:443" },
        { "everywhere, IPv6", "[::]:443", "[::]:443", NULL,
          "0: a.org@[::1]:443 w.a.org@[::1]:443" },
        { "one address", "192.0.2.1:443 192.0.2.2:443", "0.0.0.0:443", NULL,
          "0: a.org@192.0.2.1:443 a.org@192.0.2.2:443 w.a.org@192.0.2.1:443 w.a.org@192.0.2.2:443" },
        { "its own address", "0.0.0.0:443", "192.0.2.1:443", NULL,
          "0: a.org@192.0.2.1:443 w.a.org@192.0.2.1:443" },
        { "its own of several", "192.0.2.1:443 192.0.2.2:443",
          "192.0.2.2:443", NULL,
          "0: a.org@192.0.2.2:443 w.a.org@192.0.2.2:443" },
        { "nobody listens there", "192.0.2.1:443", "192.0.2.2:443", NULL,
          "0:" },
        { "nor at that port", "0.0.0.0:443", "0.0.0.0:8443", NULL, "0:" },
        { "any port", "192.0.2.1:443 192.0.2.1:8443", "0.0.0.0:65535", NULL,
          "0: a.org@192.0.2.1:443 a.org@192.0.2.1:8443 w.a.org@192.0.2.1:443 w.a.org@192.0.2.1:8443" },
        { "another has the address", "192.0.2.1:443 192.0.2.2:443",
          "0.0.0.0:443", "192.0.2.1:443",
          "0: b.org@192.0.2.1:443; 1: a.org@192.0.2.2:443 w.a.org@192.0.2.2:443" },
        { "another has this machine's", "0.0.0.0:443", "0.0.0.0:443",
          "127.0.0.1:443", "0: b.org@127.0.0.1:443; 1:" },
        { "two addresses, one way", "0.0.0.0:443", "192.0.2.1:443 "
          "192.0.2.1:65535 192.0.2.3:443", NULL,
          "0: a.org@192.0.2.1:443 a.org@192.0.2.3:443 w.a.org@192.0.2.1:443 w.a.org@192.0.2.3:443" },
        { "no IPv6 there", "0.0.0.0:443", "[2001:db8::1]:443", NULL, "0:" },
        { "IPv4 of a socket for both", "[::]:443", "192.0.2.1:443", NULL,
          "0: a.org@192.0.2.1:443 w.a.org@192.0.2.1:443" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *visits;

        begin();
        in_server("AcmeEngine on");
        listen_at(rows[i].listen);
        if (rows[i].second) {
            be_at(add_tls("ServerName b.org"), rows[i].second);
        }
        be_at(add_tls("ServerName a.org\nServerAlias w.a.org"), rows[i].first);
        visits = visits_text();
        if (strcmp(visits, rows[i].visits)) {
            fail_msg("%s: %s", rows[i].name, visits);
        }
    }
}

/* Names of the virtual host that the certificate has: others are nobody's. */
static void which_names_are_visited(void **state)
{
    static const struct {
        const char *name, *vhost, *visits;
    } rows[] = {
        { "its own", "ServerName A.org\nServerAlias b.org",
          "0: a.org@127.0.0.1:443 b.org@127.0.0.1:443" },
        { "a pattern", "ServerName a.org\nServerAlias *.a.org i?.org",
          "0: a.org@127.0.0.1:443" },
        { "a wildcard", "ServerName a.org\nServerAlias *.a.org\n"
          "AcmeNames auto *.a.org\nAcmeDns exec /bin/true",
          "0: a.org@127.0.0.1:443 *.a.org@127.0.0.1:443" },
        { "below a wildcard", "ServerName a.a.org\n"
          "AcmeNames *.a.org\nAcmeDns exec /bin/true",
          "0: a.a.org@127.0.0.1:443" },
        { "not there", "ServerName a.org\nAcmeNames auto b.org",
          "0: a.org@127.0.0.1:443" },
        { "excluded", "ServerName a.org\nServerAlias b.org\n"
          "AcmeNames a.org", "0: a.org@127.0.0.1:443" },
        { "no direct TLS", "SSLEngine optional\nServerName a.org", "0:" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *visits;

        begin();
        in_server("AcmeEngine on");
        listen_at("0.0.0.0:443");
        be_at(add_vhost(apr_pstrcat(pool, strstr(rows[i].vhost, "optional")
                                 ? "" : "SSLEngine on\n", rows[i].vhost,
                                 NULL)), "0.0.0.0:443");
        visits = visits_text();
        if (strcmp(visits, rows[i].visits)) {
            fail_msg("%s: %s", rows[i].name, visits);
        }
    }
}

static void visits_are_bounded_and_have_a_digest(void **state)
{
    const char *names = "ServerName a.org\nServerAlias", *digest;
    acme_conf_t *conf;
    server_rec *s;
    int i;

    (void)state;
    for (i = 0; i < 60; i++) {
        names = apr_psprintf(pool, "%s h%d.a.org", names, i);
    }
    in_server("AcmeEngine on");
    listen_at("192.0.2.1:443 192.0.2.2:443");
    s = add_tls(names);
    be_at(s, "0.0.0.0:443");
    conf = read_as(ACME_VHOSTS_QUIET);
    acme_visits_fill(conf, acme_conf_tree_read(pool), base, pool);
    assert_int_equal(acme_conf_cert(conf, 0)->visits->nelts, 64);
    digest = acme_conf_cert(conf, 0)->visits_digest;
    assert_int_equal(strlen(digest), 16);

    conf = read_as(ACME_VHOSTS_QUIET);
    APR_ARRAY_IDX(conf->certs, 0, acme_cert_conf_t).served = 2;
    acme_visits_fill(conf, acme_conf_tree_read(pool), base, pool);
    assert_string_not_equal(acme_conf_cert(conf, 0)->visits_digest, digest);
    conf = read_as(ACME_VHOSTS_QUIET);
    acme_visits_fill(conf, acme_conf_tree_read(pool), base, pool);
    assert_string_equal(acme_conf_cert(conf, 0)->visits_digest, digest);
}

static void exports_have_paths_of_their_own(void **state)
{
    const char *relative = at("");
    int faults;

    (void)state;
    in_server("AcmeEngine on\nAcmeStateDir acme\n"
              "AcmeExport /x/%{id}.pem pem\nAcmeExport y/%{ID}/ pem");
    add_tls("ServerName a.org\nAcmeExport /z/../x/A.%{type} key");
    add_tls("ServerName b.org\nAcmeExport none");
    add_tls("ServerName c.org\nAcmeExport none\nAcmeExport /x/c.pem pem");
    assert_string_equal(
        exports_text(&faults),
        apr_pstrcat(pool, "a.org: /x/a.org.pem ", relative, "y/a.org/ "
                    "/x/A.p256; b.org:; c.org: /x/c.pem", NULL));
    assert_int_equal(faults, 0);
    assert_string_equal(stubs_logged, "");
}

static void several_key_types_need_a_placeholder(void **state)
{
    int faults;

    (void)state;
    in_server("AcmeEngine on\nAcmeKeyTypes p256 rsa2048\n"
              "AcmeExport /x/%{id}-%{type}.pem pem");
    add_tls("ServerName a.org");
    assert_string_equal(exports_text(&faults),
                        "a.org: /x/a.org-p256.pem /x/a.org-rsa2048.pem");
    assert_string_equal(stubs_logged, "");

    /* Else the first one is meant, which is said once. */
    begin();
    in_server("AcmeEngine on\nAcmeKeyTypes p256 rsa2048\n"
              "AcmeExport /x/%{id}.pem pem");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org");
    assert_string_equal(exports_text(&faults),
                        "a.org: /x/a.org.pem; b.org: /x/b.org.pem");
    assert_int_equal(faults, 0);
    assert_logged("a.org has several AcmeKeyTypes");
    assert_null(strstr(stubs_logged, "b.org has several"));
}

static void one_path_is_for_one_certificate(void **state)
{
    int faults;

    (void)state;
    in_server("AcmeEngine on\nAcmeExport /x/all.pem pem");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org\nAcmeExport /x/all.pem/ key");
    assert_string_equal(exports_text(&faults), "a.org: /x/all.pem; b.org:");
    assert_int_equal(faults, 2);
    assert_logged("certificate b.org (" FILE_NAME ":");
    assert_logged("written for certificate a.org (" FILE_NAME ":");
    assert_logged("put %{id} in the path");
}

/* It is tried, and says why it fails; a server that is reloaded goes on. */
static void an_owner_that_is_missing_is_a_fault_of_the_copy(void **state)
{
    const char *first;
    int faults;

    (void)state;
    in_server("AcmeEngine on\nAcmeExport /x/%{id}.pem pem nosuchuser\n"
              "AcmeExport /x/%{id}.p12 pkcs12:nosuchfile");
    add_tls("ServerName a.org");
    add_tls("ServerName b.org");
    assert_string_equal(exports_text(&faults),
                        "a.org: /x/a.org.pem /x/a.org.p12; "
                        "b.org: /x/b.org.pem /x/b.org.p12");
    assert_int_equal(faults, 4);
    assert_logged("nosuchfile: ");
    first = strstr(stubs_logged, "'nosuchuser' is not a user");
    assert_non_null(first);
    assert_null(strstr(first + 1, "'nosuchuser' is not a user"));
}

static void the_store_is_no_place_for_copies(void **state)
{
    int faults;

    (void)state;
    in_server("AcmeEngine on");
    add_tls(apr_pstrcat(pool, "ServerName a.org\nAcmeExport ", scratch_dir,
                        "/live/x.pem pem", NULL));
    assert_string_equal(exports_text(&faults), "a.org:");
    assert_int_equal(faults, 1);
    assert_logged("is in AcmeStateDir");
}

static int setup(void **state)
{
    const int failed = scratch_setup(state);

    if (!failed) {
        begin();
    }
    return failed;
}

#define VHOSTS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VHOSTS_TEST(what_is_managed),
        VHOSTS_TEST(files_below_live_name_a_certificate),
        VHOSTS_TEST(who_else_has_the_files),
        VHOSTS_TEST(live_files_of_the_server_config_name_nothing),
        VHOSTS_TEST(live_files_are_found_by_any_path),
        VHOSTS_TEST(names_of_a_vhost),
        VHOSTS_TEST(vhosts_that_share),
        VHOSTS_TEST(challenges_that_can_work),
        VHOSTS_TEST(a_webroot_is_not_in_the_store),
        VHOSTS_TEST(a_dry_run_is_made_at_the_staging_environment),
        VHOSTS_TEST(an_account_for_each_ca_and_key_identifier),
        VHOSTS_TEST(a_way_for_each_proxy_and_roots),
        VHOSTS_TEST(settings_of_those_that_share),
        VHOSTS_TEST(external_accounts_of_cas),
        VHOSTS_TEST(what_cannot_work),
        VHOSTS_TEST(roots_that_workers_cannot_read),
        VHOSTS_TEST(more_names_than_a_certificate_holds),
        VHOSTS_TEST(the_terms_are_asked_for_once),
        VHOSTS_TEST(quiet_logs_nothing),
        VHOSTS_TEST(the_tree_has_files),
        VHOSTS_TEST(pairs_of_the_tree),
        VHOSTS_TEST(keys_may_come_first),
        VHOSTS_TEST(what_is_not_loaded_is_no_pair),
        VHOSTS_TEST(a_key_of_the_server_goes_with_a_vhost),
        VHOSTS_TEST(a_chain_file_is_inherited),
        VHOSTS_TEST(what_is_more_than_reading),
        VHOSTS_TEST(pass_phrases_are_asked_for_at_a_terminal),
        VHOSTS_TEST(a_listen_says_it_where_nobody_else_does),
        VHOSTS_TEST(names_of_mod_md),
        VHOSTS_TEST(exports_have_paths_of_their_own),
        VHOSTS_TEST(an_owner_that_is_missing_is_a_fault_of_the_copy),
        VHOSTS_TEST(several_key_types_need_a_placeholder),
        VHOSTS_TEST(one_path_is_for_one_certificate),
        VHOSTS_TEST(the_store_is_no_place_for_copies),
        VHOSTS_TEST(a_shared_pair_is_listed_once),
        VHOSTS_TEST(each_security_level_counts),
        VHOSTS_TEST(where_visitors_get_it),
        VHOSTS_TEST(which_names_are_visited),
        VHOSTS_TEST(visits_are_bounded_and_have_a_digest),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
