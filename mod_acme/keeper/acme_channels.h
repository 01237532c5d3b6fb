/*
 * acme_channels.h - the open channels of the keeper, and how much of its time
 * each process may use.
 *
 * A worker may be hostile. It cannot push out the channels of another process,
 * and one that asks without end is served slowly, never the others.
 */
#ifndef ACME_CHANNELS_H
#define ACME_CHANNELS_H

#include <sys/types.h>

#include "acme_message.h"

/*
 * Each order has a channel of its own. Of one process half of them: its
 * scheduler's, 64 orders, 48 that wait for DNS, and dry runs.
 */
#define ACME_CHANNELS_MAX 256

/* A process that has channels. */
typedef struct acme_peer_t acme_peer_t;

/* What a parked request waits for. */
typedef enum {
    ACME_PARKED_FOR_JOB,        /* the end of a command, a key, another one */
    ACME_PARKED_FOR_TURN,       /* to ask the reader of certificates, */
    ACME_PARKED_FOR_READING     /*   and for its answer */
} acme_parked_e;

typedef struct {
    int fd;
    apr_uint64_t number;    /* no other one of this keeper has it; never 0 */
    int who; /* ACME_BY_...; 0: it did not say HELLO yet */
    acme_peer_t *peer;
    apr_time_t used;
    acme_message_t parked; /* a request without a reply yet, in
                                   parked_in */
    apr_pool_t *parked_in; /* NULL: nothing is parked */
    acme_parked_e parked_for;
} acme_channel_t;

typedef struct acme_channels_t acme_channels_t;

/* credit is what a process may use at once, beyond a second a second; 0: 20 s,
   which suits workers. */
acme_channels_t *acme_channels_create(apr_interval_time_t credit,
                                      apr_pool_t *p);

int acme_channels_count(const acme_channels_t *channels);

/* i below the count; valid until one is added or closed. */
acme_channel_t *acme_channels_at(acme_channels_t *channels, int i);

/*
 * Add a connection, which is made close-on-exec and non-blocking. pid is the
 * process that made it; all of acmectl count as one. If its process has its
 * share, or all places are taken, an idle channel is closed: of its own
 * process, or of the one that has most, but acmectl's only for acmectl.
 */
acme_channel_t *acme_channels_add(acme_channels_t *channels, int fd, int who,
                                  pid_t pid, apr_time_t now);

/* Is there still a channel with this number? */
int acme_channels_is_open(const acme_channels_t *channels,
                          apr_uint64_t number);

/* Which has it; -1: none. */
int acme_channels_find(const acme_channels_t *channels, apr_uint64_t number);

/* Which of those that are parked for their turn has it next: that of the
   process which owes least, and there the one that waits longest; -1: none. */
int acme_channels_next_turn(const acme_channels_t *channels, apr_time_t now);

/* Close channel i; the last one takes its place. */
void acme_channels_close(acme_channels_t *channels, int i);

/* Close a connection that never became a channel. */
void acme_channels_drop(acme_channels_t *channels, int fd);

/* How many connections could not be closed: see acme_message_close(). */
int acme_channels_left_open(const acme_channels_t *channels);

/* Destroy what is parked. */
void acme_channels_unpark(acme_channel_t *channel);

int acme_channels_is_any_parked(const acme_channels_t *channels);

/* Is a request of this kind among them? */
int acme_channels_is_parked(const acme_channels_t *channels,
                            acme_message_e kind);

/*
 * A request of this kind was served, which took so long: its process pays for
 * it, twice the time, at most what it takes on a slow disk, and at least a
 * fifth of that; but all of it if its journal is written later.
 */
void acme_channels_charge(acme_channel_t *channel, acme_message_e kind,
                          apr_interval_time_t took, apr_time_t now);

/* What was written for a request was synced later, with what others wrote: this
   is its part of that time, and its process pays twice as much. */
void acme_channels_charge_part(acme_channel_t *channel,
                               apr_interval_time_t part, apr_time_t now);

/* Is the next request of the channel to be received? Not while one is parked,
   nor while its process has used up its time. */
int acme_channels_is_heard(const acme_channel_t *channel, apr_time_t now);

/* When a channel is heard again that is not now; 0: there is none. */
apr_time_t acme_channels_wake(const acme_channels_t *channels, apr_time_t now);

#endif
