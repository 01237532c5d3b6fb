/*
 * acme_ctl_accounts.h - the accounts in the store.
 */
#ifndef ACME_CTL_ACCOUNTS_H
#define ACME_CTL_ACCOUNTS_H

#include "acme_account_file.h"

typedef struct {
    const char *folder;         /* its name in accounts/ */
    acme_account_file_t file;
} acme_ctl_account_t;

/*
 * All accounts (acme_ctl_account_t) whose account.json says their CA, in p, by
 * their folders. One that is damaged is left out. Fails with the errno of
 * reading accounts/, which res names.
 */
apr_status_t acme_ctl_accounts_read(apr_array_header_t **paccounts,
                                    const char *state_dir, acme_result_t *res,
                                    apr_pool_t *p);

#endif
