/*
 * acme_ca_pace.c - how long a CA usually takes, learned from orders.
 */
#include <stdlib.h>
#include <string.h>

#include "acme_ca_pace.h"

static const char *const words[ACME_PACES] = {
    [ACME_PACE_SEEN] = "seen",       [ACME_PACE_UNSEEN] = "unseen",
    [ACME_PACE_SETTLED] = "settled", [ACME_PACE_VISITS] = "visits",
    [ACME_PACE_ISSUED] = "issued"
};

const char *acme_ca_pace_word(acme_pace_e what)
{
    return words[what];
}

void acme_ca_pace_add(acme_pace_t *pace, apr_uint32_t value,
                      apr_uint32_t looks)
{
    memmove(pace->values + 1, pace->values,
            (ACME_PACE_KEPT - 1) * sizeof(*pace->values));
    pace->values[0] = value < ACME_PACE_MAX ? value : ACME_PACE_MAX;
    if (pace->n < ACME_PACE_KEPT) {
        pace->n++;
    }
    if (looks > 1) {
        pace->at_once = 0;
    }
    else if (pace->at_once < ACME_PACE_KEPT) {
        pace->at_once++;
    }
}

static int compare(const void *a, const void *b)
{
    const apr_uint32_t left = *(const apr_uint32_t *)a;
    const apr_uint32_t right = *(const apr_uint32_t *)b;

    return left < right ? -1 : left > right;
}

apr_uint32_t acme_ca_pace_median(const acme_pace_t *pace)
{
    const apr_uint32_t n = pace->n < ACME_PACE_KEPT ? pace->n
                                                    : ACME_PACE_KEPT;
    apr_uint32_t sorted[ACME_PACE_KEPT];

    if (!n) {
        return 0;
    }
    memcpy(sorted, pace->values, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare);
    return sorted[n / 2];
}
