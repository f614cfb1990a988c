/*
 * dns/serial.h - serial number arithmetic (RFC 1982), for SOA serials and RRSIG times
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Negative, 0 or positive as `a` is before, equal to or after `b`. Exactly 2^31 apart, where the
 * RFC leaves it undefined, counts as before. */
static inline int serial_compare(uint32_t a, uint32_t b)
{
    return a == b ? 0 : ((uint32_t)(a - b) < 0x80000000u ? 1 : -1);
}

/* The next serial, skipping 0 as BIND does. */
static inline uint32_t serial_next(uint32_t serial)
{
    return serial + 1 == 0 ? 1 : serial + 1;
}
