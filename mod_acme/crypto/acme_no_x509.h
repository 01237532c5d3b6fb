/*
 * acme_no_x509.h - a process that has keys parses no certificate of strangers.
 *
 * The keeper has another process for that (keeper/acme_cert_reader.h). A call
 * that it makes by mistake fails, and is seen in any test.
 */
#ifndef ACME_NO_X509_H
#define ACME_NO_X509_H

#include "acme_result.h"

/* From here on this process, and those that it forks, parse none. */
void acme_no_x509_begin(void);

/* APR_SUCCESS, or APR_EGENERAL in such a process. */
apr_status_t acme_no_x509_check(acme_result_t *res);

#endif
