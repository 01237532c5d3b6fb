/*
 * acme_resource.c - what a request to a CA is about, for counting.
 */
#include "acme_resource.h"

static const char *const words[ACME_RESOURCES] = {
    [ACME_RESOURCE_DIRECTORY] = "directory",
    [ACME_RESOURCE_NEW_NONCE] = "newNonce",
    [ACME_RESOURCE_NEW_ACCOUNT] = "newAccount",
    [ACME_RESOURCE_ACCOUNT] = "account",
    [ACME_RESOURCE_NEW_ORDER] = "newOrder",
    [ACME_RESOURCE_ORDER] = "order",
    [ACME_RESOURCE_AUTHORIZATION] = "authorization",
    [ACME_RESOURCE_CHALLENGE] = "challenge",
    [ACME_RESOURCE_FINALIZE] = "finalize",
    [ACME_RESOURCE_CERTIFICATE] = "certificate",
    [ACME_RESOURCE_RENEWAL_INFO] = "renewalInfo",
    [ACME_RESOURCE_REVOKE_CERT] = "revokeCert",
    [ACME_RESOURCE_KEY_CHANGE] = "keyChange"
};

const char *acme_resource_word(acme_resource_e resource)
{
    return words[resource];
}
