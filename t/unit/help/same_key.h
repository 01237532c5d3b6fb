/*
 * same_key.h - is it the same key? Keys with one thumbprint are.
 */
#ifndef SAME_KEY_H
#define SAME_KEY_H

#include "acme_key.h"

int same_key(acme_key_t *a, acme_key_t *b);

#endif
