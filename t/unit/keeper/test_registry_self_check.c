/*
 * test_registry_self_check.c - what httpd was found to serve, and the reload
 * that may help.
 */
#include <unistd.h>

#include "acme_archive.h"
#include "acme_registry_self_check.h"
#include "registry_case.h"

/* Certificate 0 with two archives, the second of which is served. */
static acme_state_t *open_checked(void)
{
    const char *meta = "{\"certificates\":[{\"serial\":\"0a1b\"}]}";
    acme_archive_t *archive = make_archive(meta);
    acme_cert_conf_t *cert = cert_of(test_conf, 0);

    add_part(archive, "", "a.example www.a.example", 90 * DAY);
    install_archive("a.example", archive);
    put_live("a.example", "a.example www.a.example");
    cert->visits_digest = "0123456789abcdef";
    cert->served = 2;
    test_conf->activate = ACME_ACTIVATE_GRACEFUL;
    registry = open_registry(test_conf);
    return state_of(registry, 0);
}

static int found(acme_check_e check, const char *others, const char *detail)
{
    acme_msg_served_t body = { .check = check };

    apr_cpystrn(body.live, "abcd", sizeof(body.live));
    apr_cpystrn(body.others, others, sizeof(body.others));
    apr_cpystrn(body.places, "*:443=any", sizeof(body.places));
    apr_cpystrn(body.detail, detail, sizeof(body.detail));
    return acme_registry_self_check_noted(registry, &body, NOW, pool);
}

static void a_check_is_kept(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_true(a->check_at && a->check_at <= apr_time_now());
    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_int_equal(a->checked, NOW);
    assert_true(a->check_at > NOW && a->check_at <= NOW + DAYS(1));
    assert_not_logged("a.example: self check");
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_true(a->check_at > NOW);

    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_int_equal(a->checked, NOW);
    assert_string_equal(a->check_places, "*:443=any");
    assert_true(a->check_at > apr_time_now());

    /* What is served elsewhere, or is another one, is looked at at once. */
    cert_of(test_conf, 0)->visits_digest = "fedcba9876543210";
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_true(a->check_at <= apr_time_now());
}

static void an_older_one_leads_to_one_reload(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_true(found(ACME_CHECK_OTHER, "ffff 0a1b", "an older one"));
    assert_int_equal(a->check_tries, 1);
    assert_int_equal(a->check_at, NOW + DAYS(1) / 24 / 60);
    assert_logged("[error] a.example: not served: an older one. httpd is reloaded once for this");
    assert_string_equal(last_event("a.example"), "not-served");
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "an older one"));
    assert_int_equal(times_logged("a.example: not served: "), 1);

    /* The keeper of the next load. */
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_OTHER);
    assert_true(a->check_at <= apr_time_now());
    assert_false(found(ACME_CHECK_OTHER, "ffff 0a1b", "an older one"));
    assert_logged("an older one. Reloading httpd did not help: ");
    assert_false(found(ACME_CHECK_OTHER, "ffff 0a1b", "an older one"));
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "an older one"));
    assert_int_equal(times_logged("a.example: not served: "), 2);

    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_logged("[notice] a.example: self check: served again, seen at *:443=any");
    assert_string_equal(last_event("a.example"), "served");
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "an older one"));
}

static int found_of(apr_uint32_t cert, apr_time_t now)
{
    acme_msg_served_t body = { .about.cert = cert, .check = ACME_CHECK_OTHER,
                               .has_placeholder = 1, .live = "abcd",
                               .detail = "the placeholder" };

    return acme_registry_self_check_noted(registry, &body, now, pool);
}

/* a.example and b.example; the placeholder is found for the first one. */
static void open_two(void)
{
    acme_cert_conf_t *b = cert_of(test_conf, 1);

    put_live("b.example", "b.example");
    b->visits_digest = "0123456789abcdef";
    b->served = 1;
    open_checked();
    assert_true(found_of(0, NOW));
}

/* An old process answers for both. */
static void one_reload_is_for_all(void **state)
{
    (void)state;
    open_two();
    registry = open_registry(test_conf);
    assert_false(found_of(1, NOW + DAYS(1) / 2));
    assert_logged("b.example: not served: the placeholder. httpd is not reloaded for this: ");

    /* It helped the first one; an hour later another may be tried. */
    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_false(found_of(1, NOW + DAYS(1) / 24 - 1));
    registry = open_registry(test_conf);
    assert_true(found_of(1, NOW + DAYS(1) / 24));
    assert_logged("b.example: not served: the placeholder. httpd is reloaded once for this");
    assert_false(found_of(1, NOW + DAYS(1)));
}

/* Both are found before the reload: it is for both. */
static void a_reload_that_is_asked_for_is_for_all(void **state)
{
    (void)state;
    open_two();
    assert_true(found_of(1, NOW));
    registry = open_registry(test_conf);
    assert_false(found_of(0, NOW + DAYS(1)));
    assert_false(found_of(1, NOW + DAYS(1)));
    assert_logged("b.example: not served: the placeholder. Reloading httpd did not help: ");
}

static void a_stranger_s_leads_to_none(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_false(found(ACME_CHECK_OTHER, "ffff", "a\nstranger's"));
    assert_logged("a.example: not served: a\\x0astranger's. Another virtual host");
    assert_non_null(strstr(a->check_detail, "stranger's. Another"));
    assert_false(found(ACME_CHECK_OTHER, "ffff", "a\nstranger's"));
    assert_int_equal(times_logged("a.example: not served: "), 1);
    assert_int_equal(a->check_tries, 2);

    /* It was seen: not to see it says nothing. */
    assert_false(found(ACME_CHECK_UNKNOWN, "", "refused"));
    assert_int_equal(a->check, ACME_CHECK_OTHER);
    assert_non_null(strstr(a->check_detail, "stranger's. Another"));
    assert_int_equal(a->check_tries, 3);
    assert_int_equal(a->check_at, NOW + DAYS(1) / 24 / 60 * 100);
    assert_false(found(ACME_CHECK_OTHER, "ffff", "a\nstranger's"));
    assert_int_equal(times_logged("a.example: not served: "), 1);

    /* The serial of what is live is not that of an older one. */
    assert_false(found(ACME_CHECK_OTHER, "abcd", "its own"));
    a->instead = ACME_INSTEAD_FOREIGN;
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "as it is configured"));
}

/* Who reloads by hand is told to, each time the same. */
static void without_reloads_of_ours_none_is_asked_for(void **state)
{
    acme_msg_served_t body = { .check = ACME_CHECK_OTHER,
                               .has_placeholder = 1, .live = "abcd",
                               .detail = "the placeholder" };

    (void)state;
    open_checked();
    test_conf->activate = ACME_ACTIVATE_NONE;
    assert_false(acme_registry_self_check_noted(registry, &body, NOW, pool));
    assert_false(acme_registry_self_check_noted(registry, &body, NOW, pool));
    assert_int_equal(times_logged("a.example: not served: "), 1);
    assert_logged("the placeholder. It is installed, not yet served: reload httpd (AcmeActivate none)");
}

static void what_could_not_be_seen_is_no_fault(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_false(found(ACME_CHECK_UNKNOWN, "", "refused"));
    assert_false(found(ACME_CHECK_UNKNOWN, "", "refused"));
    assert_int_equal(times_logged("[notice] a.example: self check: could not see what is served: refused"), 1);
    assert_int_equal(a->check, ACME_CHECK_UNKNOWN);
    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_not_logged("served again");
    assert_string_equal(a->check_detail, "");
}

/* The result is about another certificate than the keeper knows. */
static void a_link_that_was_changed_by_hand_is_seen(void **state)
{
    acme_msg_served_t body = { .check = ACME_CHECK_OTHER, .live = "0a1b",
                               .detail = "the served one" };
    acme_state_t *a = open_checked();
    const char *link =
        apr_pstrcat(pool, test_conf->state_dir, "/live/a.example", NULL);

    (void)state;
    assert_false(acme_registry_self_check_noted(registry, &body, NOW, pool));
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_int_equal(a->check_at, NOW + DAYS(1) / 24 / 60);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("../archive/a.example/1", link), 0);
    assert_true(acme_registry_self_check_noted(registry, &body, NOW, pool));
    assert_int_equal(a->live, 1);
    assert_logged("live/a.example was changed by hand: archive/a.example/1 is there, and is not served yet");
}

static void a_result_that_is_none_changes_nothing(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_false(found(ACME_CHECK_NONE, "0a1b", "x"));
    assert_false(found(ACME_CHECKS, "0a1b", "x"));
    assert_false(found((acme_check_e)77, "0a1b", "x"));
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_true(a->check_at > NOW);
    a->live = 0;
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "x"));
    assert_not_logged("not served");
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_check_is_kept),
        TEST(an_older_one_leads_to_one_reload),
        TEST(one_reload_is_for_all),
        TEST(a_reload_that_is_asked_for_is_for_all),
        TEST(a_stranger_s_leads_to_none),
        TEST(without_reloads_of_ours_none_is_asked_for),
        TEST(what_could_not_be_seen_is_no_fault),
        TEST(a_link_that_was_changed_by_hand_is_seen),
        TEST(a_result_that_is_none_changes_nothing)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
