/*
 * acme_caa_records.c - CAA records for a certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_caa_records.h"
#include "acme_known_ca.h"
#include "acme_name.h"

/* A name may be validated for its wildcard by the DNS alone. */
#define WILDCARD_CHALLENGES ((1u << ACME_DNS_01) | (1u << ACME_DNS_PERSIST_01))

const char *acme_caa_records_issuer(const char *directory, apr_pool_t *p)
{
    const acme_known_ca_t *ca = acme_known_ca_of_url(directory, p);

    return ca ? ca->caa : NULL;
}

/* Can it stand in a value, and that in the quotes of a zone file? (8659,
   4.2) */
static int is_value(const char *text)
{
    for (; *text; text++) {
        if (*text < 0x21 || *text > 0x7e || strchr(";\"\\", *text)) {
            return 0;
        }
    }
    return 1;
}

/* "; validationmethods=http-01,dns-01", or "". */
static const char *methods_text(apr_uint32_t challenges, apr_pool_t *p)
{
    const char *text = "";
    int i;

    for (i = 0; i < ACME_CHALLENGES; i++) {
        if (challenges & (1u << i)) {
            text = apr_pstrcat(p, *text ? text : "; validationmethods=",
                               *text ? "," : "",
                               acme_challenge_name((acme_challenge_e)i),
                               NULL);
        }
    }
    return text;
}

static void add_records(apr_array_header_t *records, const char *name,
                        const char *tag, const apr_array_header_t *accounts,
                        apr_uint32_t challenges, apr_pool_t *p)
{
    int i;

    for (i = 0; i < accounts->nelts; i++) {
        const acme_caa_account_t *account = &APR_ARRAY_IDX(accounts, i,
                                                           acme_caa_account_t);
        const int has_url = account->account_url
            && is_value(account->account_url);
        acme_caa_record_t *record;

        if (!is_value(account->issuer)) {
            continue;
        }
        record = apr_array_push(records);
        record->name = name;
        record->tag = tag;
        record->value = apr_pstrcat(p, account->issuer,
                                    has_url ? "; accounturi=" : "",
                                    has_url ? account->account_url : "",
                                    methods_text(challenges, p), NULL);
    }
}

/* Is name below the name above, or the same? */
static int is_at_or_below(const char *name, const char *above)
{
    const apr_size_t len = strlen(name), end = strlen(above);

    return len >= end && !strcmp(name + len - end, above)
        && (len == end || name[len - end - 1] == '.');
}

/* Is it a place for records: does none of names lie above it, nor an earlier
   one at it? */
static int is_top(const apr_array_header_t *names, int n)
{
    const char *name = acme_name_base(APR_ARRAY_IDX(names, n, const char *));
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *other = acme_name_base(APR_ARRAY_IDX(names, i,
                                                         const char *));

        if (i != n && !acme_name_is_ip(other) && is_at_or_below(name, other)
            && (strcmp(name, other) || i < n)) {
            return 0;
        }
    }
    return 1;
}

apr_array_header_t *acme_caa_records_make(const apr_array_header_t *names,
                                          const apr_array_header_t *accounts,
                                          apr_uint32_t challenges,
                                          apr_pool_t *p)
{
    apr_array_header_t *records = apr_array_make(p, 4,
                                                 sizeof(acme_caa_record_t));
    int i, k;

    for (i = 0; i < names->nelts; i++) {
        const char *top = acme_name_base(APR_ARRAY_IDX(names, i,
                                                       const char *));
        int has_plain = 0, has_wildcard = 0;

        if (acme_name_is_ip(top) || !is_top(names, i)) {
            continue;
        }
        for (k = 0; k < names->nelts; k++) {
            const char *name = APR_ARRAY_IDX(names, k, const char *);

            if (!acme_name_is_ip(name)
                && is_at_or_below(acme_name_base(name), top)) {
                has_wildcard |= acme_name_is_wildcard(name);
                has_plain |= !acme_name_is_wildcard(name);
            }
        }
        if (has_plain) {
            add_records(records, top, "issue", accounts, challenges, p);
        }
        if (has_wildcard) {
            add_records(records, top, "issuewild", accounts,
                        challenges & WILDCARD_CHALLENGES, p);
        }
    }
    return records;
}
