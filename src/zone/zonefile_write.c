/*
 * A version as a master file: every record on a line of its own, names absolute, the SOA first.
 * The rows of fields that read rdata also write it; what has no row, or does not fit, goes by ldns.
 */
#include <arpa/inet.h>

#include "base/encoding.h"
#include "base/time.h"
#include "dns/rdata.h"
#include "dns/text.h"
#include "zone/zonefile.h"
#include "zone/zonefile_fields.h"

enum { NUMBER_BYTES = 11 };

static void append_number(struct buffer *text, uint32_t number)
{
    char digits[NUMBER_BYTES];
    char *at = digits + sizeof(digits);
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(text, at, (size_t)(digits + sizeof(digits) - at));
}

static bool append_name(struct buffer *text, struct reader *reader)
{
    char name[DNS_NAME_TEXT_BYTES];
    struct span left = {reader->at, reader_left(reader)};
    size_t length = dns_name_wire_check(left);
    if (length == 0) {
        return false;
    }
    buffer_append_text(text, dns_name_wire_to_text(reader_span(reader, length).bytes, name));
    return true;
}

static void append_string(struct buffer *text, struct span string)
{
    buffer_reserve(text, 4 * string.length + 2);
    buffer_append_u8(text, '"');
    for (size_t i = 0; i < string.length; i++) {
        uint8_t c = string.bytes[i];
        if (c == '"' || c == '\\') {
            buffer_append_u8(text, '\\');
        }
        if (c < ' ' || c > '~') {
            buffer_format(text, "\\%03u", c);
        } else {
            buffer_append_u8(text, c);
        }
    }
    buffer_append_u8(text, '"');
}

static struct span read_counted(struct reader *reader)
{
    return reader_span(reader, reader_u8(reader));
}

static void append_strings(struct buffer *text, struct reader *reader)
{
    const char *between = "";
    do {
        buffer_append_text(text, between);
        append_string(text, read_counted(reader));
        between = " ";
    } while (!reader->failed && reader_left(reader) > 0);
}

static void append_type(struct buffer *text, uint16_t type)
{
    char name[DNS_TYPE_TEXT_BYTES];
    buffer_append_text(text, dns_type_to_text(type, name));
}

static void append_bitmap(struct buffer *text, struct reader *reader)
{
    const char *between = "";
    while (!reader->failed && reader_left(reader) > 0) {
        unsigned window = reader_u8(reader);
        struct span bits = read_counted(reader);
        for (unsigned i = 0; i < 8 * bits.length; i++) {
            if (bits.bytes[i / 8] & 0x80 >> i % 8) {
                buffer_append_text(text, between);
                append_type(text, (uint16_t)(window << 8 | i));
                between = " ";
            }
        }
    }
}

static void append_time(struct buffer *text, uint32_t when)
{
    char digits[TIME_TEXT_BYTES];
    time_to_digits((sg_time)when, digits);
    buffer_append_text(text, digits);
}

static void append_address(struct buffer *text, int family, struct span address)
{
    char digits[INET6_ADDRSTRLEN] = "";
    if (address.bytes != NULL && inet_ntop(family, address.bytes, digits, sizeof(digits)) != NULL) {
        buffer_append_text(text, digits);
    }
}

static void append_salt(struct buffer *text, struct span salt)
{
    if (salt.length == 0) {
        buffer_append_text(text, "-");
    } else {
        hex_encode(salt, text);
    }
}

static bool append_hash(struct buffer *text, struct span hash)
{
    char digits[2 * NSEC3_HASH_BYTES];
    if (hash.length != NSEC3_HASH_BYTES) {
        return false;
    }
    buffer_append(text, digits, base32hex_encode(hash.bytes, hash.length, digits));
    return true;
}

/* False when the field has no such text. */
static bool append_field(struct buffer *text, struct reader *reader, uint8_t field)
{
    struct span rest = {reader->at, reader_left(reader)};
    switch ((enum zonefile_field)field) {
    case FIELD_U8:
        append_number(text, reader_u8(reader));
        return true;
    case FIELD_U16:
        append_number(text, reader_u16(reader));
        return true;
    case FIELD_U32:
    case FIELD_PERIOD:
        append_number(text, reader_u32(reader));
        return true;
    case FIELD_TIME:
        append_time(text, reader_u32(reader));
        return true;
    case FIELD_TYPE:
        append_type(text, reader_u16(reader));
        return true;
    case FIELD_NAME:
        return append_name(text, reader);
    case FIELD_IPV4:
        append_address(text, AF_INET, reader_span(reader, sizeof(struct in_addr)));
        return true;
    case FIELD_IPV6:
        append_address(text, AF_INET6, reader_span(reader, sizeof(struct in6_addr)));
        return true;
    case FIELD_STRING:
        append_string(text, read_counted(reader));
        return true;
    case FIELD_TAG: {
        struct span tag = read_counted(reader);
        buffer_append(text, tag.bytes, tag.length);
        return tag.length > 0;
    }
    case FIELD_LONG_STRING:
        append_string(text, reader_span(reader, rest.length));
        return true;
    case FIELD_SALT:
        append_salt(text, read_counted(reader));
        return true;
    case FIELD_HASH:
        return append_hash(text, read_counted(reader));
    case FIELD_STRINGS:
        append_strings(text, reader);
        return true;
    case FIELD_BASE64:
        base64_encode(reader_span(reader, rest.length), text);
        return rest.length > 0;
    case FIELD_HEX:
        hex_encode(reader_span(reader, rest.length), text);
        return rest.length > 0;
    case FIELD_BITMAP:
        append_bitmap(text, reader);
        return true;
    case FIELD_END:
        break;
    }
    UNREACHABLE();
}

static void append_rdata(struct buffer *text, uint16_t type, struct span rdata)
{
    const uint8_t *fields = zonefile_type_fields(type);
    size_t begin = text->length;
    struct reader reader = reader_of(rdata);
    bool good = fields[0] != FIELD_END;
    for (const uint8_t *field = fields; good && *field != FIELD_END; field++) {
        if (field != fields) {
            buffer_append_u8(text, ' ');
        }
        good = append_field(text, &reader, *field);
    }
    if (!good || reader.failed || reader_left(&reader) > 0) {
        text->length = begin;
        dns_rdata_to_text(type, rdata, text);
    }
}

static void append_rrset(struct buffer *text, const struct dns_rrset *rrset, struct span before,
                         const char *class_text)
{
    struct dns_rdata_cursor cursor = dns_rrset_walk(rrset);
    while (dns_rdata_next(&cursor)) {
        buffer_append(text, before.bytes, before.length);
        append_number(text, rrset->ttl);
        buffer_append_text(text, class_text);
        append_type(text, rrset->type);
        buffer_append_u8(text, ' ');
        append_rdata(text, rrset->type, cursor.rdata);
        buffer_append_u8(text, '\n');
    }
}

/* What all lines of a dump have in common. */
struct dump {
    const struct zone_version *version;
    enum zone_view view;
    char class_text[DNS_TYPE_TEXT_BYTES + 3]; /* " IN " */
    struct buffer *text;
};

static void append_node(const struct dump *dump, const struct zone_node *node)
{
    struct dns_name owner;
    char name[DNS_NAME_TEXT_BYTES + 1];
    zone_version_owner(dump->version, node, &owner);
    dns_name_to_text(&owner, name);
    size_t length = strlen(name);
    name[length] = ' ';
    struct span before = {(const uint8_t *)name, length + 1};

    bool is_apex = (node->flags & ZONE_NODE_APEX) != 0;
    struct dns_rrset soa;
    if (is_apex && zone_node_rrset(node, dump->view, DNS_TYPE_SOA, &soa)) {
        append_rrset(dump->text, &soa, before, dump->class_text);
    }
    struct zone_rrset_walk walk = zone_node_walk(node, dump->view);
    while (zone_node_walk_next(&walk)) {
        if (!is_apex || walk.rrset.type != DNS_TYPE_SOA) {
            append_rrset(dump->text, &walk.rrset, before, dump->class_text);
        }
    }
}

void zonefile_write(const struct zone_version *version, enum zone_view view,
                    struct buffer *out_text)
{
    struct dump dump = {version, view, " ", out_text};
    char class_text[DNS_TYPE_TEXT_BYTES];
    strcat(dump.class_text, dns_class_to_text(zone_version_class(version), class_text));
    strcat(dump.class_text, " ");

    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        append_node(&dump, &cursor.node);
    }
    zone_cursor_start_nsec3(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        append_node(&dump, &cursor.node);
    }
}
