/*
 * test_ciphers.c - which keys the ciphers of a server can use.
 */
#include "acme_ciphers.h"
#include "pool.h"

static void keys_need_ciphers(void **state)
{
    static const struct {
        const char *list;
        int ec, rsa;
    } rows[] = {
        { "DEFAULT", 1, 1 }, { "HIGH:!aNULL", 1, 1 },
        { "aRSA", 0, 1 }, { "ECDHE-RSA-AES128-GCM-SHA256", 0, 1 },
        { "AES128-SHA256", 0, 1 },      /* the key decrypts */
        { "aECDSA", 1, 0 }, { "DEFAULT:!aRSA", 1, 0 },
        { "DEFAULT:!ECDSA@SECLEVEL=3", 0, 1 },
        { "NOTHING", 1, 1 }             /* mod_ssl refuses the list */
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_ciphers_have_key(rows[i].list, ACME_KEY_P256) != rows[i].ec
            || acme_ciphers_have_key(rows[i].list, ACME_KEY_P384)
                   != rows[i].ec
            || acme_ciphers_have_key(rows[i].list, ACME_KEY_RSA2048)
                   != rows[i].rsa) {
            fail_msg("%s", rows[i].list);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(keys_need_ciphers),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
