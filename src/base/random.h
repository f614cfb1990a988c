/*
 * base/random.h - unpredictable bytes from the kernel, and a reproducible generator for tests
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Aborts if the kernel has none. It stands alone in random_kernel.c, so that tests/sim can link
 * another in its place; no program has a switch that makes its secrets reproducible.
 */
void random_bytes(void *out_bytes, size_t length);
uint32_t random_u32(void);
uint32_t random_below(uint32_t bound); /* uniform in [0, bound); bound > 0 */

/* A small seeded generator (SplitMix64): tests and jitter, never secrets. */
struct random_seeded {
    uint64_t state;
};
uint64_t random_seeded_u64(struct random_seeded *random);
uint32_t random_seeded_below(struct random_seeded *random, uint32_t bound);
