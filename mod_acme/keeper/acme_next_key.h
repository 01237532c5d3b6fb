/*
 * acme_next_key.h - AcmeKeyReuse next: a certificate's next keys are made
 * ahead, so that others can publish what they are (TLSA records) before they
 * are used.
 *
 * A next key is used when it has the age of the configuration; a renewal
 * before that keeps the current key, whose record is known. So does one before
 * which the commands of AcmeHook deploy did not run to their end with it, as
 * one of them may publish the record. After the
 * installation of a certificate with it another one is made: no key is a next
 * key twice.
 */
#ifndef ACME_NEXT_KEY_H
#define ACME_NEXT_KEY_H

#include "acme_key.h"
#include "acme_pending.h"
#include "acme_registry.h"

/*
 * The key for an order of a part, in p; NULL: a new one has to be made, which
 * acme_next_key_missed() logs when there is one. live is the live certificate's
 * if it may be used again, and has the type of the part, else NULL. What else
 * visitors with DANE have to know of the choice is logged.
 */
acme_key_t *acme_next_key_choose(acme_registry_t *registry,
                                 const acme_target_t *about, acme_key_t *live,
                                 apr_time_t now, apr_pool_t *p);

void acme_next_key_missed(acme_registry_t *registry,
                          const acme_target_t *about, apr_pool_t *p);

/*
 * Is the key of a pending request one that an order may have: that of live, if
 * there is one, or the next? One that was made under another setting is not.
 */
int acme_next_key_may_finish(acme_registry_t *registry,
                             const acme_target_t *about, acme_key_t *live,
                             const acme_pending_t *pending, apr_pool_t *p);

/*
 * Make the next keys that a live certificate lacks, remove those of other key
 * types, or all if none are configured, and record them in the state. Failures
 * are logged. APR_EAGAIN: one is being made (acme_key_maker.h).
 */
apr_status_t acme_next_key_update(acme_registry_t *registry,
                                  apr_uint32_t cert, apr_time_t now,
                                  apr_pool_t *p);

/*
 * The certificates that lack a next key: those that an earlier keeper, or
 * another setting, left without, and those whose key is being made. All are
 * looked at once.
 */
typedef struct acme_next_key_queue_t acme_next_key_queue_t;

acme_next_key_queue_t *acme_next_key_queue_create(acme_registry_t *registry,
                                                  apr_pool_t *p);

/* A key came: look again at those that lack one. */
void acme_next_key_queue_look(acme_next_key_queue_t *keys);

/* Look at some of them. Returns when to go on; 0: all are done. */
apr_time_t acme_next_key_queue_step(acme_next_key_queue_t *keys,
                                    apr_time_t now, apr_pool_t *p);

#endif
