/*
 * acme_handlers.h - what the keeper does for each message.
 *
 * The rule: from a worker the keeper accepts positions in its own
 * configuration, and data that it checks; never a path, a command or names.
 */
#ifndef ACME_HANDLERS_H
#define ACME_HANDLERS_H

#include "acme_batch.h"
#include "acme_registry.h"
#include "acme_published.h"
#include "acme_reload.h"
#include "acme_sync.h"

typedef struct acme_handlers_t acme_handlers_t;

/* All arguments live at least as long as p. */
acme_handlers_t *acme_handlers_create(acme_registry_t *registry,
                                      acme_reload_t *reload,
                                      acme_published_t *records,
                                      acme_batch_t *batch, apr_pool_t *p);

/* Called between syncs of acme_handlers_commit(): each may take long. */
void acme_handlers_on_sync(acme_handlers_t *handlers, acme_sync_step_cb *step,
                           void *baton);

/*
 * Called once, when the keeper starts: for each account whose configured
 * contacts differ from those that the CA has, an update is requested, as with
 * acmectl account update. (8555, 7.3.2) p is for the call.
 */
void acme_handlers_update_contacts(acme_handlers_t *handlers, apr_pool_t *p);

/*
 * Serve a request that its sender may send. On success reply is filled; its
 * body and tail are in p, or in the registry until its next change. On failure
 * res is the body of the reply. APR_EAGAIN: there is no reply yet; call again
 * with the same request when a command has ended, and each second.
 * APR_EINPROGRESS: the same, but when acme_cert_reader_step() named who had the
 * turn, or he has it again.
 * APR_INCOMPLETE: acme_handlers_commit() is to be called before p ends, and
 * reply and res live until then; the request need not.
 *
 * Of a worker (request->who) less is believed than of the witness: its URLs
 * have a host of the CA, and it has no part in what an administrator asked for.
 */
apr_status_t acme_handlers_answer(acme_message_t *reply,
                                  acme_handlers_t *handlers,
                                  const acme_message_t *request,
                                  acme_result_t *res, apr_pool_t *p);

/* What reply is to have: its status is the one that acme_handlers_answer()
   would have returned. */
typedef void acme_answered_cb(void *baton, acme_message_t *reply,
                              apr_status_t status);

/*
 * Make what requests wrote last, of all that came since the last call at once,
 * and say of each that waits for it how it ended, in the order in which they
 * came. So many wait.
 */
int acme_handlers_held(const acme_handlers_t *handlers);
void acme_handlers_commit(acme_handlers_t *handlers,
                          acme_answered_cb *answered, void *baton);

/* Do what is due without a message. Returns when to do it again, 0: not before
   a message. p is for the call, here and below. */
apr_time_t acme_handlers_step(acme_handlers_t *handlers, apr_time_t now,
                              apr_pool_t *p);

/* Called once, when the keeper ends: write what is not on disk yet. */
void acme_handlers_flush(acme_handlers_t *handlers, apr_pool_t *p);

#endif
