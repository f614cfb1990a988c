#include "dns/request.h"

enum {
    AT_QUESTION = DNS_HEADER_BYTES,
    POINTER = 0xC000,
    SOA_NUMBERS_BYTES = 20,
    SOA_BYTES_MAX = 2 * DNS_NAME_BYTES_MAX + SOA_NUMBERS_BYTES,
};

enum { EDNS_DO = 0x8000 }; /* in what is the TTL of other records (RFC 3225) */

enum section { SECTION_NONE, SECTION_ANSWER = 1, SECTION_AUTHORITY = 2 };

static void write_question(struct writer *writer, const struct dns_request_zone *zone,
                           uint16_t flags, uint16_t type)
{
    writer_u16(writer, 0); /* the id */
    writer_u16(writer, flags);
    writer_u16(writer, 1);
    writer_u16(writer, 0);
    writer_u16(writer, 0);
    writer_u16(writer, 0);
    writer_bytes(writer, zone->apex->wire, zone->apex->length);
    writer_u16(writer, type);
    writer_u16(writer, zone->rrclass);
}

static void count_record(struct writer *writer, unsigned section)
{
    uint8_t *count = writer->start + 4 + 2 * section;
    wire_put_u16(count, (uint16_t)(wire_get_u16(count) + 1));
}

/* Is it what it should be: two names and five numbers? */
static bool is_soa(struct span rdata)
{
    size_t mname = dns_name_wire_check(rdata);
    if (mname == 0) {
        return false;
    }
    struct span rest = {rdata.bytes + mname, rdata.length - mname};
    size_t rname = dns_name_wire_check(rest);
    return rname != 0 && rest.length - rname == SOA_NUMBERS_BYTES;
}

static void write_soa(struct writer *writer, const struct dns_request_zone *zone,
                      enum section section)
{
    writer_u16(writer, POINTER | AT_QUESTION);
    writer_u16(writer, DNS_TYPE_SOA);
    writer_u16(writer, zone->rrclass);
    writer_u32(writer, zone->soa_ttl);
    writer_u16(writer, (uint16_t)zone->soa.length);
    writer_bytes(writer, zone->soa.bytes, zone->soa.length);
    count_record(writer, section);
}

static void write_edns(struct writer *writer, const struct dns_request_edns *edns, uint32_t flags)
{
    if (edns->payload == 0) {
        return;
    }
    writer_u8(writer, 0);
    writer_u16(writer, DNS_TYPE_OPT);
    writer_u16(writer, edns->payload);
    writer_u32(writer, flags);
    writer_u16(writer, edns->expire ? 4 : 0);
    if (edns->expire) {
        writer_u16(writer, EDNS_OPTION_EXPIRE); /* empty in a request */
        writer_u16(writer, 0);
    }
    count_record(writer, 3);
}

static void finish(const struct writer *writer, struct dns_request *request)
{
    ASSERT(!writer->failed); /* by the bound of each part */
    request->length = writer_length(writer);
}

void dns_request_query(const struct dns_request_zone *zone, uint16_t type,
                       const struct dns_request_edns *edns, struct dns_request *out_request)
{
    struct writer writer = writer_of(out_request->bytes, sizeof(out_request->bytes));

    write_question(&writer, zone, DNS_OPCODE_QUERY << 11, type);
    write_edns(&writer, edns, 0);
    finish(&writer, out_request);
}

void dns_request_lookup(const struct dns_name *name, uint16_t rrclass, uint16_t type,
                        struct dns_request *out_request)
{
    struct writer writer = writer_of(out_request->bytes, sizeof(out_request->bytes));
    const struct dns_request_zone asked = {.apex = name, .rrclass = rrclass};

    write_question(&writer, &asked, DNS_OPCODE_QUERY << 11 | DNS_FLAG_RD, type);
    finish(&writer, out_request);
}

void dns_request_proof(const struct dns_name *name, uint16_t rrclass, uint16_t type,
                       struct dns_request *out_request)
{
    struct writer writer = writer_of(out_request->bytes, sizeof(out_request->bytes));
    const struct dns_request_zone asked = {.apex = name, .rrclass = rrclass};
    const struct dns_request_edns edns = {EDNS_PAYLOAD_DEFAULT, false};

    write_question(&writer, &asked, DNS_OPCODE_QUERY << 11 | DNS_FLAG_RD | DNS_FLAG_CD, type);
    write_edns(&writer, &edns, EDNS_DO);
    finish(&writer, out_request);
}

enum sg_result dns_request_ixfr(const struct dns_request_zone *zone,
                                const struct dns_request_edns *edns,
                                struct dns_request *out_request)
{
    struct writer writer = writer_of(out_request->bytes, sizeof(out_request->bytes));

    if (zone->soa.length > SOA_BYTES_MAX || !is_soa(zone->soa)) {
        return SG_MALFORMED;
    }
    write_question(&writer, zone, DNS_OPCODE_QUERY << 11, DNS_TYPE_IXFR);
    write_soa(&writer, zone, SECTION_AUTHORITY);
    write_edns(&writer, edns, 0);
    finish(&writer, out_request);
    return SG_OK;
}

enum sg_result dns_request_notify(const struct dns_request_zone *zone,
                                  struct dns_request *out_request)
{
    struct writer writer = writer_of(out_request->bytes, sizeof(out_request->bytes));

    if (zone->soa.length > SOA_BYTES_MAX || (zone->soa.length > 0 && !is_soa(zone->soa))) {
        return SG_MALFORMED;
    }
    /* RFC 1996 4.5: AA is set in a NOTIFY. */
    write_question(&writer, zone, DNS_OPCODE_NOTIFY << 11 | DNS_FLAG_AA, DNS_TYPE_SOA);
    if (zone->soa.length > 0) {
        write_soa(&writer, zone, SECTION_ANSWER);
    }
    finish(&writer, out_request);
    return SG_OK;
}
