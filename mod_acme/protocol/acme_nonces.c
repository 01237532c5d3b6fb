/*
 * acme_nonces.c - a ring of nonces, used newest first, since a CA forgets the
 * oldest first.
 */
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "acme_nonces.h"
#include "acme_text.h"

#define NONCES_MAX 64           /* orders side by side */

struct acme_nonces_t {
    apr_thread_mutex_t *mutex;  /* guards all below */
    char ring[NONCES_MAX][ACME_NONCE_MAX + 1];
    int next;
    int count;
};

apr_status_t acme_nonces_create(acme_nonces_t **pnonces, apr_pool_t *p)
{
    *pnonces = apr_pcalloc(p, sizeof(**pnonces));
    return apr_thread_mutex_create(&(*pnonces)->mutex,
                                   APR_THREAD_MUTEX_DEFAULT, p);
}

const char *acme_nonces_of(const acme_http_reply_t *reply)
{
    const char *nonce = reply->replay_nonce;

    return nonce && acme_text_is_base64url(nonce, ACME_NONCE_MAX) ? nonce
                                                                  : NULL;
}

void acme_nonces_keep(acme_nonces_t *nonces, const acme_http_reply_t *reply)
{
    const char *nonce = acme_nonces_of(reply);

    if (!nonce) {
        return;
    }
    apr_thread_mutex_lock(nonces->mutex);
    apr_cpystrn(nonces->ring[nonces->next], nonce, sizeof(*nonces->ring));
    nonces->next = (nonces->next + 1) % NONCES_MAX;
    if (nonces->count < NONCES_MAX) {
        nonces->count++;
    }
    apr_thread_mutex_unlock(nonces->mutex);
}

const char *acme_nonces_take(acme_nonces_t *nonces, apr_pool_t *p)
{
    const char *nonce = NULL;

    apr_thread_mutex_lock(nonces->mutex);
    if (nonces->count) {
        nonces->count--;
        nonces->next = (nonces->next + NONCES_MAX - 1) % NONCES_MAX;
        nonce = apr_pstrdup(p, nonces->ring[nonces->next]);
    }
    apr_thread_mutex_unlock(nonces->mutex);
    return nonce;
}
