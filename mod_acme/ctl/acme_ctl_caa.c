/*
 * acme_ctl_caa.c - acmectl caa: the CAA records that allow a certificate.
 *
 * Made of the configuration and the store alone: it asks no DNS.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_caa_records.h"
#include "acme_ctl_accounts.h"
#include "acme_ctl_caa.h"
#include "acme_ctl_show.h"
#include "acme_ctl_term.h"
#include "acme_name.h"

const acme_ctl_option_t acme_ctl_caa_options[] = {
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

/* Who may issue, and which CAs are not known. */
typedef struct {
    apr_array_header_t *accounts;       /* acme_caa_account_t */
    apr_array_header_t *unknown;        /* const char *: directories of CAs
                                           whose issuer domain is not known */
    apr_array_header_t *unregistered;   /* const char *: of CAs that have no
                                           account yet */
} issuers_t;

/* All accounts of this CA: with several external accounts it has several. */
static void add_ca(issuers_t *issuers, const char *directory,
                   const apr_array_header_t *accounts, apr_pool_t *p)
{
    const char *issuer = acme_caa_records_issuer(directory, p);
    int i, found = 0;

    for (i = 0; i < accounts->nelts; i++) {
        const acme_account_file_t *file =
            &APR_ARRAY_IDX(accounts, i, acme_ctl_account_t).file;
        const char *name = issuer ? issuer : file->persist_issuer;

        if (!strcmp(file->directory, directory) && file->url
            && !file->deactivated && name) {
            APR_ARRAY_PUSH(issuers->accounts, acme_caa_account_t) =
                (acme_caa_account_t){ .issuer = name,
                                      .account_url = file->url };
            found = 1;
        }
    }
    if (found) {
        return;
    }
    if (issuer) {
        APR_ARRAY_PUSH(issuers->accounts, acme_caa_account_t) =
            (acme_caa_account_t){ .issuer = issuer };
    }
    APR_ARRAY_PUSH(issuer ? issuers->unregistered : issuers->unknown,
                   const char *) = directory;
}

static void put_text(const acme_ctl_command_t *run,
                     const acme_ctl_cert_t *cert, const issuers_t *issuers,
                     const apr_array_header_t *records)
{
    int i;

    for (i = 0; i < issuers->unknown->nelts; i++) {
        printf("; %s: the issuer domain of this CA is not known here; the CA documents it, and lists it as caaIdentities in its directory\n",
               acme_ctl_term_text(APR_ARRAY_IDX(issuers->unknown, i,
                                                const char *), run->p));
    }
    for (i = 0; i < issuers->unregistered->nelts; i++) {
        printf("; %s: no account is registered yet, so any account of this CA is allowed\n",
               acme_ctl_term_text(APR_ARRAY_IDX(issuers->unregistered, i,
                                                const char *), run->p));
    }
    for (i = 0; i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

        if (acme_name_is_ip(name)) {
            printf("; %s: an address has no CAA record\n",
                   acme_ctl_term_text(name, run->p));
        }
    }
    if (!cert->challenges && records->nelts) {
        puts("; httpd does not run: its challenge types are not known, so any is allowed");
    }
    for (i = 0; i < records->nelts; i++) {
        const acme_caa_record_t *record = &APR_ARRAY_IDX(records, i,
                                                         acme_caa_record_t);

        printf("%s. IN CAA 0 %s \"%s\"\n",
               acme_ctl_term_text(record->name, run->p), record->tag,
               acme_ctl_term_text(record->value, run->p));
    }
    if (records->nelts) {
        puts("; They forbid all other CAs and accounts for these names and those below.\n"
             "; Whether today's records allow this server is what acmectl check finds out.");
    }
}

static void put_json(const acme_ctl_command_t *run, const issuers_t *issuers,
                     const apr_array_header_t *records)
{
    json_t *array = json_array();
    int i;

    for (i = 0; i < records->nelts; i++) {
        const acme_caa_record_t *record = &APR_ARRAY_IDX(records, i,
                                                         acme_caa_record_t);

        json_array_append_new(array, json_pack(
            "{s:s, s:s, s:i, s:s, s:s}", "name", record->name, "type", "CAA",
            "flags", 0, "tag", record->tag, "value", record->value));
    }
    acme_ctl_show_json(stdout, json_pack(
        "{s:o, s:o, s:o}", "records", array,
        "unknownCAs", acme_json_array(issuers->unknown),
        "unregisteredCAs", acme_json_array(issuers->unregistered)), run->p);
}

int acme_ctl_caa_run(acme_ctl_command_t *run)
{
    const acme_ctl_cert_t *cert = acme_ctl_command_cert(run);
    apr_array_header_t *accounts;
    const apr_array_header_t *records;
    issuers_t issuers = {
        .accounts = apr_array_make(run->p, 2, sizeof(acme_caa_account_t)),
        .unknown = apr_array_make(run->p, 2, sizeof(const char *)),
        .unregistered = apr_array_make(run->p, 2, sizeof(const char *))
    };
    acme_result_t res;
    int i;

    if (acme_ctl_accounts_read(&accounts, run->state_dir, &res, run->p)) {
        return acme_ctl_command_fail(&res);
    }
    for (i = 0; i < cert->cas->nelts; i++) {
        add_ca(&issuers, APR_ARRAY_IDX(cert->cas, i, const char *), accounts,
               run->p);
    }
    records = acme_caa_records_make(cert->names, issuers.accounts,
                                    cert->challenges, run->p);
    if (acme_ctl_command_option(run, "--json")) {
        put_json(run, &issuers, records);
    }
    else {
        put_text(run, cert, &issuers, records);
    }
    return records->nelts ? ACME_CTL_DONE : ACME_CTL_FAILED;
}
