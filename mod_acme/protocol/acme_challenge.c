/*
 * acme_challenge.c - the challenge types that can be answered here.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_alpn_cert.h"
#include "acme_challenge.h"
#include "acme_text.h"

static const char *const names[ACME_CHALLENGES] = {
    [ACME_HTTP_01] = "http-01",
    [ACME_TLS_ALPN_01] = "tls-alpn-01",
    [ACME_DNS_01] = "dns-01",
    [ACME_DNS_PERSIST_01] = "dns-persist-01"
};

const char *acme_challenge_name(acme_challenge_e type)
{
    return names[type];
}

int acme_challenge_parse(acme_challenge_e *ptype, const char *name)
{
    int i;

    for (i = 0; i < ACME_CHALLENGES; i++) {
        if (!strcmp(name, names[i])) {
            *ptype = (acme_challenge_e)i;
            return 1;
        }
    }
    return 0;
}

const char *acme_challenge_key_authorization(const char *token,
                                             const char *thumbprint,
                                             apr_pool_t *p)
{
    return apr_pstrcat(p, token, ".", thumbprint, NULL);
}

const char *acme_challenge_dns01_value(const char *token,
                                       const char *thumbprint, apr_pool_t *p)
{
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];
    acme_result_t res;

    if (acme_alpn_cert_digest(
            digest, acme_challenge_key_authorization(token, thumbprint, p),
            &res)) {
        return "";
    }
    return acme_text_base64url(digest, sizeof(digest), p);
}
