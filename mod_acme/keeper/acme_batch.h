/*
 * acme_batch.h - AcmeHook pre and post: commands around each batch of
 * validations. (docs/design.md, Commands)
 *
 * A worker joins the batch before it answers the first challenge of an order,
 * and leaves it when the validations have ended. The first one to join opens
 * it: pre is run. When the last one has left, and none has joined for a short
 * time, post is run. What is open is in the store (acme_batch_file.h) before
 * pre begins, so that a keeper that comes after a crash or a reload runs post.
 * Commands of post that fail are repeated until they succeed, or until the next
 * batch takes them over.
 *
 * A worker may be hostile: one that joins and does not leave is forgotten after
 * ACME_BATCH_MEMBER_MAX, no batch lasts longer than ACME_BATCH_MAX, and batches
 * that follow each other soon become one.
 */
#ifndef ACME_BATCH_H
#define ACME_BATCH_H

#include "acme_hook_run.h"
#include "acme_registry.h"

/* Between the last order that leaves and post; */
#define ACME_BATCH_QUIET apr_time_from_sec(3)

/* the same, when an order did not leave but its worker or the keeper ended:
   another worker goes on with it after about 10 s. */
#define ACME_BATCH_RESUME apr_time_from_sec(20)

/* An order is a member at most this long: longer than a task takes. */
#define ACME_BATCH_MEMBER_MAX apr_time_from_sec(40 * 60)

#define ACME_BATCH_MAX apr_time_from_sec(3600)

typedef struct acme_batch_t acme_batch_t;

/* Is there still a channel with this number? */
typedef int acme_batch_open_cb(void *baton, apr_uint64_t channel);

/* Registry and hooks live at least as long as p. A batch that was open when the
   last keeper ended still is. */
acme_batch_t *acme_batch_create(acme_registry_t *registry,
                                acme_hook_runner_t *hooks, apr_time_t now,
                                apr_pool_t *p);

/*
 * The order of a certificate joins, through this channel, or stays. True:
 * *pis_open says whether its commands of pre have succeeded; call again soon
 * when they have not yet. Without commands it is open at once. A failure of a
 * command is that of each order that needs it, until the batch is over.
 */
apr_status_t acme_batch_join(int *pis_open, acme_batch_t *batch,
                             apr_uint32_t cert, apr_uint64_t channel,
                             apr_time_t now, acme_result_t *res,
                             apr_pool_t *p);

/* Its validations have ended: did all succeed? One that joined before a crash
   or a reload leaves, too; any other one that is no member is ignored. */
void acme_batch_leave(acme_batch_t *batch, apr_uint32_t cert, int is_done,
                      apr_time_t now);

/*
 * Forget those whose channel is closed, and begin post when its time has come.
 * Returns when to call again at the latest, 0: never.
 */
apr_time_t acme_batch_step(acme_batch_t *batch, acme_batch_open_cb *is_open,
                           void *baton, apr_time_t now, apr_pool_t *p);

/* Is it open, or is post running? A reload had better wait. Not for commands of
   post that failed and will be repeated. */
int acme_batch_is_open(const acme_batch_t *batch);

#endif
