/*
 * zone/hash.h - a fast seeded hash of a few bytes, for tables in memory (private to zone/)
 *
 * Multiply and fold, eight bytes at a time. The seed is random per table, so that nobody outside
 * can choose what collides.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_step(uint64_t hash, uint64_t bytes)
{
    __uint128_t product = (__uint128_t)(hash ^ bytes) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t length)
{
    for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, bytes, sizeof(eight));
        hash = hash_step(hash, eight);
    }
    uint64_t rest = length; /* so that trailing zeros count */
    for (size_t i = 0; i < length; i++) {
        rest = rest << 8 | bytes[i];
    }
    return hash_step(hash, rest);
}
