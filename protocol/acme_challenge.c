/*
 * acme_challenge.c - the types of challenges that we can answer.
 */
#include <string.h>

#include "acme_challenge.h"

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
