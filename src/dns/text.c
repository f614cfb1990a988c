#include "dns/text.h"

#include <arpa/inet.h>

#include "base/encoding.h"
#include "base/time.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/text_format.h"
#include "dns/text_loc.h"
#include "dns/text_svcb.h"
#include "dns/text_wks.h"

enum { STRING_TEXT_BYTES = 4 * 255 + 2, HASH_TEXT_BYTES = 2 * 255 };

static void name_write(struct reader *rdata, struct buffer *out_text)
{
    char text[DNS_NAME_TEXT_BYTES];
    size_t length = dns_name_wire_length(rdata->at);
    buffer_append_text(out_text, dns_name_wire_to_text(rdata->at, text));
    reader_span(rdata, length);
}

static void string_write(struct reader *rdata, struct buffer *out_text)
{
    text_quoted_write(reader_span(rdata, reader_u8(rdata)), out_text);
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

static void window_write(unsigned window, struct span bits, const char **before,
                         struct buffer *out_text)
{
    for (unsigned bit = 0; bit < bits.length * 8; bit++) {
        if ((bits.bytes[bit / 8] & (0x80 >> bit % 8)) != 0) {
            buffer_append_text(out_text, *before);
            type_write((uint16_t)(window << 8 | bit), out_text);
            *before = " ";
        }
    }
}

static void types_write(struct reader *rdata, struct buffer *out_text)
{
    const char *before = "";
    while (reader_left(rdata) > 0) {
        unsigned window = reader_u8(rdata);
        struct span bits = reader_span(rdata, reader_u8(rdata));
        window_write(window, bits, &before, out_text);
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

/* "[!]family:address/prefix", RFC 3123 5. */
static void prefixes_write(struct reader *rdata, struct buffer *out_text)
{
    while (reader_left(rdata) > 0) {
        unsigned family = reader_u16(rdata);
        unsigned prefix = reader_u8(rdata);
        unsigned length = reader_u8(rdata);
        uint8_t address[16] = {0};
        struct span given = reader_span(rdata, length & 0x7f);
        memcpy(address, given.bytes, given.length);
        buffer_format(out_text, "%s%u:", (length & 0x80) != 0 ? "!" : "", family);
        address_write(family == 1 ? AF_INET : AF_INET6, address, out_text);
        buffer_format(out_text, "/%u%s", prefix, reader_left(rdata) > 0 ? " " : "");
    }
}

static bool apl_has_text(struct span rdata)
{
    struct reader reader = reader_of(rdata);
    while (reader_left(&reader) > 0) {
        uint16_t family = reader_u16(&reader);
        reader_u8(&reader);
        reader_span(&reader, reader_u8(&reader) & 0x7f);
        if (family != 1 && family != 2) {
            return false;
        }
    }
    return true;
}

/* RFC 8005 6: algorithm, host identity tag, key, servers. */
static void host_identity_write(struct reader *rdata, struct buffer *out_text)
{
    size_t tag_length = reader_u8(rdata);
    buffer_format(out_text, "%u ", (unsigned)reader_u8(rdata));
    size_t key_length = reader_u16(rdata);
    hex_encode(reader_span(rdata, tag_length), out_text);
    buffer_append_text(out_text, " ");
    base64_encode(reader_span(rdata, key_length), out_text);
    while (reader_left(rdata) > 0) {
        buffer_append_text(out_text, " ");
        name_write(rdata, out_text);
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
    case 'Z':
        prefixes_write(rdata, out_text);
        break;
    case 'I':
        host_identity_write(rdata, out_text);
        break;
    case 'P':
        text_svcb_write(rest_take(rdata), out_text);
        break;
    case 'l':
        text_loc_write(rest_take(rdata), out_text);
        break;
    case 'w':
        text_wks_write(rest_take(rdata), out_text);
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
        text_bare_write(reader_span(rdata, reader_u8(rdata)), out_text);
        break;
    case 'u':
        text_quoted_write(rest_take(rdata), out_text);
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

/* A type whose mnemonic other tools may not know is written in the form that all of them read. */
static bool type_is_widely_known(uint16_t type)
{
    char text[DNS_TYPE_TEXT_BYTES];
    return strncmp(dns_type_to_text(type, text), "TYPE", 4) != 0;
}

/* Families of APL and versions of LOC that nobody has defined yet are well formed, but no text. */
static bool has_text(uint16_t type, struct span rdata)
{
    if (rdata.length == 0 || !type_is_widely_known(type) || dns_rdata_check(type, rdata) != SG_OK) {
        return false;
    }
    if (type == DNS_TYPE_LOC) {
        return rdata.bytes[0] == 0;
    }
    if (type == DNS_TYPE_APL) {
        return apl_has_text(rdata);
    }
    return text_format_of(type) != NULL;
}

void dns_rdata_to_text(uint16_t type, struct span rdata, struct buffer *out_text)
{
    if (has_text(type, rdata)) {
        fields_write(text_format_of(type), rdata, out_text);
    } else {
        generic_write(rdata, out_text);
    }
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
