/*
 * test_import.c - what is pure in it: words of directives, settings of shells,
 * keys, and httpd's configuration as lines.
 */
#include "scratch.h"

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_import_acme_sh.h"
#include "acme_import_certbot.h"
#include "acme_import_file.h"
#include "acme_import_found.h"
#include "acme_import_hook.h"
#include "acme_import_trust.h"
#include "acme_import_vhosts.h"
#include "acme_import_words.h"
#include "acme_jwk_key.h"

static void a_text_becomes_one_word(void **state)
{
    static const struct {
        const char *text;
        const char *word;
    } rows[] = {
        { "/var/www", "/var/www" },
        { "ISRG Root X1", "\"ISRG Root X1\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "#no comment", "\"#no comment\"" },
        { "", "\"\"" },
        { "two\nlines", NULL },
        { "${PATH}", NULL },
        { "bell\a", NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *word = acme_import_words_quote(rows[i].text, pool);

        if (!rows[i].word) {
            assert_null(word);
        }
        else {
            assert_string_equal(word, rows[i].word);
        }
    }
}

static void a_command_line_is_run_without_a_shell_if_it_can(void **state)
{
    (void)state;
    assert_string_equal(acme_import_words_command("/bin/sh -e x", pool),
                        "/bin/sh -e x");
    assert_string_equal(acme_import_words_command("/bin/sh x; rm y", pool),
                        "/bin/sh -c \"/bin/sh x; rm y\"");
    assert_string_equal(acme_import_words_command("no-such-command", pool),
                        "/bin/sh -c no-such-command");
    assert_null(acme_import_words_command("  ", pool));
    assert_null(acme_import_words_command("a\nAcmeEngine off", pool));
    assert_null(acme_import_words_program("/bin/sh -c x", pool));
    assert_null(acme_import_words_program("/etc", pool));
    assert_null(acme_import_words_program("/etc/passwd", pool));
}

static void commands_about_a_web_server_are_known(void **state)
{
    static const struct {
        const char *line;
        int is_about;
    } rows[] = {
        { "systemctl reload apache2", 1 },
        { "service apache2 stop", 1 },
        { "invoke-rc.d apache2 stop || true", 1 },
        { "rc-service httpd stop", 1 },
        { "/usr/sbin/apachectl graceful; mail root", 1 },
        { "apache2ctl -k graceful-stop", 1 },
        { "sh -c 'true && systemctl restart httpd.service'", 1 },
        { "kill -USR1 $(cat /run/httpd.pid)", 1 },
        { "killall apache2", 1 },
        { "nginx -s reload", 1 },
        { "systemctl reload postfix", 0 },
        { "cp /etc/httpd/x /etc/restarted", 0 },
        { "/usr/local/bin/deploy --all", 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (acme_import_words_is_about_server(rows[i].line)
            != rows[i].is_about) {
            fail_msg("%s", rows[i].line);
        }
    }
    assert_true(acme_import_words_is_script_about_server(
        "#!/bin/sh\n# apache\n  systemctl stop apache2\n", pool));
    assert_false(acme_import_words_is_script_about_server(
        "#!/bin/sh\n# stop apache2\n systemctl stop dovecot\n", pool));
}

/* Only deploy commands that leave web servers alone are directives. */
static void a_hook_that_could_end_httpd_is_a_note(void **state)
{
    static const struct {
        const char *event;
        const char *command;
        const char *line;
        const char *note;
    } rows[] = {
        { "pre", "/bin/sh -e x", NULL,
          "check first: AcmeHook pre /bin/sh -e x (setting)" },
        { "post", "/bin/sh -e x", NULL,
          "check first: AcmeHook post /bin/sh -e x (setting)" },
        { "pre", "service apache2 stop", NULL, "is left out" },
        { "deploy", "true; systemctl restart httpd", NULL, "is left out" },
        { "deploy", "/bin/sh -e x", "AcmeHook deploy /bin/sh -e x", NULL },
        { "deploy", "a\nb", NULL, "cannot be written" }
    };
    const acme_import_file_tree_t tree = { .root = scratch_dir, .p = pool };
    apr_array_header_t *lines, *notes;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        lines = apr_array_make(pool, 1, sizeof(const char *));
        notes = apr_array_make(pool, 1, sizeof(const char *));
        acme_import_hook_add(lines, notes, &tree, rows[i].event,
                             rows[i].command, "setting");
        assert_int_equal(lines->nelts, rows[i].line != NULL);
        assert_int_equal(notes->nelts, rows[i].note != NULL);
        if (rows[i].line) {
            assert_string_equal(APR_ARRAY_IDX(lines, 0, const char *),
                                rows[i].line);
        }
        else {
            assert_non_null(strstr(APR_ARRAY_IDX(notes, 0, const char *),
                                   rows[i].note));
        }
    }
    lines = apr_array_make(pool, 1, sizeof(const char *));
    notes = apr_array_make(pool, 1, sizeof(const char *));
    put(at("script"), "#!/bin/sh\nsystemctl stop apache2\n");
    acme_import_hook_add(lines, notes, &tree, "deploy", at("script"), "x");
    assert_int_equal(lines->nelts, 0);
    assert_int_equal(notes->nelts, 1);
}

static void files_of_a_command_are_roots_alone(void **state)
{
    (void)state;
    put(at("mine"), "");
    put(at("theirs"), "");
    assert_int_equal(chmod(at("theirs"), 0666), 0);
    assert_null(acme_import_words_foreign("/bin/sh -e x", pool));
    assert_null(acme_import_words_foreign(at("mine"), pool));
    assert_string_equal(acme_import_words_foreign(
        apr_pstrcat(pool, "/bin/sh -c \"true;", at("theirs"), "\"", NULL),
        pool), at("theirs"));
    assert_non_null(acme_import_words_foreign("/bin/sh ./x", pool));
    assert_non_null(acme_import_words_foreign("/bin/sh ~/x", pool));
    assert_non_null(acme_import_words_foreign("/bin/sh $HOME/x", pool));
}

/* How many of these lines stay, and of the others each is a note. */
static void filter(const char *const *texts, int n, int stay,
                   const char *foreign)
{
    apr_array_header_t *lines = apr_array_make(pool, 8, sizeof(const char *));
    apr_array_header_t *notes = apr_array_make(pool, 8, sizeof(const char *));
    int i;

    for (i = 0; i < n; i++) {
        APR_ARRAY_PUSH(lines, const char *) = texts[i];
    }
    acme_import_trust_filter(lines, notes, foreign);
    assert_int_equal(lines->nelts, stay);
    assert_int_equal(notes->nelts, n - stay);
    for (i = 0; i < stay; i++) {
        assert_string_equal(APR_ARRAY_IDX(lines, i, const char *), texts[i]);
    }
}

static void directives_of_others_are_few(void **state)
{
    const char *const texts[] = {
        "AcmeKeyTypes rsa2048", "AcmeRenewWindow 20d", "AcmeMustStaple off",
        "AcmeCA zerossl",
        /* These are only written when root alone can change the folder. */
        "AcmeCA https://ca.example.net/directory", "AcmeCA buypass-test",
        "AcmeMustStaple on", "AcmeCACertificateFile /x", "AcmeProxy http://x/",
        "AcmeRequireHttps permanent", "AcmeChallenges http-01",
        "AcmeHttp webroot /var/www", "AcmeContact a@example.org",
        "AcmeNames a.example.org", "AcmeHook deploy /bin/sh -e x",
        "AcmeDns exec /bin/sh", "AcmeHttp exec /bin/sh"
    };
    const char *theirs[1];

    (void)state;
    filter(texts, 17, 4, "/home/them");
    filter(texts, 17, 17, NULL);
    put(at("theirs"), "");
    assert_int_equal(chmod(at("theirs"), 0775), 0);
    theirs[0] = apr_pstrcat(pool, "AcmeHook deploy ", at("theirs"), NULL);
    filter(theirs, 1, 0, NULL);
    theirs[0] = apr_pstrcat(pool, "AcmeDns exec ", at("theirs"), NULL);
    filter(theirs, 1, 0, NULL);
}

static void a_directive_is_one_line(void **state)
{
    apr_array_header_t *lines = apr_array_make(pool, 4, sizeof(const char *));

    (void)state;
    acme_import_found_add(lines, "AcmeProfile %s", "x\\");
    acme_import_found_add(lines, "AcmeProfile %s", "x\nAcmeEngine off");
    assert_int_equal(lines->nelts, 0);
    acme_import_found_add(lines, "AcmeProfile %s", "x");
    acme_import_found_add(lines, "AcmeProfile %s", "x");
    assert_int_equal(lines->nelts, 1);
}

static void cas_for_tests_are_known_by_their_names(void **state)
{
    (void)state;
    assert_true(acme_import_found_is_test_issuer("(STAGING) Mock Name R1"));
    assert_true(acme_import_found_is_test_issuer("Fake LE Intermediate X1"));
    assert_true(acme_import_found_is_test_issuer("Buypass Class 2 Test4 CA 5"));
    assert_false(acme_import_found_is_test_issuer("R11"));
    assert_false(acme_import_found_is_test_issuer("Pebble Intermediate CA"));
}

static acme_import_found_t *found_in(const char *root,
                                     void (*read)(acme_import_found_t *,
                                         const acme_import_file_tree_t *))
{
    acme_import_found_t *found = acme_import_found_make("/", 0, pool);
    const acme_import_file_tree_t tree = { .root = root, .p = pool };

    read(found, &tree);
    return found;
}

/* A folder that links to itself is read once, and not to any depth. */
static void links_to_folders_are_not_followed_deep(void **state)
{
    const char *root = at("root");
    const acme_import_found_t *found;

    (void)state;
    mkdir(root, 0755);
    mkdir(at("root/ca"), 0755);
    mkdir(at("root/ca/host"), 0755);
    put(at("root/ca/host/account.key"), "");
    assert_int_equal(symlink(".", at("root/ca/host/a")), 0);
    assert_int_equal(symlink(".", at("root/ca/host/b")), 0);
    found = found_in(root, acme_import_acme_sh_read);
    assert_int_equal(found->accounts->nelts, 1);

    mkdir(at("root/accounts"), 0755);
    mkdir(at("root/accounts/host"), 0755);
    mkdir(at("root/accounts/host/id"), 0755);
    put(at("root/accounts/host/id/private_key.json"), "");
    assert_int_equal(symlink(".", at("root/accounts/host/a")), 0);
    assert_int_equal(symlink(".", at("root/accounts/host/b")), 0);
    found = found_in(root, acme_import_certbot_read);
    assert_int_equal(found->accounts->nelts, 3);
}

static void accounts_are_bounded(void **state)
{
    acme_import_found_t *found = acme_import_found_make("/", 0, pool);
    int i;

    (void)state;
    for (i = 0; i < 1010; i++) {
        assert_non_null(acme_import_found_account(found, "x"));
    }
    assert_int_equal(found->accounts->nelts, 1000);
    assert_int_equal(found->notes->nelts, 1);
}

static void settings_of_a_shell(void **state)
{
    static const char text[] = "CA=first\n  export CA='the second' # x\n"
                               "CAA=no\nHOOK=\"/bin/x\"\nBARE=a b\nNONE=\n";

    (void)state;
    assert_string_equal(acme_import_file_setting(text, "CA", pool),
                        "the second");
    assert_string_equal(acme_import_file_setting(text, "HOOK", pool),
                        "/bin/x");
    assert_string_equal(acme_import_file_setting(text, "BARE", pool), "a");
    assert_null(acme_import_file_setting(text, "NONE", pool));
    assert_null(acme_import_file_setting(text, "A", pool));
}

static void a_file_is_read_below_the_folder_or_of_root(void **state)
{
    const char *root = at("tree");
    const acme_import_file_tree_t tree = { .root = root, .p = pool };
    const char *text;

    (void)state;
    assert_int_equal(mkdir(root, 0755), 0);
    put(at("outside"), "secret");
    put(at("tree/a"), "text");
    assert_int_equal(acme_file_write(at("tree/zero"), "a\0b", 3, 0644, &res,
                                     pool), 0);
    assert_int_equal(symlink("a", at("tree/link")), 0);
    assert_int_equal(symlink("../outside", at("tree/out")), 0);
    assert_int_equal(symlink("loop", at("tree/loop")), 0);
    assert_int_equal(mkfifo(at("tree/pipe"), 0600), 0);

    assert_int_equal(acme_import_file_text(&text, &tree, "link", &res), 0);
    assert_string_equal(text, "text");
    assert_int_not_equal(acme_import_file_text(&text, &tree, "none", &res), 0);
    assert_int_not_equal(acme_import_file_text(&text, &tree, "loop", &res), 0);
    assert_int_not_equal(acme_import_file_text(&text, &tree, "zero", &res), 0);
    assert_int_not_equal(acme_import_file_text(&text, &tree, "pipe", &res), 0);
    assert_null(text);
    if (geteuid() == 0) {
        assert_int_equal(acme_import_file_text(&text, &tree, "out", &res), 0);
        assert_int_equal(lchown(at("outside"), 65534, 65534), 0);
    }
    assert_int_equal(acme_import_file_text(&text, &tree, "out", &res), EPERM);
    assert_null(text);
}

/* Only root can lead out of the folder; what others can change is noted. */
static void who_can_change_what_was_read_is_noted(void **state)
{
    acme_import_file_seen_t seen = { NULL };
    const char *root = at("tree");
    const acme_import_file_tree_t tree = { .root = root, .seen = &seen,
                                           .p = pool };
    const char *text;

    (void)state;
    assert_int_equal(mkdir(root, 0755), 0);
    assert_int_equal(mkdir(at("tree/mine"), 0755), 0);
    assert_int_equal(mkdir(at("tree/theirs"), 0755), 0);
    put(at("outside"), "secret");
    put(at("tree/mine/a"), "text");
    put(at("tree/mine/b"), "text");
    put(at("tree/theirs/a"), "text");
    assert_int_equal(symlink("../../outside", at("tree/theirs/out")), 0);
    assert_int_equal(symlink("../mine", at("tree/theirs/link")), 0);
    assert_int_equal(chmod(at("tree/mine/b"), 0664), 0);
    assert_int_equal(chmod(at("tree/theirs"), 0777), 0);

    assert_int_equal(acme_import_file_text(&text, &tree, "mine/a", &res), 0);
    assert_null(seen.foreign);
    assert_int_equal(acme_import_file_text(&text, &tree, "mine/b", &res), 0);
    assert_string_equal(seen.foreign, at("tree/mine/b"));
    seen.foreign = NULL;
    assert_int_equal(acme_import_file_text(&text, &tree, "theirs/a", &res), 0);
    assert_string_equal(seen.foreign, at("tree/theirs"));
    assert_int_equal(acme_import_file_text(&text, &tree, "theirs/link/a",
                                           &res), 0);
    assert_int_equal(acme_import_file_text(&text, &tree, "theirs/out", &res),
                     EPERM);
    if (geteuid() == 0) {
        const acme_import_file_tree_t conf = { .root = root, .is_conf = 1,
                                               .p = pool };

        assert_int_equal(acme_import_file_text(&text, &conf, "theirs/out",
                                               &res), 0);
    }
    assert_true(acme_import_file_is_folder(&tree, "theirs/link"));
    assert_false(acme_import_file_is_real_folder(&tree, "theirs/link"));
    assert_true(acme_import_file_is_real_folder(&tree, "theirs"));
    assert_string_equal(acme_import_file_foreign(at("tree/theirs/none"),
                                                 pool), at("tree/theirs"));
    assert_null(acme_import_file_foreign(at("tree/mine/a"), pool));

    seen.octets = 64 * 1024 * 1024 - 3;
    assert_int_equal(acme_import_file_text(&text, &tree, "mine/a", &res),
                     E2BIG);
    seen.octets = 0;
    seen.lookups = 200000;
    assert_int_equal(acme_import_file_text(&text, &tree, "mine/a", &res),
                     E2BIG);
}

static void virtual_hosts_are_read_as_lines(void **state)
{
    static const char text[] =
        "# <VirtualHost *:443>\n"
        "<virtualhost *:443>\n"
        "  ServerName \"https://www.example.org:443\"\n"
        "  ServerAlias a.example.org \\\n"
        "     b.example.org\n"
        "  sslcertificatefile /none\n"
        "  SSLCertificateKeyFile /none\n"
        "  Include /etc/letsencrypt/options-ssl-apache.conf\n"
        "</VirtualHost>\n"
        "<VirtualHost *:80>\n  ServerName plain.example.org\n</VirtualHost>\n"
        "MDomain md.example.org\n"
        "<VirtualHost [::1]:8443>\n  SSLEngine ON\n";
    apr_array_header_t *vhosts, *others;
    const acme_import_vhosts_one_t *one;

    (void)state;
    put(at("httpd.conf"), text);
    assert_int_equal(acme_import_vhosts_read(&vhosts, &others,
                                             at("httpd.conf"), &res,
                                             pool), 0);
    assert_int_equal(vhosts->nelts, 2);
    assert_int_equal(others->nelts, 1);
    one = &APR_ARRAY_IDX(vhosts, 0, acme_import_vhosts_one_t);
    assert_string_equal(one->name, "www.example.org");
    assert_int_equal(one->names->nelts, 3);
    assert_true(one->has_cert && !one->serial && one->is_tls
                && !one->has_engine);
    assert_int_equal(one->remove->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(one->remove, 0, const char *),
                        "line 6: sslcertificatefile /none");
    assert_string_equal(one->include, "line 8: Include /etc/letsencrypt/options-ssl-apache.conf");
    one = &APR_ARRAY_IDX(vhosts, 1, acme_import_vhosts_one_t);
    assert_null(one->include);
    assert_true(one->has_engine);
    assert_string_equal(one->name, "");
    assert_int_not_equal(acme_import_vhosts_read(&vhosts, &others,
                                                 at("none"), &res, pool),
                         0);
}

static void a_jwk_that_is_none(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"kty\": 1}", "{\"kty\": \"oct\", \"k\": \"AAAA\"}",
        "{\"kty\": \"RSA\", \"n\": \"AQAB\"}",
        "{\"kty\": \"RSA\", \"n\": \"AQAB\", \"e\": \"AQAB\", \"d\": \"AQAB\","
        " \"p\": \"AQAB\", \"q\": \"AQAB\", \"dp\": \"AQAB\","
        " \"dq\": \"AQAB\", \"qi\": \"AQAB\"}",
        "{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"AQAB\","
        " \"y\": \"AQAB\", \"d\": \"AQAB\"}",
        "{\"kty\": \"EC\", \"crv\": \"P-521\"}"
    };
    acme_key_t *key;
    json_t *json;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_int_equal(acme_json_parse(&json, texts[i], strlen(texts[i]),
                                         "test", &res, pool), 0);
        assert_int_equal(acme_jwk_key_parse(&key, json, "test", &res, pool),
                         APR_EINVAL);
        assert_null(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_text_becomes_one_word),
        SCRATCH_TEST(a_command_line_is_run_without_a_shell_if_it_can),
        SCRATCH_TEST(commands_about_a_web_server_are_known),
        SCRATCH_TEST(a_hook_that_could_end_httpd_is_a_note),
        SCRATCH_TEST(files_of_a_command_are_roots_alone),
        SCRATCH_TEST(directives_of_others_are_few),
        SCRATCH_TEST(a_directive_is_one_line),
        SCRATCH_TEST(cas_for_tests_are_known_by_their_names),
        SCRATCH_TEST(links_to_folders_are_not_followed_deep),
        SCRATCH_TEST(accounts_are_bounded),
        SCRATCH_TEST(settings_of_a_shell),
        SCRATCH_TEST(a_file_is_read_below_the_folder_or_of_root),
        SCRATCH_TEST(who_can_change_what_was_read_is_noted),
        SCRATCH_TEST(virtual_hosts_are_read_as_lines),
        SCRATCH_TEST(a_jwk_that_is_none)
    };

    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
