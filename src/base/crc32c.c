#include "base/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { LANES = 8 };

static const uint32_t polynomial = 0x82f63b78; /* reflected */

/* tables[n][b]: what byte b becomes n bytes later. */
static uint32_t tables[LANES][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
        }
        tables[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int lane = 1; lane < LANES; lane++) {
            uint32_t crc = tables[lane - 1][byte];
            tables[lane][byte] = crc >> 8 ^ tables[0][crc & 0xff];
        }
    }
}

uint32_t crc32c_by_tables(uint32_t before, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint32_t crc = ~before;
    pthread_once(&tables_once, make_tables);
    for (; length >= LANES; length -= LANES, at += LANES) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                              (uint32_t)at[3] << 24);
        crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
              tables[4][low >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
              tables[0][at[7]];
    }
    for (; length > 0; length--, at++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32c_by_instruction(uint32_t before, const uint8_t *at, size_t length)
{
    uint64_t crc = (uint32_t)~before;
    for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, at, sizeof(eight));
        crc = __builtin_ia32_crc32di(crc, eight);
    }
    for (; length > 0; length--, at++) {
        crc = __builtin_ia32_crc32qi((uint32_t)crc, *at);
    }
    return ~(uint32_t)crc;
}
#endif

uint32_t crc32c(uint32_t before, const void *bytes, size_t length)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_by_instruction(before, bytes, length);
    }
#endif
    return crc32c_by_tables(before, bytes, length);
}
