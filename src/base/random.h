/*
 * base/random.h - unpredictable bytes from the kernel, and a reproducible generator for tests
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out_bytes, size_t length); /* aborts if the kernel has none */
uint32_t random_u32(void);
uint32_t random_below(uint32_t bound); /* uniform in [0, bound); bound > 0 */

/* A small seeded generator (SplitMix64): tests and jitter, never secrets. */
struct random_seeded {
    uint64_t state;
};
uint64_t random_seeded_u64(struct random_seeded *random);
uint32_t random_seeded_below(struct random_seeded *random, uint32_t bound);
