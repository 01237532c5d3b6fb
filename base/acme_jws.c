/*
 * acme_jws.c - a signed request body: flattened JSON. (7515, 7.2.2; 8555, 6.2)
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_json.h"
#include "acme_jws.h"
#include "acme_text.h"

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
    if (bad) {
        return acme_fail(res, APR_EINVAL, "%s: the header of a request to it "
                         "is no UTF-8", acme_text_clean(jws->url, ACME_URL_MAX,
                                                        p));
    }
    *pheader = acme_json_text(header, 0, p);
    return APR_SUCCESS;
}

apr_status_t acme_jws_make(const char **pbody, const acme_jws_t *jws,
                           acme_result_t *res, apr_pool_t *p)
{
    const char *header, *head64, *payload64, *input;
    const unsigned char *sig;
    apr_size_t len;
    apr_status_t rv;

    *pbody = NULL;

    rv = make_header(&header, jws, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    head64 = acme_text_base64url(header, strlen(header), p);
    payload64 = acme_text_base64url(jws->payload, strlen(jws->payload), p);
    input = apr_pstrcat(p, head64, ".", payload64, NULL);
    rv = acme_key_sign(&sig, &len, jws->key, input, strlen(input), res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pbody = apr_psprintf(p, "{\"protected\":\"%s\",\"payload\":\"%s\","
                          "\"signature\":\"%s\"}", head64, payload64,
                          acme_text_base64url(sig, len, p));
    return APR_SUCCESS;
}
