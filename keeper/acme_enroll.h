/*
 * acme_enroll.h - a certificate's key and request, from their making to the
 * installation of what the CA issued for them.
 */
#ifndef ACME_ENROLL_H
#define ACME_ENROLL_H

#include "acme_book.h"
#include "acme_pending.h"
#include "acme_reload.h"

/*
 * What is pending for cert as it is configured now; ENOENT when there is
 * nothing, or only something for an older configuration.
 */
apr_status_t acme_enroll_find(acme_pending_t **ppending, acme_book_t *book,
                              const acme_cert_conf_t *cert,
                              acme_result_t *res, apr_pool_t *p);

/* The same, and where nothing is: a new key and CSR, on disk on return. */
apr_status_t acme_enroll_begin(acme_pending_t **ppending, acme_book_t *book,
                               const acme_cert_conf_t *cert,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Check the chain in pem and put it live; reload hears of it. A chain that is
 * refused is kept aside, named in the log, and never served. Installing what
 * is live already is a success.
 */
apr_status_t acme_enroll_install(acme_book_t *book, acme_reload_t *reload,
                                 apr_uint32_t index, const char *pem,
                                 apr_size_t len, acme_result_t *res,
                                 apr_pool_t *p);

#endif
