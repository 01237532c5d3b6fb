/*
 * acme_take_over.c - what is live under a former id becomes a certificate's
 * own.
 */
#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_journal.h"
#include "acme_take_over.h"

/* Its failures were about a certificate that need not be ordered now. */
static void note_in_journal(const acme_cert_conf_t *cert, acme_store_t *store,
                            int n, const acme_log_t *log, apr_pool_t *p)
{
    acme_journal_t *journal;
    acme_result_t res;

    if (acme_journal_load(&journal, store, cert->id, &res, p)) {
        acme_log(log, ACME_LOG_WARNING, cert->id, "%s", res.detail);
    }
    journal->attempts = 0;
    journal->next_at = 0;
    journal->retry = ACME_RETRY_SOON;
    journal->why = ACME_REASON_NONE;
    journal->problem = journal->detail = "";
    acme_journal_add(journal, apr_time_now(), "taken over",
                     apr_psprintf(p, "archive/%s/%d, from archive/%s/%d",
                                  cert->id, n, cert->stand_in.id,
                                  cert->stand_in.n));
    if (acme_journal_save(store, cert->id, journal, &res, p)) {
        acme_log(log, ACME_LOG_ERROR, cert->id, "%s", res.detail);
    }
}

void acme_take_over(acme_cert_conf_t *cert, acme_store_t *store,
                    const acme_log_t *log, apr_pool_t *p)
{
    const acme_stand_in_t *of = &cert->stand_in;
    acme_archive_copy_t copy;
    acme_result_t res;
    int n;

    if (!of->id || !of->is_same
        || acme_archive_is_void(store, of->id, of->n, p)) {
        return;
    }
    copy.folder = acme_archive_path(store, of->id, of->n, p);
    copy.name = apr_psprintf(p, "%s/%d", of->id, of->n);
    /* A keeper before this one did it; it may have been renewed since. */
    n = acme_archive_find_copy(store, cert->id, copy.folder, p);
    if (!n) {
        if (acme_archive_adopt(&n, store, cert->id, &copy, &res, p)) {
            acme_log(log, ACME_LOG_ERROR, cert->id,
                     "the certificate of %s cannot be taken over: %s",
                     of->id, res.detail);
            return;
        }
        if (res.detail[0]) {
            acme_log(log, ACME_LOG_WARNING, cert->id, "%s", res.detail);
        }
        acme_log(log, ACME_LOG_NOTICE, cert->id,
                 "taken over: archive/%s, which has exactly its names, is archive/%s/%d as well; nothing is ordered before its renewal",
                 copy.name, cert->id, n);
        note_in_journal(cert, store, n, log, p);
    }
    cert->served = n;
    cert->stand_in.id = NULL;
}
