/*
 * acme_no_x509.c - a process that has keys parses no certificate of strangers.
 */
#include "acme_no_x509.h"

static int is_banned;

void acme_no_x509_begin(void)
{
    is_banned = 1;
}

apr_status_t acme_no_x509_check(acme_result_t *res)
{
    if (is_banned) {
        return acme_fail(
            res, APR_EGENERAL,
            "a certificate was to be parsed in a process that has keys; please report this as a bug of mod_acme");
    }
    return APR_SUCCESS;
}
