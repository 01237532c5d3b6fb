/*
 * acme_ctl_verbs.c - the table of acmectl's commands.
 *
 * A new one is a row here and two files in local.mk. The text of a row begins
 * with the sentence that acmectl help shows in its list.
 */
#include "acme_ctl_account.h"
#include "acme_ctl_caa.h"
#include "acme_ctl_check.h"
#include "acme_ctl_dns_persist.h"
#include "acme_ctl_explain.h"
#include "acme_ctl_export.h"
#include "acme_ctl_help.h"
#include "acme_ctl_import.h"
#include "acme_ctl_logs.h"
#include "acme_ctl_renew.h"
#include "acme_ctl_revoke.h"
#include "acme_ctl_status.h"
#include "acme_ctl_tlsa.h"
#include "acme_ctl_verbs.h"
#include "acme_ctl_version.h"
#include "acme_ctl_watch.h"

const acme_ctl_verb_t acme_ctl_verbs[] = {
    {
        .word = "status", .usage = "[ID]",
        .text = "Show the certificates, the most urgent first: state, expiry, next step, and what is wrong. With ID, all that is known of one. The exit code is 1 if one needs the administrator.",
        .options = acme_ctl_status_options,
        .least = 0, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_IF_RUNNING, .run = acme_ctl_status_run,
        .fail = acme_ctl_status_fail
    },
    {
        .word = "explain", .usage = "ID",
        .text = "Say what is so, why, what happens next and when, and what to do. It lists each check with its result: certificate, names, orders, limits of the CA, what httpd serves at each address, reloads, commands, copies.",
        .options = acme_ctl_explain_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_IF_RUNNING, .run = acme_ctl_explain_run
    },
    {
        .word = "watch", .usage = "[ID]",
        .text = "Show the running orders, live, until interrupted. On a terminal it is redrawn, else each change is a line.",
        .options = acme_ctl_watch_options,
        .least = 0, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_NEEDED, .run = acme_ctl_watch_run
    },
    {
        .word = "logs", .usage = "ID",
        .text = "Show the journal of a certificate: its last events and failures. It is read from the store.",
        .options = acme_ctl_logs_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_WORDS,
        .need = ACME_CTL_KEEPER_NEVER, .run = acme_ctl_logs_run
    },
    {
        .word = "renew", .usage = "[ID...]",
        .text = "Order new certificates if they are due or their last order failed. Give ids, --all or --due. One that is not due is not ordered; why is printed, and what --force would use up of the CA's rate limits.",
        .options = acme_ctl_renew_options,
        .least = 0, .most = ACME_CTL_MANY, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_NEEDED, .run = acme_ctl_renew_run,
        .fail = acme_ctl_renew_fail
    },
    {
        .word = "check", .usage = "[ID]...",
        .text = "Look at each name as a CA would: DNS, CAA, ports 80 and 443. Nothing is ordered or changed, and what is found blocks no order. The exit code is 1 if there is a fault.",
        .options = acme_ctl_check_options,
        .least = 0, .most = ACME_CTL_MANY, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_NEEDED, .run = acme_ctl_check_run
    },
    {
        .word = "revoke", .usage = "ID",
        .text = "Revoke the certificate at the CA and order a new one.",
        .options = acme_ctl_revoke_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_NEEDED, .run = acme_ctl_revoke_run
    },
    {
        .word = "dns-persist", .usage = "ID",
        .text = "Print the TXT records for dns-persist-01, which you set once.",
        .options = acme_ctl_dns_persist_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_NEEDED, .run = acme_ctl_dns_persist_run
    },
    {
        .word = "caa", .usage = "ID",
        .text = "Print the CAA records that allow this server, and nobody else, certificates for the names. Whether today's records allow it is not looked up.",
        .options = acme_ctl_caa_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_IF_RUNNING, .run = acme_ctl_caa_run
    },
    {
        .word = "tlsa", .usage = "ID",
        .text = "Print the TLSA records (3 1 1) for DANE of the current key, and of the next one if there is one: made ahead (AcmeKeyReuse next), or by an order under way.",
        .options = acme_ctl_tlsa_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_IDS,
        .need = ACME_CTL_KEEPER_IF_RUNNING, .run = acme_ctl_tlsa_run
    },
    {
        .word = "export", .usage = "ID",
        .text = "Write the certificate that is live, and its key, in a format for another program. AcmeExport does so after each renewal. Nothing with a private key goes to a terminal, and a password is read from a file only.",
        .options = acme_ctl_export_options,
        .least = 1, .most = 1, .arguments = ACME_CTL_WORDS,
        .need = ACME_CTL_KEEPER_NEVER, .run = acme_ctl_export_run
    },
    {
        .word = "account", .usage = "show|update|rollover|deactivate [CA]",
        .text = "Show the accounts at the CAs, send the contacts again, replace the key, or deactivate the account. CA is a part of the CA's URL, needed if there are several.",
        .options = acme_ctl_account_options,
        .least = 1, .most = 2, .arguments = ACME_CTL_WORDS,
        .need = ACME_CTL_KEEPER_IF_RUNNING, .run = acme_ctl_account_run
    },
    {
        .word = "import", .usage = "CLIENT [DIR]",
        .text = "Take accounts and certificates of another ACME client over, so that nothing is ordered again. CLIENT is certbot, mod_md, acme.sh, lego or dehydrated; DIR is its folder, by default certbot's /etc/letsencrypt.",
        .options = acme_ctl_import_options,
        .least = 1, .most = 2, .arguments = ACME_CTL_WORDS,
        .need = ACME_CTL_KEEPER_NEVER, .run = acme_ctl_import_run
    },
    {
        .word = "version", .usage = "",
        .text = "Print the version and the state directory.",
        .options = acme_ctl_version_options,
        .least = 0, .most = 0, .arguments = ACME_CTL_WORDS,
        .need = ACME_CTL_KEEPER_NEVER, .run = acme_ctl_version_run
    },
    {
        .word = "help", .usage = "[COMMAND]",
        .text = "Say what a command does, and its options.",
        .options = acme_ctl_help_options,
        .least = 0, .most = 1, .arguments = ACME_CTL_WORDS,
        .need = ACME_CTL_KEEPER_NEVER, .run = acme_ctl_help_run
    },
    { .word = NULL }
};
