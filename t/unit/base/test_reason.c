/*
 * test_reason.c - the table of reasons, and that of revocations.
 */
#include "acme_reason.h"
#include "acme_result.h"
#include "acme_revoke_reason.h"
#include "pool.h"

/* Others' scripts compare them. */
static void codes_stay(void **state)
{
    static const struct {
        acme_reason_e reason;
        const char *code;
        acme_reason_fault_e fault;
    } rows[] = {
        { ACME_REASON_NONE, "", ACME_FAULT_NONE },
        { ACME_REASON_OTHER, "other", ACME_FAULT_NONE },
        { ACME_REASON_DNS_NXDOMAIN, "dns-nxdomain", ACME_FAULT_DNS },
        { ACME_REASON_DNS_PROPAGATION, "dns-propagation", ACME_FAULT_DNS },
        { ACME_REASON_CAA_FORBIDDEN, "caa-forbidden", ACME_FAULT_DNS },
        { ACME_REASON_PORT_80_UNREACHABLE, "port-80-unreachable",
          ACME_FAULT_NETWORK },
        { ACME_REASON_RATE_LIMITED, "rate-limited", ACME_FAULT_CA },
        { ACME_REASON_CA_UNREACHABLE, "ca-unreachable", ACME_FAULT_NETWORK },
        { ACME_REASON_CA_ERROR, "ca-internal-error", ACME_FAULT_CA },
        { ACME_REASON_EAB_REQUIRED, "external-account-required",
          ACME_FAULT_ADMINISTRATOR },
        { ACME_REASON_TERMS_NOT_AGREED, "terms-not-agreed",
          ACME_FAULT_ADMINISTRATOR },
        { ACME_REASON_CHAIN_REFUSED, "chain-refused", ACME_FAULT_CA },
        { ACME_REASON_STORE_UNWRITABLE, "store-unwritable",
          ACME_FAULT_SERVER }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_reason_t *about = acme_reason_about(rows[i].reason);

        assert_string_equal(about->code, rows[i].code);
        assert_int_equal(about->fault, rows[i].fault);
    }
}

static void each_one_is_complete_and_unique(void **state)
{
    int i, k;

    (void)state;
    for (i = ACME_REASON_OTHER; i < ACME_REASONS; i++) {
        const acme_reason_t *about = acme_reason_about((acme_reason_e)i);

        if (!about->code || !about->sentence || !about->remedy) {
            fail_msg("reason %d has no row", i);
        }
        if (strspn(about->code, "abcdefghijklmnopqrstuvwxyz0123456789-")
            != strlen(about->code)) {
            fail_msg("%s: not a code", about->code);
        }
        if (about->sentence[strlen(about->sentence) - 1] != '.'
            || about->remedy[strlen(about->remedy) - 1] != '.') {
            fail_msg("%s: not sentences", about->code);
        }
        for (k = 0; k < i; k++) {
            assert_string_not_equal(
                about->code, acme_reason_about((acme_reason_e)k)->code);
        }
        assert_int_equal(acme_reason_parse(about->code), i);
    }
}

/* What is not ours is the generic one, whoever sent it. */
static void strange_ones_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(acme_reason_bound(ACME_REASON_CAA_FORBIDDEN),
                     ACME_REASON_CAA_FORBIDDEN);
    assert_int_equal(acme_reason_bound(ACME_REASONS), ACME_REASON_OTHER);
    assert_int_equal(acme_reason_bound(0xffffffff), ACME_REASON_OTHER);
    assert_string_equal(acme_reason_about((acme_reason_e)-1)->code, "other");
    assert_string_equal(acme_reason_about((acme_reason_e)999)->code, "other");
    assert_int_equal(acme_reason_parse(""), ACME_REASON_NONE);
    assert_int_equal(acme_reason_parse("of-tomorrow"), ACME_REASON_OTHER);
    assert_int_equal(acme_reason_parse("CAA-forbidden"), ACME_REASON_OTHER);
}

static void a_result_has_one(void **state)
{

    (void)state;
    acme_fail(&res, APR_EINVAL, "bad");
    assert_int_equal(res.reason, ACME_REASON_OTHER);
    assert_int_equal(acme_result_reason(&res, ACME_REASON_HOOK_FAILED),
                     APR_EINVAL);
    assert_int_equal(res.reason, ACME_REASON_HOOK_FAILED);
    assert_string_equal(res.detail, "bad");
    acme_result_prefix(&res, "www.example.org");
    assert_int_equal(res.reason, ACME_REASON_HOOK_FAILED);
    acme_result_clear(&res);
    assert_int_equal(res.reason, ACME_REASON_NONE);
}

static void a_reason_is_one_that_a_subscriber_has(void **state)
{
    static const struct {
        const char *text, *name;        /* NULL: none */
        int reason;
    } rows[] = {
        { "unspecified", "unspecified", 0 },
        { "keyCompromise", "keyCompromise", 1 },
        { "KEYCOMPROMISE", "keyCompromise", 1 },
        { "affiliationChanged", "affiliationChanged", 3 },
        { "superseded", "superseded", 4 },
        { "cessationOfOperation", "cessationOfOperation", 5 },
        { "privilegeWithdrawn", "privilegeWithdrawn", 9 },
        { "cACompromise", NULL, 2 }, { "certificateHold", NULL, 6 },
        { "", NULL, 7 }, { "removeFromCRL", NULL, 8 }, { "4", NULL, 10 },
        { "superseded ", NULL, -1 }
    };
    size_t i;
    int reason;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].text);
        if (rows[i].name) {
            assert_int_equal(
                acme_revoke_reason_parse(&reason, rows[i].text, &res), 0);
            assert_int_equal(reason, rows[i].reason);
            assert_string_equal(acme_revoke_reason_name(reason),
                                rows[i].name);
            continue;
        }
        assert_int_equal(
            acme_revoke_reason_parse(&reason, rows[i].text, &res),
            APR_EINVAL);
        assert_int_equal(reason, ACME_REVOKE_REASON_NONE);
        assert_non_null(strstr(res.detail, "keyCompromise"));
    }
}

static void a_crl_has_more_reasons(void **state)
{
    (void)state;
    assert_string_equal(acme_revoke_reason_name(2), "cACompromise");
    assert_string_equal(acme_revoke_reason_name(6), "certificateHold");
    assert_null(acme_revoke_reason_name(7));
    assert_string_equal(acme_revoke_reason_name(10), "aACompromise");
    assert_null(acme_revoke_reason_name(11));
    assert_null(acme_revoke_reason_name(-1));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_stay),
        cmocka_unit_test(each_one_is_complete_and_unique),
        cmocka_unit_test(strange_ones_are_bounded),
        cmocka_unit_test(a_result_has_one),
        cmocka_unit_test(a_reason_is_one_that_a_subscriber_has),
        cmocka_unit_test(a_crl_has_more_reasons)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
