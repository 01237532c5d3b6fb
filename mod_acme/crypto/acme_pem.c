/*
 * acme_pem.c - the text of certificates in PEM.
 */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "acme_openssl.h"
#include "acme_pem.h"

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----";
static const char END[] = "-----END CERTIFICATE-----";

#define SPACE " \t\r\n"
#define LINE_CHARACTERS 64
#define BASE64 \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

apr_status_t acme_pem_load(acme_octets_t *ptext, const char *path,
                           acme_result_t *res, apr_pool_t *p)
{
    BIO *bio;
    apr_status_t rv = acme_openssl_file(&bio, path, res);
    char *data;
    long len;

    *ptext = (acme_octets_t) { NULL, 0 };

    if (rv == APR_SUCCESS) {
        len = BIO_get_mem_data(bio, &data);
        ptext->data = (const unsigned char *)apr_pstrmemdup(p, data,
                                                            (apr_size_t)len);
        ptext->len = (apr_size_t)len;
        BIO_free(bio);
    }
    return rv;
}

const char *acme_pem_next(const char *text, const char *end)
{
    while (text < end && *text != '-') {
        const char *line_end;

        if (memchr(SPACE, *text, sizeof(SPACE) - 1)) {
            text++;
            continue;
        }
        line_end = memchr(text, '\n', (apr_size_t)(end - text));
        text = line_end ? line_end + 1 : end;
    }
    return text;
}

/* Behind the words at text, or NULL: they are not there. */
static const char *skip_words(const char *text, const char *end,
                              const char *words)
{
    const apr_size_t len = strlen(words);

    return (apr_size_t)(end - text) >= len && !memcmp(text, words, len)
           ? text + len : NULL;
}

/* 0: it is no base64. */
static int decode(acme_octets_t *der, const char *text, apr_pool_t *p)
{
    const apr_size_t len = strlen(text);
    const apr_size_t whole = strspn(text, BASE64);
    unsigned char *octets;

    if (!len || len % 4 || len - whole > 2
        || strspn(text + whole, "=") != len - whole) {
        return 0;
    }
    octets = apr_palloc(p, len);
    der->len = (apr_size_t)apr_base64_decode_binary(octets, text);
    der->data = octets;
    return 1;
}

/* The certificate at *ptext, which moves behind it; 0: there is none. */
static int read_one(acme_octets_t *der, const char **ptext, const char *end,
                    apr_pool_t *p)
{
    const char *text = skip_words(*ptext, end, BEGIN);
    const char *dash = text ? memchr(text, '-', (apr_size_t)(end - text))
                            : NULL;
    char *base64, *to;

    if (!dash) {
        return 0;
    }
    base64 = to = apr_palloc(p, (apr_size_t)(dash - text) + 1);
    for (; text < dash; text++) {
        if (!memchr(SPACE, *text, sizeof(SPACE) - 1)) {
            *to++ = *text;
        }
    }
    *to = '\0';
    *ptext = skip_words(text, end, END);
    return *ptext && strlen(base64) == (apr_size_t)(to - base64)
        && decode(der, base64, p);
}

apr_status_t acme_pem_read(apr_array_header_t **pders, const char *text,
                           apr_size_t len, acme_result_t *res, apr_pool_t *p)
{
    const char *const end = text + len;
    apr_array_header_t *ders = apr_array_make(p, 4, sizeof(acme_octets_t));

    *pders = NULL;

    for (text = acme_pem_next(text, end); text < end;
         text = acme_pem_next(text, end)) {
        acme_octets_t der;

        if (!read_one(&der, &text, end, p)) {
            return acme_fail(
                res, APR_EINVAL,
                "certificate chain: the PEM text of certificate %d is damaged",
                ders->nelts + 1);
        }
        APR_ARRAY_PUSH(ders, acme_octets_t) = der;
    }
    if (!ders->nelts) {
        return acme_fail(res, APR_EINVAL, "certificate chain: it is empty");
    }
    *pders = ders;
    return APR_SUCCESS;
}

static const char *write_one(const acme_octets_t *der, apr_pool_t *p)
{
    char *base64 = apr_palloc(p, (apr_size_t)apr_base64_encode_len(
                                     (int)der->len));
    apr_array_header_t *parts = apr_array_make(p, 64, sizeof(const char *));

    apr_base64_encode_binary(base64, der->data, (int)der->len);
    APR_ARRAY_PUSH(parts, const char *) = BEGIN;
    while (*base64) {
        const char *line = apr_pstrndup(p, base64, LINE_CHARACTERS);

        APR_ARRAY_PUSH(parts, const char *) = "\n";
        APR_ARRAY_PUSH(parts, const char *) = line;
        base64 += strlen(line);
    }
    APR_ARRAY_PUSH(parts, const char *) = "\n";
    APR_ARRAY_PUSH(parts, const char *) = END;
    APR_ARRAY_PUSH(parts, const char *) = "\n";
    return apr_array_pstrcat(p, parts, 0);
}

const char *acme_pem_text(const apr_array_header_t *ders, int first,
                          apr_pool_t *p)
{
    apr_array_header_t *texts = apr_array_make(p, 4, sizeof(const char *));

    for (; first < ders->nelts; first++) {
        APR_ARRAY_PUSH(texts, const char *) =
            write_one(&APR_ARRAY_IDX(ders, first, acme_octets_t), p);
    }
    return apr_array_pstrcat(p, texts, 0);
}
