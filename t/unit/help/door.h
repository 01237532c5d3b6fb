/*
 * door.h - a socket with a token at which workers come in, as httpd's parent
 * makes it for a keeper.
 */
#ifndef DOOR_H
#define DOOR_H

#include "acme_keeper_address.h"

typedef struct {
    acme_keeper_address_t address;      /* for workers */
    acme_keeper_address_t witness;
    int listener;
    char path[64];
} door_t;

/* Listen at a new address. The test fails if that fails. */
void door_open(door_t *door);

/* The generation ends: nobody listens any more. */
void door_close(door_t *door);

/* A connection to it, on which nothing was said yet. */
int door_knock(const door_t *door);

#endif
