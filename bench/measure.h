/*
 * bench/measure.h - a piece of work, timed; under bench/instructions also counted
 *
 * callgrind finds measured_work() by its name and leaves a count for each call of it. With
 * SIGNET_BENCH_COUNTED in the environment each piece is done once and its operations are told in a
 * line of their own, so that the script can divide.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct measured {
    const char *what;
    size_t operations; /* done by one call of `work` */
    unsigned rounds;   /* the best one counts: the others were disturbed */
    void (*work)(void *argument);
    void *argument;
};

static inline bool measure_is_counted(void)
{
    return getenv("SIGNET_BENCH_COUNTED") != NULL;
}

/* Of this thread alone: others may run beside it. */
static inline uint64_t measure_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline, used)) static void measured_work(const struct measured *measured)
{
    measured->work(measured->argument);
    __asm__ volatile("" ::: "memory"); /* no tail call: callgrind would lose the end */
}

/* Do it; nanoseconds of one operation. */
static inline double measure(const struct measured *measured)
{
    bool counted = measure_is_counted();
    uint64_t best = UINT64_MAX;
    for (unsigned round = 0; round < (counted ? 1 : measured->rounds); round++) {
        uint64_t start = measure_cpu_ns();
        measured_work(measured);
        uint64_t spent = measure_cpu_ns() - start;
        best = spent < best ? spent : best;
    }
    if (counted) {
        printf("counted\t%s\t%zu\n", measured->what, measured->operations);
        fflush(stdout);
    }
    return (double)best / (double)measured->operations;
}

/* The same, with a line that tells. */
static inline void measure_and_tell(const struct measured *measured)
{
    double ns = measure(measured);
    if (!measure_is_counted()) { /* Times under callgrind are of no use. */
        printf("%-40s %10.1f ns each\n", measured->what, ns);
    }
}
