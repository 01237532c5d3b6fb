/*
 * acme_reason.c - the table of the reasons why a certificate waits or fails.
 *
 * Scripts compare the codes: a code is added or retired, never changed.
 */
#include <string.h>

#include "acme_reason.h"

static const acme_reason_t reasons[ACME_REASONS] = {
    [ACME_REASON_NONE] = { "", ACME_FAULT_NONE, "", "" },
    [ACME_REASON_OTHER] = {
        "other", ACME_FAULT_NONE,
        "The failure is of no known kind.",
        "Read the message of the failure and the error log." },

    [ACME_REASON_DNS_NXDOMAIN] = {
        "dns-nxdomain", ACME_FAULT_DNS,
        "The name does not exist in the DNS.",
        "Add the DNS record of the name, or remove the name from the configuration." },
    [ACME_REASON_DNS_FAILED] = {
        "dns-failed", ACME_FAULT_DNS,
        "The CA cannot look up the name in the DNS.",
        "Check that the DNS servers of the name answer, and that DNSSEC is valid there." },
    [ACME_REASON_DNS_PROPAGATION] = {
        "dns-propagation", ACME_FAULT_DNS,
        "The TXT record of the challenge did not reach all name servers of the zone in time.",
        "Check the transfers to the secondary servers and the NS records of the zone." },
    [ACME_REASON_DNS_UPDATE_FAILED] = {
        "dns-update-failed", ACME_FAULT_ADMINISTRATOR,
        "The TXT record of the challenge could not be set with AcmeDns.",
        "Check the server, the key and the zone of AcmeDns; the error log has the output." },
    [ACME_REASON_DNS_PERSIST_MISSING] = {
        "dns-persist-missing", ACME_FAULT_DNS,
        "The TXT record for dns-persist-01 is missing.",
        "Add the record that acmectl dns-persist prints to the zone." },
    [ACME_REASON_CAA_FORBIDDEN] = {
        "caa-forbidden", ACME_FAULT_DNS,
        "The CAA records of the name forbid this CA.",
        "Add a CAA record that allows the CA, or choose another one with AcmeCA." },
    [ACME_REASON_PORT_80_UNREACHABLE] = {
        "port-80-unreachable", ACME_FAULT_NETWORK,
        "The CA cannot connect to port 80 of this server.",
        "Check the firewall, the addresses in the DNS, and that httpd listens on port 80." },
    [ACME_REASON_PORT_443_UNREACHABLE] = {
        "port-443-unreachable", ACME_FAULT_NETWORK,
        "The CA cannot connect to port 443 of this server.",
        "Check the firewall, the addresses in the DNS, and that httpd listens on port 443." },
    [ACME_REASON_SERVER_UNREACHABLE] = {
        "server-unreachable", ACME_FAULT_NETWORK,
        "The CA cannot connect to this server.",
        "Check the firewall and the addresses of the name in the DNS." },
    [ACME_REASON_CHALLENGE_FAILED] = {
        "challenge-failed", ACME_FAULT_NETWORK,
        "The CA did not find the answer to its challenge.",
        "Check that the name leads to this server only, and that no proxy answers instead." },
    [ACME_REASON_DNS_NO_ADDRESS] = {
        "dns-no-address", ACME_FAULT_DNS,
        "The name exists in the DNS, but has no address that a CA can reach.",
        "Add an A or AAAA record with a public address of this server, or validate the name by DNS." },
    [ACME_REASON_OTHER_SERVER] = {
        "other-server-answers", ACME_FAULT_DNS,
        "At an address of the name another server answers than this one.",
        "Remove that address (A, AAAA) from the DNS, or have that server pass /.well-known/acme-challenge/ on to this one." },
    [ACME_REASON_REDIRECT_FAILED] = {
        "redirect-failed", ACME_FAULT_ADMINISTRATOR,
        "The path of the challenge is redirected to where a CA does not find the answer.",
        "Exclude /.well-known/acme-challenge/ from the redirects of the server that answers first." },
    [ACME_REASON_NO_CHALLENGE] = {
        "no-challenge-possible", ACME_FAULT_ADMINISTRATOR,
        "No challenge type of the CA can work for this name here.",
        "Check AcmeChallenges and AcmePorts; a wildcard needs AcmeDns." },
    [ACME_REASON_NAMES_QUARANTINED] = {
        "names-quarantined", ACME_FAULT_ADMINISTRATOR,
        "Names that keep failing are excluded from the certificate.",
        "Fix the cause, or remove the names; the error log has them." },

    [ACME_REASON_RATE_LIMITED] = {
        "rate-limited", ACME_FAULT_CA,
        "A rate limit of the CA is reached.",
        "Nothing: the order follows when the CA allows it." },
    [ACME_REASON_CA_PAUSED] = {
        "ca-paused", ACME_FAULT_CA,
        "No requests are sent to the CA for a while: it failed repeatedly, or asked for a pause.",
        "Nothing: the order follows at the time shown; acmectl renew tries at once." },
    [ACME_REASON_CA_UNREACHABLE] = {
        "ca-unreachable", ACME_FAULT_NETWORK,
        "This server cannot connect to the CA.",
        "Check the network, the resolver and AcmeProxy of this server." },
    [ACME_REASON_CA_UNTRUSTED] = {
        "ca-untrusted", ACME_FAULT_ADMINISTRATOR,
        "The TLS certificate of the CA's server is not trusted.",
        "Set AcmeCACertificateFile if the CA has its own roots." },
    [ACME_REASON_CA_ERROR] = {
        "ca-internal-error", ACME_FAULT_CA,
        "The CA has an internal error.",
        "Nothing: it is retried. See the status page of the CA if it lasts." },
    [ACME_REASON_CA_SLOW] = {
        "ca-timeout", ACME_FAULT_CA,
        "The CA did not finish the order in time.",
        "Nothing: the order is resumed." },
    [ACME_REASON_CA_ANSWER] = {
        "ca-answer-invalid", ACME_FAULT_CA,
        "The CA gave an answer that does not follow RFC 8555.",
        "Check that AcmeCA is the URL of an ACME directory; report it to the CA if it is." },
    [ACME_REASON_REQUEST_REFUSED] = {
        "request-refused", ACME_FAULT_CA,
        "The CA refused a request.",
        "Read its message; report it if this is not about the configuration." },
    [ACME_REASON_ORDER_INVALID] = {
        "order-invalid", ACME_FAULT_CA,
        "The order expired or the CA marked it invalid.",
        "Nothing: a new order is made." },
    [ACME_REASON_REJECTED_NAME] = {
        "rejected-identifier", ACME_FAULT_ADMINISTRATOR,
        "The CA does not issue certificates for this name.",
        "Exclude the name with AcmeNames, or choose another AcmeCA." },
    [ACME_REASON_PROFILE_REFUSED] = {
        "profile-refused", ACME_FAULT_ADMINISTRATOR,
        "The CA does not offer the profile.",
        "Set AcmeProfile to one that the CA offers." },
    [ACME_REASON_KEY_REFUSED] = {
        "key-refused", ACME_FAULT_ADMINISTRATOR,
        "The CA does not accept the key or the certificate request.",
        "Check AcmeKeyTypes, AcmeMustStaple and AcmeNames." },

    [ACME_REASON_TERMS_NOT_AGREED] = {
        "terms-not-agreed", ACME_FAULT_ADMINISTRATOR,
        "The terms of service of the CA are not agreed to.",
        "Read the terms, then set AcmeTermsOfService agree." },
    [ACME_REASON_CA_ACTION_REQUIRED] = {
        "ca-action-required", ACME_FAULT_ADMINISTRATOR,
        "The CA requires an action on its web site.",
        "Open the URL in the message and follow the instructions." },
    [ACME_REASON_EAB_REQUIRED] = {
        "external-account-required", ACME_FAULT_ADMINISTRATOR,
        "The CA requires an external account, or refused the one that is set.",
        "Set AcmeExternalAccount to the key identifier and HMAC key from the CA." },
    [ACME_REASON_CONTACT_REFUSED] = {
        "contact-refused", ACME_FAULT_ADMINISTRATOR,
        "The CA does not accept the contact address.",
        "Correct AcmeContact." },
    [ACME_REASON_ACCOUNT_UNKNOWN] = {
        "account-unknown", ACME_FAULT_CA,
        "The CA does not know the account any more.",
        "Nothing: the account is registered again." },
    [ACME_REASON_ACCOUNT_DEACTIVATED] = {
        "account-deactivated", ACME_FAULT_ADMINISTRATOR,
        "The account at the CA is deactivated.",
        "Remove its folder in accounts/ of AcmeStateDir and reload httpd." },

    [ACME_REASON_CHAIN_REFUSED] = {
        "chain-refused", ACME_FAULT_CA,
        "The issued certificate failed the checks before its installation.",
        "Check the clock of this server; the certificate is in aside/ of AcmeStateDir." },
    [ACME_REASON_INSTALL_LIMITED] = {
        "install-limited", ACME_FAULT_SERVER,
        "The certificate was replaced too often within a day.",
        "Find in the error log what orders it so often; acmectl renew --force installs one more." },
    [ACME_REASON_KEY_TOO_WEAK] = {
        "key-too-weak", ACME_FAULT_ADMINISTRATOR,
        "The security level of a virtual host forbids keys of this type.",
        "Set AcmeKeyTypes to a stronger type, or lower the level in SSLCipherSuite or SSLOpenSSLConfCmd CipherString." },
    [ACME_REASON_STORE_UNWRITABLE] = {
        "store-unwritable", ACME_FAULT_SERVER,
        "A file in AcmeStateDir cannot be read or written.",
        "Check the free space, owner and permissions of AcmeStateDir." },
    [ACME_REASON_HOOK_FAILED] = {
        "hook-failed", ACME_FAULT_ADMINISTRATOR,
        "A configured command failed.",
        "Run the command by hand; the error log has its output." },
    [ACME_REASON_WEBROOT_FAILED] = {
        "webroot-failed", ACME_FAULT_ADMINISTRATOR,
        "The token of http-01 could not be written below the folder of AcmeHttp webroot.",
        "Check that folder and .well-known/acme-challenge in it: a symbolic link there is not followed." },
    [ACME_REASON_RELOAD_HELD] = {
        "reload-held", ACME_FAULT_ADMINISTRATOR,
        "The certificate is installed, but the reload that serves it is postponed.",
        "Check the configuration with httpd -t, then reload httpd." },
    [ACME_REASON_EXPORT_FAILED] = {
        "export-failed", ACME_FAULT_ADMINISTRATOR,
        "A copy of the certificate for another program could not be written.",
        "The message names the file of AcmeExport; it is written as soon as that is possible." },
    [ACME_REASON_NOT_SERVED] = {
        "not-served", ACME_FAULT_ADMINISTRATOR,
        "The certificate is loaded, but visitors of one of its names get another one, or no TLS.",
        "Read in the error log which one and at what address; the last load and httpd -t name a virtual host to change, else another server or an old process answers there." },
    [ACME_REASON_DELETED] = {
        "deleted", ACME_FAULT_ADMINISTRATOR,
        "The certificate was revoked with acmectl revoke --delete.",
        "Order a new one with acmectl renew --force." }
};

acme_reason_e acme_reason_bound(unsigned long number)
{
    return number < ACME_REASONS ? (acme_reason_e)number : ACME_REASON_OTHER;
}

const acme_reason_t *acme_reason_about(acme_reason_e reason)
{
    return &reasons[acme_reason_bound((unsigned long)reason)];
}

acme_reason_e acme_reason_parse(const char *code)
{
    int i = 0;

    while (i < ACME_REASONS && strcmp(code, reasons[i].code)) {
        i++;
    }
    return i < ACME_REASONS ? (acme_reason_e)i : ACME_REASON_OTHER;
}

const char *acme_reason_fault_word(acme_reason_fault_e fault)
{
    static const char *const words[] = {
        [ACME_FAULT_NONE] = "",
        [ACME_FAULT_ADMINISTRATOR] = "administrator",
        [ACME_FAULT_DNS] = "dns",
        [ACME_FAULT_NETWORK] = "network",
        [ACME_FAULT_CA] = "ca",
        [ACME_FAULT_SERVER] = "server"
    };

    return words[fault];
}
