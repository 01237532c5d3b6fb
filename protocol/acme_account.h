/*
 * acme_account.h - the account at a CA. (8555, 7.3)
 */
#ifndef ACME_ACCOUNT_H
#define ACME_ACCOUNT_H

#include <apr_tables.h>

#include "acme_ca.h"

/*
 * The payload of newAccount; contacts are URLs (mailto:...) and may be none.
 * terms are agreed to only when agreed. (8555, 7.3)
 */
const char *acme_account_payload(const apr_array_header_t *contacts,
                                 int agreed, apr_pool_t *p);

/*
 * The URL of the account that belongs to the session's key: made at the CA,
 * or found there when it has one (8555, 7.3.1).
 */
apr_status_t acme_account_register(const char **purl, acme_session_t *session,
                                   acme_result_t *res, apr_pool_t *p);

#endif
