#include "dns/reply.h"

enum { EXPIRE_BYTES = 4, OPTION_HEADER_BYTES = 4 };

static enum sg_result read_numbers(struct reader *reader, struct dns_soa *out_soa)
{
    struct dns_soa soa;

    soa.serial = reader_u32(reader);
    soa.refresh = reader_u32(reader);
    soa.retry = reader_u32(reader);
    soa.expire = reader_u32(reader);
    soa.minimum = reader_u32(reader);
    if (reader->failed || reader_left(reader) != 0) {
        return SG_MALFORMED;
    }
    *out_soa = soa;
    return SG_OK;
}

enum sg_result dns_soa_parse(struct span rdata, struct dns_soa *out_soa)
{
    struct reader reader = reader_of(rdata);

    for (int i = 0; i < 2; i++) {
        size_t length = dns_name_wire_check((struct span){reader.at, reader_left(&reader)});
        if (length == 0) {
            return SG_MALFORMED;
        }
        reader_span(&reader, length);
    }
    return read_numbers(&reader, out_soa);
}

/* Both names may be compressed. */
static enum sg_result soa_in_message(struct span wire, const struct dns_record *record,
                                     struct dns_soa *out_soa)
{
    size_t end = record->rdata_offset + record->rdata_length;
    size_t at = record->rdata_offset;
    struct dns_name name;

    for (int i = 0; i < 2; i++) {
        if (dns_name_from_message(wire, at, &name, &at) != SG_OK || at > end) {
            return SG_MALFORMED;
        }
    }
    struct reader reader = reader_of((struct span){wire.bytes + at, end - at});
    return read_numbers(&reader, out_soa);
}

enum sg_result dns_reply_soa(const struct dns_message *message, struct dns_soa *out_soa)
{
    size_t offset = message->section_offsets[0];
    struct dns_soa soa;
    bool found = false;

    for (unsigned left = message->counts[1]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return SG_MALFORMED;
        }
        offset = record.after;
        if (record.type != DNS_TYPE_SOA || record.rrclass != message->qclass ||
            !dns_name_equal(&record.owner, &message->qname)) {
            continue;
        }
        if (found) {
            return SG_NOT_FOUND;
        }
        if (soa_in_message(message->wire, &record, &soa) != SG_OK) {
            return SG_MALFORMED;
        }
        found = true;
    }
    if (!found) {
        return SG_NOT_FOUND;
    }
    *out_soa = soa;
    return SG_OK;
}

/* The OPT, which the parser has found to be whole. */
static bool find_opt(const struct dns_message *message, struct dns_record *out_record)
{
    size_t offset = message->section_offsets[2];

    if (!message->edns.present) {
        return false;
    }
    for (unsigned left = message->counts[3]; left > 0; left--) {
        if (dns_record_parse(message->wire, offset, out_record) != SG_OK) {
            return false;
        }
        if (out_record->type == DNS_TYPE_OPT) {
            return true;
        }
        offset = out_record->after;
    }
    return false;
}

enum sg_result dns_reply_expire(const struct dns_message *message, uint32_t *out_seconds)
{
    struct dns_record opt;

    if (!find_opt(message, &opt)) {
        return SG_NOT_FOUND;
    }
    struct reader reader =
        reader_of((struct span){message->wire.bytes + opt.rdata_offset, opt.rdata_length});
    while (reader_left(&reader) >= OPTION_HEADER_BYTES) {
        uint16_t code = reader_u16(&reader);
        struct span option = reader_span(&reader, reader_u16(&reader));
        if (reader.failed) {
            break;
        }
        if (code == EDNS_OPTION_EXPIRE && option.length == EXPIRE_BYTES) {
            *out_seconds = wire_get_u32(option.bytes);
            return SG_OK;
        }
    }
    return SG_NOT_FOUND;
}

uint16_t dns_reply_rcode(const struct dns_message *message)
{
    struct dns_record opt;

    if (!find_opt(message, &opt)) {
        return message->rcode;
    }
    return (uint16_t)(opt.ttl >> 24 << 4 | message->rcode);
}
