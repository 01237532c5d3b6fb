/*
 * live_memory.h - the memory of acme_live_pairs.h, as another process could
 * come to it.
 */
#ifndef LIVE_MEMORY_H
#define LIVE_MEMORY_H

#include "pool.h"

#define LIVE_MEMORY_NAME "memfd:acme-live"

/* A descriptor that this process has of it; -1: none. */
int live_memory_descriptor(void);

/* The row of a certificate: sequence, generation, number, octets. */
void live_memory_get_row(int cert, uint32_t row[4]);
void live_memory_set_row(int cert, const uint32_t row[4]);

#endif
