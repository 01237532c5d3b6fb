/*
 * acme_ctl_accounts.c - the accounts in the store.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_ctl_accounts.h"
#include "acme_url.h"

#define ACCOUNTS_MAX 10000

static int compare(const void *a, const void *b)
{
    return strcmp(((const acme_ctl_account_t *)a)->folder,
                  ((const acme_ctl_account_t *)b)->folder);
}

apr_status_t acme_ctl_accounts_read(apr_array_header_t **paccounts,
                                    const char *state_dir, acme_result_t *res,
                                    apr_pool_t *p)
{
    acme_store_t *store = acme_store_at(state_dir, p);
    const char *path = acme_store_path(store, "accounts", NULL, p);
    apr_array_header_t *found = apr_array_make(p, 4,
                                               sizeof(acme_ctl_account_t));
    apr_finfo_t info;
    apr_status_t rv;
    apr_dir_t *dir;

    *paccounts = found;
    rv = apr_dir_open(&dir, path, p);
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "%s: cannot read it", path);
    }
    while (found->nelts < ACCOUNTS_MAX
           && apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        acme_ctl_account_t account = { .folder = apr_pstrdup(p, info.name) };
        acme_result_t ignored;

        if (info.name[0] != '.'
            && acme_account_file_look(&account.file, store, account.folder,
                                      &ignored, p) == APR_SUCCESS
            && account.file.directory
            && acme_url_check(account.file.directory, &ignored, p)
                   == APR_SUCCESS) {
            APR_ARRAY_PUSH(found, acme_ctl_account_t) = account;
        }
    }
    apr_dir_close(dir);
    qsort(found->elts, (size_t)found->nelts, (size_t)found->elt_size, compare);
    return APR_SUCCESS;
}
