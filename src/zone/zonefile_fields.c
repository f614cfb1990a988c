#include "zone/zonefile_fields.h"

#include <stdio.h>

#include "base/time.h"
#include "zone/zonefile_words.h"

enum {
    STRING_BYTES_MAX = 255,
    PROBLEM_TOKEN_BYTES = 60,
    NOT_A_DIGIT = 0xff,
    BASE32_GROUP = 8, /* digits */
};

/* clang-format off */
#define DIGIT_VALUES(c, first) [c] = (first), [(c) + 1] = (first) + 1, [(c) + 2] = (first) + 2, \
    [(c) + 3] = (first) + 3, [(c) + 4] = (first) + 4, [(c) + 5] = (first) + 5
/* One more than the digit's value, so that 0 is no digit. */
static const uint8_t base64_values[256] = {
    DIGIT_VALUES('A', 1), DIGIT_VALUES('G', 7), DIGIT_VALUES('M', 13), DIGIT_VALUES('S', 19),
    ['Y'] = 25, ['Z'] = 26,
    DIGIT_VALUES('a', 27), DIGIT_VALUES('g', 33), DIGIT_VALUES('m', 39), DIGIT_VALUES('s', 45),
    ['y'] = 51, ['z'] = 52,
    DIGIT_VALUES('0', 53), ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

bool zonefile_refuse(struct zonefile_rdata *rdata, const char *problem)
{
    const struct scan_token *token = &rdata->token;
    int shown = (int)(token->length < PROBLEM_TOKEN_BYTES ? token->length : PROBLEM_TOKEN_BYTES);
    snprintf(rdata->problem, sizeof(rdata->problem), "%s near '%.*s'", problem, shown,
             (const char *)token->text);
    return false;
}

static bool leave_to_ldns(struct zonefile_rdata *rdata)
{
    rdata->odd = true;
    return false;
}

/* The next token of a row, or false. */
static bool next_word(struct zonefile_rdata *rdata)
{
    switch (scan_next(rdata->scan, &rdata->token)) {
    case SCAN_WORD:
    case SCAN_QUOTED:
        return true;
    case SCAN_END:
        snprintf(rdata->problem, sizeof(rdata->problem), "unexpected end of line");
        return false;
    case SCAN_BROKEN:
        snprintf(rdata->problem, sizeof(rdata->problem), "%s", rdata->scan->problem);
        return false;
    }
    UNREACHABLE();
}

/* The next token of what goes on to the end of the line. False at its end, `rdata->problem` empty
 * unless it is broken. */
static bool next_of_rest(struct zonefile_rdata *rdata)
{
    enum scan_kind kind = scan_next(rdata->scan, &rdata->token);
    if (kind == SCAN_BROKEN) {
        snprintf(rdata->problem, sizeof(rdata->problem), "%s", rdata->scan->problem);
    }
    return kind == SCAN_WORD || kind == SCAN_QUOTED;
}

static bool field_number(struct zonefile_rdata *rdata, unsigned bytes)
{
    uint32_t value;
    enum sg_result result =
        zonefile_number(&rdata->token, (uint32_t)(UINT32_MAX >> (32 - 8 * bytes)), &value);
    if (result == SG_LIMIT) {
        return zonefile_refuse(rdata, "number out of range");
    }
    if (result != SG_OK) {
        return leave_to_ldns(rdata); /* It may be a mnemonic, such as RSASHA256. */
    }
    if (bytes == 1) {
        writer_u8(&rdata->out, (uint8_t)value);
    } else if (bytes == 2) {
        writer_u16(&rdata->out, (uint16_t)value);
    } else {
        writer_u32(&rdata->out, value);
    }
    return true;
}

static bool field_period(struct zonefile_rdata *rdata)
{
    uint32_t seconds;
    enum sg_result result = zonefile_period(&rdata->token, &seconds);
    if (result == SG_OK) {
        writer_u32(&rdata->out, seconds);
        return true;
    }
    return zonefile_refuse(rdata,
                           result == SG_LIMIT ? "number out of range" : "not a valid number");
}

static bool field_time(struct zonefile_rdata *rdata)
{
    sg_time when;
    if (rdata->token.length < TIME_TEXT_BYTES - 1) {
        return field_number(rdata, 4);
    }
    if (rdata->token.length != TIME_TEXT_BYTES - 1 ||
        time_from_digits((const char *)rdata->token.text, &when) != SG_OK) {
        return zonefile_refuse(rdata, "not a valid time");
    }
    writer_u32(&rdata->out, (uint32_t)when);
    return true;
}

static bool field_type(struct zonefile_rdata *rdata)
{
    uint16_t type;
    if (zonefile_type(&rdata->token, &type) != SG_OK) {
        return leave_to_ldns(rdata);
    }
    writer_u16(&rdata->out, type);
    return true;
}

static bool field_name(struct zonefile_rdata *rdata)
{
    const char *problem = zonefile_name_write(&rdata->token, rdata->origin, &rdata->out);
    return problem == NULL || zonefile_refuse(rdata, problem);
}

static bool field_ipv4(struct zonefile_rdata *rdata)
{
    uint8_t address[4];
    if (!zonefile_ipv4(rdata->token.text, rdata->token.length, address)) {
        return zonefile_refuse(rdata, "bad IPv4 address");
    }
    writer_bytes(&rdata->out, address, sizeof(address));
    return true;
}

static bool field_ipv6(struct zonefile_rdata *rdata)
{
    uint8_t address[16];
    if (!zonefile_ipv6(rdata->token.text, rdata->token.length, address)) {
        return zonefile_refuse(rdata, "bad IPv6 address");
    }
    writer_bytes(&rdata->out, address, sizeof(address));
    return true;
}

/* The escape at text[at] (RFC 1035 5.1). Returns how long it is, 0 for a bad one. */
static size_t undo_escape(const struct scan_token *token, size_t at, uint8_t *out_byte)
{
    enum { DIGITS = 3 };
    /* The scan lets no token end with a backslash. */
    const uint8_t *escaped = token->text + at + 1;
    if (!(scan_chars[*escaped] & SCAN_CHAR_DIGIT)) {
        *out_byte = *escaped;
        return 2;
    }
    struct scan_token digits = {escaped, DIGITS, SCAN_WORD, false};
    uint32_t value;
    if (at + 1 + DIGITS > token->length || zonefile_number(&digits, UINT8_MAX, &value) != SG_OK) {
        return 0;
    }
    *out_byte = (uint8_t)value;
    return 1 + DIGITS;
}

/* Append the token with its escapes undone. */
static bool unescape(struct zonefile_rdata *rdata)
{
    const struct scan_token *token = &rdata->token;
    if (!token->escaped) {
        writer_bytes(&rdata->out, token->text, token->length);
        return true;
    }
    for (size_t at = 0, step; at < token->length; at += step) {
        uint8_t byte = token->text[at];
        step = byte == '\\' ? undo_escape(token, at, &byte) : 1;
        if (step == 0) {
            return zonefile_refuse(rdata, "bad escape");
        }
        writer_u8(&rdata->out, byte);
    }
    return true;
}

static bool field_string(struct zonefile_rdata *rdata)
{
    uint8_t *length_at = rdata->out.at;
    writer_u8(&rdata->out, 0);
    if (!unescape(rdata)) {
        return false;
    }
    if (rdata->out.failed) {
        return true; /* The row's end reports it. */
    }
    size_t length = (size_t)(rdata->out.at - length_at) - 1;
    if (length > STRING_BYTES_MAX) {
        return zonefile_refuse(rdata, "text string longer than 255 bytes");
    }
    *length_at = (uint8_t)length;
    return true;
}

static bool field_strings(struct zonefile_rdata *rdata)
{
    do {
        if (!field_string(rdata)) {
            return false;
        }
    } while (next_of_rest(rdata));
    return rdata->problem[0] == 0;
}

static bool field_tag(struct zonefile_rdata *rdata)
{
    const struct scan_token *token = &rdata->token;
    for (size_t i = 0; i < token->length; i++) {
        uint8_t c = dns_lower[token->text[i]];
        if (!(scan_chars[c] & SCAN_CHAR_DIGIT) && (c < 'a' || c > 'z')) {
            return leave_to_ldns(rdata);
        }
    }
    return token->length == 0 ? leave_to_ldns(rdata) : field_string(rdata);
}

/* Append pairs of digits. False if they are none. */
static bool hex_append(struct zonefile_rdata *rdata, const uint8_t *text, size_t length)
{
    if (!writer_need(&rdata->out, length / 2)) {
        return true;
    }
    uint8_t *out = rdata->out.at;
    unsigned bad = length % 2;
    for (size_t i = 0; i + 1 < length; i += 2) {
        unsigned high = (unsigned)zonefile_hex[text[i]] - 1;
        unsigned low = (unsigned)zonefile_hex[text[i + 1]] - 1;
        bad |= (high | low) & ~15u;
        *out++ = (uint8_t)(high << 4 | low);
    }
    rdata->out.at = out;
    return bad == 0;
}

/* Words with an odd number of digits, which only fit together, are left to ldns. */
static bool field_hex(struct zonefile_rdata *rdata)
{
    do {
        if (rdata->token.kind == SCAN_QUOTED ||
            !hex_append(rdata, rdata->token.text, rdata->token.length)) {
            return leave_to_ldns(rdata);
        }
    } while (next_of_rest(rdata));
    return rdata->problem[0] == 0;
}

static bool field_salt(struct zonefile_rdata *rdata)
{
    const struct scan_token *token = &rdata->token;
    if (token->length == 1 && token->text[0] == '-') {
        writer_u8(&rdata->out, 0);
        return true;
    }
    if (token->length / 2 > UINT8_MAX) {
        return zonefile_refuse(rdata, "salt longer than 255 bytes");
    }
    writer_u8(&rdata->out, (uint8_t)(token->length / 2));
    return hex_append(rdata, token->text, token->length) || leave_to_ldns(rdata);
}

static int base32hex_value(uint8_t c)
{
    if (scan_chars[c] & SCAN_CHAR_DIGIT) {
        return c - '0';
    }
    c = dns_lower[c];
    return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

/* Eight digits to five bytes. */
static bool base32hex_group(const uint8_t *text, uint64_t *out_group)
{
    uint64_t group = 0;
    for (size_t i = 0; i < BASE32_GROUP; i++) {
        int value = base32hex_value(text[i]);
        if (value < 0) {
            return false;
        }
        group = group << 5 | (uint64_t)value;
    }
    *out_group = group;
    return true;
}

/* Only the length that SHA-1 has, the sole hash there is (RFC 5155 11). */
static bool field_hash(struct zonefile_rdata *rdata)
{
    enum { TEXT_BYTES = 32 };
    if (rdata->token.length != TEXT_BYTES) {
        return leave_to_ldns(rdata);
    }
    writer_u8(&rdata->out, TEXT_BYTES * 5 / 8);
    for (size_t i = 0; i < TEXT_BYTES; i += BASE32_GROUP) {
        uint64_t group;
        if (!base32hex_group(rdata->token.text + i, &group)) {
            return leave_to_ldns(rdata);
        }
        writer_u8(&rdata->out, (uint8_t)(group >> 32));
        writer_u32(&rdata->out, (uint32_t)group);
    }
    return true;
}

/* Append the group that ends with "=" or "==". Bits that nothing uses must be zero. */
static bool base64_append_padded(struct zonefile_rdata *rdata, const uint8_t *text)
{
    unsigned a = base64_values[text[0]] - 1u;
    unsigned b = base64_values[text[1]] - 1u;
    unsigned c = text[2] == '=' ? 0 : base64_values[text[2]] - 1u;
    unsigned unused = text[2] == '=' ? b & 15 : c & 3;
    if (((a | b | c) & ~63u) != 0 || unused != 0) {
        return false;
    }
    writer_u8(&rdata->out, (uint8_t)(a << 2 | b >> 4));
    if (text[2] != '=') {
        writer_u8(&rdata->out, (uint8_t)(b << 4 | c >> 2));
    }
    return true;
}

/* Append whole groups of four digits; the padded one, if any, is the last. */
static bool base64_append(struct zonefile_rdata *rdata, const uint8_t *text, size_t length)
{
    if (length % 4 != 0) {
        return false;
    }
    if (!writer_need(&rdata->out, length / 4 * 3)) {
        return true;
    }
    size_t whole = length > 0 && text[length - 1] == '=' ? length - 4 : length;
    uint8_t *out = rdata->out.at;
    unsigned bad = 0;
    for (size_t i = 0; i < whole; i += 4) {
        unsigned a = base64_values[text[i]] - 1u;
        unsigned b = base64_values[text[i + 1]] - 1u;
        unsigned c = base64_values[text[i + 2]] - 1u;
        unsigned d = base64_values[text[i + 3]] - 1u;
        bad |= a | b | c | d; /* What is no digit has the high bits set. */
        unsigned group = a << 18 | b << 12 | c << 6 | d;
        out[0] = (uint8_t)(group >> 16);
        out[1] = (uint8_t)(group >> 8);
        out[2] = (uint8_t)group;
        out += 3;
    }
    rdata->out.at = out;
    return (bad & ~63u) == 0 && (whole == length || base64_append_padded(rdata, text + whole));
}

/*
 * White space may stand anywhere, but nearly always stands between groups; other places are left
 * to ldns.
 */
static bool field_base64(struct zonefile_rdata *rdata)
{
    bool padded = false;
    do {
        const struct scan_token *token = &rdata->token;
        if (padded || token->kind == SCAN_QUOTED || token->length == 0 ||
            !base64_append(rdata, token->text, token->length)) {
            return leave_to_ldns(rdata);
        }
        padded = token->text[token->length - 1] == '=';
    } while (next_of_rest(rdata));
    return rdata->problem[0] == 0;
}

/* Write the windows that have a bit (RFC 4034 4.1.2), and clear them again. */
static void bitmap_write(struct zonefile_rdata *rdata, unsigned window_max)
{
    for (unsigned window = 0; window <= window_max; window++) {
        uint8_t *bits = rdata->bitmap[window];
        unsigned length = 32;
        while (length > 0 && bits[length - 1] == 0) {
            length--;
        }
        if (length > 0) {
            writer_u8(&rdata->out, (uint8_t)window);
            writer_u8(&rdata->out, (uint8_t)length);
            writer_bytes(&rdata->out, bits, length);
            memset(bits, 0, length);
        }
    }
}

static bool field_bitmap(struct zonefile_rdata *rdata)
{
    unsigned window_max = 0;
    while (next_of_rest(rdata)) {
        uint16_t type;
        if (rdata->token.kind == SCAN_QUOTED || rdata->token.escaped ||
            zonefile_type(&rdata->token, &type) != SG_OK || type == 0) {
            memset(rdata->bitmap, 0, sizeof(rdata->bitmap));
            return leave_to_ldns(rdata);
        }
        unsigned window = type >> 8;
        rdata->bitmap[window][(type & 255) >> 3] |= (uint8_t)(0x80 >> (type & 7));
        window_max = window > window_max ? window : window_max;
    }
    bitmap_write(rdata, window_max);
    return rdata->problem[0] == 0;
}

static bool field_is_text(uint8_t field)
{
    return field == FIELD_STRING || field == FIELD_STRINGS || field == FIELD_LONG_STRING;
}

/* RFC 3597's form, or an escape where no text is. */
static bool token_is_odd(const struct zonefile_rdata *rdata, uint8_t field, bool first)
{
    const struct scan_token *token = &rdata->token;
    bool generic = first && token->kind == SCAN_WORD && token->length == 2 &&
                   memcmp(token->text, "\\#", 2) == 0;
    return generic || (!field_is_text(field) && field != FIELD_NAME);
}

static bool read_field(struct zonefile_rdata *rdata, uint8_t field)
{
    switch ((enum zonefile_field)field) {
    case FIELD_U8:
        return field_number(rdata, 1);
    case FIELD_U16:
        return field_number(rdata, 2);
    case FIELD_U32:
        return field_number(rdata, 4);
    case FIELD_PERIOD:
        return field_period(rdata);
    case FIELD_TIME:
        return field_time(rdata);
    case FIELD_TYPE:
        return field_type(rdata);
    case FIELD_NAME:
        return field_name(rdata);
    case FIELD_IPV4:
        return field_ipv4(rdata);
    case FIELD_IPV6:
        return field_ipv6(rdata);
    case FIELD_STRING:
        return field_string(rdata);
    case FIELD_TAG:
        return field_tag(rdata);
    case FIELD_LONG_STRING:
        return unescape(rdata);
    case FIELD_SALT:
        return field_salt(rdata);
    case FIELD_HASH:
        return field_hash(rdata);
    case FIELD_STRINGS:
        return field_strings(rdata);
    case FIELD_BASE64:
        return field_base64(rdata);
    case FIELD_HEX:
        return field_hex(rdata);
    case FIELD_BITMAP:
    case FIELD_END:
        break;
    }
    UNREACHABLE();
}

bool zonefile_fields_read(struct zonefile_rdata *rdata, const uint8_t *fields)
{
    for (const uint8_t *field = fields; *field != FIELD_END; field++) {
        if (*field == FIELD_BITMAP) {
            return field_bitmap(rdata);
        }
        if (!next_word(rdata)) {
            return false;
        }
        if (rdata->token.escaped && token_is_odd(rdata, *field, field == fields)) {
            return leave_to_ldns(rdata);
        }
        if (rdata->token.kind == SCAN_QUOTED && !field_is_text(*field)) {
            return zonefile_refuse(rdata, "quoted string where none belongs");
        }
        if (!read_field(rdata, *field)) {
            return false;
        }
    }
    if (next_of_rest(rdata)) {
        return zonefile_refuse(rdata, "extra input text");
    }
    return rdata->problem[0] == 0;
}
