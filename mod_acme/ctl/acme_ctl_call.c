/*
 * acme_ctl_call.c - the command line of acmectl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme_ctl_call.h"
#include "acme_revoke_reason.h"

static const char usage[] =
    "usage: acmectl [--state-dir DIR] status [ID] [--json]\n"
    "       acmectl [--state-dir DIR] renew ID [--force | --chain]\n"
    "       acmectl [--state-dir DIR] revoke ID [--reason R] [--delete]\n"
    "       acmectl [--state-dir DIR] dns-persist ID [--until TIME]\n"
    "       acmectl [--state-dir DIR] account show\n"
    "       acmectl [--state-dir DIR] account update|rollover|deactivate\n"
    "               [CA]\n"
    "\n"
    "  status   show the certificates: state, names, expiry, next step\n"
    "  renew    order a new certificate if it is due or its last order\n"
    "           failed; --force orders one in any case; --chain only\n"
    "           downloads the chain again\n"
    "  revoke   revoke the certificate at the CA and order a new one;\n"
    "           --delete orders none. R: keyCompromise, superseded, ...\n"
    "  dns-persist\n"
    "           print the TXT records for dns-persist-01, which you set once;\n"
    "           TIME is when they expire: 2027-11-21T00:00:00Z or 365d\n"
    "  account  show the accounts at the CAs, send the contacts again,\n"
    "           replace the key, or deactivate the account. CA is a part of\n"
    "           the CA's URL, needed if there are several\n"
    "\n"
    "With --timeout SECONDS, each answer of the keeper is waited for so long, by\n"
    "default 70 seconds.\n"
    "DIR is the AcmeStateDir of the server, by default " ACME_STATE_DIR ".\n";

/* Whole seconds up to a day. */
static int read_timeout(apr_interval_time_t *ptimeout, const char *text)
{
    char *end;
    const long seconds = strtol(text, &end, 10);

    if (end == text || *end || seconds < 1 || seconds > 86400) {
        fprintf(stderr, "acmectl: --timeout %s: not a number of seconds from 1 to 86400\n",
                text);
        return 0;
    }
    *ptimeout = apr_time_from_sec(seconds);
    return 1;
}

int acme_ctl_call_read(acme_ctl_call_t *call, int argc,
                       const char *const *argv)
{
    acme_result_t res;
    int i;

    call->state_dir = ACME_STATE_DIR;
    call->reason = ACME_REVOKE_REASON_NONE;
    call->timeout = ACME_CTL_TIMEOUT;
    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--state-dir") && i + 1 < argc) {
            call->state_dir = argv[++i];
        }
        else if (!strcmp(argv[i], "--json")) {
            call->json = 1;
        }
        else if (!strcmp(argv[i], "--force")) {
            call->force = 1;
        }
        else if (!strcmp(argv[i], "--chain")) {
            call->chain = 1;
        }
        else if (!strcmp(argv[i], "--delete")) {
            call->delete = 1;
        }
        else if (!strcmp(argv[i], "--reason") && i + 1 < argc) {
            if (acme_revoke_reason_parse(&call->reason, argv[++i], &res)) {
                fprintf(stderr, "acmectl: %s\n", res.detail);
                return 0;
            }
        }
        else if (!strcmp(argv[i], "--timeout") && i + 1 < argc) {
            if (!read_timeout(&call->timeout, argv[++i])) {
                return 0;
            }
        }
        else if (!strcmp(argv[i], "--until") && i + 1 < argc) {
            call->until = argv[++i];
        }
        else if (argv[i][0] == '-') {
            return 0;
        }
        else if (!call->verb) {
            call->verb = argv[i];
        }
        else if (!call->id) {
            call->id = argv[i];
        }
        else if (!call->ca && !strcmp(call->verb, "account")) {
            call->ca = argv[i];
        }
        else {
            return 0;
        }
    }
    return call->verb != NULL;
}

void acme_ctl_call_usage(void)
{
    fputs(usage, stderr);
}
