/*
 * test_export.c - acmectl export: what goes where, and what goes nowhere.
 */
#include "acme_archive.h"
#include "acme_ctl_call.h"
#include "acme_ctl_export.h"
#include "acme_ctl_verbs.h"
#include "issuer.h"
#include "open_store.h"
#include "ready_keys.h"

#define ARGS_MAX 16
#define ID "www.example.org"

static const char *key_pem, *rsa_pem, *full_pem, *chain_pem;

/* Archive 1 of the id, of two key types; the chain of both is the same. */
static int setup(void **state)
{
    const issuer_t *ca;
    acme_key_t *key;
    acme_archive_part_t *part;
    acme_archive_t archive = { .meta = "{}" };
    int n, i;

    scratch_setup(state);
    ca = make_issuer("Test CA");
    key = make_key();
    full_pem = issue(&(issue_t){ .issuer = ca, .names = ID,
                                 .key = acme_key_evp(key) });
    chain_pem = strstr(full_pem + 1, "-----BEGIN");
    rsa_pem = ready_rsa(2048);
    assert_int_equal(acme_key_pem(&key_pem, key, &res, pool), 0);
    archive.parts = apr_array_make(pool, 2, sizeof(acme_archive_part_t));
    for (i = 0; i < 2; i++) {
        part = apr_array_push(archive.parts);
        *part = (acme_archive_part_t) {
            .suffix = i ? "-rsa" : "", .key_pem = i ? rsa_pem : key_pem,
            .cert_pem = full_pem, .chain_pem = chain_pem,
            .full_pem = full_pem
        };
    }
    assert_int_equal(acme_archive_install(&n, open_store(), ID, &archive, &res,
                                          pool), 0);
    put(at("password"), "secret\n");
    assert_int_equal(chmod(at("password"), 0600), 0);
    return 0;
}

/* Run "acmectl export <line>" with this file as standard output and error. */
static int run_to(const char *path, const char *line)
{
    const char *argv[ARGS_MAX] = { "acmectl", "export", "--state-dir",
                                   at("store") };
    acme_ctl_command_t run = { .verbs = acme_ctl_verbs, .p = pool };
    const int out = dup(1), err = dup(2);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, 0600);
    char *last, *word;
    int argc = 4, code;

    for (word = apr_strtok(apr_pstrdup(pool, line), " ", &last);
         word && argc < ARGS_MAX - 1; word = apr_strtok(NULL, " ", &last)) {
        argv[argc++] = word;
    }
    fflush(stdout);
    dup2(fd, 1);
    dup2(fd, 2);
    code = acme_ctl_call_read(&run, argc, argv)
        ? acme_ctl_export_run(&run) : ACME_CTL_WRONG_CALL;
    fflush(stdout);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    close(fd);
    return code;
}

static const char *said(void)
{
    return text_of(at("said"));
}

static int run(const char *line)
{
    return run_to(at("said"), line);
}

static const char *written(const char *name, const char *options)
{
    const char *path = at("%s", name);
    const char *line = apr_pstrcat(pool, ID " --out ", path, " ", options,
                                   NULL);

    if (run(line) != ACME_CTL_DONE) {
        fail_msg("%s", said());
    }
    assert_non_null(strstr(said(), "is written"));
    assert_int_equal(run(line), ACME_CTL_DONE);
    assert_non_null(strstr(said(), "is there already"));
    return text_of(path);
}

static void each_format_is_written(void **unused)
{
    (void)unused;
    assert_string_equal(written("pem", "--format pem"),
                        apr_pstrcat(pool, key_pem, full_pem, NULL));
    assert_int_equal(mode_of(at("pem")), 0600);
    assert_string_equal(written("full", ""), full_pem);
    assert_int_equal(mode_of(at("full")), 0644);
    assert_string_equal(written("key", "--format KEY --mode 0640"), key_pem);
    assert_int_equal(mode_of(at("key")), 0640);
    assert_string_equal(written("chain", "--format chain"), chain_pem);
    assert_memory_equal(written("der", "--format der"), "\x30\x82", 2);
    assert_memory_equal(
        written("p12", apr_pstrcat(pool, "--format pkcs12 --password-file ",
                                   at("password"), NULL)), "\x30\x82", 2);
    assert_int_equal(mode_of(at("p12")), 0600);
    written("set/", "--format pem");
    assert_string_equal(text_of(at("set/current/privkey.pem")), key_pem);
    assert_string_equal(text_of(at("set/current/chain.pem")), chain_pem);
    assert_int_equal(mode_of(at("set/current/privkey.pem")), 0600);
    assert_string_equal(written("rsa", "--format key --key-type rsa2048"),
                        rsa_pem);
    assert_string_equal(written("ec", "--format key --key-type p256"),
                        key_pem);
}

static void what_is_not_secret_is_printed(void **unused)
{
    (void)unused;
    assert_int_equal(run(ID), ACME_CTL_DONE);
    assert_string_equal(said(), full_pem);
    assert_int_equal(run(ID " --format chain"), ACME_CTL_DONE);
    assert_string_equal(said(), chain_pem);
    assert_int_equal(run(ID " --format der"), ACME_CTL_DONE);
    assert_memory_equal(said(), "\x30\x82", 2);
    assert_int_equal(run(ID " --format key --with-key"), ACME_CTL_DONE);
    assert_string_equal(said(), key_pem);
    assert_int_equal(
        run(apr_pstrcat(pool, ID " --format pkcs12 --with-key"
                        " --password-file ", at("password"), NULL)),
        ACME_CTL_DONE);
    assert_memory_equal(said(), "\x30\x82", 2);
}

static void a_wrong_call_is_refused(void **unused)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        { ID " --format pem", "has the private key: give --out" },
        { ID " --format key", "has the private key: give --out" },
        { ID " --format jks", "--format jks: pem, fullchain" },
        { ID " --format pkcs12 --with-key", "--password-file is missing" },
        { ID " --password-file x", "is for --format pkcs12" },
        { ID " --key-type dsa", "dsa" },
        { ID " --mode 0600", "--mode: --out is missing" },
        { ID " --owner root", "--owner: --out is missing" },
        { ID " --json", "--json: --out is missing" },
        { ID " --out x --mode 0666", "nobody but the owner and the group" },
        { ID " --out x --mode 9", "is not a mode" },
        { ID " --out x --format key --mode 0644", "every user could read" },
        { ID " --out x --owner :", "is not an owner" },
        { ID " --out x --owner nobody-here", "not a user of this system" },
        { ID " --out=", "--out : not a path" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const int code = run(rows[i].line);

        if (code != ACME_CTL_WRONG_CALL || !strstr(said(), rows[i].says)) {
            fail_msg("%s: %d, %s", rows[i].line, code, said());
        }
    }
    assert_int_equal(mode_of("x"), -1);
}

static void what_is_not_there_fails(void **unused)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        { "nobody.example.org", "has no certificate in" },
        { "../run", "not the id of a certificate" },
        { ID " --key-type p384", "it has: p256, rsa2048" },
        { ID " --out /nowhere-at-all/x", "the folder does not exist" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const int code = run(rows[i].line);

        if (code != ACME_CTL_FAILED || !strstr(said(), rows[i].says)) {
            fail_msg("%s: %d, %s", rows[i].line, code, said());
        }
    }
    /* A password that others can read is none. */
    assert_int_equal(chmod(at("password"), 0644), 0);
    assert_int_equal(
        run(apr_pstrcat(pool, ID " --format pkcs12 --out ", at("p12"),
                        " --password-file ", at("password"), NULL)),
        ACME_CTL_FAILED);
    assert_int_equal(mode_of(at("p12")), -1);
}

/* Whatever others planted, a key is in no place of theirs. */
static void a_link_is_replaced(void **unused)
{
    (void)unused;
    put(at("theirs"), "theirs");
    assert_int_equal(symlink(at("theirs"), at("pem")), 0);
    written("pem", "--format pem");
    assert_string_equal(text_of(at("theirs")), "theirs");
    assert_int_equal(mkdir(at("open"), 0777), 0);
    assert_int_equal(chmod(at("open"), 0777), 0);
    assert_int_equal(symlink(scratch_dir, at("open/link")), 0);
    assert_int_equal(run(apr_pstrcat(pool, ID " --format key --out ",
                                     at("open/link/key"), NULL)),
                     ACME_CTL_FAILED);
    assert_non_null(strstr(said(), "symbolic link"));
    assert_int_equal(mode_of(at("key")), -1);
}

static void json_tells_what_was_done(void **unused)
{
    (void)unused;
    assert_int_equal(run(apr_pstrcat(pool, ID " --json --out ", at("full"),
                                     NULL)), ACME_CTL_DONE);
    assert_non_null(strstr(said(), "\"written\": true"));
    assert_non_null(strstr(said(), "\"archive\": 1"));
    assert_non_null(strstr(said(), "\"format\": \"fullchain\""));
}

static void no_secret_goes_to_a_terminal(void **unused)
{
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    const char *name;

    (void)unused;
    assert_true(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
    name = ptsname(terminal);
    assert_int_equal(run_to(name, ID " --format pem --with-key"),
                     ACME_CTL_WRONG_CALL);
    assert_int_equal(run_to(name, ID " --format der"), ACME_CTL_WRONG_CALL);
    close(terminal);
}

#define EXPORT_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPORT_TEST(each_format_is_written),
        EXPORT_TEST(what_is_not_secret_is_printed),
        EXPORT_TEST(a_wrong_call_is_refused),
        EXPORT_TEST(what_is_not_there_fails),
        EXPORT_TEST(a_link_is_replaced),
        EXPORT_TEST(json_tells_what_was_done),
        EXPORT_TEST(no_secret_goes_to_a_terminal)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
