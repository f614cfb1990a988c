/*
 * zone/zonefile_wide.h - eight bytes of text at a time, without a branch for each. Private to
 * zonefile.
 *
 * Everything may be read up to SCAN_SLACK_BYTES past the text. Byte masks have the high bit of each
 * byte that is meant, the first byte lowest.
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WIDE_ONES  UINT64_C(0x0101010101010101)
#define WIDE_HIGHS (0x80 * WIDE_ONES)

static inline uint64_t wide_load(const uint8_t *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    return le64toh(word);
}

static inline void wide_store(uint8_t *out, uint64_t word)
{
    word = htole64(word);
    memcpy(out, &word, sizeof(word));
}

/* The bytes equal to `c`. */
static inline uint64_t wide_equal(uint64_t word, uint8_t c)
{
    uint64_t zero = word ^ c * WIDE_ONES;
    return ~(((zero & ~WIDE_HIGHS) + ~WIDE_HIGHS) | zero) & WIDE_HIGHS;
}

/* The bytes in [first, last], both below 128. */
static inline uint64_t wide_between(uint64_t word, uint8_t first, uint8_t last)
{
    uint64_t low = word & ~WIDE_HIGHS;
    uint64_t from_first = low + (uint64_t)(0x80 - first) * WIDE_ONES;
    uint64_t above_last = low + (uint64_t)(0x7f - last) * WIDE_ONES;
    return (from_first ^ above_last) & ~word & WIDE_HIGHS;
}

static inline uint64_t wide_lower(uint64_t word)
{
    return word + (wide_between(word, 'A', 'Z') >> 2);
}

static inline uint64_t wide_upper(uint64_t word)
{
    return word - (wide_between(word, 'a', 'z') >> 2);
}

/* Only the first `count` bytes of a mask or a word. 0 < count. */
static inline uint64_t wide_first(uint64_t word, size_t count)
{
    return count >= sizeof(word) ? word : word & (UINT64_MAX >> (64 - 8 * count));
}

/* Which byte is the first of a mask that is not 0. */
static inline unsigned wide_first_index(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask) / 8;
}

/* One bit for each of 16 bytes that equals `c`, the first byte lowest. */
static inline unsigned wide_bits16(const uint8_t *text, uint8_t c)
{
    /* Gathers the lowest bit of each byte in the highest byte. */
    const uint64_t gather = UINT64_C(0x0102040810204080);
    uint64_t low = (wide_equal(wide_load(text), c) >> 7) * gather >> 56;
    uint64_t high = (wide_equal(wide_load(text + 8), c) >> 7) * gather >> 56;
    return (unsigned)(low | high << 8);
}

/*
 * Copy `length` bytes; up to seven more may be read and written. A memcpy() of a length that is
 * known to be below 256 becomes `rep movs` in gcc, which takes longer to start than this to end.
 */
static inline void wide_copy(uint8_t *out, const uint8_t *from, size_t length)
{
    for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
        wide_store(out + i, wide_load(from + i));
    }
}
