/*
 * acme_cert_split.c - which certificate has which names.
 *
 * First the names that have their place, then virtual host by virtual host.
 * What is written is read again at the next load, so whatever is decided here
 * stands as soon as the CA has issued.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_cert_split.h"
#include "acme_name.h"

#define DIGITS "0123456789"
#define DIGITS_MAX 4            /* of a part's number */

/* A part while it is filled. */
typedef struct {
    const char *id;             /* NULL: another certificate has it */
    int names;
} room_t;

typedef struct {
    const acme_cert_split_t *ask;
    apr_array_header_t *rooms;  /* room_t, by the number less one */
    apr_hash_t *placed;         /* name: number */
    apr_hash_t *homes;          /* key of a unit: number of its first name */
    apr_pool_t *p;
} split_t;

const char *acme_cert_split_id(const char *id, int number, apr_pool_t *p)
{
    return number == 1 ? id : apr_psprintf(p, "%s-%d", id, number);
}

int acme_cert_split_number(const char *part, apr_size_t *plen)
{
    const char *dash = strrchr(part, '-');
    apr_size_t digits = dash ? strlen(dash + 1) : 0;
    int number;

    *plen = 0;
    if (!digits || digits > DIGITS_MAX || dash == part || dash[1] == '0'
        || strspn(dash + 1, DIGITS) < digits) {
        return 0;
    }
    number = atoi(dash + 1);
    if (number < 2) {
        return 0;
    }
    *plen = (apr_size_t)(dash - part);
    return number;
}

static const char *name_at(const apr_array_header_t *names, int i)
{
    return APR_ARRAY_IDX(names, i, const char *);
}

static int number_of(apr_hash_t *hash, const char *key)
{
    return (int)(intptr_t)apr_hash_get(hash, key, APR_HASH_KEY_STRING);
}

static void set_number(apr_hash_t *hash, const char *key, int number)
{
    apr_hash_set(hash, key, APR_HASH_KEY_STRING, (void *)(intptr_t)number);
}

/*
 * What should stay together: a wildcard and its base name; addresses and the
 * first name, for a visitor of an address names none in his handshake and
 * gets the first name's certificate.
 */
static const char *key_of(const apr_array_header_t *vhost, const char *name)
{
    return acme_name_base(acme_name_is_ip(name) ? name_at(vhost, 0) : name);
}

static room_t *room_at(split_t *split, int number)
{
    while (split->rooms->nelts < number) {
        room_t *room = apr_array_push(split->rooms);
        const int nth = split->rooms->nelts;
        const char *id = acme_cert_split_id(split->ask->id, nth, split->p);

        room->names = 0;
        room->id = nth > 1 && apr_hash_get(split->ask->taken, id,
                                           APR_HASH_KEY_STRING) ? NULL : id;
    }
    return &APR_ARRAY_IDX(split->rooms, number - 1, room_t);
}

static int has_room(split_t *split, int number, int names)
{
    const room_t *room = room_at(split, number);

    return room->id && room->names + names <= split->ask->limit;
}

/* There is always another part, so names must not be more than the limit. */
static int first_with_room(split_t *split, int names)
{
    int number = 1;

    while (!has_room(split, number, names)) {
        number++;
    }
    return number;
}

static void place(split_t *split, const apr_array_header_t *vhost,
                  const char *name, int number)
{
    const char *key = key_of(vhost, name);

    room_at(split, number)->names++;
    set_number(split->placed, name, number);
    if (!number_of(split->homes, key)) {
        set_number(split->homes, key, number);
    }
}

static void place_all(split_t *split, const apr_array_header_t *vhost,
                      const apr_array_header_t *names, int number)
{
    int i;

    for (i = 0; i < names->nelts; i++) {
        place(split, vhost, name_at(names, i), number);
    }
}

static const apr_array_header_t *vhost_at(const split_t *split, int i)
{
    return APR_ARRAY_IDX(split->ask->vhosts, i, const apr_array_header_t *);
}

/* As many as it may hold: a profile of fewer names may have been chosen. */
static void keep_live(split_t *split, int number,
                      const apr_array_header_t *live)
{
    apr_hash_t *set = apr_hash_make(split->p);
    int i, k;

    for (i = 0; i < live->nelts; i++) {
        set_number(set, name_at(live, i), 1);
    }
    for (i = 0; i < split->ask->vhosts->nelts; i++) {
        const apr_array_header_t *vhost = vhost_at(split, i);

        for (k = 0; k < vhost->nelts; k++) {
            const char *name = name_at(vhost, k);

            if (number_of(set, name) && !number_of(split->placed, name)
                && has_room(split, number, 1)) {
                place(split, vhost, name, number);
            }
        }
    }
}

static apr_array_header_t *unplaced(const split_t *split,
                                    const apr_array_header_t *vhost)
{
    apr_array_header_t *names = apr_array_make(split->p, vhost->nelts,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < vhost->nelts; i++) {
        if (!number_of(split->placed, name_at(vhost, i))) {
            APR_ARRAY_PUSH(names, const char *) = name_at(vhost, i);
        }
    }
    return names;
}

/* Where some of this virtual host's are, and so many more can be; or 0. */
static int home_with_room(split_t *split, const apr_array_header_t *vhost,
                          int names)
{
    int i;

    for (i = 0; i < vhost->nelts; i++) {
        const int number = number_of(split->homes,
                                     key_of(vhost, name_at(vhost, i)));

        if (number && has_room(split, number, names)) {
            return number;
        }
    }
    return 0;
}

/* apr_array_header_t *: names without a place that should stay together. */
static apr_array_header_t *units_of(const split_t *split,
                                    const apr_array_header_t *vhost)
{
    const apr_array_header_t *names = unplaced(split, vhost);
    apr_array_header_t *units = apr_array_make(split->p, names->nelts,
                                               sizeof(apr_array_header_t *));
    apr_hash_t *by_key = apr_hash_make(split->p);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *key = key_of(vhost, name_at(names, i));
        apr_array_header_t *unit = apr_hash_get(by_key, key,
                                                APR_HASH_KEY_STRING);

        if (!unit) {
            unit = apr_array_make(split->p, 2, sizeof(const char *));
            apr_hash_set(by_key, key, APR_HASH_KEY_STRING, unit);
            APR_ARRAY_PUSH(units, apr_array_header_t *) = unit;
        }
        APR_ARRAY_PUSH(unit, const char *) = name_at(names, i);
    }
    return units;
}

static void place_unit(split_t *split, const apr_array_header_t *vhost,
                       const apr_array_header_t *unit)
{
    int number = number_of(split->homes, key_of(vhost, name_at(unit, 0)));
    int i;

    if (unit->nelts > split->ask->limit) {      /* of addresses */
        for (i = 0; i < unit->nelts; i++) {
            place(split, vhost, name_at(unit, i), first_with_room(split, 1));
        }
        return;
    }
    if (!number || !has_room(split, number, unit->nelts)) {
        number = first_with_room(split, unit->nelts);
    }
    place_all(split, vhost, unit, number);
}

static void place_vhost(split_t *split, const apr_array_header_t *vhost)
{
    const apr_array_header_t *units, *names;
    int i, number;

    if (vhost->nelts <= split->ask->limit) {
        names = unplaced(split, vhost);
        number = home_with_room(split, vhost, names->nelts);
        if (!number) {
            number = first_with_room(split, names->nelts);
        }
        place_all(split, vhost, names, number);
        return;
    }
    units = units_of(split, vhost);
    for (i = 0; i < units->nelts; i++) {
        place_unit(split, vhost, APR_ARRAY_IDX(units, i,
                                               apr_array_header_t *));
    }
}

static apr_array_header_t *parts_of_split(split_t *split)
{
    const int n = split->rooms->nelts;
    apr_array_header_t *parts =
        apr_array_make(split->p, n, sizeof(acme_cert_split_part_t));
    apr_array_header_t **names = apr_palloc(split->p,
                                            (apr_size_t)n * sizeof(*names));
    int i, k;

    for (i = 0; i < n; i++) {
        names[i] = apr_array_make(split->p, room_at(split, i + 1)->names,
                                  sizeof(const char *));
    }
    /* In the order of the configuration, however they were placed. */
    for (i = 0; i < split->ask->vhosts->nelts; i++) {
        const apr_array_header_t *vhost = vhost_at(split, i);

        for (k = 0; k < vhost->nelts; k++) {
            const char *name = name_at(vhost, k);
            const int number = number_of(split->placed, name);

            if (number) {
                APR_ARRAY_PUSH(names[number - 1], const char *) = name;
                set_number(split->placed, name, 0);
            }
        }
    }
    for (i = 0; i < n; i++) {
        if (names[i]->nelts) {
            APR_ARRAY_PUSH(parts, acme_cert_split_part_t) =
                (acme_cert_split_part_t) {
                    .number = i + 1,
                    .id = room_at(split, i + 1)->id,
                    .names = names[i]
                };
        }
    }
    return parts;
}

apr_array_header_t *acme_cert_split(const acme_cert_split_t *ask,
                                    apr_pool_t *p)
{
    split_t split = {
        .ask = ask,
        .rooms = apr_array_make(p, 4, sizeof(room_t)),
        .placed = apr_hash_make(p),
        .homes = apr_hash_make(p),
        .p = p
    };
    int i;

    for (i = 0; i < ask->live->nelts; i++) {
        const apr_array_header_t *live = APR_ARRAY_IDX(
            ask->live, i, const apr_array_header_t *);

        if (live) {
            keep_live(&split, i + 1, live);
        }
    }
    for (i = 0; i < ask->vhosts->nelts; i++) {
        place_vhost(&split, vhost_at(&split, i));
    }
    return parts_of_split(&split);
}
