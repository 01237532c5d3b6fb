/*
 * test_directives.c - the one table of directives: what httpd makes of it, the
 * defaults, and what a virtual host inherits.
 */
#include "scratch.h"

#include "acme_commands.h"
#include "acme_server_conf.h"
#include "httpd_stubs.h"

/* The table again, as a reader of it has it. */
static const struct {
    const char *name, *syntax, *dflt, *text, *example;
    int where;
    size_t offset, size;
} rows[] = {
#define ROW(name, syntax, dflt, where, parser, field, text, example) \
    { #name, syntax, dflt, text, example, where, \
      offsetof(acme_server_conf_t, field), \
      sizeof(((acme_server_conf_t *)0)->field) },
    ACME_DIRECTIVES(ROW)
};

/* The server config, and a virtual host in it. */
static server_rec *base, *vhost;

static acme_server_conf_t *create(server_rec *s)
{
    ap_set_module_config(s->module_config, &acme_module,
                         acme_commands_conf_create(pool, s));
    return acme_server_conf(s);
}

static const char *set(server_rec *s, const char *name, const char *arguments)
{
    return stubs_directive(s, name, arguments, pool);
}

/* What httpd does when it has read all. */
static const acme_server_found_t *merged_server(void)
{
    return acme_server_conf_merge(pool, acme_server_conf_found(base),
                                  acme_server_conf_found(vhost));
}

static const acme_server_conf_t *merged(void)
{
    return merged_server()->conf;
}

static int has_field(const void *conf, const void *other, size_t i)
{
    return !memcmp((const char *)conf + rows[i].offset,
                   (const char *)other + rows[i].offset, rows[i].size);
}

static void the_table_is_whole(void **state)
{
    size_t i, k;

    (void)state;
    assert_int_equal(COUNT(rows), ACME_DIR_COUNT);
    for (i = 0; i < COUNT(rows); i++) {
        const size_t len = strlen(rows[i].text);

        assert_ptr_equal(strstr(rows[i].name, "Acme"), rows[i].name);
        assert_true(rows[i].syntax[0]);
        assert_true(rows[i].where == ACME_VHOST || rows[i].where == ACME_CERT
                    || rows[i].where == ACME_SERVER);
        if (!len || rows[i].text[len - 1] != '.') {
            fail_msg("%s: the text ends within a sentence", rows[i].name);
        }
        if (strncmp(rows[i].example, rows[i].name, strlen(rows[i].name))
            || rows[i].example[strlen(rows[i].name)] != ' ') {
            fail_msg("%s: the example is another's", rows[i].name);
        }
        for (k = 0; k < i; k++) {
            assert_string_not_equal(rows[i].name, rows[k].name);
            if (rows[i].offset == rows[k].offset) {
                fail_msg("%s and %s fill one field", rows[i].name,
                         rows[k].name);
            }
        }
    }
}

static void httpd_has_each_in_the_order_of_the_table(void **state)
{
    const command_rec *command = acme_commands;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++, command++) {
        assert_string_equal(command->name, rows[i].name);
        assert_int_equal(command->args_how, RAW_ARGS);
        assert_int_equal(command->req_override, RSRC_CONF);
        assert_string_equal(command->errmsg,
                            apr_pstrcat(pool, rows[i].syntax, " - ",
                                        rows[i].text, NULL));
    }
    assert_null(command->name);
}

static void each_is_checked_for_its_place(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        stubs_context_asked = 0;
        set(base, rows[i].name, "x");
        assert_int_equal(stubs_context_asked, rows[i].where == ACME_SERVER
                         ? GLOBAL_ONLY : NOT_IN_DIR_CONTEXT);
    }
    stubs_context_fault = "not here";
    assert_string_equal(set(base, "AcmeEngine", "on"), "not here");
    assert_false(acme_server_conf(base)->engine);
    assert_false(acme_server_conf(base)->set[ACME_DIR_AcmeEngine]);
}

static void a_fault_names_the_directive(void **state)
{
    const acme_server_conf_t before = *acme_server_conf(base);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *wrong = set(base, rows[i].name, "");

        if (!wrong || strncmp(wrong, rows[i].name, strlen(rows[i].name))
            || !strstr(wrong, ": takes at least one argument")) {
            fail_msg("%s: %s", rows[i].name, wrong);
        }
    }
    assert_memory_equal(&before, acme_server_conf(base), sizeof(before));
    assert_string_equal(set(base, "AcmeParallel", "65"),
                        "AcmeParallel: takes a number from 1 to 64");
    assert_false(acme_server_conf(base)->set[ACME_DIR_AcmeParallel]);
}

static void all_words_of_a_line_count(void **state)
{
    const char *line = "auto";
    int i;

    (void)state;
    for (i = 0; i < 300; i++) {
        line = apr_psprintf(pool, "%s n%d.example.org", line, i);
    }
    assert_null(set(base, "AcmeNames", line));
    assert_int_equal(acme_server_conf(base)->names->nelts, 301);
    assert_non_null(set(base, "AcmeEngine", "on \"\""));
}

static void defaults_go_through_the_parsers(void **state)
{
    const acme_server_conf_t *conf = acme_server_conf(base);
    acme_server_conf_t nothing = { .set = NULL };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        server_rec *other = stubs_server("other", pool);
        const char *wrong;

        assert_false(conf->set[i]);
        if (!rows[i].dflt) {
            assert_true(has_field(conf, &nothing, i));
            continue;
        }
        create(other);
        wrong = set(other, rows[i].name, rows[i].dflt);
        if (wrong) {
            fail_msg("%s: the default: %s", rows[i].name, wrong);
        }
    }
    assert_int_equal(conf->engine, 0);
    assert_int_equal(conf->renewal_info, 1);
    assert_int_equal(conf->parallel, 16);
    assert_int_equal(conf->reload_delay, apr_time_from_sec(5));
    assert_int_equal(conf->hook_timeout, apr_time_from_sec(60));
    assert_int_equal(conf->renew.percent, 33);
    assert_int_equal(conf->warn.percent, 10);
    assert_int_equal(conf->ports.http, 80);
    assert_int_equal(conf->ports.https, 443);
    assert_int_equal(conf->challenges.n, ACME_CHALLENGES);
    assert_int_equal(conf->challenges.types[0], ACME_HTTP_01);
    assert_int_equal(conf->key_types->nelts, 1);
    assert_int_equal(conf->cas->nelts, 1);
    assert_string_equal(conf->state_dir, ACME_STATE_DIR);
    assert_string_equal(stubs_logged, "");

    /* A virtual host has none of its own, or it would inherit nothing. */
    nothing.set = acme_server_conf(vhost)->set;
    nothing.written = acme_server_conf(vhost)->written;
    for (i = 0; i < ACME_DIR_COUNT; i++) {
        assert_false(nothing.set[i]);
        assert_null(nothing.written[i]);
    }
    assert_memory_equal(acme_server_conf(vhost), &nothing, sizeof(nothing));
}

/* A good value that is not the default; commands and files are there. */
static const char *value_of(const char *name)
{
    static const struct {
        const char *name, *value;
    } values[] = {
        { "AcmeEngine", "on" }, { "AcmeTermsOfService", "agree" },
        { "AcmeCA", "https://ca.example/dir" },
        { "AcmeContact", "a@example.org" },
        { "AcmeExternalAccount", "kid file:file" },
        { "AcmeCertificate", "shop" }, { "AcmeNames", "a.example.org" },
        { "AcmeChallenges", "dns-01" }, { "AcmeDns", "exec run" },
        { "AcmeHttp", "exec run" },
        { "AcmeHook", "notify run" }, { "AcmeHookTimeout", "5m" },
        { "AcmeExport", "/x/%{id}.pem pem" },
        { "AcmePorts", "http:8080 https:-" }, { "AcmeKeyTypes", "rsa2048" },
        { "AcmeKeyReuse", "on" }, { "AcmeProfile", "shortlived required" },
        { "AcmePreferredChain", "Root" }, { "AcmeMustStaple", "on" },
        { "AcmeRenewalInfo", "off" }, { "AcmeRenewWindow", "20d" },
        { "AcmeWarnWindow", "5d" }, { "AcmeParallel", "4" },
        { "AcmeActivate", "none" }, { "AcmeReloadDelay", "30s" },
        { "AcmeReloadGuard", "off" }, { "AcmeRequireHttps", "permanent" },
        { "AcmeServerStatus", "off" }, { "AcmeStateDir", "acme" },
        { "AcmeCACertificateFile", "root.pem" },
        { "AcmeProxy", "http://proxy:3128" }
    };
    size_t i;

    for (i = 0; i < COUNT(values); i++) {
        if (!strcmp(values[i].name, name)) {
            return values[i].value;
        }
    }
    fail_msg("%s: the test knows no value of it", name);
    return NULL;
}

static void assert_set(server_rec *s, size_t i)
{
    const char *wrong = set(s, rows[i].name, value_of(rows[i].name));

    if (wrong) {
        fail_msg("%s", wrong);
    }
    assert_true(acme_server_conf(s)->set[i]);
}

/* Each by itself, so that none brings another one along. */
static void a_vhost_inherits_each_field(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_server_conf_t *before = create(base);
        const acme_server_conf_t dflts = *before;
        const acme_server_conf_t *conf;

        create(vhost);
        assert_set(base, i);
        if (has_field(acme_server_conf(base), &dflts, i)) {
            fail_msg("%s: fills another field", rows[i].name);
        }
        conf = merged();
        for (k = 0; k < COUNT(rows); k++) {
            if (!has_field(conf, acme_server_conf(base), k)) {
                fail_msg("%s: %s is not inherited", rows[i].name,
                         rows[k].name);
            }
            assert_int_equal(conf->set[k], k == i);
        }
        assert_false(conf->engine_own);
    }
}

static void what_a_vhost_says_itself_stands(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_server_conf_t *conf;

        create(base);
        create(vhost);
        assert_set(vhost, i);
        conf = merged();
        for (k = 0; k < COUNT(rows); k++) {
            const void *from = k == i ? acme_server_conf(vhost)
                                      : acme_server_conf(base);

            if (!has_field(conf, from, k)) {
                fail_msg("%s: %s is another's", rows[i].name, rows[k].name);
            }
            assert_int_equal(conf->set[k], k == i);
        }
        assert_int_equal(conf->engine_own, i == ACME_DIR_AcmeEngine);
    }
}

/* Off is said as well as on is. */
static void a_vhost_can_say_the_default(void **state)
{
    (void)state;
    assert_null(set(base, "AcmeEngine", "on"));
    assert_null(set(base, "AcmeParallel", "4"));
    assert_true(acme_server_conf(base)->engine_own);
    assert_null(set(vhost, "AcmeEngine", "off"));
    assert_false(merged()->engine);
    assert_false(merged()->engine_own);
    assert_true(merged()->set[ACME_DIR_AcmeEngine]);
    assert_int_equal(merged()->parallel, 4);
}

/* Each that has no other value to go back to. */
static void none_takes_back_what_is_inherited(void **state)
{
    const acme_server_conf_t nothing = { .set = NULL };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (rows[i].dflt) {
            continue;
        }
        create(base);
        create(vhost);
        assert_set(base, i);
        if (set(vhost, rows[i].name, "None")
            || !has_field(merged(), &nothing, i) || merged()->written[i]) {
            fail_msg("%s: is not taken back", rows[i].name);
        }
        assert_true(merged()->set[i]);
        assert_set(vhost, i);
        assert_null(set(vhost, rows[i].name, "none"));
        assert_true(has_field(acme_server_conf(vhost), &nothing, i));
        if (!strstr(rows[i].syntax, "none")) {
            fail_msg("%s: the syntax lacks none", rows[i].name);
        }
    }
}

/* "0:a 2:b": the kinds and commands of a virtual host, without folders. */
static const char *hooks_text(void)
{
    const apr_array_header_t *hooks = merged()->hooks;
    const char *text = "";
    int i;

    for (i = 0; hooks && i < hooks->nelts; i++) {
        const acme_hook_conf_t *hook = &APR_ARRAY_IDX(hooks, i,
                                                      acme_hook_conf_t);

        if (hook->command) {
            const apr_array_header_t *words = hook->command;

            text = apr_psprintf(pool, "%s%s%d:%s", text, *text ? " " : "",
                                (int)hook->kind,
                                APR_ARRAY_IDX(words, words->nelts - 1,
                                              const char *));
        }
    }
    return text;
}

static void commands_of_hooks_add_to_the_inherited(void **state)
{
    static const struct {
        const char *base[3], *vhost[3], *merged;
    } tries[] = {
        { { "pre run a", "notify run b" }, { NULL }, "0:a 3:b" },
        { { "pre run a", "notify run b" }, { "pre run c" }, "0:a 3:b 0:c" },
        { { "pre run a", "notify run b" }, { "pre none" }, "3:b" },
        { { "pre run a", "notify run b" }, { "pre run c", "pre none",
          "pre run d" }, "3:b 0:d" },
        { { "pre run a", "notify run b" }, { "none" }, "" },
        { { "pre run a", "notify run b" }, { "none", "post run e" }, "1:e" },
        { { "pre run a" }, { "pre run a", "pre run f" }, "0:a 0:f" },
        { { "pre none" }, { "deploy run g" }, "2:g" }
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(tries); i++) {
        create(base);
        create(vhost);
        for (k = 0; k < 3; k++) {
            if (tries[i].base[k]) {
                assert_null(set(base, "AcmeHook", tries[i].base[k]));
            }
            if (tries[i].vhost[k]) {
                assert_null(set(vhost, "AcmeHook", tries[i].vhost[k]));
            }
        }
        assert_string_equal(hooks_text(), tries[i].merged);
    }
}

static int exports_of(const acme_server_conf_t *conf)
{
    return conf->exports ? conf->exports->nelts : 0;
}

static void exports_are_added_to_the_servers(void **state)
{
    (void)state;
    assert_null(set(base, "AcmeExport", "/x/%{id}.pem pem"));
    assert_null(set(base, "AcmeExport", "/x/%{id}.key key"));
    assert_int_equal(exports_of(merged()), 2);
    assert_null(set(vhost, "AcmeExport", "/y/a.pem pem"));
    assert_int_equal(exports_of(merged()), 3);
    assert_string_equal(merged()->written[ACME_DIR_AcmeExport],
                        "/x/%{id}.pem pem\n/x/%{id}.key key\n/y/a.pem pem");
    assert_int_equal(exports_of(acme_server_conf(base)), 2);
    assert_int_equal(exports_of(acme_server_conf(vhost)), 1);

    /* But not behind none. */
    assert_null(set(vhost, "AcmeExport", "none"));
    assert_int_equal(exports_of(merged()), 0);
    assert_null(set(vhost, "AcmeExport", "/y/b.pem pem"));
    assert_int_equal(exports_of(merged()), 1);
}

static void what_was_found_is_not_inherited(void **state)
{
    acme_server_found_t *server = acme_server_conf_found(base);

    (void)state;
    server->certs = apr_array_make(pool, 1, sizeof(int));
    server->given = 1;
    assert_null(merged_server()->certs);
    assert_false(merged_server()->given);
}

/* Virtual hosts without a directive of ours have the struct of the server. */
static void a_shared_struct_is_copied(void **state)
{
    acme_server_found_t *server = acme_server_conf_found(base);
    acme_server_conf_t *conf = acme_server_conf(base);
    server_rec *own = stubs_server("own", pool);
    server_rec *other = stubs_server("other", pool);

    (void)state;
    assert_null(set(base, "AcmeEngine", "on"));
    assert_null(set(base, "AcmeCertificate", "shop"));
    base->next = vhost;
    vhost->next = own;
    own->next = other;
    create(own);
    ap_set_module_config(vhost->module_config, &acme_module, server);
    ap_set_module_config(other->module_config, &acme_module, server);
    acme_server_conf_unshare(base, pool);
    assert_ptr_equal(acme_server_conf_found(base), server);
    assert_ptr_equal(acme_server_conf(base), conf);
    assert_false(acme_server_conf(own)->engine);

    assert_ptr_not_equal(acme_server_conf_found(vhost), server);
    assert_ptr_not_equal(acme_server_conf_found(vhost),
                         acme_server_conf_found(other));
    assert_ptr_not_equal(acme_server_conf(vhost), conf);
    assert_ptr_equal(acme_server_conf(vhost), acme_server_conf(other));
    assert_true(acme_server_conf(vhost)->engine);
    assert_false(acme_server_conf(vhost)->engine_own);
    assert_string_equal(acme_server_conf(vhost)->id, "shop");

    server = acme_server_conf_found(vhost);
    acme_server_conf_unshare(base, pool);
    assert_ptr_equal(acme_server_conf_found(vhost), server);
}

static int setup(void **state)
{
    const int failed = scratch_setup(state);

    if (failed) {
        return failed;
    }
    stubs_reset(scratch_dir);
    put(at("run"), "#!/bin/sh\n");
    put(at("file"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n");
    chmod(at("run"), 0700);
    chmod(at("file"), 0600);
    base = stubs_server("www.example.org", pool);
    vhost = stubs_server("shop.example.org", pool);
    vhost->is_virtual = 1;
    create(base);
    create(vhost);
    return 0;
}

#define DIRECTIVES_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        DIRECTIVES_TEST(the_table_is_whole),
        DIRECTIVES_TEST(httpd_has_each_in_the_order_of_the_table),
        DIRECTIVES_TEST(each_is_checked_for_its_place),
        DIRECTIVES_TEST(a_fault_names_the_directive),
        DIRECTIVES_TEST(all_words_of_a_line_count),
        DIRECTIVES_TEST(defaults_go_through_the_parsers),
        DIRECTIVES_TEST(a_vhost_inherits_each_field),
        DIRECTIVES_TEST(what_a_vhost_says_itself_stands),
        DIRECTIVES_TEST(a_vhost_can_say_the_default),
        DIRECTIVES_TEST(none_takes_back_what_is_inherited),
        DIRECTIVES_TEST(commands_of_hooks_add_to_the_inherited),
        DIRECTIVES_TEST(exports_are_added_to_the_servers),
        DIRECTIVES_TEST(what_was_found_is_not_inherited),
        DIRECTIVES_TEST(a_shared_struct_is_copied),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
