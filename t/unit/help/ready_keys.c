/*
 * ready_keys.c - see ready_keys.h.
 */
#include <stddef.h>

#include "made_keys.h"
#include "ready_keys.h"

#define COUNT_MADE (sizeof(MADE_RSA) / sizeof(*MADE_RSA))

const char *ready_rsa(int bits)
{
    static size_t turn;
    size_t i;

    for (i = 0; i < COUNT_MADE; i++) {
        const size_t at = turn++ % COUNT_MADE;

        if (MADE_RSA[at].bits == bits) {
            return MADE_RSA[at].pem;
        }
    }
    return NULL;
}

const char *ready_dsa(void)
{
    return MADE_DSA;
}
