/*
 * open_store.h - a store in the scratch folder.
 */
#ifndef OPEN_STORE_H
#define OPEN_STORE_H

#include "acme_store.h"
#include "scratch.h"

acme_store_t *open_store(void);

#endif
