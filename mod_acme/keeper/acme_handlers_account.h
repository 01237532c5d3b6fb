/*
 * acme_handlers_account.h - what the keeper does for what is said of accounts
 * and of their CAs.
 */
#ifndef ACME_HANDLERS_ACCOUNT_H
#define ACME_HANDLERS_ACCOUNT_H

#include "acme_request.h"

/* ACCOUNT: the URL of an account, or none: the CA does not know it. */
apr_status_t acme_handlers_account_url(acme_message_t *reply,
                                       acme_request_t *request);

/* TERMS: where the terms of service are; logged when they have changed. */
apr_status_t acme_handlers_account_terms(acme_message_t *reply,
                                         acme_request_t *request);

/* KEY: the end of a change of keys. */
apr_status_t acme_handlers_account_key(acme_message_t *reply,
                                       acme_request_t *request);

/* PACE: how fast the CA was. */
apr_status_t acme_handlers_account_pace(acme_message_t *reply,
                                        acme_request_t *request);

/* ACCOUNTS: all of them, as text. */
apr_status_t acme_handlers_account_list(acme_message_t *reply,
                                        acme_request_t *request);

/* PERSIST: what the CA says of dns-persist-01. */
apr_status_t acme_handlers_account_persist(acme_message_t *reply,
                                           acme_request_t *request);

/* LOOKED: what the witness found out about the CA. */
apr_status_t acme_handlers_account_looked(acme_message_t *reply,
                                          acme_request_t *request);

/* TXT: lines of a zone for dns-persist-01, by what the CA itself says now. */
apr_status_t acme_handlers_account_zone(acme_message_t *reply,
                                        acme_request_t *request);

#endif
