/*
 * acme_channels.c - the open channels of the keeper.
 */
#include <fcntl.h>
#include <string.h>

#include "acme_channels.h"

#define OF_ONE_MAX (ACME_CHANNELS_MAX / 2)

/* Known for longer than their channels: who comes back has spent what he has.
   */
#define PEERS_MAX (ACME_CHANNELS_MAX + 32)

/*
 * What a process may use at once, beyond one second a second. 64 orders side
 * by side of twenty names each take less, on the slowest of disks: see the
 * prices.
 */
#define CREDIT_MAX apr_time_from_sec(20)

/* acmectl is root's, and stands for no process of its own. */
#define PID_OF_CONTROL 0

struct acme_peer_t {
    pid_t pid;
    int channels;
    apr_interval_time_t credit;
    apr_time_t paid_until; /* the time that was used, put end to end */
};

struct acme_channels_t {
    acme_channel_t all[ACME_CHANNELS_MAX];
    int count;
    acme_peer_t peers[PEERS_MAX];
    int npeers;
    apr_interval_time_t credit;
    int left_open;
    apr_uint64_t last_number;
};

/*
 * The highest price of a message in milliseconds: about what it takes on a slow
 * disk, which each change of the store is synced to; what is synced with others
 * costs its part besides. The lowest is a QUICK-th
 * of it.
 */
#define PRICE 1
#define QUICK 5
static const int prices[ACME_MSG_KINDS] = {
    [ACME_MSG_HELLO] = 2,    [ACME_MSG_PREPARE] = 20, [ACME_MSG_ACCOUNT] = 5,
    [ACME_MSG_KEY] = 20,     [ACME_MSG_TERMS] = 20,   [ACME_MSG_ORDER] = 5,
    [ACME_MSG_PUBLISH] = 5,  [ACME_MSG_NOTE] = 5,     [ACME_MSG_WINDOW] = 5,
    [ACME_MSG_INSTALL] = 50, [ACME_MSG_DONE] = 20,    [ACME_MSG_PERSIST] = 5,
    [ACME_MSG_SERVED] = 10,  [ACME_MSG_VALIDATE] = 5, [ACME_MSG_PACE] = 1,
    [ACME_MSG_REHEARSAL] = 5, [ACME_MSG_REHEARSED] = 10
};

acme_channels_t *acme_channels_create(apr_interval_time_t credit,
                                      apr_pool_t *p)
{
    acme_channels_t *channels = apr_pcalloc(p, sizeof(*channels));

    channels->credit = credit ? credit : CREDIT_MAX;
    return channels;
}

int acme_channels_count(const acme_channels_t *channels)
{
    return channels->count;
}

acme_channel_t *acme_channels_at(acme_channels_t *channels, int i)
{
    return &channels->all[i];
}

int acme_channels_left_open(const acme_channels_t *channels)
{
    return channels->left_open;
}

void acme_channels_unpark(acme_channel_t *channel)
{
    if (channel->parked_in) {
        apr_pool_destroy(channel->parked_in);
        channel->parked_in = NULL;
    }
}

int acme_channels_is_any_parked(const acme_channels_t *channels)
{
    int i;

    for (i = 0; i < channels->count; i++) {
        if (channels->all[i].parked_in) {
            return 1;
        }
    }
    return 0;
}

int acme_channels_is_parked(const acme_channels_t *channels,
                            acme_message_e kind)
{
    int i;

    for (i = 0; i < channels->count; i++) {
        const acme_channel_t *channel = &channels->all[i];

        if (channel->parked_in && channel->parked.kind == kind) {
            return 1;
        }
    }
    return 0;
}

void acme_channels_drop(acme_channels_t *channels, int fd)
{
    channels->left_open += !acme_message_close(fd);
}

void acme_channels_close(acme_channels_t *channels, int i)
{
    acme_channel_t *channel = &channels->all[i];

    acme_channels_unpark(channel);
    acme_channels_drop(channels, channel->fd);
    channel->peer->channels--;
    *channel = channels->all[--channels->count];
}

/* Known, or in the place of one that has no channel and was served the longest
   time ago: there are more places than channels. */
static acme_peer_t *find_peer(acme_channels_t *channels, pid_t pid)
{
    acme_peer_t *oldest = NULL;
    int i;

    for (i = 0; i < channels->npeers; i++) {
        acme_peer_t *peer = &channels->peers[i];

        if (peer->pid == pid) {
            return peer;
        }
        if (!peer->channels
            && (!oldest || peer->paid_until < oldest->paid_until)) {
            oldest = peer;
        }
    }
    if (channels->npeers < PEERS_MAX) {
        oldest = &channels->peers[channels->npeers++];
    }
    memset(oldest, 0, sizeof(*oldest));
    oldest->pid = pid;
    oldest->credit = channels->credit;
    return oldest;
}

static acme_peer_t *find_largest(acme_channels_t *channels, int is_control)
{
    acme_peer_t *largest = NULL;
    int i;

    for (i = 0; i < channels->npeers; i++) {
        acme_peer_t *peer = &channels->peers[i];

        if ((is_control || peer->pid != PID_OF_CONTROL)
            && (!largest || peer->channels > largest->channels)) {
            largest = peer;
        }
    }
    return largest;
}

/* A channel with a parked request is not idle. */
static int is_more_idle(const acme_channel_t *a, const acme_channel_t *b)
{
    if (!a->parked_in != !b->parked_in) {
        return !a->parked_in;
    }
    return a->used < b->used;
}

static void close_idlest(acme_channels_t *channels, const acme_peer_t *peer)
{
    int i, idlest = -1;

    for (i = 0; i < channels->count; i++) {
        if (channels->all[i].peer == peer
            && (idlest < 0
                || is_more_idle(&channels->all[i], &channels->all[idlest]))) {
            idlest = i;
        }
    }
    if (idlest >= 0) {
        acme_channels_close(channels, idlest);
    }
}

acme_channel_t *acme_channels_add(acme_channels_t *channels, int fd, int who,
                                  pid_t pid, apr_time_t now)
{
    const int is_control = who == ACME_BY_CONTROL;
    acme_peer_t *peer = find_peer(channels, is_control ? PID_OF_CONTROL : pid);
    acme_channel_t *channel;

    if (peer->channels == OF_ONE_MAX) {
        close_idlest(channels, peer);
    }
    else if (channels->count == ACME_CHANNELS_MAX) {
        close_idlest(channels, find_largest(channels, is_control));
    }
    acme_message_set_room(fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    peer->channels++;
    channel = &channels->all[channels->count++];
    *channel =
        (acme_channel_t){ .fd = fd, .number = ++channels->last_number,
                          .who = who, .peer = peer, .used = now };
    return channel;
}

int acme_channels_find(const acme_channels_t *channels, apr_uint64_t number)
{
    int i = channels->count;

    while (--i >= 0 && channels->all[i].number != number) {
        continue;
    }
    return i;
}

int acme_channels_is_open(const acme_channels_t *channels,
                          apr_uint64_t number)
{
    return acme_channels_find(channels, number) >= 0;
}

/* What the process owes; a clock that was set back forgives what is more. */
static apr_interval_time_t debt(const acme_peer_t *peer, apr_time_t now)
{
    const apr_interval_time_t owed = peer->paid_until - now;

    return owed <= 0 ? 0 : owed > 2 * peer->credit ? peer->credit : owed;
}

int acme_channels_next_turn(const acme_channels_t *channels, apr_time_t now)
{
    int i, next = -1;

    for (i = 0; i < channels->count; i++) {
        const acme_channel_t *channel = &channels->all[i];
        const acme_channel_t *best = next < 0 ? NULL : &channels->all[next];
        apr_interval_time_t more;

        if (!channel->parked_in
            || channel->parked_for != ACME_PARKED_FOR_TURN) {
            continue;
        }
        more = best ? debt(channel->peer, now) - debt(best->peer, now) : 0;
        if (!best || more < 0 || (more == 0 && channel->used < best->used)) {
            next = i;
        }
    }
    return next;
}

/* So a process has half of the keeper's time at the most, for long. Twice its
   credit is all that it ever owes: what is more is taken for a clock that was
   set back. */
static void pay(acme_peer_t *peer, apr_interval_time_t price, apr_time_t now)
{
    const apr_interval_time_t owed = debt(peer, now) + price;

    peer->paid_until = now + (owed < 2 * peer->credit ? owed
                                                      : 2 * peer->credit);
}

/* Its journal is written a second later, once for all that came until then. */
static int is_written_later(acme_message_e kind)
{
    return kind == ACME_MSG_NOTE || kind == ACME_MSG_WINDOW;
}

void acme_channels_charge(acme_channel_t *channel, acme_message_e kind,
                          apr_interval_time_t took, apr_time_t now)
{
    const apr_interval_time_t most =
        apr_time_from_msec(prices[kind] ? prices[kind] : PRICE);
    const apr_interval_time_t least =
        prices[kind] && !is_written_later(kind) ? most / QUICK : most;
    apr_interval_time_t price = most;

    /* A clock that was set back meanwhile is no excuse. */
    if (took >= 0 && 2 * took < most) {
        price = 2 * took > least ? 2 * took : least;
    }
    pay(channel->peer, price, now);
}

void acme_channels_charge_part(acme_channel_t *channel,
                               apr_interval_time_t part, apr_time_t now)
{
    if (part > 0) {
        pay(channel->peer, 2 * part, now);
    }
}

static int is_in_debt(const acme_channel_t *channel, apr_time_t now)
{
    return channel->who != ACME_BY_CONTROL
           && debt(channel->peer, now) > channel->peer->credit;
}

int acme_channels_is_heard(const acme_channel_t *channel, apr_time_t now)
{
    return !channel->parked_in && !is_in_debt(channel, now);
}

apr_time_t acme_channels_wake(const acme_channels_t *channels, apr_time_t now)
{
    apr_time_t wake = 0;
    int i;

    for (i = 0; i < channels->count; i++) {
        const acme_channel_t *channel = &channels->all[i];
        const apr_time_t at = now + debt(channel->peer, now) - channel->peer->credit;

        if (!channel->parked_in && is_in_debt(channel, now)
            && (!wake || at < wake)) {
            wake = at;
        }
    }
    return wake;
}
