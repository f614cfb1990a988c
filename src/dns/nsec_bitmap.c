#include "dns/nsec_bitmap.h"

enum { WINDOW_BYTES_MAX = 32 };

static void window_write(struct writer *writer, unsigned window, const uint8_t *bits,
                         unsigned length)
{
    writer_u8(writer, (uint8_t)window);
    writer_u8(writer, (uint8_t)length);
    writer_bytes(writer, bits, length);
}

void nsec_bitmap_write(struct writer *writer, const uint16_t *types, size_t count)
{
    uint8_t bits[WINDOW_BYTES_MAX] = {0};
    unsigned length = 0; /* bytes of `bits` in use */

    for (size_t i = 0; i < count; i++) {
        ASSERT(i == 0 || types[i] > types[i - 1]);
        if (i > 0 && types[i] >> 8 != types[i - 1] >> 8) {
            window_write(writer, types[i - 1] >> 8, bits, length);
            memset(bits, 0, sizeof(bits));
        }
        unsigned low = types[i] & 0xff;
        bits[low / 8] |= (uint8_t)(0x80 >> low % 8);
        length = low / 8 + 1;
    }
    if (count > 0) {
        window_write(writer, types[count - 1] >> 8, bits, length);
    }
}

bool nsec_bitmap_has(struct span bitmap, uint16_t type)
{
    struct reader reader = reader_of(bitmap);
    while (!reader.failed && reader_left(&reader) >= 2) {
        unsigned window = reader_u8(&reader);
        struct span bits = reader_span(&reader, reader_u8(&reader));
        if (window == type >> 8) {
            unsigned low = type & 0xff;
            return bits.length > low / 8 && (bits.bytes[low / 8] & (0x80 >> low % 8)) != 0;
        }
    }
    return false;
}

bool nsec_bitmap_check(struct span bitmap)
{
    struct reader reader = reader_of(bitmap);
    int previous = -1;
    while (reader_left(&reader) > 0) {
        int window = reader_u8(&reader);
        struct span bits = reader_span(&reader, reader_u8(&reader));
        if (reader.failed || window <= previous || bits.length < 1 ||
            bits.length > WINDOW_BYTES_MAX || bits.bytes[bits.length - 1] == 0) {
            return false;
        }
        previous = window;
    }
    return true;
}
