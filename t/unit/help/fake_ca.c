/*
 * fake_ca.c - see fake_ca.h.
 */
#include <signal.h>

#include "fake_ca.h"

fake_t *fake;
acme_http_conf_t http_conf;
acme_session_t session;

/* A baton means that the keeper refuses. */
static apr_status_t fake_sign(const char **pbody, void *baton,
                              const acme_session_post_t *post,
                              const char *nonce, acme_result_t *result,
                              apr_pool_t *p)
{
    static const char *const kinds[] = {
        "account", "order", "get", "challenge", "finalize", "find", "update",
        "deactivate", "key", "revoke"
    };

    if (baton) {
        return acme_fail(result, APR_EACCES, "the keeper does not sign");
    }
    *pbody = apr_psprintf(p, "%s %s", kinds[post->kind], nonce);
    return APR_SUCCESS;
}

const char *fake_url(const char *path)
{
    return apr_pstrcat(pool, fake_address(fake), path, NULL);
}

void open_ca(void)
{
    assert_int_equal(acme_ca_create(&session.ca, fake_url("/dir"), pool), 0);
    session.requests = 0;
}

int fake_ca_setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    fake = fake_start(0);
    memset(&http_conf, 0, sizeof(http_conf));
    http_conf.user_agent = "mod_acme/test";
    http_conf.ca_file = fake_ca_file(fake);
    assert_int_equal(acme_stop_create(&http_conf.stop, pool), 0);
    memset(&session, 0, sizeof(session));
    session.sign = fake_sign;
    assert_int_equal(acme_http_create(&session.http, &http_conf, &res, pool),
                     0);
    open_ca();
    return 0;
}

int fake_ca_teardown(void **state)
{
    pool_teardown(state);
    fake_stop(fake);
    return 0;
}

int fake_ca_begin(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    return acme_http_init(&res);
}

int fake_ca_end(void **state)
{
    (void)state;
    acme_http_term();
    apr_terminate();
    return 0;
}
