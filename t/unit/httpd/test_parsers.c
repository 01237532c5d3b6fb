/*
 * test_parsers.c - what each directive accepts, and what it says about the
 * rest.
 */
#include "scratch.h"

#include "acme_parsers_commands.h"
#include "acme_store.h"
#include "httpd_stubs.h"

#define HMAC "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* Whatever a parser fills. */
typedef union {
    int number;
    const char *text;
    apr_array_header_t *list;
    acme_challenges_t challenges;
    acme_ports_t ports;
    acme_key_reuse_t key_reuse;
    acme_profile_conf_t profile;
    acme_dns_conf_t *dns;
    acme_token_conf_t *http;
    acme_window_t window;
    apr_interval_time_t duration;
} field_t;

typedef const char *show_t(const field_t *field);

typedef struct {
    const char *name;
    const char *args;
    const char *shown;          /* the field, when args are good */
    const char *said;           /* else: "a|b", which the sentence says */
} row_t;

static const char *parse(field_t *field, acme_parser_t *parser,
                         const char *args)
{
    char **argv;
    int argc = 0;

    assert_int_equal(apr_tokenize_to_argv(args, &argv, pool), 0);
    while (argv[argc]) {
        argc++;
    }
    return parser(field, stubs_cmd(stubs_server("www.example.org", pool),
                                   pool), argc, argv);
}

static void assert_says(const char *name, const char *wrong, const char *said)
{
    char *last, *part, *copy = apr_pstrdup(pool, said);

    for (part = apr_strtok(copy, "|", &last); part;
         part = apr_strtok(NULL, "|", &last)) {
        if (!strstr(wrong, part)) {
            fail_msg("%s: \"%s\" does not say %s", name, wrong, part);
        }
    }
}

static void assert_rows(acme_parser_t *parser, show_t *show,
                        const row_t *rows, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        field_t field;
        const char *wrong, *shown;

        memset(&field, 0, sizeof(field));
        wrong = parse(&field, parser, rows[i].args);
        if (rows[i].said) {
            if (!wrong) {
                fail_msg("%s: accepted", rows[i].name);
            }
            assert_says(rows[i].name, wrong, rows[i].said);
            continue;
        }
        if (wrong) {
            fail_msg("%s: %s", rows[i].name, wrong);
        }
        shown = show(&field);
        if (strcmp(shown, rows[i].shown)) {
            fail_msg("%s: %s, not %s", rows[i].name, shown, rows[i].shown);
        }
    }
}

#define ASSERT_ROWS(parser, show, rows) \
    assert_rows(acme_parsers_##parser, show, rows, COUNT(rows))

static const char *show_number(const field_t *field)
{
    return apr_itoa(pool, field->number);
}

static const char *show_text(const field_t *field)
{
    return field->text;
}

static const char *show_list(const field_t *field)
{
    return apr_array_pstrcat(pool, field->list, ' ');
}

static const char *show_duration(const field_t *field)
{
    return apr_psprintf(pool, "%d",
                        (int)apr_time_sec(field->duration));
}

static void flags(void **state)
{
    static const row_t rows[] = {
        { "on", "on", "1", NULL },
        { "off", "off", "0", NULL },
        { "any case", "ON", "1", NULL },
        { "another word", "maybe", NULL, "'maybe'|on, off" },
        { "a number", "1", NULL, "'1'|on, off" },
        { "two", "on off", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(flag, show_number, rows);
}

static void the_terms(void **state)
{
    static const row_t rows[] = {
        { "agree", "agree", "1", NULL },
        { "any case", "Agree", "1", NULL },
        { "another word", "yes", NULL, "'yes'|agree" },
        { "two", "agree agree", NULL, "agree" },
    };

    (void)state;
    ASSERT_ROWS(agree, show_number, rows);
}

static void cas(void **state)
{
    static const row_t rows[] = {
        { "a shorthand", "letsencrypt",
          "https://acme-v02.api.letsencrypt.org/directory", NULL },
        { "a URL", "https://ca.example/dir", "https://ca.example/dir", NULL },
        { "in their order, each once",
          "ZeroSSL https://ca.example/dir zerossl",
          "https://acme.zerossl.com/v2/DV90 https://ca.example/dir", NULL },
        { "every shorthand",
          "letsencrypt-staging google sslcom actalis jprs buypass "
          "Buypass-Test",
          "https://acme-staging-v02.api.letsencrypt.org/directory "
          "https://dv.acme-v02.api.pki.goog/directory "
          "https://acme.ssl.com/sslcom-dv-rsa "
          "https://acme-api.actalis.com/acme/directory "
          "https://acme.amecert.jprs.jp/DV/getDirectory "
          "https://api.buypass.com/acme/directory "
          "https://api.test4.buypass.no/acme/directory", NULL },
        { "unknown", "nobody", NULL,
          "'nobody'|letsencrypt|letsencrypt-staging|zerossl|google|sslcom|"
          "actalis|jprs|buypass|buypass-test|https" },
        { "without TLS", "http://ca.example/dir", NULL,
          "'http://ca.example/dir'|https" },
        { "the second is wrong", "letsencrypt x", NULL, "'x'" },
    };

    (void)state;
    ASSERT_ROWS(cas, show_list, rows);
}

static void contacts(void **state)
{
    static const row_t rows[] = {
        { "an address", "a@example.org", "mailto:a@example.org", NULL },
        { "as a URL", "mailto:a@example.org", "mailto:a@example.org", NULL },
        { "two", "a@x.org b@x.org", "mailto:a@x.org mailto:b@x.org", NULL },
        { "no @", "nobody", NULL, "'nobody'|e-mail" },
        { "nobody before it", "@example.org", NULL, "e-mail" },
        { "nothing behind it", "a@", NULL, "e-mail" },
        { "two of them", "a@b@c", NULL, "e-mail" },
        { "a list in one", "a@x.org,b@x.org", NULL, "e-mail" },
        { "hfields", "a@x.org?subject=x", NULL, "e-mail" },
        { "a space", "'a b@x.org'", NULL, "e-mail" },
        { "another URL", "https://x.org", NULL, "'https://x.org'|e-mail" },
    };

    (void)state;
    ASSERT_ROWS(contacts, show_list, rows);
}

static const char *show_account(const field_t *field)
{
    const acme_external_account_t *account = &APR_ARRAY_IDX(
        field->list, 0, acme_external_account_t);

    return apr_psprintf(pool, "%s %s %s%s%s", account->kid,
                        account->hmac ? account->hmac : "-",
                        account->hmac_file ? account->hmac_file : "-",
                        account->ca ? " " : "",
                        account->ca ? account->ca : "");
}

static void external_accounts(void **state)
{
    const row_t rows[] = {
        { "inline", "kid " HMAC, "kid " HMAC " -", NULL },
        { "in a file", "kid file:hmac.key",
          apr_pstrcat(pool, "kid - ", at("hmac.key"), NULL), NULL },
        { "of an absolute path",
          apr_pstrcat(pool, "kid file:", at("hmac.key"), NULL),
          apr_pstrcat(pool, "kid - ", at("hmac.key"), NULL), NULL },
        { "no key", "kid", NULL, "key identifier|HMAC|file:path" },
        { "three", "kid " HMAC " x", NULL, "key identifier|file:path" },
        { "of one CA", "kid " HMAC " CA=https://a/", "kid " HMAC " - https://a/",
          NULL },
        { "of a CA that is none", "kid " HMAC " ca=x", NULL,
          "'x'|letsencrypt" },
        { "a blank identifier", "\" \" " HMAC, NULL, "key identifier" },
        { "an empty one", "\"\" " HMAC, NULL, "key identifier" },
        { "not UTF-8", "\xff " HMAC, NULL, "key identifier|UTF-8" },
        { "any case", "kid FILE:hmac.key",
          apr_pstrcat(pool, "kid - ", at("hmac.key"), NULL), NULL },
        { "not base64url", "kid a+b/c", NULL, "base64url" },
        { "no such file", "kid file:none", NULL, "none|No such file" },
        { "others can read it", "kid file:open.key", NULL,
          "open.key|0644|0600" },
        { "nothing good in it", "kid file:bad.key", NULL, "bad.key|base64" },
    };

    (void)state;
    put(at("hmac.key"), HMAC "\n");
    put(at("open.key"), HMAC "\n");
    put(at("bad.key"), "???\n");
    assert_int_equal(chmod(at("hmac.key"), 0600), 0);
    assert_int_equal(chmod(at("bad.key"), 0600), 0);
    ASSERT_ROWS(external_accounts, show_account, rows);
}

/* One for each CA, and one for the others; a second one replaces it. */
static void external_accounts_add_up(void **state)
{
    static const char *const lines[] = {
        "a " HMAC, "b " HMAC " ca=zerossl", "c " HMAC " ca=google",
        "d " HMAC " ca=ZeroSSL", "e " HMAC
    };
    const char *text = "";
    field_t field = { .list = NULL };
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < COUNT(lines); i++) {
        assert_null(parse(&field, acme_parsers_external_accounts, lines[i]));
    }
    for (k = 0; k < field.list->nelts; k++) {
        text = apr_pstrcat(pool, text, APR_ARRAY_IDX(
            field.list, k, acme_external_account_t).kid, NULL);
    }
    assert_string_equal(text, "edc");
}

/* What httpd has of it is overwritten: a worker would inherit it. */
static void a_secret_is_overwritten(void **state)
{
    char kid[] = "kid", secret[] = HMAC;
    char *argv[] = { kid, secret, NULL };
    field_t field = { .list = NULL };

    (void)state;
    assert_null(acme_parsers_external_accounts(
        &field, stubs_cmd(stubs_server("x", pool), pool), 2, argv));
    assert_string_equal(APR_ARRAY_IDX(field.list, 0,
                                      acme_external_account_t).hmac, HMAC);
    assert_int_equal(strlen(secret), 0);
}

static void ids(void **state)
{
    static const row_t rows[] = {
        { "a name", "www.example.org", "www.example.org", NULL },
        { "a wildcard", "*.example.org", "_.example.org", NULL },
        { "a folder above", "../x", NULL, "letters, digits|'.'" },
        { "hidden", ".x", NULL, "begin with '.'" },
        { "a slash", "a/b", NULL, "letters" },
        { "two", "a b", NULL, "one id" },
    };
    char longest[ACME_ID_MAX + 2];
    field_t field;

    (void)state;
    ASSERT_ROWS(id, show_text, rows);
    memset(longest, 'a', sizeof(longest));
    longest[ACME_ID_MAX + 1] = '\0';
    assert_non_null(parse(&field, acme_parsers_id, longest));
    longest[ACME_ID_MAX] = '\0';
    assert_null(parse(&field, acme_parsers_id, longest));
}

static void names(void **state)
{
    static const row_t rows[] = {
        { "auto", "auto", "auto", NULL },
        { "auto in any case", "AUTO", "auto", NULL },
        { "in one form", "WWW.Example.org.", "www.example.org", NULL },
        { "a wildcard and an address", "auto *.example.org 192.0.2.1",
          "auto *.example.org 192.0.2.1", NULL },
        { "an empty label", "a..example", NULL, "a..example" },
        { "a wildcard within", "a.*.example", NULL, "a.*.example" },
        { "the second is wrong", "auto x..y", NULL, "x..y" },
    };

    (void)state;
    ASSERT_ROWS(names, show_list, rows);
}

static const char *show_challenges(const field_t *field)
{
    const char *text = "";
    int i;

    for (i = 0; i < field->challenges.n; i++) {
        text = apr_pstrcat(pool, text, i ? " " : "", acme_challenge_name(
            (acme_challenge_e)field->challenges.types[i]), NULL);
    }
    return text;
}

static void challenges(void **state)
{
    static const row_t rows[] = {
        { "one", "dns-01", "dns-01", NULL },
        { "all, in their order",
          "dns-persist-01 dns-01 tls-alpn-01 http-01",
          "dns-persist-01 dns-01 tls-alpn-01 http-01", NULL },
        { "each once, however often",
          "http-01 dns-01 http-01 http-01 dns-01 http-01",
          "http-01 dns-01", NULL },
        { "any case", "HTTP-01 Dns-01", "http-01 dns-01", NULL },
        { "unknown", "tls-sni-01", NULL,
          "'tls-sni-01'|http-01|tls-alpn-01|dns-01|dns-persist-01" },
    };

    (void)state;
    ASSERT_ROWS(challenges, show_challenges, rows);
}

static const char *show_ports(const field_t *field)
{
    return apr_psprintf(pool, "%d %d", field->ports.http,
                        field->ports.https);
}

static void ports(void **state)
{
    static const row_t rows[] = {
        { "both", "http:8080 https:8443", "8080 8443", NULL },
        { "in any order", "https:8443 http:8080", "8080 8443", NULL },
        { "one keeps the other's default", "http:8080", "8080 443", NULL },
        { "none", "http:- https:-", "0 0", NULL },
        { "the lowest and the highest", "http:1 https:65535", "1 65535",
          NULL },
        { "too low", "http:0", NULL, "'0'|1 to 65535|-" },
        { "too high", "https:65536", NULL, "'65536'|1 to 65535" },
        { "below nothing", "http:-1", NULL, "'-1'|1 to 65535" },
        { "no number", "http:x", NULL, "'x'|1 to 65535" },
        { "with a rest", "http:80x", NULL, "'80x'" },
        { "no colon", "8080", NULL, "http:port|https:port" },
        { "nothing behind it", "http:", NULL, "http:port|https:port" },
        { "another protocol", "ftp:21", NULL,
          "'ftp:21'|http:port, https:port" },
    };

    (void)state;
    ASSERT_ROWS(ports, show_ports, rows);
}

static const char *show_key_types(const field_t *field)
{
    const char *text = "";
    int i;

    for (i = 0; i < field->list->nelts; i++) {
        text = apr_pstrcat(pool, text, i ? " " : "", acme_key_type_name(
            APR_ARRAY_IDX(field->list, i, acme_key_type_e)), NULL);
    }
    return text;
}

static void key_types(void **state)
{
    static const row_t rows[] = {
        { "one", "p384", "p384", NULL },
        { "several", "rsa2048 p256 p384", "rsa2048 p256 p384", NULL },
        { "any case", "RSA4096", "rsa4096", NULL },
        { "unknown", "dsa1024", NULL,
          "dsa1024|p256|p384|rsa2048|rsa3072|rsa4096" },
        { "twice", "p256 p256", NULL, "'p256'|once" },
        { "two sizes of RSA", "rsa2048 rsa3072", NULL,
          "'rsa3072'|'rsa2048'|RSA" },
    };

    (void)state;
    ASSERT_ROWS(key_types, show_key_types, rows);
}

static const char *show_key_reuse(const field_t *field)
{
    return apr_psprintf(pool, "%d %" APR_TIME_T_FMT, (int)field->key_reuse.how,
                        apr_time_sec(field->key_reuse.age));
}

static void key_reuse(void **state)
{
    static const row_t rows[] = {
        { "off", "off", "0 0", NULL },
        { "on", "ON", "1 0", NULL },
        { "next", "next", "2 172800", NULL },
        { "next and a duration", "Next 12h", "2 43200", NULL },
        { "unknown", "yes", NULL, "'yes'|on|off|next" },
        { "a wrong duration", "next soon", NULL, "soon" },
        { "none", "next 0s", NULL, "0s" },
        { "a duration of on", "on 1d", NULL, "takes on, off, or next" },
        { "too many", "next 1d 2d", NULL, "takes on, off, or next" },
    };

    (void)state;
    ASSERT_ROWS(key_reuse, show_key_reuse, rows);
}

static const char *show_profile(const field_t *field)
{
    return apr_psprintf(pool, "%s %d", field->profile.name,
                        field->profile.required);
}

static void profiles(void **state)
{
    static const row_t rows[] = {
        { "a name", "shortlived", "shortlived 0", NULL },
        { "required", "shortlived required", "shortlived 1", NULL },
        { "in any case", "shortlived Required", "shortlived 1", NULL },
        { "another word", "shortlived please", NULL, "name|required" },
        { "three", "shortlived required x", NULL, "name|required" },
        { "not UTF-8", "\xff\xfe", NULL, "profile|UTF-8" },
        { "an umlaut", "k\xc3\xbcrz", "k\xc3\xbcrz 0", NULL },
        { "blank", "\" \"", NULL, "profile|empty" },
        { "control", "a\001", NULL, "profile|control" },
        { "longer than one can be", "0123456789012345678901234567890123456789"
          "0123456789012345678901234", NULL, "profile|too long" },
    };

    (void)state;
    ASSERT_ROWS(profile, show_profile, rows);
}

static void texts(void **state)
{
    static const row_t rows[] = {
        { "a word", "Root", "Root", NULL },
        { "quoted", "\"ISRG Root X1\"", "ISRG Root X1", NULL },
        { "not quoted", "ISRG Root X1", NULL, "one argument|quotes" },
        { "empty", "\"\"", NULL, "one argument" },
    };

    (void)state;
    ASSERT_ROWS(text, show_text, rows);
}

static const char *command(const char *name)
{
    put(at("%s", name), "#!/bin/sh\n");
    assert_int_equal(chmod(at("%s", name), 0755), 0);
    return at("%s", name);
}

static const char *show_hook(const field_t *field)
{
    const acme_hook_conf_t *hook = &APR_ARRAY_IDX(field->list, 0,
                                                  acme_hook_conf_t);

    return apr_psprintf(pool, "%d %d %s", field->list->nelts,
                        (int)hook->kind,
                        hook->command ? apr_array_pstrcat(pool, hook->command,
                                                          ' ') : "none");
}

static void hooks(void **state)
{
    const char *run = command("run");
    const row_t rows[] = {
        { "relative", "notify run",
          apr_pstrcat(pool, "1 3 ", run, NULL), NULL },
        { "with arguments", apr_pstrcat(pool, "notify ", run, " a b", NULL),
          apr_pstrcat(pool, "1 3 ", run, " a b", NULL), NULL },
        { "any case", "Pre run",
          apr_pstrcat(pool, "1 0 ", run, NULL), NULL },
        { "post", "post run", apr_pstrcat(pool, "1 1 ", run, NULL), NULL },
        { "deploy", "deploy run", apr_pstrcat(pool, "1 2 ", run, NULL), NULL },
        { "none of them", "deploy NONE", "1 2 none", NULL },
        { "a command of that name", apr_pstrcat(pool, "post ", run, " none",
                                                NULL),
          apr_pstrcat(pool, "1 1 ", run, " none", NULL), NULL },
        { "no command", "notify", NULL, "event|command" },
        { "another event", "renew run", NULL,
          "'renew'|pre, post, deploy, notify" },
        { "no such command", "notify gone", NULL, "'gone'|No such file" },
        { "not executable", "notify plain", NULL, "'plain'|denied" },
        { "a folder", "notify .", NULL, "'.'|program" },
    };
    field_t field = { .list = NULL };

    (void)state;
    put(at("plain"), "");
    ASSERT_ROWS(commands_hook, show_hook, rows);

    /* The one directive that adds to what was said before. */
    assert_null(parse(&field, acme_parsers_commands_hook, "notify run a"));
    assert_null(parse(&field, acme_parsers_commands_hook, "notify run b"));
    assert_int_equal(field.list->nelts, 2);
    assert_null(parse(&field, acme_parsers_commands_hook, "post run"));
    assert_null(parse(&field, acme_parsers_commands_hook, "notify none"));
    assert_int_equal(field.list->nelts, 2);     /* post, and the reset */
}

static const char *show_export(const field_t *field)
{
    const acme_export_conf_t *export =
        &APR_ARRAY_IDX(field->list, 0, acme_export_conf_t);

    if (export->no_owner || export->no_password) {
        return export->no_owner ? export->no_owner : export->no_password;
    }
    return apr_psprintf(pool, "%s %d %04o %d:%d%s%s", export->path,
                        export->format, (unsigned)export->mode,
                        (int)export->uid, (int)export->gid,
                        export->password_file ? " " : "",
                        export->password_file ? export->password_file : "");
}

static void exports(void **state)
{
    const char *own = apr_psprintf(pool, "%d:%d", (int)geteuid(),
                                   (int)getegid());
#define OWN(text) apr_psprintf(pool, text, own)
    const row_t rows[] = {
        { "all in one", "/x/a.pem pem", OWN("/x/a.pem 0 0600 %s"), NULL },
        { "no key", "/x/a.pem fullchain", OWN("/x/a.pem 1 0644 %s"), NULL },
        { "the key", "x/key.pem KEY", OWN("x/key.pem 2 0600 %s"), NULL },
        { "the chain", "/x/chain chain", OWN("/x/chain 3 0644 %s"), NULL },
        { "the leaf", "/x/leaf der", OWN("/x/leaf 4 0644 %s"), NULL },
        { "PKCS#12", "/x/a.p12 pkcs12:pw",
          apr_psprintf(pool, "/x/a.p12 5 0600 %s %s", own, at("pw")), NULL },
        { "placeholders", "/x/%{id}/%{Type}/ pem",
          OWN("/x/%%{id}/%%{Type}/ 0 0600 %s"), NULL },
        { "a percent sign", "/x/100%/a pem", OWN("/x/100%%/a 0 0600 %s"),
          NULL },
        { "a mode", "/x/a pem 0640", OWN("/x/a 0 0640 %s"), NULL },
        { "of three digits", "/x/a der 444", OWN("/x/a 4 0444 %s"), NULL },
        { "a user", "/x/a pem daemon", "/x/a 0 0600 1:1", NULL },
        { "mode and user", "/x/a pem 0400 daemon", "/x/a 0 0400 1:1", NULL },
        { "a group", "/x/a pem 0640 root:daemon", "/x/a 0 0640 0:1", NULL },
        { "numbers", "/x/a pem 0640 12345:23456", "/x/a 0 0640 12345:23456",
          NULL },
        { "a path alone", "/x/a", NULL, "takes a path, a format" },
        { "too many", "/x/a pem 0600 root root", NULL, "takes a path" },
        { "two owners", "/x/a pem root root", NULL, "'root' is not a mode" },
        { "an unknown format", "/x/a jks", NULL, "'jks'|fullchain|pkcs12:file" },
        { "an unknown placeholder", "/x/%{name} pem", NULL,
          "%{name}|%{id}, %{type}" },
        { "no path", "'' pem", NULL, "not a valid path" },
        { "no octal digits", "/x/a pem 0680", NULL, "'0680' is not a mode" },
        { "too many digits", "/x/a pem 00640", NULL, "'00640'" },
        { "set-user-ID", "/x/a pem 4600", NULL, "'4600'" },
        { "executable", "/x/a der 0755", NULL, "not executed" },
        { "written by all", "/x/a der 0666", NULL, "nobody but the owner" },
        { "a key for all", "/x/a pem 0644", NULL, "mode 0644|private key" },
        { "also alone", "/x/a key 0604", NULL, "private key" },
        { "also in PKCS#12", "/x/a pkcs12:pw 0644", NULL, "private key" },
        { "no group", "/x/a pem root:", NULL, "'root:' is not an owner" },
        { "no user", "/x/a pem :root", NULL, "':root' is not an owner" },
        { "no password file", "/x/a pkcs12:", NULL, "file with the password" },
        { "a mode behind a missing one", "/x/a pkcs12:none 0644", NULL,
          "private key" },
        /* What may change while httpd runs must not end it at a reload. */
        { "an unknown user", "/x/a pem nosuchuser",
          "'nosuchuser' is not a user of this system", NULL },
        { "an unknown group", "/x/a pem root:nosuchgroup",
          "'nosuchgroup' is not a group of this system", NULL },
        { "a number without a group", "/x/a pem 0600 12345",
          "'12345' is not a user of this system, so it needs a group: 12345:group",
          NULL },
        { "a missing password file", "/x/a pkcs12:none",
          apr_pstrcat(pool, at("none"), ": cannot open: No such file or directory", NULL), NULL },
        { "one for all", "/x/a pkcs12:open",
          apr_pstrcat(pool, at("open"), ": other users can read it (mode 0644); set its mode to 0600 or 0640", NULL), NULL },
        { "an empty one", "/x/a pkcs12:empty",
          apr_pstrcat(pool, at("empty"), ": its first line is not a password: it is empty or has control characters", NULL), NULL },
    };
    field_t field = { .list = NULL };

    (void)state;
    put(at("pw"), "secret\n");
    put(at("open"), "secret\n");
    put(at("empty"), "");
    assert_int_equal(chmod(at("pw"), 0640), 0);
    assert_int_equal(chmod(at("open"), 0644), 0);
    assert_int_equal(chmod(at("empty"), 0600), 0);
    ASSERT_ROWS(commands_exports, show_export, rows);

    assert_null(parse(&field, acme_parsers_commands_exports, "/x/a pem"));
    assert_null(parse(&field, acme_parsers_commands_exports, "/x/b key"));
    assert_int_equal(field.list->nelts, 2);
}

static const char *show_dns(const field_t *field)
{
    const acme_dns_conf_t *dns = field->dns;

    if (dns->how == ACME_DNS_RFC2136) {
        return apr_psprintf(pool, "rfc2136 %s %s %s %s", dns->server,
                            dns->port, dns->key_file,
                            dns->zone ? dns->zone : "auto");
    }
    return apr_psprintf(pool, "exec %d %s %s", dns->call,
                        apr_array_pstrcat(pool, dns->present, ' '),
                        dns->cleanup ? apr_array_pstrcat(pool, dns->cleanup,
                                                         ' ') : "-");
}

static const char *line(const char *fmt, const char *path)
{
    return apr_psprintf(pool, fmt, path, path);
}

static void dns(void **state)
{
    const char *run = command("run");
    const char *key = at("tsig.key");
    const row_t rows[] = {
        { "a command", "exec run", line("exec 0 %s -", run), NULL },
        { "one for each", "exec run run", line("exec 0 %s %s", run), NULL },
        { "mod_md's", "exec:mod_md run", line("exec 1 %s -", run), NULL },
        { "dehydrated's", "exec:dehydrated run", line("exec 2 %s -", run),
          NULL },
        { "with options", "exec run --zone x.org follow=off",
          line("exec 0 %s --zone x.org -", run), NULL },
        { "an option that is a program", "exec:mod_md run -x run",
          line("exec 1 %s -x run -", run), NULL },
        { "no command", "exec", NULL, "exec|command|cleanup" },
        { "no command with options", "exec none -x", NULL,
          "'none'|No such file" },
        { "three", "exec run run run", NULL, "exec|command|cleanup" },
        { "no such command", "exec none", NULL, "'none'|No such file" },
        { "nor for the cleanup", "exec run none", NULL, "'none'" },
        { "an update", "rfc2136 server=192.0.2.53 key=tsig.key",
          line("rfc2136 192.0.2.53 53 %s auto", key), NULL },
        { "with all", "rfc2136 zone=x.org key=tsig.key server=[::1]:5353",
          line("rfc2136 ::1 5353 %s x.org", key), NULL },
        { "a zone that is no host's name",
          "rfc2136 server=ns key=tsig.key zone=_acme-challenge.x.org",
          line("rfc2136 ns 53 %s _acme-challenge.x.org", key), NULL },
        { "any case", "RFC2136 SERVER=ns KEY=tsig.key ZONE=Auto",
          line("rfc2136 ns 53 %s auto", key), NULL },
        { "any case of exec", "Exec:Mod_md run", line("exec 1 %s -", run),
          NULL },
        { "zone=auto", "rfc2136 server=ns key=tsig.key zone=auto",
          line("rfc2136 ns 53 %s auto", key), NULL },
        { "no server", "rfc2136 key=tsig.key", NULL, "server=|key=" },
        { "no key", "rfc2136 server=ns", NULL, "server=|key=" },
        { "a port alone", "rfc2136 server=53 key=tsig.key", NULL,
          "'53'|host" },
        { "a wrong port", "rfc2136 server=ns:70000 key=tsig.key", NULL,
          "'ns:70000'|host" },
        { "no such key", "rfc2136 server=ns key=none", NULL,
          "'none'|No such file" },
        { "a zone with a space", "rfc2136 server=ns key=tsig.key 'zone=a b'",
          NULL, "'a b'|zone=auto" },
        { "one like an option", "rfc2136 server=ns key=tsig.key zone=-d",
          NULL, "'-d'|zone=auto" },
        { "no zone", "rfc2136 server=ns key=tsig.key zone=", NULL,
          "''|zone=auto" },
        { "another setting", "rfc2136 ttl=60", NULL,
          "'ttl=60'|server=host[:port]|key=file|zone=auto" },
        { "another way", "route53 x", NULL,
          "'route53'|exec|exec:mod_md|exec:dehydrated|rfc2136" },
    };

    (void)state;
    put(key, "key");
    ASSERT_ROWS(commands_dns, show_dns, rows);
}

static const char *show_http(const field_t *field)
{
    const acme_token_conf_t *http = field->http;

    if (http->how == ACME_TOKEN_WEBROOT) {
        return apr_pstrcat(pool, "webroot ", http->root, NULL);
    }
    return apr_psprintf(pool, "exec %s %s",
                        apr_array_pstrcat(pool, http->present, ' '),
                        http->cleanup ? apr_array_pstrcat(pool, http->cleanup,
                                                          ' ') : "-");
}

static void http(void **state)
{
    const row_t rows[] = {
        { "a command", apr_pstrcat(pool, "exec ", at("run"), NULL),
          apr_pstrcat(pool, "exec ", at("run"), " -", NULL), NULL },
        { "and one for the cleanup",
          apr_pstrcat(pool, "EXEC ", at("run"), " ", at("run"), NULL),
          apr_pstrcat(pool, "exec ", at("run"), " ", at("run"), NULL), NULL },
        { "a folder", apr_pstrcat(pool, "webroot ", at("www"), NULL),
          apr_pstrcat(pool, "webroot ", at("www"), NULL), NULL },
        { "no command", "exec", NULL, "exec takes a command" },
        { "three", "exec a b c", NULL, "exec takes a command" },
        { "a missing one", "exec /none", NULL, "'/none'|No such file" },
        { "one that is not executable",
          apr_pstrcat(pool, "exec ", at("text"), NULL), NULL, "ermission" },
        { "a folder as a command", apr_pstrcat(pool, "exec ", at("www"), NULL),
          NULL, "is not a program" },
        { "no folder", "webroot", NULL, "webroot takes a folder" },
        { "two", "webroot /a /b", NULL, "webroot takes a folder" },
        { "a missing one", "webroot /none", NULL, "'/none'|No such file" },
        { "a file", apr_pstrcat(pool, "webroot ", at("text"), NULL), NULL,
          "is not a folder" },
        { "anything else", "file x", NULL, "'file'|exec, webroot" }
    };

    (void)state;
    put(at("run"), "");
    chmod(at("run"), 0755);
    put(at("text"), "");
    mkdir(at("www"), 0755);
    ASSERT_ROWS(commands_http, show_http, rows);
}

static const char *show_window(const field_t *field)
{
    return apr_psprintf(pool, "%d%% %d", field->window.percent,
                        (int)apr_time_sec(field->window.duration));
}

static void windows(void **state)
{
    static const row_t rows[] = {
        { "a part", "33%", "33% 0", NULL },
        { "the least and the most", "1%", "1% 0", NULL },
        { "the most", "99%", "99% 0", NULL },
        { "a duration", "30d", "0% 2592000", NULL },
        { "nothing", "0%", NULL, "0%|1% to 99%" },
        { "all", "100%", NULL, "100%|1% to 99%" },
        { "no unit", "30", NULL, "30|1% to 99%|30d" },
        { "two", "30d 33%", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(window, show_window, rows);
}

static void durations(void **state)
{
    static const row_t rows[] = {
        { "seconds", "5s", "5", NULL },
        { "minutes", "10m", "600", NULL },
        { "hours", "12h", "43200", NULL },
        { "the longest", "3650d", "315360000", NULL },
        { "longer", "3651d", NULL, "3651d|at most 3650d" },
        { "nothing", "0s", NULL, "0s|30s" },
        { "a word", "soon", NULL, "soon|s, m, h or d" },
        { "two", "5s 5s", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(duration, show_duration, rows);
}

static void parallel(void **state)
{
    static const row_t rows[] = {
        { "the least", "1", "1", NULL },
        { "the most", "64", "64", NULL },
        { "none", "0", NULL, "1 to 64" },
        { "more", "65", NULL, "1 to 64" },
        { "less than none", "-1", NULL, "1 to 64" },
        { "far more", "99999999999999999999", NULL, "1 to 64" },
        { "no number", "x", NULL, "1 to 64" },
        { "with a rest", "4x", NULL, "1 to 64" },
        { "two", "4 4", NULL, "1 to 64" },
    };

    (void)state;
    ASSERT_ROWS(parallel, show_number, rows);
}

static void activation(void **state)
{
    const row_t rows[] = {
        { "graceful", "graceful", apr_itoa(pool, ACME_ACTIVATE_GRACEFUL),
          NULL },
        { "none", "None", apr_itoa(pool, ACME_ACTIVATE_NONE), NULL },
        { "live", "LIVE", apr_itoa(pool, ACME_ACTIVATE_LIVE), NULL },
        { "unknown", "now", NULL, "'now'|graceful, live, none" },
        { "two", "none none", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(activate, show_number, rows);
}

static void https(void **state)
{
    const row_t rows[] = {
        { "off", "off", apr_itoa(pool, ACME_HTTPS_OFF), NULL },
        { "temporary", "temporary", apr_itoa(pool, ACME_HTTPS_TEMPORARY),
          NULL },
        { "permanent", "Permanent", apr_itoa(pool, ACME_HTTPS_PERMANENT),
          NULL },
        { "on", "on", NULL, "'on'|off, temporary, permanent" },
        { "two", "off off", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(require_https, show_number, rows);
}

static void paths(void **state)
{
    static const row_t rows[] = {
        { "absolute", "/var/lib/acme", "/var/lib/acme", NULL },
        { "kept as it was written", "conf/root.pem", "conf/root.pem", NULL },
        { "two", "a b", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(path, show_text, rows);
}

static void proxies(void **state)
{
    static const row_t rows[] = {
        { "http", "http://proxy:3128", "http://proxy:3128", NULL },
        { "https", "https://proxy:3128", "https://proxy:3128", NULL },
        { "socks", "socks5h://proxy:1080", "socks5h://proxy:1080", NULL },
        { "any case", "HTTP://proxy:3128", "HTTP://proxy:3128", NULL },
        { "an address", "http://[::1]:3128/", "http://[::1]:3128/", NULL },
        { "a name and a password", "http://u:p@proxy:3128",
          "http://u:p@proxy:3128", NULL },
        { "no host", "http://", NULL, "'http://'|http://host:port" },
        { "a port alone", "http://:3128", NULL, "http://host:port" },
        { "a port too high", "http://h:99999", NULL, "http://h:99999" },
        { "port 0", "http://h:0", NULL, "http://h:0" },
        { "a port that is none", "http://h:x", NULL, "http://h:x" },
        { "a path", "http://h:3128/x", NULL, "http://h:3128/x" },
        { "another scheme", "socks4://proxy:1080", NULL,
          "'socks4://proxy:1080'|http://host:port|https://host:port|"
          "socks5h://host:port" },
        { "none", "proxy:3128", NULL, "http://host:port" },
        { "two", "http://a http://b", NULL, "takes one argument" },
    };

    (void)state;
    ASSERT_ROWS(proxy, show_text, rows);
}

static int setup(void **state)
{
    const int failed = scratch_setup(state);

    stubs_reset(scratch_dir);
    return failed;
}

#define PARSERS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PARSERS_TEST(flags),
        PARSERS_TEST(the_terms),
        PARSERS_TEST(cas),
        PARSERS_TEST(contacts),
        PARSERS_TEST(external_accounts),
        PARSERS_TEST(external_accounts_add_up),
        PARSERS_TEST(a_secret_is_overwritten),
        PARSERS_TEST(ids),
        PARSERS_TEST(names),
        PARSERS_TEST(challenges),
        PARSERS_TEST(ports),
        PARSERS_TEST(key_types),
        PARSERS_TEST(key_reuse),
        PARSERS_TEST(profiles),
        PARSERS_TEST(texts),
        PARSERS_TEST(hooks),
        PARSERS_TEST(exports),
        PARSERS_TEST(dns),
        PARSERS_TEST(http),
        PARSERS_TEST(windows),
        PARSERS_TEST(durations),
        PARSERS_TEST(parallel),
        PARSERS_TEST(activation),
        PARSERS_TEST(https),
        PARSERS_TEST(paths),
        PARSERS_TEST(proxies),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
