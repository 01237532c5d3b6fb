/*
 * ready_generate.c - what tests of the keeper are linked with in place of
 * acme_key_generate(): RSA keys are taken, not made. (--wrap of the linker)
 */
#include "acme_key.h"
#include "pool.h"
#include "ready_keys.h"

apr_status_t __real_acme_key_generate(acme_key_t **pkey, acme_key_type_e type,
                                      acme_result_t *why, apr_pool_t *p);
apr_status_t __wrap_acme_key_generate(acme_key_t **pkey, acme_key_type_e type,
                                      acme_result_t *why, apr_pool_t *p);

apr_status_t __wrap_acme_key_generate(acme_key_t **pkey, acme_key_type_e type,
                                      acme_result_t *why, apr_pool_t *p)
{
    const char *pem = type == ACME_KEY_RSA2048   ? ready_rsa(2048)
                      : type == ACME_KEY_RSA3072 ? ready_rsa(3072)
                                                 : NULL;

    return pem ? acme_key_parse(pkey, pem, "made for tests", why, p)
               : __real_acme_key_generate(pkey, type, why, p);
}
