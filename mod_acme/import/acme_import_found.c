/*
 * acme_import_found.c - what another ACME client's folder has.
 */
#include <stdarg.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_import_found.h"
#include "acme_known_ca.h"
#include "acme_name.h"
#include "acme_url.h"

static apr_array_header_t *new_texts(apr_pool_t *p)
{
    return apr_array_make(p, 4, sizeof(const char *));
}

acme_import_found_t *acme_import_found_make(const char *hooks, apr_time_t now,
                                            apr_pool_t *p)
{
    acme_import_found_t *found = apr_pcalloc(p, sizeof(*found));

    found->accounts = apr_array_make(p, 4, sizeof(acme_import_account_t));
    found->certs = apr_array_make(p, 16, sizeof(acme_import_cert_t));
    found->lines = new_texts(p);
    found->notes = new_texts(p);
    found->hooks = hooks;
    found->now = now;
    found->p = p;
    return found;
}

acme_import_account_t *acme_import_found_account(acme_import_found_t *found,
                                                 const char *place)
{
    acme_import_account_t *account;

    if (found->accounts->nelts >= ACME_IMPORT_ACCOUNTS_MAX) {
        acme_import_found_add(found->notes,
                              "the folder has more than %d accounts: the others are left out",
                              ACME_IMPORT_ACCOUNTS_MAX);
        account = apr_palloc(found->p, sizeof(*account));
    }
    else {
        account = apr_array_push(found->accounts);
    }
    *account = (acme_import_account_t) { .place = place };
    return account;
}

acme_import_cert_t *acme_import_found_cert(acme_import_found_t *found,
                                           const char *place,
                                           const char *name)
{
    acme_import_cert_t *cert;

    if (found->certs->nelts >= ACME_IMPORT_CERTS_MAX) {
        acme_import_found_add(found->notes,
                              "the folder has more than %d certificates: the others are left out",
                              ACME_IMPORT_CERTS_MAX);
        cert = apr_palloc(found->p, sizeof(*cert));
    }
    else {
        cert = apr_array_push(found->certs);
    }
    *cert = (acme_import_cert_t) {
        .place = place, .name = name,
        .parts = apr_array_make(found->p, 2, sizeof(acme_import_part_t)),
        .lines = new_texts(found->p), .notes = new_texts(found->p)
    };
    return cert;
}

/* Could it be another line of httpd's configuration than it seems? */
static int is_no_line(const char *text)
{
    const char *c;

    for (c = text; *c; c++) {
        if (apr_iscntrl(*c)) {
            return 1;
        }
    }
    return c > text && c[-1] == '\\';
}

void acme_import_found_add(apr_array_header_t *texts, const char *fmt, ...)
{
    const char *text;
    va_list args;

    va_start(args, fmt);
    text = apr_pvsprintf(texts->pool, fmt, args);
    va_end(args);
    if (!strncmp(text, "Acme", 4) && is_no_line(text)) {
        return;
    }
    acme_name_add(texts, text);
}

int acme_import_found_is_test_ca(const char *url, apr_pool_t *p)
{
    acme_result_t ignored;
    const acme_known_ca_t *ca = url && !acme_url_check(url, &ignored, p)
        ? acme_known_ca_of_url(url, p) : NULL;

    return ca && (strstr(ca->shorthand, "-staging")
                  || strstr(ca->shorthand, "-test"));
}

int acme_import_found_is_test_issuer(const char *name)
{
    static const char *const parts[] = { "(STAGING)", "Fake LE ", "Test4" };
    size_t i;

    for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (strstr(name, parts[i])) {
            return 1;
        }
    }
    return 0;
}

void acme_import_found_check_account(acme_import_account_t *account,
                                     apr_pool_t *p)
{
    acme_result_t res;

    if (account->fault) {
        return;
    }
    if (!account->ca) {
        account->fault = "the URL of its CA's directory is not known: give it with --ca";
    }
    else if (acme_url_check(account->ca, &res, p)) {
        account->fault = apr_pstrdup(p, res.detail);
    }
    else if (acme_import_found_is_test_ca(account->ca, p)) {
        account->fault = "it is of a CA for tests";
    }
    else if (!account->key) {
        account->fault = "its key is missing";
    }
    if (account->fault) {
        account->key = NULL;
        return;
    }
    /* Requests of the account are sent there: only the CA's host will do. */
    if (account->url
        && (acme_url_check(account->url, &res, p)
            || strcmp(acme_url_host(account->url, p),
                      acme_url_host(account->ca, p)) != 0)) {
        account->url = NULL;
    }
}
