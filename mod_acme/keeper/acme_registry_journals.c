/*
 * acme_registry_journals.c - journals, and those that wait to be
 * written.
 */
#include <apr_strings.h>

#include "acme_registry_journals.h"
#include "acme_registry_table.h"

/* What is noted of an order is in the journal after this at the latest; what
   comes before that is one write. */
#define JOURNAL_WAIT apr_time_from_sec(1)

/* After a failure, such as of a file system that is full. */
#define RETRY_WAIT apr_time_from_sec(10)

/* In a turn of the keeper's loop, which has others to serve: a slow disk takes
   a tenth of a second for each. */
#define WRITES_MAX 4

acme_journal_t *acme_registry_journals_open(const acme_registry_t *registry,
                                            apr_uint32_t cert, apr_pool_t *p)
{
    const char *id = acme_registry_table_cert(registry, cert)->id;
    const char *text = registry->noted[cert].text;
    acme_journal_t *journal;
    acme_result_t res;

    if (text ? acme_journal_parse(&journal, registry->store, id, text, &res, p)
             : acme_journal_load(&journal, registry->store, id, &res, p)) {
        acme_log(registry->log, ACME_LOG_WARNING, id, "%s", res.detail);
    }
    return journal;
}

/* It was written, or a newer one. */
static void forget(acme_registry_t *registry, apr_uint32_t cert)
{
    acme_registry_noted_t *noted = &registry->noted[cert];

    noted->text = NULL;
    noted->has_failed = 0;
    if (noted->p) {
        apr_pool_clear(noted->p);
    }
}

void acme_registry_journals_write_soon(acme_registry_t *registry,
                                       apr_uint32_t cert, const char *text,
                                       apr_time_t now)
{
    acme_registry_noted_t *noted = &registry->noted[cert];

    if (!noted->text) {
        noted->write_at = now + JOURNAL_WAIT;
    }
    if (!noted->p) {
        apr_pool_create(&noted->p, registry->p);
    }
    apr_pool_clear(noted->p);
    noted->text = apr_pstrdup(noted->p, text);
    if (!registry->write_at || noted->write_at < registry->write_at) {
        registry->write_at = noted->write_at;
    }
}

/* What waits is tried again. */
static void note_failure(acme_registry_t *registry, apr_uint32_t cert,
                         const acme_result_t *res, apr_time_t now)
{
    acme_registry_noted_t *noted = &registry->noted[cert];

    if (!noted->has_failed) {
        acme_log(registry->log, ACME_LOG_ERROR,
                 acme_registry_table_cert(registry, cert)->id, "%s",
                 res->detail);
    }
    noted->has_failed = 1;
    noted->write_at = now + RETRY_WAIT;
}

void acme_registry_journals_write_one(acme_registry_t *registry,
                                      apr_uint32_t cert, apr_time_t now,
                                      apr_pool_t *p)
{
    acme_result_t res;

    if (acme_journal_update(registry->store,
                            acme_registry_table_cert(registry, cert)->id,
                            registry->noted[cert].text, &res, p)) {
        note_failure(registry, cert, &res, now);
    }
    else {
        forget(registry, cert);
    }
}

apr_status_t acme_registry_journals_save(acme_registry_t *registry,
                                         apr_uint32_t cert,
                                         const acme_journal_t *journal,
                                         apr_time_t now, apr_pool_t *p)
{
    const char *id = acme_registry_table_cert(registry, cert)->id, *text;
    acme_result_t res, ignored;
    const apr_status_t rv = acme_journal_save(registry->store, id, journal,
                                              &res, p);

    if (rv == APR_SUCCESS) {
        forget(registry, cert);
        return rv;
    }
    if (!acme_journal_text(&text, registry->store, id, journal, &ignored,
                           p)) {
        acme_registry_journals_write_soon(registry, cert, text, now);
    }
    note_failure(registry, cert, &res, now);
    return rv;
}

static int is_due(apr_time_t write_at, apr_time_t now)
{
    return write_at <= now || write_at > now + RETRY_WAIT;
}

apr_time_t acme_registry_journals_write(acme_registry_t *registry,
                                        apr_time_t now, apr_pool_t *p)
{
    const int count = registry->conf->certs->nelts;
    apr_time_t next = 0;
    int i, written = 0;

    if (!registry->write_at || !is_due(registry->write_at, now)) {
        return registry->write_at;
    }
    for (i = 0; i < count; i++) {
        const int cert = (registry->write_next + i) % count;
        const acme_registry_noted_t *noted = &registry->noted[cert];

        if (noted->text && is_due(noted->write_at, now)) {
            if (written == WRITES_MAX) {
                registry->write_next = cert;
                registry->write_at = now;
                return now;
            }
            acme_registry_journals_write_one(registry, (apr_uint32_t)cert, now,
                                             p);
            written++;
        }
        if (noted->text && (!next || noted->write_at < next)) {
            next = noted->write_at;
        }
    }
    registry->write_at = next;
    return next;
}

void acme_registry_journals_write_all(acme_registry_t *registry, apr_pool_t *p)
{
    int i;

    for (i = 0; i < registry->conf->certs->nelts; i++) {
        if (registry->noted[i].text) {
            acme_registry_journals_write_one(registry, (apr_uint32_t)i,
                                             apr_time_now(), p);
        }
    }
    registry->write_at = 0;
}
