/*
 * bench.h - a row of the table: the median of several rounds.
 *
 * The median, not the mean: other processes of the machine disturb a round,
 * and not the half of them.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15

/* Do it so many times. */
typedef void bench_t(void *baton, int times);

static inline double bench_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b)
           - (*(const double *)a < *(const double *)b);
}

/* "name;nanoseconds;least;most", for the script that makes the table. */
static inline void bench_row(const char *name, bench_t *bench, void *baton,
                             int times)
{
    double took[ROUNDS];
    double begin;
    int i;

    bench(baton, times / 10 + 1);       /* caches, and the clock of the CPU */
    for (i = 0; i < ROUNDS; i++) {
        begin = bench_now();
        bench(baton, times);
        took[i] = (bench_now() - begin) / times;
    }
    qsort(took, ROUNDS, sizeof(*took), bench_compare);
    printf("%s;%.1f;%.1f;%.1f\n", name, took[ROUNDS / 2], took[0],
           took[ROUNDS - 1]);
    fflush(stdout);
}

#endif
