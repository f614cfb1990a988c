#include "dns/text.h"

#include <arpa/inet.h>

#include "base/encoding.h"
#include "base/time.h"
#include "dns/escape.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/text_format.h"
#include "dns/text_ldns.h"

enum { STRING_TEXT_BYTES = 4 * 255 + 2, HASH_TEXT_BYTES = 2 * 255 };

static void name_write(struct reader *rdata, struct buffer *out_text)
{
    char text[DNS_NAME_TEXT_BYTES];
    size_t length = dns_name_wire_length(rdata->at);
    buffer_append_text(out_text, dns_name_wire_to_text(rdata->at, text));
    reader_span(rdata, length);
}

static void bytes_write(struct span bytes, struct buffer *out_text)
{
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = bytes.bytes[i];
        char text[4];
        char *end = text;
        if (byte < ' ' || byte >= 0x7f) {
            end = dns_escape_decimal(text, byte);
        } else {
            if (byte == '"' || byte == '\\') {
                *end++ = '\\';
            }
            *end++ = (char)byte;
        }
        buffer_append(out_text, text, (size_t)(end - text));
    }
}

static void quoted_write(struct span bytes, struct buffer *out_text)
{
    buffer_append_text(out_text, "\"");
    bytes_write(bytes, out_text);
    buffer_append_text(out_text, "\"");
}

static void string_write(struct reader *rdata, struct buffer *out_text)
{
    quoted_write(reader_span(rdata, reader_u8(rdata)), out_text);
}

static void strings_write(struct reader *rdata, struct buffer *out_text)
{
    string_write(rdata, out_text);
    while (reader_left(rdata) > 0) {
        buffer_append_text(out_text, " ");
        string_write(rdata, out_text);
    }
}

static void address_write(int family, const uint8_t *address, struct buffer *out_text)
{
    char text[INET6_ADDRSTRLEN];
    buffer_append_text(out_text, inet_ntop(family, address, text, sizeof(text)));
}

static void time_write(struct reader *rdata, struct buffer *out_text)
{
    char text[TIME_TEXT_BYTES];
    time_to_digits(reader_u32(rdata), text);
    buffer_append_text(out_text, text);
}

static void type_write(uint16_t type, struct buffer *out_text)
{
    char text[DNS_TYPE_TEXT_BYTES];
    buffer_append_text(out_text, dns_type_to_text(type, text));
}

static void types_write(struct reader *rdata, struct buffer *out_text)
{
    const char *before = "";
    while (reader_left(rdata) > 0) {
        unsigned window = reader_u8(rdata);
        struct span bits = reader_span(rdata, reader_u8(rdata));
        for (unsigned bit = 0; bit < bits.length * 8; bit++) {
            if ((bits.bytes[bit / 8] & (0x80 >> bit % 8)) != 0) {
                buffer_append_text(out_text, before);
                type_write((uint16_t)(window << 8 | bit), out_text);
                before = " ";
            }
        }
    }
}

static void salt_write(struct reader *rdata, struct buffer *out_text)
{
    struct span salt = reader_span(rdata, reader_u8(rdata));
    if (salt.length == 0) {
        buffer_append_text(out_text, "-");
    }
    hex_encode(salt, out_text);
}

static void hash_write(struct reader *rdata, struct buffer *out_text)
{
    char text[HASH_TEXT_BYTES];
    struct span hash = reader_span(rdata, reader_u8(rdata));
    buffer_append(out_text, text, base32hex_encode(hash.bytes, hash.length, text));
}

static void groups_write(struct reader *rdata, unsigned groups, unsigned bytes,
                         const char *separator, struct buffer *out_text)
{
    for (unsigned group = 0; group < groups; group++) {
        buffer_append_text(out_text, group > 0 ? separator : "");
        hex_encode(reader_span(rdata, bytes), out_text);
    }
}

static void gateway_write(unsigned kind, struct reader *rdata, struct buffer *out_text)
{
    switch (kind) {
    case 0:
        buffer_append_text(out_text, ".");
        break;
    case 1:
        address_write(AF_INET, reader_span(rdata, 4).bytes, out_text);
        break;
    case 2:
        address_write(AF_INET6, reader_span(rdata, 16).bytes, out_text);
        break;
    default:
        name_write(rdata, out_text);
        break;
    }
}

static struct span rest_take(struct reader *rdata)
{
    return reader_span(rdata, reader_left(rdata));
}

static void number_write(uint32_t number, struct buffer *out_text)
{
    buffer_format(out_text, "%u", (unsigned)number);
}

static void word_field_write(char field, struct reader *rdata, struct buffer *out_text)
{
    switch (field) {
    case '1':
    case 'g':
    case 'i':
        number_write(reader_u8(rdata), out_text);
        break;
    case '2':
    case 'k':
        number_write(reader_u16(rdata), out_text);
        break;
    case '4':
    case 'd':
        number_write(reader_u32(rdata), out_text);
        break;
    case 'y':
        type_write(reader_u16(rdata), out_text);
        break;
    case 'S':
        salt_write(rdata, out_text);
        break;
    case 'H':
        hash_write(rdata, out_text);
        break;
    case '6':
        groups_write(rdata, 6, 1, "-", out_text);
        break;
    case '8':
        groups_write(rdata, 8, 1, "-", out_text);
        break;
    case 'L':
        groups_write(rdata, 4, 2, ":", out_text);
        break;
    default:
        UNREACHABLE();
    }
}

static void field_write(char field, struct span whole, struct reader *rdata,
                        struct buffer *out_text)
{
    switch (field) {
    case 'n':
        name_write(rdata, out_text);
        break;
    case 's':
        string_write(rdata, out_text);
        break;
    case 't':
        strings_write(rdata, out_text);
        break;
    case 'c':
        bytes_write(reader_span(rdata, reader_u8(rdata)), out_text);
        break;
    case 'u':
        quoted_write(rest_take(rdata), out_text);
        break;
    case 'a':
        address_write(AF_INET, reader_span(rdata, 4).bytes, out_text);
        break;
    case 'A':
        address_write(AF_INET6, reader_span(rdata, 16).bytes, out_text);
        break;
    case 'T':
        time_write(rdata, out_text);
        break;
    case 'm':
        types_write(rdata, out_text);
        break;
    case 'N':
        buffer_append_text(out_text, "0x");
        hex_encode(rest_take(rdata), out_text);
        break;
    case 'h':
        hex_encode(rest_take(rdata), out_text);
        break;
    case 'b':
    case 'B':
        base64_encode(rest_take(rdata), out_text);
        break;
    case 'G':
        gateway_write(whole.bytes[1], rdata, out_text);
        break;
    default:
        word_field_write(field, rdata, out_text);
        break;
    }
}

static void generic_write(struct span rdata, struct buffer *out_text)
{
    buffer_format(out_text, "\\# %zu", rdata.length);
    if (rdata.length > 0) {
        buffer_append_text(out_text, " ");
        hex_encode(rdata, out_text);
    }
}

/* Fields that may be empty leave no blank behind. */
static void fields_write(const char *format, struct span rdata, struct buffer *out_text)
{
    struct reader reader = reader_of(rdata);
    for (const char *field = format; *field != '\0'; field++) {
        size_t before = out_text->length;
        if (field != format) {
            buffer_append_text(out_text, " ");
        }
        size_t begin = out_text->length;
        field_write(*field, rdata, &reader, out_text);
        if (out_text->length == begin) {
            out_text->length = before;
        }
    }
    ASSERT(!reader.failed);
}

/* Only if it reads back as the same rdata: ldns does not promise that. */
static bool ldns_write(uint16_t type, struct span rdata, struct buffer *out_text)
{
    struct buffer text = BUFFER_EMPTY;
    struct buffer again = BUFFER_EMPTY;
    bool same =
        text_ldns_write(type, rdata, &text) == SG_OK &&
        dns_rdata_from_text(type, buffer_text(&text), text.length, NULL, &again, NULL) == SG_OK &&
        again.length == rdata.length && memcmp(again.bytes, rdata.bytes, again.length) == 0;
    if (same) {
        buffer_append(out_text, text.bytes, text.length);
    }
    buffer_free(&text);
    buffer_free(&again);
    return same;
}

/* A type whose mnemonic other tools may not know is written in the form that all of them read. */
static bool type_is_widely_known(uint16_t type)
{
    char text[DNS_TYPE_TEXT_BYTES];
    return strncmp(dns_type_to_text(type, text), "TYPE", 4) != 0;
}

static bool has_text(uint16_t type, struct span rdata)
{
    return rdata.length > 0 && type_is_widely_known(type) && dns_rdata_check(type, rdata) == SG_OK;
}

void dns_rdata_to_text(uint16_t type, struct span rdata, struct buffer *out_text)
{
    const char *format = text_format_of(type);
    if (has_text(type, rdata)) {
        if (format != NULL) {
            fields_write(format, rdata, out_text);
            return;
        }
        if (text_ldns_knows(type) && ldns_write(type, rdata, out_text)) {
            return;
        }
    }
    generic_write(rdata, out_text);
}

void dns_record_to_text(const uint8_t *owner_wire, uint32_t ttl, uint16_t type, struct span rdata,
                        struct buffer *out_text)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char mnemonic[DNS_TYPE_TEXT_BYTES];
    buffer_format(out_text, "%s %u IN %s ", dns_name_wire_to_text(owner_wire, owner), (unsigned)ttl,
                  dns_type_to_text(type, mnemonic));
    dns_rdata_to_text(type, rdata, out_text);
}
