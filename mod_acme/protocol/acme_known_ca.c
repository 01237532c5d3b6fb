/*
 * acme_known_ca.c - the public CAs that AcmeCA has a shorthand for.
 *
 * Limits and issuer domains are as the CA publishes them; a CA that publishes no
 * limits refuses orders itself.
 */
#include <string.h>

#include <apr_cstr.h>

#include "acme_known_ca.h"
#include "acme_url.h"

#define HOUR apr_time_from_sec(3600)
#define DAY (24 * HOUR)

#define NAMES 100               /* in a certificate, at most CAs */

static const acme_known_ca_t cas[] = {
    {
        .shorthand = "letsencrypt",
        .title = "Let's Encrypt",
        .directory = "https://acme-v02.api.letsencrypt.org/directory",
        .staging = "letsencrypt-staging",
        .caa = "letsencrypt.org",
        .names = NAMES,
        .profiles = { { "tlsserver", 25 }, { "shortlived", 25 } },
        .limits = {
            [ACME_LIMIT_ORDERS] = { 300, 3 * HOUR },
            [ACME_LIMIT_DOMAIN] = { 50, 7 * DAY },
            [ACME_LIMIT_NAMES] = { 5, 7 * DAY },
            [ACME_LIMIT_FAILURES] = { 5, HOUR }
        }
    },
    {
        .shorthand = "letsencrypt-staging",
        .title = "Let's Encrypt (staging)",
        .directory = "https://acme-staging-v02.api.letsencrypt.org/directory",
        .caa = "letsencrypt.org",
        .names = NAMES,
        .profiles = { { "tlsserver", 25 }, { "shortlived", 25 } },
        .limits = {
            [ACME_LIMIT_ORDERS] = { 1500, 3 * HOUR },
            [ACME_LIMIT_DOMAIN] = { 30000, 7 * DAY },
            [ACME_LIMIT_NAMES] = { 30000, 7 * DAY },
            [ACME_LIMIT_FAILURES] = { 200, HOUR }
        }
    },
    {
        .shorthand = "zerossl",
        .title = "ZeroSSL",
        .directory = "https://acme.zerossl.com/v2/DV90",
        .caa = "sectigo.com",
        .needs_external_account = 1,
        .names = NAMES
    },
    {
        .shorthand = "google",
        .title = "Google Trust Services",
        .directory = "https://dv.acme-v02.api.pki.goog/directory",
        .caa = "pki.goog",
        .needs_external_account = 1,
        .names = NAMES
    },
    {
        .shorthand = "sslcom",
        .title = "SSL.com",
        .directory = "https://acme.ssl.com/sslcom-dv-rsa",
        .caa = "ssl.com",
        .needs_external_account = 1,
        .names = NAMES
    },
    {
        .shorthand = "actalis",
        .title = "Actalis",
        .directory = "https://acme-api.actalis.com/acme/directory",
        .caa = "actalis.it",
        .needs_external_account = 1,
        .names = NAMES
    },
    {
        .shorthand = "jprs",
        .title = "JPRS",
        .directory = "https://acme.amecert.jprs.jp/DV/getDirectory",
        .caa = "jprs.jp",
        .needs_external_account = 1,
        .names = NAMES
    },
    {   /* It issues nothing since 31 October 2025. */
        .shorthand = "buypass",
        .title = "Buypass",
        .directory = "https://api.buypass.com/acme/directory",
        .staging = "buypass-test",
        .caa = "buypass.com",
        .names = NAMES
    },
    {
        .shorthand = "buypass-test",
        .title = "Buypass (test)",
        .directory = "https://api.test4.buypass.no/acme/directory",
        .caa = "buypass.com",
        .names = NAMES
    }
};

#define CAS ((int)(sizeof(cas) / sizeof(*cas)))

const acme_known_ca_t *acme_known_ca_at(int i)
{
    return i < CAS ? &cas[i] : NULL;
}

const acme_known_ca_t *acme_known_ca_find(const char *shorthand)
{
    int i;

    for (i = 0; i < CAS; i++) {
        if (!apr_cstr_casecmp(shorthand, cas[i].shorthand)) {
            return &cas[i];
        }
    }
    return NULL;
}

const acme_known_ca_t *acme_known_ca_of_url(const char *url, apr_pool_t *p)
{
    const char *host = acme_url_host(url, p);
    int i;

    for (i = 0; i < CAS; i++) {
        if (!strcmp(host, acme_url_host(cas[i].directory, p))) {
            return &cas[i];
        }
    }
    return NULL;
}

const acme_known_ca_t *acme_known_ca_staging(const char *url, apr_pool_t *p)
{
    const acme_known_ca_t *ca = acme_known_ca_of_url(url, p);

    return ca && ca->staging ? acme_known_ca_find(ca->staging) : NULL;
}

int acme_known_ca_names(const char *profile)
{
    const acme_known_ca_profile_t *at;
    int i;

    for (i = 0; profile && i < CAS; i++) {
        for (at = cas[i].profiles; at->name; at++) {
            if (!strcmp(profile, at->name)) {
                return at->names;
            }
        }
    }
    return NAMES;
}
