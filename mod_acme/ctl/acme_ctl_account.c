/*
 * acme_ctl_account.c - acmectl account: the accounts at the CAs.
 */
#include <string.h>

#include "acme_ctl_account.h"
#include "acme_ctl_accounts.h"
#include "acme_ctl_show.h"
#include "acme_ctl_term.h"
#include "acme_revoke_reason.h"

const acme_ctl_option_t acme_ctl_account_options[] = {
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

static const char *state_word(const acme_account_file_t *file)
{
    return file->deactivated ? "deactivated"
        : file->url ? "registered" : "unregistered";
}

static json_t *text_json(const char *text, apr_pool_t *p)
{
    return text ? acme_json_from_text(text, 2000, p) : json_null();
}

static json_t *object_of(const acme_ctl_account_t *account, apr_pool_t *p)
{
    const acme_account_file_t *file = &account->file;

    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}",
                     "directory", text_json(file->directory, p),
                     "url", text_json(file->url, p),
                     "state", state_word(file),
                     "contacts", file->contacts
                         ? acme_json_array(file->contacts) : json_null(),
                     "terms", text_json(file->terms, p),
                     "folder", text_json(account->folder, p));
}

/* The accounts of the store. */
static int list_stored(const acme_ctl_command_t *run)
{
    const int is_json = acme_ctl_command_option(run, "--json") != NULL;
    apr_array_header_t *accounts;
    json_t *array;
    acme_result_t res;
    int i;

    if (acme_ctl_accounts_read(&accounts, run->state_dir, &res, run->p)) {
        return acme_ctl_command_fail(&res);
    }
    array = json_array();
    for (i = 0; i < accounts->nelts; i++) {
        const acme_ctl_account_t *account = &APR_ARRAY_IDX(accounts, i,
                                                           acme_ctl_account_t);
        const acme_account_file_t *file = &account->file;

        if (is_json) {
            json_array_append_new(array, object_of(account, run->p));
            continue;
        }
        acme_ctl_term_put(stdout, file->directory);
        fputs(": ", stdout);
        acme_ctl_term_put(stdout, file->deactivated || !file->url
                                      ? state_word(file) : file->url);
        if (file->contacts && file->contacts->nelts) {
            fputs(", contacts ", stdout);
            acme_ctl_term_put(stdout, apr_array_pstrcat(run->p, file->contacts,
                                                        ' '));
        }
        fputs("\n", stdout);
    }
    if (is_json) {
        acme_ctl_show_json(stdout, array, run->p);
    }
    else {
        json_decref(array);
    }
    return ACME_CTL_DONE;
}

/* The accounts as the keeper lists them, a line each. */
static int list_accounts(const acme_ctl_command_t *run)
{
    static const acme_msg_none_t none;
    acme_message_t reply;
    acme_result_t res;

    if (acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_ACCOUNTS, &none,
                                &res)) {
        return acme_ctl_command_fail(&res);
    }
    acme_ctl_term_put_lines(stdout, reply.tail, reply.tail_len);
    return ACME_CTL_DONE;
}

static const struct action {
    const char *word;
    acme_want_e want;
    const char *begun;
} actions[] = {
    { "update", ACME_WANT_UPDATE, "the contacts are being sent to the CA" },
    { "rollover", ACME_WANT_ROLLOVER, "the key of the account is being replaced" },
    { "deactivate", ACME_WANT_DEACTIVATION,
      "the account is being deactivated" },
    { NULL, ACME_WANT_NOTHING, NULL }
};

/*
 * The account that the command line names: a certificate, and the position in
 * its list of CAs. part is of the CA's URL, NULL: any. Returns the number of
 * different accounts that match; *purl is the CA of the first one.
 */
static int find_account(acme_target_t *about, const char **purl,
                        const acme_ctl_command_t *run, const char *part)
{
    int i, k, found = 0;

    *purl = NULL;
    for (i = 0; i < run->certs->nelts; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, i,
                                                     acme_ctl_cert_t);

        for (k = 0; k < cert->cas->nelts; k++) {
            const char *url = APR_ARRAY_IDX(cert->cas, k, const char *);

            if (part && !strstr(url, part)) {
                continue;
            }
            if (!*purl) {
                about->cert = cert->state.cert;
                about->ca = (apr_uint32_t)k;
                *purl = url;
                found = 1;
            }
            found += strcmp(url, *purl) != 0;
        }
    }
    return found;
}

int acme_ctl_account_run(acme_ctl_command_t *run)
{
    acme_msg_want_t body = { .reason = ACME_REVOKE_REASON_NONE };
    const struct action *action = actions;
    const char *url;
    int found;

    if (!strcmp(run->args[0], "show")) {
        return run->is_connected && !acme_ctl_command_option(run, "--json")
            ? list_accounts(run) : list_stored(run);
    }
    while (action->word && strcmp(run->args[0], action->word)) {
        action++;
    }
    if (!action->word) {
        return acme_ctl_command_refuse("account %s: show, update, rollover or deactivate",
                                       run->args[0]);
    }
    if (acme_ctl_command_option(run, "--json")) {
        return acme_ctl_command_refuse("account: --json is for account show");
    }
    if (!run->is_connected) {
        return ACME_CTL_FAILED; /* which was said */
    }
    found = find_account(&body.about, &url, run, run->args[1]);
    if (found > 1) {
        return acme_ctl_command_refuse("several accounts match: add a part of the CA's URL that only one has; acmectl account show lists them");
    }
    if (!found) {
        acme_ctl_command_refuse("no configured CA matches; acmectl account show lists the accounts");
        return ACME_CTL_FAILED;
    }
    body.want = action->want;
    return acme_ctl_command_want(run, &body, url, action->begun);
}
