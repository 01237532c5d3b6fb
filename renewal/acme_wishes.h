/*
 * acme_wishes.h - what an administrator asks for with acmectl, other than a
 * renewal: a chain, a revocation, something about an account.
 */
#ifndef ACME_WISHES_H
#define ACME_WISHES_H

#include "acme_work.h"

/* Do what the state's wanted says, and tell the keeper when it is done. */
apr_status_t acme_wishes_run(acme_work_t *work);

#endif
