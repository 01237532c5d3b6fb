/*
 * acme_octets.h - octets with their number: what is no text.
 */
#ifndef ACME_OCTETS_H
#define ACME_OCTETS_H

#include <apr.h>

/* Whose memory it is, the function that gives or takes it says. */
typedef struct {
    const unsigned char *data;  /* NULL: there are none */
    apr_size_t len;
} acme_octets_t;

#endif
