/*
 * acme_cert_file.h - what is in a file of certificates that an administrator
 * made: for people to see, nothing is decided by it.
 */
#ifndef ACME_CERT_FILE_H
#define ACME_CERT_FILE_H

#include "acme_cert_info.h"

/* Of a server's own chain. */
#define ACME_CERT_FILE_CERTS 10

/* All of it in the pool of the call; strings are printable ASCII. */
typedef struct {
    acme_cert_info_t leaf;      /* the first certificate; names is never NULL,
                                   serial "" when it is not known */
    apr_array_header_t *subjects;       /* const char *: of all certificates */
    const char *topmost;        /* issuer of the last one */
    int is_self_signed;         /* the leaf */
    const char *problem;        /* a sentence; "": none */
    apr_time_t until;           /* from here on the same file may have another
                                   problem; 0: never */
} acme_cert_file_t;

/*
 * Read the certificates of a PEM file as mod_ssl does: other objects in it,
 * such as a key, are passed over. alone: another file has the rest of the
 * chain, and only the first certificate counts.
 *
 * *pfile is never NULL: of a file that cannot be read it has the problem alone.
 * Problems, the first of: unreadable; a name, time or serial number that is
 * damaged; a certificate that was not issued by the next one (by its names and
 * key identifiers), or one behind the leaf that is expired at now; no
 * certificate behind the leaf, where that did not sign itself.
 */
void acme_cert_file_read(const acme_cert_file_t **pfile, const char *path,
                         int alone, apr_time_t now, apr_pool_t *p);

#endif
