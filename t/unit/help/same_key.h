/*
 * same_key.h - is it the same key? Keys with one thumbprint are.
 */
#ifndef SAME_KEY_H
#define SAME_KEY_H

#include <string.h>

#include "acme_key.h"
#include "pool.h"

static inline int same_key(acme_key_t *a, acme_key_t *b)
{
    const char *one, *other;
    acme_result_t why;

    return !acme_key_thumbprint(&one, a, &why, pool)
        && !acme_key_thumbprint(&other, b, &why, pool)
        && !strcmp(one, other);
}

#endif
