/*
 * acme_resource.h - what a request to a CA is about, for counting.
 *
 * The resources of RFC 8555, 7.1, and of RFC 9773. The word is a label of
 * others' metrics: a resource is added or retired, never renamed.
 */
#ifndef ACME_RESOURCE_H
#define ACME_RESOURCE_H

typedef enum {
    ACME_RESOURCE_DIRECTORY,
    ACME_RESOURCE_NEW_NONCE,
    ACME_RESOURCE_NEW_ACCOUNT,
    ACME_RESOURCE_ACCOUNT,
    ACME_RESOURCE_NEW_ORDER,
    ACME_RESOURCE_ORDER,
    ACME_RESOURCE_AUTHORIZATION,
    ACME_RESOURCE_CHALLENGE,
    ACME_RESOURCE_FINALIZE,
    ACME_RESOURCE_CERTIFICATE,
    ACME_RESOURCE_RENEWAL_INFO,
    ACME_RESOURCE_REVOKE_CERT,
    ACME_RESOURCE_KEY_CHANGE,
    ACME_RESOURCES
} acme_resource_e;

/* "newOrder": the RFC's name, a literal. resource is one of the enum. */
const char *acme_resource_word(acme_resource_e resource);

#endif
