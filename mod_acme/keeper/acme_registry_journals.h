/*
 * acme_registry_journals.h - the journals of the certificates. What is noted of
 * an order may wait for a second, and several events are one write then.
 */
#ifndef ACME_REGISTRY_JOURNALS_H
#define ACME_REGISTRY_JOURNALS_H

#include "acme_journal.h"
#include "acme_registry_types.h"

/* Write some of the journals that are due. Returns when to call again, 0: none
   waits. */
apr_time_t acme_registry_journals_write(acme_registry_t *registry,
                                        apr_time_t now, apr_pool_t *p);

/* The same of all that wait: before the process ends. */
void acme_registry_journals_write_all(acme_registry_t *registry,
                                      apr_pool_t *p);

/* For the files acme_registry*.c alone */

/* The one that waits, else the one on disk. Damage is logged, and the journal
   is empty then. */
acme_journal_t *acme_registry_journals_open(const acme_registry_t *registry,
                                            apr_uint32_t cert, apr_pool_t *p);

/* Have a journal written soon. text is copied, the older one may be in it. */
void acme_registry_journals_write_soon(acme_registry_t *registry,
                                       apr_uint32_t cert, const char *text,
                                       apr_time_t now);

/* Write the one that waits: there is one. If that fails, it waits on; the first
   failure is logged. */
void acme_registry_journals_write_one(acme_registry_t *registry,
                                      apr_uint32_t cert, apr_time_t now,
                                      apr_pool_t *p);

/* The same of one that is not to wait. After a failure it does. */
apr_status_t acme_registry_journals_save(acme_registry_t *registry,
                                         apr_uint32_t cert,
                                         const acme_journal_t *journal,
                                         apr_time_t now, apr_pool_t *p);

#endif
