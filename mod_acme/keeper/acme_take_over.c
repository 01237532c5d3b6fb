/*
 * acme_take_over.c - what is live under a former id becomes a certificate's
 * own.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_file.h"
#include "acme_journal.h"
#include "acme_live_link.h"
#include "acme_take_over.h"

static const char *chain_of(const acme_store_t *store, const char *id, int n,
                            apr_pool_t *p)
{
    const char *text;
    acme_result_t ignored;
    apr_size_t len;

    return acme_file_read(&text, &len,
                          apr_pstrcat(p, acme_archive_path(store, id, n, p),
                                      "/fullchain.pem", NULL),
                          ACME_CHAIN_SIZE_MAX, &ignored, p) ? NULL : text;
}

/* The archive of cert that has the chain of the stand-in and is live; 0. */
static int find_copy(const acme_cert_conf_t *cert, acme_store_t *store,
                     apr_pool_t *p)
{
    const char *theirs = chain_of(store, cert->stand_in.id, cert->stand_in.n,
                                  p);
    acme_result_t ignored;
    const char *ours;
    int n;

    if (!theirs || acme_live_link_read(&n, store, cert->id, &ignored, p)) {
        return 0;
    }
    ours = chain_of(store, cert->id, n, p);
    return ours && !strcmp(ours, theirs) ? n : 0;
}

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
    const acme_stand_in_t *from = &cert->stand_in;
    acme_result_t res;
    int n;

    if (!from->id || !from->is_same) {
        return;
    }
    n = find_copy(cert, store, p);
    if (!n) {
        if (acme_archive_adopt(&n, store, cert->id,
                               acme_archive_path(store, from->id, from->n, p),
                               &res, p)) {
            acme_log(log, ACME_LOG_ERROR, cert->id,
                     "the certificate of %s cannot be taken over: %s",
                     from->id, res.detail);
            return;
        }
        if (res.detail[0]) {
            acme_log(log, ACME_LOG_WARNING, cert->id, "%s", res.detail);
        }
        acme_log(log, ACME_LOG_NOTICE, cert->id,
                 "taken over: archive/%s/%d, which has exactly its names, is archive/%s/%d as well; nothing is ordered before its renewal",
                 from->id, from->n, cert->id, n);
        note_in_journal(cert, store, n, log, p);
    }
    cert->served = n;
    cert->stand_in.id = NULL;
}
