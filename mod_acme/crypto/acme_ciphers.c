/*
 * acme_ciphers.c - what an SSLCipherSuite allows.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "acme_ciphers.h"

/* The kind of key that signs, or, without forward secrecy, decrypts. */
static int is_for(const SSL_CIPHER *cipher, int is_rsa)
{
    const int auth = SSL_CIPHER_get_auth_nid(cipher);

    return auth == (is_rsa ? NID_auth_rsa : NID_auth_ecdsa);
}

int acme_ciphers_have_key(const char *list, acme_key_type_e type)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    STACK_OF(SSL_CIPHER) *ciphers;
    int i, found = 0;

    if (!ctx || SSL_CTX_set_cipher_list(ctx, list) != 1) {
        found = 1;
    }
    ciphers = found ? NULL : SSL_CTX_get_ciphers(ctx);
    for (i = 0; !found && i < sk_SSL_CIPHER_num(ciphers); i++) {
        found = is_for(sk_SSL_CIPHER_value(ciphers, i),
                       type >= ACME_KEY_RSA2048);
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return found;
}
