/*
 * acme_order_begin.h - an account at the CA, and an order there.
 */
#ifndef ACME_ORDER_BEGIN_H
#define ACME_ORDER_BEGIN_H

#include "acme_task.h"

/*
 * The account of the CA of now: registered or found, with our contacts, its
 * key the one that the CA has. One thread at a time does it.
 */
apr_status_t acme_ordering_account(acme_work_t *work);

/* The CA lost the account: registered again with its key. */
apr_status_t acme_ordering_account_again(acme_work_t *work);

/*
 * Tell the keeper the URL of the CA's terms, once in our life as long as it
 * stays the same. The directory has to be known, for it is asked for if not.
 */
apr_status_t acme_ordering_terms(acme_work_t *work);

/* Tell the CA our contacts, and the keeper that it knows them. */
apr_status_t acme_ordering_contacts(acme_work_t *work);

/* The unfinished order, or a new one: work->order. */
apr_status_t acme_ordering_order(acme_work_t *work);

#endif
