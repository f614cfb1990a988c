/*
 * base/siphash.h - SipHash-2-4 (Aumasson, Bernstein 2012): keyed hashing of what strangers send
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint8_t key[16], const void *bytes, size_t length);
