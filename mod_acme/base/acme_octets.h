/*
 * acme_octets.h - octets with their number: data that is not text.
 */
#ifndef ACME_OCTETS_H
#define ACME_OCTETS_H

#include <apr.h>

/* The contract of each function that has one says whose memory it is. */
typedef struct {
    const unsigned char *data;  /* NULL: there are none */
    apr_size_t len;
} acme_octets_t;

#endif
