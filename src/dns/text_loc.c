#include "dns/text_loc.h"

enum {
    SIZE_DEFAULT = 0x12,       /* 1 m */
    HORIZONTAL_DEFAULT = 0x16, /* 10 km */
    VERTICAL_DEFAULT = 0x13,   /* 10 m */
    CENTIMETRES_DIGITS_MAX = 10,
    MANTISSA_MAX = 9,
};

static const uint32_t equator = UINT32_C(1) << 31;      /* and the prime meridian */
static const int64_t sea_level_centimetres = 10000000;  /* above the altitude 0 of the wire */
static const int64_t size_centimetres_max = 9000000000; /* 9e9 */

/* `digits` with up to `places` decimals, times 10 to the `places`; UINT64_MAX if it is none. */
static uint64_t decimal(const char *text, size_t length, unsigned places)
{
    uint64_t value = 0;
    unsigned decimals = 0;
    bool point = false;
    if (length == 0 || length > CENTIMETRES_DIGITS_MAX + 1 || text[0] == '.') {
        return UINT64_MAX;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || (point && decimals++ == places)) {
            return UINT64_MAX;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    for (; decimals < places; decimals++) {
        value *= 10;
    }
    return value;
}

static bool word_is(struct text_word word, char letter)
{
    return word.length == 1 && (word.text[0] == letter || word.text[0] == letter + 'a' - 'A');
}

/* "42 21 54.123 N": minutes and seconds may be left out. Thousandths of a second from equator. */
static uint32_t angle_read(struct text_words *words, char positive, char negative,
                           uint32_t degrees_max)
{
    static const uint32_t unit[] = {3600000, 60000, 1};
    const uint64_t limit[] = {degrees_max, 59, 59999};
    uint64_t angle = 0;
    for (unsigned part = 0; words->error == NULL; part++) {
        struct text_word word = text_words_next(words);
        if (part > 0 && (word_is(word, positive) || word_is(word, negative))) {
            return word_is(word, positive) ? equator + (uint32_t)angle : equator - (uint32_t)angle;
        }
        uint64_t value = part < 3 ? decimal(word.text, word.length, part == 2 ? 3 : 0) : UINT64_MAX;
        if (part >= 3 || value > limit[part]) {
            text_words_fail(words, "bad latitude or longitude");
            break;
        }
        angle += value * unit[part];
    }
    return 0;
}

/* "-24.50m", in centimetres. */
static int64_t metres_read(struct text_words *words, int64_t least, int64_t most)
{
    struct text_word word = text_words_next(words);
    bool negative = word.length > 0 && word.text[0] == '-';
    size_t length = word.length - negative;
    if (length > 0 && (word.text[word.length - 1] | 0x20) == 'm') {
        length--;
    }
    uint64_t value = decimal(word.text + negative, length, 2);
    int64_t centimetres = negative ? -(int64_t)value : (int64_t)value;
    if (value > INT64_MAX || centimetres < least || centimetres > most) {
        text_words_fail(words, "bad length in metres");
        return 0;
    }
    return centimetres;
}

/* A size as mantissa and exponent of ten, rounded down (RFC 1876 2). */
static uint8_t size_read(struct text_words *words, uint8_t or_else)
{
    if (!text_words_more(words)) {
        return or_else;
    }
    int64_t mantissa = metres_read(words, 0, size_centimetres_max);
    unsigned exponent = 0;
    for (; mantissa > MANTISSA_MAX; mantissa /= 10) {
        exponent++;
    }
    return (uint8_t)((unsigned)mantissa << 4 | exponent);
}

void text_loc_read(struct text_words *words, struct buffer *out_rdata)
{
    uint32_t latitude = angle_read(words, 'N', 'S', 90);
    uint32_t longitude = angle_read(words, 'E', 'W', 180);
    int64_t altitude =
        metres_read(words, -sea_level_centimetres, (int64_t)UINT32_MAX - sea_level_centimetres);
    buffer_append_u8(out_rdata, 0);
    buffer_append_u8(out_rdata, size_read(words, SIZE_DEFAULT));
    buffer_append_u8(out_rdata, size_read(words, HORIZONTAL_DEFAULT));
    buffer_append_u8(out_rdata, size_read(words, VERTICAL_DEFAULT));
    buffer_append_u32(out_rdata, latitude);
    buffer_append_u32(out_rdata, longitude);
    buffer_append_u32(out_rdata, (uint32_t)(altitude + sea_level_centimetres));
}

static void angle_write(uint32_t angle, char positive, char negative, struct buffer *out_text)
{
    bool is_positive = angle >= equator;
    uint32_t left = is_positive ? angle - equator : equator - angle;
    buffer_format(out_text, "%u %02u %02u.%03u %c ", left / 3600000, left / 60000 % 60,
                  left / 1000 % 60, left % 1000, is_positive ? positive : negative);
}

static void metres_write(int64_t centimetres, const char *before, struct buffer *out_text)
{
    uint64_t length = centimetres < 0 ? (uint64_t)-centimetres : (uint64_t)centimetres;
    buffer_format(out_text, "%s%s%llu", before, centimetres < 0 ? "-" : "",
                  (unsigned long long)length / 100);
    if (length % 100 != 0) {
        buffer_format(out_text, ".%02u", (unsigned)(length % 100));
    }
    buffer_append_text(out_text, "m");
}

void text_loc_write(struct span rdata, struct buffer *out_text)
{
    angle_write(wire_get_u32(rdata.bytes + 4), 'N', 'S', out_text);
    angle_write(wire_get_u32(rdata.bytes + 8), 'E', 'W', out_text);
    metres_write((int64_t)wire_get_u32(rdata.bytes + 12) - sea_level_centimetres, "", out_text);
    for (unsigned i = 1; i <= 3; i++) { /* size, horizontal and vertical precision */
        int64_t centimetres = rdata.bytes[i] >> 4;
        for (unsigned exponent = rdata.bytes[i] & 15; exponent > 0; exponent--) {
            centimetres *= 10;
        }
        metres_write(centimetres, " ", out_text);
    }
}
