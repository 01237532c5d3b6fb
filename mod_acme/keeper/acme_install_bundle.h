/*
 * acme_install_bundle.h - the contents of an archive, collected from the parts
 * of a certificate.
 */
#ifndef ACME_INSTALL_BUNDLE_H
#define ACME_INSTALL_BUNDLE_H

#include "acme_archive.h"
#include "acme_cert_reader.h"
#include "acme_install_part.h"
#include "acme_meta.h"

/* The contents of an archive: all parts, and their meta.json. */
typedef struct {
    acme_archive_t archive;
    acme_meta_t meta;
    const apr_array_header_t *names;    /* in all parts */
} acme_install_bundle_t;

/* Of the part that was brought now: checked already, and not on disk. */
typedef struct {
    acme_cert_reading_t *chain; /* NULL: all parts wait on disk */
    const char *url;            /* or NULL */
} acme_install_brought_t;

/* One without parts, in the part's pool. */
acme_install_bundle_t *acme_install_bundle_make(const acme_install_part_t *in);

/*
 * Collect the pending parts, each checked once more: days may have passed.
 * *pwaits: a part is missing, is from another CA, or failed the check and is
 * ordered again, with the same key.
 */
apr_status_t acme_install_bundle_add_pending(
    acme_install_bundle_t *bundle, int *pwaits, const acme_install_part_t *in,
    const acme_install_brought_t *brought);

/* Collect the live parts, but the current one with its new chain. */
apr_status_t acme_install_bundle_add_live(acme_install_bundle_t *bundle,
                                          const acme_install_part_t *in,
                                          acme_cert_reading_t *new_chain);

#endif
