#include "dns/ds_update.h"

#include "dns/message.h"
#include "dns/rrtype.h"

enum { COUNT_AT = 8, OPCODE_UPDATE = 5, OPCODE_SHIFT = 11, MESSAGE_BYTES_MAX = 16384 };

void ds_update_begin(struct ds_update *update, const struct dns_name *parent,
                     const struct dns_name *child, uint16_t rrclass)
{
    *update = (struct ds_update){.wire = BUFFER_EMPTY, .child = child, .rrclass = rrclass};
    struct buffer *wire = &update->wire;
    buffer_append_u16(wire, 0);
    buffer_append_u16(wire, OPCODE_UPDATE << OPCODE_SHIFT);
    buffer_append_u16(wire, 1);
    buffer_append_u16(wire, 0);
    buffer_append_u16(wire, 0); /* updates, at COUNT_AT */
    buffer_append_u16(wire, 0);
    buffer_append(wire, parent->wire, parent->length);
    buffer_append_u16(wire, DNS_TYPE_SOA);
    buffer_append_u16(wire, rrclass);
}

static enum sg_result append(struct ds_update *update, uint16_t rrclass, uint32_t ttl,
                             struct span rdata)
{
    struct buffer *wire = &update->wire;
    uint16_t count = wire_get_u16(wire->bytes + COUNT_AT);
    if (rdata.length > MESSAGE_BYTES_MAX || wire->length + rdata.length > MESSAGE_BYTES_MAX) {
        return SG_LIMIT;
    }
    buffer_append(wire, update->child->wire, update->child->length);
    buffer_append_u16(wire, DNS_TYPE_DS);
    buffer_append_u16(wire, rrclass);
    buffer_append_u32(wire, ttl);
    buffer_append_u16(wire, (uint16_t)rdata.length);
    buffer_append(wire, rdata.bytes, rdata.length);
    wire_put_u16(wire->bytes + COUNT_AT, (uint16_t)(count + 1));
    return SG_OK;
}

enum sg_result ds_update_add(struct ds_update *update, uint32_t ttl, struct span rdata)
{
    return append(update, update->rrclass, ttl, rdata);
}

/* "Delete an RR from an RRset": class NONE, TTL 0 (RFC 2136 2.5.4). */
enum sg_result ds_update_remove(struct ds_update *update, struct span rdata)
{
    return append(update, DNS_CLASS_NONE, 0, rdata);
}
