/*
 * dns/escape.h - \X and \DDD in names and character strings (RFC 1035 5.1). Private to dns/.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The byte that a backslash in front of `text` stands for. Returns how many characters follow the
 * backslash, 0 when the escape is broken.
 */
static inline size_t dns_unescape(const char *text, size_t length, uint8_t *out_byte)
{
    if (length == 0) {
        return 0;
    }
    if (text[0] < '0' || text[0] > '9') {
        *out_byte = (uint8_t)text[0];
        return 1;
    }
    if (length < 3 || text[1] < '0' || text[1] > '9' || text[2] < '0' || text[2] > '9') {
        return 0;
    }
    int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    if (value > 255) {
        return 0;
    }
    *out_byte = (uint8_t)value;
    return 3;
}

/* `byte` as \DDD; returns what follows the four characters. */
static inline char *dns_escape_decimal(char *text, uint8_t byte)
{
    *text++ = '\\';
    *text++ = (char)('0' + byte / 100);
    *text++ = (char)('0' + byte / 10 % 10);
    *text++ = (char)('0' + byte % 10);
    return text;
}
