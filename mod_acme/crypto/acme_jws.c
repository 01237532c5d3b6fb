/*
 * acme_jws.c - a signed request body: flattened JSON (7515, 7.2.2; 8555, 6.2),
 * and the binding to an account that the CA has outside of ACME. (8555, 7.3.4)
 */
#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "acme_json.h"
#include "acme_jws.h"
#include "acme_openssl.h"
#include "acme_text.h"
#include "acme_url.h"

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
                  "0123456789-_"

#define HMAC_OCTETS_MIN 16
#define HMAC_OCTETS_MAX 512
#define HMAC_CHARS_MAX ((HMAC_OCTETS_MAX * 4 + 2) / 3)
#define HMAC_ROOM (HMAC_OCTETS_MAX + 3)

/* header as text; bad: jansson refused a member, which was not UTF-8. */
static apr_status_t header_text(const char **pheader, json_t *header, int bad,
                                const char *url, acme_result_t *res,
                                apr_pool_t *p)
{
    *pheader = NULL;

    if (bad) {
        return acme_fail(res, APR_EINVAL,
                         "%s: the header of the request is not UTF-8",
                         acme_text_clean(url, ACME_URL_MAX, p));
    }
    *pheader = acme_json_text(header, 0, p);
    return APR_SUCCESS;
}

/* Header and payload, each in base64url, and a dot between. (7515, 5.1) */
static const char *signing_input(const char *header, const char *payload,
                                 apr_pool_t *p)
{
    return apr_pstrcat(p, acme_text_base64url(header, strlen(header), p), ".",
                       acme_text_base64url(payload, strlen(payload), p), NULL);
}

/* The JWS in the flattened JSON serialization. (7515, 7.2.2) */
static const char *flattened(const char *input, const unsigned char *sig,
                             apr_size_t len, apr_pool_t *p)
{
    int head = (int)strcspn(input, ".");

    return apr_psprintf(
        p, "{\"protected\":\"%.*s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
        head, input, input + head + 1, acme_text_base64url(sig, len, p));
}

/* The protected header: kid or jwk, never both. (8555, 6.2) */
static apr_status_t make_header(const char **pheader, const acme_jws_t *jws,
                                acme_result_t *res, apr_pool_t *p)
{
    json_t *header = acme_json_own(json_object(), p);
    const char *jwk;
    apr_status_t rv;
    int bad = 0;

    *pheader = NULL;

    bad |= json_object_set_new(header, "alg",
                               json_string(acme_key_alg(jws->key)));
    if (jws->kid) {
        bad |= json_object_set_new(header, "kid", json_string(jws->kid));
    }
    else {
        rv = acme_key_jwk(&jwk, jws->key, res, p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        bad |= json_object_set_new(header, "jwk", json_loads(jwk, 0, NULL));
    }
    if (jws->nonce) {
        bad |= json_object_set_new(header, "nonce", json_string(jws->nonce));
    }
    bad |= json_object_set_new(header, "url", json_string(jws->url));
    return header_text(pheader, header, bad, jws->url, res, p);
}

apr_status_t acme_jws_make(const char **pbody, const acme_jws_t *jws,
                           acme_result_t *res, apr_pool_t *p)
{
    const char *header, *input;
    acme_octets_t sig;
    apr_status_t rv;

    *pbody = NULL;

    rv = make_header(&header, jws, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    input = signing_input(header, jws->payload, p);
    rv = acme_key_sign(&sig, jws->key, input, strlen(input), res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pbody = flattened(input, sig.data, sig.len, p);
    return APR_SUCCESS;
}

/*
 * The octets of a base64url text, padded or not, into key, which has
 * HMAC_ROOM; returns the fault of text, or NULL. The caller clears key.
 */
static const char *decode_hmac(unsigned char *key, apr_size_t *plen,
                               const char *text)
{
    apr_size_t len = strcspn(text, "=");
    apr_size_t padding = strspn(text + len, "=");
    apr_size_t i;

    *plen = 0;

    if (text[len + padding] != '\0' || padding > 2
        || (padding && (len + padding) % 4) || len % 4 == 1) {
        return "it is damaged or cut short";
    }
    for (i = 0; i < len; i++) {
        if (text[i] == '+' || text[i] == '/') {
            return "it is base64, but not base64url";
        }
    }
    if (len > HMAC_CHARS_MAX) {
        return "it has more than 512 octets";
    }
    if (len * 3 / 4 < HMAC_OCTETS_MIN) {
        return "it has less than 16 octets";
    }
    if (strspn(text, BASE64URL) < len
        || apr_decode_base64_binary(key, text, (apr_ssize_t)len,
                                    APR_ENCODE_BASE64URL, plen)) {
        return "it contains characters that are not base64url";
    }
    return NULL;
}

static apr_status_t hmac_fail(acme_result_t *res, const char *fault)
{
    return acme_fail_never(
        res, APR_EINVAL,
        "HMAC key of the external account: %s; copy it unchanged from the CA, in base64url",
        fault);
}

apr_status_t acme_jws_hmac_check(const char *text, acme_result_t *res)
{
    unsigned char key[HMAC_ROOM];
    apr_size_t len;
    const char *fault = decode_hmac(key, &len, text);

    OPENSSL_cleanse(key, sizeof(key));
    return fault ? hmac_fail(res, fault) : APR_SUCCESS;
}

/* HMAC of input with the binding's secret, into md, of EVP_MAX_MD_SIZE. */
static apr_status_t sign_hmac(unsigned char *md, unsigned int *plen,
                              const char *input, const char *secret,
                              acme_result_t *res)
{
    unsigned char key[HMAC_ROOM];
    apr_size_t len;
    const char *fault = decode_hmac(key, &len, secret);
    apr_status_t rv = APR_SUCCESS;

    if (fault) {
        rv = hmac_fail(res, fault);
    }
    else if (!HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)input,
                   strlen(input), md, plen)) {
        rv = acme_fail(res, APR_EGENERAL, "external account binding: %s",
                       acme_openssl_reason());
    }
    OPENSSL_cleanse(key, sizeof(key));
    return rv;
}

apr_status_t acme_jws_bind(const char **pjson,
                           const acme_jws_binding_t *binding,
                           acme_key_t *account_key, acme_result_t *res,
                           apr_pool_t *p)
{
    json_t *header = acme_json_own(json_object(), p);
    unsigned char md[EVP_MAX_MD_SIZE];
    const char *jwk, *text, *input;
    unsigned int len;
    apr_status_t rv;
    int bad = 0;

    *pjson = NULL;

    bad |= json_object_set_new(header, "alg", json_string("HS256"));
    bad |= json_object_set_new(header, "kid", json_string(binding->kid));
    bad |= json_object_set_new(header, "url", json_string(binding->url));
    rv = header_text(&text, header, bad, binding->url, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_jwk(&jwk, account_key, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    input = signing_input(text, jwk, p);
    rv = sign_hmac(md, &len, input, binding->hmac, res);
    if (rv == APR_SUCCESS) {
        *pjson = flattened(input, md, len, p);
    }
    return rv;
}
