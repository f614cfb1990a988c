#include "dns/rdata.h"

#include "dns/rdata_format.h"

/* What follows the first `at` bytes. No arithmetic on the NULL of an empty span. */
static inline struct span span_after(struct span span, size_t at)
{
    return at == 0 ? span : (struct span){span.bytes + at, span.length - at};
}

/* Bytes [begin, end) of an rdata. */
struct name_bytes {
    size_t begin;
    size_t end;
};

/* The names of well-formed rdata that its canonical form lowers; they are neighbours. */
static struct name_bytes lowered_bytes(const struct rdata_format *format, struct span rdata)
{
    size_t at = 0;
    const char *field = format->fields;
    for (; *field != 'n' && *field != 'q'; field++) {
        at += rdata_field_length(*field, span_after(rdata, at));
    }
    struct name_bytes names = {at, at};
    for (; (*field == 'n' || *field == 'q') && names.end < rdata.length; field++) {
        names.end += dns_name_wire_length(rdata.bytes + names.end);
    }
    return names;
}

struct dns_rdata_names dns_rdata_names(uint16_t type)
{
    const struct rdata_format *format = rdata_format_of(type);
    return (struct dns_rdata_names){
        .count = format->names,
        .compressible = (format->flags & RDATA_COMPRESS) != 0,
        .lower = (format->flags & RDATA_LOWER) != 0,
    };
}

size_t dns_rdata_name_offset(uint16_t type, struct span rdata)
{
    const struct rdata_format *format = rdata_format_of(type);
    ASSERT(format->names > 0);
    size_t at = 0;
    for (const char *field = format->fields; *field != 'n'; field++) {
        at += rdata_field_length(*field, span_after(rdata, at));
    }
    return at;
}

enum sg_result dns_rdata_check(uint16_t type, struct span rdata)
{
    const struct rdata_format *format = rdata_format_of(type);
    size_t at = 0;

    if (rdata.length > DNS_RDATA_BYTES_MAX) {
        return SG_MALFORMED;
    }
    for (const char *field = format->fields; *field != '\0'; field++) {
        if (*field >= '1' && *field <= '8') { /* so many bytes: most fields, and quickly told */
            at += (size_t)(*field - '0');
            continue;
        }
        if (at > rdata.length) {
            return SG_MALFORMED;
        }
        size_t length = rdata_field_length(*field, span_after(rdata, at));
        if (length == SIZE_MAX) {
            return SG_MALFORMED;
        }
        at += length;
    }
    if (at != rdata.length || (format->valid != NULL && !format->valid(rdata))) {
        return SG_MALFORMED;
    }
    return SG_OK;
}

/* Append the field at message[*at], which must end by `end`, and step behind it. */
static bool field_expand(char field, struct span message, size_t *at, size_t end,
                         struct buffer *out_rdata)
{
    if (field == 'n') {
        struct dns_name name;
        size_t after;
        if (dns_name_from_message(message, *at, &name, &after) != SG_OK || after > end) {
            return false;
        }
        buffer_append(out_rdata, name.wire, name.length);
        *at = after;
        return true;
    }
    size_t length = rdata_field_length(field, (struct span){message.bytes + *at, end - *at});
    if (length == SIZE_MAX) {
        return false;
    }
    buffer_append(out_rdata, message.bytes + *at, length);
    *at += length;
    return true;
}

enum sg_result dns_rdata_from_message(struct span message, size_t offset, size_t length,
                                      uint16_t type, struct buffer *out_rdata)
{
    if (offset > message.length || length > message.length - offset) {
        return SG_MALFORMED;
    }
    const struct rdata_format *format = rdata_format_of(type);
    if ((format->flags & RDATA_DECOMPRESS) == 0) {
        struct span rdata = {message.bytes + offset, length};
        enum sg_result result = dns_rdata_check(type, rdata);
        if (result == SG_OK) {
            buffer_append(out_rdata, rdata.bytes, rdata.length);
        }
        return result;
    }

    size_t at = offset;
    size_t begin = out_rdata->length;
    bool whole = true;
    for (const char *field = format->fields; whole && *field != '\0'; field++) {
        whole = field_expand(*field, message, &at, offset + length, out_rdata);
    }
    if (whole && at == offset + length) {
        struct span rdata = {out_rdata->bytes + begin, out_rdata->length - begin};
        if (rdata.length <= DNS_RDATA_BYTES_MAX &&
            (format->valid == NULL || format->valid(rdata))) {
            return SG_OK;
        }
    }
    out_rdata->length = begin;
    return SG_MALFORMED;
}

void dns_rdata_canonical(uint16_t type, struct span rdata, uint8_t *out)
{
    const struct rdata_format *format = rdata_format_of(type);
    if (out != rdata.bytes && rdata.length > 0) {
        memcpy(out, rdata.bytes, rdata.length);
    }
    if ((format->flags & RDATA_LOWER) != 0) {
        struct name_bytes names = lowered_bytes(format, rdata);
        dns_name_wire_lower(out + names.begin, out + names.begin, names.end - names.begin);
    }
}

/* memcmp(), but letters are alike in both cases. */
static int compare_lowered(const uint8_t *a, const uint8_t *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int difference = dns_lower[a[i]] - dns_lower[b[i]];
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

int dns_rdata_compare(uint16_t type, struct span a, struct span b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    const struct rdata_format *format = rdata_format_of(type);
    size_t at = 0;

    if ((format->flags & RDATA_LOWER) != 0) {
        /*
         * What lies before a byte decides whether it belongs to a name, so up to the first
         * difference the names of `b` lie where those of `a` do.
         */
        struct name_bytes names = lowered_bytes(format, a);
        size_t before = names.begin < shorter ? names.begin : shorter;
        int order = memcmp(a.bytes, b.bytes, before);
        if (order != 0) {
            return order;
        }
        at = names.end < shorter ? names.end : shorter;
        order = compare_lowered(a.bytes + before, b.bytes + before, at - before);
        if (order != 0) {
            return order;
        }
    }
    int order = shorter > at ? memcmp(a.bytes + at, b.bytes + at, shorter - at) : 0;
    if (order != 0) {
        return order;
    }
    return a.length == b.length ? 0 : a.length < b.length ? -1 : 1;
}
