#include "base/encoding.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32hex_digits[] = "0123456789abcdefghijklmnopqrstuv";
static const char hex_digits[] = "0123456789ABCDEF";

void base64_encode(struct span bytes, struct buffer *out_text)
{
    buffer_reserve(out_text, (bytes.length + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        uint32_t group = (uint32_t)bytes.bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes.bytes[i + 2] : 0;
        char four[4] = {base64_digits[group >> 18], base64_digits[group >> 12 & 63],
                        left > 1 ? base64_digits[group >> 6 & 63] : '=',
                        left > 2 ? base64_digits[group & 63] : '='};
        buffer_append(out_text, four, sizeof(four));
    }
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum sg_result base64_decode(struct span text, struct buffer *out_bytes)
{
    struct buffer bytes = BUFFER_EMPTY;
    /* At once: growing would leave copies of a secret behind in freed memory. */
    buffer_reserve(&bytes, text.length / 4 * 3 + 3);
    uint32_t group = 0;
    unsigned digits = 0;
    unsigned padding = 0;
    bool good = true;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t c = text.bytes[i];
        int value = base64_value(c);
        if (is_space(c)) {
            continue;
        }
        if (c == '=' && digits >= 2 && digits + padding < 4) {
            padding++;
            continue;
        }
        if (value < 0 || padding > 0) {
            good = false;
            break;
        }
        group = group << 6 | (uint32_t)value;
        if (++digits == 4) {
            uint8_t three[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
            buffer_append(&bytes, three, sizeof(three));
            group = 0;
            digits = 0;
        }
    }
    if (digits == 2 && padding == 2 && (group & 15) == 0) {
        buffer_append_u8(&bytes, (uint8_t)(group >> 4));
    } else if (digits == 3 && padding == 1 && (group & 3) == 0) {
        buffer_append_u16(&bytes, (uint16_t)(group >> 2));
    } else if (digits != 0 || padding != 0) {
        good = false;
    }
    if (good) {
        buffer_append(out_bytes, bytes.bytes, bytes.length);
    }
    buffer_wipe(&bytes); /* it may be a secret */
    return good ? SG_OK : SG_MALFORMED;
}

size_t base32hex_encode(const uint8_t *bytes, size_t length, char *out_text)
{
    size_t written = 0;
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < length; i++) {
        group = group << 8 | bytes[i];
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            out_text[written++] = base32hex_digits[group >> bits & 31];
        }
    }
    if (bits > 0) {
        out_text[written++] = base32hex_digits[group << (5 - bits) & 31];
    }
    return written;
}

enum sg_result base32hex_decode(struct span text, struct buffer *out_bytes)
{
    uint32_t group = 0;
    unsigned bits = 0;
    size_t before = out_bytes->length;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t c = text.bytes[i];
        uint32_t value = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'v' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'V' ? (uint32_t)(c - 'A' + 10)
                                                : 32;
        if (value == 32) {
            out_bytes->length = before;
            return SG_MALFORMED;
        }
        group = group << 5 | value;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            buffer_append_u8(out_bytes, (uint8_t)(group >> bits));
        }
    }
    if (bits >= 5 || (group & ((1u << bits) - 1)) != 0) {
        out_bytes->length = before;
        return SG_MALFORMED;
    }
    return SG_OK;
}

void hex_encode(struct span bytes, struct buffer *out_text)
{
    for (size_t i = 0; i < bytes.length; i++) {
        char two[2] = {hex_digits[bytes.bytes[i] >> 4], hex_digits[bytes.bytes[i] & 15]};
        buffer_append(out_text, two, sizeof(two));
    }
}

enum sg_result hex_decode(struct span text, struct buffer *out_bytes)
{
    size_t before = out_bytes->length;
    int high = -1;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t c = text.bytes[i];
        int value = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (is_space(c)) {
            continue;
        }
        if (value < 0) {
            out_bytes->length = before;
            return SG_MALFORMED;
        }
        if (high < 0) {
            high = value;
        } else {
            buffer_append_u8(out_bytes, (uint8_t)(high << 4 | value));
            high = -1;
        }
    }
    if (high >= 0) {
        out_bytes->length = before;
        return SG_MALFORMED;
    }
    return SG_OK;
}
