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
apr_status_t acme_order_begin_account(acme_task_t *work);

/* The CA lost the account: registered again with its key. */
apr_status_t acme_order_begin_account_again(acme_task_t *work);

/*
 * Tell the keeper the URL of the CA's terms, once in our life as long as it
 * stays the same. The directory has to be known, for it is asked for if not.
 */
apr_status_t acme_order_begin_terms(acme_task_t *work);

/* Tell the CA our contacts, and the keeper that it knows them. */
apr_status_t acme_order_begin_contacts(acme_task_t *work);

/* The unfinished order, or a new one: work->order. */
apr_status_t acme_order_begin_order(acme_task_t *work);

#endif
