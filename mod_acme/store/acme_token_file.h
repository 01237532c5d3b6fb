/*
 * acme_token_file.h - published/<token> and published/dns-01.<value>: a token
 * of http-01 or a TXT record of dns-01 that is published outside of this server,
 * and how it is removed again.
 *
 * Written before it is published, so that whatever ends the keeper, the next
 * one knows of it.
 */
#ifndef ACME_TOKEN_FILE_H
#define ACME_TOKEN_FILE_H

#include <apr_tables.h>

#include "acme_store.h"

typedef struct {
    const char *id;      /* of the certificate */
    const char *name;    /* of the domain */
    const char *token;   /* base64url, at most 200 characters */
    const char *value;   /* the key authorization, or the record's value */
    const char *record;  /* dns-01: where the record is; NULL: a token of
                            http-01 */
    const char *root;    /* the folder it is below, or */
    const char *cleanup; /*   the command that removes it, its path, or */
    const char *server;  /*   the server that takes updates (RFC 2136) */
    int folders;         /* below root, that were made for it */
    const char *output;  /* of the command that published it; or NULL */
    apr_time_t since;    /* of the list: when it was written */
} acme_token_file_t;

/* Write it anew. A text that is not UTF-8: APR_EINVAL. */
apr_status_t acme_token_file_save(acme_store_t *store,
                                  const acme_token_file_t *file,
                                  acme_result_t *res, apr_pool_t *p);

/* That of this token, or of this record. A success if there is none. */
apr_status_t acme_token_file_remove(acme_store_t *store,
                                    const acme_token_file_t *file,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * All of them, acme_token_file_t, in p: texts of at most the length that they
 * may have, else unchecked. A damaged one is set aside, and left out.
 */
apr_array_header_t *acme_token_file_list(acme_store_t *store, apr_pool_t *p);

#endif
