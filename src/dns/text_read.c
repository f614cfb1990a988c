#include <arpa/inet.h>
#include <strings.h>

#include "base/encoding.h"
#include "base/time.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "dns/text_format.h"
#include "dns/text_loc.h"
#include "dns/text_svcb.h"
#include "dns/text_wks.h"
#include "dns/text_words.h"

enum {
    TEXT_BYTES_MAX = 4 * DNS_RDATA_BYTES_MAX + 1024, /* every byte as \DDD, and then some */
    ADDRESS_TEXT_BYTES = 64,
    TIME_DIGITS = 14,
    BITMAP_WINDOWS = 256,
    WINDOW_BYTES = 32,
};

/* Text on its way to wire format: fields are read from `words` and appended to `rdata`. */
struct text_reading {
    struct text_words words;
    const struct dns_name *origin;
    struct buffer *rdata;
    size_t begin; /* of this rdata in the buffer */
};

struct mnemonic {
    const char *text;
    uint16_t value;
};

static const struct mnemonic algorithms[] = {
    {"RSAMD5", 1},
    {"DH", 2},
    {"DSA", 3},
    {"RSASHA1", 5},
    {"DSA-NSEC3-SHA1", 6},
    {"NSEC3DSA", 6},
    {"NSEC3RSASHA1", 7},
    {"RSASHA1-NSEC3-SHA1", 7},
    {"RSASHA256", 8},
    {"RSASHA512", 10},
    {"ECC-GOST", 12},
    {"ECCGOST", 12},
    {"ECDSAP256SHA256", 13},
    {"ECDSAP384SHA384", 14},
    {"ED25519", 15},
    {"ED448", 16},
    {"INDIRECT", 252},
    {"PRIVATEDNS", 253},
    {"PRIVATEOID", 254},
    {NULL, 0},
};

static const struct mnemonic digests[] = {
    {"SHA-1", 1}, {"SHA1", 1},    {"SHA-256", 2}, {"SHA256", 2},
    {"GOST", 3},  {"SHA-384", 4}, {"SHA384", 4},  {NULL, 0},
};

static const struct mnemonic certificates[] = {
    {"PKIX", 1},   {"SPKI", 2},    {"PGP", 3},   {"IPKIX", 4}, {"ISPKI", 5}, {"IPGP", 6},
    {"ACPKIX", 7}, {"IACPKIX", 8}, {"URI", 253}, {"OID", 254}, {NULL, 0},
};

static void fail(struct text_reading *reading, const char *error)
{
    text_words_fail(&reading->words, error);
}

static uint32_t number_read(struct text_reading *reading, uint32_t max)
{
    return text_word_number(&reading->words, text_words_next(&reading->words), max);
}

/* One of `table`, or a number. */
static uint16_t mnemonic_read(struct text_reading *reading, const struct mnemonic *table,
                              uint32_t max)
{
    struct text_word word = text_words_next(&reading->words);
    for (; table->text != NULL; table++) {
        if (strlen(table->text) == word.length &&
            strncasecmp(table->text, word.text, word.length) == 0) {
            return table->value;
        }
    }
    return (uint16_t)text_word_number(&reading->words, word, max);
}

static void name_read(struct text_reading *reading)
{
    struct text_word word = text_words_next(&reading->words);
    struct dns_name name;
    if (dns_name_from_text(word.text, word.length, reading->origin, &name) != SG_OK) {
        fail(reading, "bad name");
        return;
    }
    buffer_append(reading->rdata, name.wire, name.length);
}

static void string_read(struct text_reading *reading)
{
    size_t at = reading->rdata->length;
    buffer_append_u8(reading->rdata, 0);
    text_word_decode(&reading->words, text_words_next(&reading->words), reading->rdata);
    size_t length = reading->rdata->length - at - 1;
    if (length > UINT8_MAX) {
        fail(reading, "a string is longer than 255 bytes");
        return;
    }
    reading->rdata->bytes[at] = (uint8_t)length;
}

static void strings_read(struct text_reading *reading)
{
    do {
        string_read(reading);
    } while (text_words_more(&reading->words));
}

static void address_append(struct text_reading *reading, int family, struct text_word word)
{
    char text[ADDRESS_TEXT_BYTES];
    uint8_t address[16];
    if (word.length >= sizeof(text)) {
        fail(reading, "bad address");
        return;
    }
    memcpy(text, word.text, word.length);
    text[word.length] = '\0';
    if (inet_pton(family, text, address) != 1) {
        fail(reading, "bad address");
        return;
    }
    buffer_append(reading->rdata, address, family == AF_INET ? 4 : 16);
}

static void address_read(struct text_reading *reading, int family)
{
    address_append(reading, family, text_words_next(&reading->words));
}

/* Seconds, or BIND's "1w2d3h4m5s". */
static void duration_read(struct text_reading *reading)
{
    static const char units[] = "smhdw";
    static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};

    struct text_word word = text_words_next(&reading->words);
    uint64_t all = 0;
    for (size_t i = 0; i < word.length;) {
        size_t digits = 0;
        while (i + digits < word.length && word.text[i + digits] >= '0' &&
               word.text[i + digits] <= '9') {
            digits++;
        }
        struct text_word number = {word.text + i, digits, false};
        uint64_t value = text_word_number(&reading->words, number, UINT32_MAX);
        i += digits;
        const char *unit =
            i < word.length ? strchr(units, dns_lower[(uint8_t)word.text[i]]) : units;
        if (unit == NULL || *unit == '\0' || (i == word.length && all > 0)) {
            fail(reading, "bad duration");
            return;
        }
        all += value * seconds[unit - units];
        i++;
    }
    if (word.length == 0 || all > UINT32_MAX) {
        fail(reading, "bad duration");
    }
    buffer_append_u32(reading->rdata, (uint32_t)all);
}

/* YYYYMMDDHHMMSS or seconds, RFC 4034 3.2. */
static void time_read(struct text_reading *reading)
{
    struct text_word word = text_words_next(&reading->words);
    sg_time when = 0;
    if (word.length != TIME_DIGITS) {
        when = text_word_number(&reading->words, word, UINT32_MAX);
    } else if (time_from_digits(word.text, &when) != SG_OK) {
        fail(reading, "bad time");
    }
    buffer_append_u32(reading->rdata, (uint32_t)when);
}

static uint16_t type_read(struct text_reading *reading)
{
    struct text_word word = text_words_next(&reading->words);
    uint16_t type = 0;
    if (dns_type_from_text(word.text, word.length, &type) != SG_OK) {
        fail(reading, "unknown type");
    }
    return type;
}

static void types_read(struct text_reading *reading)
{
    uint8_t bits[BITMAP_WINDOWS][WINDOW_BYTES] = {{0}};
    while (text_words_more(&reading->words)) {
        uint16_t type = type_read(reading);
        bits[type >> 8][(type & 0xff) / 8] |= (uint8_t)(0x80 >> type % 8);
    }
    for (unsigned window = 0; window < BITMAP_WINDOWS; window++) {
        unsigned length = WINDOW_BYTES;
        while (length > 0 && bits[window][length - 1] == 0) {
            length--;
        }
        if (length > 0) {
            buffer_append_u8(reading->rdata, (uint8_t)window);
            buffer_append_u8(reading->rdata, (uint8_t)length);
            buffer_append(reading->rdata, bits[window], length);
        }
    }
}

static struct span rest_read(struct text_reading *reading)
{
    text_words_more(&reading->words);
    struct span rest = {(const uint8_t *)reading->words.at,
                        (size_t)(reading->words.end - reading->words.at)};
    reading->words.at = reading->words.end;
    return rest;
}

static void hex_read(struct text_reading *reading)
{
    struct span rest = rest_read(reading);
    if (rest.length == 0 || hex_decode(rest, reading->rdata) != SG_OK) {
        fail(reading, "bad hexadecimal");
    }
}

static void base64_read(struct text_reading *reading, bool may_be_empty)
{
    struct span rest = rest_read(reading);
    if ((rest.length == 0 && !may_be_empty) || base64_decode(rest, reading->rdata) != SG_OK) {
        fail(reading, "bad base64");
    }
}

/* A word of `decode`'s encoding behind its length byte; "-" is nothing. */
static void encoded_read(struct text_reading *reading,
                         enum sg_result (*decode)(struct span, struct buffer *))
{
    struct text_word word = text_words_next(&reading->words);
    size_t at = reading->rdata->length;
    buffer_append_u8(reading->rdata, 0);
    if (word.length == 1 && word.text[0] == '-') {
        return;
    }
    struct span text = {(const uint8_t *)word.text, word.length};
    if (decode(text, reading->rdata) != SG_OK || reading->rdata->length - at - 1 > UINT8_MAX) {
        fail(reading, "bad salt or hash");
        return;
    }
    reading->rdata->bytes[at] = (uint8_t)(reading->rdata->length - at - 1);
}

/* `groups` groups of exactly `digits` hexadecimal digits, apart by `separator`. */
static void groups_read(struct text_reading *reading, unsigned groups, unsigned digits,
                        char separator)
{
    struct text_word word = text_words_next(&reading->words);
    bool good = word.length == groups * digits + groups - 1;
    for (unsigned group = 0; good && group < groups; group++) {
        const char *text = word.text + group * (digits + 1);
        good = hex_decode((struct span){(const uint8_t *)text, digits}, reading->rdata) == SG_OK &&
               (group == groups - 1 || text[digits] == separator);
    }
    if (!good) {
        fail(reading, "bad hexadecimal groups");
    }
}

/* 0x47.0005.80, RFC 1706 6. */
static void nsap_read(struct text_reading *reading)
{
    struct text_word word = text_words_next(&reading->words);
    struct buffer digits = BUFFER_EMPTY;
    for (size_t i = 2; i < word.length; i++) {
        if (word.text[i] != '.') {
            buffer_append_u8(&digits, (uint8_t)word.text[i]);
        }
    }
    if (word.length < 3 || word.text[0] != '0' || dns_lower[(uint8_t)word.text[1]] != 'x' ||
        hex_decode(buffer_span(&digits), reading->rdata) != SG_OK) {
        fail(reading, "bad NSAP address");
    }
    buffer_free(&digits);
}

/* What IPSECKEY and AMTRELAY call 0 (nothing, "."), 1 (IPv4), 2 (IPv6), 3 (a name). */
static void gateway_read(struct text_reading *reading, unsigned kind)
{
    if (kind == 1 || kind == 2) {
        address_read(reading, kind == 1 ? AF_INET : AF_INET6);
        return;
    }
    size_t at = reading->rdata->length;
    name_read(reading);
    if (kind == 0 && reading->rdata->length == at + 1) {
        reading->rdata->length = at;
    } else if (kind != 3) {
        fail(reading, "bad gateway");
    }
}

static void relay_read(struct text_reading *reading)
{
    uint32_t discovery = number_read(reading, 1);
    uint32_t kind = number_read(reading, 0x7f);
    buffer_append_u8(reading->rdata, (uint8_t)(discovery << 7 | kind));
    gateway_read(reading, kind);
}

/* "[!]family:address/prefix" (RFC 3123 5); zero bytes at the end of the address are left out. */
static void prefix_read(struct text_reading *reading)
{
    struct text_word word = text_words_next(&reading->words);
    struct buffer *rdata = reading->rdata;
    size_t negated = word.length > 0 && word.text[0] == '!';
    const char *colon = word.length > 0 ? memchr(word.text, ':', word.length) : NULL;
    const char *slash =
        colon != NULL ? memchr(colon, '/', word.length - (size_t)(colon - word.text)) : NULL;
    if (slash == NULL || colon != word.text + negated + 1 ||
        (colon[-1] != '1' && colon[-1] != '2')) {
        fail(reading, "bad address prefix");
        return;
    }
    struct text_word address = {colon + 1, (size_t)(slash - colon - 1), false};
    struct text_word prefix = {slash + 1, (size_t)(word.text + word.length - slash - 1), false};
    buffer_append_u16(rdata, (uint16_t)(colon[-1] - '0'));
    buffer_append_u8(rdata, (uint8_t)text_word_number(&reading->words, prefix, UINT8_MAX));
    size_t at = rdata->length;
    buffer_append_u8(rdata, 0);
    address_append(reading, colon[-1] == '1' ? AF_INET : AF_INET6, address);
    while (rdata->length > at + 1 && rdata->bytes[rdata->length - 1] == 0) {
        rdata->length--;
    }
    rdata->bytes[at] = (uint8_t)(negated << 7 | (rdata->length - at - 1));
}

static void prefixes_read(struct text_reading *reading)
{
    while (text_words_more(&reading->words)) {
        prefix_read(reading);
    }
}

/* RFC 8005 6: algorithm, host identity tag, key, servers; the wire has the two lengths first. */
static void host_identity_read(struct text_reading *reading)
{
    struct buffer *rdata = reading->rdata;
    uint32_t algorithm = number_read(reading, UINT8_MAX);
    struct text_word tag = text_words_next(&reading->words);
    struct text_word key = text_words_next(&reading->words);
    size_t at = rdata->length;
    buffer_append_u32(rdata, algorithm << 16);
    if (hex_decode((struct span){(const uint8_t *)tag.text, tag.length}, rdata) != SG_OK) {
        fail(reading, "bad host identity tag");
    }
    size_t tag_length = rdata->length - at - 4;
    if (base64_decode((struct span){(const uint8_t *)key.text, key.length}, rdata) != SG_OK) {
        fail(reading, "bad key");
    }
    size_t key_length = rdata->length - at - 4 - tag_length;
    if (tag_length > UINT8_MAX || key_length > UINT16_MAX) {
        fail(reading, "host identity too long");
    }
    rdata->bytes[at] = (uint8_t)tag_length;
    wire_put_u16(rdata->bytes + at + 2, (uint16_t)key_length);
    while (text_words_more(&reading->words)) {
        name_read(reading);
    }
}

static void word_field_read(struct text_reading *reading, char field)
{
    struct buffer *rdata = reading->rdata;
    switch (field) {
    case '1':
        buffer_append_u8(rdata, (uint8_t)number_read(reading, UINT8_MAX));
        break;
    case '2':
        buffer_append_u16(rdata, (uint16_t)number_read(reading, UINT16_MAX));
        break;
    case '4':
        buffer_append_u32(rdata, number_read(reading, UINT32_MAX));
        break;
    case 'g':
        buffer_append_u8(rdata, (uint8_t)mnemonic_read(reading, algorithms, UINT8_MAX));
        break;
    case 'i':
        buffer_append_u8(rdata, (uint8_t)mnemonic_read(reading, digests, UINT8_MAX));
        break;
    case 'k':
        buffer_append_u16(rdata, mnemonic_read(reading, certificates, UINT16_MAX));
        break;
    case 'y':
        buffer_append_u16(rdata, type_read(reading));
        break;
    case 'u':
        text_word_decode(&reading->words, text_words_next(&reading->words), rdata);
        break;
    case 'S':
        encoded_read(reading, hex_decode);
        break;
    case 'H':
        encoded_read(reading, base32hex_decode);
        break;
    case '6':
        groups_read(reading, 6, 2, '-');
        break;
    case '8':
        groups_read(reading, 8, 2, '-');
        break;
    case 'L':
        groups_read(reading, 4, 4, ':');
        break;
    default:
        UNREACHABLE();
    }
}

static void field_read(struct text_reading *reading, char field)
{
    switch (field) {
    case 'n':
        name_read(reading);
        break;
    case 's':
    case 'c':
        string_read(reading);
        break;
    case 't':
        strings_read(reading);
        break;
    case 'a':
        address_read(reading, AF_INET);
        break;
    case 'A':
        address_read(reading, AF_INET6);
        break;
    case 'd':
        duration_read(reading);
        break;
    case 'T':
        time_read(reading);
        break;
    case 'm':
        types_read(reading);
        break;
    case 'h':
        hex_read(reading);
        break;
    case 'b':
    case 'B':
        base64_read(reading, field == 'B');
        break;
    case 'N':
        nsap_read(reading);
        break;
    case 'G': /* precedence, kind, algorithm come before it */
        gateway_read(reading, reading->rdata->bytes[reading->begin + 1]);
        break;
    case 'R':
        relay_read(reading);
        break;
    case 'Z':
        prefixes_read(reading);
        break;
    case 'I':
        host_identity_read(reading);
        break;
    case 'P':
        text_svcb_read(&reading->words, reading->rdata);
        break;
    case 'l':
        text_loc_read(&reading->words, reading->rdata);
        break;
    case 'w':
        text_wks_read(&reading->words, reading->rdata);
        break;
    default:
        word_field_read(reading, field);
        break;
    }
}

/* "\# length hexadecimal", RFC 3597 5; `reading` stands behind the "\#". */
static void generic_read(struct text_reading *reading)
{
    uint32_t length = number_read(reading, DNS_RDATA_BYTES_MAX);
    struct span rest = rest_read(reading);
    if ((rest.length > 0 && hex_decode(rest, reading->rdata) != SG_OK) ||
        reading->rdata->length - reading->begin != length) {
        fail(reading, "bad rdata behind \\#");
    }
}

/* Does the text that is left begin with the word \#? */
static bool is_generic(const struct text_words *words)
{
    size_t left = (size_t)(words->end - words->at);
    return left >= 2 && memcmp(words->at, "\\#", 2) == 0 &&
           (left == 2 || words->at[2] == ' ' || words->at[2] == '\t');
}

enum sg_result dns_rdata_from_text(uint16_t type, const char *text, size_t length,
                                   const struct dns_name *origin, struct buffer *out_rdata,
                                   const char **out_error)
{
    struct text_reading reading = {
        .words = {text, text + length, NULL},
        .origin = origin,
        .rdata = out_rdata,
        .begin = out_rdata->length,
    };
    const char *format = text_format_of(type);

    if (length > TEXT_BYTES_MAX) {
        fail(&reading, "text too long");
    } else if (text_words_more(&reading.words) && is_generic(&reading.words)) {
        reading.words.at += 2;
        generic_read(&reading);
    } else if (format != NULL) {
        for (; *format != '\0' && reading.words.error == NULL; format++) {
            field_read(&reading, *format);
        }
    } else {
        fail(&reading, "no text format for this type but \\#");
    }

    if (text_words_more(&reading.words)) {
        fail(&reading, "text behind the last field");
    }
    if (reading.words.error == NULL) {
        buffer_reserve(out_rdata, 1); /* Empty rdata has an address too. */
        struct span rdata = {out_rdata->bytes + reading.begin, out_rdata->length - reading.begin};
        if (dns_rdata_check(type, rdata) == SG_OK) {
            return SG_OK;
        }
        fail(&reading, "not valid for this type");
    }
    out_rdata->length = reading.begin;
    if (out_error != NULL) {
        *out_error = reading.words.error;
    }
    return SG_MALFORMED;
}
